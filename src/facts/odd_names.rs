//! Names that hide: a second key or value with the same name, a name that only looks the same, and a name with a NUL.
//!
//! Windows compares names by their uppercase letters and allows no two subkeys, and no two values, of one key with the
//! same name. A hive with such twins was edited. Windows' lookup uses the first match. Names are counted strings, so
//! they may contain a NUL. The Win32 functions, and therefore regedit, end a name at the NUL and cannot open such a key
//! or value: Russinovich, "Hidden Registry Keys?" (RegHide, Sysinternals). Poweliks and Kovter hid their Run values
//! this way; github.com/outflanknl/SharpHide. Names that differ in a blank, a dot, or a letter of another script are
//! different names to Windows (MITRE ATT&CK T1036.004).

use std::borrow::Cow;

use crate::baseline::ExpectedNames;
use crate::control_set::{self, CURRENT};
use crate::hive::{Key, Tree};
use crate::registry::look_alikes::look;
use crate::registry::same_text;

/// The most odd names that are reported for each key. A hostile key has as many as it has subkeys.
const MOST_TOLD: usize = 16;

/// What is odd about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddness {
    /// To Windows the name is the same as another name in the key.
    Twin,
    /// The name contains a NUL.
    Nul,
    /// The name looks like that of a judged key or value, but is a different name to Windows.
    LookAlike,
}

/// A name in or beside a judged key that hides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddName {
    /// The key that contains the name.
    pub parent: String,
    /// The judged name that it looks like; empty if there is none.
    pub like: String,
    /// The name as stored.
    pub name: String,
    /// Whether the name is that of a value, not of a key.
    pub is_value: bool,
    /// What is odd.
    pub oddness: Oddness,
}

/// Returns the odd names in the existing keys of a hive, key by key. `CurrentControlSet` stands for this control set.
pub(super) fn find(expected: &ExpectedNames, tree: &Tree<'_>, control_set: Option<u32>) -> Vec<OddName> {
    let mut odd = Vec::new();
    // Unreadable data are a problem of the hive, and the facts of the key report them.
    let Ok(root) = tree.root() else { return odd };
    let own = control_set.map(control_set::key_name);
    let is_set = |name: &str| own.is_some() && name == CURRENT;
    let like = |name: &str| match &own {
        Some(own) if look(own) == look(name) => Some((usize::MAX, own.as_str())),
        _ => expected.key_like(name).filter(|(_, name)| !is_set(name)),
    };
    among(&root.subkey_names(), like, false, "", &mut odd);
    odd.truncate(MOST_TOLD);
    for (name, below) in expected.keys() {
        let name = own.as_deref().filter(|_| is_set(name)).unwrap_or(name);
        if let Ok(Some(subkey)) = root.subkey(name) {
            in_key(&subkey, name, below, &mut odd);
        }
    }
    odd
}

/// Adds the odd names in a key, and in the expected keys below it. `path` is its path as expected.
fn in_key(key: &Key<'_, '_>, path: &str, expected: &ExpectedNames, odd: &mut Vec<OddName>) {
    let first = odd.len();
    among(&key.subkey_names(), |name| expected.key_like(name), false, path, odd);
    // Values are checked only in judged keys.
    if expected.is_judged() {
        among(&key.value_names(), |name| expected.value_like(name), true, path, odd);
    }
    odd.truncate(first.saturating_add(MOST_TOLD));
    for (name, below) in expected.keys() {
        if let Ok(Some(subkey)) = key.subkey(name) {
            in_key(&subkey, &[path, "\\", name].concat(), below, odd);
        }
    }
}

/// Adds the odd ones of these names. `like` returns the expected name that a name looks like, and its position.
fn among<'e>(
    names: &[Cow<'_, str>],
    like: impl Fn(&str) -> Option<(usize, &'e str)>,
    is_value: bool,
    parent: &str,
    odd: &mut Vec<OddName>,
) {
    let mut met = Vec::new();
    let mut tell = |like: &str, name: &str, oddness| {
        odd.push(OddName {
            parent: parent.to_owned(),
            like: like.to_owned(),
            name: name.to_owned(),
            is_value,
            oddness,
        });
    };
    for name in names {
        match like(name) {
            like if name.contains('\0') => tell(like.map_or("", |(_, like)| like), name, Oddness::Nul),
            Some((_, like)) if !same_text(name, like) => tell(like, name, Oddness::LookAlike),
            // Windows uses the first of several, so the first is judged.
            Some((place, like)) if met.contains(&place) => tell(like, name, Oddness::Twin),
            Some((place, _)) => met.push(place),
            None => {}
        }
    }
}
