//! Hyper-V's format since 2012, as MS-VHDX describes it: blocks, and a table with the state of each.

use std::io;
use std::sync::Arc;

use super::Image;
use super::beside::Beside;
use super::map::{Map, Mapped, Run, bad};
use super::pages::Pages;
use super::vhdx_header::Layout;
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// Sectors that one block of bitmaps covers.
const SECTORS_OF_A_BITMAP: u64 = 1 << 23;
/// Sectors to look up for one run.
const MOST_AT_ONCE: u64 = 256;
/// The bits of an entry that are a place in the file; they count MiB and need no shift.
const PLACE: u64 = 0xffff_ffff_fff0_0000;

struct Vhdx {
    pages: Pages,
    /// The start of the table of blocks.
    table: u64,
    block: u64,
    sector: u64,
    /// Blocks that one block of bitmaps covers; its entry follows the blocks' entries.
    ratio: u64,
    size: u64,
    differencing: bool,
}

pub(super) fn open(beside: &mut Beside, file: Blocks) -> Result<Image, Problem> {
    let layout = Layout::read(&file).map_err(|error| {
        let problem = beside.problem("a sound VHDX image", error.to_string());
        problem.advise("compare the file with its original; qemu-img check reports more")
    })?;
    if layout.dirty {
        let problem = beside.problem("a VHDX image that was closed", "one with changes that are only in its log");
        return Err(problem.advise("write them into a copy: qemu-img check -r all COPY.vhdx"));
    }
    let ratio = SECTORS_OF_A_BITMAP.saturating_mul(layout.sector).checked_div(layout.block).unwrap_or_default().max(1);
    let blocks = layout.size.div_ceil(layout.block.max(1));
    let entries = if layout.parent.is_some() {
        blocks.div_ceil(ratio).saturating_mul(ratio.saturating_add(1))
    } else {
        blocks.saturating_add(blocks.saturating_sub(1).checked_div(ratio).unwrap_or_default())
    };
    if entries.saturating_mul(8) > layout.table.1 {
        let found = format!("a table of {} bytes", layout.table.1);
        return Err(beside.problem(format!("a table of {entries} blocks"), found));
    }
    let below = match &layout.parent {
        Some(locator) => Some(parent(beside, locator)?),
        None => None,
    };
    let (table, block, sector, size) = (layout.table.0, layout.block, layout.sector, layout.size);
    let differencing = below.is_some();
    let map = Vhdx { pages: Pages::new(file), table, block, sector, ratio, size, differencing };
    Ok(Image { blocks: Arc::new(Mapped::new(map, below)), id: Some(layout.id) })
}

/// Opens the parent that a differencing image names.
fn parent(beside: &mut Beside, locator: &[(String, String)]) -> Result<Blocks, Problem> {
    let all =
        |wanted: &'static str| locator.iter().filter(move |(key, _)| key == wanted).map(|(_, value)| value.clone());
    let names: Vec<String> =
        ["relative_path", "absolute_win32_path", "volume_path"].into_iter().flat_map(all).collect();
    let Some(id) = all("parent_linkage").next() else {
        return Err(beside.problem("the identifier of its parent (parent_linkage)", "nothing"));
    };
    let id = id.trim_matches(['{', '}']).to_ascii_lowercase();
    super::parent(beside, &names, "parent", Some(&id), None)
}

impl Vhdx {
    fn entry(&self, index: u64) -> io::Result<u64> {
        Ok(u64::from_le_bytes(self.pages.get(self.table.saturating_add(index.saturating_mul(8)))?))
    }

