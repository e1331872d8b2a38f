//! The descriptors of saved blocks, and the table that results from all descriptors of a shadow copy in their order.

use std::collections::BTreeMap;

use super::block::{BLOCK, damaged, u32_at, u64_at};
use crate::error::Problem;

/// The most blocks in memory for all shadow copies of one volume: 128 GiB of saved blocks need 200 MB.
pub(super) const MOST_DESCRIPTORS: usize = 1 << 23;

/// The block is not saved: its content moved (defragmentation) and is now in another block.
const FORWARDER: u32 = 1;
/// Single sectors are saved, only for this shadow copy and not for older ones.
const OVERLAY: u32 = 2;
/// The descriptor is unused.
const NOT_USED: u32 = 4;
/// All known flags. The others (8 to 0x80) give the reason for saving a block, and do not affect reading.
const KNOWN: u32 = 0xff;

/// The place of a block's content, for one shadow copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// Saved, at this offset of the volume.
    Saved(u64),
    /// In the block of this number, as of the next newer shadow copy.
    Moved(u64),
    /// Unknown; the reason.
    Unclear(&'static str),
}

/// Single saved sectors of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overlay {
    /// The place of the 32 sectors on the volume, in bytes.
    pub(super) data: u64,
    /// The saved sectors; bit 0 is the first.
    pub(super) sectors: u32,
    pub(super) unclear: bool,
}

/// All saved blocks of one shadow copy; each list is sorted by block number, from the start of the volume.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    bases: Vec<(u64, Base)>,
    overlays: Vec<(u64, Overlay)>,
    targets: Vec<u64>,
}

impl Table {
    pub(super) fn base(&self, block: u64) -> Option<Base> {
        let found = self.bases.binary_search_by_key(&block, |(block, _)| *block).ok()?;
        self.bases.get(found).map(|(_, base)| *base)
    }

    pub(super) fn overlay(&self, block: u64) -> Option<Overlay> {
        let found = self.overlays.binary_search_by_key(&block, |(block, _)| *block).ok()?;
        self.overlays.get(found).map(|(_, overlay)| *overlay)
    }

    /// Returns whether content moved to this block and was not saved since: such a block is in use, despite any bitmap.
    pub(super) fn is_target(&self, block: u64) -> bool {
        self.targets.binary_search(&block).is_ok()
    }

    /// Returns the number of entries in memory.
    pub(super) fn len(&self) -> usize {
        self.bases.len().saturating_add(self.overlays.len()).saturating_add(self.targets.len())
    }
}

/// The ranges of the volume that a store occupies, sorted, and joined where they touch.
#[derive(Debug, Default)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Creates ranges from pairs of start and end.
    pub(super) fn new(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (start, end) in ranges {
            match joined.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        Self(joined)
    }

    fn hold(&self, block: u64) -> bool {
        let after = self.0.partition_point(|&(start, _)| start <= block);
        let end = after.checked_sub(1).and_then(|i| self.0.get(i)).map_or(0, |&(_, end)| end);
        block.saturating_add(BLOCK) <= end
    }
}

/// Builds a table from descriptors in the order of the list.
pub(super) struct Tabling<'a> {
    bases: BTreeMap<u64, Base>,
    overlays: BTreeMap<u64, Overlay>,
    /// Blocks that content moved to, each with the content's first block.
    targets: BTreeMap<u64, u64>,
    /// The volume's number of blocks in this shadow copy.
    blocks: u64,
    ranges: Option<&'a Ranges>,
    left: usize,
}

impl<'a> Tabling<'a> {
    /// Starts a table of at most `most` entries, for a volume of `blocks` blocks and a store that occupies `ranges`.
    pub(super) fn new(blocks: u64, ranges: Option<&'a Ranges>, most: usize) -> Self {
        let (bases, overlays, targets) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { bases, overlays, targets, blocks, ranges, left: most }
    }

