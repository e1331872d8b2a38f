//! Reads parts of a disk for its table and its boot sectors: unreadable bytes are missing, and stop nothing.

use std::io;
use std::sync::Arc;

use crate::evidence::block::{BlockRead, Blocks};

/// Reads up to `most` bytes from `start` on; fewer up to the disk's end or an unreadable place.
pub(super) fn head(disk: &Blocks, start: u64, most: usize) -> Vec<u8> {
    let there = usize::try_from(disk.size().saturating_sub(start)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; most.min(there)];
    if disk.read_exact_at(&mut bytes, start).is_ok() {
        return bytes;
    }
    // One sector after another, up to the first unreadable one.
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

/// Returns whether the bytes at `at` are `expected`; false if they are unreadable.
pub(super) fn stands(disk: &Blocks, at: Option<u64>, expected: &[u8]) -> bool {
    at.is_some_and(|at| head(disk, at, expected.len()) == expected)
}

/// A volume whose lost boot sector is replaced by its backup.
pub(super) struct Mended {
    volume: Blocks,
    backup: u64,
    length: u64,
}

impl Mended {
    /// Returns the volume with the `length` bytes at `backup` in place of its first bytes.
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
