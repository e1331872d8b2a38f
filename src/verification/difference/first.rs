//! The first walk: stores a mark for each key and value of the earlier hive.

use super::marks::{Marks, ValueMark};
use super::trail::Trail;
use crate::error::Problem;
use crate::hive::Hive;
use crate::hive::walk::{Visitor, Walked, WalkedKey, WalkedValue};

/// The result of the first walk so far.
pub(super) struct First {
    trail: Trail,
    marks: Marks,
}

impl First {
    pub(super) fn new(hive: &Hive) -> Self {
        Self { trail: Trail::new(hive), marks: Marks::default() }
    }

    /// Returns the marks, and the problems of what could not be read.
    pub(super) fn finish(self, walked: &Walked, locator: &str) -> (Marks, Vec<Problem>) {
        (self.marks, self.trail.finish(walked, locator))
    }
}

impl Visitor for First {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        let id = self.trail.key(key);
        if let Some((id, mark)) = id.zip(self.trail.mark(key)) {
            self.marks.keys.insert(id, mark);
        }
    }

    fn value(&mut self, _: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        if let Some(id) = self.trail.value(value) {
            self.marks.values.insert(id, ValueMark::new(value));
        }
    }

    fn unreadable(&mut self, _: &WalkedKey<'_, '_>, problem: &dyn Fn() -> Problem) {
        self.trail.tell(problem());
    }

    fn goes_on(&self) -> bool {
        self.trail.goes_on()
    }
}
