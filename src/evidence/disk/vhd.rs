//! Virtual PC's and Hyper-V's first format, as Microsoft's "Virtual Hard Disk Image Format Specification" describes it.

use std::io;
use std::sync::Arc;

use super::Image;
use super::beside::Beside;
use super::field::{be32, be64, bytes, le16};
use super::map::{Map, Mapped, Run, bad};
use super::pages::{Pages, header};
use crate::error::Problem;
use crate::evidence::block::{Blocks, Part};
use crate::registry::hex;

const SECTOR: u64 = 512;
/// The entry of a block that was never written.
const FREE: u32 = 0xffff_ffff;
/// The most bytes of a block; Windows creates blocks of 2 MiB.
const LARGEST_BLOCK: u64 = 256 << 20;
/// Sectors to look up for one run.
const MOST_AT_ONCE: u64 = 256;

/// A disk of blocks; a bitmap of its sectors precedes each block.
struct Vhd {
    pages: Pages,
    table: u64,
    block: u64,
    /// Bytes of a block's bitmap.
    bitmap: u64,
    size: u64,
    /// Whether the bitmap decides between this image and its parent.
    differencing: bool,
}

pub(super) fn open(beside: &mut Beside, file: Blocks) -> Result<Image, Problem> {
    let read = |at, length| header(&file, at, length).map_err(|error| beside.unreadable(&error));
    let end = file.size().saturating_sub(SECTOR);
    let (mut footer, first) = (read(end, 512)?, read(0, 512)?);
    let sound = |footer: &[u8]| footer.starts_with(b"conectix") && be32(footer, 64) == Some(sum(footer, 64));
    let mut facts = Vec::new();
    if !sound(&footer) {
        // All kinds except fixed images begin with a copy of the footer.
        if sound(&first) {
            facts.push("the footer is damaged or missing; its copy at the start was used");
            footer = first;
        } else if footer.starts_with(b"conectix") && be32(&footer, 60) == Some(2) && be64(&footer, 48) == Some(end) {
            facts.push("the footer's checksum is wrong; the size in it is that of the file");
        } else {
            let problem = beside.problem("a VHD footer with a correct checksum", "none, at the end or at the start");
            return Err(problem.advise("compare the file with its original; it may be truncated"));
        }
    }
    let size = be64(&footer, 48).unwrap_or_default();
    let id = Some(hex(&bytes::<16>(&footer, 68).unwrap_or_default()));
    let (kind, place) = (be32(&footer, 60).unwrap_or_default(), be64(&footer, 16).unwrap_or_default());
    let blocks: Blocks = match kind {
        2 if size <= end => Arc::new(Part::new(file, 0, size)),
        2 => return Err(beside.problem(format!("a disk of {size} bytes"), format!("{end} bytes"))),
        3 | 4 => {
            let head = read(place, 1024)?;
            if !head.starts_with(b"cxsparse") || be32(&head, 36) != Some(sum(&head, 36)) {
                return Err(beside.problem(format!("a VHD header at {place:#x} with a correct checksum"), "none"));
            }
            let (block, table) = (u64::from(be32(&head, 32).unwrap_or_default()), be64(&head, 16).unwrap_or_default());
            let count = u64::from(be32(&head, 28).unwrap_or_default());
            if !(SECTOR..=LARGEST_BLOCK).contains(&block) || block % SECTOR != 0 || size.div_ceil(block) > count {
                let found = format!("a disk of {size} bytes in {count} blocks of {block} bytes");
                return Err(beside.problem("a VHD image whose header is consistent", found));
            }
            let bitmap = (block / SECTOR).div_ceil(8).next_multiple_of(SECTOR);
            let below = if kind == 4 { Some(parent(beside, &file, &head)?) } else { None };
            let differencing = below.is_some();
            Arc::new(Mapped::new(Vhd { pages: Pages::new(file), table, block, bitmap, size, differencing }, below))
        }
        kind => return Err(beside.problem("a fixed, dynamic or differencing VHD", format!("kind {kind}"))),
    };
    for fact in facts {
        beside.fact(format!("{}: {fact}", beside.image().display()));
    }
    Ok(Image { blocks, id })
}

