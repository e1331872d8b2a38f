//! A partition of a partition table.

use super::label::Label;

/// The most partitions of a table: a table with more is damaged, or made to keep the program busy.
pub(super) const MOST: usize = 1024;

/// A partition, in bytes from the start of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) start: u64,
    pub(super) size: u64,
    pub(super) label: Label,
}
