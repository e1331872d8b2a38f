//! Edits laid over a tree: what a `.reg` file would make of a hive, in memory, without a byte of it written.
//!
//! What regedit does with keys and values: a key is made with all keys above it; a value is set whatever it was, under
//! the name that it has already; a key is deleted with everything below it, and when it is made again it is empty.
//! Names are compared as Windows compares them.
//!
//! hivexregedit compares names otherwise and writes lists of values as a whole, so that a key may have two values of one
//! name, and two subkeys: `merge` finds its way, and what it leaves is kept key by key here.

use std::collections::BTreeMap;

use super::list::{List, Listed};
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
    /// All values that it has, in order, where somebody wrote the whole list; two of them may have one name.
    pub(super) listed: Option<List>,
    /// By upper-case name.
    values: BTreeMap<Vec<u16>, Edited>,
    subkeys: BTreeMap<Vec<u16>, Twins>,
}

/// What becomes of the subkeys that have one name to Windows. There is one of them, but in a hive that is damaged, or in
/// which somebody writes who compares names in another way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Twins {
    /// Of all that the hive has of this name, as if they were one.
    pub(super) one: Option<Node>,
    /// Of each by itself, in the order in which they are found; where `one` is none.
    pub(super) each: BTreeMap<usize, Twin>,
}

/// One of several subkeys of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Twin {
    /// Where the hive has it, in bytes from the first hive bin; `None` for one that was made.
    pub(super) stored: Option<u32>,
    /// What becomes of it.
    pub(super) node: Node,
}

/// One name on the way to a key that somebody finds who compares names in another way than Windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// The name as it is spelled, in UTF-16 units.
    pub(super) name: Vec<u16>,
    /// Where the hive has the key; `None` where an edit made it, or will.
    pub(super) stored: Option<u32>,
    /// Every key that the hive has of this name to Windows, in order.
    pub(super) twins: Vec<u32>,
    /// Those of them that stand behind a key of this name when it is made.
    pub(super) behind: Vec<u32>,
}

impl Twins {
    /// Takes the keys of one name apart. `stored` are those that the hive has, in order.
    fn part(&mut self, stored: &[u32]) {
        let one = self.one.take();
        if one.is_none() && !self.each.is_empty() {
            return;
        }
        let one = one.unwrap_or_default();
        let gone = one.bare;
        let mut twins: Vec<Twin> = stored
            .iter()
            .map(|&offset| Twin { stored: Some(offset), node: Node { bare: gone, ..Node::default() } })
            .collect();
        match twins.first_mut().filter(|_| !gone) {
            Some(first) => first.node = one,
            None if one.made => twins.push(Twin { stored: None, node: one }),
            None => {}
        }
        self.each = twins.into_iter().enumerate().collect();
    }

    /// Makes room for a key before the first that sorts behind it, and says where.
    fn room(&mut self, step: &Step) -> usize {
        let new = sorted(&in_bytes(&step.name));
        let twins: Vec<Twin> = std::mem::take(&mut self.each).into_values().collect();
        let is_behind = |twin: &Twin| match twin.stored {
            Some(offset) => step.behind.contains(&offset),
            None => sorted(&twin.node.name) > new,
        };
        let room = twins.iter().position(is_behind).unwrap_or(twins.len());
        let place = |index: usize| if index < room { index } else { index.saturating_add(1) };
        self.each = twins.into_iter().enumerate().map(|(index, twin)| (place(index), twin)).collect();
        room
    }
}

impl Twin {
    /// Returns whether there is such a key.
    pub(super) fn is_there(&self) -> bool {
        if self.stored.is_some() { !self.node.bare } else { self.node.made }
    }
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
    /// Returns whether nothing was edited.
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

    /// Deletes the key that somebody found by that way, with everything below it.
    pub(super) fn delete_found(&mut self, way: &[Step]) {
        let node = way.iter().fold(&mut self.root, Node::twin);
        *node = Node { name: std::mem::take(&mut node.name), bare: true, ..Node::default() };
    }

