//! The difference of two hives: every key and every value of either, by name, type, bytes, class and security.
//!
//! Both hives are walked whole, in whatever order their lists are. The first walk leaves a short mark of each key and
//! value, the second hive is held against the marks, and the first one is walked again for what is missing from the
//! second or is otherwise there. Memory grows with the number of keys and values, not with their data; work grows with
//! the size of the hives.

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

/// So many differences of two hives are listed; the rest is counted.
pub const MOST_DIFFERENCES: usize = 1000;
/// So many bytes of a value that differs are shown.
pub const MOST_SHOWN: usize = 4096;
/// Units of a name that are shown, and letters of a path.
const MOST_OF_A_NAME: usize = 4096;

/// What a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A key that was not there before.
    KeyAdded,
    /// A key that is not there any more.
    KeyRemoved,
    /// A key with another class, another security descriptor, or a name in other letter case; or one that became a
    /// symbolic link, or ceased to be one.
    KeyChanged,
    /// A value that was not there before, or a second one of its name.
    ValueAdded,
    /// A value that is not there any more.
    ValueRemoved,
    /// A value with another type, other data, or a name in other letter case.
    ValueChanged,
}

/// One key or value that two hives do not have alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The hive.
    pub hive: Role,
    /// What it is.
    pub kind: Kind,
    /// The key, from the hive's root; empty for the root.
    pub key: String,
    /// The value's name; empty for the default value, `null` where it is the key that differs.
    pub value: Option<String>,
    /// What of it changed: `name`, `class`, `security`, `link`; `name`, `type`, `data`.
    pub changed: Vec<&'static str>,
    /// The value as it was.
    pub before: Option<Content>,
    /// The value as it is.
    pub after: Option<Content>,
}

/// A value's type and data, or their beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Type and data; of long data the first [`MOST_SHOWN`] bytes.
    #[serde(flatten)]
    pub observed: ObservedDatum,
    /// How many bytes the data have.
    pub size: usize,
}

/// A key with another last-write time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retimed {
    /// The hive.
    pub hive: Role,
    /// The key, from the hive's root.
    pub key: String,
    /// When it was last written, before.
    pub before: FileTime,
    /// When it was last written, now.
    pub after: FileTime,
}

/// What may differ: the values that a plan sets or deletes, and the keys that it makes.
#[derive(Clone, Debug, Default)]
pub(super) struct Planned {
    /// The values.
    pub(super) values: HashSet<Id>,
    /// The keys that may be added.
    pub(super) keys: HashSet<Id>,
}

/// What a comparison came to.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// What differs beside what may; at most [`MOST_DIFFERENCES`].
    pub(super) differences: Vec<Difference>,
    /// How many more differ.
    pub(super) more: u64,
    /// Keys of both hives with another time; at most [`MOST_DIFFERENCES`].
    pub(super) retimed: Vec<Retimed>,
    /// How many more of these.
    pub(super) more_retimed: u64,
    /// Keys of the second hive.
    pub(super) keys: u64,
    /// Values of the second hive.
    pub(super) values: u64,
    /// What of either hive could not be read: then nobody knows whether it differs.
    pub(super) unread: Vec<Problem>,
}

/// A hive, and how reports name it.
#[derive(Clone, Copy)]
pub(super) struct Named<'h> {
    pub(super) hive: &'h Hive,
    pub(super) locator: &'h str,
}

/// Compares a hive with what it was before.
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
        // What it meets that cannot be read was met by the first walk.
        walk(before.hive, &mut recalled);
        Compared { keys, values, unread, ..recalled.finish() }
    });
    compared.unwrap_or_else(|problem| Compared {
        unread: vec![Problem { path: Some(after.locator.to_owned()), ..problem }],
        ..Compared::default()
    })
}
