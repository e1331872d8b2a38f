//! For whom a `.reg` file is written.

use super::parse::Version;

/// The importer that a `.reg` file is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// regedit of Windows 2000 and later, and Wine's: version 5.00 as regedit itself exports it, UTF-16LE with a byte
    /// order mark, CRLF.
    #[default]
    Regedit5,
    /// regedit of Windows 95, 98 and NT 4.0: REGEDIT4, CRLF. ASCII only, because the file cannot name its code page.
    Regedit4,
    /// hivexregedit (`libwin-hivex-perl`) with `--prefix` naming where the hive is mounted: version 5.00 in UTF-8
    /// without a byte order mark, LF, every parent key as a section of its own, text beyond ASCII in hex.
    Hivex,
}

impl Dialect {
    /// The version that the header claims.
    pub fn version(self) -> Version {
        match self {
            Self::Regedit4 => Version::Regedit4,
            Self::Regedit5 | Self::Hivex => Version::Regedit5,
        }
    }

    pub(super) fn line_end(self) -> &'static str {
        match self {
            Self::Regedit5 | Self::Regedit4 => "\r\n",
            Self::Hivex => "\n",
        }
    }

    /// Whether data in quotes may go beyond ASCII. hivexregedit reads the file as bytes unless told otherwise in the
    /// environment, and then mangles such data silently.
    pub(super) fn quotes_beyond_ascii(self) -> bool {
        self == Self::Regedit5
    }

    /// Whether a key can be written only after its parents.
    pub(super) fn needs_parents(self) -> bool {
        self == Self::Hivex
    }

    /// The bytes of a file with this text.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        [self.encode_part(self.mark()), self.encode_part(text)].concat()
    }

    /// The byte order mark that a file begins with, as text; empty where there is none.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Regedit5 => "\u{feff}",
            Self::Regedit4 | Self::Hivex => "",
        }
    }

    /// The bytes of a piece of the text.
    pub(super) fn encode_part(self, text: &str) -> Vec<u8> {
        match self {
            Self::Regedit5 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Regedit4 | Self::Hivex => text.as_bytes().to_vec(),
        }
    }
}
