//! Edits over a tree: the effect of a `.reg` file on a hive, in memory, without writing a byte.
//!
//! Edits follow regedit. A key is created with all keys above it. A value is set regardless of its old data, under the
//! spelling that it already has. A key is deleted with everything below it, and is empty when it is created again.
//! Names are compared as Windows does.
//!
//! hivexregedit compares names differently and rewrites whole lists of values, so that a key may have two values, and
//! two subkeys, of one name. `merge` resolves its paths, and the results are stored here key by key.

use std::collections::BTreeMap;

use super::list::{List, Listed};
use crate::registry::{RegistryValue, upcase};

/// Edits of one hive. A [`super::Tree`] with an overlay shows the hive after the edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    pub(super) root: Node,
}

/// The edits of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// The name as spelled in the edit, in UTF-16LE.
    pub(super) name: Vec<u8>,
    /// Whether the hive's own contents of this key are deleted.
    pub(super) bare: bool,
    /// Whether the key exists even if the hive does not have it.
    pub(super) made: bool,
    /// All values of the key in order, if the whole list was rewritten. Two of them may have one name.
    pub(super) listed: Option<List>,
    /// The edits of values, by upper-case name.
    values: BTreeMap<Vec<u16>, Edited>,
    subkeys: BTreeMap<Vec<u16>, Twins>,
}

/// The edits of the subkeys that have one name to Windows. There is only one such subkey, unless the hive is damaged or
/// a writer compares names differently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Twins {
    /// Edits of all subkeys with this name together.
    pub(super) one: Option<Node>,
    /// Edits of each subkey separately, in the order in which they are found. Used if `one` is `None`.
    pub(super) each: BTreeMap<usize, Twin>,
}

/// One of several subkeys with one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Twin {
    /// Its offset in the hive, in bytes from the first hive bin; `None` for a new key.
    pub(super) stored: Option<u32>,
    /// Its edits.
    pub(super) node: Node,
}

/// One name on the path to a key, found by a program that compares names differently from Windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// The name as spelled, in UTF-16 units.
    pub(super) name: Vec<u16>,
    /// The key's offset in the hive; `None` if an edit created it or will create it.
    pub(super) stored: Option<u32>,
    /// Every key of the hive that has this name to Windows, in order.
    pub(super) twins: Vec<u32>,
    /// Those of `twins` that follow a new key with this name.
    pub(super) behind: Vec<u32>,
}

impl Twins {
    /// Separates the edits of the keys with one name. `stored` are the hive's keys, in order.
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

    /// Makes room for a key before the first that sorts after it, and returns the index.
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
    /// Returns whether the key exists.
    pub(super) fn is_there(&self) -> bool {
        if self.stored.is_some() { !self.node.bare } else { self.node.made }
    }
}

/// The edit of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edited {
    /// The name as spelled in the edit.
    pub(super) name: Vec<u16>,
    /// The new data; `None` if the value is deleted.
    pub(super) value: Option<RegistryValue>,
    /// Whether the value was deleted before: then it is a new value with the new spelling of its name.
    pub(super) anew: bool,
}

impl Overlay {
    /// Returns whether there are no edits.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Creates the key at `path`, names from the hive's root, and every missing key above it.
    pub fn create_key(&mut self, path: &[Vec<u16>]) {
        self.made(path);
    }

    /// Deletes the key at `path` with everything below it. A missing key changes nothing. The hive's root loses its
    /// contents and stays.
    pub fn delete_key(&mut self, path: &[Vec<u16>]) {
        let is_root = path.is_empty();
        let node = path.iter().fold(&mut self.root, |node, name| node.below(name));
        *node = Node { name: std::mem::take(&mut node.name), bare: true, made: is_root, ..Node::default() };
    }

    /// Sets a value, and creates its key if it is missing. `name` is in UTF-16 units, empty for the default value.
    pub fn set_value(&mut self, path: &[Vec<u16>], name: &[u16], value: RegistryValue) {
        self.edit(path, name, Some(value));
    }

    /// Deletes a value. If the key is missing, it is created, as regedit does.
    pub fn delete_value(&mut self, path: &[Vec<u16>], name: &[u16]) {
        self.edit(path, name, None);
    }

    /// Deletes the key at the end of `way`, with everything below it.
    pub(super) fn delete_found(&mut self, way: &[Step]) {
        let node = way.iter().fold(&mut self.root, Node::twin);
        *node = Node { name: std::mem::take(&mut node.name), bare: true, ..Node::default() };
    }

    /// Changes the list of values of the key at the end of `way`. `fresh` is the whole list if it was not rewritten
    /// before. Creates the key if it is new.
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
                // The key is new, so it gets the new spelling of its name.
                node.name = in_bytes(name);
            }
            node.made = true;
            node
        })
    }
}

impl Node {
    /// Returns the edits of the subkey that Windows finds by this name.
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

    /// Returns the edits of one of the subkeys that have one name to Windows.
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

    /// Returns the edits of the subkeys with this name.
    pub(super) fn subkey(&self, name: impl Iterator<Item = u16>) -> Option<&Twins> {
        // Most keys have no edits.
        if self.subkeys.is_empty() { None } else { self.subkeys.get(&upper(name)) }
    }

    /// Returns the edits of each edited subkey, with its upper-case name.
    pub(super) fn subkeys(&self) -> impl Iterator<Item = (&[u16], &Twins)> {
        self.subkeys.iter().map(|(upper, twins)| (upper.as_slice(), twins))
    }

    /// Returns the edits of the value with this name.
    pub(super) fn value(&self, name: impl Iterator<Item = u16>) -> Option<&Edited> {
        if self.values.is_empty() { None } else { self.values.get(&upper(name)) }
    }

    /// Returns the edits of each edited value, with its upper-case name.
    pub(super) fn values(&self) -> impl Iterator<Item = (&[u16], &Edited)> {
        self.values.iter().map(|(upper, edited)| (upper.as_slice(), edited))
    }
}

/// Returns a UTF-16LE name as hivex sorts and compares names of keys: in UTF-8, with ASCII letters in upper case.
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
