//! Closed lists: the values and subkeys that a baseline names for a key. All others are unexpected.

use std::collections::{BTreeMap, BTreeSet};

use super::{Baseline, ExpectedKey, Presence};
use crate::registry::{Name, Role};

/// The names that a baseline states at one path.
#[derive(Default)]
struct Stated {
    values: BTreeSet<Name>,
    subkeys: BTreeSet<Name>,
}

impl Baseline {
    /// Adds to each key with a closed list what other rows name there. The time grows with the length of the paths.
    pub(super) fn close_lists(&mut self) {
        if !self.keys.iter().any(|key| key.closed || key.subkeys.is_some()) {
            return;
        }
        let mut stated: BTreeMap<(Role, Name), Stated> = BTreeMap::new();
        for key in &self.keys {
            let mut path = key.path.as_str();
            let own = stated.entry((key.role, path.into())).or_default();
            if key.each_subkey.is_none() {
                own.values.extend(key.values.iter().map(|value| Name::from(value.name.as_str())));
            }
            // A closed list does not name a key that should not exist.
            if key.presence == Presence::Absent {
                continue;
            }
            // Up to the hive's root, whose path is empty.
            while !path.is_empty() {
                let (parent, name) = path.rsplit_once('\\').unwrap_or(("", path));
                let is_new = stated.entry((key.role, parent.into())).or_default().subkeys.insert(name.into());
                if !is_new {
                    break;
                }
                path = parent;
            }
        }
        for key in self.keys.iter_mut().filter(|key| key.closed || key.subkeys.is_some()) {
            let Some(stated) = stated.get(&key.place()) else { continue };
            if key.closed && key.each_subkey.is_none() {
                key.beside.clone_from(&stated.values);
            }
            if let Some(subkeys) = &mut key.subkeys {
                subkeys.clone_from(&stated.subkeys);
            }
        }
    }
}

impl ExpectedKey {
    /// Returns the place of the key. Two keys with the same place are one key.
    pub(super) fn place(&self) -> (Role, Name) {
        (self.role, self.path.as_str().into())
    }
}
