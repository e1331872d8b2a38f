//! The report: everything about the evidence in one structure. Renderers write it and decide nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::baseline::{Baseline, Profile};
use crate::control_set::{Choice, ControlSets};
use crate::discovery::Generation;
use crate::error::{Gap, Problem};
use crate::evidence::file::{Origin, Snapshot};
use crate::evidence::file_system::Vouched;
use crate::evidence::hash::{Algorithm, named};
use crate::evidence::ledger::{Members, Outcome, Source};
use crate::finding::{Finding, Severity};
pub use crate::hive::Replay;
use crate::hive::State;
use crate::hive::transaction_log::{LogFormat, LogState};
use crate::hive::walk::Coverage;
use crate::machine::{Machine, SameMachine};
use crate::os::{Os, OsId};
use crate::registry::{FileTime, Role};

mod counts;
pub mod csv;
pub mod ecs;
pub mod escape;
mod event;
pub mod json;
pub mod jsonl;
mod line;
pub mod markdown;
mod records;
pub mod sarif;
mod saved;
pub(crate) mod sheet;
pub mod table;
pub mod timesketch;

pub use counts::{Counts, Grades, Summary};
pub use records::{Aside, Gathered, Gathering, Renderer, Run, SchemaVersion};
pub(crate) use saved::is_shown;
pub use saved::{Saved, read_saved};

/// The findings, their evidence, and the options. No clock, no host name, nothing that the user did not name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The version of this format.
    pub schema_version: SchemaVersion,
    /// The program that wrote it.
    pub tool: Tool,
    /// The options of the run.
    pub options: ReportOptions,
    /// The installations in the order of the arguments, then by evidence path, then by generation.
    pub installations: Vec<InstallationReport>,
    /// The shadow copies that volumes in disk images list, read or not. By path, in the order of their numbers.
    pub shadow_copies: Vec<Snapshot>,
    /// The ledger: the result for each source.
    pub sources: Vec<SourceReport>,
    /// Sources that could not be opened or examined.
    pub problems: Vec<Problem>,
    /// The totals of all findings.
    pub summary: Summary,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The locator, which can be used as an argument.
    pub locator: String,
    /// The user's name for the machine or the exhibit that it belongs to.
    #[serde(default)]
    pub label: Option<String>,
    /// The kind of the source: `folder`, `hive`, `log`, a format, a file system.
    pub kind: String,
    /// The result.
    pub outcome: SourceOutcome,
    /// The reason, and other facts about it.
    pub reason: Option<String>,
    /// What to do.
    pub advice: Option<String>,
    /// Whether a checksum protects its bytes.
    pub integrity: SourceIntegrity,
    /// The checksum that verified it.
    pub verified_by: Option<String>,
    /// The files in the source.
    pub members: Members,
}

/// The result for a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceOutcome {
    /// The source was read.
    Read,
    /// The source was not read, or not completely.
    Refused,
    /// The source cannot matter.
    Irrelevant,
}

/// Whether a checksum protects bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceIntegrity {
    /// A checksum of the container covers the bytes, and it matches.
    Verified,
    /// No checksum protects the bytes.
    Unprotected,
    /// A checksum exists, but it failed or could not be checked.
    Unverified,
}

impl From<&Vouched> for SourceIntegrity {
    fn from(vouched: &Vouched) -> Self {
        match vouched {
            Vouched::Verified(_) => Self::Verified,
            Vouched::Unprotected => Self::Unprotected,
            Vouched::Unverified(_) => Self::Unverified,
        }
    }
}

impl From<&Source> for SourceReport {
    fn from(source: &Source) -> Self {
        let outcome = match &source.outcome {
            Outcome::Read => SourceOutcome::Read,
            Outcome::Pending | Outcome::Refused { .. } => SourceOutcome::Refused,
            Outcome::Irrelevant(_) => SourceOutcome::Irrelevant,
        };
        let advice = match &source.outcome {
            Outcome::Refused { problem, .. } => problem.advice.clone(),
            _ => None,
        };
        let verified_by = match &source.vouched {
            Vouched::Verified(by) => Some(by.clone().into_owned()),
            _ => None,
        };
        Self {
            locator: source.locator.clone(),
            label: source.label.clone(),
            kind: source.kind.clone(),
            outcome,
            reason: source.reason(),
            advice,
            integrity: (&source.vouched).into(),
            verified_by,
            members: source.members,
        }
    }
}

/// The program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its version.
    pub version: Cow<'static, str>,
}

/// The options that may affect a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOptions {
    /// The Windows that the user stated.
    pub os: Option<OsId>,
    /// Whether transaction logs are replayed.
    pub replay: bool,
    /// The control sets that are judged.
    pub control_set: Choice,
    /// The generations that are judged.
    pub generations: JudgedGenerations,
    /// The profiles that are checked.
    pub profiles: Vec<Profile>,
    /// The severity that fails a run.
    pub fail_on: Severity,
    /// Whether the report also contains the findings that conform.
    pub all: bool,
}

/// The generations that are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedGenerations {
    /// Live installations and copies.
    Live,
    /// All generations.
    All,
}

