//! VirtualBox images, as its `VDICore.h` defines them: blocks of one size, and a map of 32-bit numbers.

use std::io;
use std::sync::Arc;

use super::beside::Beside;
use super::field::{le32, le64};
use super::map::{Map, Mapped, Run, bad};
use super::pages::{Pages, header};
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// A block that was never written.
const FREE: u32 = 0xffff_ffff;
/// A block that is all zeros.
const ZERO: u32 = 0xffff_fffe;
/// The most bytes of a block; VirtualBox creates blocks of 1 MiB.
const LARGEST_BLOCK: u64 = 256 << 20;

struct Vdi {
    pages: Pages,
    /// The start of the map in the file, and the start of block 0.
    map: u64,
    data: u64,
    block: u64,
    size: u64,
}

pub(super) fn open(beside: &mut Beside, file: Blocks) -> Result<Blocks, Problem> {
    let head = header(&file, 0, 512).map_err(|error| beside.unreadable(&error))?;
    let (at32, at64) = (|at| le32(&head, at).unwrap_or_default(), |at| le64(&head, at).unwrap_or_default());
    if at32(0x44) >> 16 != 1 {
        return Err(beside.problem("a VDI image of version 1", format!("version {:#x}", at32(0x44))));
    }
    match at32(0x4c) {
        1 | 2 => {}
        kind => {
            let problem = beside.problem("a VDI image without a parent", format!("kind {kind}, with a parent image"));
            return Err(problem.advise("merge it in VirtualBox: VBoxManage clonemedium disk IN.vdi OUT.vdi"));
        }
    }
    let (block, size, blocks) = (u64::from(at32(0x178)), at64(0x170), u64::from(at32(0x180)));
    let (map, data) = (u64::from(at32(0x154)), u64::from(at32(0x158)));
    let sound = (512..=LARGEST_BLOCK).contains(&block) && at32(0x17c) == 0 && size.div_ceil(block) <= blocks;
    if !sound {
        let found = format!("a disk of {size} bytes in {blocks} blocks of {block} and {} bytes", at32(0x17c));
        return Err(beside.problem("a VDI image whose header is consistent", found));
    }
    Ok(Arc::new(Mapped::new(Vdi { pages: Pages::new(file), map, data, block, size }, None)))
}

impl Map for Vdi {
    fn size(&self) -> u64 {
        self.size
    }

    fn run(&self, offset: u64) -> io::Result<Run> {
        let (Some(number), Some(within)) = (offset.checked_div(self.block), offset.checked_rem(self.block)) else {
            return Err(bad("blocks of 0 bytes"));
        };
        let length = self.block.saturating_sub(within);
        let entry = u32::from_le_bytes(self.pages.get(self.map.saturating_add(number.saturating_mul(4)))?);
        if matches!(entry, FREE | ZERO) {
            return Ok(Run::Zeros(length));
        }
        let at = u64::from(entry).checked_mul(self.block).and_then(|at| at.checked_add(self.data)?.checked_add(within));
        let at = at.ok_or_else(|| bad(format!("block {number} past any possible end")))?;
        Ok(Run::Stored { file: self.pages.file(), at, length })
    }
}
