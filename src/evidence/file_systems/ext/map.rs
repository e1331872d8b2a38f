//! The places of a file's blocks: a tree of extents, or a map of single blocks.
//!
//! <https://docs.kernel.org/filesystems/ext4/ifork.html>

use std::io;

use super::superblock::Superblock;
use crate::evidence::block::Blocks;
use crate::evidence::disk::field::{le16, le32};
use crate::evidence::file_systems::runs::{Run, Runs};
use crate::evidence::file_systems::wrong::bad;

/// The most pieces of a file.
const MOST_RUNS: usize = 1 << 20;
/// The most blocks of a tree or a map to read for one file.
const MOST_NODES: usize = 1 << 20;
/// The most levels below the root of a tree.
const MOST_DEPTH: u16 = 5;
/// The most blocks of an extent that was written; a larger number marks an extent that was never written.
const WRITTEN: u16 = 32_768;

/// Adds blocks at a place of the file; a gap before them is a hole.
fn add(runs: &mut Runs, superblock: &Superblock, first: u64, count: u64, at: Option<u64>) -> io::Result<()> {
    let offset = first.saturating_mul(superblock.block);
    let hole = offset.checked_sub(runs.end()).ok_or_else(|| bad("extents that are not in order"))?;
    if hole > 0 {
        runs.push(Run { offset: runs.end(), length: hole, at: None });
    }
    let length = count.saturating_mul(superblock.block);
    let place = |block: u64| {
        let end = block.checked_add(count).filter(|end| *end <= superblock.blocks);
        end.and_then(|_| block.checked_mul(superblock.block))
            .ok_or_else(|| bad(format!("block {block}, where the volume has {}", superblock.blocks)))
    };
    runs.push(Run { offset, length, at: at.map(place).transpose()? });
    if runs.count() > MOST_RUNS {
        return Err(bad(format!("more than {MOST_RUNS} pieces")));
    }
    Ok(())
}

/// Reads a block of a tree or a map.
fn node(volume: &Blocks, superblock: &Superblock, number: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(superblock.block).unwrap_or_default()];
    let at = number.checked_mul(superblock.block).ok_or_else(|| bad("a block past the end of any volume"))?;
    volume.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// Returns the runs of a file with a tree of extents, whose root is in `root`.
///
/// # Errors
/// Unreadable or wrong parts of the tree.
pub(super) fn extents(volume: &Blocks, superblock: &Superblock, root: &[u8]) -> io::Result<Runs> {
    let mut runs = Runs::default();
    let depth =
        le16(root, 6).filter(|depth| *depth <= MOST_DEPTH).ok_or_else(|| bad("a tree of extents that is too deep"))?;
    // The blocks to read with their depths; the next one is last.
    let mut pending: Vec<(u64, u16)> = Vec::new();
    let (mut bytes, mut depth, mut read) = (root.to_vec(), depth, 0_usize);
    loop {
        read = read.saturating_add(1);
        if read > MOST_NODES {
            return Err(bad("a tree of extents that does not end"));
        }
        if le16(&bytes, 0) != Some(0xf30a) || le16(&bytes, 6) != Some(depth) {
            return Err(bad("a tree of extents without its signature or with an impossible depth"));
        }
        let count = usize::from(le16(&bytes, 2).unwrap_or_default());
        let entries =
            bytes.as_chunks::<12>().0.get(1..count.saturating_add(1)).ok_or_else(|| bad("extents that do not end"))?;
        if depth == 0 {
            for entry in entries {
                let first = u64::from(le32(entry, 0).unwrap_or_default());
                let length = le16(entry, 4).unwrap_or_default();
                let at =
                    u64::from(le16(entry, 6).unwrap_or_default()) << 32 | u64::from(le32(entry, 8).unwrap_or_default());
                let written = length <= WRITTEN;
                let count = if written { length } else { length.saturating_sub(WRITTEN) };
                if count > 0 {
                    add(&mut runs, superblock, first, count.into(), written.then_some(at))?;
                }
            }
        } else {
            let below = depth.saturating_sub(1);
            let child = |entry: &[u8; 12]| {
                u64::from(le16(entry, 8).unwrap_or_default()) << 32 | u64::from(le32(entry, 4).unwrap_or_default())
            };
            pending.extend(entries.iter().rev().map(|entry| (child(entry), below)));
        }
        let Some((number, below)) = pending.pop() else { return Ok(runs) };
        (bytes, depth) = (node(volume, superblock, number)?, below);
    }
}

/// Returns the runs of a file with a map: twelve blocks, and three trees of one, two and three levels.
///
/// # Errors
/// Unreadable or wrong parts of the map.
pub(super) fn blocks(volume: &Blocks, superblock: &Superblock, root: &[u8], size: u64) -> io::Result<Runs> {
    let mut runs = Runs::default();
    let wanted = size.div_ceil(superblock.block);
    let in_block = superblock.block / 4;
    let levels = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3];
    // The blocks to visit with the number of levels below them; the next one is last.
    let mut pending: Vec<(u32, u32)> =
        root.as_chunks::<4>().0.iter().map(|one| u32::from_le_bytes(*one)).zip(levels).rev().collect();
    let (mut at, mut read) = (0_u64, 0_usize);
    while let Some((number, level)) = pending.pop().filter(|_| at < wanted) {
        let covered = in_block.checked_pow(level).unwrap_or(u64::MAX);
        if number == 0 {
            at = at.saturating_add(covered);
            continue;
        }
        if level == 0 {
            add(&mut runs, superblock, at, 1, Some(number.into()))?;
            at = at.saturating_add(1);
            continue;
        }
        read = read.saturating_add(1);
        if read > MOST_NODES {
            return Err(bad("a map of blocks that does not end"));
        }
        let bytes = node(volume, superblock, number.into())?;
        let below = level.saturating_sub(1);
        pending.extend(bytes.as_chunks::<4>().0.iter().rev().map(|one| (u32::from_le_bytes(*one), below)));
    }
    Ok(runs)
}
