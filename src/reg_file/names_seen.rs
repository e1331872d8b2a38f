//! Records the values that a document names, to detect those named twice.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher as _;
use std::mem;

use super::key_path::KeyPath;

/// The most names of one key that are kept.
const MOST_NAMES: usize = 1 << 18;
/// The most memory for the names of the keys before the open one, in bytes.
const MOST_KEPT: usize = 8 << 20;
/// What a key costs beside its path and its names.
const KEY: usize = 128;
/// Up to this many names of a key are kept in a list.
const FEW: usize = 32;
/// A set of names with more room than this is not cleared for the next key, but replaced.
const ROOM: usize = 1 << 12;

/// The value names of each key so far, without letter case.
///
/// Importers disagree about a value that is named twice: regedit uses the last one; hivexregedit stores both spellings,
/// and setting wins over a later deletion. The memory is bounded: the least keys in the order of their paths are
/// forgotten, so that nothing is missed in a text whose keys are in that order.
#[derive(Default)]
pub(super) struct NamesSeen {
    /// The names of each key by its folded path.
    others: BTreeMap<Vec<u8>, Kept>,
    /// What they cost.
    kept: usize,
    /// The greatest path of a key that was forgotten.
    forgotten: Option<Vec<u8>>,
    open: Vec<u8>,
    names: Names,
    /// Whether nothing may be forgotten.
    keeps_all: bool,
}

impl NamesSeen {
    /// Returns a record that forgets nothing, for a document that is in memory itself.
    pub(super) fn of_everything() -> Self {
        Self { names: Names::of_everything(), keeps_all: true, ..Self::default() }
    }

    /// Opens a key. Its earlier names are kept. Returns false if they may have been forgotten.
    pub(super) fn open(&mut self, key: &KeyPath) -> bool {
        self.close();
        self.open = folded_path(key);
        if let Some(names) = self.remove() {
            self.names.put(names);
            return true;
        }
        self.forgotten.as_ref().is_none_or(|forgotten| self.open > *forgotten)
    }

    /// Records a value of the open key; returns false if it was named before.
    pub(super) fn is_new(&mut self, name: &[u16]) -> bool {
        self.names.insert(name.iter().map(|&unit| fold(unit)))
    }

    /// Returns whether the open key has more names than are kept.
    pub(super) fn is_full(&self) -> bool {
        self.names.is_full()
    }

    /// Removes a key and everything below it, because a value that is set after a deletion is new.
    pub(super) fn delete(&mut self, key: &KeyPath) {
        self.close();
        let path = folded_path(key);
        let bound = |unit: u16| [path.as_slice(), &unit.to_be_bytes()].concat();
        let below = self.others.range(bound(0)..bound(1)).map(|(key, _)| key.clone()).collect::<Vec<_>>();
        for key in below.into_iter().chain([path]) {
            self.open = key;
            self.remove();
        }
        self.open.clear();
    }

    /// Returns the number of recorded keys beside the open one.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.others.len()
    }

    /// Removes and returns the earlier names of the open key.
    fn remove(&mut self) -> Option<Kept> {
        // In a text whose keys are in order, a key is behind all others.
        if self.others.last_key_value().is_none_or(|(last, _)| *last < self.open) {
            return None;
        }
        let names = self.others.remove(&self.open)?;
        self.kept = self.kept.saturating_sub(cost(&self.open, &names));
        Some(names)
    }

    fn close(&mut self) {
        let path = mem::take(&mut self.open);
        let names = self.names.take();
        if names.is_empty() {
            return;
        }
        self.kept = self.kept.saturating_add(cost(&path, &names));
        self.others.insert(path, names);
        while self.kept > MOST_KEPT
            && !self.keeps_all
            && let Some((path, names)) = self.others.pop_first()
        {
            self.kept = self.kept.saturating_sub(cost(&path, &names));
            self.forgotten = self.forgotten.take().max(Some(path));
        }
    }
}

fn cost(path: &[u8], names: &Kept) -> usize {
    mem::size_of_val(path).saturating_add(names.cost()).saturating_add(KEY)
}

/// The names of a key that is not open, as hashes.
enum Kept {
    Few(Box<[u64]>),
    /// As they were: a key that is opened again and again costs no copy each time.
    Many(HashSet<u64>),
}

impl Kept {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Few(names) if names.is_empty())
    }

    /// Returns the bytes in memory. A place in a set has one byte beside its hash.
    fn cost(&self) -> usize {
        match self {
            Self::Few(names) => mem::size_of_val(names.as_ref()),
            Self::Many(names) => names.capacity().saturating_mul(9),
        }
    }
}

/// The names of one key, as hashes.
#[derive(Default)]
pub(super) struct Names {
    hasher: RandomState,
    hashes: HashSet<u64>,
    /// The bytes of a name, to be hashed.
    bytes: Vec<u8>,
    keeps_all: bool,
}

impl Names {
    /// Returns a set without a limit.
    pub(super) fn of_everything() -> Self {
        Self { keeps_all: true, ..Self::default() }
    }

    /// Adds a name; returns false if it is there. A name beyond the limit is not kept.
    pub(super) fn insert(&mut self, name: impl Iterator<Item = u16>) -> bool {
        let hash = self.hash(name);
        if self.is_full() { !self.hashes.contains(&hash) } else { self.hashes.insert(hash) }
    }

    /// Returns whether the name was added.
    pub(super) fn contains(&mut self, name: impl Iterator<Item = u16>) -> bool {
        let hash = self.hash(name);
        self.hashes.contains(&hash)
    }

