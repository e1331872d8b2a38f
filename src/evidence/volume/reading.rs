//! Parts of a disk as its table and its boot sectors are read: what cannot be read is missing, and stops nothing.

use std::io;
use std::sync::Arc;

use crate::evidence::block::{BlockRead, Blocks};

/// Reads up to `most` bytes from `start` on: fewer where the disk ends or cannot be read before.
pub(super) fn head(disk: &Blocks, start: u64, most: usize) -> Vec<u8> {
    let there = usize::try_from(disk.size().saturating_sub(start)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; most.min(there)];
    if disk.read_exact_at(&mut bytes, start).is_ok() {
        return bytes;
    }
    // One sector after the other, up to the one that is lost.
    let mut read = 0_usize;
    for piece in bytes.chunks_mut(512) {
        if disk.read_exact_at(piece, start.saturating_add(read as u64)).is_err() {
            break;
        }
        read = read.saturating_add(piece.len());
    }
    bytes.truncate(read);
    bytes
}

/// Whether `expected` stands at `at`; not where this cannot be read.
pub(super) fn stands(disk: &Blocks, at: Option<u64>, expected: &[u8]) -> bool {
    at.is_some_and(|at| head(disk, at, expected.len()) == expected)
}

/// A volume of which the beginning is read from elsewhere: its boot sector is lost, and its backup is not.
pub(super) struct Mended {
    volume: Blocks,
    backup: u64,
    length: u64,
}

impl Mended {
    /// Shows `length` bytes from byte `backup` of the volume on in place of its first ones.
    pub(super) fn of(volume: Blocks, backup: u64, length: u64) -> Blocks {
        Arc::new(Self { volume, backup, length })
    }
}

impl BlockRead for Mended {
    fn size(&self) -> u64 {
        self.volume.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.length.min(self.size()) {
            return self.volume.read_at(buffer, offset);
        }
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        self.volume.read_at(buffer.get_mut(..count).unwrap_or_default(), self.backup.saturating_add(offset))
    }

    fn zeros(&self, offset: u64) -> u64 {
        if offset < self.length { 0 } else { self.volume.zeros(offset) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mended_volume_shows_its_backup_in_front_and_itself_behind() {
        let volume: Blocks = Arc::new((0..100).collect::<Vec<u8>>());
        let mended = Mended::of(volume, 90, 4);
        let mut bytes = [0; 100];
        mended.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(bytes[..6], [90, 91, 92, 93, 4, 5]);
        assert_eq!((bytes[99], mended.size()), (99, 100));
    }
}
