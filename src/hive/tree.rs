//! Navigation: keys by path, values by name. The only module that knows `nt_hive`.
//!
//! nt-hive decodes the tree where `cell.rs` found it sound, and its result is used only if it agrees with the checked
//! offsets. What nt-hive would lose or panic on is decoded from the checked cells instead. Lookups do not use nt-hive:
//! it uses a binary search, which misses keys in an unsorted list, and folds letters that Windows does not.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::Hive;
use super::base_block::{self, BaseBlock};
use super::budget::Budget;
use super::cell::{Cells, Name, RawKey};
use super::names::Names;
use super::overlay::Overlay;
use super::times::OwnTime;
use crate::error::Problem;

mod hivex;
mod key;
mod location;
mod value;

pub(super) use hivex::Hindrance;
pub use key::Key;
pub use location::{Location, WrittenBy};
pub use value::NamedValue;

/// A hive's tree of keys, read from the bytes of a hive file.
pub struct Tree<'h> {
    hive: &'h Hive,
    cells: Cells<'h>,
    bytes: &'h [u8],
    own_time: OwnTime,
    writers: location::Writers<'h>,
    decoder: Option<nt_hive::Hive<&'h [u8]>>,
    problems: RefCell<BTreeSet<Problem>>,
    /// The names of subkeys, by the offset of the key node.
    subkey_names: RefCell<BTreeMap<u32, Rc<Names>>>,
    /// The number of names in all of them.
    names_kept: Cell<usize>,
    budget: Budget,
    overlay: Option<&'h Overlay>,
}

/// The most problems of a hive that are kept. A hostile hive has as many as it has cells, all of one kind.
const PROBLEMS_KEPT: usize = 1_000;
/// The most names of subkeys that are kept, 12 bytes each. An audit needs far fewer; the limit is for hostile hives.
const NAMES_KEPT: usize = 1 << 16;

type Node<'t, 'h> = nt_hive::KeyNode<'t, &'h [u8]>;

impl<'h> Tree<'h> {
    /// Returns the tree of a hive, recovered or not.
    pub(super) fn new(hive: &'h Hive) -> Self {
        let (bytes, base_block): (&[u8], _) = (&hive.bytes, &hive.base_block);
        let end = usize::try_from(base_block.data_size).unwrap_or(usize::MAX).saturating_add(base_block::SIZE);
        let bytes = bytes.get(..end).unwrap_or(bytes);
        // nt-hive uses the root's offset in the bytes without checking it. A reconstructed base block has another one.
        let same_root =
            bytes.first_chunk().map(|header| BaseBlock::fields(header).root_offset) == Some(base_block.root_offset);
        Self {
            hive,
            cells: Cells::new(bytes, base_block.data_size, base_block.minor),
            bytes,
            own_time: OwnTime::of(hive),
            writers: location::Writers::new(),
            decoder: nt_hive::Hive::without_validation(bytes).ok().filter(|_| same_root),
            problems: RefCell::default(),
            subkey_names: RefCell::default(),
            names_kept: Cell::default(),
            budget: Budget::of(bytes.len()),
            overlay: None,
        }
    }

    /// Returns the tree after these edits. A new key has the time of the key that contains it.
    #[must_use]
    pub fn under(self, overlay: &'h Overlay) -> Self {
        Self { overlay: Some(overlay), ..self }
    }

    /// Returns the root key.
    ///
    /// # Errors
    /// Returns an error if the key node at the base block's root offset cannot be read. Then nothing of the hive can be
    /// read.
    pub fn root(&self) -> Result<Key<'_, 'h>, Problem> {
        let raw = self.cells.key(self.hive.base_block.root_offset).map_err(|problem| self.met(problem))?;
        let decoder = self.decoder.as_ref().and_then(|hive| hive.root_key_node().ok());
        let key = Key::new(self, raw, String::new(), decoder);
        Ok(match self.overlay.map(|overlay| &overlay.root) {
            Some(edits) if edits.bare => key.emptied(edits),
            edits => Key { edits, ..key },
        })
    }

    /// Returns the key at `path`, components separated by backslashes, compared as Windows does; `None` if it does not
    /// exist.
    ///
    /// # Errors
    /// Returns an error if a key on the path, or the list that could name the next one, cannot be read. Then it is
    /// unknown whether the key exists.
    pub fn key(&self, path: &str) -> Result<Option<Key<'_, 'h>>, Problem> {
        self.root()?.descend(path)
    }

    /// Returns the first symbolic link on the existing part of `path`. A link has no subkeys of its own.
    pub fn link_on_the_way(&self, path: &str) -> Option<String> {
        let mut key = self.root().ok()?;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match key.subkey(name) {
                Ok(Some(subkey)) => key = subkey,
                _ => break,
            }
        }
        key.link().map(str::to_owned)
    }

    /// Returns the damage found so far, by place in the file.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.borrow().iter().cloned().collect()
    }

    /// Returns the names of a key's subkeys. They are read once, because an audit looks up many services in one list.
    fn subkey_names(&self, key: &RawKey<'h>) -> Rc<Names> {
        let known = self.subkey_names.borrow().get(&key.offset).cloned();
        known.unwrap_or_else(|| {
            let read = |offset| {
                let name = self.cells.key(offset)?.name;
                self.budget.name(offset, name.bytes()).map(|()| name)
            };
            let names = Rc::new(Names::read(self.cells.subkeys(key), read));
            self.meet(names.problems());
            // One more for each list, so that empty lists are limited too.
            let kept = self.names_kept.get().saturating_add(names.len()).saturating_add(1);
            if kept <= NAMES_KEPT {
                self.names_kept.set(kept);
                self.subkey_names.borrow_mut().insert(key.offset, Rc::clone(&names));
            }
            names
        })
    }

    /// Returns the entry with the name in a list, and its position. Compares the names of the whole list. The first
    /// match is used, and another is reported as a problem of the hive. `of` returns an entry's offset and name; `what`
    /// describes an entry in words.
    ///
    /// # Errors
    /// Returns an error if no entry matches and the list or an entry cannot be read.
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

    /// Returns the offset of a slice of this hive's bytes, in bytes from the first hive bin.
    fn offset_of(&self, slice: &[u8]) -> Option<usize> {
        slice.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr())?.checked_sub(base_block::SIZE)
    }
}

/// Reads from a tree and, as a last defence, converts a panic into a problem of the hive.
///
/// # Errors
/// Returns an error if reading panicked. Every offset is checked before, so a panic is a bug in this program or in
/// nt-hive.
pub fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| {
        Problem::at(0, "a hive that can be read", "an internal error of the reader")
            .advise("please report it; findings of this hive are missing")
    })
}

fn file_offset(cell_offset: u32) -> u64 {
    u64::from(cell_offset).saturating_add(base_block::SIZE as u64)
}
