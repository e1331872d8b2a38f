//! Navigation: keys by path, values by name. The only file that knows `nt_hive`.
//!
//! nt-hive decodes the tree where `cell.rs` has found it sound, and its reading is taken only where it agrees with
//! the checked offsets; what it would lose or panic on is decoded from the checked cells instead. Lookups are ours:
//! nt-hive searches by halves, which misses keys in an unsorted list, and folds letters that Windows does not.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use nt_hive::{KeyValueData, NtHiveNameString};

use super::Hive;
use super::base_block;
use super::budget::Budget;
use super::cell::{Cells, NIL, Name, RawKey, RawValue};
use super::names::Names;
use super::overlay::{self, Overlay};
use super::times::{OddTime, OwnTime};
use crate::error::Problem;
use crate::registry::{FileTime, RegistryValue};

mod location;

pub use location::{Location, WrittenBy};

/// A hive's tree of keys, read from the bytes of a hive file.
pub struct Tree<'h> {
    hive: &'h Hive,
    cells: Cells<'h>,
    bytes: &'h [u8],
    own_time: OwnTime,
    writers: location::Writers<'h>,
    decoder: Option<nt_hive::Hive<&'h [u8]>>,
    problems: RefCell<BTreeSet<Problem>>,
    /// By the key node's offset.
    subkey_names: RefCell<BTreeMap<u32, Rc<Names>>>,
    budget: Budget,
    overlay: Option<&'h Overlay>,
}

/// So many problems of a hive are told; a hostile one has as many as it has cells, and they are all of one kind.
const PROBLEMS_KEPT: usize = 1_000;
/// So many names of subkeys are kept, 12 bytes each: many times what an audit meets, and a bound for hostile hives.
const NAMES_KEPT: usize = 1 << 16;

type Node<'t, 'h> = nt_hive::KeyNode<'t, &'h [u8]>;
type Decoded<'t, 'h> = nt_hive::KeyValue<'t, &'h [u8]>;

/// A key of a [`Tree`].
pub struct Key<'t, 'h> {
    tree: &'t Tree<'h>,
    raw: RawKey<'h>,
    /// From the root, as stored; empty for the root.
    path: String,
    decoder: Option<Node<'t, 'h>>,
    /// What becomes of the key, where edits are laid over the tree.
    edits: Option<&'h overlay::Node>,
}

/// A value of a [`Key`], with its name as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// The name, in the hive's own letter case. Unpaired surrogates are shown as U+FFFD.
    pub name: String,
    /// Type and data.
    pub value: RegistryValue,
    /// Its record's cell; none where an edit put it there.
    offset: u32,
}

impl<'h> Tree<'h> {
    /// The tree of a hive, its logs replayed or not.
    pub(super) fn new(hive: &'h Hive) -> Self {
        let (bytes, base_block): (&[u8], _) = (&hive.bytes, &hive.base_block);
        let end = usize::try_from(base_block.data_size).unwrap_or(usize::MAX).saturating_add(base_block::SIZE);
        let bytes = bytes.get(..end).unwrap_or(bytes);
        Self {
            hive,
            cells: Cells::new(bytes, base_block.data_size, base_block.minor),
            bytes,
            own_time: OwnTime::of(hive),
            writers: location::Writers::new(),
            decoder: nt_hive::Hive::without_validation(bytes).ok(),
            problems: RefCell::default(),
            subkey_names: RefCell::default(),
            budget: Budget::of(bytes.len()),
            overlay: None,
        }
    }

    /// The tree as these edits leave it. A key that they make has the time of the key that it is made in.
    #[must_use]
    pub fn under(self, overlay: &'h Overlay) -> Self {
        Self { overlay: Some(overlay), ..self }
    }

    /// The root key.
    ///
    /// # Errors
    /// Where the key node at the base block's root offset cannot be read: then nothing of the hive can.
    pub fn root(&self) -> Result<Key<'_, 'h>, Problem> {
        let raw = self.cells.key(self.hive.base_block.root_offset).map_err(|problem| self.met(problem))?;
        let decoder = self.decoder.as_ref().and_then(|hive| hive.root_key_node().ok());
        let key = Key::new(self, raw, String::new(), decoder);
        Ok(match self.overlay.map(|overlay| &overlay.root) {
            Some(edits) if edits.bare => key.emptied(edits),
            edits => Key { edits, ..key },
        })
    }

