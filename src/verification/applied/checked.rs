//! What a proof after the fact came to, as JSON has it.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::Problem;
use crate::finding::ObservedDatum;
use crate::hive::State;
use crate::os::OsId;
use crate::registry::{FileTime, Role};
use crate::report::{SchemaVersion, Tool};
use crate::verification::{Asked, Difference, EditState, Retimed, Standing};

/// What of the evidence was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every key and value of the hives, with those that the plan was made from.
    WholeHives,
    /// The values and keys that the plan names.
    Plan,
}

/// The plan, as reports name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanSummary {
    /// The file, as it was named.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The installation that it was made for, by its id then.
    pub installation: String,
    /// The Windows that it is for.
    pub os: OsId,
    /// How many edits it has.
    pub edits: usize,
}

/// A hive of the plan, and the same hive now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedHive {
    /// SOFTWARE or SYSTEM.
    pub role: Role,
    /// Where it is; `null` where the evidence has none.
    pub path: Option<String>,
    /// SHA-256 of the hive that the plan was made from.
    pub planned_sha256: Option<String>,
    /// SHA-256 of this one; `null` where it was not hashed.
    pub sha256: Option<String>,
    /// Whether it is the same file, byte for byte; its transaction logs may differ.
    pub same_file: Option<bool>,
    /// How far it can be trusted.
    pub state: Option<State>,
    /// Where the hive from before is; `null` where none was given.
    pub before_path: Option<String>,
    /// Keys that were compared with it.
    pub compared_keys: u64,
    /// Values that were.
    pub compared_values: u64,
}

/// An edit of the plan, and what stands in its place now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedEdit {
    /// The finding that asked for it.
    pub finding: String,
    /// The hive.
    pub hive: Role,
    /// The control set, in SYSTEM.
    pub control_set: Option<u32>,
    /// The key, from the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// What the plan found; `null` for nothing.
    pub before: Option<ObservedDatum>,
    /// What the plan puts there; `null` for nothing.
    pub after: Option<ObservedDatum>,
    /// What is there; `null` for nothing, or where it cannot be read.
    pub found: Option<ObservedDatum>,
    /// Which of these it is.
    pub state: EditState,
    /// Whether that is what was asked.
    pub holds: bool,
    /// What is to be said of it.
    pub note: Option<String>,
}

/// A key that the plan touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TouchedKey {
    /// The hive.
    pub hive: Role,
    /// The key, from the hive's root.
    pub key: String,
    /// Whether the patch makes it. Its rollback leaves it, empty.
    pub made: bool,
    /// Whether it is there.
    pub there: bool,
    /// When it was last written, by the plan.
    pub before: Option<FileTime>,
    /// When it was last written, now. Not every importer sets it.
    pub now: Option<FileTime>,
}

/// What the proof came to.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Version of this form.
    pub schema_version: SchemaVersion,
    /// Who made it.
    pub tool: Tool,
    /// The plan.
    pub plan: PlanSummary,
    /// What was asked about it.
    pub asked: Asked,
    /// The installation's id now.
    pub installation: String,
    /// Where its hives are.
    pub evidence: String,
    /// Which Windows it is.
    pub os: OsId,
    /// What was compared.
    pub scope: Scope,
    /// Whether every edit is as asked, and nothing else changed, as far as that was compared.
    pub holds: bool,
    /// Whether everything that should have been read was.
    pub complete: bool,
    /// The plan's hives.
    pub hives: Vec<CheckedHive>,
    /// Each edit, in the plan's order.
    pub edits: Vec<CheckedEdit>,
    /// The keys of the edits, in the plan's order.
    pub keys: Vec<TouchedKey>,
    /// Whatever else differs; at most [`MOST_DIFFERENCES`](crate::verification::MOST_DIFFERENCES) of a hive.
    pub unexplained: Vec<Difference>,
    /// How many more differences there are.
    pub unexplained_more: u64,
    /// Keys with another last-write time; that alone is no difference. At most [`MOST_DIFFERENCES`](crate::verification::MOST_DIFFERENCES) of a hive.
    pub retimed: Vec<Retimed>,
    /// How many more of these there are.
    pub retimed_more: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Every file that was opened.
    #[serde(skip)]
    pub opened: Vec<PathBuf>,
}

impl Checked {
    /// Returns how it stands.
    pub fn outcome(&self) -> Standing {
        match (self.complete, self.holds) {
            (false, _) => Standing::Incomplete,
            (true, false) => Standing::NotClean,
            (true, true) => Standing::Clean,
        }
    }
}
