//! Chooses the valid partition table of a disk.
//!
//! A disk may have two: the MBR in its first sector and a GPT. A protective entry in the MBR, which announces a GPT,
//! decides. Without such an entry and without a partition in the MBR, a GPT counts by itself.

use std::cmp::Reverse;
use std::sync::Arc;

use super::classify::content;
use super::entry::Entry;
use super::gpt::{self, Gpt, State};
use super::kind::VolumeKind;
use super::mbr::{self, Mbr};
use crate::error::Problem;
use crate::evidence::block::{Blocks, Part};

/// The possible sizes of a sector, in bytes.
const SECTORS: [u64; 2] = [512, 4096];

/// The kind of partition table that a disk has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// No table: the disk is one volume, or its table is lost.
    None,
    /// An MBR, with its extended partitions.
    Mbr,
    /// A GPT.
    Gpt,
    /// A GPT and an MBR that names partitions too.
    Hybrid,
}

/// The chosen table.
pub(super) struct Chosen {
    pub(super) scheme: Scheme,
    /// Bytes of a sector.
    pub(super) sector: u64,
    pub(super) entries: Vec<Entry>,
    /// Entries of the other table, of an earlier use of the disk: they may still lead to a volume.
    pub(super) others: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
    /// Oddities that lose nothing.
    pub(super) facts: Vec<String>,
    /// Whether the table is damaged, so that partitions may be missing.
    pub(super) doubtful: bool,
}

/// Reads the tables of a disk; `None` if it has none. Problems have no path.
pub(super) fn choose(disk: &Blocks) -> Option<Chosen> {
    let gpt = SECTORS.into_iter().find_map(|sector| gpt::read(disk, sector).map(|table| (sector, table)));
    let mbr = read_mbr(disk);
    let leads = |entries: &[Entry]| leads(disk, entries);
    match (mbr, gpt) {
        (Some((sector, mbr)), None) if mbr.protective => {
            let mut chosen = of_mbr(sector, mbr);
            let problem = Problem::at(sector, "the GPT that the MBR announces, or its backup", "neither");
            chosen
                .problems
                .push(problem.advise("check that the image is whole; volumes were searched by their boot sectors"));
            chosen.doubtful = true;
            Some(chosen)
        }
        // The code of a boot sector may look like entries.
        (Some((sector, mbr)), None) => {
            let holds = mbr.used > mbr.statuses.len() || leads(&mbr.entries);
            (mbr.used > 0 && holds).then(|| of_mbr(sector, mbr))
        }
        (Some((_, mbr)), Some((sector, gpt))) if mbr.protective => {
            let mut chosen = of_gpt(sector, gpt);
            let added = without(mbr.entries, &chosen.entries);
            chosen.problems.extend(mbr.problems);
            chosen.facts.extend(statuses(&mbr.statuses));
            if !added.is_empty() {
                chosen.scheme = Scheme::Hybrid;
                let count = added.len();
                chosen
                    .facts
                    .push(format!("The disk has a GPT, and its MBR names {count} more partitions. All were read."));
                chosen.entries.extend(added);
            }
            Some(chosen)
        }
        (Some((mbr_sector, mbr)), Some((sector, gpt))) if mbr.used > 0 => {
            if leads(&gpt.entries) && !leads(&mbr.entries) {
                let mut chosen = of_gpt(sector, gpt);
                chosen.others = without(mbr.entries, &chosen.entries);
                let fact =
                    "The MBR does not announce the GPT, and its partitions hold no file system. The GPT was read.";
                chosen.facts.push(fact.to_owned());
                return Some(chosen);
            }
            let mut chosen = of_mbr(mbr_sector, mbr);
            chosen.others = without(gpt.entries, &chosen.entries);
            let fact = "The MBR names partitions and does not announce a GPT, but the disk has a GPT, too, probably \
                        from an earlier use. The MBR was read, and the volumes that only the GPT names.";
            chosen.facts.push(fact.to_owned());
            Some(chosen)
        }
        (_, Some((sector, gpt))) => {
            let mut chosen = of_gpt(sector, gpt);
            chosen
                .facts
                .push("The first sector does not announce the GPT (no protective MBR). The GPT was read.".to_owned());
            Some(chosen)
        }
        (None, None) => None,
    }
}

/// Reads the MBR, whose form is the same for both sector sizes. The size with which more partitions begin with a file
/// system counts; otherwise the size with which more tables of extended partitions are in their places.
fn read_mbr(disk: &Blocks) -> Option<(u64, Mbr)> {
    let fits = |table: &Mbr| {
        let volumes = table.entries.iter().filter(|entry| leads_to_a_volume(disk, entry)).count();
        (volumes, Reverse(table.problems.len()))
    };
    let [small, large] = SECTORS.map(|sector| mbr::read(disk, sector).map(|table| (sector, table)));
    let larger = large.as_ref().map(|(_, table)| fits(table)) > small.as_ref().map(|(_, table)| fits(table));
    if larger { large } else { small }
}

/// Returns whether a partition has known content.
fn leads_to_a_volume(disk: &Blocks, entry: &Entry) -> bool {
    let volume: Blocks = Arc::new(Part::new(Arc::clone(disk), entry.start, entry.size));
    entry.start > 0 && content(&volume).kind != VolumeKind::Unknown
}

/// Returns whether one of the partitions has known content.
pub(super) fn leads(disk: &Blocks, entries: &[Entry]) -> bool {
    entries.iter().any(|entry| leads_to_a_volume(disk, entry))
}

/// Returns the entries whose start none of the others has.
fn without(entries: Vec<Entry>, others: &[Entry]) -> Vec<Entry> {
    entries.into_iter().filter(|entry| others.iter().all(|other| other.start != entry.start)).collect()
}

fn statuses(statuses: &[u8]) -> Option<String> {
    let status = statuses.first()?;
    Some(format!(
        "An entry of the MBR has the status byte {status:#04x} instead of 0 or 0x80. It was read nevertheless."
    ))
}

fn of_mbr(sector: u64, table: Mbr) -> Chosen {
    Chosen {
        scheme: if table.protective { Scheme::Hybrid } else { Scheme::Mbr },
        sector,
        entries: table.entries,
        others: Vec::new(),
        doubtful: !table.problems.is_empty(),
        problems: table.problems,
        facts: statuses(&table.statuses).into_iter().collect(),
    }
}

fn of_gpt(sector: u64, table: Gpt) -> Chosen {
    let mut problems = Vec::new();
    let problem = match table.state {
        State::Sound => None,
        State::Backup => Some(
            Problem::at(sector, "a sound GPT at the beginning of the disk", "a damaged one, or none")
                .advise("its backup at the end of the disk was read; compare both"),
        ),
        State::Damaged => Some(
            Problem::at(sector, "a GPT that matches its checksums", "different checksums, and no sound backup")
                .advise("its partitions were read as listed; copy the disk again"),
        ),
    };
    problems.extend(problem);
    if table.cut {
        problems.push(Problem::at(sector, "a GPT of 1,024 entries at most", "more: the rest was not read"));
    }
    let inverted = (table.inverted > 0)
        .then(|| format!("{} entries of the GPT end before they begin. They hold nothing.", table.inverted));
    Chosen {
        scheme: Scheme::Gpt,
        sector,
        entries: table.entries,
        others: Vec::new(),
        doubtful: table.state == State::Damaged || table.cut,
        problems,
        facts: inverted.into_iter().collect(),
    }
}
