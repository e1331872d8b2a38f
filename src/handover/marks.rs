//! The marks of the Windows that a patch is for, by which a script recognises it: values of the planned hives.

use crate::control_set::key_name;
use crate::discovery::Installation;
use crate::examination::{OpenInstallation, Options};
use crate::hive::{Tree, guarded};
use crate::registry::{RegistryValue, Role};

/// A value and its data in the hives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) hive: Role,
    /// The path from the hive's root.
    pub(super) key: String,
    pub(super) name: &'static str,
    pub(super) value: RegistryValue,
}

/// The values that the hives contain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(pub(super) Vec<Mark>);

/// The values that name the product, its version, and its build.
const PRODUCT: [&str; 4] = ["ProductName", "CurrentVersion", "CurrentBuild", "CurrentBuildNumber"];

impl Marks {
    /// Reads the marks from the hives of an installation. `control_set` is the one that the patch was planned for.
    pub fn read(installation: &Installation, options: &Options, control_set: Option<u32>) -> Self {
        let open = OpenInstallation::open(installation, options);
        let read = || {
            let mut marks = Vec::new();
            if let Some(software) = open.tree(Role::Software) {
                let key = r"Microsoft\Windows NT\CurrentVersion";
                marks.extend(PRODUCT.iter().filter_map(|name| mark(&software, Role::Software, key, name)));
            }
            if let Some((system, set)) = open.tree(Role::System).zip(control_set) {
                let computer = format!(r"{}\Control\ComputerName\ComputerName", key_name(set));
                marks.extend(mark(&system, Role::System, "Select", "Current"));
                marks.extend(mark(&system, Role::System, &computer, "ComputerName"));
            }
            marks
        };
        Self(guarded(read).unwrap_or_default())
    }
}

fn mark(tree: &Tree<'_>, hive: Role, key: &str, name: &'static str) -> Option<Mark> {
    let value = tree.key(key).ok()??.value(name).ok()??;
    Some(Mark { hive, key: key.to_owned(), name, value })
}
