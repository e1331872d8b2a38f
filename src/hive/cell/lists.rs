//! Lists: the subkeys and the values of a key.

use super::{Cells, NIL, RawKey, dword, in_file, word};
use crate::error::Problem;

/// The least bytes of a key node and its cell size. A list with more subkeys than fit into the hive repeats some of
/// them. Such a list is hostile and is not read to its end.
const SMALLEST_KEY: usize = 80;
/// The least bytes of a value's record and its cell size.
const SMALLEST_VALUE: usize = 24;

/// A subkey in a list.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) offset: u32,
    pub(crate) hint: Hint,
}

/// The part of a subkey's name in a list, so that Windows need not read each name.
#[derive(Clone, Copy)]
pub(crate) enum Hint {
    /// No hint (`li`).
    None,
    /// The first four characters (`lf`).
    Start([u8; 4]),
    /// The hash (`lh`).
    Hash(u32),
}

/// Receives a list of subkeys while it is read.
pub(crate) trait Reader {
    /// Returns whether to read the next entry; `false` stops reading.
    fn step(&mut self) -> bool;
    /// Receives a cell that is part of the list.
    fn cell(&mut self, _offset: u32) {}
    /// Receives a subkey, in the list's order.
    fn subkey(&mut self, entry: Entry);
    /// Receives a problem: a part of the list that could not be read.
    fn problem(&mut self, problem: Problem);
}

/// The offsets in a list, and the parts that could not be read.
pub(crate) struct Listing {
    pub(crate) offsets: Vec<u32>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads a list of subkeys as far as it is valid.
struct Listed {
    listing: Listing,
    /// The remaining entries, including those of lists of lists.
    steps_left: usize,
}

impl Reader for Listed {
    fn step(&mut self) -> bool {
        let left = self.steps_left.checked_sub(1);
        self.steps_left = left.unwrap_or(0);
        left.is_some()
    }

    fn subkey(&mut self, entry: Entry) {
        self.listing.offsets.push(entry.offset);
    }

    fn problem(&mut self, problem: Problem) {
        self.listing.problems.push(problem);
    }
}

impl<'h> Cells<'h> {
    /// Returns the offsets of a key's subkeys, in the list's order.
    pub(crate) fn subkeys(&self, key: &RawKey<'h>) -> Listing {
        // A list of lists has an entry for each list, and each list has at least one entry for a subkey.
        let steps_left = (self.bytes.len() / SMALLEST_KEY).saturating_mul(2);
        let mut listed = Listed { listing: Listing { offsets: Vec::new(), problems: Vec::new() }, steps_left };
        self.read_subkeys(key, &mut listed);
        let mut listing = listed.listing;
        if listing.problems.is_empty() && u32::try_from(listing.offsets.len()) != Ok(key.subkey_count) {
            listing.problems.push(Problem::at(
                in_file(key.offset),
                format!("{} subkeys, as the key node says", key.subkey_count),
                format!("a list of {}", listing.offsets.len()),
            ));
        }
        listing
    }

    /// Reads the list of a key's subkeys.
    pub(crate) fn read_subkeys(&self, key: &RawKey<'h>, reader: &mut impl Reader) {
        // A count of 0 is an empty list, whatever the offset is: Windows leaves stale offsets.
        if key.subkey_count > 0 {
            self.subkey_list(key.subkey_list, true, reader);
        }
    }

    /// Reads one list, and for a list of lists also those in it. Returns `false` if the reader stopped.
    fn subkey_list(&self, offset: u32, may_be_root: bool, reader: &mut impl Reader) -> bool {
        let cell = match self.cell(offset, "a list of subkeys") {
            Ok(cell) => cell,
            Err(problem) => {
                reader.problem(problem);
                return true;
            }
        };
        let count = usize::from(word(cell, 2).unwrap_or(0));
        let signature = cell.get(..2).unwrap_or_default();
        let entry_size = match signature {
            b"lf" | b"lh" => 8,
            b"li" => 4,
            b"ri" if may_be_root => 4,
            _ => {
                let found = format!("the signature \"{}\"", signature.escape_ascii());
                reader.problem(Problem::at(in_file(offset), "a list of subkeys (lf, lh, li, ri)", found));
                return true;
            }
        };
        reader.cell(offset);
        let entries = cell.get(4..).unwrap_or_default().chunks_exact(entry_size);
        if entries.len() < count {
            let expected = format!("a list of {count} subkeys");
            reader.problem(Problem::at(in_file(offset), expected, format!("room for {}", entries.len())));
        }
        for entry in entries.take(count) {
            let target = dword(entry, 0).unwrap_or(NIL);
            if !reader.step() {
                let found = "more; the rest was not read";
                reader.problem(Problem::at(in_file(offset), "as many subkeys as a key can have", found));
                return false;
            }
            let hint = match (signature, entry.last_chunk()) {
                (b"ri", _) => {
                    if self.subkey_list(target, false, reader) {
                        continue;
                    }
                    return false;
                }
                (b"lf", Some(start)) => Hint::Start(*start),
                (b"lh", Some(hash)) => Hint::Hash(u32::from_le_bytes(*hash)),
                _ => Hint::None,
            };
            reader.subkey(Entry { offset: target, hint });
        }
        true
    }

    /// Returns the offsets of a key's values, in the list's order.
    pub(crate) fn values(&self, key: &RawKey<'h>) -> Listing {
        let (mut entries, mut problem) = self.value_entries(key);
        let most = self.bytes.len() / SMALLEST_VALUE;
        if let Some(first) = entries.get(..most) {
            let found = format!("{}; the rest was not read", entries.len());
            let expected = format!("no more than the {most} values that have room in the hive");
            problem.get_or_insert_with(|| Problem::at(in_file(key.value_list), expected, found));
            entries = first;
        }
        let offsets = entries.iter().map(|entry| u32::from_le_bytes(*entry)).collect();
        Listing { offsets, problems: problem.into_iter().collect() }
    }

    /// Returns the stored list of a key's values, one offset each, and the part that could not be read.
    pub(crate) fn value_entries(&self, key: &RawKey<'h>) -> (&'h [[u8; 4]], Option<Problem>) {
        if key.value_count == 0 {
            return (&[], None);
        }
        let cell = match self.cell(key.value_list, "a list of values") {
            Ok(cell) => cell,
            Err(problem) => return (&[], Some(problem)),
        };
        let entries = cell.as_chunks::<4>().0;
        let count = usize::try_from(key.value_count).unwrap_or(usize::MAX);
        if let Some(entries) = entries.get(..count) {
            return (entries, None);
        }
        let found = format!("room for {}", entries.len());
        (entries, Some(Problem::at(in_file(key.value_list), format!("a list of {count} values"), found)))
    }
}