/// Opens the parent that a differencing image names.
fn parent(beside: &mut Beside, file: &Blocks, head: &[u8]) -> Result<Blocks, Problem> {
    let mut names = Vec::new();
    for locator in head.get(576..768).unwrap_or_default().chunks_exact(24) {
        // Relative and absolute names for Windows; usually the last part of both is the same.
        if matches!(locator.get(..4), Some(b"W2ru" | b"W2ku")) {
            let length = usize::try_from(be32(locator, 8).unwrap_or_default().min(4096)).unwrap_or_default();
            let name = header(file, be64(locator, 16).unwrap_or_default(), length);
            let name = name.map_err(|error| beside.unreadable(&error))?;
            let units: Vec<u16> = (0..length / 2).filter_map(|unit| le16(&name, unit.saturating_mul(2))).collect();
            names.push(String::from_utf16_lossy(&units));
        }
    }
    let own = head.get(64..576).unwrap_or_default().chunks_exact(2);
    let own: Vec<u16> = own.filter_map(|unit| bytes(unit, 0).map(u16::from_be_bytes)).collect();
    names.push(String::from_utf16_lossy(&own));
    let names = names.into_iter().map(|name| name.trim_end_matches('\0').to_owned());
    let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    super::parent(beside, &names, "parent", Some(&hex(&bytes::<16>(head, 40).unwrap_or_default())), None)
}

/// Returns the checksum of a header with its checksum at `place`: the complement of the sum of all other bytes.
fn sum(header: &[u8], place: usize) -> u32 {
    let others = header.iter().enumerate().filter(|(at, _)| !(place..place.saturating_add(4)).contains(at));
    !others.fold(0_u32, |sum, (_, byte)| sum.wrapping_add(u32::from(*byte)))
}

impl Map for Vhd {
    fn size(&self) -> u64 {
        self.size
    }

    fn run(&self, offset: u64) -> io::Result<Run> {
        let (Some(number), Some(within)) = (offset.checked_div(self.block), offset.checked_rem(self.block)) else {
            return Err(bad("blocks of 0 bytes"));
        };
        let length = self.block.saturating_sub(within);
        let entry = u32::from_be_bytes(self.pages.get(self.table.saturating_add(number.saturating_mul(4)))?);
        if entry == FREE {
            return Ok(if self.differencing { Run::Below(length) } else { Run::Zeros(length) });
        }
        let start = u64::from(entry).saturating_mul(SECTOR);
        let at = start.saturating_add(self.bitmap).saturating_add(within);
        let here = |length| Run::Stored { file: self.pages.file(), at, length };
        if !self.differencing {
            // Sectors that were never written are zeros in the file too; some writers do not maintain the bitmap.
            return Ok(here(length));
        }
        let own = |sector: u64| {
            let [bits] = self.pages.get::<1>(start.saturating_add(sector / 8))?;
            // The highest bit is the first sector.
            Ok::<_, io::Error>(bits & (0x80 >> (sector % 8)) != 0)
        };
        let first = within / SECTOR;
        let end = (self.block / SECTOR).min(first.saturating_add(MOST_AT_ONCE));
        let this = own(first)?;
        let mut next = first.saturating_add(1);
        while next < end && own(next)? == this {
            next = next.saturating_add(1);
        }
        let length = next.saturating_mul(SECTOR).saturating_sub(within);
        Ok(if this { here(length) } else { Run::Below(length) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::block::BlockRead;

    #[test]
    fn sectors_are_the_image_s_own_where_the_bitmap_says_so_and_its_highest_bit_is_the_first() {
        // The table is at the start, the bitmap in sector 1, the block from sector 2 on; there is no second block.
        let (block, bitmap) = (4096 * 2, 512);
        let mut file = vec![0; 1024 + 8192];
        file[..8].copy_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
        file[512..514].copy_from_slice(&[0b1010_0000, 0b0000_0001]);
        file[1024..].fill(0xcc);
        let pages = Pages::new(Arc::new(file));
        let map = Vhd { pages, table: 0, block, bitmap, size: 2 * block, differencing: true };
        let disk = Mapped::new(map, Some(Arc::new(vec![0xbb; 12_000])));
        let mut bytes = vec![0; 16_384];
        disk.read_exact_at(&mut bytes, 0).unwrap();
        let own: Vec<usize> = (0..32).filter(|sector| bytes[sector * 512] == 0xcc).collect();
        assert_eq!(own, [0, 2, 15]);
        // The parent is shorter.
        assert_eq!((bytes[11_999], bytes[12_000], bytes[16_383]), (0xbb, 0, 0));
    }

    #[test]
    fn the_sum_leaves_itself_out() {
        let mut header = vec![1; 512];
        header[64..68].fill(9);
        assert_eq!(sum(&header, 64), !508);
    }
}
