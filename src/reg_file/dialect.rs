//! The dialects of `.reg` files, by importer.

use super::code_page::CodePage;
use super::importer::Importer;
use super::reading::Version;
use serde::{Deserialize, Serialize};

/// The importer that a `.reg` file is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Dialect {
    /// regedit of Windows 2000 and later, and of Wine: version 5.00 as regedit exports it, UTF-16LE with a byte order
    /// mark, CRLF.
    #[default]
    Regedit5,
    /// regedit of Windows 95, 98, NT 4.0, and later: REGEDIT4, CRLF, in the ANSI code page of the importing machine,
    /// which the file cannot name.
    Regedit4(CodePage),
    /// hivexregedit (`libwin-hivex-perl`) with `--prefix` for the place where the hive is mounted: version 5.00 in
    /// UTF-8 without a byte order mark, LF, a section for every parent key, text beyond ASCII in hex.
    Hivex,
}

impl Dialect {
    /// Returns the importer.
    pub fn importer(self) -> Importer {
        match self {
            Self::Regedit5 | Self::Regedit4(_) => Importer::Regedit,
            Self::Hivex => Importer::Hivexregedit,
        }
    }

    /// Returns the version in the header.
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

    /// Returns the code page of the file, if it has one.
    pub fn code_page(self) -> Option<CodePage> {
        match self {
            Self::Regedit4(page) => Some(page),
            Self::Regedit5 | Self::Hivex => None,
        }
    }

    /// Returns whether a name or a comment can contain the character.
    pub(super) fn has(self, character: char) -> bool {
        self.code_page().is_none_or(|page| page.has(character))
    }

    /// Returns whether quoted data may contain the character. Unless its environment says otherwise, hivexregedit reads
    /// the file as bytes and silently corrupts characters beyond ASCII. Some regedit of 8-bit Windows may do the same
    /// to a character whose second byte is that of a backslash.
    pub(super) fn quotes(self, character: char) -> bool {
        match self {
            Self::Regedit5 => true,
            Self::Regedit4(page) => page.has_unlike_ascii(character),
            Self::Hivex => character.is_ascii(),
        }
    }

    /// Returns whether a key can only be written after its parents.
    pub(super) fn needs_parents(self) -> bool {
        self == Self::Hivex
    }

    /// Returns the bytes of a file with this text.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        [self.encode_part(self.mark()), self.encode_part(text)].concat()
    }

    /// Returns the byte order mark that a file begins with, as text; empty if it has none.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Regedit5 => "\u{feff}",
            Self::Regedit4(_) | Self::Hivex => "",
        }
    }

    /// Returns the bytes of a part of the text. The dialect has all its characters.
    pub(super) fn encode_part(self, text: &str) -> Vec<u8> {
        match self {
            Self::Regedit5 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Regedit4(page) => {
                // Characters that the page lacks were refused before. A question mark would show a failure.
                let bytes = |character: char| page.encode(character.encode_utf8(&mut [0; 4])).unwrap_or(b"?".to_vec());
                page.encode(text).unwrap_or_else(|| text.chars().flat_map(bytes).collect())
            }
            Self::Hivex => text.as_bytes().to_vec(),
        }
    }
}
