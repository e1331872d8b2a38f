//! Remembers which values a document has named, to find those named twice.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use super::key_path::KeyPath;

/// The value names of each key so far, letter case put aside.
///
/// Importers disagree about a value named twice: regedit lets the last one win, hivexregedit stores both spellings and
/// lets a set win over a later delete.
#[derive(Default)]
pub(super) struct NamesSeen {
    others: BTreeMap<Vec<u16>, BTreeSet<Vec<u16>>>,
    open: Vec<u16>,
    names: BTreeSet<Vec<u16>>,
}

impl NamesSeen {
    /// Turns to a key; names that it had before are remembered.
    pub(super) fn open(&mut self, key: &KeyPath) {
        self.close();
        self.open = fold(&key.to_units());
        self.names = self.others.remove(&self.open).unwrap_or_default();
    }

    /// Notes a value of the open key; false if it was named before.
    pub(super) fn is_new(&mut self, name: &[u16]) -> bool {
        self.names.insert(fold(name))
    }

    /// Forgets a key and everything below it: what is set after a delete is set afresh.
    pub(super) fn delete(&mut self, key: &KeyPath) {
        self.close();
        let folded = fold(&key.to_units());
        self.others.remove(&folded);
        // In unit order, everything that begins with `key\` lies between `key\` and `key]`.
        let bound = |unit: u8| folded.iter().copied().chain([u16::from(unit)]).collect::<Vec<_>>();
        let below = self.others.range(bound(b'\\')..bound(b']')).map(|(key, _)| key.clone()).collect::<Vec<_>>();
        for key in below {
            self.others.remove(&key);
        }
    }

    /// Returns how many keys are remembered beside the open one.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.others.len()
    }

    fn close(&mut self) {
        let key = mem::take(&mut self.open);
        let names = mem::take(&mut self.names);
        if !names.is_empty() {
            self.others.insert(key, names);
        }
    }
}

/// Upper case, unit by unit. Unicode joins a few letters that Windows keeps apart, so this may find two names alike
/// that Windows does not; it never overlooks a pair of the basic Latin, Greek or Cyrillic letters.
fn fold(text: &[u16]) -> Vec<u16> {
    text.iter()
        .map(|&unit| {
            let mut upper = char::from_u32(u32::from(unit)).into_iter().flat_map(char::to_uppercase);
            match (upper.next().map(|c| u16::try_from(u32::from(c))), upper.next()) {
                (Some(Ok(upper)), None) => upper,
                _ => unit,
            }
        })
        .collect()
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
}
