//! Where Windows keeps hives, and which generation lies there.
//!
//! Only the end of a path and the marks on the way to it count, never where a tree begins: thus a mounted volume, and
//! what Velociraptor (`uploads/auto/C%3A/...`), KAPE (`C/...`), UAC (`[root]/...`) and Acquire (`fs/C:/...`) collected
//! from one, are all the same. Letter case does not count.

use std::path::Path;

use super::Generation;

/// What kind of place a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The generation of hives in it.
    pub(super) generation: Generation,
    /// Windows, or a tool, keeps hives here: every file is worth a look.
    pub(super) known: bool,
    /// Windows' own `config`, `RegBack` or `repair`: `.sav` files are what Setup left there.
    pub(super) of_windows: bool,
    /// A `RegBack`, which Windows leaves empty since Windows 10 version 1803.
    pub(super) regback: bool,
}

/// One row of the table: the last folders of a path, and what lies there.
struct Row {
    tail: &'static [&'static str],
    generation: Generation,
    of_windows: bool,
}

/// A folder's name in `tail`: `*` is any, a `*` at its end any rest.
const PLACES: [Row; 11] = [
    Row { tail: &["system32", "config"], generation: Generation::Live, of_windows: true },
    Row { tail: &["config", "regback"], generation: Generation::Regback, of_windows: true },
    Row { tail: &["windows", "repair"], generation: Generation::Repair, of_windows: true },
    Row { tail: &["winnt", "repair"], generation: Generation::Repair, of_windows: true },
    Row { tail: &["repair", "regback"], generation: Generation::Repair, of_windows: true },
    Row { tail: &["_restore*", "rp*", "snapshot"], generation: Generation::RestorePoint, of_windows: false },
    Row { tail: &["erdnt"], generation: Generation::Copy, of_windows: false },
    Row { tail: &["erdnt", "*"], generation: Generation::Copy, of_windows: false },
    Row { tail: &["erdnt", "*", "*"], generation: Generation::Copy, of_windows: false },
    Row { tail: &["regback"], generation: Generation::Regback, of_windows: true },
    Row { tail: &["*"], generation: Generation::Copy, of_windows: false },
];

/// A folder anywhere on the way that makes everything below it another generation; the first row that fits counts.
const MARKS: [(&str, Generation); 4] = [
    ("harddiskvolumeshadowcopy", Generation::ShadowCopy),
    ("windows.old", Generation::WindowsOld),
    ("$windows.~bt", Generation::Setup),
    ("$windows.~ws", Generation::Setup),
];

/// What kind of place a folder is, by its full path.
pub(super) fn place(folder: &Path) -> Place {
    let parts = parts(folder);
    let row = PLACES.iter().find(|row| ends_with(&parts, row.tail));
    let (tail, of_windows) = row.map_or((Generation::Copy, false), |row| (row.generation, row.of_windows));
    let known = row.is_some_and(|row| row.tail != ["*"]);
    let mark = MARKS.iter().find(|(mark, _)| parts.iter().any(|part| is_marked(part, mark)));
    let generation = mark.map_or(tail, |(_, generation)| *generation);
    let regback = parts.last().is_some_and(|part| part == "regback");
    Place { generation, known, of_windows, regback }
}

/// The folder that a `config` belongs to, and the volume that this folder is on: `C` for `C/WINDOWS/system32/config`.
pub(super) fn volume_of(config: &Path) -> Option<&Path> {
    if ends_with(&parts(config), &["system32", "config"]) { config.ancestors().nth(3) } else { None }
}

fn parts(folder: &Path) -> Vec<String> {
    folder.components().map(|part| decoded(&part.as_os_str().to_string_lossy()).to_lowercase()).collect()
}

fn ends_with(parts: &[String], tail: &[&str]) -> bool {
    parts.len() >= tail.len() && parts.iter().rev().zip(tail.iter().rev()).all(|(part, pattern)| fits(part, pattern))
}

fn fits(part: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("rp") => part.strip_prefix("rp").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())),
        Some(prefix) => part.starts_with(prefix),
        None => part == pattern,
    }
}

/// A device path holds its mark within a name; a folder has it as its name, maybe with a number: `Windows.old.000`.
fn is_marked(part: &str, mark: &str) -> bool {
    if mark == "harddiskvolumeshadowcopy" {
        return part.contains(mark);
    }
    part.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(', ' ']))
}

/// A name with `%41` and the like as the letters that they stand for, as collectors write what a file system forbids.
fn decoded(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii_graphic);
        text.push(code.map_or('%', char::from));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_known_by_the_path() {
        for (path, generation) in [
            ("mnt/WINDOWS/system32/config", Generation::Live),
            ("WINNT/System32/Config", Generation::Live),
            ("uploads/auto/C%3A/Windows/System32/config", Generation::Live),
            ("uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/config", Generation::Live),
            ("[root]/Windows/System32/config", Generation::Live),
            ("sysvol/windows/system32/config", Generation::Live),
            ("C/Windows/System32/config/RegBack", Generation::Regback),
            ("C/WINNT/repair", Generation::Repair),
            ("C/WINNT/repair/RegBack", Generation::Repair),
            ("C/System Volume Information/_restore{8B6B}/RP12/snapshot", Generation::RestorePoint),
            ("C/System%20Volume%20Information/_restore%7B8B6B%7D/RP12/snapshot", Generation::RestorePoint),
            ("C/Windows.old/Windows/System32/config", Generation::WindowsOld),
            ("C/Windows.old.000/WINDOWS/erdnt/Hiv-backup", Generation::WindowsOld),
            ("C/$WINDOWS.~BT/NewOS/Windows/System32/config", Generation::Setup),
            ("C/WINDOWS/erdnt/AutoBackup/1-1-2010", Generation::Copy),
            (
                "uploads/ntfs/%5C%5C%3F%5CGLOBALROOT%5CDevice%5CHarddiskVolumeShadowCopy1/Windows/System32/config",
                Generation::ShadowCopy,
            ),
            ("cases/repair", Generation::Copy),
            ("cases/config", Generation::Copy),
            ("cases/Windows.older", Generation::Copy),
            ("cases/rpg/snapshot", Generation::Copy),
        ] {
            assert_eq!(place(Path::new(path)).generation, generation, "{path}");
        }
    }

    #[test]
    fn the_volume_is_what_holds_the_windows_folder() {
        assert_eq!(volume_of(Path::new("/c/D/XP/System32/Config")), Some(Path::new("/c/D")));
        assert_eq!(volume_of(Path::new("/c/config")), None);
    }

    #[test]
    fn percent_signs_that_are_no_code_stay() {
        assert_eq!(decoded("%5C%5C.%5CC%3A 100% %zz%"), r"\\.\C: 100% %zz%");
    }
}
