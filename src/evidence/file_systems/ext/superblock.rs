//! The superblock: the sizes of a volume's parts, and the places of its groups of inodes.
//!
//! <https://docs.kernel.org/filesystems/ext4/globals.html>

use crate::evidence::block::Blocks;
use crate::evidence::disk::field::{le16, le32};

/// The start of the superblock, in bytes from the volume's start.
const PLACE: u64 = 1024;
/// The supported features among those that a reader must know: types in entries, recovery, groups of descriptors,
/// extents, 64 bits, mount protection, flexible groups, attributes in inodes, a seed of checksums, large folders, data
/// in inodes, encrypted inodes (refused one by one), names without letter case.
const READ: u32 =
    0x2 | 0x4 | META_GROUPS | 0x40 | WIDE | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000;
const RECOVERY: u32 = 0x4;
const META_GROUPS: u32 = 0x10;
const WIDE: u32 = 0x80;

/// The sizes of a volume's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Superblock {
    /// Bytes of a block.
    pub(super) block: u64,
    /// Blocks of the volume.
    pub(super) blocks: u64,
    /// The number of inodes.
    pub(super) inodes: u64,
    /// Inodes of a group.
    pub(super) inodes_in_group: u64,
    /// Bytes of an inode.
    pub(super) inode: usize,
    /// Bytes of a group's descriptor.
    pub(super) descriptor: usize,
    /// Whether the journal contains changes.
    pub(super) needs_recovery: bool,
    first_block: u64,
    blocks_in_group: u64,
    /// The first block of descriptors from which on each block is in its own groups.
    first_meta: Option<u64>,
    sparse: bool,
}

/// Reads the superblock.
///
/// # Errors
/// Which field is wrong, or which feature is unsupported.
pub(super) fn read(volume: &Blocks) -> Result<Superblock, String> {
    let mut bytes = [0; 1024];
    volume.read_exact_at(&mut bytes, PLACE).map_err(|error| error.to_string())?;
    let word = |at| le16(&bytes, at).unwrap_or_default();
    let long = |at| le32(&bytes, at).unwrap_or_default();
    let wrong = |what: &str, found: u64| format!("an ext superblock with {found} {what}, which is impossible");
    let features = long(96);
    if features & 0x8 != 0 {
        return Err("the journal of another ext volume, which holds no files of its own".to_owned());
    }
    if features & !READ != 0 {
        return Err(format!("an ext volume with unsupported features: {:#x}; mount it", features & !READ));
    }
    let block = 1024_u64
        .checked_shl(long(24))
        .filter(|_| long(24) <= 6)
        .ok_or_else(|| wrong("as its block size", long(24).into()))?;
    let old = long(76) == 0;
    let inode = if old { 128 } else { usize::from(word(88)) };
    if !inode.is_power_of_two() || inode < 128 || inode as u64 > block {
        return Err(wrong("bytes in an inode", inode as u64));
    }
    let wide = features & WIDE != 0;
    let descriptor = if wide { usize::from(word(254)) } else { 32 };
    if !descriptor.is_power_of_two() || descriptor < 32 || descriptor as u64 > block || (wide && descriptor < 64) {
        return Err(wrong("bytes in a group's descriptor", descriptor as u64));
    }
    let (inodes_in_group, blocks_in_group) = (u64::from(long(40)), u64::from(long(32)));
    if inodes_in_group == 0 || blocks_in_group == 0 {
        return Err(wrong("inodes or blocks in a group", 0));
    }
    let high = if wide { u64::from(long(336)) << 32 } else { 0 };
    Ok(Superblock {
        block,
        blocks: high | u64::from(long(4)),
        inodes: long(0).into(),
        inodes_in_group,
        inode,
        descriptor,
        needs_recovery: features & RECOVERY != 0,
        first_block: long(20).into(),
        blocks_in_group,
        first_meta: (features & META_GROUPS != 0).then(|| long(260).into()),
        sparse: long(100) & 1 != 0,
    })
}

impl Superblock {
    /// Returns the start of a group's descriptor, in bytes from the volume's start.
    pub(super) fn place_of_group(&self, group: u64) -> u64 {
        let in_block = self.block.checked_div(self.descriptor as u64).unwrap_or(1).max(1);
        let number = group.checked_div(in_block).unwrap_or_default();
        let within = group.checked_rem(in_block).unwrap_or_default();
        let block = match self.first_meta {
            // Each block of descriptors is in the first of its own groups, behind a superblock if that group has one.
            Some(first) if number >= first => {
                let home = number.saturating_mul(in_block);
                let start = self.first_block.saturating_add(home.saturating_mul(self.blocks_in_group));
                // If the first block of 1,024 bytes belongs to a group, the superblock is in the second.
                let is_behind = number == 0 && self.first_block < self.own_block();
                let before = u64::from(self.has_superblock(home)).saturating_add(u64::from(is_behind));
                start.saturating_add(before)
            }
            _ => self.own_block().saturating_add(1).saturating_add(number),
        };
        let at = block.saturating_mul(self.block);
        at.saturating_add(within.saturating_mul(self.descriptor as u64))
    }

    /// Returns the block that contains the superblock.
    fn own_block(&self) -> u64 {
        PLACE.checked_div(self.block).unwrap_or_default()
    }

    /// Returns whether a group begins with a copy of the superblock.
    fn has_superblock(&self, group: u64) -> bool {
        let is_power = |base: u64| {
            let mut power = base;
            while power < group {
                power = power.saturating_mul(base);
            }
            power == group
        };
        !self.sparse || group <= 1 || is_power(3) || is_power(5) || is_power(7)
    }

    /// Returns the first block of a group's inodes.
    pub(super) fn table(&self, descriptor: &[u8]) -> u64 {
        let high = if self.descriptor >= 64 { u64::from(le32(descriptor, 40).unwrap_or_default()) << 32 } else { 0 };
        high | u64::from(le32(descriptor, 8).unwrap_or_default())
    }
}
