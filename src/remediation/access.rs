//! Who may write the keys of a plan, and what importers have to know about it.

use serde::{Deserialize, Serialize};

use super::{Edit, Target};
use crate::registry::Role;

/// The most keys that a sentence names. The others are counted.
const NAMED: usize = 5;

/// Who may write a key, according to the hive. Trustees are written as `Users (S-1-5-32-545)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The trustees to whom the key's access list grants `KEY_SET_VALUE`. For a key that the patch creates, those to
    /// whom its nearest existing ancestor grants `KEY_CREATE_SUB_KEY`. `None` if unknown.
    pub writable_by: Option<Vec<String>>,
    /// The owner, who can change the access list without being listed in it.
    pub owner: Option<String>,
    /// Why it is unknown, or which ancestor was checked instead of a missing key.
    pub writable_by_note: Option<String>,
    /// The result for the usual importers.
    #[serde(skip)]
    pub importers: Importers,
}

impl Access {
    /// Returns whether Administrators may write the key; false if unknown.
    pub fn administrators_may_write(&self) -> bool {
        self.importers == Importers::Administrators
    }
}

/// Whether the usual importers may write a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Importers {
    /// The descriptor was not read.
    #[default]
    NotRead,
    /// The descriptor is missing or unreadable.
    Unknown,
    /// Administrators may write the key.
    Administrators,
    /// Administrators may not write the key, but SYSTEM may.
    SystemOnly,
    /// Neither may write the key.
    Neither,
}

/// Returns warnings, in sentences for each hive, about keys that Administrators may not write.
pub fn warnings(edits: &[&Edit], target: Target) -> Vec<String> {
    let in_winre = if target == Target::Offline { " (in WinRE you are SYSTEM)" } else { "" };
    let mut warnings = Vec::new();
    for role in [Role::Software, Role::System] {
        let keys = |importers: Importers| {
            let mut keys: Vec<&str> = Vec::new();
            for edit in edits.iter().filter(|edit| edit.hive == role && edit.access.importers == importers) {
                if !keys.contains(&edit.key.as_str()) {
                    keys.push(&edit.key);
                }
            }
            listed(&keys)
        };
        if let Some(keys) = keys(Importers::SystemOnly) {
            warnings.push(format!(
                "Administrators may not write these keys of {role}, but SYSTEM may: {keys}. Import as \
                 SYSTEM{in_winre}, with a 64-bit regedit or reg for a 64-bit Windows."
            ));
        }
        if let Some(keys) = keys(Importers::Neither) {
            warnings.push(format!(
                "Neither Administrators nor SYSTEM may write these keys of {role}: {keys}. Take ownership of them first; \
                 plan.json names who may write them."
            ));
        }
        if let Some(keys) = keys(Importers::Unknown) {
            warnings.push(format!(
                "The security descriptors of these keys of {role} cannot be read: {keys}. Windows may refuse to write them."
            ));
        }
    }
    warnings
}

/// Returns the first keys and the number of others; `None` if there are no keys.
pub(super) fn listed(keys: &[&str]) -> Option<String> {
    let (named, rest) = keys.split_at_checked(NAMED).unwrap_or((keys, &[]));
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    (!keys.is_empty()).then(|| format!("{}{more}", named.join(", ")))
}
