//! Edits laid over a tree: what a `.reg` file would make of a hive, in memory, without a byte of it written.
//!
//! What regedit does with keys and values: a key is made with all keys above it; a value is set whatever it was, under
//! the name that it has already; a key is deleted with everything below it, and when it is made again it is empty.
//! Names are compared as Windows compares them.

use std::collections::BTreeMap;

use crate::registry::{RegistryValue, upcase};

/// Edits of one hive. A [`super::Tree`] with an overlay shows the hive as they leave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    pub(super) root: Node,
}

/// What becomes of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// The name as it was spelled, in UTF-16LE.
    pub(super) name: Vec<u8>,
    /// Whether everything that the hive has of this key is gone.
    pub(super) bare: bool,
    /// Whether the key is there although the hive may not have it.
    pub(super) made: bool,
    /// By upper-case name.
    values: BTreeMap<Vec<u16>, Edited>,
    subkeys: BTreeMap<Vec<u16>, Node>,
}

/// What becomes of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edited {
    /// The name as it was spelled.
    pub(super) name: Vec<u16>,
    /// `None` where it is deleted.
    pub(super) value: Option<RegistryValue>,
    /// Whether it was deleted in between: then it is a new value, under the new spelling of its name.
    pub(super) anew: bool,
}

impl Overlay {
    /// Whether nothing was edited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Makes the key at `path`, names from the hive's root, and every key above it that is missing.
    pub fn create_key(&mut self, path: &[Vec<u16>]) {
        self.made(path);
    }

    /// Deletes the key at `path` with everything below it; where it is not there nothing changes. A hive's root loses
    /// all that is in it, and stays.
    pub fn delete_key(&mut self, path: &[Vec<u16>]) {
        let is_root = path.is_empty();
        let node = path.iter().fold(&mut self.root, |node, name| node.below(name));
        *node = Node { name: std::mem::take(&mut node.name), bare: true, made: is_root, ..Node::default() };
    }

    /// Sets a value, and makes its key where it is missing. `name` in UTF-16 units, empty for the default value.
    pub fn set_value(&mut self, path: &[Vec<u16>], name: &[u16], value: RegistryValue) {
        self.edit(path, name, Some(value));
    }

    /// Deletes a value. Where the key is missing regedit makes it.
    pub fn delete_value(&mut self, path: &[Vec<u16>], name: &[u16]) {
        self.edit(path, name, None);
    }

    fn edit(&mut self, path: &[Vec<u16>], name: &[u16], value: Option<RegistryValue>) {
        let values = &mut self.made(path).values;
        let edited = values.entry(upper(name.iter().copied()));
        let edited = edited.or_insert_with(|| Edited { name: name.to_vec(), value: None, anew: value.is_none() });
        if value.is_none() {
            edited.anew = true;
        } else if edited.value.is_none() {
            edited.name = name.to_vec();
        }
        edited.value = value;
    }

    fn made(&mut self, path: &[Vec<u16>]) -> &mut Node {
        path.iter().fold(&mut self.root, |node, name| {
            let node = node.below(name);
            if node.bare && !node.made {
                // It is a new key, under the new spelling of its name.
                node.name = in_bytes(name);
            }
            node.made = true;
            node
        })
    }
}

impl Node {
    fn below(&mut self, name: &[u16]) -> &mut Self {
        self.subkeys
            .entry(upper(name.iter().copied()))
            .or_insert_with(|| Self { name: in_bytes(name), ..Self::default() })
    }

    /// What becomes of the subkey of that name.
    pub(super) fn subkey(&self, name: impl Iterator<Item = u16>) -> Option<&Self> {
        // Nothing is edited in most keys.
        if self.subkeys.is_empty() { None } else { self.subkeys.get(&upper(name)) }
    }

    /// What becomes of each subkey that something becomes of, with its upper-case name.
    pub(super) fn subkeys(&self) -> impl Iterator<Item = (&[u16], &Self)> {
        self.subkeys.iter().map(|(upper, node)| (upper.as_slice(), node))
    }

    /// What becomes of the value of that name.
    pub(super) fn value(&self, name: impl Iterator<Item = u16>) -> Option<&Edited> {
        if self.values.is_empty() { None } else { self.values.get(&upper(name)) }
    }

    /// What becomes of each value that something becomes of, with its upper-case name.
    pub(super) fn values(&self) -> impl Iterator<Item = (&[u16], &Edited)> {
        self.values.iter().map(|(upper, edited)| (upper.as_slice(), edited))
    }
}

fn in_bytes(name: &[u16]) -> Vec<u8> {
    name.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// A name as Windows compares it.
pub(super) fn upper(name: impl Iterator<Item = u16>) -> Vec<u16> {
    name.map(upcase).collect()
}
