//! Names that hide: a second key or value with the same name, a name that only looks the same, and a name with a NUL.
//!
//! Windows compares names by their uppercase letters and allows no two subkeys, and no two values, of one key with the
//! same name. A hive with such twins was edited. Windows' lookup uses the first match. Names are counted strings, so
//! they may contain a NUL. The Win32 functions, and therefore regedit, end a name at the NUL and cannot open such a key
//! or value: Russinovich, "Hidden Registry Keys?" (RegHide, Sysinternals). Poweliks and Kovter hid their Run values
//! this way; github.com/outflanknl/SharpHide. Names that differ in a blank, a dot, or a letter of another script are
//! different names to Windows (MITRE ATT&CK T1036.004).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::hive::{Key, Tree};
use crate::registry::look_alikes::look;
use crate::registry::{Name, same_text};

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

/// The names that are expected in one key.
#[derive(Default)]
struct Expected {
    path: String,
    keys: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
}

/// Paths of keys, and names of values, that are expected in a hive.
#[derive(Default)]
pub(super) struct Expectations(HashMap<Name, Expected>);

impl Expectations {
    /// Adds the key at `path` with these values. Every key on its path is expected too.
    pub(super) fn add<'a>(&mut self, path: &str, values: impl Iterator<Item = &'a str>) {
        let mut parent = String::new();
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            self.at(&parent).keys.entry(look(name)).or_insert_with(|| name.to_owned());
            let between = if parent.is_empty() { "" } else { "\\" };
            parent = [&parent, between, name].concat();
        }
        let here = self.at(&parent);
        here.values.extend(values.map(|name| (look(name), name.to_owned())));
    }

    fn at(&mut self, path: &str) -> &mut Expected {
        self.0.entry(path.into()).or_insert_with(|| Expected { path: path.to_owned(), ..Expected::default() })
    }

    /// Returns the odd names in the existing keys, in the order of the keys' paths.
    pub(super) fn find(&self, tree: &Tree<'_>) -> Vec<OddName> {
        let mut odd = Vec::new();
        let mut all: Vec<(&Name, &Expected)> = self.0.iter().collect();
        all.sort_unstable_by_key(|(path, _)| *path);
        for (_, expected) in all {
            // Unreadable data are a problem of the hive, and the facts of the key report them.
            let Ok(Some(key)) = tree.key(&expected.path) else { continue };
            odd.extend(expected.in_key(&key));
        }
        odd
    }
}

impl Expected {
    fn in_key(&self, key: &Key<'_, '_>) -> Vec<OddName> {
        let mut odd = self.among(key.subkey_names(), &self.keys, false);
        // Values are checked only in judged keys.
        if !self.values.is_empty() {
            let values = key.values().into_iter().flatten().map(|value| value.name).collect();
            odd.extend(self.among(values, &self.values, true));
        }
        odd.truncate(MOST_TOLD);
        odd
    }

    fn among(&self, names: Vec<String>, expected: &BTreeMap<String, String>, is_value: bool) -> Vec<OddName> {
        let mut met = BTreeSet::new();
        let mut odd = Vec::new();
        let mut tell = |like: &str, name: String, oddness| {
            odd.push(OddName { parent: self.path.clone(), like: like.to_owned(), name, is_value, oddness });
        };
        for name in names {
            let like = expected.get(&look(&name)).map(String::as_str);
            match like {
                _ if name.contains('\0') => tell(like.unwrap_or_default(), name, Oddness::Nul),
                Some(like) if !same_text(&name, like) => {
                    tell(like, name, Oddness::LookAlike);
                }
                // Windows uses the first of several, so the first is judged.
                Some(like) if !met.insert(like) => tell(like, name, Oddness::Twin),
                Some(_) | None => {}
            }
        }
        odd
    }
}
