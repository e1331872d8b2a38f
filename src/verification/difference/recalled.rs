//! The third walk: visits the earlier hive again, for entries that were removed or that had other contents.

use super::marks::shown_name;
use super::second::Found;
use super::trail::Trail;
use super::{Compared, Content, Difference, Kind, Planned};
use crate::hive::Hive;
use crate::hive::walk::{Visitor, WalkedKey, WalkedValue};
use crate::registry::Role;

/// The third walk in progress.
pub(super) struct Recalled<'p> {
    role: Role,
    trail: Trail,
    planned: &'p Planned,
    found: Found,
}

impl<'p> Recalled<'p> {
    pub(super) fn new(role: Role, hive: &Hive, found: Found, planned: &'p Planned) -> Self {
        Self { role, trail: Trail::new(hive), planned, found }
    }

    pub(super) fn finish(self) -> Compared {
        self.found.compared
    }
}

impl Visitor for Recalled<'_> {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        let Some(id) = self.trail.key(key) else { return };
        if self.found.marks.keys.get(&id).is_some_and(|mark| !mark.met) {
            self.found.compared.add(|| Difference::of_key(self.role, Kind::KeyRemoved, key));
        }
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        let Some(id) = self.trail.value(value) else { return };
        if let Some(&place) = self.found.changed.get(&id) {
            let Some(difference) = self.found.compared.differences.get_mut(place) else { return };
            let before = Content::of(value);
            if let Some(after) = &difference.after {
                let (was, is) = (&before.observed, &after.observed);
                let same_data = (&was.raw, before.size) == (&is.raw, after.size);
                let same_name = difference.value.as_deref() == Some(shown_name(value).as_str());
                let same = [
                    ("name", same_name),
                    ("type", was.datum.data_type == is.datum.data_type),
                    // Only the beginning of long data is compared here. If neither name nor type differs, the data do.
                    ("data", same_data && !(same_name && was.datum.data_type == is.datum.data_type)),
                ];
                difference.changed = same.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect();
            }
            difference.before = Some(before);
        } else if self.found.marks.values.get(&id).is_some_and(|mark| !mark.met) && !self.planned.values.contains(&id) {
            let before = Some(Content::of(value));
            let of = |kind| Difference { before, ..Difference::of_value(self.role, kind, key, value) };
            self.found.compared.add(|| of(Kind::ValueRemoved));
        }
    }

    fn goes_on(&self) -> bool {
        self.trail.goes_on()
    }
}
