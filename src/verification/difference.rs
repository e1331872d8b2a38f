//! The differences between two hives: every key and value of both, by name, type, bytes, class, and security.
//!
//! Both hives are walked completely, whatever the order of their lists. The first walk stores a short mark of each key
//! and value. The second walk compares the second hive with the marks. A third walk visits the first hive again, for
//! entries that are missing from the second or differ there. Memory grows with the number of keys and values, not with
//! their data; work grows with the size of the hives.

use std::collections::HashSet;

use serde::Serialize;

use crate::error::Problem;
use crate::finding::ObservedDatum;
use crate::hive::walk::walk;
use crate::hive::{self, Hive};
use crate::registry::{FileTime, Role};

mod first;
mod marks;
mod recalled;
mod second;
mod trail;

use first::First;
pub(super) use marks::Id;
use recalled::Recalled;
use second::Second;

/// The most differences between two hives that are listed. The others are counted.
pub const MOST_DIFFERENCES: usize = 1000;
/// The most bytes of a differing value that are shown.
pub const MOST_SHOWN: usize = 4096;
/// The most units of a name, and letters of a path, that are shown.
const MOST_OF_A_NAME: usize = 4096;

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A key that did not exist before.
    KeyAdded,
    /// A key that no longer exists.
    KeyRemoved,
    /// A key with another class, another security descriptor, or a name in other letter case. Or a key that became a
    /// symbolic link, or is no longer one.
    KeyChanged,
    /// A value that did not exist before, or a second one with its name.
    ValueAdded,
    /// A value that no longer exists.
    ValueRemoved,
    /// A value with another type, other data, or a name in other letter case.
    ValueChanged,
}

/// A key or value that differs between two hives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The hive.
    pub hive: Role,
    /// The kind.
    pub kind: Kind,
    /// The path of the key from the hive's root; empty for the root.
    pub key: String,
    /// The value's name; empty for the default value, `null` if the key differs.
    pub value: Option<String>,
    /// The parts that changed: `name`, `class`, `security`, `link` of a key; `name`, `type`, `data` of a value.
    pub changed: Vec<&'static str>,
    /// The value before.
    pub before: Option<Content>,
    /// The value after.
    pub after: Option<Content>,
}

/// A value's type and data, or the beginning of its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// The type and the data; for long data the first [`MOST_SHOWN`] bytes.
    #[serde(flatten)]
    pub observed: ObservedDatum,
    /// The number of bytes of the data.
    pub size: usize,
}

/// A key with another last-write time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retimed {
    /// The hive.
    pub hive: Role,
    /// The path of the key from the hive's root.
    pub key: String,
    /// When the key was last written, before.
    pub before: FileTime,
    /// When the key was last written, now.
    pub after: FileTime,
}

/// The differences that are allowed: the values that a plan sets or deletes, and the keys that it creates.
#[derive(Clone, Debug, Default)]
pub(super) struct Planned {
    /// The values.
    pub(super) values: HashSet<Id>,
    /// The keys that may be added.
    pub(super) keys: HashSet<Id>,
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The differences that are not allowed; at most [`MOST_DIFFERENCES`].
    pub(super) differences: Vec<Difference>,
    /// The number of further differences.
    pub(super) more: u64,
    /// Keys of both hives with different times; at most [`MOST_DIFFERENCES`].
    pub(super) retimed: Vec<Retimed>,
    /// The number of further such keys.
    pub(super) more_retimed: u64,
    /// The number of keys in the second hive.
    pub(super) keys: u64,
    /// The number of values in the second hive.
    pub(super) values: u64,
    /// The parts of either hive that could not be read, so that their differences are unknown.
    pub(super) unread: Vec<Problem>,
}

/// A hive, and its name in reports.
#[derive(Clone, Copy)]
pub(super) struct Named<'h> {
    pub(super) hive: &'h Hive,
    pub(super) locator: &'h str,
}

/// Compares a hive with its earlier state.
pub(super) fn compare(role: Role, before: Named<'_>, after: Named<'_>, planned: &Planned) -> Compared {
    let compared = hive::guarded(|| {
        let mut first = First::new(before.hive);
        let walked = walk(before.hive, &mut first);
        let (marks, mut unread) = first.finish(&walked, before.locator);
        let mut second = Second::new(role, after.hive, marks, planned);
        let walked = walk(after.hive, &mut second);
        let (keys, values) = (walked.keys, walked.values);
        let (found, more_unread) = second.finish(&walked, after.locator);
        unread.extend(more_unread);
        let mut recalled = Recalled::new(role, before.hive, found, planned);
        // The first walk already reported what cannot be read.
        walk(before.hive, &mut recalled);
        Compared { keys, values, unread, ..recalled.finish() }
    });
    compared.unwrap_or_else(|problem| Compared {
        unread: vec![Problem { path: Some(after.locator.to_owned()), ..problem }],
        ..Compared::default()
    })
}
