//! Clues in a file's name. They decide only whether to open it and what belongs to it; a hive's keys decide its role.

use crate::registry::Role;

/// The words in names of hives, in the order of the search.
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
/// Extensions that copies of any file have.
const COPY_EXTENSIONS: [&str; 9] = ["bak", "sav", "save", "dat", "old", "orig", "backup", "copy", "alt"];
/// Extensions of transaction logs.
const LOG_EXTENSIONS: [&str; 3] = ["log", "log1", "log2"];

/// Returns the extension in lower case; empty if the name has none.
fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_lowercase())
}

/// Returns whether a file of this name is worth opening if not every file can be opened.
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

/// Extensions of single compressed files, which people append to a hive's name.
const COMPRESSED: [&str; 9] = ["gz", "xz", "zst", "zstd", "bz2", "zip", "7z", "lz4", "lzma"];

/// Extensions of containers on a volume, and their words: such files are counted and not opened.
const CONTAINERS: [(&str, &str); 32] = [
    ("zip", "zip archive"),
    ("tar", "tar archive"),
    ("gz", "compressed file"),
    ("tgz", "tar archive"),
    ("xz", "compressed file"),
    ("zst", "compressed file"),
    ("bz2", "compressed file"),
    ("7z", "7z archive"),
    ("rar", "RAR archive"),
    ("cab", "cabinet"),
    ("iso", "ISO image"),
    ("wim", "WIM image"),
    ("esd", "WIM image"),
    ("swm", "WIM image"),
    ("dmg", "DMG image"),
    ("vhd", "disk image"),
    ("vhdx", "disk image"),
    ("avhdx", "disk image"),
    ("vmdk", "disk image"),
    ("vdi", "disk image"),
    ("qcow2", "disk image"),
    ("qcow", "disk image"),
    ("hdd", "disk image"),
    ("e01", "disk image"),
    ("ex01", "disk image"),
    ("aff", "disk image"),
    ("aff4", "disk image"),
    ("dd", "disk image"),
    ("raw", "disk image"),
    ("vbk", "backup"),
    ("tib", "backup"),
    ("bkf", "backup"),
];

/// Returns the word for a file of this name if containers are counted; `None` if its extension is not a container's.
pub(super) fn container(name: &str) -> Option<&'static str> {
    let extension = extension(name);
    CONTAINERS.iter().find(|(known, _)| *known == extension).map(|(_, word)| *word)
}

/// Returns whether a container is named like SOFTWARE or SYSTEM: `SOFTWARE.gz`, `system.bak.zip`.
pub(super) fn is_hive_in_container(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        COMPRESSED.contains(&extension.to_lowercase().as_str())
            && role(stem).is_some_and(|role| fits(stem) && { matches!(role, Role::Software | Role::System) })
    })
}

/// Returns the original name of a file without a collector's additions, and the text that is the same for all files of
/// one folder. DFIR-ORC: hexadecimal numbers of volume, folder and file, the name, the snapshot's GUID, `.data`.
pub(super) fn logical(name: &str) -> (String, &str) {
    let collected = || {
        let (rest, guid) = name.strip_suffix(".data")?.rsplit_once("_{")?;
        let guid = guid.strip_suffix('}').filter(|guid| guid.len() == 36)?;
        let mut inner = rest;
        let mut volume = None;
        while let Some((number, after)) = inner.split_once('_') {
            if number.bytes().any(|byte| !byte.is_ascii_hexdigit()) {
                break;
            }
            volume.get_or_insert(number);
            inner = after;
        }
        let volume = volume.filter(|_| !inner.is_empty())?;
        Some((format!("{volume}_{guid}"), inner))
    };
    collected().unwrap_or((String::new(), name))
}

/// Returns whether the name is a transaction log's.
pub(super) fn is_log(name: &str) -> bool {
    LOG_EXTENSIONS.contains(&extension(logical(name).1).as_str())
}

/// Returns a key that a hive of this name shares with its logs; in lower case.
pub(super) fn log_key(hive: &str) -> String {
    let (folder, name) = logical(hive);
    format!("{folder}/{}", name.to_lowercase())
}

