//! The partition table in the first sector of a disk, and the chain of those in its extended partitions.

use std::collections::BTreeSet;

use super::{MOST, Partition, dword};
use crate::error::Problem;
use crate::evidence::block::Blocks;

pub(super) struct Table {
    pub(super) partitions: Vec<Partition>,
    pub(super) problems: Vec<Problem>,
}

struct Entry {
    kind: u8,
    /// In sectors, from whatever the kind says.
    start: u64,
    count: u64,
}

impl Entry {
    /// DOS, Windows and Linux each have a number for a partition that holds others.
    fn is_extended(&self) -> bool {
        matches!(self.kind, 0x05 | 0x0f | 0x85)
    }
}

/// The table in the sector at `start`; `None` where there is none.
fn entries(disk: &Blocks, start: u64) -> Option<Vec<Entry>> {
    let mut sector = [0; 512];
    disk.read_exact_at(&mut sector, start).ok()?;
    if sector.get(510..) != Some(&[0x55, 0xaa]) {
        return None;
    }
    let table = sector.get(446..510)?.chunks_exact(16);
    let entries = table.map(|entry| Entry {
        kind: entry.get(4).copied().unwrap_or_default(),
        start: u64::from(dword(entry, 8)),
        count: u64::from(dword(entry, 12)),
    });
    Some(entries.filter(|entry| entry.kind != 0 && entry.count > 0).collect())
}

/// The partitions of a disk with sectors of so many bytes: those of the first table, then those of the extended ones.
pub(super) fn read(disk: &Blocks, sector: u64) -> Option<Table> {
    let first = entries(disk, 0)?;
    let mut table = Table { partitions: Vec::new(), problems: Vec::new() };
    let mut add = |start: u64, count: u64| {
        let (start, size) = (start.saturating_mul(sector), count.saturating_mul(sector));
        if table.partitions.len() < MOST {
            table.partitions.push(Partition { start, size });
        }
    };
    let (extended, primary): (Vec<_>, Vec<_>) = first.into_iter().partition(Entry::is_extended);
    for Entry { start, count, .. } in primary {
        add(start, count);
    }
    let mut seen = BTreeSet::new();
    for Entry { start: base, .. } in extended {
        let mut next = Some(base);
        while let Some(at) = next.take() {
            let place = at.saturating_mul(sector);
            let problem = |found: &str| Problem {
                offset: Some(place),
                ..Problem::of("", "the table of an extended partition", found)
            };
            if !seen.insert(at) || seen.len() > MOST {
                table.problems.push(problem("a chain of tables that comes back to one of them"));
                break;
            }
            let Some(entries) = entries(disk, place) else {
                table.problems.push(problem("none: the image is truncated or damaged there"));
                break;
            };
            for entry in entries {
                if entry.is_extended() {
                    next = Some(base.saturating_add(entry.start));
                } else {
                    add(at.saturating_add(entry.start), entry.count);
                }
            }
        }
    }
    Some(table)
}
