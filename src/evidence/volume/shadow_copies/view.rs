//! A volume in an earlier state, read from its shadow copy's saved blocks, those of newer ones, and the volume.

use std::io;
use std::sync::Arc;

use super::block::BLOCK;
use super::descriptors::{Base, Table};
use crate::evidence::block::{BlockRead, Blocks};

/// Bytes per bit of an overlay.
const SECTOR: u64 = 512;

/// The volume's bytes in the state of one shadow copy.
pub(super) struct View {
    pub(super) volume: Blocks,
    /// Bytes of the volume when the shadow copy was made.
    pub(super) size: u64,
    /// The saved blocks of the shadow copy itself.
    pub(super) own: Arc<Table>,
    /// The saved blocks of the newer shadow copies, the next one first.
    pub(super) newer: Vec<Arc<Table>>,
    /// A bit for each unused block; only for the newest shadow copy, empty for others.
    pub(super) unused: Arc<Vec<u8>>,
}

/// The source of bytes.
enum Source {
    Volume(u64),
    /// Unused at the time: Windows leaves such bytes undefined, libvshadow returns zeros.
    Zeros,
}

impl View {
    /// Returns the source of the bytes at `offset`, and the most bytes that may come from it.
    fn source(&self, offset: u64) -> io::Result<(Source, u64)> {
        let (block, within) = (offset / BLOCK, offset % BLOCK);
        let mut rest = BLOCK.saturating_sub(within);
        if let Some(overlay) = self.own.overlay(block) {
            if overlay.unclear {
                return Err(unclear(offset, "the lists say that its sectors are saved in more than one place"));
            }
            let (sector, in_sector) = (within / SECTOR, within % SECTOR);
            let bits = overlay.sectors.checked_shr(u32::try_from(sector).unwrap_or(u32::MAX)).unwrap_or(0);
            let saved = bits & 1 == 1;
            let run = if saved { bits.trailing_ones() } else { bits.trailing_zeros() };
            rest = rest.min(u64::from(run).saturating_mul(SECTOR).saturating_sub(in_sector));
            if saved {
                return Ok((Source::Volume(overlay.data.saturating_add(within)), rest));
            }
        }
        let (mut at, mut moved) = (block, false);
        for table in std::iter::once(&self.own).chain(&self.newer) {
            match table.base(at) {
                Some(Base::Saved(data)) => return Ok((Source::Volume(data.saturating_add(within)), rest)),
                Some(Base::Moved(to)) => (at, moved) = (to, true),
                Some(Base::Unclear(why)) => return Err(unclear(offset, why)),
                None => {}
            }
        }
        if !moved && self.is_unused(block) && !self.own.is_target(block) {
            return Ok((Source::Zeros, rest));
        }
        Ok((Source::Volume(at.saturating_mul(BLOCK).saturating_add(within)), rest))
    }

    fn is_unused(&self, block: u64) -> bool {
        let byte = usize::try_from(block / 8).ok().and_then(|byte| self.unused.get(byte)).copied().unwrap_or(0);
        byte & (1 << (block % 8)) != 0
    }
}

fn unclear(offset: u64, why: &str) -> io::Error {
    let block = offset.saturating_sub(offset % BLOCK);
    let told = format!(
        "the block at {block:#x} of the shadow copy cannot be determined: {why}; compare with \
                        vshadowmount"
    );
    io::Error::new(io::ErrorKind::InvalidData, told)
}

impl BlockRead for View {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.size.saturating_sub(offset);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let (source, most) = self.source(offset)?;
        let count = buffer.len().min(usize::try_from(left.min(most)).unwrap_or(usize::MAX));
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        let Source::Volume(from) = source else {
            buffer.fill(0);
            return Ok(count);
        };
        match self.volume.read_at(buffer, from)? {
            0 => {
                let told = format!("{count} bytes at {from:#x} of the volume expected, which ends before");
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, told))
            }
            read => Ok(read),
        }
    }
}
