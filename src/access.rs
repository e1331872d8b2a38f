//! Reads who may write the keys that a plan edits, from the hives that the plan was made from.
//!
//! If the access list of a key lets Administrators only read, an importer that runs as administrator is refused there
//! and carries out the rest. The machine stays broken, and regedit says no more than "not all data was written".

use crate::discovery::Installation;
use crate::error::Problem;
use crate::examination::{OpenInstallation, Options};
use crate::hive::{Key, Tree, guarded};
use crate::reg_file::Dialect;
use crate::registry::Role;
use crate::remediation::{Access, Edit, Importers, PatchOptions, Plan, access_warnings};
use crate::security::{Descriptor, EVERYONE, KEY_CREATE_SUB_KEY, KEY_SET_VALUE};

/// The security identifiers in the token of an elevated administrator at the console.
///
/// <https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers>
const ADMINISTRATOR: [&str; 6] = ["S-1-5-32-544", EVERYONE, "S-1-5-11", "S-1-5-32-545", "S-1-5-4", "S-1-2-0"];
/// The security identifiers in the token of SYSTEM.
///
/// <https://learn.microsoft.com/windows/win32/services/localsystem-account>
const SYSTEM: [&str; 4] = ["S-1-5-18", "S-1-5-32-544", EVERYONE, "S-1-5-11"];

/// Reads who may write each key of the plan, and adds a warning to the plan if Administrators may not. hivexregedit
/// does not check security descriptors, so its dialect gets no warning.
pub fn read_access(plan: &mut Plan, installation: &Installation, options: &Options, written: &PatchOptions) {
    let open = OpenInstallation::open(installation, options);
    for role in [Role::Software, Role::System] {
        let tree = open.tree(role);
        for edit in plan.edits.iter_mut().filter(|edit| edit.hive == role) {
            let read = || match &tree {
                Some(tree) => access(tree, edit).unwrap_or_else(|problem| unknown(&problem)),
                None => unknown(&Problem::new(format!("the {role} hive"), "none that can be read")),
            };
            let access = guarded(read).unwrap_or_else(|problem| unknown(&problem));
            edit.access = access;
        }
    }
    if written.dialect != Dialect::Hivex {
        let edits: Vec<&Edit> = plan.edits.iter().collect();
        plan.warnings.extend(access_warnings(&edits, written.target));
    }
}

/// Returns who may write the key of an edit.
fn access(tree: &Tree<'_>, edit: &Edit) -> Result<Access, Problem> {
    let (key, is_missing) = nearest(tree, &edit.key)?;
    let right = if is_missing { KEY_CREATE_SUB_KEY } else { KEY_SET_VALUE };
    let bytes = key.security()?.unwrap_or_default();
    let descriptor = Descriptor::decode(bytes).map_err(|what| {
        Problem::new(
            "a security descriptor",
            format!("other bytes in the security descriptor of {}: {what}", key.path()),
        )
    })?;
    let note = is_missing.then(|| match key.path() {
        "" => "the key is missing; read from the hive's root, where the patch creates the key".to_owned(),
        path => format!("the key is missing; read from {path}, where the patch creates the key"),
    });
    Ok(Access {
        writable_by: Some(descriptor.granted_to(right).iter().map(ToString::to_string).collect()),
        owner: descriptor.owner_in_control().map(ToString::to_string),
        writable_by_note: note,
        importers: if descriptor.grants(&ADMINISTRATOR, right) {
            Importers::Administrators
        } else if descriptor.grants(&SYSTEM, right) {
            Importers::SystemOnly
        } else {
            Importers::Neither
        },
    })
}

/// Returns the key at `path` or its nearest existing ancestor, and whether the key itself is missing.
fn nearest<'t, 'h>(tree: &'t Tree<'h>, path: &str) -> Result<(Key<'t, 'h>, bool), Problem> {
    let mut key = tree.root()?;
    for name in path.split('\\').filter(|name| !name.is_empty()) {
        match key.subkey(name)? {
            Some(subkey) => key = subkey,
            None => return Ok((key, true)),
        }
    }
    Ok((key, false))
}

fn unknown(problem: &Problem) -> Access {
    let note = Some(format!("the access rights of the key cannot be read: {problem}"));
    Access { writable_by_note: note, importers: Importers::Unknown, ..Access::default() }
}
