//! Regions of a disk that a table names or the search found, each classified and listed.

use std::ops::Range;
use std::sync::Arc;

use super::boot_sector::{self, Found};
use super::classify::{Content, EMPTY, content, is_empty};
use super::entry::Entry;
use super::kind::VolumeKind;
use super::label::{DYNAMIC_VOLUME, Label};
use super::listed::{Table, Volume, VolumeName};
use super::reading::Mended;
use super::table::Scheme;
use crate::error::Problem;
use crate::evidence::block::{Blocks, Part};

/// Bytes by which a file system may exceed its partition: tools count differently.
const SLACK: u64 = 4096;
/// The kind of a partition that another one repeats.
const REPEATED: VolumeKind = VolumeKind::Irrelevant("a region that another partition names, too");
/// The kind of a partition outside the image.
const BEYOND: VolumeKind = VolumeKind::Refused {
    what: "a partition beyond the end of the image",
    advice: "copy the disk again: this image is truncated",
};

/// The known regions of a disk so far.
pub(super) struct Regions<'d> {
    pub(super) disk: &'d Blocks,
    pub(super) path: &'d str,
    pub(super) table: Table,
    /// Parts of the disk with known content.
    pub(super) covered: Vec<Range<u64>>,
    /// Whether the table is lost, or may lack partitions.
    pub(super) doubtful: bool,
}

impl<'d> Regions<'d> {
    pub(super) fn new(disk: &'d Blocks, path: &'d str) -> Self {
        let (problems, facts, unsearched) = (Vec::new(), Vec::new(), Vec::new());
        let table = Table { scheme: Scheme::None, sector: 512, volumes: Vec::new(), problems, facts, unsearched };
        Self { disk, path, table, covered: Vec::new(), doubtful: false }
    }

    pub(super) fn tell(&mut self, problem: Problem) {
        self.table.problems.push(Problem { path: Some(self.path.to_owned()), ..problem });
    }

    /// Returns the name of a volume in problems.
    pub(super) fn place(&self, name: VolumeName) -> String {
        if name == VolumeName::Whole { self.path.to_owned() } else { format!("{}!{name}", self.path) }
    }

    /// Classifies a region, and lists it under its name.
    pub(super) fn named(&mut self, name: VolumeName, entry: Entry, known: Option<Content>) {
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
        let backup = if content.sound { None } else { boot_sector::backup_of(self.disk, start, size) };
        if let Some(found) = backup {
            self.mend(&mut volume, &found);
            self.cover(start..end);
            return self.table.volumes.push(volume);
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

    pub(super) fn cover(&mut self, range: Range<u64>) {
        self.covered.push(range);
    }

    /// Reads a volume by the backup of its boot sector.
    pub(super) fn mend(&mut self, volume: &mut Volume, found: &Found) {
        let Some((backup, length)) = found.backup else { return };
        let whole: Blocks = Arc::new(Part::new(Arc::clone(self.disk), volume.start, volume.size.max(found.size)));
        volume.blocks = Mended::of(whole, backup, length);
        (volume.kind, volume.recovered) = (found.kind, true);
        let expected = format!("the boot sector of {}", found.kind.words());
        let problem = Problem::of(self.place(volume.name), expected, "a damaged one, or none");
        let advice = format!("the volume was read by the backup at byte {backup} of it");
        self.table.problems.push(problem.advise(advice));
    }

    /// Reports partitions that overlap.
    pub(super) fn overlaps(&mut self) {
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
            self.table.problems.push(problem.advise("each was read; the disk may hold two tables of different times"));
        }
    }
}