    /// Changes the list of values of the key at the end of that way. `fresh` is the whole list, where nobody has written it
    /// before. The key is made where it is new.
    pub(super) fn write_list(&mut self, way: &[Step], fresh: Option<List>, removed: &[usize], added: Vec<Listed>) {
        let node = way.iter().fold(&mut self.root, Node::twin);
        if let Some(fresh) = fresh {
            node.values.clear();
            node.listed = Some(fresh);
        }
        let list = node.listed.get_or_insert_default();
        for place in removed {
            list.remove(*place);
        }
        for entry in added {
            list.push(entry);
        }
    }

    fn edit(&mut self, path: &[Vec<u16>], name: &[u16], value: Option<RegistryValue>) {
        let node = self.made(path);
        if let Some(listed) = &mut node.listed {
            listed.edit(name, value);
            return;
        }
        let values = &mut node.values;
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
    /// Returns what becomes of the subkey that Windows finds by that name.
    fn below(&mut self, name: &[u16]) -> &mut Self {
        let new = || Self { name: in_bytes(name), ..Self::default() };
        let twins = self.subkeys.entry(upper(name.iter().copied()));
        let twins = twins.or_insert_with(|| Twins { one: Some(new()), ..Twins::default() });
        if let Some(node) = &mut twins.one {
            return node;
        }
        let first = twins.each.iter().find(|(_, twin)| twin.is_there()).map(|(place, _)| *place);
        let next = twins.each.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        let twin = twins.each.entry(first.unwrap_or(next));
        &mut twin.or_insert_with(|| Twin { stored: None, node: new() }).node
    }

    /// Returns what becomes of one of the subkeys that have a name to Windows.
    pub(super) fn twin(&mut self, step: &Step) -> &mut Self {
        let twins = self.subkeys.entry(upper(step.name.iter().copied())).or_default();
        twins.part(&step.twins);
        let is_it = |twin: &Twin| match step.stored {
            Some(_) => twin.stored == step.stored,
            None => twin.stored.is_none() && twin.node.made && sorted(&twin.node.name) == sorted(&in_bytes(&step.name)),
        };
        let known = twins.each.iter().find(|(_, twin)| is_it(twin)).map(|(place, _)| *place);
        let place = known.unwrap_or_else(|| twins.room(step));
        let twin = twins.each.entry(place);
        let new = || Self { name: in_bytes(&step.name), made: step.stored.is_none(), ..Self::default() };
        &mut twin.or_insert_with(|| Twin { stored: step.stored, node: new() }).node
    }

    /// Returns what becomes of the subkeys of that name.
    pub(super) fn subkey(&self, name: impl Iterator<Item = u16>) -> Option<&Twins> {
        // Nothing is edited in most keys.
        if self.subkeys.is_empty() { None } else { self.subkeys.get(&upper(name)) }
    }

    /// Returns what becomes of each subkey that something becomes of, with its upper-case name.
    pub(super) fn subkeys(&self) -> impl Iterator<Item = (&[u16], &Twins)> {
        self.subkeys.iter().map(|(upper, twins)| (upper.as_slice(), twins))
    }

    /// Returns what becomes of the value of that name.
    pub(super) fn value(&self, name: impl Iterator<Item = u16>) -> Option<&Edited> {
        if self.values.is_empty() { None } else { self.values.get(&upper(name)) }
    }

    /// Returns what becomes of each value that something becomes of, with its upper-case name.
    pub(super) fn values(&self) -> impl Iterator<Item = (&[u16], &Edited)> {
        self.values.iter().map(|(upper, edited)| (upper.as_slice(), edited))
    }
}

/// Returns a name in UTF-16LE as hivex sorts and compares names of keys: UTF-8, ASCII letters in upper case.
fn sorted(name: &[u8]) -> String {
    let units = name.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.to_ascii_uppercase()
}

fn in_bytes(name: &[u16]) -> Vec<u8> {
    name.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Returns a name as Windows compares it.
pub(super) fn upper(name: impl Iterator<Item = u16>) -> Vec<u16> {
    name.map(upcase).collect()
}
