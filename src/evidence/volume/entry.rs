//! A partition as a table has it.

use super::label::Label;

/// A table with more partitions than this is damaged, or made to keep the program busy.
pub(super) const MOST: usize = 1024;

/// A partition, in bytes from the start of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) start: u64,
    pub(super) size: u64,
    pub(super) label: Label,
}
