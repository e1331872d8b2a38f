//! Converts the bytes of a file to UTF-16 units, as regedit does.

use super::code_page::CodePage;
use super::diagnostic::Code;

/// The encoding of a `.reg` file according to its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// FF FE, then UTF-16LE, which regedit writes.
    Utf16Le,
    /// UTF-16LE without a byte order mark. regedit imports nothing from it.
    Utf16LeWithoutMark,
    /// UTF-16BE with or without a byte order mark. regedit imports nothing from it.
    Utf16Be,
    /// EF BB BF, then UTF-8.
    Utf8WithMark,
    /// All other files: bytes in a code page that the file does not name.
    #[default]
    EightBit,
    /// Text that is already decoded.
    Text,
}

impl Encoding {
    /// Returns the stable kebab-case name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Utf16Le => "utf-16le-bom",
            Self::Utf16LeWithoutMark => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Utf8WithMark => "utf-8-bom",
            Self::EightBit => "8-bit",
            Self::Text => "text",
        }
    }

    /// Returns why regedit imports nothing from a file in this encoding; `None` if it imports the file.
    pub(super) fn obstacle(self) -> Option<Code> {
        match self {
            Self::Utf16LeWithoutMark => Some(Code::Utf16WithoutMark),
            Self::Utf16Be => Some(Code::Utf16BigEndian),
            Self::Utf8WithMark => Some(Code::Utf8Mark),
            Self::Utf16Le | Self::EightBit | Self::Text => None,
        }
    }

    /// Detects the encoding from the first bytes. A header begins with an ASCII letter or a blank, so a NUL beside it
    /// means UTF-16.
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] | [0, 1..=255, ..] => Self::Utf16Be,
            [0xef, 0xbb, 0xbf, ..] => Self::Utf8WithMark,
            [1..=255, 0, ..] => Self::Utf16LeWithoutMark,
            _ => Self::EightBit,
        }
    }
}

/// Converts the bytes of a file to the UTF-16 units that regedit reads, piece by piece.
#[derive(Debug)]
pub(super) struct Decoder {
    encoding: Encoding,
    code_page: CodePage,
    has_two_marks: bool,
    /// Bytes at the start that are not text.
    marks: usize,
    /// A byte that waits for the one after it.
    half: Option<u8>,
    units: Vec<u16>,
}

impl Decoder {
    /// Returns the decoder of a file that begins with these bytes: four, or the whole file.
    pub(super) fn new(beginning: &[u8], code_page: CodePage) -> Self {
        let has_two_marks = beginning.starts_with(b"\xff\xfe\xff\xfe");
        let encoding = Encoding::of(beginning);
        let marks = match encoding {
            Encoding::Utf16Le if has_two_marks => 4,
            Encoding::Utf16Le => 2,
            _ => 0,
        };
        Self { encoding, code_page, has_two_marks, marks, half: None, units: Vec::new() }
    }

    /// Returns the encoding.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Returns whether a second byte order mark of UTF-16LE follows the first.
    pub(super) fn has_two_marks(&self) -> bool {
        self.has_two_marks
    }

    /// Returns whether half a unit is left at the end.
    pub(super) fn has_half(&self) -> bool {
        self.half.is_some()
    }

    /// Returns the text of the bytes that were decoded last.
    pub(super) fn text(&self) -> &[u16] {
        &self.units
    }

    /// Decodes the next bytes, without a byte order mark. There is no text if regedit reads none.
    pub(super) fn decode(&mut self, bytes: &[u8], is_last: bool) {
        self.units.clear();
        let (marks, mut bytes) = bytes.split_at_checked(self.marks).unwrap_or((bytes, &[]));
        self.marks = self.marks.saturating_sub(marks.len());
        let joined: Vec<u8>;
        if let Some(half) = self.half.take() {
            joined = [&[half], bytes].concat();
            bytes = &joined;
        }
        match self.encoding {
            Encoding::Utf16Le => {
                let (units, half) = bytes.as_chunks();
                self.units.extend(units.iter().map(|&unit| u16::from_le_bytes(unit)));
                self.half = half.first().copied();
            }
            Encoding::EightBit => {
                let read = self.code_page.decode_into(bytes, is_last, &mut self.units);
                self.half = bytes.get(read).copied();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell() {
        let of = |bytes| Encoding::of(bytes).id();
        assert_eq!(of(b"\xff\xfeW\0"), "utf-16le-bom");
        assert_eq!(of(b"W\0i\0"), "utf-16le");
        assert_eq!(of(b"\0W\0i"), "utf-16be");
        assert_eq!(of(b"\xfe\xff\0W"), "utf-16be");
        assert_eq!(of(b"\xef\xbb\xbfW"), "utf-8-bom");
        assert_eq!(of(b"REGEDIT4"), "8-bit");
        assert_eq!(of(b""), "8-bit");
    }
}
