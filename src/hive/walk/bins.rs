//! Reads the hive bins from the first to the last: every cell, in use or free, whether anything refers to it or not.
//!
//! M. Suhanov, "Windows registry file format specification", sections "Hive bin" and "Cell".

use std::ops::Range;

use super::super::cell::in_file;
use super::marks::Marks;
use super::met::{Kind, Met};
use crate::error::Problem;

/// The offset and size of a hive bin are multiples of this many bytes.
const PAGE: u32 = 4096;
/// The bytes of a bin's header. Its cells follow.
const HEADER: u32 = 32;

/// The contents of the hive bins. Bytes include the cells' sizes but not the bins' headers.
#[derive(Default)]
pub(super) struct Bins {
    /// The offsets of the cells in use.
    pub(super) cells: Marks,
    pub(super) allocated_cells: u64,
    pub(super) allocated_bytes: u64,
    pub(super) free_bytes: u64,
    /// Ranges in which cells cannot be distinguished: a bin without its header, what follows a cell of an impossible
    /// size, and bytes that the base block declares beyond the end of the file. In order.
    unreadable: Vec<Range<u32>>,
    pub(super) met: Met,
}

/// Reads the headers of all bins and the sizes of all cells. `declared` is the size of the bins in the base block.
pub(super) fn scan(bytes: &[u8], declared: u32) -> Bins {
    let mut bins = Bins { cells: Marks::new(bytes.len()), ..Bins::default() };
    let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(declared);
    let mut at = 0;
    while at < end {
        let size = match bin_size(bytes, at, end) {
            Ok(size) => size,
            Err(problem) => {
                bins.met.meet(Kind::Bin, || problem);
                let next = (at.saturating_add(PAGE)..end).step_by(PAGE as usize).find(|at| begins_bin(bytes, *at));
                let next = next.unwrap_or(end);
                bins.unreadable.push(at..next);
                at = next;
                continue;
            }
        };
        let bin_end = at.saturating_add(size);
        bins.scan_cells(bytes, at.saturating_add(HEADER)..bin_end);
        at = bin_end;
    }
    if end < declared {
        // The problems of the base block report this.
        bins.unreadable.push(end..declared);
    }
    bins
}

impl Bins {
    fn scan_cells(&mut self, bytes: &[u8], place: Range<u32>) {
        let mut at = place.start;
        while at < place.end {
            let size = dword(bytes, at).unwrap_or(0).cast_signed();
            let length = size.unsigned_abs();
            let next = at.checked_add(length).filter(|next| *next <= place.end);
            let Some(next) = next.filter(|_| length >= 8 && length.is_multiple_of(8)) else {
                self.met.meet(Kind::Bin, || {
                    let rest = place.end.saturating_sub(at);
                    let expected = format!("a cell of a multiple of 8 bytes, at most {rest}");
                    Problem::at(in_file(at), expected, format!("a cell of {length} bytes"))
                });
                self.unreadable.push(at..place.end);
                return;
            };
            if size < 0 {
                self.cells.insert(at);
                self.allocated_cells = self.allocated_cells.saturating_add(1);
                self.allocated_bytes = self.allocated_bytes.saturating_add(length.into());
            } else {
                self.free_bytes = self.free_bytes.saturating_add(length.into());
            }
            at = next;
        }
    }

    /// Returns the number of bytes in which cells cannot be distinguished.
    pub(super) fn unreadable_bytes(&self) -> u64 {
        self.unreadable.iter().fold(0, |sum, range| sum.saturating_add(range.len() as u64))
    }

    /// Returns whether an offset lies in such a range.
    pub(super) fn is_unreadable(&self, offset: u32) -> bool {
        let after = self.unreadable.partition_point(|range| range.start <= offset);
        after.checked_sub(1).and_then(|index| self.unreadable.get(index)).is_some_and(|range| range.contains(&offset))
    }
}

/// Returns the size of the bin at an offset.
fn bin_size(bytes: &[u8], at: u32, end: u32) -> Result<u32, Problem> {
    if !begins_bin(bytes, at) {
        let start = usize::try_from(at).ok().and_then(|at| bytes.get(at..)?.get(..8)).unwrap_or_default();
        let expected = format!("a hive bin: \"hbin\", then its offset {at:#x}");
        return Err(Problem::at(in_file(at), expected, format!("\"{}\"", start.escape_ascii())));
    }
    let size = dword(bytes, at.saturating_add(8)).unwrap_or(0);
    let rest = end.saturating_sub(at);
    if size == 0 || !size.is_multiple_of(PAGE) || size > rest {
        let expected = format!("a hive bin of a multiple of {PAGE} bytes, at most {rest}");
        return Err(Problem::at(in_file(at.saturating_add(8)), expected, format!("{size} bytes")));
    }
    Ok(size)
}

/// Returns whether a valid header of a hive bin is at an offset.
pub(super) fn begins_bin(bytes: &[u8], at: u32) -> bool {
    let Some(header) = usize::try_from(at).ok().and_then(|at| bytes.get(at..)) else { return false };
    header.starts_with(b"hbin") && dword(bytes, at.saturating_add(4)) == Some(at)
}

fn dword(bytes: &[u8], at: u32) -> Option<u32> {
    bytes.get(usize::try_from(at).ok()?..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}
