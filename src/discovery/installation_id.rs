//! Names of installations that are safe as folder names on Windows and on Linux.

use std::collections::{BTreeMap, BTreeSet};

/// The most characters of an id; all are ASCII, so these are bytes too.
const LONGEST: usize = 100;

/// Names of devices on Windows, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The id of a path without a usable character.
const NAMELESS: &str = "evidence";

/// Returns one id for each locator, in the given order: the locator in kebab case, with a number at its end if the id
/// is already in use. Ids that differ only in letter case are the same folder on Windows, and count as one.
pub(super) fn assign<'a>(locators: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    // The last number of each base: with a thousand equal locators, counting does not start at 1 for each.
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    locators
        .map(|locator| {
            let base = kebab(locator);
            let mut id = base.clone();
            let number = numbers.entry(base.to_ascii_lowercase()).or_insert(1);
            while !taken.insert(id.to_ascii_lowercase()) {
                *number = number.saturating_add(1);
                let suffix = format!("-{number}");
                id = tail(&base, LONGEST.saturating_sub(suffix.len())) + &suffix;
            }
            id
        })
        .collect()
}

/// Turns `mnt/WINDOWS/system32/config` into `mnt-WINDOWS-system32-config`.
fn kebab(locator: &str) -> String {
    let mut id = String::new();
    for part in locator.split('/').filter(|part| *part != "..") {
        for letter in part.chars().chain(['-']) {
            match letter {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' => id.push(letter),
                _ if id.ends_with('-') => {}
                _ => id.push('-'),
            }
        }
    }
    let id = tail(&id, LONGEST);
    if id.is_empty() { NAMELESS.to_owned() } else { id }
}

/// Returns the end of an id, because two long paths usually differ there; without hyphens or dots at either side, and
/// never a device.
fn tail(id: &str, longest: usize) -> String {
    let id = trimmed_end(id, longest);
    let stem = id.split('.').next().unwrap_or_default().to_ascii_lowercase();
    if DEVICES.contains(&stem.trim_end_matches(|letter: char| letter.is_ascii_digit())) {
        let room = longest.saturating_sub(NAMELESS.len()).saturating_sub(1);
        return format!("{NAMELESS}-{}", trimmed_end(id, room));
    }
    id.to_owned()
}

fn trimmed_end(id: &str, longest: usize) -> &str {
    let id = id.trim_matches(['-', '.']);
    let start = id.len().saturating_sub(longest);
    id.get(start..).unwrap_or_default().trim_matches(['-', '.'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(locators: &[&str]) -> Vec<String> {
        assign(locators.iter().copied())
    }

    #[test]
    fn ids_are_the_path_in_kebab_case() {
        assert_eq!(
            ids(&[
                "mnt/WINDOWS/system32/config",
                "/mnt/c/Windows.old",
                "../case 42/[root]",
                "uploads/auto/C%3A/Windows",
                "disk.E01!p2!Windows",
                ".",
                "/",
                "Fälle/NUL",
                "nul.txt",
                "COM1",
                "con.",
                "computer",
            ]),
            [
                "mnt-WINDOWS-system32-config",
                "mnt-c-Windows.old",
                "case-42-root",
                "uploads-auto-C-3A-Windows",
                "disk.E01-p2-Windows",
                "evidence",
                "evidence-2",
                "F-lle-NUL",
                "evidence-nul.txt",
                "evidence-COM1",
                "evidence-con",
                "computer",
            ]
        );
    }

    #[test]
    fn ids_are_unique_without_letter_case() {
        assert_eq!(ids(&["a/b", "A/B", "a-b", "a-b-2"]), ["a-b", "A-B-2", "a-b-3", "a-b-2-2"]);
    }

    proptest! {
        #[test]
        fn any_locators_give_unique_safe_ids(locators in prop::collection::vec("(?s).{0,130}|[a./-]{0,4}|(con|nul|COM9)[./x]?", 0..20)) {
            let ids = assign(locators.iter().map(String::as_str));
            prop_assert_eq!(ids.len(), locators.len());
            let folded: BTreeSet<String> = ids.iter().map(|id| id.to_ascii_lowercase()).collect();
            prop_assert_eq!(folded.len(), ids.len());
            for id in &ids {
                prop_assert!(!id.is_empty() && id.len() <= LONGEST, "{}", id);
                prop_assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{}", id);
                prop_assert!(!id.starts_with(['-', '.']) && !id.ends_with(['-', '.']), "{}", id);
                let stem = id.split('.').next().unwrap().to_ascii_lowercase();
                prop_assert!(!["con", "prn", "aux", "nul", "com1", "com9", "lpt1"].contains(&stem.as_str()), "{}", id);
            }
        }
    }
}
