//! Compressed streams: one reader for all kinds, which reads to the end and compares every checksum.

use std::io::{self, Read};

use super::bzip2::Bzip2;
use super::gzip::Gzip;
use super::refused::Refused;
use super::source::{Checked, Sequential, Source};
use super::xz::Xz;
use super::xz_index;
use super::zstd::Zstd;
use crate::evidence::block::Blocks;
use crate::evidence::file_system::Vouched;

/// A kind of compressed stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Codec {
    /// gzip, RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz, but not the older `.lzma`.
    Xz,
    /// Zstandard, RFC 8878.
    Zstd,
}

impl Codec {
    /// Returns the kind of stream with this beginning, including a skippable Zstandard frame.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            // A block, or the end of a stream without a block.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Self::Bzip2),
            _ => None,
        }
    }

    /// Returns the extensions of such files, and what replaces them in the name of the content.
    pub(super) fn extensions(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Gzip => &[("gz", ""), ("tgz", ".tar"), ("gzip", "")],
            Self::Bzip2 => &[("bz2", ""), ("tbz2", ".tar"), ("tbz", ".tar"), ("bzip2", "")],
            Self::Xz => &[("xz", ""), ("txz", ".tar")],
            Self::Zstd => &[("zst", ""), ("zstd", ""), ("tzst", ".tar")],
        }
    }

    /// Starts decompressing.
    pub fn decompress<'r, R: Read + Send + 'r>(self, compressed: R) -> Box<dyn Checked + 'r> {
        match self {
            Self::Gzip => Box::new(Guarded::new(Gzip::new(compressed))),
            Self::Bzip2 => Box::new(Guarded::new(Bzip2::new(compressed))),
            Self::Xz => Box::new(Guarded::new(Xz::new(compressed))),
            Self::Zstd => Box::new(Guarded::new(Zstd::new(compressed))),
        }
    }
}

/// A stream that stays failed after an error: nothing is read behind a wrong checksum, and no checksum counts.
struct Guarded<C> {
    stream: C,
    failed: Option<Refused>,
}

impl<C> Guarded<C> {
    fn new(stream: C) -> Self {
        Self { stream, failed: None }
    }
}

impl<C: Checked> Read for Guarded<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone().into());
        }
        let read = self.stream.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some(Refused::from_error(error));
        }
        read
    }
}

impl<C: Checked> Checked for Guarded<C> {
    fn vouched(&self) -> Vouched {
        self.failed.as_ref().map_or_else(|| self.stream.vouched(), |failed| Vouched::Unverified(failed.reason.clone()))
    }
}

/// A stream whose size is stored elsewhere in its file.
struct Measured {
    stream: Box<dyn Checked>,
    size: Result<u64, String>,
    read: u64,
}

impl Read for Measured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.read = self.read.saturating_add(count as u64);
        Ok(count)
    }
}

impl Checked for Measured {
    fn vouched(&self) -> Vouched {
        match (self.stream.vouched(), &self.size) {
            (Vouched::Unverified(why), _) => Vouched::Unverified(why),
            (_, Err(why)) => Vouched::Unverified(why.clone()),
            (_, Ok(size)) if *size != self.read => {
                Vouched::Unverified(format!("the xz index says {size} bytes, but {} were decompressed", self.read))
            }
            (vouched, Ok(_)) => vouched,
        }
    }
}

/// A compressed file.
pub struct Compressed {
    /// Its compressed bytes.
    pub blocks: Blocks,
    /// The kind of compression.
    pub codec: Codec,
}

impl Source for Compressed {
    fn open(&self) -> io::Result<Box<dyn Checked>> {
        let stream = self.codec.decompress(Sequential::new(Blocks::clone(&self.blocks), 0));
        if self.codec != Codec::Xz {
            return Ok(stream);
        }
        // For an unreadable index, the decoder has a better error.
        let size = xz_index::size(&self.blocks).unwrap_or_else(|_| Err("its index cannot be read".to_owned()));
        Ok(Box::new(Measured { stream, size, read: 0 }))
    }

    fn blocks(&self) -> Option<Blocks> {
        None
    }
}
