//! The gaps, each with its reason and what to do.

use std::io;

use super::page::{Ink, Page};
use super::{data, grouped};
use crate::error::{Code, Gap, Problem};
use crate::report::{InstallationReport, Report};

/// The most gaps that are listed for one installation or for the evidence. The others are counted.
const MOST: usize = 3;

/// Returns the gaps of this installation: of its Windows, its hives, and their containers.
pub(crate) fn of<'r>(report: &'r Report, installation: &InstallationReport) -> Vec<&'r Gap> {
    report.summary.gaps.iter().filter(|gap| is_of(gap, installation)).collect()
}

/// Returns the gaps of no judged installation, such as sources that were refused before one was found in them.
pub(crate) fn of_none(report: &Report) -> Vec<&Gap> {
    let judged = || report.installations.iter().filter(|installation| installation.judgement.is_some());
    report.summary.gaps.iter().filter(|gap| !judged().any(|installation| is_of(gap, installation))).collect()
}

fn is_of(gap: &Gap, installation: &InstallationReport) -> bool {
    let holds = |inner: &str| inner == gap.at || inner.strip_prefix(&gap.at).is_some_and(|rest| rest.starts_with('!'));
    holds(&installation.evidence) || installation.hives.iter().any(|hive| holds(&hive.path))
}

/// Writes gaps, one line each if it fits, and the number of the others.
pub(super) fn write(page: &mut Page<'_>, report: &Report, gaps: &[&Gap]) -> io::Result<()> {
    for gap in gaps.iter().take(MOST) {
        page.labelled(2, 1, "-", &line(report, gap), Ink::Plain)?;
    }
    match gaps.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => page.labelled(2, 1, "-", &format!("and {} more (--all)", grouped(more as u64)), Ink::Plain),
    }
}

/// Writes every gap that belongs to no installation, with its place.
pub(super) fn write_of_none(page: &mut Page<'_>, report: &Report, all: bool) -> io::Result<()> {
    let gaps = of_none(report);
    if gaps.is_empty() {
        return Ok(());
    }
    page.paragraph(0, "Not examined", Ink::Strong)?;
    let most = if all { usize::MAX } else { MOST };
    for gap in gaps.iter().take(most) {
        page.labelled(2, 1, "-", &format!("{}: {}", data::name(&gap.at), line(report, gap)), Ink::Plain)?;
    }
    if let Some(more @ 1..) = gaps.len().checked_sub(most) {
        page.labelled(2, 1, "-", &format!("and {} more (--all)", grouped(more as u64)), Ink::Plain)?;
    }
    page.blank()
}

/// Returns whether a gap already reports a problem: it has the same place, and the problem's advice.
pub(super) fn is_told(report: &Report, problem: &Problem) -> bool {
    report
        .summary
        .gaps
        .iter()
        .any(|gap| problem.path.as_deref() == Some(&gap.at) && advice_of(report, gap) == problem.advice)
}

/// Returns a line such as `SYSTEM is dirty: copy its logs too`.
pub(crate) fn line(report: &Report, gap: &Gap) -> String {
    let reason = data::prose(&gap.reason);
    match advice_of(report, gap).or_else(|| by_code(gap.code).map(str::to_owned)) {
        Some(advice) if !gap.reason.contains(&advice) => format!("{reason}; {}", data::prose(&advice)),
        _ => reason,
    }
}

/// Returns the report's advice for the place of a gap.
fn advice_of(report: &Report, gap: &Gap) -> Option<String> {
    let hives = report.installations.iter().flat_map(|installation| &installation.hives);
    let of_hive = hives.filter(|hive| hive.path == gap.at).flat_map(|hive| &hive.integrity.problems);
    let problems = report.problems.iter().filter(|problem| problem.path.as_deref() == Some(&gap.at));
    let problems = problems.filter(|problem| problem.code.is_none_or(|code| code == gap.code));
    let mut sources = report.sources.iter().filter(|source| source.locator == gap.at);
    of_hive
        .chain(problems)
        .find_map(|problem| problem.advice.clone())
        .or_else(|| sources.find_map(|source| source.advice.clone()))
}

/// Returns the advice for a gap by its code, if nothing else has any.
fn by_code(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::HiveMissing => "copy it from the same machine into the same folder",
        Code::HiveDirty => "copy its transaction logs (.LOG, .LOG1, .LOG2) beside it",
        Code::HiveDamaged | Code::FindingUnreadable => "use another copy, or compare with an older generation",
        Code::HivesContradict => "audit each hive by itself",
        Code::WindowsUncertain => "name the Windows with --os if you know it",
        Code::WindowsUnknown => "see `hivemend baseline list`; --baseline names one of your own",
        Code::OnlyOlderGenerations => "judge them with --generations all",
        Code::FactUnknown => "audit SOFTWARE and SYSTEM together",
        _ => return None,
    })
}
