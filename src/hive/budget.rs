//! What look-ups in one tree may cost, so that a small hive cannot keep a reader busy for hours or fill its memory: by
//! lists that name the same long-named keys again and again, or values that share one huge cell.

use std::cell::Cell;

use super::cell::in_file;
use crate::error::Problem;

/// Names that an audit may read, in bytes for each byte of the hive. All names of a hive together are no longer than
/// it; an audit comes by the same list several times where it is too long to be kept.
const NAMES_PER_BYTE: usize = 16;
/// Bytes of data that may be read more than once: an audit and the questions before it read a few values twice.
const DATA_READ_AGAIN: usize = 16 << 20;
/// What a list entry costs, however short its name is.
const ENTRY: usize = 4;

/// What is left to be read of names and of data, in bytes.
pub(super) struct Budget {
    names: Cell<usize>,
    data: Cell<usize>,
}

impl Budget {
    /// Returns the budget for a hive of that size.
    pub(super) fn of(size: usize) -> Self {
        Self {
            names: Cell::new(size.saturating_mul(NAMES_PER_BYTE)),
            data: Cell::new(size.saturating_add(DATA_READ_AGAIN)),
        }
    }

    /// Takes the bytes of a name, of the key or value at `offset`.
    pub(super) fn name(&self, offset: u32, bytes: usize) -> Result<(), Problem> {
        take(&self.names, bytes.saturating_add(ENTRY), offset, "names no longer than the hive together")
    }

    /// Takes the bytes of a value's data.
    pub(super) fn data(&self, offset: u32, bytes: usize) -> Result<(), Problem> {
        take(&self.data, bytes, offset, "values no larger than the hive together")
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
