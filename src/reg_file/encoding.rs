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

/// Returns whether a second byte order mark of UTF-16LE follows the first.
pub(super) fn has_two_marks(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe\xff\xfe")
}

/// Returns the encoding and the text that regedit reads, without its byte order mark. Empty if regedit reads nothing.
pub(super) fn decode(bytes: &[u8], code_page: CodePage) -> (Encoding, Vec<u16>) {
    let encoding = Encoding::of(bytes);
    let text = match encoding {
        Encoding::Utf16Le => bytes
            .as_chunks()
            .0
            .iter()
            .skip(if has_two_marks(bytes) { 2 } else { 1 })
            .map(|&unit| u16::from_le_bytes(unit))
            .collect(),
        Encoding::EightBit => code_page.decode(bytes),
        _ => Vec::new(),
    };
    (encoding, text)
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
