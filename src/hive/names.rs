//! The names in a list of subkeys or values, for looking one up.

use super::cell::{Listing, Name};
use crate::error::Problem;

/// The names that a list holds, and what of it could not be read.
pub(super) struct Names<'h> {
    entries: Vec<Entry<'h>>,
    /// Of the list itself.
    of_list: Vec<Problem>,
    /// Of single entries.
    of_entries: Vec<Problem>,
}

struct Entry<'h> {
    /// Which of the list it is, from 0.
    place: usize,
    offset: u32,
    name: Name<'h>,
}

impl<'h> Names<'h> {
    /// Reads the name of every entry; `read` reads that of the cell at an offset.
    pub(super) fn read(listing: Listing, read: impl Fn(u32) -> Result<Name<'h>, Problem>) -> Self {
        let mut names = Self {
            entries: Vec::with_capacity(listing.offsets.len()),
            of_list: listing.problems,
            of_entries: Vec::new(),
        };
        for (place, offset) in listing.offsets.into_iter().enumerate() {
            match read(offset) {
                Ok(name) => names.entries.push(Entry { place, offset, name }),
                Err(problem) => names.of_entries.push(problem),
            }
        }
        names
    }

    /// Place and offset of each entry that Windows would take for `name`: all of the list are compared.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = (usize, u32)> {
        let wanted: Vec<u16> = name.encode_utf16().collect();
        self.entries.iter().filter(move |entry| entry.name.is(&wanted)).map(|entry| (entry.place, entry.offset))
    }

    /// How many names it holds.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the list itself is whole, so that others count its places alike.
    pub(super) fn is_sound(&self) -> bool {
        self.of_list.is_empty()
    }

    /// Why a name that is not found may yet be there.
    pub(super) fn unread(&self) -> Option<Problem> {
        self.of_entries.last().or(self.of_list.first()).cloned()
    }

    /// All that could not be read.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.of_list.iter().chain(&self.of_entries).cloned().collect()
    }
}
