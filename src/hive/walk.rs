//! Walks a whole hive: visits every key and value from the root down, and reports what cannot be read and what is odd.
//!
//! A walk reads the checked cells, not nt-hive, because it needs each cell's offset and must recognise false lists. It
//! does not recurse, visits each key once, and takes no more steps than the hive has room for entries.

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

/// Receives each key and value of a walk. `()` ignores them; they are counted anyway.
pub trait Visitor {
    /// Receives a key, before its values and subkeys.
    fn key(&mut self, _key: &WalkedKey<'_, '_>) {}
    /// Receives a value of the last visited key.
    fn value(&mut self, _key: &WalkedKey<'_, '_>, _value: &WalkedValue<'_>) {}
    /// Receives the subkeys of the last visited key, after its values and before the walk visits them.
    fn subkeys(&mut self, _key: &WalkedKey<'_, '_>, _subkeys: &WalkedSubkeys<'_, '_>) {}
    /// Receives a part of a key that cannot be read, at its place in the walk: a class, a value, a list, a subkey.
    fn unreadable(&mut self, _key: &WalkedKey<'_, '_>, _problem: &dyn Fn() -> Problem) {}
    /// Returns whether to continue the walk. Called before each key and value.
    fn goes_on(&self) -> bool {
        true
    }
}

impl Visitor for () {}

/// The result of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Subkeys according to the counts in the visited keys, plus the root.
    pub keys_promised: u64,
    /// Visited keys, including the root.
    pub keys: u64,
    /// Values according to the counts in the visited keys.
    pub values_promised: u64,
    /// Values whose name, type and data were read.
    pub values: u64,
    /// The losses: entries that are counted but could not be read, in the order of the walk. At most [`MAX_LOST`].
    pub lost: Vec<Loss>,
    /// The number of further losses.
    pub lost_left_out: u64,
    /// The problems by place. Only a few of each kind, then the number of others.
    pub problems: Vec<Problem>,
    /// Whether something is or may be lost, and not only odd.
    pub damaged: bool,
}

/// The most keys with losses that are listed, which shows the lost part of a tree. Further ones are counted.
pub const MAX_LOST: usize = 100;

/// Visits every key of a hive once, in the order of the lists, parents first, each with its values.
pub fn walk(hive: &Hive, visitor: &mut impl Visitor) -> Walked {
    Walker::new(hive, visitor).run().0
}

/// Visits one key of a hive with its values. With `descend`, also visits every key below it, as [`walk`] does. `way`
/// are the keys from the root down to it, so that paths begin at the root and a loop back to them is detected.
pub fn walk_from(hive: &Hive, way: &Way, descend: bool, visitor: &mut impl Visitor) -> Walked {
    Walker::new(hive, visitor).run_from(&way.0, descend)
}

/// The keys from the root down to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way(Vec<u32>);

impl Way {
    /// Returns the way to a key, given all keys of one hive from the root down to it.
    pub fn to(keys: &[Key<'_, '_>]) -> Self {
        Self(keys.iter().map(Key::cell_offset).collect())
    }
}

/// A key that a walk visits.
pub struct WalkedKey<'w, 'h> {
    above: &'w [Frame<'h>],
    raw: &'w RawKey<'h>,
    cells: Cells<'h>,
}

/// The subkeys of a visited key, according to its list.
pub struct WalkedSubkeys<'w, 'h> {
    entries: &'w [Entry],
    cells: Cells<'h>,
}

impl WalkedSubkeys<'_, '_> {
    /// Returns their names for display, in the list's order, without those that the walk reports as unreadable.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.entries.iter().filter_map(|entry| Some(self.cells.key(entry.offset).ok()?.name.text().into_owned()))
    }
}

/// A value that a walk visits.
pub struct WalkedValue<'h> {
    raw: RawValue<'h>,
    data: Cow<'h, [u8]>,
}

impl<'h> WalkedKey<'_, 'h> {
    /// Returns the name as stored, in UTF-16 units.
    pub fn name_units(&self) -> impl Iterator<Item = u16> + 'h {
        self.raw.name.units()
    }

    /// Returns the name for display. Unpaired surrogates become U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.text().into_owned()
    }

    /// Returns the path from the root, in the hive's own letter case; empty for the root. Built on demand.
    pub fn path(&self) -> String {
        let names = self.above.iter().skip(1).map(|frame| frame.key.name);
        let own = (!self.above.is_empty()).then_some(self.raw.name);
        names.chain(own).fold(String::new(), |path, name| joined(path, name))
    }

    /// Returns the names on the path from the root, as stored, in UTF-16 units; empty for the root.
    pub fn path_units(&self) -> impl Iterator<Item = Vec<u16>> {
        let names = self.above.iter().skip(1).map(|frame| frame.key.name);
        let own = (!self.above.is_empty()).then_some(self.raw.name);
        names.chain(own).map(|name| name.units().collect())
    }

    /// Returns the number of UTF-16 units of the path with a separator before each name, without building the path.
    pub fn path_length(&self) -> usize {
        let names = self.above.iter().skip(1).map(|frame| frame.key.name);
        let own = (!self.above.is_empty()).then_some(self.raw.name);
        names.chain(own).fold(0, |sum, name| sum.saturating_add(name.length()).saturating_add(1))
    }

    /// Returns the class name in UTF-16 units; `None` if the key has none or it cannot be read, which the walk reports.
    pub fn class_units(&self) -> Option<Vec<u16>> {
        let (offset, length) = self.raw.class;
        let cell = self.cells.cell(offset, "a class name").ok().filter(|_| length > 0)?;
        let bytes = cell.get(..usize::from(length))?;
        Some(bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
    }

    /// Returns the offset of the record of the security descriptor, in bytes from the file's start, and the descriptor
    /// as stored. Keys share descriptors. `None` if it cannot be read, which the walk reports.
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

    /// Returns the number of keys above it; 0 for the root.
    pub fn depth(&self) -> usize {
        self.above.len()
    }

    /// Returns the offset of its key node, in bytes from the file's start.
    pub fn offset(&self) -> u64 {
        in_file(self.raw.offset)
    }

    /// Returns when the key, or a value of it, was last written.
    pub fn last_written(&self) -> FileTime {
        self.raw.last_written
    }

    /// Returns whether the key is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.raw.is_link
    }

    /// Returns the stored counts of subkeys and values.
    pub fn promises(&self) -> (u32, u32) {
        (self.raw.subkey_count, self.raw.value_count)
    }
}

impl WalkedValue<'_> {
    /// Returns the name as stored, in UTF-16 units; empty for the default value.
    pub fn name_units(&self) -> impl Iterator<Item = u16> {
        self.raw.name.units()
    }

    /// Returns the name for display. Unpaired surrogates become U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.text().into_owned()
    }

    /// Returns the type as stored.
    pub fn data_type(&self) -> DataType {
        self.raw.data_type
    }

    /// Returns the data as stored.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Returns the offset of its record, in bytes from the file's start.
    pub fn offset(&self) -> u64 {
        in_file(self.raw.offset)
    }
}

fn joined(mut path: String, name: Name<'_>) -> String {
    use std::fmt::Write as _;
    if !path.is_empty() {
        path.push('\\');
    }
    // Writing to a string cannot fail.
    let _ = write!(path, "{name}");
    path
}
