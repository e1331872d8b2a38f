//! Where Windows keeps hives, and which generation each place holds: the one table of places.
//!
//! Only the end of a path and the marks above it count, not where a tree begins. So a mounted volume is the same as
//! what Velociraptor (`uploads/auto/C%3A/...`), KAPE (`C/...`), UAC (`[root]/...`) and Acquire (`fs/C:/...`) collected
//! from it. Letter case does not count.

use serde::{Deserialize, Serialize};

use super::Generation;

/// The kind of place of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The generation of hives in it.
    pub(super) generation: Generation,
    /// Whether Windows or a tool keeps hives here: every file is worth opening.
    pub(super) known: bool,
    /// Whether this is Windows' own `config`, `RegBack` or `repair`: Setup left the `.sav` files there.
    pub(super) of_windows: bool,
    /// Whether this is a `RegBack`, which Windows leaves empty since Windows 10 version 1803.
    pub(super) regback: bool,
}

/// One row of the table.
struct Row {
    /// The folders from a volume's root to the tail; `None` if the tail may be anywhere.
    above: Option<&'static [&'static str]>,
    /// The last folders of the path. The name `*` matches any name; a `*` at the end of a name matches any rest.
    tail: &'static [&'static str],
    /// The generation of the hives there.
    generation: Generation,
    of_windows: bool,
}

/// The first row that matches decides.
const PLACES: [Row; 10] = [
    Row { above: Some(&["*"]), tail: &["system32", "config"], generation: Generation::Live, of_windows: true },
    Row {
        above: Some(&["*", "system32"]),
        tail: &["config", "regback"],
        generation: Generation::Regback,
        of_windows: true,
    },
    Row { above: Some(&[]), tail: &["windows", "repair"], generation: Generation::Repair, of_windows: true },
    Row { above: Some(&[]), tail: &["winnt", "repair"], generation: Generation::Repair, of_windows: true },
    Row { above: Some(&["*"]), tail: &["repair", "regback"], generation: Generation::Repair, of_windows: true },
    Row {
        above: Some(&["system volume information"]),
        tail: &["_restore*", "rp*", "snapshot"],
        generation: Generation::RestorePoint,
        of_windows: false,
    },
    Row { above: Some(&["*"]), tail: &["erdnt"], generation: Generation::Copy, of_windows: false },
    Row { above: Some(&["*"]), tail: &["erdnt", "*"], generation: Generation::Copy, of_windows: false },
    Row { above: Some(&["*"]), tail: &["erdnt", "*", "*"], generation: Generation::Copy, of_windows: false },
    Row { above: None, tail: &["regback"], generation: Generation::Regback, of_windows: true },
];

/// Folders that give everything below them another generation; the first row that matches decides.
const MARKS: [(&str, Generation); 4] = [
    ("harddiskvolumeshadowcopy", Generation::ShadowCopy),
    ("windows.old", Generation::WindowsOld),
    ("$windows.~bt", Generation::Setup),
    ("$windows.~ws", Generation::Setup),
];

/// Folders of a volume that contain another Windows folder, whose places count too.
const BELOW: [&[&str]; 3] = [&[], &["windows.old*"], &["$windows.~bt", "newos"]];

/// Names in the root of a Windows volume, but not in a folder of copied evidence.
const VOLUME: [&str; 7] =
    ["windows", "winnt", "system volume information", "$recycle.bin", "recycler", "efi", "recovery"];
/// Names that prove any folder to be the root of a volume.
const CERTAIN: [&str; 3] = ["system volume information", "$recycle.bin", "recycler"];
/// Names in the root of another system's volume.
const UNIX: [&str; 2] = ["etc", "usr"];

/// Returns the kind of place of a folder, by the [`part`]s of its path.
pub(super) fn place(parts: &[String]) -> Place {
    let row = PLACES.iter().find(|row| ends_with(parts, row.tail));
    let (tail, of_windows) = row.map_or((Generation::Copy, false), |row| (row.generation, row.of_windows));
    let mark = MARKS.iter().find(|(mark, _)| parts.iter().any(|part| is_marked(part, mark)));
    let generation = mark.map_or(tail, |(_, generation)| *generation);
    let regback = parts.last().is_some_and(|part| part == "regback");
    Place { generation, known: row.is_some(), of_windows, regback }
}

