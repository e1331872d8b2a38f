//! Records the values that a document names, to detect those named twice.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use super::key_path::KeyPath;

/// The value names of each key so far, without letter case.
///
/// Importers disagree about a value that is named twice: regedit uses the last one; hivexregedit stores both spellings,
/// and setting wins over a later deletion.
#[derive(Default)]
pub(super) struct NamesSeen {
    others: BTreeMap<Vec<u16>, BTreeSet<Vec<u16>>>,
    open: Vec<u16>,
    names: BTreeSet<Vec<u16>>,
}

impl NamesSeen {
    /// Opens a key. Its earlier names are kept.
    pub(super) fn open(&mut self, key: &KeyPath) {
        self.close();
        self.open = fold(&key.to_units());
        self.names = self.others.remove(&self.open).unwrap_or_default();
    }

    /// Records a value of the open key; returns false if it was named before.
    pub(super) fn is_new(&mut self, name: &[u16]) -> bool {
        self.names.insert(fold(name))
    }

    /// Removes a key and everything below it, because a value that is set after a deletion is new.
    pub(super) fn delete(&mut self, key: &KeyPath) {
        self.close();
        let folded = fold(&key.to_units());
        self.others.remove(&folded);
        // In unit order, all text that begins with `key\` sorts between `key\` and `key]`.
        let bound = |unit: u8| folded.iter().copied().chain([u16::from(unit)]).collect::<Vec<_>>();
        let below = self.others.range(bound(b'\\')..bound(b']')).map(|(key, _)| key.clone()).collect::<Vec<_>>();
        for key in below {
            self.others.remove(&key);
        }
    }

    /// Returns the number of recorded keys beside the open one.
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

/// Returns the upper case, unit by unit. Unicode merges a few letters that Windows distinguishes, so two names may be
/// reported as equal that Windows keeps apart. A pair of basic Latin, Greek, or Cyrillic letters is never missed.
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