    /// Returns whether no further names are kept.
    pub(super) fn is_full(&self) -> bool {
        self.hashes.len() >= MOST_NAMES && !self.keeps_all
    }

    /// Removes all names.
    pub(super) fn clear(&mut self) {
        self.hashes.clear();
        if self.hashes.capacity() > ROOM {
            self.hashes = HashSet::new();
        }
    }

    fn take(&mut self) -> Kept {
        if self.hashes.len() > FEW {
            return Kept::Many(mem::take(&mut self.hashes));
        }
        let names = self.hashes.iter().copied().collect();
        self.clear();
        Kept::Few(names)
    }

    fn put(&mut self, names: Kept) {
        match names {
            Kept::Few(names) => self.hashes.extend(names),
            Kept::Many(names) => self.hashes = names,
        }
    }

    fn hash(&mut self, name: impl Iterator<Item = u16>) -> u64 {
        self.bytes.clear();
        self.bytes.extend(name.flat_map(u16::to_le_bytes));
        self.hasher.hash_one(&self.bytes)
    }
}

/// Returns a path in upper case, in big-endian units, so that its bytes sort like its units. Zeros separate its names:
/// a key sorts before all that is below it, and that before the next key beside it.
fn folded_path(key: &KeyPath) -> Vec<u8> {
    let length = key.names().iter().fold(0_usize, |length, name| length.saturating_add(name.len()).saturating_add(1));
    let mut path = Vec::with_capacity(length.saturating_mul(2));
    for name in key.names() {
        if !path.is_empty() {
            path.extend_from_slice(&[0, 0]);
        }
        path.extend(name.iter().flat_map(|&unit| fold(unit).to_be_bytes()));
    }
    path
}

/// Returns the upper case of a unit. Unicode merges a few letters that Windows distinguishes, so two names may be
/// reported as equal that Windows keeps apart. A pair of basic Latin, Greek, or Cyrillic letters is never missed.
#[inline]
fn fold(unit: u16) -> u16 {
    match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => byte.to_ascii_uppercase().into(),
        _ => upper(unit),
    }
}

fn upper(unit: u16) -> u16 {
    let mut upper = char::from_u32(u32::from(unit)).into_iter().flat_map(char::to_uppercase);
    match (upper.next().map(|c| u16::try_from(u32::from(c))), upper.next()) {
        (Some(Ok(upper)), None) => upper,
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn a_name_is_new_once_per_key() {
        let mut seen = NamesSeen::default();
        seen.open(&KeyPath::from("HKEY_USERS\\a"));
        assert!(seen.is_new(&units("é")));
        seen.open(&KeyPath::from("HKEY_USERS\\b"));
        assert!(seen.is_new(&units("é")));
        seen.open(&KeyPath::from("hkey_users\\A"));
        assert!(!seen.is_new(&units("É")));
    }

    #[test]
    fn a_delete_forgets_the_subtree_and_nothing_beside_it() {
        let mut seen = NamesSeen::default();
        for key in ["HKEY_USERS\\a", "HKEY_USERS\\a\\b", "HKEY_USERS\\a b", "HKEY_USERS\\ab"] {
            seen.open(&KeyPath::from(key));
            seen.is_new(&units("n"));
        }
        seen.delete(&KeyPath::from("HKEY_USERS\\A"));
        let mut is_new = |key: &str| {
            seen.open(&KeyPath::from(key));
            seen.is_new(&units("n"))
        };
        assert!(is_new("HKEY_USERS\\a") && is_new("HKEY_USERS\\a\\b"));
        assert!(!is_new("HKEY_USERS\\a b") && !is_new("HKEY_USERS\\ab"));
    }

    /// Every key with its values costs memory. Those that come first in order are forgotten first.
    #[test]
    fn memory_is_bounded_and_what_may_be_missed_is_known() {
        let key = |number: usize| KeyPath::from(format!("HKEY_USERS\\{number:0200}").as_str());
        let keys = 2 * MOST_KEPT / 400;
        let mut seen = NamesSeen::default();
        for number in 0..keys {
            assert!(seen.open(&key(number)), "in order, no key can have been forgotten");
            assert!(seen.is_new(&units("n")));
        }
        seen.close();
        assert!(seen.kept <= MOST_KEPT && seen.keys() < keys / 2);
        assert!(seen.open(&key(keys - 1)) && !seen.is_new(&units("N")), "the last ones are known");
        assert!(!seen.open(&key(0)), "the first one was forgotten");
        assert!(!seen.is_full());
        for number in 0..MOST_NAMES {
            seen.is_new(&units(&number.to_string()));
        }
        assert!(seen.is_full() && seen.is_new(&units("another")) && seen.is_new(&units("another")));
        let mut all = NamesSeen::of_everything();
        (0..keys).for_each(|number| assert!(all.open(&key(number)) && all.is_new(&units("n"))));
        assert!(all.open(&key(0)) && !all.is_new(&units("n")));
    }

    #[test]
    fn a_key_sorts_before_what_is_below_it_and_that_before_its_neighbour() {
        let paths = ["HKEY_USERS\\a", "HKEY_USERS\\a\\b", "HKEY_USERS\\a b", "HKEY_USERS\\é"];
        assert!(paths.map(|path| folded_path(&KeyPath::from(path))).is_sorted());
        assert_eq!(folded_path(&KeyPath::from("hkey_users\\É")), folded_path(&KeyPath::from(paths[3])));
    }
}
