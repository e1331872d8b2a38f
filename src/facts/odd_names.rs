//! Names that hide: a second key or value of the same name, one that only looks the same, and one with a NUL in it.
//!
//! Windows compares names by their uppercase letters and lets no two subkeys, and no two values, of one key have the
//! same name: a hive with such twins was edited. Its lookup takes the first that it meets. Names are counted strings,
//! so they may hold a NUL; the Win32 functions, and regedit with them, end a name there and cannot open such a key or
//! value: Russinovich, "Hidden Registry Keys?" (RegHide, Sysinternals); Poweliks and Kovter hid their Run values so;
//! github.com/outflanknl/SharpHide. Names that differ in a blank, a dot or a letter of another script are other names to
//! Windows (MITRE ATT&CK T1036.004).

use std::collections::{BTreeMap, BTreeSet};

use crate::hive::{Key, Tree};
use crate::registry::Name;
use crate::registry::look_alikes::look;

/// So many odd names are told of each key; a hostile one has as many as it has subkeys.
const MOST_TOLD: usize = 16;

/// What is odd about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddness {
    /// To Windows it is the same name as another one in the key.
    Twin,
    /// It has a NUL in it.
    Nul,
    /// It looks like the name of a judged key or value, and is another one to Windows.
    LookAlike,
}

/// A name in or beside a judged key that hides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddName {
    /// The key that it stands in.
    pub parent: String,
    /// The name that it looks like; empty where it looks like none that is judged.
    pub like: String,
    /// The name as stored.
    pub name: String,
    /// Whether it is a value's name, and not a key's.
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

/// Paths and names of values that are expected in a hive.
#[derive(Default)]
pub(super) struct Expectations(BTreeMap<Name, Expected>);

impl Expectations {
    /// Expects the key at `path`, with these values. Every key on the way there is expected, too.
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

    /// Returns the odd names in the keys that are there, in the order of the keys' paths.
    pub(super) fn find(&self, tree: &Tree<'_>) -> Vec<OddName> {
        let mut odd = Vec::new();
        for expected in self.0.values() {
            // What cannot be read is a problem of the hive, and the facts of the key say so.
            let Ok(Some(key)) = tree.key(&expected.path) else { continue };
            odd.extend(expected.in_key(&key));
        }
        odd
    }
}

impl Expected {
    fn in_key(&self, key: &Key<'_, '_>) -> Vec<OddName> {
        let keys = key.subkeys().0.iter().map(Key::name).collect();
        let mut odd = self.among(keys, &self.keys, false);
        // Only a judged key's values are looked at.
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
                Some(like) if Name::from(name.as_str()) != Name::from(like) => {
                    tell(like, name, Oddness::LookAlike);
                }
                // The first of that name is the one that is judged.
                Some(like) if !met.insert(like) => tell(like, name, Oddness::Twin),
                Some(_) | None => {}
            }
        }
        odd
    }
}
