//! The volumes of a disk, as data.

use std::fmt;
use std::ops::Range;

use super::kind::VolumeKind;
use super::table::Scheme;
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// The name of a volume within its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VolumeName {
    /// The disk is one volume.
    Whole,
    /// A partition of the table, by its number from 1. MBR: primary partitions first, then those in extended ones. GPT:
    /// its partitions, then those that only a hybrid MBR names.
    Partition(u32),
    /// A volume in no valid table: its start, in bytes from the disk's start.
    Offset(u64),
}

impl fmt::Display for VolumeName {
    /// Writes the volume's step in a locator: `p1`, `o1048576`; nothing for the whole disk.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Partition(number) => write!(f, "p{number}"),
            Self::Offset(offset) => write!(f, "o{offset}"),
        }
    }
}

/// A region of a partition table, or a volume that was found without a table.
#[derive(Clone)]
pub struct Volume {
    /// The name within the disk.
    pub name: VolumeName,
    /// The start, in bytes from the disk's start.
    pub start: u64,
    /// The size in bytes, by the table, otherwise by its file system; a truncated image contains fewer.
    pub size: u64,
    /// The bytes for a reader of its file system: the backup replaces a lost boot sector.
    pub blocks: Blocks,
    /// The kind of volume.
    pub kind: VolumeKind,
    /// The partition's type in the table; empty without a table.
    pub label: String,
    /// Whether the table alone does not lead to its files: its boot sector or the backup of one was needed.
    pub recovered: bool,
}

/// The content of a disk.
pub struct Table {
    /// The kind of partition table.
    pub scheme: Scheme,
    /// Bytes of a sector, as the table counts.
    pub sector: u64,
    /// The volumes: those in the table in its order, then those found without it, by their start.
    pub volumes: Vec<Volume>,
    /// Damaged or missing structures.
    pub problems: Vec<Problem>,
    /// Oddities that lose nothing, in sentences.
    pub facts: Vec<String>,
    /// Regions outside volumes that were not searched for boot sectors, in bytes from the disk's start: beyond the
    /// limits, or unreadable. If the table is missing or damaged, a problem reports them too.
    pub unsearched: Vec<Range<u64>>,
}
