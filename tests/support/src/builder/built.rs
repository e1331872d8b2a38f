//! A built hive, and where everything in it is.

use super::PAGE;
use super::base_block::fix_checksum;
use super::names::{same_name, units, upcase_name};
use std::collections::BTreeMap;

/// A cell's place: 4 bytes of size (negative when in use), then its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell(usize);

impl Cell {
    /// Returns the cell that begins at that offset of the file.
    pub(super) fn at(file_offset: usize) -> Self {
        Self(file_offset)
    }

    /// Returns where the cell's size stands in the file.
    pub fn size_field(self) -> usize {
        self.0
    }

    /// Returns where its contents begin in the file; offsets in the format's specification count from here.
    pub fn payload(self) -> usize {
        self.0 + 4
    }

    /// Returns its offset as other records refer to it: from the start of the hive bins.
    pub fn offset(self) -> u32 {
        u32::try_from(self.0 - PAGE).expect("a hive is smaller than 4 GiB")
    }
}

/// Where the data of a value are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataLocation {
    /// In the value's own record, at that offset of the file: four bytes or fewer.
    Inline(usize),
    /// In a cell.
    Cell(Cell),
    /// In segments.
    Big {
        /// The `db` record.
        db: Cell,
        /// The list of the segments' offsets.
        list: Cell,
        /// The segments.
        segments: Vec<Cell>,
    },
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueLocation {
    /// Its name.
    pub name: Vec<u16>,
    /// Its `vk` record.
    pub vk: Cell,
    /// Its data.
    pub data: DataLocation,
}

/// Where a key's list of subkeys is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubkeyListLocation {
    /// The list that the key refers to.
    pub cell: Cell,
    /// If that is an `ri`, the lists in it.
    pub leaves: Vec<Cell>,
}

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLocation {
    /// Its name.
    pub name: Vec<u16>,
    /// Its parent's place in `Built::keys`; none for the root.
    pub parent: Option<usize>,
    /// Its `nk` record.
    pub nk: Cell,
    /// Its class name.
    pub class: Option<Cell>,
    /// The list of its values' offsets.
    pub value_list: Option<Cell>,
    /// Its values, in order.
    pub values: Vec<ValueLocation>,
    /// The list of its subkeys.
    pub subkey_list: Option<SubkeyListLocation>,
}

/// A hive as a file, with a map of it.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file.
    pub bytes: Vec<u8>,
    /// All keys, each before its subkeys, in the order of the lists.
    pub keys: Vec<KeyLocation>,
    /// The security descriptor of all keys that have none of their own.
    pub security: Cell,
    /// Where the hive bins begin in the file.
    pub bins: Vec<usize>,
    /// The free cells, at most one at the end of each bin.
    pub free: Vec<Cell>,
    /// Parent's place and upper-cased name to a place in `keys`; of duplicates, the first.
    pub(super) by_name: BTreeMap<(usize, Vec<u16>), usize>,
}

impl Built {
    /// Returns where a key is; `""` is the root. Of duplicates it is the first; `keys` has them all.
    ///
    /// # Panics
    ///
    /// If there is no such key.
    pub fn key(&self, path: &str) -> &KeyLocation {
        let mut names = path.split('\\').filter(|name| !name.is_empty());
        let place = names.try_fold(0, |parent, name| self.by_name.get(&(parent, upcase_name(&units(name)))).copied());
        &self.keys[place.unwrap_or_else(|| panic!("no key {path:?} was built"))]
    }

    /// Returns where a value is; `""` is the default value.
    ///
    /// # Panics
    ///
    /// If there is no such key or value.
    pub fn value(&self, path: &str, name: &str) -> &ValueLocation {
        let units = units(name);
        let mut values = self.key(path).values.iter();
        values
            .find(|value| same_name(&value.name, &units))
            .unwrap_or_else(|| panic!("no value {name:?} was built in {path:?}"))
    }

    /// Overwrites bytes at an offset of the file.
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Overwrites two bytes.
    pub fn put_u16(&mut self, at: usize, number: u16) {
        self.put(at, &number.to_le_bytes());
    }

    /// Overwrites four bytes.
    pub fn put_u32(&mut self, at: usize, number: u32) {
        self.put(at, &number.to_le_bytes());
    }

    /// Makes the checksum right again after the base block was changed.
    pub fn fix_checksum(&mut self) {
        fix_checksum(&mut self.bytes);
    }
}
