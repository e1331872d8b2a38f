//! The volumes of a disk, put together: the table's partitions, classified, and what was found without a table.

use std::ops::Range;
use std::sync::Arc;

use super::boot_sector::{self, Found};
use super::classify::{Content, EMPTY, content, is_empty};
use super::entry::Entry;
use super::kind::VolumeKind;
use super::label::{DYNAMIC_VOLUME, Label};
use super::listed::{Table, Volume, VolumeName};
use super::lost::Search;
use super::reading::{Mended, head};
use super::table::{self, Chosen, Scheme};
use crate::error::Problem;
use crate::evidence::block::{Blocks, Part};

/// Beside a table that holds, a smaller part of the disk is not searched: boot loaders lie there, and the table itself.
const LEAST_SEARCHED: u64 = 2 << 20;
/// A file system may be larger than its partition by so many bytes: tools differ in what they count.
const SLACK: u64 = 4096;
/// What a partition is whose volume begins elsewhere.
const MISPLACED: VolumeKind = VolumeKind::Irrelevant("a partition whose volume begins elsewhere, where it was read");
/// What a partition is that another one names, too.
const REPEATED: VolumeKind = VolumeKind::Irrelevant("a region that another partition names, too");
/// What a partition is that is not in the image.
const BEYOND: VolumeKind = VolumeKind::Refused {
    what: "a partition beyond the end of the image",
    advice: "copy the disk again: this image is truncated",
};

/// Returns the volumes of a disk, `path` being its name in problems.
///
/// # Errors
/// Where there is neither a partition table nor a volume that is known or can be found; with what keeps the beginning of the
/// disk from being read.
pub fn volumes(disk: &Blocks, path: &str) -> Result<Table, Problem> {
    let mut assembly = Assembly::new(disk, path);
    let whole = content(disk);
    let is_read = matches!(whole.kind, VolumeKind::Ntfs | VolumeKind::Fat | VolumeKind::ExFat | VolumeKind::BitLocker);
    // The code and the texts of a boot sector may look like entries.
    let is_boot_sector = |chosen: &Chosen| {
        whole.kind != VolumeKind::Unknown && chosen.scheme == Scheme::Mbr && !table::leads(disk, &chosen.entries)
    };
    let chosen = table::choose(disk).filter(|chosen| !is_boot_sector(chosen));
    if whole.sound && is_read {
        assembly.whole(whole);
        assembly.beside_the_whole(chosen);
    } else if let Some(chosen) = chosen {
        assembly.partitions(chosen);
    } else {
        assembly.without_table(whole);
    }
    assembly.finish()
}

struct Assembly<'d> {
    disk: &'d Blocks,
    path: &'d str,
    table: Table,
    /// Parts of the disk that are known to be something.
    covered: Vec<Range<u64>>,
    /// Whether the table may lack partitions, or is lost.
    doubtful: bool,
}

impl<'d> Assembly<'d> {
    fn new(disk: &'d Blocks, path: &'d str) -> Self {
        let (problems, facts, unsearched) = (Vec::new(), Vec::new(), Vec::new());
        let table = Table { scheme: Scheme::None, sector: 512, volumes: Vec::new(), problems, facts, unsearched };
        Self { disk, path, table, covered: Vec::new(), doubtful: false }
    }

    fn tell(&mut self, problem: Problem) {
        self.table.problems.push(Problem { path: Some(self.path.to_owned()), ..problem });
    }

    /// How problems name a volume.
    fn place(&self, name: VolumeName) -> String {
        if name == VolumeName::Whole { self.path.to_owned() } else { format!("{}!{name}", self.path) }
    }

    /// The disk is one volume.
    fn whole(&mut self, whole: Content) {
        let label = Label { words: String::new(), kind: None, dynamic: false };
        let size = self.disk.size();
        self.named(VolumeName::Whole, Entry { start: 0, size, label }, Some(whole));
        self.covered = vec![0..size];
    }

    /// The disk begins with a boot sector that leads to its volume. A table in the same sector counts nevertheless, as far
    /// as it does, too.
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

    /// Lists the partitions of a table, then what else is on the disk.
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

    /// Searches a disk that begins with nothing, or with what is no table.
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

