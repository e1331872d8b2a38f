//! Who may write the keys of a plan, and what importers have to mind for it.

use serde::{Deserialize, Serialize};

use super::{Edit, Target};
use crate::registry::Role;

/// So many keys are named in a sentence; the others are counted.
const NAMED: usize = 5;

/// Who may write a key, as far as the hive says. Trustees as in `Users (S-1-5-32-545)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Whom the key's access list grants `KEY_SET_VALUE`; of a key that the patch creates, whom the nearest key above it
    /// grants `KEY_CREATE_SUB_KEY`. `None` where that is not known.
    pub writable_by: Option<Vec<String>>,
    /// Who could change that: ownership alone lets the owner change the access list.
    pub owner: Option<String>,
    /// Why it is not known, or which key was looked at in the place of one that is missing.
    pub writable_by_note: Option<String>,
    /// What it comes to for those who usually import.
    #[serde(skip)]
    pub importers: Importers,
}

impl Access {
    /// Returns whether Administrators may write the key; no where that is not known.
    pub fn administrators_may_write(&self) -> bool {
        self.importers == Importers::Administrators
    }
}

/// Whether those who usually import a patch may write a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Importers {
    /// Nobody looked.
    #[default]
    NotRead,
    /// The descriptor is missing or unreadable.
    Unknown,
    /// Administrators may.
    Administrators,
    /// Administrators may not, SYSTEM may.
    SystemOnly,
    /// Neither may.
    Neither,
}

/// Returns what to mind, in sentences, for each hive: keys that Administrators may not write.
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
                "Administrators may not write these keys of {role}, SYSTEM may: {keys}. Import as \
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

/// Returns the first few, and how many more; `None` for no key.
pub(super) fn listed(keys: &[&str]) -> Option<String> {
    let (named, rest) = keys.split_at_checked(NAMED).unwrap_or((keys, &[]));
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    (!keys.is_empty()).then(|| format!("{}{more}", named.join(", ")))
}
