//! The names that a baseline expects in each key of a hive: of its keys, of the keys on their paths, and of values.

use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

use super::{Baseline, ExpectedKey};
use crate::registry::Role;
use crate::registry::look_alikes::{look, plain};

/// The names that are expected in one key.
#[derive(Debug, Default)]
pub struct ExpectedNames {
    /// The expected subkeys, with the names in them.
    keys: Looks<(String, ExpectedNames)>,
    /// The names of the expected values.
    values: Looks<String>,
}

impl ExpectedNames {
    fn of<'k>(keys: impl Iterator<Item = &'k ExpectedKey>) -> Self {
        let mut root = Self::default();
        for key in keys {
            let path: Vec<&str> = key.path.split('\\').filter(|name| !name.is_empty()).collect();
            root.add(&path, key);
        }
        root
    }

    fn add(&mut self, path: &[&str], key: &ExpectedKey) {
        match path.split_first() {
            Some((name, rest)) => {
                if let Some((_, below)) = self.keys.entry(name, || ((*name).to_owned(), Self::default())) {
                    below.add(rest, key);
                }
            }
            None => key.values.iter().for_each(|value| _ = self.values.entry(&value.name, || value.name.clone())),
        }
    }

    /// Returns the expected subkeys, sorted by what their names look like.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.keys.0.iter().map(|(_, (name, below))| (name.as_str(), below))
    }

    /// Returns the position among the expected subkeys, and the name, of the one that looks like this name.
    pub fn key_like(&self, name: &str) -> Option<(usize, &str)> {
        self.keys.like(name).map(|(place, (name, _))| (place, name.as_str()))
    }

    /// Returns the position among the expected values, and the name, of the one that looks like this name.
    pub fn value_like(&self, name: &str) -> Option<(usize, &str)> {
        self.values.like(name).map(|(place, name)| (place, name.as_str()))
    }

    /// Returns whether values are expected, so that the key is judged.
    pub fn is_judged(&self) -> bool {
        !self.values.0.is_empty()
    }
}

/// Things by what their names look like, sorted.
#[derive(Debug)]
struct Looks<T>(Vec<(String, T)>);

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Looks<T> {
    /// Returns the thing with a name that looks like this one, made by `new` if there is none.
    fn entry(&mut self, name: &str, new: impl FnOnce() -> T) -> Option<&mut T> {
        let look = look(name);
        let place = self.0.binary_search_by(|(known, _)| known.as_str().cmp(&look)).unwrap_or_else(|place| {
            self.0.insert(place, (look, new()));
            place
        });
        self.0.get_mut(place).map(|(_, thing)| thing)
    }

    fn like(&self, name: &str) -> Option<(usize, &T)> {
        let place = if let Some(plain) = plain(name) {
            self.0.binary_search_by(|(known, _)| compare(known, plain))
        } else {
            let look = look(name);
            self.0.binary_search_by(|(known, _)| known.as_str().cmp(&look))
        };
        let place = place.ok()?;
        self.0.get(place).map(|(_, thing)| (place, thing))
    }
}

/// Compares a look with that of a plain name, which is its letters in upper case.
fn compare(look: &str, plain: &str) -> Ordering {
    look.bytes().cmp(plain.bytes().map(|byte| byte.to_ascii_uppercase()))
}

/// The expected names of a baseline in SOFTWARE and in SYSTEM, made when they are needed first: one baseline judges
/// thousands of installations. A copy of a baseline, which may change, makes its own.
#[derive(Default)]
pub(super) struct NamesOnce {
    software: OnceLock<ExpectedNames>,
    system: OnceLock<ExpectedNames>,
}

impl NamesOnce {
    /// Returns the names of a baseline that expects none: nothing looks like them.
    pub(super) fn none() -> Self {
        Self { software: ExpectedNames::default().into(), system: ExpectedNames::default().into() }
    }
}

impl Clone for NamesOnce {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for NamesOnce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NamesOnce")
    }
}

impl Baseline {
    /// Returns the names that are expected in a hive. `CurrentControlSet` stands for the control set that is judged.
    pub fn expected_names(&self, role: Role) -> &ExpectedNames {
        let of_role = |role| ExpectedNames::of(self.keys.iter().filter(move |key| key.role == role));
        match role {
            Role::System => self.names.system.get_or_init(|| of_role(Role::System)),
            _ => self.names.software.get_or_init(|| of_role(Role::Software)),
        }
    }
}
