//! Navigation: keys by path, values by name. The only module that knows `nt_hive`.
//!
//! nt-hive decodes the tree where `cell.rs` has found it sound, and its reading is taken only where it agrees with
//! the checked offsets; what it would lose or panic on is decoded from the checked cells instead. Lookups are ours:
//! nt-hive searches by halves, which misses keys in an unsorted list, and folds letters that Windows does not.

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
    /// By the key node's offset.
    subkey_names: RefCell<BTreeMap<u32, Rc<Names>>>,
    /// How many names all of them hold.
    names_kept: Cell<usize>,
    budget: Budget,
    overlay: Option<&'h Overlay>,
}

/// So many problems of a hive are told; a hostile one has as many as it has cells, and they are all of one kind.
const PROBLEMS_KEPT: usize = 1_000;
/// So many names of subkeys are kept, 12 bytes each: many times what an audit meets, and a bound for hostile hives.
const NAMES_KEPT: usize = 1 << 16;

type Node<'t, 'h> = nt_hive::KeyNode<'t, &'h [u8]>;

impl<'h> Tree<'h> {
    /// Returns the tree of a hive, its logs replayed or not.
    pub(super) fn new(hive: &'h Hive) -> Self {
        let (bytes, base_block): (&[u8], _) = (&hive.bytes, &hive.base_block);
        let end = usize::try_from(base_block.data_size).unwrap_or(usize::MAX).saturating_add(base_block::SIZE);
        let bytes = bytes.get(..end).unwrap_or(bytes);
        // nt-hive takes the root's offset from the bytes, unchecked; where the base block was lost we have another.
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

    /// Returns the tree as these edits leave it. A key that they make has the time of the key that it is made in.
    #[must_use]
    pub fn under(self, overlay: &'h Overlay) -> Self {
        Self { overlay: Some(overlay), ..self }
    }

    /// Returns the root key.
    ///
    /// # Errors
    /// Returns an error if the key node at the base block's root offset cannot be read: then nothing of the hive can.
    pub fn root(&self) -> Result<Key<'_, 'h>, Problem> {
        let raw = self.cells.key(self.hive.base_block.root_offset).map_err(|problem| self.met(problem))?;
        let decoder = self.decoder.as_ref().and_then(|hive| hive.root_key_node().ok());
        let key = Key::new(self, raw, String::new(), decoder);
        Ok(match self.overlay.map(|overlay| &overlay.root) {
            Some(edits) if edits.bare => key.emptied(edits),
            edits => Key { edits, ..key },
        })
    }

    /// Returns the key at `path`, components separated by backslashes and compared as Windows does; `None` where there
    /// is none.
    ///
    /// # Errors
    /// Returns an error if a key on the way, or the list that would name it, cannot be read: then nobody knows whether
    /// it is there.
    pub fn key(&self, path: &str) -> Result<Option<Key<'_, 'h>>, Problem> {
        self.root()?.descend(path)
    }

    /// Returns the first symbolic link on the way to `path`, as far as the way goes: a link has no subkeys of its own.
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

    /// Returns the damage met so far, by place in the file.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.borrow().iter().cloned().collect()
    }

    /// Returns the names of a key's subkeys, read once: an audit looks one service after the other up in the same list.
    fn subkey_names(&self, key: &RawKey<'h>) -> Rc<Names> {
        let known = self.subkey_names.borrow().get(&key.offset).cloned();
        known.unwrap_or_else(|| {
            let read = |offset| {
                let name = self.cells.key(offset)?.name;
                self.budget.name(offset, name.bytes()).map(|()| name)
            };
            let names = Rc::new(Names::read(self.cells.subkeys(key), read));
            self.meet(names.problems());
            // One more for each list, or lists of nothing would have no end.
            let kept = self.names_kept.get().saturating_add(names.len()).saturating_add(1);
            if kept <= NAMES_KEPT {
                self.names_kept.set(kept);
                self.subkey_names.borrow_mut().insert(key.offset, Rc::clone(&names));
            }
            names
        })
    }

    /// Returns the entry of that name in a list, and its place there. The names of the whole list are looked at; the
    /// first of several is taken, and another is a problem of the hive. `of` tells an entry's offset and name, `what`
    /// is one in words.
    ///
    /// # Errors
    /// Returns an error if none is found, and the list or an entry of it cannot be read.
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

    /// Returns where a slice of this hive's bytes begins, in bytes from the first hive bin.
    fn offset_of(&self, slice: &[u8]) -> Option<usize> {
        slice.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr())?.checked_sub(base_block::SIZE)
    }
}

/// Reads from a tree with a last line of defence: a panic inside becomes a problem of the hive.
///
/// # Errors
/// Returns an error if reading panicked. Every offset is checked beforehand, so this is a defect of ours or of
/// nt-hive's.
pub fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| {
        Problem::at(0, "a hive that can be read", "a defect that the reader does not know")
            .advise("please report it; findings of this hive are missing")
    })
}

fn file_offset(cell_offset: u32) -> u64 {
    u64::from(cell_offset).saturating_add(base_block::SIZE as u64)
}
