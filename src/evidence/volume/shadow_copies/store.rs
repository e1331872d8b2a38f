//! The records of one shadow copy: header, list of saved blocks, list of ranges, bitmaps.

use super::super::guid::Guid;
use super::block::{BLOCK, HEADER, Record, chain, damaged, entries, read, u32_at, u64_at};
use super::catalog::Places;
use super::descriptors::{Ranges, Table, Tabling};
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// The most pieces of a store's file.
const MOST_RANGES: usize = 1 << 20;

/// The header of a store: its shadow copy's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The shadow copy's own GUID, which Windows shows.
    pub id: Guid,
    /// The GUID of the set: shadow copies of several volumes that were made together.
    pub set: Guid,
    /// `VSS_VOLUME_SNAPSHOT_ATTRIBUTES`.
    /// <https://learn.microsoft.com/windows/win32/api/vss/ne-vss-vss_volume_snapshot_attributes>
    pub attributes: u32,
}

/// Reads the header of a store.
///
/// # Errors
/// The header is damaged.
pub(super) fn identity(volume: &Blocks, places: &Places) -> Result<Identity, Problem> {
    let block = read(volume, places.header, Record::Store)?;
    let said = block.get(HEADER..).unwrap_or_default();
    Ok(Identity {
        id: Guid::at(said, 16).unwrap_or_default(),
        set: Guid::at(said, 32).unwrap_or_default(),
        attributes: u32_at(said, 56),
    })
}

/// Reads the saved blocks of a store, for a volume of `volume_size` bytes; at most `most` entries in memory.
///
/// # Errors
/// A list is damaged or too long.
pub(super) fn table(volume: &Blocks, places: &Places, volume_size: u64, most: usize) -> Result<Table, Problem> {
    let ranges = (places.ranges != 0).then(|| ranges(volume, places.ranges)).transpose()?;
    let mut tabling = Tabling::new(volume_size.div_ceil(BLOCK), ranges.as_ref(), most);
    if places.block_list == 0 {
        return Err(damaged(0, "a list of saved blocks", "none in the catalog's entry"));
    }
    chain(volume, places.block_list, Record::BlockList, |offset, block| {
        entries(offset, block).try_for_each(|(at, entry)| tabling.take(at, entry)).map(|()| true)
    })?;
    Ok(tabling.finish())
}

fn ranges(volume: &Blocks, first: u64) -> Result<Ranges, Problem> {
    let mut ranges = Vec::new();
    chain(volume, first, Record::Ranges, |offset, block| {
        for (at, entry) in entries::<24>(offset, block).filter(|(_, entry)| **entry != [0; 24]) {
            let (start, size) = (u64_at(entry, 0), u64_at(entry, 16));
            match start.checked_add(size) {
                Some(end) if size > 0 => ranges.push((start, end)),
                _ => return Err(damaged(at, "a range of the volume", format!("{size:#x} bytes at {start:#x}"))),
            }
            if ranges.len() > MOST_RANGES {
                return Err(damaged(at, format!("at most {MOST_RANGES} ranges"), "more"));
            }
        }
        Ok(true)
    })?;
    Ok(Ranges::new(ranges))
}

/// Returns a bit for each block that was unused when the shadow copy was made, bit 0 of a byte first: those that are
/// set in the bitmap and, if there is a previous bitmap, in that one too.
///
/// # Errors
/// A bitmap is damaged.
pub(super) fn unused(volume: &Blocks, places: &Places, volume_size: u64) -> Result<Vec<u8>, Problem> {
    let size = usize::try_from(volume_size.div_ceil(BLOCK).div_ceil(8)).unwrap_or(usize::MAX);
    let mut unused = bitmap(volume, places.bitmap, size)?;
    if places.previous_bitmap != 0 {
        let previous = bitmap(volume, places.previous_bitmap, size)?;
        unused.truncate(previous.len());
        for (byte, before) in unused.iter_mut().zip(previous) {
            *byte &= before;
        }
    }
    Ok(unused)
}

fn bitmap(volume: &Blocks, first: u64, size: usize) -> Result<Vec<u8>, Problem> {
    let mut bits = Vec::new();
    chain(volume, first, Record::Bitmap, |_, block| {
        bits.extend_from_slice(block.get(HEADER..).unwrap_or_default());
        Ok(bits.len() < size)
    })?;
    bits.truncate(size);
    Ok(bits)
}
