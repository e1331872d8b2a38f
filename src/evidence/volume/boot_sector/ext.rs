//! The superblock of ext2, ext3 and ext4, 1,024 bytes behind the start of the volume
//! (<https://docs.kernel.org/filesystems/ext4/super.html>).

use super::super::field::{dword, word};
use super::super::reading::head;
use crate::evidence::block::Blocks;

/// Bytes before the superblock.
pub(in super::super) const BEFORE: u64 = 1024;
/// The feature of sizes above 32 bits.
const BITS_64: u32 = 0x80;

/// The fields of the superblock.
pub(in super::super) struct Ext {
    /// Bytes of a block.
    block: u64,
    /// Blocks of the volume.
    blocks: u64,
    /// The block of the first group of blocks.
    first: u64,
    /// Bytes of an inode.
    inode: u64,
}

impl Ext {
    /// Reads a superblock of the first group of blocks with plausible numbers; `None` for any other.
    pub(in super::super) fn parse(bytes: &[u8]) -> Option<Self> {
        let shift = dword(bytes, 24);
        let high = if dword(bytes, 96) & BITS_64 == 0 { 0 } else { u64::from(dword(bytes, 336)) };
        let inode = if dword(bytes, 76) == 0 { 128 } else { u64::from(word(bytes, 88)) };
        let one = Self {
            block: 1024_u64.checked_shl(shift)?,
            blocks: high.checked_shl(32)?.saturating_add(u64::from(dword(bytes, 4))),
            first: u64::from(dword(bytes, 20)),
            inode,
        };
        let holds = word(bytes, 56) == 0xef53
            && shift <= 6
            && one.blocks > one.first
            && one.first == u64::from(shift == 0)
            && dword(bytes, 0) > 0
            && dword(bytes, 40) > 0
            && word(bytes, 90) == 0
            && one.inode.is_power_of_two();
        holds.then_some(one)
    }

    /// Returns the size of the volume in bytes.
    pub(in super::super) fn size(&self) -> u64 {
        self.blocks.saturating_mul(self.block)
    }

    /// Returns whether the root folder is in the first group of a volume that begins at `start`.
    pub(in super::super) fn stands_at(&self, disk: &Blocks, start: u64) -> bool {
        let place = |block: u64| start.saturating_add(block.saturating_mul(self.block));
        let group = head(disk, place(self.first.saturating_add(1)), 32);
        let table = u64::from(dword(&group, 8));
        // Inode 2, counted from 1.
        let root = head(disk, place(table).saturating_add(self.inode), 2);
        table > 0 && root.len() == 2 && word(&root, 0) & 0xf000 == 0x4000
    }
}
