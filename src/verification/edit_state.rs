//! The state of an edit's value: the data after the edit, the data before it, or other data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::ObservedDatum;
use crate::hive::{Key, Tree};
use crate::reg_file::{Dialect, Document, KeyPath, Operation, emit, parse, regedit_restores};
use crate::registry::{DataType, FileTime, Name, RegistryValue};
use crate::remediation::Edit;

/// The state of an edit's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditState {
    /// The data after the edit, by type and bytes.
    Applied,
    /// The data before the edit.
    NotApplied,
    /// The data that the rollback leaves if regedit cannot write the earlier data byte for byte.
    Altered,
    /// Other data.
    Other,
    /// The state is unknown.
    Unreadable,
}

/// The question about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Whether its patch was applied.
    Applied,
    /// Whether its rollback was applied after that.
    Undone,
}

/// The observed state of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) state: EditState,
    /// The current data; `None` if absent.
    pub(super) found: Option<ObservedDatum>,
    /// A note on the state.
    pub(super) note: Option<String>,
}

/// The keys of a hive, each read once for all its edits.
pub(super) struct Places<'t, 'h> {
    tree: &'t Tree<'h>,
    met: BTreeMap<Name, Met<'t, 'h>>,
}

/// The state of a key.
enum Met<'t, 'h> {
    Unreadable(String),
    Absent,
    Key {
        key: Key<'t, 'h>,
        /// The first value of each name, and the number of values with that name.
        values: BTreeMap<Name, (RegistryValue, usize)>,
        /// Whether a value of the key cannot be read.
        is_damaged: bool,
    },
}

impl<'t, 'h> Places<'t, 'h> {
    pub(super) fn new(tree: &'t Tree<'h>) -> Self {
        Self { tree, met: BTreeMap::new() }
    }

    fn met(&mut self, path: &str) -> &Met<'t, 'h> {
        let tree = self.tree;
        self.met.entry(Name::from(path)).or_insert_with(|| match tree.key(path) {
            Err(problem) => Met::Unreadable(problem.to_string()),
            Ok(None) => Met::Absent,
            Ok(Some(key)) => {
                let mut values: BTreeMap<Name, (RegistryValue, usize)> = BTreeMap::new();
                let mut is_damaged = false;
                for value in key.values() {
                    let Ok(value) = value else {
                        is_damaged = true;
                        continue;
                    };
                    let of_name = values.entry(Name::from(value.name.as_str())).or_insert((value.value, 0));
                    of_name.1 = of_name.1.saturating_add(1);
                }
                Met::Key { key, values, is_damaged }
            }
        })
    }

    /// Returns an existing key, and when it was last written.
    pub(super) fn key(&mut self, path: &str) -> Option<(&Key<'t, 'h>, FileTime)> {
        match self.met(path) {
            Met::Key { key, .. } => Some((key, key.last_written())),
            _ => None,
        }
    }

    /// Returns how many values of the key at `path` have this name, without case; `None` if the key cannot be reached.
    pub(super) fn values_of_name(&mut self, path: &str, name: &str) -> Option<usize> {
        match self.met(path) {
            Met::Key { values, .. } => Some(values.get(&Name::from(name)).map_or(0, |(_, count)| *count)),
            _ => None,
        }
    }

    /// Returns the state of an edit's value. If regedit cannot distinguish the plan's data, reports the expected one.
    pub(super) fn look(&mut self, edit: &Edit, asked: Asked) -> Seen {
        let unreadable = |note: String| Seen { state: EditState::Unreadable, found: None, note: Some(note) };
        let (key, values, is_damaged) = match self.met(&edit.key) {
            Met::Unreadable(why) => return unreadable(why.clone()),
            Met::Absent => {
                let note = edit.key_exists.then(|| "the key is missing".to_owned());
                return Seen { note, ..classified(None, edit, asked) };
            }
            Met::Key { key, values, is_damaged } => (key, values, *is_damaged),
        };
        let found = match values.get(&Name::from(edit.value.as_str())) {
            Some((value, count)) => {
                let found = Some(ObservedDatum::from(value));
                if *count > 1 {
                    let note = Some(format!("the key has {count} values of this name"));
                    return Seen { state: EditState::Other, found, note };
                }
                found
            }
            None if is_damaged => match key.value(&edit.value) {
                Ok(value) => value.as_ref().map(ObservedDatum::from),
                Err(problem) => return unreadable(problem.to_string()),
            },
            None => None,
        };
        match key.link() {
            None => classified(found, edit, asked),
            Some(link) => {
                let note = format!("{link} is a symbolic link: Windows reads another key in its place");
                Seen { state: EditState::Other, found, note: Some(note) }
            }
        }
    }
}

/// Returns which of the plan's data the value has.
fn classified(found: Option<ObservedDatum>, edit: &Edit, asked: Asked) -> Seen {
    let is_after = found == edit.after;
    let is_before = found == edit.before;
    let is_altered = || {
        let altered = edit.before.as_ref().and_then(as_regedit_restores);
        altered.is_some() && altered == found
    };
    let state = match asked {
        Asked::Applied if is_after => EditState::Applied,
        _ if is_before => EditState::NotApplied,
        _ if is_altered() => EditState::Altered,
        Asked::Undone if is_after => EditState::Applied,
        _ => EditState::Other,
    };
    Seen { state, found, note: None }
}

/// Returns what regedit stores if a rollback makes it write a value that no `.reg` file can restore byte for byte;
/// `None` if it can restore the value. This uses the same model of regedit that proves a patch.
fn as_regedit_restores(before: &ObservedDatum) -> Option<ObservedDatum> {
    let data_type = before.datum.data_type.0;
    regedit_restores(data_type, &before.raw).err()?;
    let mut document = Document::default();
    let (key, name) = (KeyPath::from(r"HKEY_LOCAL_MACHINE\SOFTWARE"), "v".encode_utf16().collect());
    document.push(Operation::SetValue { key, name, data_type, bytes: before.raw.clone() });
    let effect = parse(&emit(&document, Dialect::Regedit5).ok()?).effect;
    let stored = effect.operations.into_iter().find_map(|entry| match entry.operation {
        Operation::SetValue { data_type, bytes, .. } => Some(RegistryValue { data_type: DataType(data_type), bytes }),
        _ => None,
    });
    stored.as_ref().map(ObservedDatum::from)
}
