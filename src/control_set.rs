//! Control sets: which `ControlSetNNN` of a SYSTEM hive Windows would use.
//!
//! The four numbers of the `Select` key: Microsoft, Knowledge Base Q102984.

use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::hive::{Key, Tree};

/// The control sets of a SYSTEM hive, and the contents of its `Select` key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlSets {
    /// The numbers of the existing `ControlSetNNN` keys, ascending.
    pub present: Vec<u32>,
    /// The set that `CurrentControlSet` was built from.
    pub current: Option<u32>,
    /// The set that the next start would use.
    pub default: Option<u32>,
    /// The set that failed last and was replaced; 0 if none failed.
    pub failed: Option<u32>,
    /// The set that last started Windows.
    pub last_known_good: Option<u32>,
}

/// Which control sets to audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The set that `Select\Current` names, and the one of `Select\Default`, which the next start uses.
    Current,
    /// Every existing set.
    All,
    /// The set with this number.
    Number(u32),
}

impl std::str::FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "current" => Ok(Self::Current),
            "all" => Ok(Self::All),
            number => match number.parse() {
                Ok(number @ 1..=999) => Ok(Self::Number(number)),
                _ => Err("expected current, all, or a number from 1 to 999".to_owned()),
            },
        }
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Current => f.write_str("current"),
            Self::All => f.write_str("all"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl Serialize for Choice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads the text that [`Choice`] is written as.
impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The name of the control set in use. Windows makes this link in memory at each start; a hive does not have it.
pub const CURRENT: &str = "CurrentControlSet";

/// Returns a path below a hive's root with a control set in place of [`CURRENT`], if it begins with that name.
pub fn in_set(path: &str, set: Option<u32>) -> String {
    let below = path.strip_prefix(CURRENT).filter(|rest| rest.is_empty() || rest.starts_with('\\'));
    match below.zip(set) {
        Some((below, number)) => key_name(number) + below,
        None => path.to_owned(),
    }
}

/// Returns the key of a control set, below the hive's root: `ControlSet001`.
pub fn key_name(number: u32) -> String {
    format!("ControlSet{number:03}")
}

impl ControlSets {
    /// Reads the control sets from a SYSTEM hive.
    ///
    /// # Errors
    /// Returns an error if the root or `Select` cannot be read.
    pub fn read(tree: &Tree<'_>) -> Result<Self, Problem> {
        let root = tree.root()?;
        let number = |key: &Key<'_, '_>| {
            let name = key.name().to_ascii_lowercase();
            let digits = name.strip_prefix("controlset").filter(|digits| digits.len() == 3)?;
            digits.parse().ok().filter(|number| *number > 0)
        };
        let mut present: Vec<u32> = root.subkeys().0.iter().filter_map(number).collect();
        present.sort_unstable();
        present.dedup();
        let mut sets = Self { present, ..Self::default() };
        if let Some(select) = root.subkey("Select")? {
            let read = |name| {
                let value = select.value(name)?;
                Ok(value.and_then(|value| value.as_number()).and_then(|number| u32::try_from(number).ok()))
            };
            sets.current = read("Current")?;
            sets.default = read("Default")?;
            sets.failed = read("Failed")?;
            sets.last_known_good = read("LastKnownGood")?;
        }
        Ok(sets)
    }

    /// Returns the sets to audit, ascending.
    ///
    /// # Errors
    /// Returns an error if `choice` names no existing set. The current set is never guessed, but if only one exists, it
    /// is the current one.
    pub fn chosen(&self, choice: Choice) -> Result<Vec<u32>, Problem> {
        let listed = || match self.present.as_slice() {
            [] => "no control set".to_owned(),
            present => {
                format!("only {}", present.iter().map(|number| key_name(*number)).collect::<Vec<_>>().join(", "))
            }
        };
        let one = |number: u32, expected: String| {
            if self.present.contains(&number) {
                Ok(vec![number])
            } else {
                Err(whole_hive(expected, listed()).advise("name an existing control set with --control-set"))
            }
        };
        match (choice, self.current) {
            (Choice::All, _) if self.present.is_empty() => Err(whole_hive("control sets".to_owned(), listed())),
            (Choice::All, _) => Ok(self.present.clone()),
            (Choice::Number(number), _) => one(number, format!("{}, as requested", key_name(number))),
            (Choice::Current, Some(current)) if current > 0 => {
                let mut sets = one(current, format!("{}, which Select\\Current names", key_name(current)))?;
                sets.extend(self.default.filter(|default| *default != current && self.present.contains(default)));
                sets.sort_unstable();
                Ok(sets)
            }
            (Choice::Current, _) => match self.present.as_slice() {
                [only] => Ok(vec![*only]),
                _ => Err(whole_hive("a number in Select\\Current".to_owned(), format!("none, and {}", listed()))
                    .advise("name the control set with --control-set")),
            },
        }
    }
}

impl ControlSets {
    /// Returns the problem that the set of the next start does not exist, if that is so.
    pub fn next_start_problem(&self) -> Option<Problem> {
        let default = self.default.filter(|default| !self.present.contains(default))?;
        // If both name the same set, choosing the current set already reports it.
        (self.current != Some(default)).then(|| {
            Problem::new(
                format!("{}, which Select\\Default names for the next start", key_name(default)),
                "no such control set",
            )
            .advise("Windows cannot start with this control set: find out what changed Select")
        })
    }
}

fn whole_hive(expected: String, found: String) -> Problem {
    Problem::new(expected, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(present: &[u32], current: Option<u32>) -> ControlSets {
        ControlSets { present: present.to_vec(), current, ..ControlSets::default() }
    }

    #[test]
    fn current_is_what_select_says_and_never_guessed() {
        assert_eq!(sets(&[1, 3], Some(3)).chosen(Choice::Current), Ok(vec![3]));
        assert_eq!(sets(&[1], None).chosen(Choice::Current), Ok(vec![1]));
        insta::assert_snapshot!(
            sets(&[1, 2], Some(0)).chosen(Choice::Current).unwrap_err(),
            @"expected a number in Select\\Current, found none, and only ControlSet001, ControlSet002; name the control set with --control-set"
        );
        insta::assert_snapshot!(
            sets(&[1], Some(2)).chosen(Choice::Current).unwrap_err(),
            @"expected ControlSet002, which Select\\Current names, found only ControlSet001; name an existing control set with --control-set"
        );
    }

    #[test]
    fn the_set_of_the_next_start_is_current_too() {
        let with_default = |default| ControlSets { default: Some(default), ..sets(&[1, 2], Some(2)) };
        assert_eq!(with_default(1).chosen(Choice::Current), Ok(vec![1, 2]));
        assert_eq!(with_default(2).chosen(Choice::Current), Ok(vec![2]));
        assert_eq!(with_default(1).chosen(Choice::Number(2)), Ok(vec![2]));
        assert_eq!(with_default(1).next_start_problem(), None);
        let gone = with_default(5);
        assert_eq!(gone.chosen(Choice::Current), Ok(vec![2]));
        assert!(gone.next_start_problem().unwrap().expected.starts_with("ControlSet005"));
    }

    #[test]
    fn all_and_a_number_are_taken_literally() {
        assert_eq!(sets(&[1, 2], Some(1)).chosen(Choice::All), Ok(vec![1, 2]));
        assert_eq!(sets(&[1, 2], Some(1)).chosen(Choice::Number(2)), Ok(vec![2]));
        assert!(sets(&[1], Some(1)).chosen(Choice::Number(9)).is_err());
        assert!("0".parse::<Choice>().is_err());
        assert_eq!("all".parse(), Ok(Choice::All));
    }
}