    /// Returns the run from `within` on in a block with some sectors here and the others in the parent.
    fn shared(&self, number: u64, at: u64, within: u64) -> io::Result<Run> {
        let group = number.checked_div(self.ratio).unwrap_or_default();
        let entry = self.entry(group.saturating_mul(self.ratio.saturating_add(1)).saturating_add(self.ratio))?;
        if entry & 7 != 6 {
            return Err(bad(format!("block {number} has no bitmap of its sectors")));
        }
        let sectors = self.block.checked_div(self.sector).unwrap_or_default();
        let before = number.checked_rem(self.ratio).unwrap_or_default().saturating_mul(sectors);
        let own = |sector: u64| {
            let place = before.saturating_add(sector);
            let [bits] = self.pages.get::<1>((entry & PLACE).saturating_add(place / 8))?;
            // The lowest bit is the first sector.
            Ok::<_, io::Error>(bits & (1 << (place % 8)) != 0)
        };
        let first = within.checked_div(self.sector).unwrap_or_default();
        let this = own(first)?;
        let mut next = first.saturating_add(1);
        let end = sectors.min(first.saturating_add(MOST_AT_ONCE));
        while next < end && own(next)? == this {
            next = next.saturating_add(1);
        }
        let length = next.saturating_mul(self.sector).saturating_sub(within);
        Ok(if this { Run::Stored { file: self.pages.file(), at, length } } else { Run::Below(length) })
    }
}

impl Map for Vhdx {
    fn size(&self) -> u64 {
        self.size
    }

    fn run(&self, offset: u64) -> io::Result<Run> {
        let (Some(number), Some(within)) = (offset.checked_div(self.block), offset.checked_rem(self.block)) else {
            return Err(bad("blocks of 0 bytes"));
        };
        let length = self.block.saturating_sub(within);
        let bitmaps = number.checked_div(self.ratio).unwrap_or_default();
        let entry = self.entry(number.saturating_add(bitmaps))?;
        let at = (entry & PLACE).saturating_add(within);
        match entry & 7 {
            // Not present; undefined, zero, unmapped.
            0 if self.differencing => Ok(Run::Below(length)),
            0..=3 => Ok(Run::Zeros(length)),
            6 | 7 if entry & PLACE == 0 => Err(bad(format!("block {number} at the start of the file"))),
            6 => Ok(Run::Stored { file: self.pages.file(), at, length }),
            7 if self.differencing => self.shared(number, at, within),
            state => Err(bad(format!("block {number} in state {state}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::block::BlockRead;

    const MIB: usize = 1 << 20;

    /// Returns a disk with the table at the start, the bitmap at 1 MiB, a block at 2 MiB; the parent is all 0xbb.
    fn differencing(state: u64) -> Mapped<Vhdx> {
        let mut file = vec![0; 3 * MIB];
        file[..8].copy_from_slice(&((2 * MIB as u64) | state).to_le_bytes());
        file[4096 * 8..4097 * 8].copy_from_slice(&((MIB as u64) | 6).to_le_bytes());
        file[MIB..MIB + 3].copy_from_slice(&[0b0000_0101, 0, 0b1000_0000]);
        file[2 * MIB..].fill(0xcc);
        let pages = Pages::new(Arc::new(file));
        let (block, size) = (MIB as u64, MIB as u64);
        let map = Vhdx { pages, table: 0, block, sector: 512, ratio: 4096, size, differencing: true };
        Mapped::new(map, Some(Arc::new(vec![0xbb; MIB])))
    }

    #[test]
    fn sectors_are_the_image_s_own_where_the_bitmap_says_so_and_its_lowest_bit_is_the_first() {
        let disk = differencing(7);
        let mut bytes = vec![0; MIB];
        disk.read_exact_at(&mut bytes, 0).unwrap();
        let own: Vec<usize> = (0..2048).filter(|sector| bytes[sector * 512] == 0xcc).collect();
        assert_eq!(own, [0, 2, 23]);
        assert!(bytes.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        // Starts in the middle of a sector.
        disk.read_exact_at(&mut bytes[..600], 1000).unwrap();
        assert_eq!((bytes[0], bytes[23], bytes[24], bytes[535], bytes[536]), (0xbb, 0xbb, 0xcc, 0xcc, 0xbb));
    }

    #[test]
    fn a_block_is_the_parent_s_zeros_whole_or_an_error_as_its_state_says() {
        let first = |state| {
            let mut byte = [0];
            differencing(state).read_exact_at(&mut byte, 5000).map(|()| byte[0]).ok()
        };
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(first), [Some(0xbb), Some(0), Some(0), Some(0), None, None, Some(0xcc)]);
    }
}
