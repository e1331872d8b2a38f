//! The volumes of a disk, assembled: the classified partitions of its table, and volumes found without a table.

use std::ops::Range;
use std::sync::Arc;

use super::boot_sector::{self, Found};
use super::classify::{Content, EMPTY, content};
use super::entry::Entry;
use super::kind::VolumeKind;
use super::label::Label;
use super::listed::{Table, Volume, VolumeName};
use super::lost::Search;
use super::reading::head;
use super::regions::Regions;
use super::table::{self, Chosen, Scheme};
use crate::error::Problem;
use crate::evidence::block::{Blocks, Part};

/// Smaller gaps beside a valid table are not searched: they contain boot loaders and the table itself.
const LEAST_SEARCHED: u64 = 2 << 20;
/// The kind of a partition whose volume begins elsewhere.
const MISPLACED: VolumeKind = VolumeKind::Irrelevant("a partition whose volume begins elsewhere, where it was read");

/// Returns the volumes of a disk; `path` is its name in problems.
///
/// # Errors
/// The disk has no partition table, and no known volume was found. An unreadable first sector is reported instead.
pub fn volumes(disk: &Blocks, path: &str) -> Result<Table, Problem> {
    let mut regions = Regions::new(disk, path);
    let whole = content(disk);
    let is_read = matches!(whole.kind, VolumeKind::Ntfs | VolumeKind::Fat | VolumeKind::ExFat | VolumeKind::BitLocker);
    // The code and the texts of a boot sector may look like entries.
    let is_boot_sector = |chosen: &Chosen| {
        whole.kind != VolumeKind::Unknown && chosen.scheme == Scheme::Mbr && !table::leads(disk, &chosen.entries)
    };
    let chosen = table::choose(disk).filter(|chosen| !is_boot_sector(chosen));
    if whole.sound && is_read {
        regions.whole(whole);
        regions.beside_the_whole(chosen);
    } else if let Some(chosen) = chosen {
        regions.partitions(chosen);
    } else {
        regions.without_table(whole);
    }
    regions.finish()
}

