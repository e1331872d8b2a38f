//! What a file's name says. It only decides whether to look, and what belongs together: what a hive is, its keys say.

use crate::registry::Role;

/// The words by which hives are named, in the order in which they are tried.
const WORDS: [(&str, Role); 11] = [
    ("software", Role::Software),
    ("system", Role::System),
    ("ntuser", Role::Ntuser),
    ("usrclass", Role::UsrClass),
    ("security", Role::Security),
    ("sam", Role::Sam),
    ("default", Role::Default),
    ("components", Role::Components),
    ("drivers", Role::Drivers),
    ("amcache", Role::Amcache),
    ("bcd", Role::Bcd),
];

/// Extensions that only hives have.
const HIVE_EXTENSIONS: [&str; 5] = ["hiv", "hive", "hve", "reg-save", "regsave"];
/// Extensions that copies of anything have.
const COPY_EXTENSIONS: [&str; 9] = ["bak", "sav", "save", "dat", "old", "orig", "backup", "copy", "alt"];
/// Extensions of transaction logs.
const LOG_EXTENSIONS: [&str; 3] = ["log", "log1", "log2"];

/// The extension in lower case; empty where there is none.
fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_lowercase())
}

/// Whether a file of this name is worth opening where not every file can be.
pub(super) fn fits(name: &str) -> bool {
    let extension = extension(name);
    let name = name.to_lowercase();
    let copy = extension.is_empty()
        || COPY_EXTENSIONS.contains(&extension.as_str())
        || extension.bytes().all(|byte| byte.is_ascii_digit());
    HIVE_EXTENSIONS.contains(&extension.as_str())
        || name.starts_with("_registry_")
        || (copy && (name.contains("software") || name.contains("system")))
}

/// Whether the name is a transaction log's.
pub(super) fn is_log(name: &str) -> bool {
    LOG_EXTENSIONS.contains(&extension(name).as_str())
}

/// Whether a log of the name `log` is that of a hive of the name `hive`.
pub(super) fn is_log_of(log: &str, hive: &str) -> bool {
    is_log(log) && log.rsplit_once('.').is_some_and(|(stem, _)| stem.to_lowercase() == hive.to_lowercase())
}

/// The name without an extension that only hives have: `SOFTWARE.hiv` may have its log as `SOFTWARE.LOG1`.
pub(super) fn without_hive_extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(stem, _)| stem).filter(|_| HIVE_EXTENSIONS.contains(&extension(name).as_str()))
}

/// Whether the name ends in this extension.
pub(super) fn has_extension(name: &str, extension: &str) -> bool {
    self::extension(name) == extension
}

/// The role that the name gives: the one word of it that names a hive.
pub(super) fn role(name: &str) -> Option<Role> {
    let name = name.to_lowercase();
    WORDS.iter().find(|(word, _)| words(&name).any(|part| part == *word)).map(|(_, role)| *role)
}

/// The parts of a name between whatever is no letter.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|letter: char| !letter.is_alphabetic())
}

/// Whether the name is exactly one by which Windows keeps this hive in `config`.
pub(super) fn is_plain(name: &str, role: Role) -> bool {
    WORDS.iter().any(|(word, known)| *known == role && name.eq_ignore_ascii_case(word))
}

/// What is left of the name where the hive's own word is taken out, for each place where it stands:
/// `case42-SYSTEM.bak` leaves `case42-*.bak`. Hives that share one belong together. None where the word is missing.
pub(super) fn affixes(name: &str, role: Role) -> Vec<String> {
    let name = name.to_lowercase();
    let word = WORDS.iter().find(|(_, known)| *known == role).map(|(word, _)| *word);
    let Some(word) = word else { return Vec::new() };
    let around = |at: usize| {
        let after = at.checked_add(word.len())?;
        Some(format!("{}*{}", name.get(..at)?, name.get(after..)?))
    };
    name.match_indices(word).filter_map(|(at, _)| around(at)).collect()
}

/// Whether this is how VMware calls the file of a raw extent, which its descriptor names: `disk-flat.vmdk`,
/// `disk-f001.vmdk`.
pub(super) fn is_extent(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(stem) = name.strip_suffix(".vmdk") else { return false };
    let numbered = |digits: &str| digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    stem.ends_with("-flat") || stem.rsplit_once("-f").is_some_and(|(_, digits)| numbered(digits))
}

/// Whether this is how a later segment of an image is called: `disk.E02`, `disk.EAA`, `disk.s02`.
#[cfg(feature = "images")]
pub(super) fn is_part(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extension.len() == 3
        && !extension.eq_ignore_ascii_case("E01")
        && extension.starts_with(|first: char| first.is_ascii_alphabetic())
        && matches!(extension.as_bytes(), [b'e'..=b'z' | b'E'..=b'Z', second, third]
            if second.is_ascii_alphanumeric() && third.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_copied_hives_have_are_worth_a_look() {
        for name in
            ["SOFTWARE", "software.sav", "system.bak", "_REGISTRY_MACHINE_SYSTEM", "SOFTWARE.hiv", "case42-SYSTEM"]
        {
            assert!(fits(name), "{name}");
            assert!(role(name).is_some(), "{name}");
        }
        for name in ["system.ini", "System.dll", "software.LOG1", "readme", "SystemSettings.exe", "ntoskrnl.dat"] {
            assert!(!fits(name), "{name}");
        }
        assert_eq!(role("samples"), None);
        assert_eq!(role("_REGISTRY_USER_.DEFAULT"), Some(Role::Default));
    }

    #[test]
    fn affixes_are_the_rest_of_the_name() {
        assert_eq!(affixes("case42-SYSTEM.bak", Role::System), ["case42-*.bak"]);
        assert_eq!(affixes("case42-Software.BAK", Role::Software), ["case42-*.bak"]);
        assert_eq!(affixes("system1_SYSTEM", Role::System), ["*1_system", "system1_*"]);
        assert_eq!(affixes("hive1", Role::System), [""; 0]);
        assert_eq!(affixes("hive1", Role::Unknown), [""; 0]);
    }

    #[test]
    fn logs_are_known_in_any_case() {
        assert!(is_log_of("software.LOG1", "SOFTWARE"));
        assert!(is_log_of("SYSTEM.log", "SYSTEM"));
        assert!(!is_log_of("SYSTEM.log", "SYSTEM.hiv"));
        assert_eq!(without_hive_extension("SYSTEM.hiv"), Some("SYSTEM"));
        assert_eq!(without_hive_extension("SYSTEM.sav"), None);
    }
}
