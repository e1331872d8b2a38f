//! An examination: evidence in, report out. Finds the installations, opens their hives, audits each hive while its
//! files are hashed, and sorts the results so that their order does not depend on timing.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::baseline::{Chosen, Profile};
use crate::control_set::Choice;
use crate::discovery::{Discovery, Installation, discover_in};
use crate::error::{Code, Error, Gap, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::directory::locator;
use crate::finding::Severity;
use crate::hive::State;
use crate::os::OsId;
use crate::report::{
    HiveReport, InstallationReport, JudgedGenerations, Report, ReportOptions, SchemaVersion, SourceReport, Summary,
    Tool, is_shown,
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
#[derive(Clone, Debug)]
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
    /// Hash the files.
    pub hash: bool,
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
    let gap = |code, reason: &str| Some(Gap { code, at: hive.path.clone(), reason: format!("{} {reason}", hive.role) });
    match &hive.integrity.coverage {
        _ if hive.integrity.state == State::Dirty => gap(Code::HiveDirty, "is dirty"),
        Some(coverage) if coverage.complete => None,
        _ => gap(Code::HiveDamaged, "cannot be read whole"),
    }
}

/// Examines the evidence.
///
/// # Errors
/// Returns an error if the only named evidence cannot be read, or if a built-in baseline cannot be read.
pub fn examine(evidence: &[PathBuf], options: &Options) -> Result<Examination, Error> {
    let discovery = discover_in(evidence, options.map, &options.unpacking)?;
    let mut nothing = discovery.nothing(evidence);
    let opened = discovery.opened();
    let Discovery { installations, shadow_copies, ledger, .. } = discovery;
    let mut problems = ledger.problems();
    let source_gaps = ledger.gaps();
    let mut gaps = source_gaps.clone();
    if options.judge && nothing.is_none() && !installations.iter().any(Installation::is_auditable) {
        let roles = installations.iter().flat_map(|installation| &installation.hives).map(|hive| hive.role.as_str());
        nothing = Some(Error::NoHive {
            evidence: evidence.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
            looked_at: format!("only {}", roles.collect::<Vec<_>>().join(", ")),
        });
    }
    let examine = |installation| examine_installation(installation, options);
    // For one installation without hashing, starting threads takes longer than the audit.
    let judged: Vec<Judged> = if installations.len() == 1 && !options.hash {
        installations.iter().map(examine).collect::<Result<_, _>>()?
    } else {
        installations.par_iter().map(examine).collect::<Result<_, _>>()?
    };

    let mut summary = Summary { installations: judged.len(), ..Summary::default() };
    let mut failed = false;
    let mut reports = Vec::with_capacity(judged.len());
    for (installation, mut judged) in installations.iter().zip(judged) {
        problems.extend(installation.problems.iter().cloned().chain(judged.problems));
        let counts = installation.generation.is_current();
        if let Some(judgement) = &mut judged.report.judgement {
            for finding in &judgement.findings {
                summary.counts.count(finding);
                judgement.counts.count(finding);
                failed |= counts && finding.is_cause() && finding.severity >= options.fail_on;
            }
            if counts {
                gaps.append(&mut judged.gaps);
            }
            judgement.findings.retain(|finding| options.all_findings || is_shown(finding));
        }
        if options.check {
            gaps.extend(judged.report.hives.iter().filter_map(not_whole));
        }
        reports.push(judged.report);
    }
    let counted = |installation: &Installation| installation.is_auditable() && installation.generation.is_current();
    if options.judge && nothing.is_none() && !installations.iter().any(counted) {
        let reason = "there are only older generations, which were not judged".to_owned();
        let at = evidence.iter().map(|path| locator(path)).collect::<Vec<_>>().join(", ");
        gaps.push(Gap { code: Code::OnlyOlderGenerations, at, reason });
        problems.push(
            Problem::new("a live installation, or copied hives", "only older generations")
                .advise("judge them with --generations all, or name one hive of them"),
        );
    }
    if let Some(error) = &nothing
        && gaps.is_empty()
    {
        let at = evidence.iter().map(|path| locator(path)).collect::<Vec<_>>().join(", ");
        gaps.push(Gap { code: Code::NothingFound, at, reason: error.to_string() });
    }
    summary.close(gaps);
    problems.sort();
    problems.dedup();
    let report = Report {
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
        installations: reports,
        shadow_copies,
        sources: ledger.sources().iter().map(SourceReport::from).collect(),
        problems,
        summary,
    };
    Ok(Examination { report, failed, installations, nothing, source_gaps, opened })
}

impl Examination {
    /// Returns whether an installation counts for the exit code and is patched: a live Windows or a copy of it.
    pub fn counts(&self, installation: &InstallationReport) -> bool {
        installation.judgement.is_some() && installation.generation.is_current()
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
            hash: true,
        }
    }
}