    /// The key at `path`, components separated by backslashes and compared as Windows does; `None` where there is none.
    ///
    /// # Errors
    /// Where a key on the way, or the list that would name it, cannot be read: then nobody knows whether it is there.
    pub fn key(&self, path: &str) -> Result<Option<Key<'_, 'h>>, Problem> {
        self.root()?.descend(path)
    }

    /// The damage met so far, by place in the file.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.borrow().iter().cloned().collect()
    }

    /// The names of a key's subkeys, read once: an audit looks one service after the other up in the same list.
    fn subkey_names(&self, key: &RawKey<'h>) -> Rc<Names> {
        let known = self.subkey_names.borrow().get(&key.offset).cloned();
        known.unwrap_or_else(|| {
            let read = |offset| {
                let name = self.cells.key(offset)?.name;
                self.budget.name(offset, name.bytes()).map(|()| name)
            };
            let names = Rc::new(Names::read(self.cells.subkeys(key), read));
            self.meet(names.problems());
            let mut known = self.subkey_names.borrow_mut();
            let kept = known.values().fold(names.len(), |sum, names| sum.saturating_add(names.len()));
            if kept <= NAMES_KEPT {
                known.insert(key.offset, Rc::clone(&names));
            }
            names
        })
    }

    /// The entry of that name in a list, and its place there. The names of the whole list are looked at; the first of
    /// several is taken, and another is a problem of the hive. `of` tells an entry's offset and name, `what` is one in
    /// words.
    ///
    /// # Errors
    /// Where none is found, and the list or an entry of it cannot be read.
    fn pick<T>(
        &self,
        names: &Names,
        read: impl Fn(u32) -> Result<T, Problem>,
        of: impl Fn(&T) -> (u32, Name<'h>),
        what: &str,
        name: &str,
    ) -> Result<Option<(usize, T)>, Problem> {
        let mut found: Option<(usize, T)> = None;
        for (place, offset) in names.like(name) {
            let entry = read(offset)?;
            if !of(&entry).1.is(name) {
                continue;
            }
            match &found {
                None => found = Some((place, entry)),
                Some((_, first)) => {
                    let other = format!("another at {:#x}", file_offset(of(first).0));
                    self.met(Problem::at(file_offset(of(&entry).0), format!("one {what} named {name}"), other));
                }
            }
        }
        if found.is_none() { names.unread().map_or(Ok(None), Err) } else { Ok(found) }
    }

    fn met(&self, problem: Problem) -> Problem {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < PROBLEMS_KEPT {
            problems.insert(problem.clone());
        }
        problem
    }

    fn meet(&self, problems: Vec<Problem>) {
        for problem in problems {
            self.met(problem);
        }
    }

    /// Where a slice of this hive's bytes begins, in bytes from the first hive bin.
    fn offset_of(&self, slice: &[u8]) -> Option<usize> {
        slice.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr())?.checked_sub(base_block::SIZE)
    }
}

/// Reads from a tree with a last line of defence: a panic inside becomes a problem of the hive.
///
/// # Errors
/// Where reading panicked. Every offset is checked beforehand, so this is a defect of ours or of nt-hive's.
pub fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| {
        Problem::at(0, "a hive that can be read", "a defect that the reader does not know")
            .advise("please report it; findings of this hive are missing")
    })
}

impl<'t, 'h> Key<'t, 'h> {
    /// nt-hive's node is kept only where it is the key that the checked offsets name.
    fn new(tree: &'t Tree<'h>, raw: RawKey<'h>, path: String, decoder: Option<Node<'t, 'h>>) -> Self {
        // The name stands 76 bytes into the node, behind the cell's 4 bytes of size.
        let name_at = usize::try_from(raw.offset).ok().and_then(|offset| offset.checked_add(80));
        let decoder = decoder.filter(|node| {
            let at = match node.name() {
                Ok(NtHiveNameString::Latin1(name) | NtHiveNameString::Utf16LE(name)) => tree.offset_of(name),
                Err(_) => None,
            };
            at.is_some() && at == name_at
        });
        Self { tree, raw, path, decoder, edits: None }
    }