    /// Classifies a region, and lists it under its name.
    fn named(&mut self, name: VolumeName, entry: Entry, known: Option<Content>) {
        let Entry { start, size, label: Label { words, kind: by_label, dynamic } } = entry;
        let blocks: Blocks = Arc::new(Part::new(Arc::clone(self.disk), start, size));
        let mut volume = Volume { name, start, size, blocks, kind: BEYOND, label: words, recovered: false };
        let end = start.saturating_add(size);
        let repeats = |other: &Volume| other.start == start && other.size == size && other.kind != REPEATED;
        if start >= self.disk.size() {
            return self.table.volumes.push(volume);
        }
        if self.table.volumes.iter().any(repeats) {
            volume.kind = REPEATED;
            return self.table.volumes.push(volume);
        }
        if end > self.disk.size() {
            let found = format!("its end at {end}, and the end of the image at {}", self.disk.size());
            let problem = Problem::of(self.place(name), "a partition within the image", found);
            self.table.problems.push(problem.advise("copy the disk again: this image is truncated"));
        }
        let content = known.unwrap_or_else(|| content(&volume.blocks));
        volume.kind = content.kind;
        if !content.sound && !matches!(content.kind, VolumeKind::BitLocker | VolumeKind::Ext) {
            if let Some(found) = boot_sector::backup_of(self.disk, start, size) {
                self.mend(&mut volume, &found);
                self.cover(start..end);
                return self.table.volumes.push(volume);
            }
        }
        let larger = content.size.filter(|stated| *stated > size.saturating_add(SLACK) && end <= self.disk.size());
        if volume.kind == VolumeKind::Unknown {
            volume.kind = by_label.unwrap_or(VolumeKind::Unknown);
            if volume.kind == VolumeKind::Unknown && is_empty(&volume.blocks) {
                volume.kind = EMPTY;
            }
        } else if dynamic {
            // It may be the first piece of a volume on several disks.
            match content.size {
                Some(stated) if larger.is_none() => self.cover(start..start.saturating_add(stated)),
                _ => volume.kind = DYNAMIC_VOLUME,
            }
        } else {
            self.cover(start..end);
            if let Some(stated) = larger {
                let problem = Problem::of(
                    self.place(name),
                    format!("a partition as large as its file system, {stated} bytes"),
                    format!("{size} bytes"),
                );
                self.table.problems.push(problem.advise("the file system was read beyond the partition's end"));
                volume.blocks = Arc::new(Part::new(Arc::clone(self.disk), start, stated));
            }
        }
        self.table.volumes.push(volume);
    }

    fn cover(&mut self, range: Range<u64>) {
        self.covered.push(range);
    }

    /// Reads a volume by the backup of its boot sector.
    fn mend(&mut self, volume: &mut Volume, found: &Found) {
        let Some((backup, length)) = found.backup else { return };
        let whole: Blocks = Arc::new(Part::new(Arc::clone(self.disk), volume.start, volume.size.max(found.size)));
        volume.blocks = Mended::of(whole, backup, length);
        (volume.kind, volume.recovered) = (found.kind, true);
        let expected = format!("the boot sector of {}", found.kind.words());
        let problem = Problem::of(self.place(volume.name), expected, "a damaged one, or none");
        let advice = format!("the volume was read by the backup at byte {backup} of it");
        self.table.problems.push(problem.advise(advice));
    }

    /// Tells which partitions lie over each other.
    fn overlaps(&mut self) {
        let mut ranges: Vec<(u64, u64, VolumeName)> = Vec::new();
        for volume in &self.table.volumes {
            if !matches!(volume.kind, REPEATED | BEYOND) {
                ranges.push((volume.start, volume.start.saturating_add(volume.size), volume.name));
            }
        }
        ranges.sort_unstable();
        let mut reach: Option<(u64, VolumeName)> = None;
        let mut over = Vec::new();
        for (start, end, name) in ranges {
            if let Some((_, other)) = reach.filter(|(reach, _)| start < *reach) {
                over.push(format!("{other} and {name}"));
            }
            if reach.is_none_or(|(reach, _)| end > reach) {
                reach = Some((end, name));
            }
        }
        if let Some(first) = over.first() {
            let found = format!("{first} over each other, and {} more such pairs", over.len().saturating_sub(1));
            let problem = Problem::of(self.path, "partitions that do not overlap", found);
            self.table.problems.push(problem.advise("each was read; the disk may hold two tables, of two times"));
        }
    }

    /// Searches what is in no known volume.
    fn search(&mut self) {
        // A partition that holds nothing known is where a volume is missed.
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
        if self.doubtful || misses {
            if let Some(first) = unsearched.first() {
                let bytes = unsearched
                    .iter()
                    .fold(0_u64, |sum, range| sum.saturating_add(range.end.saturating_sub(range.start)));
                let problem =
                    Problem::at(first.start, "a search through the whole disk", format!("{bytes} bytes left out"));
                self.tell(problem.advise("recover the partition table with testdisk on a copy, and name that"));
            }
        }
        self.table.unsearched = unsearched;
    }

    /// The parts of the disk that are in no known volume.
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
        // In place of the partition that begins there, or under its place.
        let same = self.table.volumes.iter().position(|one| {
            one.start == found.start && matches!(one.kind, VolumeKind::Unknown | EMPTY) && one.name != VolumeName::Whole
        });
        let mut volume = match same {
            Some(place) => self.table.volumes.remove(place),
            None => {
                let name = if found.start == 0 { VolumeName::Whole } else { VolumeName::Offset(found.start) };
                let blocks: Blocks = Arc::new(Part::new(Arc::clone(self.disk), found.start, found.size));
                let label = String::new();
                Volume { name, start: found.start, size: found.size, blocks, kind: found.kind, label, recovered: true }
            }
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

    /// A partition that holds nothing known, and most of which is a volume that begins elsewhere, is wrong in the table.
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
