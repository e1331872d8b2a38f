//! A whole hive: every key and value from the root down, what of it cannot be read, and what in it is odd.
//!
//! A walk asks the checked cells, not nt-hive: it must know each cell's offset, and take a list that lies for what it
//! is. It does not recurse, visits each key once, and takes no more steps than the hive has room for entries.

use std::borrow::Cow;

use super::cell::{Cells, Entry, Name, RawKey, RawValue, in_file};
use super::{Hive, Key};
use crate::error::Problem;
use crate::registry::{DataType, FileTime};

mod bins;
mod coverage;
mod loss;
mod marks;
mod met;
mod names;
mod walker;

pub use coverage::{Coverage, check};
pub use loss::{Loss, Lost};
use walker::{Frame, Walker};

/// What is to be done with each key and value of a walk. `()` does nothing with them: they are counted anyway.
pub trait Visitor {
    /// A key, before its values and its subkeys.
    fn key(&mut self, _key: &WalkedKey<'_, '_>) {}
    /// A value of the key that was visited last.
    fn value(&mut self, _key: &WalkedKey<'_, '_>, _value: &WalkedValue<'_>) {}
    /// The subkeys that the key visited last has, after its values and before any of them is visited.
    fn subkeys(&mut self, _key: &WalkedKey<'_, '_>, _subkeys: &WalkedSubkeys<'_, '_>) {}
    /// Something of a key that cannot be read, in its place: its class, a value, its list, a subkey.
    fn unreadable(&mut self, _key: &WalkedKey<'_, '_>, _problem: &dyn Fn() -> Problem) {}
    /// Returns whether the walk is to go on. It is asked before each key and value.
    fn goes_on(&self) -> bool {
        true
    }
}

impl Visitor for () {}

/// How far a walk came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Keys that the keys visited promise to have below them, and the root.
    pub keys_promised: u64,
    /// Keys that were visited, the root too.
    pub keys: u64,
    /// Values that the keys visited promise.
    pub values_promised: u64,
    /// Values whose name, type and data were read.
    pub values: u64,
    /// What was promised and could not be read, in the order of the walk; at most [`MAX_LOST`].
    pub lost: Vec<Loss>,
    /// How many entries of `lost` are left out.
    pub lost_left_out: u64,
    /// What is not as it should be, by place; no more than a few of a kind, then how many more.
    pub problems: Vec<Problem>,
    /// Whether something is lost, or may be: not only odd.
    pub damaged: bool,
}

/// Keys with losses that are listed: enough to see which part of a tree is gone. Where more is lost, it is counted.
pub const MAX_LOST: usize = 100;

/// Visits every key of a hive once, in the order of the lists, parents first, each with its values.
pub fn walk(hive: &Hive, visitor: &mut impl Visitor) -> Walked {
    Walker::new(hive, visitor).run().0
}

/// Visits one key of a hive with its values; with `descend`, also every key below it, as [`walk`] does. `way` are the
/// keys from the root down to it: the paths are from the root, and a loop that leads back above it is one.
pub fn walk_from(hive: &Hive, way: &Way, descend: bool, visitor: &mut impl Visitor) -> Walked {
    Walker::new(hive, visitor).run_from(&way.0, descend)
}

/// The keys from the root down to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way(Vec<u32>);

impl Way {
    /// Returns the way to a key, whose parents are given from the root down; of one hive all of them.
    pub fn to(keys: &[Key<'_, '_>]) -> Self {
        Self(keys.iter().map(Key::cell_offset).collect())
    }
}

/// A key that a walk has come to.
pub struct WalkedKey<'w, 'h> {
    above: &'w [Frame<'h>],
    raw: &'w RawKey<'h>,
    cells: Cells<'h>,
}

/// The subkeys of a key that a walk has come to, as its list has them.
pub struct WalkedSubkeys<'w, 'h> {
    entries: &'w [Entry],
    cells: Cells<'h>,
}

impl WalkedSubkeys<'_, '_> {
    /// Returns their names for showing, in the list's order; those that cannot be read are left out, for the walk tells
    /// of them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.entries.iter().filter_map(|entry| Some(self.cells.key(entry.offset).ok()?.name.to_string()))
    }
}

