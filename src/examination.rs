//! An examination: evidence in, report out. Finds the installations, opens their hives, audits each beside the
//! hashing of its files, and puts the results in an order that does not depend on who was faster.

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

/// What an examination is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Judge, or only say what is there.
    pub judge: bool,
    /// Walk each whole hive.
    pub check: bool,
    /// The Windows that the user says it is.
    pub os: Option<OsId>,
    /// Which baselines judge.
    pub baselines: Chosen,
    /// What is looked for.
    pub profiles: Vec<Profile>,
    /// Which control sets.
    pub control_set: Choice,
    /// Judge every generation, not only live installations and copies.
    pub all_generations: bool,
    /// Keep the findings that conform. Those that did not before the logs were replayed are always kept.
    pub all_findings: bool,
    /// Say where in the file each finding's key and value lie.
    pub locations: bool,
    /// The severity that fails a run.
    pub fail_on: Severity,
    /// Replay the transaction logs of dirty hives in memory.
    pub replay: bool,
    /// Map files into memory where that can be done.
    pub map: bool,
    /// What there is to know of archives and images.
    pub unpacking: Unpacking,
    /// Hash the files.
    pub hash: bool,
}

/// What an examination came to.
#[derive(Debug)]
pub struct Examination {
    /// The report.
    pub report: Report,
    /// Whether something stands at or above `fail_on` in what counts for the exit code.
    pub failed: bool,
    /// The installations as they were found, in the report's order.
    pub installations: Vec<Installation>,
    /// Why nothing could be done, where there is no hive to examine. The report says what is there instead.
    pub nothing: Option<Error>,
    /// The gaps of the sources alone, whatever is missing of their hives.
    pub source_gaps: Vec<Gap>,
    /// Every file of this machine that was opened.
    pub opened: Vec<PathBuf>,
}

/// Returns what a walk that was asked for did not come to: something of the hive is lost, in it or in a log.
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
/// Returns an error if the only evidence that was named cannot be read, or a built-in baseline that cannot be read.
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
    // One installation that is not hashed takes less time than starting threads does.
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
        let reason = "only older generations are there, which were not judged".to_owned();
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
    /// Returns whether an installation counts for the exit code and is patched: Windows as it is, or a copy of it.
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