/// Returns how many of these parts are the path of this `config`'s volume: 0 for `WINDOWS/system32/config`.
pub(super) fn volume_of(config: &[String]) -> Option<usize> {
    if ends_with(config, &["system32", "config"]) { config.len().checked_sub(3) } else { None }
}

/// Returns whether a folder with entries of these names is the root of a volume; `top`: it is the root of its tree.
pub(super) fn is_volume(names: &[String], top: bool) -> bool {
    let shows = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    if top {
        return shows(&VOLUME) || UNIX.iter().all(|wanted| shows(&[*wanted]));
    }
    shows(&CERTAIN)
}

/// Returns whether a path from a volume's root is a place or leads to one: a link there may lead away from hives.
pub(super) fn is_on_the_way(parts: &[String]) -> bool {
    let ways = ways();
    // The pattern `*` matches any folder, so only Windows' own folders count here: the junction `Documents and
    // Settings`, for example, does not.
    let own = parts.first().is_some_and(|first| {
        ["windows", "winnt", "system volume information"].contains(&first.as_str()) || first.starts_with("windows.old")
    });
    own && ways
        .iter()
        .any(|way| parts.len() <= way.len() && parts.iter().zip(way).all(|(part, pattern)| fits(part, pattern)))
}

/// Returns the paths of the places from a volume's root: names, `*` for any name, a `*` at the end for any rest.
pub(super) fn ways() -> Vec<Vec<&'static str>> {
    let mut ways = Vec::new();
    for below in BELOW {
        for row in &PLACES {
            if let Some(above) = row.above {
                ways.push([below, above, row.tail].concat());
            }
        }
    }
    ways
}

/// Returns a name in the form of the table: in lower case, with `%41` and the like decoded. Collectors encode in this
/// way what a file system forbids.
pub(super) fn part(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii_graphic);
        text.push(code.map_or('%', char::from));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    (text + rest).to_lowercase()
}

fn ends_with(parts: &[String], tail: &[&str]) -> bool {
    parts.len() >= tail.len() && parts.iter().rev().zip(tail.iter().rev()).all(|(part, pattern)| fits(part, pattern))
}

/// Returns whether a part of a path matches a pattern of the table.
pub(super) fn fits(part: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("rp") => part.strip_prefix("rp").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())),
        Some(prefix) => part.starts_with(prefix),
        None => part == pattern,
    }
}

/// Returns whether a part has a mark. A device path contains it; a folder has its name, maybe with a number:
/// `Windows.old.000`.
fn is_marked(part: &str, mark: &str) -> bool {
    if mark == "harddiskvolumeshadowcopy" {
        return part.contains(mark);
    }
    part.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> Vec<String> {
        path.split('/').filter(|name| !name.is_empty()).map(part).collect()
    }

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
            assert_eq!(place(&parts(path)).generation, generation, "{path}");
        }
    }

    #[test]
    fn the_volume_is_what_holds_the_windows_folder() {
        assert_eq!(volume_of(&parts("/c/D/XP/System32/Config")), Some(2));
        assert_eq!(volume_of(&parts("/c/config")), None);
        let shows = |names: &[&str], top| is_volume(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), top);
        assert!(shows(&["windows", "x"], true) && shows(&["etc", "usr"], true) && shows(&["$recycle.bin"], false));
        assert!(!shows(&["windows"], false) && !shows(&["usr", "bin"], true) && !shows(&[], true));
    }

    #[test]
    fn links_on_the_way_to_a_place_are_told_from_others() {
        let on_the_way = |path| is_on_the_way(&parts(path));
        assert!(on_the_way("Windows") && on_the_way("WINNT/System32") && on_the_way("Windows/system32/config"));
        assert!(on_the_way("Windows.old") && on_the_way("Windows.old/WINDOWS/System32"));
        assert!(!on_the_way("Documents and Settings") && !on_the_way("Windows/Temp") && !on_the_way("Users/All Users"));
    }

    #[test]
    fn percent_signs_that_are_no_code_stay() {
        assert_eq!(part("%5C%5C.%5CC%3A 100% %zz%"), r"\\.\c: 100% %zz%");
    }
}
