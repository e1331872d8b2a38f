//! Compares a key with the others in its list: order, names, hints, parents.

use std::cmp::Ordering;

use super::{Frame, Walker};
use crate::error::Problem;
use crate::hive::cell::{Entry, Name, RawKey, in_file};
use crate::hive::walk::Visitor;
use crate::hive::walk::met::Kind;
use crate::hive::walk::names::{has_backslash, has_nul, hint_differs, order};

impl<'h, V: Visitor> Walker<'h, '_, V> {
    /// Checks a key from the list of the last key on the stack. Returns whether its name was compared.
    pub(super) fn check_among_neighbours(&mut self, key: &RawKey<'h>, entry: Entry) -> bool {
        let Some(&Frame { key: ref parent, previous, sorted, start, end, .. }) = self.frames.last() else {
            return false;
        };
        let parent = parent.offset;
        if key.parent != parent {
            self.odd(Kind::Parent, key, || {
                let expected = format!("the key above it as its parent, at {:#x}", in_file(parent));
                (expected, format!("the parent {:#x}", in_file(key.parent)))
            });
        }
        if !self.take_name(key.name) {
            return false;
        }
        if has_nul(key.name) || has_backslash(key.name) {
            self.odd(Kind::Name, key, || {
                ("a name without NUL and backslash".into(), format!("{:?}", key.name.to_string()))
            });
        }
        if let Some((expected, found)) = hint_differs(key.name, entry.hint) {
            self.odd(Kind::Hint, key, || (format!("{expected} in the list, by which Windows finds the key"), found));
        }
        match previous.filter(|_| sorted).map(|previous| order(previous, key.name)) {
            Some(Ordering::Greater) => {
                self.odd(Kind::Order, key, || {
                    let expected = "a list of subkeys in the order of their uppercase names, by which Windows searches";
                    (expected.to_owned(), "a name that belongs further up".to_owned())
                });
                if let Some(frame) = self.frames.last_mut() {
                    frame.sorted = false;
                }
                self.check_unsorted(start, end);
            }
            Some(Ordering::Equal) => self.duplicate("subkey", key.name, key.offset, key),
            _ => {}
        }
        true
    }

    /// Detects duplicate names in an unsorted list, where they need not be adjacent.
    fn check_unsorted(&mut self, start: usize, end: usize) {
        let mut offsets: Vec<u32> =
            self.entries.get(start..end).unwrap_or_default().iter().map(|entry| entry.offset).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let mut names = Vec::with_capacity(offsets.len());
        for offset in offsets {
            let Ok(key) = self.cells.key(offset) else { continue };
            if !self.take_name(key.name) {
                break;
            }
            names.push((key.name, offset));
        }
        for (name, offset) in duplicates(&mut names) {
            if let Ok(key) = self.cells.key(offset) {
                self.duplicate("subkey", name, offset, &key);
            }
        }
    }

    pub(super) fn duplicate(&mut self, what: &str, name: Name<'h>, at: u32, key: &RawKey<'h>) {
        let frames = &self.frames;
        self.met.meet(Kind::Duplicate, || {
            let found = format!("another of that name ({})", super::named(frames, key));
            Problem::at(in_file(at), format!("one {what} named \"{name}\""), found)
        });
    }
}

/// Sorts names, and returns those that occur again.
pub(super) fn duplicates<'h>(names: &mut [(Name<'h>, u32)]) -> Vec<(Name<'h>, u32)> {
    names.sort_by(|a, b| order(a.0, b.0));
    let pairs = names.windows(2).filter_map(|pair| match pair {
        [(first, _), second] if order(*first, second.0) == Ordering::Equal => Some(*second),
        _ => None,
    });
    pairs.collect()
}