    /// The root with nothing in it but what edits put there.
    fn emptied(self, edits: &'h overlay::Node) -> Self {
        let raw = RawKey::nowhere(self.raw.name, self.raw.last_written);
        Self { raw, decoder: None, edits: Some(edits), ..self }
    }

    /// The subkey that edits made.
    fn made(&self, edits: &'h overlay::Node) -> Self {
        let raw = RawKey::nowhere(Name::Utf16(&edits.name), self.raw.last_written);
        let path = self.path_of(&raw);
        Self { tree: self.tree, raw, path, decoder: None, edits: Some(edits) }
    }

    /// A subkey of the hive as edits leave it; `None` where they delete it.
    fn edited(&self, subkey: Self) -> Option<Self> {
        match self.edits.and_then(|edits| edits.subkey(subkey.raw.name.units())) {
            Some(edits) if edits.bare => edits.made.then(|| self.made(edits)),
            edits => Some(Self { edits, ..subkey }),
        }
    }

    /// The name, for showing. Unpaired surrogates are shown as U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.to_string()
    }

    /// The path from the hive's root, in the hive's own letter case.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn path_of(&self, subkey: &RawKey<'h>) -> String {
        if self.path.is_empty() { subkey.name.to_string() } else { format!("{}\\{}", self.path, subkey.name) }
    }

    /// Where its key node is, in bytes from the first hive bin.
    pub(super) fn cell_offset(&self) -> u32 {
        self.raw.offset
    }

    /// When the key was last written. This is the key's time; values have none.
    pub fn last_written(&self) -> FileTime {
        self.raw.last_written
    }

    /// Why the key's time of last write cannot be right, where it cannot.
    pub fn odd_time(&self) -> Option<OddTime> {
        self.tree.own_time.judge(self.raw.last_written)
    }

    /// The key at `path` below this one. As [`Tree::key`].
    pub fn descend(self, path: &str) -> Result<Option<Key<'t, 'h>>, Problem> {
        let mut key = self;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match key.subkey(name)? {
                Some(subkey) => key = subkey,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The subkey of that name. The whole list is looked at, in any order; a second key of the same name is a problem
    /// of the hive, and the first is taken.
    ///
    /// # Errors
    /// Where it is not found and the list, or a key in it, cannot be read.
    pub fn subkey(&self, name: &str) -> Result<Option<Key<'t, 'h>>, Problem> {
        let edits = self.edits.and_then(|edits| edits.subkey(name.encode_utf16()));
        if let Some(edits) = edits.filter(|edits| edits.bare) {
            return Ok(edits.made.then(|| self.made(edits)));
        }
        let names = self.tree.subkey_names(&self.raw);
        let of = |key: &RawKey<'h>| (key.offset, key.name);
        let found = self.tree.pick(&names, |offset| self.tree.cells.key(offset), of, "subkey", name)?;
        let found = found.map(|(place, raw)| {
            let decoder = names.is_sound().then(|| self.decoded_subkey(place)).flatten();
            let path = self.path_of(&raw);
            Key { edits, ..Key::new(self.tree, raw, path, decoder) }
        });
        Ok(found.or_else(|| edits.filter(|edits| edits.made).map(|edits| self.made(edits))))
    }

    fn decoded_subkey(&self, index: usize) -> Option<Node<'t, 'h>> {
        self.decoder.as_ref()?.subkeys()?.ok()?.nth(index)?.ok()
    }

    /// All subkeys, in the list's order, and what of the list could not be read.
    pub fn subkeys(&self) -> (Vec<Key<'t, 'h>>, Vec<Problem>) {
        let listing = self.tree.cells.subkeys(&self.raw);
        let mut problems = listing.problems;
        // nt-hive follows the list's offset even where the count is 0, into whatever lies there.
        let sound = problems.is_empty() && !listing.offsets.is_empty();
        let mut decoded = if sound { self.decoder.as_ref().and_then(|node| node.subkeys()?.ok()) } else { None };
        let mut keys = Vec::with_capacity(listing.offsets.len());
        for offset in listing.offsets {
            let within = |raw: RawKey<'h>| self.tree.budget.name(offset, raw.name.bytes()).map(|()| raw);
            match self.tree.cells.key(offset).and_then(within) {
                Ok(raw) => {
                    let node = decoded.as_mut().and_then(|nodes| nodes.next()?.ok());
                    let path = self.path_of(&raw);
                    keys.push(Key::new(self.tree, raw, path, node));
                }
                Err(problem) => {
                    // nt-hive may not be asked about this one; its order is lost with it.
                    decoded = None;
                    if problems.len() < PROBLEMS_KEPT {
                        problems.push(problem);
                    }
                }
            }
        }
        self.tree.meet(problems.clone());
        if let Some(edits) = self.edits {
            let held: BTreeSet<Vec<u16>> = keys.iter().map(|key| overlay::upper(key.raw.name.units())).collect();
            keys = keys.into_iter().filter_map(|key| self.edited(key)).collect();
            let made = edits.subkeys().filter(|(upper, edits)| edits.made && !held.contains(*upper));
            keys.extend(made.map(|(_, edits)| self.made(edits)));
        }
        (keys, problems)
    }

    /// The value of that name (`""` is the default value). The first of several is taken, as Windows does, and a
    /// second one is a problem of the hive.
    ///
    /// # Errors
    /// Where its data cannot be read, or where it is not found and the list, or a value in it, cannot be read.
    pub fn value(&self, name: &str) -> Result<Option<RegistryValue>, Problem> {
        Ok(self.named_value(name)?.map(|named| named.value))
    }

    /// [`Key::value`], with the name as stored.
    ///
    /// # Errors
    /// As [`Key::value`].
    pub fn named_value(&self, name: &str) -> Result<Option<NamedValue>, Problem> {
        let Some(edited) = self.edits.and_then(|edits| edits.value(name.encode_utf16())) else {
            return self.stored_value(name);
        };
        // A value that is there keeps its name. Where that cannot be read the new one is as good.
        let stored = || self.stored_value(name).ok().flatten().map(|value| value.name);
        Ok(edited.value.as_ref().map(|value| {
            let stored = if edited.anew { None } else { stored() };
            let name = stored.unwrap_or_else(|| String::from_utf16_lossy(&edited.name));
            NamedValue { name, value: value.clone(), offset: NIL }
        }))
    }

    fn stored_value(&self, name: &str) -> Result<Option<NamedValue>, Problem> {
        let decoded = |place| self.decoder.as_ref()?.values()?.ok()?.nth(place)?.ok();
        let read = |(place, value): (Option<usize>, _)| self.read(&value, place.and_then(decoded));
        self.raw_value(name)?.map(read).transpose()
    }

    /// The record of the value of that name, and its place in the list where that is sound.
    fn raw_value(&self, name: &str) -> Result<Option<(Option<usize>, RawValue<'h>)>, Problem> {
        let read = |offset| self.tree.cells.value(offset);
        let name_of = |offset| {
            let name = read(offset)?.name;
            self.tree.budget.name(offset, name.bytes()).map(|()| name)
        };
        let names = Names::read(self.tree.cells.values(&self.raw), name_of);
        self.tree.meet(names.problems());
        let found = self.tree.pick(&names, read, |value| (value.offset, value.name), "value", name)?;
        Ok(found.map(|(place, value)| (names.is_sound().then_some(place), value)))
    }

    /// The names and data of all values, in the list's order; what cannot be read is an error in its place.
    pub fn values(&self) -> Vec<Result<NamedValue, Problem>> {
        let stored = self.stored_values();
        let Some(edits) = self.edits else { return stored.into_iter().map(|(_, value)| value).collect() };
        let held: BTreeSet<Vec<u16>> =
            stored.iter().flat_map(|(name, _)| name).map(|name| overlay::upper(name.units())).collect();
        let edited =
            stored.into_iter().filter_map(|(name, value)| match name.and_then(|name| edits.value(name.units())) {
                None => Some(value),
                // Added below.
                Some(edited) if edited.anew => None,
                Some(edited) => {
                    let name = name.map(|name| name.to_string()).unwrap_or_default();
                    edited.value.clone().map(|value| Ok(NamedValue { name, value, offset: NIL }))
                }
            });
        let is_added = |(upper, edited): &(&[u16], &overlay::Edited)| edited.anew || !held.contains(*upper);
        let added = edits.values().filter(is_added).filter_map(|(_, edited)| {
            let name = String::from_utf16_lossy(&edited.name);
            edited.value.clone().map(|value| Ok(NamedValue { name, value, offset: NIL }))
        });
        edited.chain(added).collect()
    }

    /// The values that the hive has, each with its name where that can be read.
    fn stored_values(&self) -> Vec<(Option<Name<'h>>, Result<NamedValue, Problem>)> {
        let listing = self.tree.cells.values(&self.raw);
        self.tree.meet(listing.problems.clone());
        let sound = listing.problems.is_empty() && !listing.offsets.is_empty();
        let mut decoded = if sound { self.decoder.as_ref().and_then(|node| node.values()?.ok()) } else { None };
        let mut values = Vec::new();
        let mut lost = 0_usize;
        for offset in listing.offsets {
            let within = |raw: RawValue<'h>| self.tree.budget.name(offset, raw.name.bytes()).map(|()| raw);
            let (name, value) = match self.tree.cells.value(offset).and_then(within) {
                Ok(value) => {
                    let node = decoded.as_mut().and_then(|values| values.next()?.ok());
                    (Some(value.name), self.read(&value, node))
                }
                Err(problem) => {
                    // nt-hive may not be asked about this one; its order is lost with it.
                    decoded = None;
                    (None, Err(self.tree.met(problem)))
                }
            };
            lost = lost.saturating_add(usize::from(value.is_err()));
            if value.is_ok() || lost <= PROBLEMS_KEPT {
                values.push((name, value));
            }
        }
        values.extend(listing.problems.into_iter().map(|problem| (None, Err(problem))));
        values
    }

    /// The data of a value, by nt-hive where it can be asked, else from the checked cells.
    fn read(&self, value: &RawValue<'h>, decoded: Option<Decoded<'t, 'h>>) -> Result<NamedValue, Problem> {
        let within = self.tree.budget.data(value.offset, value.stored_bytes());
        let checked = within.and_then(|()| self.tree.cells.data(value)).map_err(|problem| self.tree.met(problem))?;
        let decoded = decoded
            .filter(|_| self.tree.cells.nt_hive_reads(value))
            .filter(|decoded| decoded.name().is_ok_and(|name| same_bytes(value.name, &name)))
            .and_then(|decoded| decoded.data().ok())
            .and_then(|data| match data {
                KeyValueData::Small(bytes) => Some(bytes.to_vec()),
                KeyValueData::Big(_) => data.into_vec().ok(),
            });
        if decoded.as_ref().is_some_and(|decoded| *decoded != *checked) {
            // Two readers that differ: say so, and do not choose silently.
            self.tree.met(Problem::at(
                file_offset(value.offset),
                "data that both readings of the value agree on",
                "two different readings; the checked one is shown",
            ));
        }
        let read = RegistryValue { data_type: value.data_type, bytes: checked.into_owned() };
        Ok(NamedValue { name: value.name.to_string(), value: read, offset: value.offset })
    }
}

fn same_bytes(name: Name<'_>, decoded: &NtHiveNameString<'_>) -> bool {
    match (name, decoded) {
        (Name::Latin1(a), NtHiveNameString::Latin1(b)) | (Name::Utf16(a), NtHiveNameString::Utf16LE(b)) => a == *b,
        _ => false,
    }
}

fn file_offset(cell_offset: u32) -> u64 {
    u64::from(cell_offset).saturating_add(base_block::SIZE as u64)
}
