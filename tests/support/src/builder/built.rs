//! A built hive with the places of all its records.

use super::PAGE;
use super::base_block::fix_checksum;
use super::names::{same_name, units, upcase_name};
use std::collections::BTreeMap;

/// The place of a cell: 4 bytes of size (negative if in use), then its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell(usize);

impl Cell {
    /// Returns the cell at this file offset.
    pub(super) fn at(file_offset: usize) -> Self {
        Self(file_offset)
    }

    /// Returns the file offset of the cell's size.
    pub fn size_field(self) -> usize {
        self.0
    }

    /// Returns the file offset of its contents. Offsets in the format's specification count from here.
    pub fn payload(self) -> usize {
        self.0 + 4
    }

    /// Returns the offset that other records use for the cell, from the start of the hive bins.
    pub fn offset(self) -> u32 {
        u32::try_from(self.0 - PAGE).expect("a hive is smaller than 4 GiB")
    }
}

/// The place of the data of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataLocation {
    /// In the value's record, at this file offset: four bytes or fewer.
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

/// The place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueLocation {
    /// Its name.
    pub name: Vec<u16>,
    /// Its `vk` record.
    pub vk: Cell,
    /// Its data.
    pub data: DataLocation,
}

/// The place of a key's list of subkeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubkeyListLocation {
    /// The list that the key names.
    pub cell: Cell,
    /// The lists in it, if it is an `ri`.
    pub leaves: Vec<Cell>,
}

/// The place of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLocation {
    /// Its name.
    pub name: Vec<u16>,
    /// The index of its parent in `Built::keys`; `None` for the root.
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

/// A hive as a file, with the places of its records.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file.
    pub bytes: Vec<u8>,
    /// All keys, each before its subkeys, in the order of the lists.
    pub keys: Vec<KeyLocation>,
    /// The security descriptor of all keys without their own.
    pub security: Cell,
    /// The file offsets of the hive bins.
    pub bins: Vec<usize>,
    /// The free cells, at most one at the end of each bin.
    pub free: Vec<Cell>,
    /// The index in `keys` by the parent's index and the upper-case name. Of duplicates, the first.
    pub(super) by_name: BTreeMap<(usize, Vec<u16>), usize>,
}

impl Built {
    /// Returns the place of a key; `""` is the root. Of duplicates, returns the first; `keys` has all of them.
    ///
    /// # Panics
    ///
    /// If there is no such key.
    pub fn key(&self, path: &str) -> &KeyLocation {
        let mut names = path.split('\\').filter(|name| !name.is_empty());
        let place = names.try_fold(0, |parent, name| self.by_name.get(&(parent, upcase_name(&units(name)))).copied());
        &self.keys[place.unwrap_or_else(|| panic!("no key {path:?} was built"))]
    }

    /// Returns the place of a value; `""` is the default value.
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

    /// Overwrites bytes at a file offset.
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

    /// Corrects the checksum after a change to the base block.
    pub fn fix_checksum(&mut self) {
        fix_checksum(&mut self.bytes);
    }
}
