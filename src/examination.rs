//! An examination: evidence in, report out. Finds the installations, opens their hives, audits each hive while its
//! files are hashed, and sorts the results so that their order does not depend on timing.

use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

use crate::baseline::{Chosen, Profile};
use crate::control_set::Choice;
use crate::discovery::{Ask, Evidence, Generation, Installation, Overview, Reading, any_readable, discover_each};
use crate::error::{Code, Error, Gap, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::directory::locator;
use crate::evidence::file::Snapshot;
use crate::evidence::hash::Hashes;
use crate::evidence::ledger::Ledger;
use crate::evidence::worker::Sandbox;
use crate::finding::Severity;
use crate::hive::State;
use crate::os::OsId;
use crate::report::{
    HiveReport, InstallationReport, JudgedGenerations, Renderer, Report, ReportOptions, Run, SchemaVersion,
    SourceReport, Summary, Tool, is_shown,
};

mod auditor;
mod gaps;
mod hibernation;
mod identity;
mod installation;
mod integrity;
mod odd;
mod views;

pub use gaps::of as gaps_of;
pub use identity::Changed;
use installation::examine_installation;
pub(crate) use installation::{Judged, OpenInstallation, Overlays};
pub(crate) use integrity::{Opened, open};

/// The options of an examination.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Options {
    /// Judge the installations, or only list them.
    pub judge: bool,
    /// Walk each whole hive.
    pub check: bool,
    /// The Windows that the user states instead of detecting it.
    pub os: Option<OsId>,
    /// The baselines that judge.
    pub baselines: Chosen,
    /// What the audit looks for.
    pub profiles: Vec<Profile>,
    /// The control sets to judge.
    pub control_set: Choice,
    /// Judge every generation, not only live installations and copies.
    pub all_generations: bool,
    /// Keep the findings that conform. A finding that deviated before the logs were replayed is always kept.
    pub all_findings: bool,
    /// Report the offsets of each finding's key and value in the file.
    pub locations: bool,
    /// The severity that fails a run.
    pub fail_on: Severity,
    /// Replay the transaction logs of dirty hives in memory.
    pub replay: bool,
    /// Map files into memory where possible.
    pub map: bool,
    /// Options for archives and images.
    pub unpacking: Unpacking,
    /// The hashes to compute of each hive and log; `None` for none.
    pub hash: Option<Hashes>,
}

/// The result of an examination.
#[derive(Debug)]
pub struct Examination {
    /// The report.
    pub report: Report,
    /// Whether a finding that counts for the exit code is at or above `fail_on`.
    pub failed: bool,
    /// The installations, in the report's order.
    pub installations: Vec<Installation>,
    /// Why nothing was examined, if there is no hive. The report lists what was found instead.
    pub nothing: Option<Error>,
    /// The gaps of the sources only, without those of their hives.
    pub source_gaps: Vec<Gap>,
    /// Every file on this machine that was opened.
    pub opened: Vec<PathBuf>,
}

/// Returns the gap of a requested walk that found a loss in the hive or in a log.
fn not_whole(hive: &HiveReport) -> Option<Gap> {
    let gap = |code, reason: &str| {
        Some(Gap::new(code, &hive.path, format!("{} {reason}", hive.role)).advise(hive.integrity.advice()))
    };
    match &hive.integrity.coverage {
        _ if hive.integrity.state == State::Dirty => gap(Code::HiveDirty, "is dirty"),
        Some(coverage) if coverage.complete => None,
        _ => gap(Code::HiveDamaged, "cannot be read whole"),
    }
}

/// The end of an examination, after every installation was examined.
#[derive(Debug)]
pub struct Closing {
    /// The shadow copies that volumes in disk images list, read or not.
    pub shadow_copies: Vec<Snapshot>,
    /// The outcome of each source.
    pub ledger: Ledger,
    /// What could not be opened or read.
    pub problems: Vec<Problem>,
    /// The counts, and the gaps.
    pub summary: Summary,
    /// Whether a finding that counts for the exit code is at or above `fail_on`.
    pub failed: bool,
    /// Why nothing was examined, if there is no hive. The ledger lists what was found instead.
    pub nothing: Option<Error>,
    /// The gaps of the sources only, without those of their hives.
    pub source_gaps: Vec<Gap>,
    /// Every file on this machine that was opened.
    pub opened: Vec<PathBuf>,
    /// What those could do that read containers; see [`Overview::sandbox`].
    pub sandbox: Option<Sandbox>,
}

impl Closing {
    /// Passes the records after the installations to a renderer.
    ///
    /// # Errors
    /// The error of the renderer.
    pub fn render(&self, renderer: &mut dyn Renderer) -> io::Result<()> {
        self.shadow_copies.iter().try_for_each(|shadow_copy| renderer.shadow_copy(shadow_copy))?;
        self.ledger.sources().iter().try_for_each(|source| renderer.source(&SourceReport::from(source)))?;
        self.problems.iter().try_for_each(|problem| renderer.problem(problem))?;
        renderer.summary(&self.summary)
    }
}