/// One Windows installation.
#[derive(Clone, Debug, Serialize)]
pub struct InstallationReport {
    /// Derived from the evidence path; safe as a folder name.
    pub id: String,
    /// The user's name for the machine or the exhibit.
    pub label: Option<String>,
    /// The folder that contains the hives, or a bare hive.
    pub evidence: String,
    /// The generation of the installation.
    pub generation: Generation,
    /// The generation that is usually kept in this place. It differs if the hives were named directly.
    #[serde(skip)]
    pub lies_in: Generation,
    /// The machine, according to its hives.
    pub machine: Machine,
    /// The detected Windows.
    pub os: Os,
    /// Whether SOFTWARE and SYSTEM come from one machine; `None` if only one of them can be read.
    pub same_machine: Option<SameMachine>,
    /// The control sets of SYSTEM.
    pub control_sets: Option<ControlSets>,
    /// What makes the report of this installation incomplete: of its hives, its Windows, and the containers that it is in.
    pub gaps: Vec<Gap>,
    /// SOFTWARE, SYSTEM, and the other hives with them.
    pub hives: Vec<HiveReport>,
    /// The audit; `None` if no audit was requested.
    #[serde(flatten)]
    pub judgement: Option<Judgement>,
    /// Warnings to read before somebody writes to these hives. A plan includes them.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl InstallationReport {
    /// Returns the hive of a finding.
    pub fn hive_of(&self, finding: &Finding) -> Option<&HiveReport> {
        self.hives.iter().find(|hive| finding.hive == Some(hive.role))
    }
}

/// The result of an audit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// The baseline, if one exists for this Windows.
    pub baseline: Option<BaselineReference>,
    /// The user's baselines beside it.
    pub extended_by: Vec<BaselineReference>,
    /// Whether the user's baselines judge instead of the built-in ones, regardless of the Windows.
    pub by_own: bool,
    /// The ids of the keys and steps of the user's baselines. Their findings do not concern updates.
    pub own_keys: BTreeSet<String>,
    /// What stops updates, in a sentence or two, and how well that is confirmed; `None` if there is no baseline.
    pub answer: Option<String>,
    /// The totals of this installation, over all findings, even those that the report omits.
    pub counts: Counts,
    /// The findings, in the baseline's order.
    pub findings: Vec<Finding>,
}

/// The baseline whose expectations were applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineReference {
    /// The baseline's id.
    pub id: String,
    /// SHA-256 of its text.
    pub sha256: String,
}

impl From<&Baseline> for BaselineReference {
    fn from(baseline: &Baseline) -> Self {
        Self { id: baseline.id.clone(), sha256: baseline.sha256.clone() }
    }
}

/// One hive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HiveReport {
    /// The role of the hive.
    pub role: Role,
    /// The path of the hive.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// SHA-256 of the primary file.
    pub sha256: Option<String>,
    /// MD5, if requested.
    #[serde(default)]
    pub md5: Option<String>,
    /// SHA-1, if requested.
    #[serde(default)]
    pub sha1: Option<String>,
    /// The version of the hive format.
    pub format_version: Option<String>,
    /// When the hive was last written, according to its base block.
    pub last_written: Option<FileTime>,
    /// The container that the hive was read from.
    pub container: Option<Origin>,
    /// Whether a checksum of the container protects the hive's bytes.
    pub source_integrity: SourceIntegrity,
    /// How far the hive can be trusted.
    pub integrity: Integrity,
}

impl HiveReport {
    /// Returns the hashes, each with its algorithm, in the order of reports.
    pub fn sums(&self) -> impl Iterator<Item = (Algorithm, &str)> {
        named(self.sha256.as_deref(), self.md5.as_deref(), self.sha1.as_deref())
    }
}

/// How far a hive can be trusted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Integrity {
    /// The state in a word.
    pub state: State,
    /// The number that is incremented before a write.
    pub primary_sequence: Option<u32>,
    /// The number that is set to the same value after it.
    pub secondary_sequence: Option<u32>,
    /// Whether the checksum of the base block is correct.
    pub checksum_valid: Option<bool>,
    /// The transaction logs beside it.
    pub logs: Vec<LogReport>,
    /// The result of replaying them.
    pub replay: Option<Replay>,
    /// The result of a walk of the whole hive, if requested.
    pub coverage: Option<Coverage>,
    /// All problems.
    pub problems: Vec<Problem>,
}

impl Integrity {
    /// Returns what to do about the hive, if one of its problems says so.
    pub fn advice(&self) -> Option<String> {
        self.problems.iter().find_map(|problem| problem.advice.clone())
    }
}

/// One transaction log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogReport {
    /// The path of the log.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    /// MD5, if requested.
    #[serde(default)]
    pub md5: Option<String>,
    /// SHA-1, if requested.
    #[serde(default)]
    pub sha1: Option<String>,
    /// Its format, if it can be detected.
    pub format: Option<LogFormat>,
    /// Its relation to the hive.
    pub state: LogState,
}

impl LogReport {
    /// Returns the hashes, each with its algorithm, in the order of reports.
    pub fn sums(&self) -> impl Iterator<Item = (Algorithm, &str)> {
        named(self.sha256.as_deref(), self.md5.as_deref(), self.sha1.as_deref())
    }
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}