/// A value that a walk has come to.
pub struct WalkedValue<'h> {
    raw: RawValue<'h>,
    data: Cow<'h, [u8]>,
}

impl<'h> WalkedKey<'_, 'h> {
    /// Returns the name as stored, in UTF-16 units.
    pub fn name_units(&self) -> impl Iterator<Item = u16> + 'h {
        self.raw.name.units()
    }

    /// Returns the name, for showing. Unpaired surrogates are shown as U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.to_string()
    }

    /// Returns the path from the root, in the hive's own letter case; empty for the root. It is put together when asked
    /// for.
    pub fn path(&self) -> String {
        let names = self.above.iter().skip(1).map(|frame| frame.key.name);
        let own = (!self.above.is_empty()).then_some(self.raw.name);
        names.chain(own).fold(String::new(), |path, name| joined(path, name))
    }

    /// Returns the names on the path from the root, as stored, in UTF-16 units; none for the root.
    pub fn path_units(&self) -> impl Iterator<Item = Vec<u16>> {
        let names = self.above.iter().skip(1).map(|frame| frame.key.name);
        let own = (!self.above.is_empty()).then_some(self.raw.name);
        names.chain(own).map(|name| name.units().collect())
    }

    /// UTF-16 units of the path with a separator before each name, known without putting it together.
    pub fn path_length(&self) -> usize {
        let names = self.above.iter().skip(1).map(|frame| frame.key.name);
        let own = (!self.above.is_empty()).then_some(self.raw.name);
        names.chain(own).fold(0, |sum, name| sum.saturating_add(name.length()).saturating_add(1))
    }

    /// Returns the class name in UTF-16 units; `None` where the key has none, or where it cannot be read, which the
    /// walk tells.
    pub fn class_units(&self) -> Option<Vec<u16>> {
        let (offset, length) = self.raw.class;
        let cell = self.cells.cell(offset, "a class name").ok().filter(|_| length > 0)?;
        let bytes = cell.get(..usize::from(length))?;
        Some(bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
    }

    /// Returns the security descriptor, as stored, and where its record is, in bytes from the file's start: keys share
    /// them. `None` where it cannot be read, which the walk tells.
    ///
    /// M. Suhanov, "Windows registry file format specification", "Key security": signature, two reserved bytes, two
    /// links, how many keys use it, its size, and the descriptor.
    pub fn security(&self) -> Option<(u64, &'h [u8])> {
        let cell = self.cells.cell(self.raw.security, "a security descriptor (sk)").ok()?;
        let cell = cell.strip_prefix(b"sk")?;
        let (size, rest) = cell.get(14..)?.split_first_chunk()?;
        let descriptor = rest.get(..usize::try_from(u32::from_le_bytes(*size)).ok()?)?;
        Some((in_file(self.raw.security), descriptor))
    }

    /// Returns how many keys are above it: 0 for the root.
    pub fn depth(&self) -> usize {
        self.above.len()
    }

    /// Returns where its key node is, in bytes from the file's start.
    pub fn offset(&self) -> u64 {
        in_file(self.raw.offset)
    }

    /// When the key, or a value of it, was last written.
    pub fn last_written(&self) -> FileTime {
        self.raw.last_written
    }

    /// Returns whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.raw.is_link
    }

    /// Returns how many subkeys and values the key promises.
    pub fn promises(&self) -> (u32, u32) {
        (self.raw.subkey_count, self.raw.value_count)
    }
}

impl WalkedValue<'_> {
    /// Returns the name as stored, in UTF-16 units; none for the default value.
    pub fn name_units(&self) -> impl Iterator<Item = u16> {
        self.raw.name.units()
    }

    /// Returns the name, for showing. Unpaired surrogates are shown as U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.to_string()
    }

    /// Returns the type as stored.
    pub fn data_type(&self) -> DataType {
        self.raw.data_type
    }

    /// Returns the data as stored.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Returns where its record is, in bytes from the file's start.
    pub fn offset(&self) -> u64 {
        in_file(self.raw.offset)
    }
}

fn joined(mut path: String, name: Name<'_>) -> String {
    use std::fmt::Write as _;
    if !path.is_empty() {
        path.push('\\');
    }
    // Writing to a string does not fail.
    let _ = write!(path, "{name}");
    path
}