/// Returns the first record of an examination.
pub fn run_of(options: &Options) -> Run {
    Run {
        schema_version: SchemaVersion,
        tool: Tool::default(),
        options: ReportOptions {
            os: options.os,
            replay: options.replay,
            control_set: options.control_set,
            generations: if options.all_generations { JudgedGenerations::All } else { JudgedGenerations::Live },
            profiles: options.profiles.clone(),
            fail_on: options.fail_on,
            all: options.all_findings,
        },
    }
}

/// Examines the evidence with the caller's question. The question is asked about each installation as soon as it is
/// found, on all cores, and in a worker if the installation is in a container. The answer is the examined installation,
/// or why a baseline is invalid, and any other result. Passes the report and the other result to `take`, in the order
/// of the report. Keeps only the counts in [`Closing`]. For `witness` see [`Reading::witnessed_by`].
///
/// # Errors
/// A built-in baseline is invalid, or the error of `take`. Unreadable evidence is in [`Closing::ledger`].
pub fn examine_each<A, T>(
    evidence: &[Evidence],
    options: &Options,
    witness: Option<&(dyn Fn(&Path) + Sync)>,
    ask: &A,
    mut take: impl FnMut(InstallationReport, T) -> Result<(), Error>,
) -> Result<Closing, Error>
where
    A: Ask<Answer = (Result<Examined, String>, T)>,
{
    let mut tally = Tally::default();
    let reading = Reading::new(options.map, &options.unpacking).witnessed_by(witness);
    let overview = discover_each(evidence, reading, ask, |(examined, rest)| {
        let invalid = |reason| Error::Refused { reason, advice: "Please report it".to_owned() };
        take(tally.count(examined.map_err(invalid)?), rest)
    })?;
    Ok(tally.close(evidence, options, overview))
}

/// Asks for the report of an installation, and for where it lies.
#[derive(Serialize, Deserialize)]
struct Plain(Options);

impl Ask for Plain {
    const NAME: &str = "plain";

    type Answer = (Result<Examined, String>, Installation);

    fn answer(&self, mut installation: Installation) -> Self::Answer {
        let examined = Examined::of(&installation, &self.0);
        installation.release();
        (examined, installation)
    }

    /// The caller may want to read the hives again.
    fn may_leave(&self) -> bool {
        false
    }
}

/// Examines the evidence, and keeps everything.
///
/// # Errors
/// The only evidence is unreadable, or a built-in baseline is invalid.
pub fn examine(evidence: &[PathBuf], options: &Options) -> Result<Examination, Error> {
    let (mut reports, mut installations) = (Vec::new(), Vec::new());
    let ask = Plain(options.clone());
    let evidence: Vec<Evidence> = evidence.iter().map(Evidence::from).collect();
    any_readable(&evidence)?;
    let closing = examine_each(&evidence, options, None, &ask, |report, installation| {
        reports.push(report);
        installations.push(installation);
        Ok(())
    })?;
    let Run { schema_version, tool, options } = run_of(options);
    let Closing { shadow_copies, ledger, problems, summary, failed, nothing, source_gaps, opened, sandbox: _ } =
        closing;
    let report = Report {
        schema_version,
        tool,
        options,
        installations: reports,
        shadow_copies,
        sources: ledger.sources().iter().map(SourceReport::from).collect(),
        problems,
        summary,
    };
    Ok(Examination { report, failed, installations, nothing, source_gaps, opened })
}

/// An installation that was judged and counted. It can be sent to another process of this program.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Sent", into = "Sent")]
pub struct Examined {
    /// The report.
    pub report: InstallationReport,
    /// Whether the installation can be audited and counts for the exit code.
    pub counts: bool,
    /// Whether the installation can be audited.
    pub auditable: bool,
    problems: Vec<Problem>,
    /// The gaps that make the report incomplete.
    gaps: Vec<Gap>,
    failed: bool,
}

/// The same with what a report leaves out.
#[derive(Serialize, Deserialize)]
struct Sent {
    report: InstallationReport,
    lies_in: Generation,
    warnings: Vec<String>,
    counts: bool,
    auditable: bool,
    problems: Vec<Problem>,
    gaps: Vec<Gap>,
    failed: bool,
}

impl From<Examined> for Sent {
    fn from(examined: Examined) -> Self {
        let Examined { mut report, counts, auditable, problems, gaps, failed } = examined;
        let (lies_in, warnings) = (report.lies_in, std::mem::take(&mut report.warnings));
        Self { report, lies_in, warnings, counts, auditable, problems, gaps, failed }
    }
}

