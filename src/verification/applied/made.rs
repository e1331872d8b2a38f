//! Detects contents of keys that a plan creates beyond what the plan sets. This does not need the hive from before,
//! because those keys did not exist.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Problem;
use crate::hive::{Key, Tree};
use crate::registry::{Name, Role};
use crate::remediation::{Edit, Plan};
use crate::verification::{Content, Difference, Kind, MOST_DIFFERENCES};

/// Returns the contents that the plan did not set, the number of further ones, and what could not be read.
pub(super) fn look(role: Role, tree: &Tree<'_>, plan: &Plan) -> (Vec<Difference>, u64, Vec<Problem>) {
    let edits = || plan.edits.iter().filter(move |edit| edit.hive == role);
    let made: BTreeMap<Name, &str> = edits()
        .filter(|edit| !edit.key_exists)
        .map(|edit| (Name::from(edit.key.as_str()), edit.key.as_str()))
        .collect();
    let ways: BTreeSet<Name> = edits().filter(|edit| !edit.key_exists).flat_map(Edit::way).map(Name::from).collect();
    let values: BTreeSet<(Name, Name)> =
        edits().map(|edit| (Name::from(edit.key.as_str()), Name::from(edit.value.as_str()))).collect();
    let (mut differences, mut more, mut unread) = (Vec::new(), 0_u64, Vec::new());
    let mut add = |difference: Difference| {
        if differences.len() < MOST_DIFFERENCES {
            differences.push(difference);
        } else {
            more = more.saturating_add(1);
        }
    };
    for (name, path) in made {
        // If the key cannot be read, its edits report that.
        let Ok(Some(key)) = tree.key(path) else { continue };
        let difference = |kind, key: String, value, after| {
            let (changed, before) = (Vec::new(), None);
            Difference { hive: role, kind, key, value, changed, before, after }
        };
        for value in key.values() {
            match value {
                Ok(value) if values.contains(&(name.clone(), Name::from(value.name.as_str()))) => {}
                Ok(value) => {
                    let after = Some(Content::of_value(&value.value));
                    add(difference(Kind::ValueAdded, path.to_owned(), Some(value.name), after));
                }
                Err(problem) => unread.push(problem),
            }
        }
        let (subkeys, problems) = key.subkeys();
        unread.extend(problems);
        let added = subkeys.iter().map(Key::path).filter(|path| !ways.contains(&Name::from(*path)));
        added.for_each(|path| add(difference(Kind::KeyAdded, path.to_owned(), None, None)));
    }
    (differences, more, unread)
}
