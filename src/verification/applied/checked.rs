//! The result of checking a plan afterwards, as written to JSON.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::Problem;
use crate::finding::ObservedDatum;
use crate::hive::State;
use crate::os::OsId;
use crate::registry::{FileTime, Role};
use crate::report::{SchemaVersion, Tool};
use crate::verification::{Asked, Difference, EditState, Retimed, Standing};

/// The part of the evidence that was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every key and value of the hives, compared with the hives that the plan was made from.
    WholeHives,
    /// The values and keys that the plan names.
    Plan,
}

/// A summary of the plan for reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanSummary {
    /// The path of the file, as the user named it.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The id of the installation at the time of the plan.
    pub installation: String,
    /// The Windows that it is for.
    pub os: OsId,
    /// The number of its edits.
    pub edits: usize,
}

/// A hive of the plan, and the current hive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedHive {
    /// SOFTWARE or SYSTEM.
    pub role: Role,
    /// The path of the current hive; `null` if the evidence does not contain it.
    pub path: Option<String>,
    /// SHA-256 of the hive that the plan was made from.
    pub planned_sha256: Option<String>,
    /// SHA-256 of the current hive; `null` if it was not hashed.
    pub sha256: Option<String>,
    /// MD5 of the current hive, if requested.
    pub md5: Option<String>,
    /// SHA-1 of the current hive, if requested.
    pub sha1: Option<String>,
    /// Whether it is the same file, byte for byte. Its transaction logs may differ.
    pub same_file: Option<bool>,
    /// How far the hive can be trusted.
    pub state: Option<State>,
    /// The path of the hive from before; `null` if none was given.
    pub before_path: Option<String>,
    /// The number of keys that were compared with it.
    pub compared_keys: u64,
    /// The number of values that were compared with it.
    pub compared_values: u64,
}

/// An edit of the plan, and the current data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedEdit {
    /// The finding that the edit corrects.
    pub finding: String,
    /// The hive.
    pub hive: Role,
    /// The control set, for a key of SYSTEM.
    pub control_set: Option<u32>,
    /// The path of the key from the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// The data before the edit; `null` if absent.
    pub before: Option<ObservedDatum>,
    /// The data that the plan sets; `null` if absent.
    pub after: Option<ObservedDatum>,
    /// The current data; `null` if absent or unreadable.
    pub found: Option<ObservedDatum>,
    /// The state of the edit.
    pub state: EditState,
    /// Whether that is the expected state.
    pub holds: bool,
    /// A note on the state.
    pub note: Option<String>,
}

/// A key that the plan changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TouchedKey {
    /// The hive.
    pub hive: Role,
    /// The path of the key from the hive's root.
    pub key: String,
    /// Whether the patch creates the key. Its rollback leaves the key empty.
    pub made: bool,
    /// Whether the key exists.
    pub there: bool,
    /// When the key was last written, according to the plan.
    pub before: Option<FileTime>,
    /// When the key was last written, now. Not every importer updates this time.
    pub now: Option<FileTime>,
}

/// The result of checking a plan.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The version of this format.
    pub schema_version: SchemaVersion,
    /// The program that wrote it.
    pub tool: Tool,
    /// The plan.
    pub plan: PlanSummary,
    /// Whether application or rollback was checked.
    pub asked: Asked,
    /// The current id of the installation.
    pub installation: String,
    /// The path of its hives.
    pub evidence: String,
    /// The detected Windows.
    pub os: OsId,
    /// The part that was compared.
    pub scope: Scope,
    /// Whether every edit has the expected state, and nothing else changed in the compared part.
    pub holds: bool,
    /// Whether everything that should have been read was read.
    pub complete: bool,
    /// The plan's hives.
    pub hives: Vec<CheckedHive>,
    /// Each edit, in the plan's order.
    pub edits: Vec<CheckedEdit>,
    /// The keys of the edits, in the plan's order.
    pub keys: Vec<TouchedKey>,
    /// All other differences; at most [`MOST_DIFFERENCES`](crate::verification::MOST_DIFFERENCES) for each hive.
    pub unexplained: Vec<Difference>,
    /// The number of further differences.
    pub unexplained_more: u64,
    /// Keys with another last-write time, which alone is not a difference. At most
    /// [`MOST_DIFFERENCES`](crate::verification::MOST_DIFFERENCES) for each hive.
    pub retimed: Vec<Retimed>,
    /// The number of further such keys.
    pub retimed_more: u64,
    /// The parts that could not be read.
    pub problems: Vec<Problem>,
    /// Every file that was opened.
    #[serde(skip)]
    pub opened: Vec<PathBuf>,
}

impl Checked {
    /// Returns the overall result.
    pub fn outcome(&self) -> Standing {
        match (self.complete, self.holds) {
            (false, _) => Standing::Incomplete,
            (true, false) => Standing::NotClean,
            (true, true) => Standing::Clean,
        }
    }
}
