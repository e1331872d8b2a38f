//! What is known of the volumes of a disk, as data.

use std::fmt;
use std::ops::Range;

use super::kind::VolumeKind;
use super::table::Scheme;
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// How a volume is called within its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VolumeName {
    /// The disk is one volume.
    Whole,
    /// Its place among the partitions of the table, from 1: primary ones of an MBR first, then those of the extended ones;
    /// those of a GPT, then what else a hybrid MBR names.
    Partition(u32),
    /// In no table that holds: where it begins, in bytes from the disk's start.
    Offset(u64),
}

impl fmt::Display for VolumeName {
    /// Writes what stands for it in a locator: `p1`, `o1048576`; nothing for the whole disk.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Partition(number) => write!(f, "p{number}"),
            Self::Offset(offset) => write!(f, "o{offset}"),
        }
    }
}

/// A region of a disk that a table names, or a volume that was found without a table.
#[derive(Clone)]
pub struct Volume {
    /// How it is called.
    pub name: VolumeName,
    /// Where it begins, in bytes from the disk's start.
    pub start: u64,
    /// Its bytes, as the table has them, or else its file system; of a truncated image there are fewer.
    pub size: u64,
    /// Its bytes, as a reader of its file system needs them: with the backup of its boot sector in place of a lost one.
    pub blocks: Blocks,
    /// What it is.
    pub kind: VolumeKind,
    /// What the table says that it is for; empty without a table.
    pub label: String,
    /// Whether the table alone does not lead to its files: it was found by its boot sector, or read by the backup of that.
    pub recovered: bool,
}

/// What a disk holds.
pub struct Table {
    /// The partition table.
    pub scheme: Scheme,
    /// Bytes of a sector, as the table counts them.
    pub sector: u64,
    /// The volumes: those of the table in its order, then those that were found without, by their start.
    pub volumes: Vec<Volume>,
    /// What is damaged or missing.
    pub problems: Vec<Problem>,
    /// What is odd and loses nothing, in sentences.
    pub facts: Vec<String>,
    /// Regions in no volume that were not searched for boot sectors, in bytes from the disk's start: behind the limits, or
    /// unreadable. A problem says so, too, where the table is lost or damaged.
    pub unsearched: Vec<Range<u64>>,
}
