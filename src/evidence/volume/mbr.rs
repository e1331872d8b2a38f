//! The partition table in the first sector of a disk, and the chains of tables in its extended partitions.

use std::collections::BTreeSet;

use super::entry::{Entry, MOST};
use super::field::{byte, dword, has};
use super::label;
use super::reading::head;
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// The type of a protective entry, which announces a GPT.
const PROTECTIVE: u8 = 0xee;

/// A table of a disk.
pub(super) struct Mbr {
    /// Entries of the first table, then those of the extended partitions; without protective ones.
    pub(super) entries: Vec<Entry>,
    /// Whether an entry announces a GPT.
    pub(super) protective: bool,
    /// Status bytes of the first table's used entries that are neither 0 nor 0x80.
    pub(super) statuses: Vec<u8>,
    /// Used entries of the first table.
    pub(super) used: usize,
    pub(super) problems: Vec<Problem>,
}

/// An entry as stored.
struct Slot {
    status: u8,
    kind: u8,
    /// In sectors; the base depends on the kind.
    start: u64,
    count: u64,
}

impl Slot {
    /// Returns whether the entry is an extended partition: DOS, Windows and Linux each have a number for it.
    fn is_extended(&self) -> bool {
        matches!(self.kind, 0x05 | 0x0f | 0x85)
    }
}

/// Returns the used entries of the table in the sector at `start`; `None` if the sector has no table.
fn slots(disk: &Blocks, start: u64) -> Option<Vec<Slot>> {
    let sector = head(disk, start, 512);
    if !has(&sector, 510, &[0x55, 0xaa]) {
        return None;
    }
    let table = sector.get(446..510)?.chunks_exact(16);
    let slots = table.map(|entry| Slot {
        status: byte(entry, 0),
        kind: byte(entry, 4),
        start: u64::from(dword(entry, 8)),
        count: u64::from(dword(entry, 12)),
    });
    Some(slots.filter(|slot| slot.kind != 0 && slot.count > 0).collect())
}

/// Reads the table of a disk with sectors of `sector` bytes; `None` if the disk has no MBR.
pub(super) fn read(disk: &Blocks, sector: u64) -> Option<Mbr> {
    let first = slots(disk, 0)?;
    let mut table = Mbr {
        entries: Vec::new(),
        protective: first.iter().any(|slot| slot.kind == PROTECTIVE),
        statuses: first.iter().map(|slot| slot.status).filter(|status| !matches!(status, 0 | 0x80)).collect(),
        used: first.len(),
        problems: Vec::new(),
    };
    let (extended, primary): (Vec<_>, Vec<_>) = first.into_iter().partition(Slot::is_extended);
    for slot in primary.iter().filter(|slot| slot.kind != PROTECTIVE) {
        table.add(sector, 0, slot);
    }
    let mut seen = BTreeSet::new();
    for Slot { start: base, .. } in extended {
        table.follow(disk, sector, base, &mut seen);
    }
    Some(table)
}

impl Mbr {
    fn add(&mut self, sector: u64, base: u64, slot: &Slot) {
        if self.entries.len() < MOST {
            let start = base.saturating_add(slot.start).saturating_mul(sector);
            let size = slot.count.saturating_mul(sector);
            self.entries.push(Entry { start, size, label: label::of_byte(slot.kind) });
        }
    }

    /// Follows the chain of tables of the extended partition that begins at sector `base`.
    fn follow(&mut self, disk: &Blocks, sector: u64, base: u64, seen: &mut BTreeSet<u64>) {
        let mut next = Some(base);
        while let Some(at) = next.take() {
            let place = at.saturating_mul(sector);
            let problem = |found: &str| Problem::at(place, "the table of an extended partition", found);
            if !seen.insert(at) {
                return self.problems.push(problem("a chain of tables that is a loop"));
            }
            if seen.len() > MOST {
                return self.problems.push(problem(&format!("more than {MOST} tables: the rest was not read")));
            }
            let Some(slots) = slots(disk, place) else {
                return self.problems.push(problem("none: the image is truncated or damaged there"));
            };
            for slot in slots {
                if slot.is_extended() {
                    // The next table's offset starts at the beginning of the extended partition.
                    next = Some(base.saturating_add(slot.start));
                } else {
                    self.add(sector, at, &slot);
                }
            }
        }
    }
}
