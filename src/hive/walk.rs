//! A whole hive: every key and value from the root down, what of it cannot be read, and what in it is odd.
//!
//! A walk asks the checked cells, not nt-hive: it must know each cell's offset, and take a list that lies for what it
//! is. It does not recurse, visits each key once, and takes no more steps than the hive has room for entries.

use std::borrow::Cow;

use super::Hive;
use super::cell::{Name, RawKey, RawValue, in_file};
use crate::error::Problem;
use crate::registry::{DataType, FileTime};

mod bins;
mod coverage;
mod marks;
mod met;
mod names;
mod walker;

pub use coverage::{Coverage, Loss, Lost, check};
use walker::{Frame, Walker};

/// What is to be done with each key and value of a walk. `()` does nothing with them: they are counted anyway.
pub trait Visitor {
    /// A key, before its values and its subkeys.
    fn key(&mut self, _key: &WalkedKey<'_, '_>) {}
    /// A value of the key that was visited last.
    fn value(&mut self, _key: &WalkedKey<'_, '_>, _value: &WalkedValue<'_>) {}
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

/// A key that a walk has come to.
pub struct WalkedKey<'w, 'h> {
    above: &'w [Frame<'h>],
    raw: &'w RawKey<'h>,
}

/// A value that a walk has come to.
pub struct WalkedValue<'h> {
    raw: RawValue<'h>,
    data: Cow<'h, [u8]>,
}

impl<'h> WalkedKey<'_, 'h> {
    /// The name as stored, in UTF-16 units.
    pub fn name_units(&self) -> impl Iterator<Item = u16> + 'h {
        self.raw.name.units()
    }

    /// The name, for showing. Unpaired surrogates are shown as U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.to_string()
    }

    /// The path from the root, in the hive's own letter case; empty for the root. It is put together when asked for.
    pub fn path(&self) -> String {
        let names = self.above.iter().skip(1).map(|frame| frame.key.name);
        let own = (!self.above.is_empty()).then_some(self.raw.name);
        names.chain(own).fold(String::new(), |path, name| joined(path, name))
    }

    /// How many keys are above it: 0 for the root.
    pub fn depth(&self) -> usize {
        self.above.len()
    }

    /// Where its key node is, in bytes from the file's start.
    pub fn offset(&self) -> u64 {
        in_file(self.raw.offset)
    }

    /// When the key, or a value of it, was last written.
    pub fn last_written(&self) -> FileTime {
        self.raw.last_written
    }

    /// How many subkeys and values the key promises.
    pub fn promises(&self) -> (u32, u32) {
        (self.raw.subkey_count, self.raw.value_count)
    }
}

impl WalkedValue<'_> {
    /// The name as stored, in UTF-16 units; none for the default value.
    pub fn name_units(&self) -> impl Iterator<Item = u16> {
        self.raw.name.units()
    }

    /// The name, for showing. Unpaired surrogates are shown as U+FFFD.
    pub fn name(&self) -> String {
        self.raw.name.to_string()
    }

    /// The type as stored.
    pub fn data_type(&self) -> DataType {
        self.raw.data_type
    }

    /// The data as stored.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Where its record is, in bytes from the file's start.
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
