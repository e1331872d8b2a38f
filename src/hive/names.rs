//! The names in a list of subkeys or values, for look-ups.

use std::cell::{Cell, OnceCell};

use super::cell::{Listing, Name};
use crate::error::Problem;
use crate::registry::upcase;

/// The sums of the names in a list, and the parts that could not be read. Sums distinguish most names, so a key node is
/// read again only if the sums are equal.
pub(super) struct Names {
    /// The entries in the list's order; `None` for an entry that could not be read.
    entries: Vec<Option<Entry>>,
    /// Problems of the list itself.
    of_list: Vec<Problem>,
    /// Problems of single entries.
    of_entries: Vec<Problem>,
    /// The first entry whose name is not well-formed UTF-16.
    malformed: Option<usize>,
    /// Entries with a NUL in their names.
    with_nul: Vec<usize>,
    /// The number of look-ups so far, up to [`FEW`].
    looked_up: Cell<u8>,
    /// The sum and the position of each entry that could be read, sorted. Made only for many look-ups.
    by_sum: OnceCell<Vec<(u32, usize)>>,
}

/// The most unreadable entries that are reported one by one. A list may have a million.
const MOST_TOLD: usize = 100;
/// The look-ups that pass over the whole list. Sorting it takes as long as a few of them.
const FEW: u8 = 16;

struct Entry {
    offset: u32,
    sum: u32,
}

impl Names {
    /// Reads the name of every entry. `read` reads the name in the cell at an offset.
    pub(super) fn read<'h>(listing: Listing, read: impl Fn(u32) -> Result<Name<'h>, Problem>) -> Self {
        let mut of_entries = Vec::new();
        let (mut malformed, mut with_nul) = (None, Vec::new());
        let entry = |(place, offset)| match read(offset) {
            Ok(name) => {
                // A name with one byte per unit is always well-formed.
                let is_wide = matches!(name, Name::Utf16(_));
                if is_wide && malformed.is_none() && char::decode_utf16(name.units()).any(|unit| unit.is_err()) {
                    malformed = Some(place);
                }
                if name.units().any(|unit| unit == 0) {
                    with_nul.push(place);
                }
                Some(Entry { offset, sum: sum(name.units()) })
            }
            Err(problem) => {
                if of_entries.len() < MOST_TOLD {
                    of_entries.push(problem);
                }
                None
            }
        };
        let entries = listing.offsets.into_iter().enumerate().map(entry).collect();
        let (looked_up, by_sum) = (Cell::new(0), OnceCell::new());
        Self { entries, of_list: listing.problems, of_entries, malformed, with_nul, looked_up, by_sum }
    }

    /// Returns the position and offset of each entry that may have this name. All entries with the name are among them.
    pub(super) fn like(&self, name: &str) -> impl Iterator<Item = (usize, u32)> {
        self.like_units(name.encode_utf16())
    }

    /// Returns the same as `like`, for a name in UTF-16 units.
    pub(super) fn like_units(&self, name: impl Iterator<Item = u16>) -> impl Iterator<Item = (usize, u32)> {
        let wanted = sum(name);
        let (passed, sorted) = match self.by_sum() {
            None => (self.entries.as_slice(), [].as_slice()),
            Some(by_sum) => {
                let alike = by_sum.get(by_sum.partition_point(|(sum, _)| *sum < wanted)..).unwrap_or_default();
                (&[][..], alike.get(..alike.partition_point(|(sum, _)| *sum == wanted)).unwrap_or_default())
            }
        };
        let passed = passed.iter().enumerate().filter_map(move |(place, entry)| match entry {
            Some(entry) if entry.sum == wanted => Some((place, entry.offset)),
            _ => None,
        });
        let sorted = sorted.iter().filter_map(|&(_, place)| Some((place, self.entries.get(place)?.as_ref()?.offset)));
        passed.chain(sorted)
    }

    /// Returns the positions by sum after a few look-ups, so that N look-ups in a list of N names do not compare N * N
    /// sums.
    fn by_sum(&self) -> Option<&[(u32, usize)]> {
        if self.looked_up.get() < FEW {
            self.looked_up.set(self.looked_up.get().saturating_add(1));
            return None;
        }
        let by_sum = self.by_sum.get_or_init(|| {
            let entries = self.entries.iter().enumerate();
            let mut by_sum: Vec<_> = entries.filter_map(|(place, entry)| Some((entry.as_ref()?.sum, place))).collect();
            by_sum.sort_unstable();
            by_sum
        });
        Some(by_sum)
    }

    /// Returns the position and offset of each entry that could be read.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, u32)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(place, entry)| entry.as_ref().map(|entry| (place, entry.offset)))
    }

    /// Returns the position and offset of each entry with a NUL in its name.
    pub(super) fn with_nul(&self) -> impl Iterator<Item = (usize, u32)> {
        let offset = |place: usize| self.entries.get(place)?.as_ref().map(|entry| entry.offset);
        self.with_nul.iter().filter_map(move |&place| Some((place, offset(place)?)))
    }

    /// Returns the position of the first entry whose name is not well-formed UTF-16.
    pub(super) fn malformed(&self) -> Option<usize> {
        self.malformed
    }

    /// Returns the number of entries in the list.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the list itself is intact, so that other readers count its positions alike.
    pub(super) fn is_sound(&self) -> bool {
        self.of_list.is_empty()
    }

    /// Returns why a name that was not found may still exist.
    pub(super) fn unread(&self) -> Option<Problem> {
        self.of_entries.last().or(self.of_list.first()).cloned()
    }

    /// Returns all problems of the list and its entries.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.of_list.iter().chain(&self.of_entries).cloned().collect()
    }
}

/// Returns the sum that an `lh` list should store for this name. The stored sum may be wrong.
fn sum(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0, |sum: u32, unit| sum.wrapping_mul(37).wrapping_add(upcase(unit).into()))
}