    /// Adds the descriptor at `at` of the volume, in bytes.
    ///
    /// # Errors
    /// An impossible value, so that the descriptor's block is unknown.
    pub(super) fn take(&mut self, at: u64, descriptor: &[u8; 32]) -> Result<(), Problem> {
        let wrong = |expected: &str, found: String| Err(damaged(at, expected, found));
        let (original, relative) = (u64_at(descriptor, 0), u64_at(descriptor, 8));
        let (data, flags, sectors) = (u64_at(descriptor, 16), u32_at(descriptor, 24), u32_at(descriptor, 28));
        if *descriptor == [0; 32] || flags & NOT_USED != 0 {
            return Ok(());
        }
        if flags & !KNOWN != 0 || flags & (FORWARDER | OVERLAY) == FORWARDER | OVERLAY {
            return wrong("known flags of a saved block", format!("{flags:#x}"));
        }
        let block = original / BLOCK;
        if !original.is_multiple_of(BLOCK) || block >= self.blocks {
            return wrong("the offset of a block of the volume", format!("{original:#x}"));
        }
        if flags & FORWARDER != 0 {
            if !relative.is_multiple_of(BLOCK) || relative / BLOCK >= self.blocks || data != 0 {
                return wrong(
                    "a block that another one's content moved to",
                    format!("{relative:#x}, saved at {data:#x}"),
                );
            }
            self.forward(block, relative / BLOCK);
        } else {
            if !data.is_multiple_of(BLOCK) || data == 0 {
                return wrong("the offset of a saved block", format!("{data:#x}"));
            }
            if flags & OVERLAY != 0 { self.overlay(block, data, sectors) } else { self.save(block, data) }
        }
        let kept = self.bases.len().saturating_add(self.overlays.len()).saturating_add(self.targets.len());
        if kept > self.left {
            let found = "more, this shadow copy and the newer ones together";
            return Err(Problem::at(at, format!("at most {MOST_DESCRIPTORS} saved blocks"), found)
                .advise("use vshadowmount, and name what it shows"));
        }
        Ok(())
    }

    /// Returns the block that a descriptor of `block` is about: the first block of content that moved to `block`, once.
    fn first_home(&mut self, block: u64) -> u64 {
        self.targets.remove(&block).unwrap_or(block)
    }

    fn save(&mut self, block: u64, data: u64) {
        let home = self.first_home(block);
        self.bases.insert(home, self.checked(data));
    }

    fn checked(&self, data: u64) -> Base {
        if self.ranges.is_some_and(|ranges| !ranges.hold(data)) {
            return Base::Unclear("the list says that it is saved where its shadow copy keeps nothing");
        }
        Base::Saved(data)
    }

    fn forward(&mut self, block: u64, to: u64) {
        let home = self.first_home(block);
        let before = self.bases.get(&home);
        if home == to {
            // The content moved back. For a block that was neither saved nor moved, this changes nothing; for any other
            // block, readers differ on the meaning.
            if before.is_some() {
                self.bases.insert(home, Base::Unclear("the list says that its content moved away and back"));
            }
            return;
        }
        let base = match before {
            // A saved block cannot move; readers differ on which of the two counts.
            Some(Base::Saved(_) | Base::Unclear(_)) => Base::Unclear("the list says that it was saved and then moved"),
            _ => Base::Moved(to),
        };
        self.bases.insert(home, base);
        self.targets.insert(to, home);
    }

    fn overlay(&mut self, block: u64, data: u64, sectors: u32) {
        let unclear = matches!(self.checked(data), Base::Unclear(_));
        let overlay = self.overlays.entry(block).or_insert(Overlay { data, sectors: 0, unclear });
        overlay.sectors |= sectors;
        // Sectors that are added later must be in the same block as the earlier ones.
        overlay.unclear |= unclear || overlay.data != data;
    }

    pub(super) fn finish(self) -> Table {
        Table {
            bases: self.bases.into_iter().collect(),
            overlays: self.overlays.into_iter().collect(),
            targets: self.targets.into_keys().collect(),
        }
    }
}
