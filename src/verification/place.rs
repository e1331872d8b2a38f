//! Finds the hive that contains a key of a `.reg` file.

use super::Mounts;
use crate::control_set::key_name;
use crate::reg_file::KeyPath;
use crate::registry::{Role, same_name};
use crate::remediation::Target;

/// The place of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In this hive, with the names from its root.
    In(Role, Vec<Vec<u16>>),
    /// Above the hives: a key that always exists.
    Above,
    /// In none of the audited hives, or in an unknown one.
    Elsewhere,
}

/// Finds the place of a key. `current` is the control set that `CurrentControlSet` stands for in a running Windows.
pub(super) fn place(key: &KeyPath, mounts: &Mounts, target: Target, current: Option<u32>) -> Place {
    for (role, root) in [(Role::Software, &mounts.software_root), (Role::System, &mounts.system_root)] {
        let root = KeyPath::from(root.as_str());
        if let Some(below) = below(key.names(), root.names()) {
            return match below.split_first() {
                Some((first, rest)) if role == Role::System && is_link(first, target) => match current {
                    Some(number) => {
                        let set = key_name(number).encode_utf16().collect();
                        Place::In(role, [&[set], rest].concat())
                    }
                    None => Place::Elsewhere,
                },
                _ => Place::In(role, below.to_vec()),
            };
        }
        if self::below(root.names(), key.names()).is_some() {
            return Place::Above;
        }
    }
    Place::Elsewhere
}

/// Returns whether a name of the SYSTEM hive is the link to the current control set.
fn is_link(name: &[u16], target: Target) -> bool {
    target == Target::Live && same_name(name.iter().copied(), "CurrentControlSet".encode_utf16())
}

/// Returns the names of `key` below `root`; `None` if it is not below `root`.
fn below<'k>(key: &'k [Vec<u16>], root: &[Vec<u16>]) -> Option<&'k [Vec<u16>]> {
    let (head, rest) = key.split_at_checked(root.len())?;
    let same = |(a, b): (&Vec<u16>, &Vec<u16>)| same_name(a.iter().copied(), b.iter().copied());
    head.iter().zip(root).all(same).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(key: &str, target: Target) -> Place {
        let root = |hive: &str| format!(r"HKEY_LOCAL_MACHINE\{hive}");
        let mounts = Mounts { software_root: root("SOFTWARE"), system_root: root("OFFLINE") };
        place(&KeyPath::from(key), &mounts, target, Some(2))
    }

    fn system(names: &[&str]) -> Place {
        Place::In(Role::System, names.iter().map(|name| name.encode_utf16().collect()).collect())
    }

    #[test]
    fn hives_are_where_they_are_loaded() {
        assert_eq!(placed(r"hkey_local_machine\offline\Select", Target::Live), system(&["Select"]));
        assert_eq!(placed(r"HKEY_LOCAL_MACHINE\OFFLINE", Target::Live), system(&[]));
        assert_eq!(placed(r"HKEY_LOCAL_MACHINE", Target::Live), Place::Above);
        assert_eq!(placed(r"HKEY_LOCAL_MACHINE\SYSTEM\Select", Target::Live), Place::Elsewhere);
        assert_eq!(placed(r"HKEY_CURRENT_USER\SOFTWARE", Target::Live), Place::Elsewhere);
    }

    #[test]
    fn the_current_control_set_is_a_link_in_a_running_windows_only() {
        let key = r"HKEY_LOCAL_MACHINE\OFFLINE\currentcontrolset\Services";
        assert_eq!(placed(key, Target::Live), system(&["ControlSet002", "Services"]));
        assert_eq!(placed(key, Target::Offline), system(&["currentcontrolset", "Services"]));
    }
}
