//! Limits the cost of look-ups in one tree, so that a small hive cannot occupy a reader for hours or fill its memory.
//! Such a hive has lists that name the same long-named keys repeatedly, or values that share one huge cell.

use std::cell::Cell;

use super::cell::in_file;
use crate::error::Problem;

/// The bytes of names that an audit may read, for each byte of the hive. All names of a hive together are no longer
/// than the hive. An audit reads a list several times if the list is too long to keep.
const NAMES_PER_BYTE: usize = 16;
/// Bytes of data that may be read more than once. An audit and its preparation read a few values twice.
const DATA_READ_AGAIN: usize = 16 << 20;
/// The cost of a list entry in addition to its name.
const ENTRY: usize = 4;

/// The remaining bytes of names and of data.
pub(super) struct Budget {
    names: Cell<usize>,
    data: Cell<usize>,
}

impl Budget {
    /// Returns the budget for a hive of `size` bytes.
    pub(super) fn of(size: usize) -> Self {
        Self {
            names: Cell::new(size.saturating_mul(NAMES_PER_BYTE)),
            data: Cell::new(size.saturating_add(DATA_READ_AGAIN)),
        }
    }

    /// Deducts the bytes of a name of the key or value at `offset`.
    pub(super) fn name(&self, offset: u32, bytes: usize) -> Result<(), Problem> {
        take(&self.names, bytes.saturating_add(ENTRY), offset, "names that are together no longer than the hive")
    }

    /// Deducts the bytes of a value's data.
    pub(super) fn data(&self, offset: u32, bytes: usize) -> Result<(), Problem> {
        take(&self.data, bytes, offset, "values that are together no larger than the hive")
    }
}

fn take(left: &Cell<usize>, bytes: usize, offset: u32, expected: &str) -> Result<(), Problem> {
    match left.get().checked_sub(bytes) {
        Some(rest) => {
            left.set(rest);
            Ok(())
        }
        None => Err(Problem::at(in_file(offset), expected, "more; this one was not read")),
    }
}
