//! For whom a `.reg` file is written.

use super::code_page::CodePage;
use super::importer::Importer;
use super::reading::Version;

/// The importer that a `.reg` file is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// regedit of Windows 2000 and later, and Wine's: version 5.00 as regedit itself exports it, UTF-16LE with a byte
    /// order mark, CRLF.
    #[default]
    Regedit5,
    /// regedit of Windows 95, 98 and NT 4.0, and of later ones: REGEDIT4, CRLF, in the ANSI code page of the importing
    /// machine, which the file cannot name.
    Regedit4(CodePage),
    /// hivexregedit (`libwin-hivex-perl`) with `--prefix` naming where the hive is mounted: version 5.00 in UTF-8
    /// without a byte order mark, LF, every parent key as a section of its own, text beyond ASCII in hex.
    Hivex,
}

impl Dialect {
    /// Returns who imports it.
    pub fn importer(self) -> Importer {
        match self {
            Self::Regedit5 | Self::Regedit4(_) => Importer::Regedit,
            Self::Hivex => Importer::Hivexregedit,
        }
    }

    /// Returns the version that the header claims.
    pub fn version(self) -> Version {
        match self {
            Self::Regedit4(_) => Version::Regedit4,
            Self::Regedit5 | Self::Hivex => Version::Regedit5,
        }
    }

    pub(super) fn line_end(self) -> &'static str {
        match self {
            Self::Regedit5 | Self::Regedit4(_) => "\r\n",
            Self::Hivex => "\n",
        }
    }

    /// Returns the code page that the file is in, where it is in one.
    pub fn code_page(self) -> Option<CodePage> {
        match self {
            Self::Regedit4(page) => Some(page),
            Self::Regedit5 | Self::Hivex => None,
        }
    }

    /// Returns whether a name or a comment can hold the character.
    pub(super) fn has(self, character: char) -> bool {
        self.code_page().is_none_or(|page| page.has(character))
    }

    /// Returns whether data in quotes may hold the character. hivexregedit reads the file as bytes unless told
    /// otherwise in the environment, and then mangles what is beyond ASCII silently; some regedit of the 8-bit Windows
    /// may do the same to a character whose second byte is that of a backslash.
    pub(super) fn quotes(self, character: char) -> bool {
        match self {
            Self::Regedit5 => true,
            Self::Regedit4(page) => page.has_unlike_ascii(character),
            Self::Hivex => character.is_ascii(),
        }
    }

    /// Returns whether a key can be written only after its parents.
    pub(super) fn needs_parents(self) -> bool {
        self == Self::Hivex
    }

    /// Returns the bytes of a file with this text.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        [self.encode_part(self.mark()), self.encode_part(text)].concat()
    }

    /// Returns the byte order mark that a file begins with, as text; empty where there is none.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Regedit5 => "\u{feff}",
            Self::Regedit4(_) | Self::Hivex => "",
        }
    }

    /// Returns the bytes of a piece of the text, which holds nothing that the dialect has not.
    pub(super) fn encode_part(self, text: &str) -> Vec<u8> {
        match self {
            Self::Regedit5 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Regedit4(page) => {
                // Whatever the page has not was refused before; a question mark would show it.
                let bytes = |character: char| page.encode(character.encode_utf8(&mut [0; 4])).unwrap_or(b"?".to_vec());
                page.encode(text).unwrap_or_else(|| text.chars().flat_map(bytes).collect())
            }
            Self::Hivex => text.as_bytes().to_vec(),
        }
    }
}
