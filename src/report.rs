//! The report: everything that is said of the evidence, as one value. Renderers write it out; they decide nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::baseline::{Baseline, Profile};
use crate::control_set::{Choice, ControlSets};
use crate::discovery::Generation;
use crate::error::{Gap, Problem};
use crate::evidence::file::{Origin, Snapshot};
use crate::evidence::file_system::Vouched;
use crate::evidence::ledger::{Members, Outcome, Source};
use crate::finding::{Finding, Grade, Severity, Verdict};
pub use crate::hive::Replay;
use crate::hive::State;
use crate::hive::transaction_log::{LogFormat, LogState};
use crate::hive::walk::Coverage;
use crate::machine::{Machine, SameMachine};
use crate::os::{Os, OsId};
use crate::registry::{FileTime, Role};

pub mod csv;
pub mod ecs;
pub mod escape;
mod event;
pub mod json;
pub mod jsonl;
pub mod markdown;
mod records;
pub mod sarif;
mod saved;
pub(crate) mod sheet;
pub mod table;
pub mod timesketch;

pub use records::{Gathered, Gathering, Renderer, Run, SchemaVersion};
pub(crate) use saved::is_shown;
pub use saved::{Saved, read_saved};

/// What was found, of which evidence, under which options. No clock, no host name, nothing that the user did not name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Version of this form.
    pub schema_version: SchemaVersion,
    /// Which program wrote it.
    pub tool: Tool,
    /// What it was asked for.
    pub options: ReportOptions,
    /// By argument as given, inside one by evidence path, then generation.
    pub installations: Vec<InstallationReport>,
    /// The shadow copies that volumes in disk images list, read or not; by path, in the order of their numbers.
    pub shadow_copies: Vec<Snapshot>,
    /// The ledger: what became of each source.
    pub sources: Vec<SourceReport>,
    /// What could not be opened or looked at.
    pub problems: Vec<Problem>,
    /// The counts, over all findings.
    pub summary: Summary,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Where it is; works as an argument.
    pub locator: String,
    /// What it is: `folder`, `hive`, `log`, a format, a file system.
    pub kind: String,
    /// What became of it.
    pub outcome: SourceOutcome,
    /// Why, and what else is to be known of it.
    pub reason: Option<String>,
    /// What to do.
    pub advice: Option<String>,
    /// Whether somebody vouches for its bytes.
    pub integrity: SourceIntegrity,
    /// The checksum that does.
    pub verified_by: Option<String>,
    /// The files in it.
    pub members: Members,
}

/// What became of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceOutcome {
    /// It was read.
    Read,
    /// It was not, or not whole.
    Refused,
    /// It cannot matter.
    Irrelevant,
}

/// Whether somebody vouches for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceIntegrity {
    /// A checksum of the container covers them, and it holds.
    Verified,
    /// Nothing protects them.
    Unprotected,
    /// A check exists, and failed or could not be made.
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

/// The options that a verdict may depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOptions {
    /// The Windows that the user said it is.
    pub os: Option<OsId>,
    /// Whether transaction logs are replayed.
    pub replay: bool,
    /// Which control sets are judged.
    pub control_set: Choice,
    /// Which generations are judged.
    pub generations: JudgedGenerations,
    /// What is checked.
    pub profiles: Vec<Profile>,
    /// The severity that fails a run.
    pub fail_on: Severity,
    /// Whether the findings that conform are in the report too.
    pub all: bool,
}

/// Which generations are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedGenerations {
    /// Live installations and copies.
    Live,
    /// Every one.
    All,
}

/// One Windows installation.
#[derive(Clone, Debug, Serialize)]
pub struct InstallationReport {
    /// Derived from the evidence path; safe as a folder's name.
    pub id: String,
    /// The folder that holds the hives, or a bare hive.
    pub evidence: String,
    /// Which state of the installation this is.
    pub generation: Generation,
    /// Which generation is kept where the hives lie; another one where they were named by themselves.
    #[serde(skip)]
    pub lies_in: Generation,
    /// How the machine names itself.
    pub machine: Machine,
    /// Which Windows it is.
    pub os: Os,
    /// Whether SOFTWARE and SYSTEM are of one machine; `None` where only one of them can be read.
    pub same_machine: Option<SameMachine>,
    /// The control sets of SYSTEM.
    pub control_sets: Option<ControlSets>,
    /// SOFTWARE, SYSTEM, and what else lies with them.
    pub hives: Vec<HiveReport>,
    /// The audit; not there where nothing was to be audited.
    #[serde(flatten)]
    pub judgement: Option<Judgement>,
    /// What to mind before somebody writes to these hives; a plan has them.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl InstallationReport {
    /// Returns the hive that a finding is about.
    pub fn hive_of(&self, finding: &Finding) -> Option<&HiveReport> {
        self.hives.iter().find(|hive| finding.hive == Some(hive.role))
    }
}

/// What an audit came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// The baseline, where there is one for this Windows.
    pub baseline: Option<BaselineReference>,
    /// The user's baselines beside it.
    pub extended_by: Vec<BaselineReference>,
    /// Whether the user's baselines judge instead of the built-in ones, whatever the Windows is.
    pub by_own: bool,
    /// The ids of the keys and steps of the user's baselines: what they find says nothing of updates.
    pub own_keys: BTreeSet<String>,
    /// In a sentence or two what stops updates, and on what that rests; `None` where there is no baseline.
    pub answer: Option<String>,
    /// The counts of this installation alone, over all findings, whether the report holds them or not.
    pub counts: Counts,
    /// In the baseline's order.
    pub findings: Vec<Finding>,
}

