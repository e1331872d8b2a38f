//! What several hives have, side by side.

use std::collections::BTreeMap;

use super::gather::GatheredKey;
use crate::registry::{DataType, Name, RegistryValue, upcase};

/// The keys of all hives, parents before their subkeys.
pub(super) struct Merged {
    hives: usize,
    keys: BTreeMap<Order, MergedKey>,
}

/// A path in an order in which a key's subkeys follow it at once: the separator comes before every letter.
type Order = Vec<u32>;

/// A key, as some of the hives have it.
pub(super) struct MergedKey {
    /// As the first hive spells it.
    pub(super) path: String,
    /// The hives that have it.
    pub(super) seen: Vec<bool>,
    /// Where it leads, in the hives in which it is a link.
    pub(super) link: Option<String>,
    /// Its values, in the order in which they were found.
    pub(super) values: Vec<MergedValue>,
    by_name: BTreeMap<Name, usize>,
}

/// A value, as some of the hives have it.
pub(super) struct MergedValue {
    /// As the first hive spells it.
    pub(super) name: String,
    /// How many hives have it.
    pub(super) seen: usize,
    last: usize,
    /// The data, each once, in the order of the hives.
    pub(super) data: Vec<RegistryValue>,
}

fn order(path: &str) -> Order {
    let place = |unit: u16| if unit == u16::from(b'\\') { 0 } else { u32::from(upcase(unit)).saturating_add(1) };
    path.encode_utf16().map(place).collect()
}

impl Merged {
    /// Nothing yet, of so many hives.
    pub(super) fn new(hives: usize) -> Self {
        Self { hives, keys: BTreeMap::new() }
    }

    /// Returns how many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &MergedKey> {
        self.keys.values()
    }

    /// Returns whether the parent of a key is among them, and which hives have it.
    pub(super) fn parent_of(&self, key: &MergedKey) -> Option<&MergedKey> {
        if key.path.is_empty() {
            return None;
        }
        let (parent, _) = key.path.rsplit_once('\\').unwrap_or_default();
        self.keys.get(&order(parent))
    }

    /// Adds what a hive has. Of keys and values that are there twice the first counts, as Windows has it.
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

    /// Returns how many hives have it.
    pub(super) fn count(&self) -> usize {
        self.seen.iter().filter(|seen| **seen).count()
    }
}

/// Returns where a link leads; the data have no NUL at their end.
fn target(data: &RegistryValue) -> Option<String> {
    let units: Vec<u16> = data.bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16(&units).ok()
}
