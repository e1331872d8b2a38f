//! Short marks of keys and values: their identity and their contents.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{Content, MOST_OF_A_NAME, MOST_SHOWN};
use crate::finding::{Datum, ObservedDatum};
use crate::hive::walk::{WalkedKey, WalkedValue};
use crate::registry::{DataType, FileTime, RegistryValue, upcase};

/// The beginning of a SHA-256. Nobody can find a second text with the same one, not even on purpose.
pub(super) type Sum = [u8; 16];

/// The identity of a key or value: the names from the root down, without case, and its number among those with one
/// name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::verification) struct Id(Sum);

/// The contents of a key beside values and subkeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyMark {
    name: Sum,
    class: Sum,
    security: Sum,
    is_link: bool,
    pub(super) last_written: FileTime,
    /// Whether the other hive also has this key.
    pub(super) met: bool,
}

/// The contents of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValueMark {
    held: Sum,
    /// Whether the other hive also has this value.
    pub(super) met: bool,
}

/// The keys and values of a hive.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) keys: HashMap<Id, KeyMark>,
    pub(super) values: HashMap<Id, ValueMark>,
}

fn sum(text: &[u8]) -> Sum {
    Sha256::digest(text).first_chunk().copied().unwrap_or_default()
}

fn bytes_of(units: impl Iterator<Item = u16>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    units.for_each(|unit| bytes.extend_from_slice(&unit.to_le_bytes()));
    bytes
}

impl Id {
    /// The root key.
    pub(super) const ROOT: Self = Self([0; 16]);

    /// Returns the first subkey with this name.
    pub(super) fn subkey(self, name: impl Iterator<Item = u16>) -> Self {
        self.below(b'k', &bytes_of(name.map(upcase)))
    }

    /// Returns the first value with this name.
    pub(super) fn value(self, name: impl Iterator<Item = u16>) -> Self {
        self.below(b'v', &bytes_of(name.map(upcase)))
    }

    /// Returns a further key or value with the same name. The one after the first has number 1.
    pub(super) fn again(self, number: u32) -> Self {
        self.below(b'a', &number.to_le_bytes())
    }

    fn below(self, kind: u8, name: &[u8]) -> Self {
        Self(sum(&[&self.0, &[kind][..], name].concat()))
    }

    /// Returns the key at a path from the root, with backslashes between the names.
    pub(in crate::verification) fn of_key(path: &str) -> Self {
        let names = path.split('\\').filter(|name| !name.is_empty());
        names.fold(Self::ROOT, |id, name| id.subkey(name.encode_utf16()))
    }

    /// Returns a value of the key at a path.
    pub(in crate::verification) fn of_value(path: &str, name: &str) -> Self {
        Self::of_key(path).value(name.encode_utf16())
    }
}

impl KeyMark {
    /// Returns the mark of a key. `security` is the mark of its descriptor.
    pub(super) fn new(key: &WalkedKey<'_, '_>, class: Option<&[u16]>, security: Sum) -> Self {
        let class = class.map(|class| bytes_of(class.iter().copied()));
        let name = bytes_of(key.name_units());
        Self {
            // The root's name has no meaning, and each program sets another one.
            name: if key.depth() == 0 { Sum::default() } else { sum(&name) },
            class: class.map(|class| sum(&class)).unwrap_or_default(),
            security,
            is_link: key.is_link(),
            last_written: key.last_written(),
            met: false,
        }
    }

    /// Returns the parts that differ from another mark.
    pub(super) fn changes(&self, other: &Self) -> Vec<&'static str> {
        let same = [
            ("name", self.name == other.name),
            ("class", self.class == other.class),
            ("security", self.security == other.security),
            ("link", self.is_link == other.is_link),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect()
    }
}

/// Returns the mark of a security descriptor; zeros if the key has none.
pub(super) fn sum_of_security(descriptor: Option<&[u8]>) -> Sum {
    descriptor.map(sum).unwrap_or_default()
}

impl ValueMark {
    /// Returns the mark of a value.
    pub(super) fn new(value: &WalkedValue<'_>) -> Self {
        let name = bytes_of(value.name_units());
        let mut hasher = Sha256::new();
        // Both lengths are part of the text, so that different values have different texts.
        hasher.update([&value.data_type().0.to_le_bytes()[..], &(name.len() as u64).to_le_bytes(), &name].concat());
        hasher.update(value.data());
        Self { held: hasher.finalize().first_chunk().copied().unwrap_or_default(), met: false }
    }

    /// Returns whether another mark has the same contents.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.held == other.held
    }
}

impl Content {
    /// Returns the contents of a value for display.
    pub(super) fn of(value: &WalkedValue<'_>) -> Self {
        Self::of_data(value.data_type(), value.data())
    }

    /// Returns the contents of a value that was already read.
    pub(in crate::verification) fn of_value(value: &RegistryValue) -> Self {
        Self::of_data(value.data_type, &value.bytes)
    }

    fn of_data(data_type: DataType, data: &[u8]) -> Self {
        let size = data.len();
        let observed = match data.get(..MOST_SHOWN) {
            // Part of the data must not be decoded as if it were the whole.
            Some(cut) if size > MOST_SHOWN => {
                ObservedDatum { datum: Datum { data_type, data: None }, raw: cut.to_vec() }
            }
            _ => ObservedDatum::from(&RegistryValue { data_type, bytes: data.to_vec() }),
        };
        Self { observed, size }
    }
}

/// Returns a value's name for display, cut if it is very long.
pub(super) fn shown_name(value: &WalkedValue<'_>) -> String {
    let units: Vec<u16> = value.name_units().take(MOST_OF_A_NAME).collect();
    String::from_utf16_lossy(&units)
}

/// Returns a key's path for display, cut if it is very long.
pub(super) fn shown_path(key: &WalkedKey<'_, '_>) -> String {
    let mut path = String::new();
    for name in key.path_units() {
        if !path.is_empty() {
            path.push('\\');
        }
        path.extend(char::decode_utf16(name).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)));
        if let Some((cut, _)) = path.char_indices().nth(MOST_OF_A_NAME) {
            path.truncate(cut);
            return path + "...";
        }
    }
    path
}
