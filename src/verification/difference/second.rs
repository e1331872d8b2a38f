//! The second walk: compares the current hive with the marks of the earlier one.

use std::collections::HashMap;

use super::marks::{Id, KeyMark, Marks, ValueMark, shown_name, shown_path};
use super::trail::Trail;
use super::{Compared, Content, Difference, Kind, MOST_DIFFERENCES, Planned, Retimed};
use crate::error::Problem;
use crate::hive::Hive;
use crate::hive::walk::{Visitor, Walked, WalkedKey, WalkedValue};
use crate::registry::Role;

/// The result of the second walk.
pub(super) struct Found {
    pub(super) compared: Compared,
    /// The contents of the first hive; `met` is set if the second hive also has them.
    pub(super) marks: Marks,
    /// The index of each difference whose contents were different in the first hive.
    pub(super) changed: HashMap<Id, usize>,
}

/// The second walk in progress.
pub(super) struct Second<'p> {
    role: Role,
    trail: Trail,
    planned: &'p Planned,
    found: Found,
}

impl<'p> Second<'p> {
    pub(super) fn new(role: Role, hive: &Hive, marks: Marks, planned: &'p Planned) -> Self {
        let found = Found { compared: Compared::default(), marks, changed: HashMap::new() };
        Self { role, trail: Trail::new(hive), planned, found }
    }

    /// Returns the result, and the problems of what could not be read.
    pub(super) fn finish(self, walked: &Walked, locator: &str) -> (Found, Vec<Problem>) {
        (self.found, self.trail.finish(walked, locator))
    }

    fn retimed(&mut self, key: &WalkedKey<'_, '_>, before: &KeyMark) {
        let compared = &mut self.found.compared;
        if compared.retimed.len() < MOST_DIFFERENCES {
            let (before, after) = (before.last_written, key.last_written());
            compared.retimed.push(Retimed { hive: self.role, key: shown_path(key), before, after });
        } else {
            compared.more_retimed = compared.more_retimed.saturating_add(1);
        }
    }
}

impl Compared {
    /// Adds a difference, and returns its index if it is listed.
    pub(super) fn add(&mut self, difference: impl FnOnce() -> Difference) -> Option<usize> {
        if self.differences.len() >= MOST_DIFFERENCES {
            self.more = self.more.saturating_add(1);
            return None;
        }
        self.differences.push(difference());
        self.differences.len().checked_sub(1)
    }
}

impl Difference {
    /// Returns a difference of a key.
    pub(super) fn of_key(role: Role, kind: Kind, key: &WalkedKey<'_, '_>) -> Self {
        let (value, changed, before, after) = (None, Vec::new(), None, None);
        Self { hive: role, kind, key: shown_path(key), value, changed, before, after }
    }

    /// Returns a difference of a value of a key.
    pub(super) fn of_value(role: Role, kind: Kind, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) -> Self {
        Self { value: Some(shown_name(value)), ..Self::of_key(role, kind, key) }
    }
}

impl Visitor for Second<'_> {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        let id = self.trail.key(key);
        let Some((id, mark)) = id.zip(self.trail.mark(key)) else { return };
        let Some(before) = self.found.marks.keys.get_mut(&id) else {
            if !self.planned.keys.contains(&id) {
                self.found.compared.add(|| Difference::of_key(self.role, Kind::KeyAdded, key));
            }
            return;
        };
        before.met = true;
        let before = *before;
        let changed = before.changes(&mark);
        if !changed.is_empty() {
            let difference = Difference { changed, ..Difference::of_key(self.role, Kind::KeyChanged, key) };
            self.found.compared.add(|| difference);
        }
        if before.last_written != mark.last_written {
            self.retimed(key, &before);
        }
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        let Some(id) = self.trail.value(value) else { return };
        let planned = self.planned.values.contains(&id);
        let kind = match self.found.marks.values.get_mut(&id) {
            None => Kind::ValueAdded,
            Some(before) => {
                before.met = true;
                if before.is_same(&ValueMark::new(value)) {
                    return;
                }
                Kind::ValueChanged
            }
        };
        if planned {
            return;
        }
        let difference =
            || Difference { after: Some(Content::of(value)), ..Difference::of_value(self.role, kind, key, value) };
        let place = self.found.compared.add(difference);
        if let Some(place) = place.filter(|_| kind == Kind::ValueChanged) {
            self.found.changed.insert(id, place);
        }
    }

    fn unreadable(&mut self, _: &WalkedKey<'_, '_>, problem: &dyn Fn() -> Problem) {
        self.trail.tell(problem());
    }

    fn goes_on(&self) -> bool {
        self.trail.goes_on()
    }
}
