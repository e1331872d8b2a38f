//! A machine, as far as the answers about all machines need it.

use std::sync::Arc;

use super::words::kept;
use crate::error::Gap;
use crate::finding::{Finding, Reason, Severity, Verdict};
use crate::os::OsId;
use crate::registry::{FileTime, Role};
use crate::report::InstallationReport;
use crate::report::table::why_not_judged;

/// The most gaps that are kept of a machine. The others are counted.
const MOST_GAPS: usize = 20;

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, by its number.
    pub file: usize,
    /// The line, from 1.
    pub line: u64,
}

/// An installation of the current generation.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The user's name for it.
    pub label: Option<String>,
    /// The computer's name by its hives.
    pub computer: Option<String>,
    /// Where its hives are.
    pub evidence: String,
    /// Its Windows.
    pub os: OsId,
    /// The name of its Windows.
    pub windows: Arc<str>,
    /// When its Windows was installed.
    pub installed: Option<FileTime>,
    /// SHA-256 of SOFTWARE and SYSTEM, as far as they were read and hashed.
    pub hives: Vec<(Role, String)>,
    /// The line of its record.
    pub place: Place,
    /// The run, by its number.
    pub run: usize,
    /// How many expectations were assessed.
    pub assessed: usize,
    /// Why nothing was judged, if nothing was.
    pub not_judged: Option<String>,
    /// What is missing. The first ones of many.
    pub gaps: Vec<Gap>,
    /// How many more gaps there are.
    pub more_gaps: usize,
    /// How many deviations its own record counts.
    pub promised: usize,
    /// One entry for each finding that says something of this machine.
    pub observations: Vec<Observation>,
    /// The machine that this one is again, if it is. Such a machine is not counted.
    pub double_of: Option<usize>,
}

/// What one finding says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The expectation, by its number.
    pub expectation: u32,
    /// The observed data, by their number.
    pub datum: u32,
    /// The verdict.
    pub state: State,
    /// When the key was last written, if that is a plausible date.
    pub written: Option<FileTime>,
}

/// A verdict, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// As expected.
    Conforms,
    /// Shown and not judged.
    Informs,
    /// Says nothing by itself: it follows from another deviation, or setup is not finished.
    Aside,
    /// Should have been judged and could not be.
    Unexamined,
    /// Not as expected, by itself.
    Deviates(Severity),
}

/// Whether a machine gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Completeness {
    /// Nothing was judged.
    NoAnswer,
    /// Something is missing.
    Incomplete,
    /// Everything was judged.
    Complete,
}

impl Machine {
    /// Returns the machine of an installation, without its findings.
    pub(super) fn new(installation: InstallationReport, windows: Arc<str>, place: Place, run: usize) -> Self {
        let judgement = installation.judgement.as_ref();
        let not_judged = judgement.is_none().then(|| {
            let audited = |role: Role| matches!(role, Role::Software | Role::System);
            if installation.hives.iter().any(|hive| audited(hive.role)) {
                "the run listed it and judged nothing: `hivemend audit` judges".to_owned()
            } else {
                why_not_judged(&installation)
            }
        });
        let (assessed, promised) =
            judgement.map(|judgement| (judgement.counts.assessed, judgement.counts.deviations())).unwrap_or_default();
        let hashed = installation.hives.iter().filter(|hive| matches!(hive.role, Role::Software | Role::System));
        let mut hives: Vec<(Role, String)> =
            hashed.filter_map(|hive| Some((hive.role, kept(hive.sha256.as_deref()?)))).collect();
        hives.sort();
        let mut gaps = installation.gaps;
        let more_gaps = gaps.len().saturating_sub(MOST_GAPS);
        gaps.truncate(MOST_GAPS);
        for gap in &mut gaps {
            for text in [&mut gap.at, &mut gap.reason].into_iter().chain(&mut gap.advice) {
                *text = kept(text);
            }
        }
        Self {
            label: installation.label.as_deref().map(kept),
            computer: installation.machine.computer_name.as_deref().map(kept),
            evidence: kept(&installation.evidence),
            os: installation.os.id,
            windows,
            installed: installation.machine.installed,
            hives,
            place,
            run,
            assessed,
            not_judged,
            gaps,
            more_gaps,
            promised,
            observations: Vec::new(),
            double_of: None,
        }
    }

    /// Returns the deviations.
    pub fn deviations(&self) -> impl Iterator<Item = (&Observation, Severity)> {
        self.observations.iter().filter_map(|one| match one.state {
            State::Deviates(severity) => Some((one, severity)),
            _ => None,
        })
    }

    /// Returns the highest severity of its deviations.
    pub fn worst(&self) -> Option<Severity> {
        self.deviations().map(|(_, severity)| severity).max()
    }

    /// Returns how many deviations its record counts that the lines lack: the file is truncated, or lines were not read.
    pub fn missing(&self) -> usize {
        self.promised.saturating_sub(self.deviations().count())
    }

    /// Returns whether the machine gave an answer.
    pub fn completeness(&self) -> Completeness {
        if self.assessed == 0 {
            Completeness::NoAnswer
        } else if self.gaps.is_empty() && self.missing() == 0 {
            Completeness::Complete
        } else {
            Completeness::Incomplete
        }
    }
}

impl State {
    /// Returns what a finding says of its machine; `None` if hives never hold what it asks for.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        match finding.verdict {
            Verdict::Conforms => Some(Self::Conforms),
            Verdict::Unreadable | Verdict::NotAssessed(Reason::HiveMissing | Reason::OsUnknown) => {
                Some(Self::Unexamined)
            }
            Verdict::Deviates | Verdict::Absent | Verdict::Unexpected => {
                Some(if finding.is_cause() { Self::Deviates(finding.severity) } else { Self::Aside })
            }
            Verdict::NotAssessed(Reason::Informational) => Some(Self::Informs),
            Verdict::NotAssessed(Reason::SetupPhase) => Some(Self::Aside),
            Verdict::NotAssessed(Reason::RunTime) => None,
        }
    }
}
