//! Navigation: keys by path, values by name. The only module that knows `nt_hive`.
//!
//! nt-hive decodes the tree where `cell.rs` found it sound, and its result is used only if it agrees with the checked
//! offsets. What nt-hive would lose or panic on is decoded from the checked cells instead. Lookups do not use nt-hive:
//! it uses a binary search, which misses keys in an unsorted list, and folds letters that Windows does not.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
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

mod descent;
mod hivex;
mod kept;
mod key;
mod location;
mod value;

pub use descent::Descent;
pub(super) use hivex::Hindrance;
use kept::Kept;
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
    /// The names that were read so far, of this tree and of those that [`Tree::with`] made from it.
    kept: Rc<Kept>,
    /// The keys that nt-hive may still pass over in look-ups.
    passable: Cell<usize>,
    budget: Budget,
    overlay: Option<&'h Overlay>,
}

/// The most problems of a hive that are kept. A hostile hive has as many as it has cells, all of one kind.
const PROBLEMS_KEPT: usize = 1_000;
/// The most keys that nt-hive passes over in look-ups of one tree. An audit passes over some 20,000, for dozens of
/// services in a list of hundreds. Further keys are read from the checked cells only.
const PASSED_OVER: usize = 1 << 15;

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
            cells: Cells::new(bytes, base_block.data_size, base_block.minor).without(hive.bytes.holes()),
            bytes,
            own_time: OwnTime::of(hive),
            writers: location::Writers::new(),
            decoder: nt_hive::Hive::without_validation(bytes).ok().filter(|_| same_root),
            problems: RefCell::default(),
            kept: Rc::default(),
            passable: Cell::new(PASSED_OVER),
            budget: Budget::of(bytes.len()),
            overlay: None,
        }
    }

    /// Returns the tree after these edits. A new key has the time of the key that contains it.
    #[must_use]
    pub fn under(self, overlay: &'h Overlay) -> Self {
        Self { overlay: Some(overlay), ..self }
    }

    /// Returns the tree of the same hive after these edits instead of its own. It shares the names that were read so
    /// far, so that a tree after each of many edits costs only what is looked up in it. Everything is read from the
    /// checked cells, without nt-hive. Problems of the shared names are problems of the tree that read them.
    #[must_use]
    pub fn with<'o>(&self, overlay: &'o Overlay) -> Tree<'o>
    where
        'h: 'o,
    {
        Tree { kept: Rc::clone(&self.kept), decoder: None, ..Tree::new(self.hive).under(overlay) }
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
        self.kept.subkeys(key.offset, || {
            let read = |offset| {
                let name = self.cells.key(offset)?.name;
                self.budget.name(offset, name.bytes()).map(|()| name)
            };
            let names = Names::read(self.cells.subkeys(key), read);
            self.meet(names.problems());
            names
        })
    }

    /// Returns the names of a key's values. They are read once, because a patch may set each of them.
    fn value_names(&self, key: &RawKey<'h>) -> Rc<Names> {
        self.kept.values(key.offset, || {
            let read = |offset| {
                let name = self.cells.value(offset)?.name;
                self.budget.name(offset, name.bytes()).map(|()| name)
            };
            let names = Names::read(self.cells.values(key), read);
            self.meet(names.problems());
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

    /// Allows nt-hive to pass over so many keys; `None` if that exceeds [`PASSED_OVER`].
    fn pass_over(&self, keys: usize) -> Option<()> {
        self.passable.set(self.passable.get().checked_sub(keys)?);
        Some(())
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