/// Which expectations were applied.
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
    /// What it holds.
    pub role: Role,
    /// Where it is.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Of the file as it lies.
    pub sha256: Option<String>,
    /// Version of the hive format.
    pub format_version: Option<String>,
    /// As the base block has it.
    pub last_written: Option<FileTime>,
    /// What it was taken out of.
    pub container: Option<Origin>,
    /// Whether its container vouches for its bytes.
    pub source_integrity: SourceIntegrity,
    /// How far it can be trusted.
    pub integrity: Integrity,
}

/// How far a hive can be trusted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Integrity {
    /// In a word.
    pub state: State,
    /// Raised before a write.
    pub primary_sequence: Option<u32>,
    /// Made equal after it.
    pub secondary_sequence: Option<u32>,
    /// Of the base block.
    pub checksum_valid: Option<bool>,
    /// The transaction logs beside it.
    pub logs: Vec<LogReport>,
    /// What was replayed of them.
    pub replay: Option<Replay>,
    /// What a walk of the whole hive came to, where one was asked for.
    pub coverage: Option<Coverage>,
    /// Everything that is not as it should be.
    pub problems: Vec<Problem>,
}

/// One transaction log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogReport {
    /// Where it is.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Of the file as it lies.
    pub sha256: Option<String>,
    /// Its format, where that can be told.
    pub format: Option<LogFormat>,
    /// What it is to the hive.
    pub state: LogState,
}

/// How the whole report stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Installations that are listed.
    pub installations: usize,
    /// Over all findings of all installations.
    #[serde(flatten)]
    pub counts: Counts,
    /// Everything that makes the report incomplete.
    pub gaps: Vec<Gap>,
    /// Whether everything that should have been assessed was: whether there are no gaps.
    pub complete: bool,
}

/// How many findings there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Expectations that were judged.
    pub assessed: usize,
    /// As it should be.
    pub conforms: usize,
    /// Other data, or another type.
    pub deviates: usize,
    /// Expected, and not there.
    pub absent: usize,
    /// There, and should not be.
    pub unexpected: usize,
    /// Could not be read.
    pub unreadable: usize,
    /// Not judged.
    pub not_assessed: usize,
    /// Of what is not as it should be.
    pub highest_severity: Option<Severity>,
    /// How sure the expectations are that were judged.
    pub grades: Grades,
}

/// Expectations that were judged, by grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Grades {
    /// Microsoft's own text, two independent sources, or two real machines.
    pub confirmed: usize,
    /// One source, or one machine.
    pub single_source: usize,
    /// Carried over from a kindred Windows.
    pub inferred: usize,
}

impl Grades {
    fn count(&mut self, grade: Grade) {
        let counter = match grade {
            Grade::Confirmed => &mut self.confirmed,
            Grade::SingleSource => &mut self.single_source,
            Grade::Inferred => &mut self.inferred,
        };
        *counter = counter.saturating_add(1);
    }
}

impl Summary {
    /// Closes the counts with what is missing. Nothing else decides whether a report is complete.
    pub fn close(&mut self, mut gaps: Vec<Gap>) {
        gaps.sort();
        gaps.dedup();
        self.complete = gaps.is_empty();
        self.gaps = gaps;
    }
}

impl Counts {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.assessed, other.assessed),
            (&mut self.conforms, other.conforms),
            (&mut self.deviates, other.deviates),
            (&mut self.absent, other.absent),
            (&mut self.unexpected, other.unexpected),
            (&mut self.unreadable, other.unreadable),
            (&mut self.not_assessed, other.not_assessed),
            (&mut self.grades.confirmed, other.grades.confirmed),
            (&mut self.grades.single_source, other.grades.single_source),
            (&mut self.grades.inferred, other.grades.inferred),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
        self.highest_severity = self.highest_severity.max(other.highest_severity);
    }

    /// Returns what is not as it should be, whatever way.
    pub fn deviations(&self) -> usize {
        self.deviates.saturating_add(self.absent).saturating_add(self.unexpected)
    }

    /// Counts one finding. What follows from another finding is counted with it.
    pub fn count(&mut self, finding: &Finding) {
        if finding.cause.is_some() && finding.is_deviation() {
            return;
        }
        let (counter, judged) = match finding.verdict {
            Verdict::Conforms => (&mut self.conforms, true),
            Verdict::Deviates => (&mut self.deviates, true),
            Verdict::Absent => (&mut self.absent, true),
            Verdict::Unexpected => (&mut self.unexpected, true),
            Verdict::Unreadable => (&mut self.unreadable, false),
            Verdict::NotAssessed => (&mut self.not_assessed, false),
        };
        *counter = counter.saturating_add(1);
        if judged {
            self.assessed = self.assessed.saturating_add(1);
            self.grades.count(finding.grade);
        }
        if finding.is_deviation() {
            self.highest_severity = self.highest_severity.max(Some(finding.severity));
        }
    }
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}