impl From<Sent> for Examined {
    fn from(sent: Sent) -> Self {
        let Sent { report, lies_in, warnings, counts, auditable, problems, gaps, failed } = sent;
        let report = InstallationReport { lies_in, warnings, ..report };
        Self { report, counts, auditable, problems, gaps, failed }
    }
}

impl Examined {
    /// Examines one installation.
    ///
    /// # Errors
    /// A built-in baseline is invalid.
    pub fn of(installation: &Installation, options: &Options) -> Result<Self, String> {
        let judged = examine_installation(installation, options).map_err(|error| error.to_string())?;
        let Judged { mut report, gaps: of_hives, mut problems } = judged;
        problems.extend(installation.problems.iter().cloned());
        let current = installation.generation.is_current();
        let (mut gaps, mut failed) = (Vec::new(), false);
        if let Some(judgement) = &mut report.judgement {
            for finding in &judgement.findings {
                judgement.counts.count(finding);
                failed |= current && finding.is_cause() && finding.severity >= options.fail_on;
            }
            if current {
                gaps = of_hives;
            }
            judgement.findings.retain(|finding| options.all_findings || is_shown(finding));
        }
        if options.check {
            gaps.extend(report.hives.iter().filter_map(not_whole));
        }
        report.gaps = installation.source_gaps.iter().chain(&gaps).cloned().collect();
        report.gaps.sort();
        report.gaps.dedup();
        let auditable = installation.is_auditable();
        Ok(Self { report, problems, gaps, failed, auditable, counts: auditable && current })
    }
}

/// The counts of an examination so far.
#[derive(Default)]
struct Tally {
    summary: Summary,
    problems: Vec<Problem>,
    gaps: Vec<Gap>,
    failed: bool,
    any_auditable: bool,
    any_counts: bool,
    /// The roles of the hives, as long as none of them is audited.
    roles: Vec<&'static str>,
}

impl Tally {
    fn count(&mut self, examined: Examined) -> InstallationReport {
        let Examined { report, problems, gaps, failed, auditable, counts } = examined;
        self.summary.installations = self.summary.installations.saturating_add(1);
        if let Some(judgement) = &report.judgement {
            self.summary.counts.add(&judgement.counts);
        }
        self.problems.extend(problems);
        self.gaps.extend(gaps);
        self.failed |= failed;
        self.any_auditable |= auditable;
        self.any_counts |= counts;
        if !self.any_auditable {
            self.roles.extend(report.hives.iter().map(|hive| hive.role.as_str()));
        }
        report
    }

    fn close(self, evidence: &[Evidence], options: &Options, overview: Overview) -> Closing {
        let Self { mut summary, problems: of_hives, gaps: gaps_of_hives, failed, any_auditable, any_counts, roles } =
            self;
        let mut nothing = overview.nothing(evidence);
        let Overview { shadow_copies, ledger, opened, sandbox, .. } = overview;
        let mut problems = ledger.problems();
        problems.extend(of_hives);
        let source_gaps = ledger.gaps();
        let mut gaps = source_gaps.clone();
        gaps.extend(gaps_of_hives);
        let all = || evidence.iter().map(|one| locator(&one.path)).collect::<Vec<_>>().join(", ");
        if options.judge && nothing.is_none() && !any_auditable {
            nothing = Some(Error::NoHive {
                evidence: evidence.iter().map(|one| one.path.display().to_string()).collect::<Vec<_>>().join(", "),
                looked_at: match roles.as_slice() {
                    [] => "a limit of the run stopped everything".to_owned(),
                    roles => format!("only {}", roles.join(", ")),
                },
            });
        }
        if options.judge && nothing.is_none() && !any_counts {
            let reason = "there are only older generations, which were not judged".to_owned();
            gaps.push(Gap::new(Code::OnlyOlderGenerations, all(), reason));
            problems.push(
                Problem::new("a live installation, or copied hives", "only older generations")
                    .advise("judge them with --generations all, or name one hive of them"),
            );
        }
        if let Some(error) = &nothing
            && gaps.is_empty()
        {
            gaps.push(Gap::new(Code::NothingFound, all(), error.to_string()));
        }
        summary.close(gaps);
        problems.sort();
        problems.dedup();
        Closing { shadow_copies, ledger, problems, summary, failed, nothing, source_gaps, opened, sandbox }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            judge: true,
            check: false,
            os: None,
            baselines: Chosen::default(),
            profiles: Profile::ALL.to_vec(),
            control_set: Choice::Current,
            all_generations: false,
            all_findings: false,
            locations: false,
            fail_on: Severity::Low,
            replay: true,
            map: true,
            unpacking: Unpacking::default(),
            hash: Some(Hashes::default()),
        }
    }
}
