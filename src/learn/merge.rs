//! Merges the keys and values of several hives.

use std::collections::BTreeMap;

use super::gather::GatheredKey;
use crate::registry::{DataType, Name, RegistryValue, upcase};

/// The keys of all hives, parents before their subkeys.
pub(super) struct Merged {
    hives: usize,
    keys: BTreeMap<Order, MergedKey>,
}

/// A path in a form that sorts a key's subkeys directly after it: the separator precedes every letter.
type Order = Vec<u32>;

/// A key that some of the hives have.
pub(super) struct MergedKey {
    /// The path in the spelling of the first hive.
    pub(super) path: String,
    /// The hives that have it.
    pub(super) seen: Vec<bool>,
    /// The target, in the hives where the key is a link.
    pub(super) link: Option<String>,
    /// Its values, in the order in which they were found.
    pub(super) values: Vec<MergedValue>,
    by_name: BTreeMap<Name, usize>,
}

/// A value that some of the hives have.
pub(super) struct MergedValue {
    /// The name in the spelling of the first hive.
    pub(super) name: String,
    /// The number of hives that have it.
    pub(super) seen: usize,
    last: usize,
    /// The data without duplicates, in the order of the hives.
    pub(super) data: Vec<RegistryValue>,
}

fn order(path: &str) -> Order {
    let place = |unit: u16| if unit == u16::from(b'\\') { 0 } else { u32::from(upcase(unit)).saturating_add(1) };
    path.encode_utf16().map(place).collect()
}

impl Merged {
    /// Returns an empty result for this many hives.
    pub(super) fn new(hives: usize) -> Self {
        Self { hives, keys: BTreeMap::new() }
    }

    /// Returns the number of keys.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &MergedKey> {
        self.keys.values()
    }

    /// Returns the parent of a key, if it was gathered.
    pub(super) fn parent_of(&self, key: &MergedKey) -> Option<&MergedKey> {
        if key.path.is_empty() {
            return None;
        }
        let (parent, _) = key.path.rsplit_once('\\').unwrap_or_default();
        self.keys.get(&order(parent))
    }

    /// Adds the contents of a hive. Of duplicate keys and values the first is used, as in Windows.
    pub(super) fn add(&mut self, hive: usize, keys: Vec<GatheredKey>) {
        for GatheredKey { path, is_link, values } in keys {
            let key = self.keys.entry(order(&path)).or_insert_with(|| MergedKey {
                path,
                seen: vec![false; self.hives],
                link: None,
                values: Vec::new(),
                by_name: BTreeMap::new(),
            });
            match key.seen.get_mut(hive) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            for (name, data) in values {
                if is_link && data.data_type == DataType::LINK && key.link.is_none() {
                    key.link = target(&data);
                }
                key.add(hive, name, data);
            }
        }
    }
}

impl MergedKey {
    fn add(&mut self, hive: usize, name: String, data: RegistryValue) {
        let at = *self.by_name.entry(name.as_str().into()).or_insert(self.values.len());
        if at == self.values.len() {
            self.values.push(MergedValue { name, seen: 1, last: hive, data: vec![data] });
            return;
        }
        if let Some(value) = self.values.get_mut(at).filter(|value| value.last != hive) {
            value.seen = value.seen.saturating_add(1);
            value.last = hive;
            if !value.data.contains(&data) {
                value.data.push(data);
            }
        }
    }

    /// Returns the number of hives that have the key.
    pub(super) fn count(&self) -> usize {
        self.seen.iter().filter(|seen| **seen).count()
    }
}

/// Returns the target of a link. The data have no NUL at their end.
fn target(data: &RegistryValue) -> Option<String> {
    let units: Vec<u16> = data.bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16(&units).ok()
}
