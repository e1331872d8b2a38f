//! A position in a tar archive that moves forward: it reads through a stream, and seeks in a file.

use std::io::{self, Read};

use super::refused::{Cause, Refused};
use super::source::{Checked, Source};
use super::tar_header::BLOCK;
use crate::evidence::block::Blocks;
use crate::evidence::content::fill;
use crate::evidence::file_system::Vouched;

enum Bytes {
    Stream(Box<dyn Checked>),
    Blocks(Blocks),
}

/// A position in an archive.
pub(super) struct Cursor {
    bytes: Bytes,
    at: u64,
    /// The most bytes of a stream.
    most: u64,
    /// A block that was peeked at.
    ahead: Vec<u8>,
}

impl Cursor {
    /// Starts at the first byte; a stream may have `most` bytes.
    pub(super) fn new(source: &dyn Source, most: u64) -> io::Result<Self> {
        let bytes = match source.blocks() {
            Some(blocks) => Bytes::Blocks(blocks),
            None => Bytes::Stream(source.open()?),
        };
        Ok(Self { bytes, at: 0, most, ahead: Vec::new() })
    }

    /// Returns the position of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Returns whether the archive is a stream, which cannot go back.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.bytes, Bytes::Stream(_))
    }

    /// Returns the next block without moving on; `None` if no whole block is left.
    pub(super) fn peek_block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let at = self.at;
        let mut block = [0; BLOCK];
        let count = fill(self, &mut block)?;
        self.at = at;
        if self.is_stream() {
            self.ahead = block.get(..count).unwrap_or_default().to_vec();
        }
        Ok((count == BLOCK).then_some(block))
    }

    /// Moves to a position ahead, or to an earlier end, and returns whether it reached the position.
    pub(super) fn go_to(&mut self, target: u64) -> io::Result<bool> {
        let count = target.saturating_sub(self.at);
        match &self.bytes {
            Bytes::Blocks(blocks) => {
                let end = blocks.size();
                self.at = target.min(end);
                Ok(target <= end)
            }
            Bytes::Stream(_) => Ok(io::copy(&mut self.by_ref().take(count), &mut io::sink())? == count),
        }
    }

    /// Returns the result of the stream's checksums so far.
    pub(super) fn vouched(&self) -> Vouched {
        match &self.bytes {
            Bytes::Stream(stream) => stream.vouched(),
            Bytes::Blocks(_) => Vouched::Unprotected,
        }
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.bytes {
            Bytes::Blocks(blocks) => blocks.read_at(buffer, self.at)?,
            Bytes::Stream(_) if !self.ahead.is_empty() => {
                let count = buffer.len().min(self.ahead.len());
                for (to, from) in buffer.iter_mut().zip(self.ahead.drain(..count)) {
                    *to = from;
                }
                count
            }
            Bytes::Stream(stream) => stream.read(buffer)?,
        };
        self.at = self.at.saturating_add(count as u64);
        if self.at > self.most && self.is_stream() {
            let reason = format!("it decompresses to more than {} bytes", self.most);
            return Err(Refused::new(Cause::Limit, reason, "decompress it by hand").into());
        }
        Ok(count)
    }
}
