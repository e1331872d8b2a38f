//! A cursor over blocks, for decoders that need one.

use std::io::{self, Read, Seek, SeekFrom};

use super::refused::damaged;
use super::source::Sequential;
use crate::evidence::block::Blocks;

/// A cursor over blocks.
pub(super) struct Seekable {
    inner: Sequential,
    blocks: Blocks,
    at: u64,
}

impl Seekable {
    /// Starts at the first byte.
    pub(super) fn new(blocks: &Blocks) -> Self {
        Self { inner: Sequential::new(Blocks::clone(blocks), 0), blocks: Blocks::clone(blocks), at: 0 }
    }
}

impl Read for Seekable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

impl Seek for Seekable {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.blocks.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| damaged("it names a place before its first byte"))?;
        if target != self.at {
            self.at = target;
            self.inner = Sequential::new(Blocks::clone(&self.blocks), target);
        }
        Ok(target)
    }
}