/// Returns the keys of the logs that a hive of this name may have: the log of `SOFTWARE.hiv` may be `SOFTWARE.LOG1`.
pub(super) fn log_keys(hive: &str) -> impl Iterator<Item = String> {
    std::iter::once(hive).chain(without_hive_extension(hive)).map(log_key)
}

/// Returns the [`log_key`] of the hive that a log of this name belongs to; `None` if the name is not a log's.
pub(super) fn hive_of(log: &str) -> Option<String> {
    let (folder, name) = logical(log);
    let (stem, _) = name.rsplit_once('.').filter(|_| is_log(log))?;
    Some(format!("{folder}/{}", stem.to_lowercase()))
}

/// Returns whether a log of the name `log` belongs to a hive of the name `hive`.
pub(super) fn is_log_of(log: &str, hive: &str) -> bool {
    hive_of(log).is_some_and(|key| log_keys(hive).any(|known| known == key))
}

/// Returns the name without an extension that only hives have: the log of `SOFTWARE.hiv` may be `SOFTWARE.LOG1`.
pub(super) fn without_hive_extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(stem, _)| stem).filter(|_| HIVE_EXTENSIONS.contains(&extension(name).as_str()))
}

/// Returns whether the name ends in this extension.
pub(super) fn has_extension(name: &str, extension: &str) -> bool {
    self::extension(name) == extension
}

/// Returns the role by the word in the name that names a hive.
pub(super) fn role(name: &str) -> Option<Role> {
    let name = name.to_lowercase();
    WORDS.iter().find(|(word, _)| words(&name).any(|part| part == *word)).map(|(_, role)| *role)
}

/// Splits a name at everything that is not a letter.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|letter: char| !letter.is_alphabetic())
}

/// Returns whether the name is exactly Windows' own for this hive in `config`.
pub(super) fn is_plain(name: &str, role: Role) -> bool {
    WORDS.iter().any(|(word, known)| *known == role && name.eq_ignore_ascii_case(word))
}

/// Returns the rest of the name without the hive's own word, for each occurrence of the word: `case42-SYSTEM.bak`
/// leaves `case42-*.bak`. Hives with a common rest belong together. Empty if the name does not contain the word.
pub(super) fn affixes(name: &str, role: Role) -> Vec<String> {
    let (folder, name) = logical(name);
    let name = folder + &name.to_lowercase();
    let word = WORDS.iter().find(|(_, known)| *known == role).map(|(word, _)| *word);
    let Some(word) = word else { return Vec::new() };
    let around = |at: usize| {
        let after = at.checked_add(word.len())?;
        Some(format!("{}*{}", name.get(..at)?, name.get(after..)?))
    };
    name.match_indices(word).filter_map(|(at, _)| around(at)).collect()
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
        let orc = |name: &str| format!("2DC9E2CA_100000000B5EC_2_{name}_{{00000000-0000-0000-0000-000000000000}}.data");
        assert!(is_log_of(&orc("SYSTEM.LOG1").replace("B5EC_2", "B5EC_3"), &orc("SYSTEM")));
        assert!(!is_log_of(&orc("SYSTEM.LOG1").replace("2DC9", "3DC9"), &orc("SYSTEM")));
        assert_eq!(affixes(&orc("SYSTEM"), Role::System), affixes(&orc("SOFTWARE"), Role::Software));
        assert!(
            is_hive_in_container("SOFTWARE.gz")
                && !is_hive_in_container("systems.zip")
                && !is_hive_in_container("a.zip")
        );
        assert!(is_log_of("software.LOG1", "SOFTWARE"));
        assert!(is_log_of("SYSTEM.log", "SYSTEM"));
        assert!(is_log_of("SYSTEM.log", "SYSTEM.hiv") && !is_log_of("SYSTEM.log", "SYSTEM.bak"));
        assert_eq!(without_hive_extension("SYSTEM.hiv"), Some("SYSTEM"));
        assert_eq!(without_hive_extension("SYSTEM.sav"), None);
    }
}
