//! The values of a key that a baseline names, and the entries that its closed lists do not name.

use std::collections::{BTreeMap, BTreeSet};

use super::Observed;
use crate::baseline::ExpectedKey;
use crate::error::Problem;
use crate::hive::{Key, NamedValue};
use crate::registry::{FileTime, Name};

/// If the baseline names more values of a key than this, the key's list is read once for all of them.
const MANY: usize = 16;

/// A subkey that no key of the baseline names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnamed {
    /// Its name, in the hive's own letter case.
    pub name: String,
    /// Its path in the hive.
    pub path: String,
    /// When it was last written.
    pub last_written: FileTime,
}

/// Returns the observation of each value that the baseline names in this key, in its order.
pub(super) fn values(expected: &ExpectedKey, key: &Key<'_, '_>) -> Vec<Observed> {
    if expected.values.len() <= MANY {
        return expected.values.iter().map(|value| Observed::of(key, &value.name)).collect();
    }
    let mut stored: BTreeMap<Name, NamedValue> = BTreeMap::new();
    let mut lost = false;
    for value in key.values() {
        match value {
            // Of several values with one name Windows uses the first.
            Ok(value) => _ = stored.entry(value.name.as_str().into()).or_insert(value),
            Err(_) => lost = true,
        }
    }
    let wanted = expected.values.iter().map(|value| (&value.name, stored.get(&value.name.as_str().into())));
    let observe = |(name, value): (&String, Option<&NamedValue>)| match value {
        Some(value) => Observed::Present(value.clone()),
        None if lost => Observed::of(key, name),
        None => Observed::Absent,
    };
    wanted.map(observe).collect()
}

/// Returns the values that a closed list does not name, and why some of them cannot be listed.
pub(super) fn others(expected: &ExpectedKey, key: &Key<'_, '_>) -> (Vec<NamedValue>, Option<Problem>) {
    if !expected.closed {
        return (Vec::new(), None);
    }
    let named: BTreeSet<Name> = expected.values.iter().map(|value| value.name.as_str().into()).collect();
    let (mut others, mut lost) = (Vec::new(), None);
    for value in key.values() {
        match value {
            Ok(value) => {
                let name = Name::from(value.name.as_str());
                if !named.contains(&name) && !expected.beside.contains(&name) {
                    others.push(value);
                }
            }
            Err(problem) => lost = lost.or(Some(problem)),
        }
    }
    (others, lost)
}

/// Returns the subkeys that a closed list does not name, and why some of them cannot be listed.
pub(super) fn unnamed(expected: &ExpectedKey, key: &Key<'_, '_>) -> (Vec<Unnamed>, Option<Problem>) {
    let Some(named) = &expected.subkeys else { return (Vec::new(), None) };
    let (subkeys, problems) = key.subkeys();
    let unknown = subkeys.iter().filter(|subkey| !named.contains(&subkey.name().as_str().into()));
    let unnamed = unknown.map(|subkey| Unnamed {
        name: subkey.name(),
        path: subkey.path().to_owned(),
        last_written: subkey.last_written(),
    });
    (unnamed.collect(), problems.into_iter().next())
}
