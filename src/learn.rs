//! Learns baselines from hives that are known to be good. Data that all hives share are expected; of varying data, each
//! observed form is accepted.
//!
//! Data are stored as found and compared byte for byte. A list of values, and with `recursive` a list of subkeys, is
//! closed: an entry that none of the hives has is unexpected.
//! subkeys, is closed: what none of the hives has is unexpected.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::hive;
use crate::registry::Role;
use crate::report::escape::escape_data;
use crate::show::Subject;

mod gather;
mod id;
mod merge;
mod question;
mod text;

use gather::gather;
use merge::Merged;
pub use question::{Answer, Question};

/// A learned baseline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Learned {
    /// The file.
    pub text: String,
    /// What could not be learned, in sentences.
    pub notes: Vec<String>,
    /// The number of expected keys.
    pub keys: usize,
    /// The number of expected values.
    pub values: usize,
}

/// A hive, with its name in the learned baseline.
struct Teacher {
    name: String,
    sha256: String,
}

/// Learns the contents of these keys in these hives. With `recursive`, also of all keys below them.
///
/// # Errors
/// Returns an error if the hives are not all SOFTWARE or all SYSTEM, if no hive has one of the keys, or if a hive
/// cannot be read.
pub fn learn(hives: &[Subject], keys: &[String], recursive: bool) -> Result<Learned, Error> {
    let role = role_of(hives)?;
    let mut notes = Vec::new();
    let mut teachers = Vec::with_capacity(hives.len());
    for subject in hives {
        let read = |source| Error::Read {
            path: subject.locator().to_owned(),
            source,
            advice: "The hive changed while it was read; copy it first",
        };
        let name = subject.locator().rsplit(['/', '!']).next().unwrap_or_default().to_owned();
        teachers.push(Teacher { name, sha256: subject.sha256().map_err(read)? });
        notes.extend(subject.doubts().iter().map(|doubt| format!("{}: {doubt}", subject.locator())));
    }
    let mut merged = Merged::new(hives.len());
    for key in keys {
        let (mut found, mut missing) = (false, None);
        for (number, subject) in hives.iter().enumerate() {
            let place = match subject.find(key) {
                Ok(Ok(place)) => place,
                Ok(Err(problem)) => return Err(unreadable(subject, &problem.to_string())),
                Err(error) => {
                    missing = missing.or(Some(error));
                    continue;
                }
            };
            found = true;
            let gathered = hive::guarded(|| gather(subject, &place, key, recursive))
                .map_err(|problem| unreadable(subject, &problem.to_string()))?;
            if gathered.is_cut {
                return Err(unreadable(subject, "the tree repeats itself: it is larger than its hive"));
            }
            notes.extend(gathered.notes.into_iter().map(|note| format!("{}: {note}", subject.locator())));
            merged.add(number, gathered.keys);
        }
        if let Some(error) = missing {
            if !found {
                return Err(error);
            }
            notes.push(format!("{}: not in every hive ({error})", escape_data(key)));
        }
    }
    let (text, values) = text::write(&merged, role, &teachers, keys, recursive);
    Ok(Learned { text, notes, keys: merged.len(), values })
}

/// Returns the role that all the hives have.
fn role_of(hives: &[Subject]) -> Result<Role, Error> {
    let roles: BTreeSet<Role> = hives.iter().map(Subject::role).collect();
    match roles.into_iter().collect::<Vec<_>>().as_slice() {
        [role @ (Role::Software | Role::System)] => Ok(*role),
        roles => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            Err(Error::Refused {
                reason: format!(
                    "a baseline is learned from hives of one role, SOFTWARE or SYSTEM; these are {}",
                    roles.join(", ")
                ),
                advice: "Name the hives of one role at a time".to_owned(),
            })
        }
    }
}

fn unreadable(subject: &Subject, problem: &str) -> Error {
    Error::Refused {
        reason: format!("{}: {problem}", subject.locator()),
        advice: "Learn from a hive that can be read".to_owned(),
    }
}
