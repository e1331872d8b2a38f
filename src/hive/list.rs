//! The values of a key whose whole list was rewritten: in order, and found by name in two ways.

use std::collections::{BTreeMap, BTreeSet};

use crate::reg_file::hivex_names::lower_units;
use crate::registry::{Name, RegistryValue};

/// A value of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The name as spelled, in UTF-16 units.
    pub(super) name: Vec<u16>,
    /// The type and the data.
    pub(super) value: RegistryValue,
}

/// The list. Two of its values may have the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    entries: BTreeMap<usize, Listed>,
    /// Positions by name, compared as Windows does.
    named: BTreeMap<Name, BTreeSet<usize>>,
    /// Positions by name, compared as hivexregedit does.
    lower: BTreeMap<Vec<char>, BTreeSet<usize>>,
}

impl List {
    /// Returns the values in order.
    pub(super) fn values(&self) -> impl Iterator<Item = &Listed> {
        self.entries.values()
    }

    /// Adds a value at the end.
    pub(super) fn push(&mut self, entry: Listed) {
        let place = self.entries.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        self.named.entry(Name::of_units(entry.name.iter().copied())).or_default().insert(place);
        // A list that hivexregedit wrote has only names that can be lower-cased.
        self.lower.entry(lower_units(&entry.name).unwrap_or_default()).or_default().insert(place);
        self.entries.insert(place, entry);
    }

    /// Removes the value at a position.
    pub(super) fn remove(&mut self, place: usize) {
        let Some(entry) = self.entries.remove(&place) else { return };
        if let Some(places) = self.named.get_mut(&Name::of_units(entry.name.iter().copied())) {
            places.remove(&place);
        }
        if let Some(places) = self.lower.get_mut(&lower_units(&entry.name).unwrap_or_default()) {
            places.remove(&place);
        }
    }

    /// Returns the value at a position.
    pub(super) fn get(&self, place: usize) -> Option<&Listed> {
        self.entries.get(&place)
    }

    /// Returns the positions of the values that have this name to Windows, in order.
    pub(super) fn named(&self, name: &Name) -> impl Iterator<Item = usize> {
        self.named.get(name).into_iter().flatten().copied()
    }

    /// Returns the positions of the values whose name equals this lower-case name to hivexregedit.
    pub(super) fn looking_like(&self, lower: &[char]) -> impl Iterator<Item = usize> {
        self.lower.get(lower).into_iter().flatten().copied()
    }

    /// Sets or deletes the first value that has this name to Windows.
    pub(super) fn edit(&mut self, name: &[u16], value: Option<RegistryValue>) {
        let place = self.named(&Name::of_units(name.iter().copied())).next();
        match (place, value) {
            (Some(place), Some(value)) => {
                if let Some(entry) = self.entries.get_mut(&place) {
                    entry.value = value;
                }
            }
            (None, Some(value)) => self.push(Listed { name: name.to_vec(), value }),
            (Some(place), None) => self.remove(place),
            (None, None) => {}
        }
    }
}
