//! The supported kinds of archives and compressed files, and how to open each.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::refused::Refused;
use super::seven_zip::SevenZip;
use super::single::Single;
use super::source::Source;
use super::stream::{Codec, Compressed};
use super::tar::Tar;
use super::tar_header::{BLOCK, is_header};
use super::zip::Zip;

use crate::evidence::block::Blocks;
use crate::evidence::content::fill;
use crate::evidence::file_system::FileSystem;

/// A supported kind of archive or compressed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A ZIP archive; a program may precede it.
    Zip,
    /// A tar archive.
    Tar,
    /// A 7z archive.
    SevenZip,
    /// A compressed file, or a compressed tar archive.
    Stream(Codec),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::SevenZip => "7z",
            Self::Stream(Codec::Gzip) => "gzip",
            Self::Stream(Codec::Bzip2) => "bzip2",
            Self::Stream(Codec::Xz) => "xz",
            Self::Stream(Codec::Zstd) => "zstd",
        })
    }
}

impl Kind {
    /// Returns the kind with this beginning; 512 bytes identify every kind.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            // A split archive with only one part begins with its own signature.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', b'0', b'0', b'P', b'K', 3, 4, ..] => {
                Some(Self::Zip)
            }
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(Self::SevenZip),
            _ if is_header(beginning) => Some(Self::Tar),
            // An archive whose first header is damaged is still an archive.
            _ if beginning.get(257..262) == Some(b"ustar") => Some(Self::Tar),
            _ => Codec::of(beginning).map(Self::Stream),
        }
    }
}

/// Opens an archive as a file system. A compressed file that contains a tar archive opens as that archive.
///
/// `name` is the file's own name; the content of a compressed file gets its name from it. `password` is for encrypted
/// members.
///
/// # Errors
/// Why the whole archive is unreadable.
pub fn open(
    kind: Kind,
    blocks: Blocks,
    name: &str,
    password: Option<&str>,
    limits: Limits,
) -> Result<Box<dyn FileSystem>, Refused> {
    Ok(match kind {
        Kind::Zip => Box::new(Zip::open(blocks, password, limits)?),
        Kind::SevenZip => Box::new(SevenZip::open(blocks, password, limits)?),
        Kind::Tar => Box::new(Tar::open(Arc::new(blocks), limits)?),
        Kind::Stream(codec) => {
            let source = Compressed { blocks: Blocks::clone(&blocks), codec };
            let mut beginning = [0; BLOCK];
            let read = |error| Refused::from_error(&error);
            let mut stream = source.open().map_err(read)?;
            let count = fill(stream.by_ref(), &mut beginning).map_err(read)?;
            match Kind::of(beginning.get(..count).unwrap_or_default()) {
                Some(Kind::Tar) => Box::new(Tar::open(Arc::new(source), limits)?),
                _ => Box::new(Single::open(blocks, codec, name, limits)?),
            }
        }
    })
}