impl Regions<'_> {
    /// Lists the whole disk as one volume.
    fn whole(&mut self, whole: Content) {
        let label = Label { words: String::new(), kind: None, dynamic: false };
        let size = self.disk.size();
        self.named(VolumeName::Whole, Entry { start: 0, size, label }, Some(whole));
        self.covered.clear();
        self.cover(0..size);
    }

    /// Adds the partitions of a table on a disk that begins with a boot sector of a volume. Only partitions with a
    /// valid file system count.
    fn beside_the_whole(&mut self, chosen: Option<Chosen>) {
        let Some(Chosen { scheme, sector, entries, .. }) = chosen else { return };
        for (number, entry) in (1_u32..).zip(entries) {
            let volume: Blocks = Arc::new(Part::new(Arc::clone(self.disk), entry.start, entry.size));
            let found = content(&volume);
            if entry.start > 0 && found.sound && found.kind.is_readable() {
                (self.table.scheme, self.table.sector) = (scheme, sector);
                let fact =
                    "The disk begins with a file system, and has a partition table, too. Both were read.".to_owned();
                if !self.table.facts.contains(&fact) {
                    self.table.facts.push(fact);
                }
                self.named(VolumeName::Partition(number), entry, Some(found));
            }
        }
    }

    /// Lists the partitions of a table, then the other volumes on the disk.
    fn partitions(&mut self, chosen: Chosen) {
        (self.table.scheme, self.table.sector, self.doubtful) = (chosen.scheme, chosen.sector, chosen.doubtful);
        self.table.facts = chosen.facts;
        for problem in chosen.problems {
            self.tell(problem);
        }
        for (number, entry) in (1_u32..).zip(chosen.entries) {
            self.named(VolumeName::Partition(number), entry, None);
        }
        self.overlaps();
        for entry in chosen.others {
            let volume: Blocks = Arc::new(Part::new(Arc::clone(self.disk), entry.start, entry.size));
            let found = content(&volume);
            let covered = self.covered.iter().any(|range| range.contains(&entry.start));
            if !covered && entry.start > 0 && found.kind != VolumeKind::Unknown {
                let name = VolumeName::Offset(entry.start);
                self.table.facts.push(format!("The volume {name} is in the other partition table only."));
                self.named(name, entry, Some(found));
                if let Some(volume) = self.table.volumes.last_mut() {
                    volume.recovered = true;
                }
            }
        }
        self.search();
    }

    /// Searches a disk that begins with neither a table nor a volume.
    fn without_table(&mut self, whole: Content) {
        let size = self.disk.size();
        if whole.kind != VolumeKind::Unknown || boot_sector::backup_of(self.disk, 0, size).is_some() {
            return self.whole(whole);
        }
        self.doubtful = true;
        self.search();
        let count = self.table.volumes.len();
        if count > 0 {
            let found = format!("none, and {count} volumes by their boot sectors");
            let problem = Problem::at(0, "a partition table (MBR, GPT) or a file system", found);
            self.tell(problem.advise("check that the image is whole; what lay outside of these volumes was not read"));
        }
    }

    /// Searches the gaps between known volumes.
    fn search(&mut self) {
        // A partition without known content may hide a volume that begins elsewhere.
        let misses = self.table.volumes.iter().any(|one| one.kind == VolumeKind::Unknown);
        let mut search = Search::new(self.disk, !self.doubtful && !misses);
        let least = if self.doubtful { 0 } else { LEAST_SEARCHED };
        for region in self.gaps() {
            let unknown = |one: &Volume| one.kind == VolumeKind::Unknown && region.contains(&one.start);
            if region.end.saturating_sub(region.start) >= least || self.table.volumes.iter().any(unknown) {
                search.region(&region);
            }
        }
        let Search { mut found, unsearched, .. } = search;
        found.sort_unstable_by_key(|one| one.start);
        for one in found {
            self.recovered(&one);
        }
        let lengths = unsearched.iter().map(|range| range.end.saturating_sub(range.start));
        let bytes = lengths.fold(0_u64, u64::saturating_add);
        if let Some(first) = unsearched.first().filter(|_| self.doubtful || misses) {
            let problem =
                Problem::at(first.start, "a search through the whole disk", format!("{bytes} bytes left out"));
            self.tell(problem.advise("recover the partition table with testdisk on a copy, and name the copy"));
        }
        self.table.unsearched = unsearched;
    }

    /// Returns the parts of the disk outside known volumes.
    fn gaps(&mut self) -> Vec<Range<u64>> {
        self.covered.sort_unstable_by_key(|range| range.start);
        let (mut gaps, mut from) = (Vec::new(), 0);
        for range in &self.covered {
            if range.start > from {
                gaps.push(from..range.start);
            }
            from = from.max(range.end);
        }
        if from < self.disk.size() {
            gaps.push(from..self.disk.size());
        }
        gaps
    }

    /// Lists a volume that the search found.
    fn recovered(&mut self, found: &Found) {
        let end = found.start.saturating_add(found.size);
        // In place of the partition that begins there, otherwise under its offset.
        let same = self.table.volumes.iter().position(|one| {
            one.start == found.start && matches!(one.kind, VolumeKind::Unknown | EMPTY) && one.name != VolumeName::Whole
        });
        let mut volume = if let Some(place) = same {
            self.table.volumes.remove(place)
        } else {
            let name = if found.start == 0 { VolumeName::Whole } else { VolumeName::Offset(found.start) };
            let blocks: Blocks = Arc::new(Part::new(Arc::clone(self.disk), found.start, found.size));
            let label = String::new();
            Volume { name, start: found.start, size: found.size, blocks, kind: found.kind, label, recovered: true }
        };
        (volume.kind, volume.recovered) = (found.kind, true);
        if found.backup.is_some() {
            self.mend(&mut volume, found);
        }
        if end > self.disk.size() {
            let found = format!("its end at {end}, and the end of the image at {}", self.disk.size());
            let problem = Problem::of(self.place(volume.name), "a volume within the image", found);
            self.table.problems.push(problem.advise("copy the disk again: this image is truncated"));
        }
        if let Some(place) = same {
            return self.table.volumes.insert(place, volume);
        }
        if self.table.scheme != Scheme::None {
            let (name, kind) = (volume.name, volume.kind.words());
            self.table
                .facts
                .push(format!("The volume {name} ({kind}) is in no partition. It was found by its boot sector."));
        }
        self.misplaced(found);
        self.table.volumes.push(volume);
    }

    /// Marks a partition without known content as misplaced if the found volume covers at least half of it.
    fn misplaced(&mut self, found: &Found) {
        let mut told = Vec::new();
        for volume in self.table.volumes.iter_mut().filter(|one| one.kind == VolumeKind::Unknown) {
            let end = volume.start.saturating_add(volume.size).min(found.start.saturating_add(found.size));
            let common = end.saturating_sub(volume.start.max(found.start));
            if common >= volume.size.div_ceil(2) {
                volume.kind = MISPLACED;
                told.push(volume.name);
            }
        }
        for name in told {
            let found = format!("no known one there, and a volume at byte {}", found.start);
            let problem = Problem::of(self.place(name), "a file system where the table has the partition", found);
            self.table.problems.push(problem.advise("the volume was read; the partition table is wrong"));
        }
    }

    fn finish(self) -> Result<Table, Problem> {
        if self.table.volumes.is_empty() && self.table.scheme == Scheme::None {
            let expected = "a partition table (MBR, GPT), or a volume with a known file system";
            let problem = match self.disk.read_exact_at(&mut [0; 512], 0) {
                Err(error) => Problem::of(self.path, "a first sector that can be read", error.to_string()),
                Ok(()) => Problem::of(self.path, expected, "neither"),
            };
            return Err(problem.advise("check that the image is whole and not encrypted"));
        }
        let unreadable = self.disk.size() > 0 && head(self.disk, 0, 1).is_empty();
        let mut table = self.table;
        if unreadable {
            let problem = Problem::of(self.path, "a first sector that can be read", "one that cannot");
            table.problems.push(problem.advise("copy the disk again; the rest of it was read"));
        }
        Ok(table)
    }
}
