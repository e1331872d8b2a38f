//! What is missing, each gap with its reason and what to do.

use std::io;

use super::page::{Ink, Page};
use super::{data, grouped};
use crate::error::{Code, Gap, Problem};
use crate::report::{InstallationReport, Report};

/// So many gaps are listed of one installation or of the evidence; the rest are counted.
const MOST: usize = 3;

/// The gaps of that installation: of its Windows, its hives, and what they were read through.
pub(crate) fn of<'r>(report: &'r Report, installation: &InstallationReport) -> Vec<&'r Gap> {
    report.summary.gaps.iter().filter(|gap| is_of(gap, installation)).collect()
}

/// The gaps of no installation that is judged: what was refused before an installation was found in it.
pub(crate) fn of_none(report: &Report) -> Vec<&Gap> {
    let judged = || report.installations.iter().filter(|installation| installation.judgement.is_some());
    report.summary.gaps.iter().filter(|gap| !judged().any(|installation| is_of(gap, installation))).collect()
}

fn is_of(gap: &Gap, installation: &InstallationReport) -> bool {
    let holds = |inner: &str| inner == gap.at || inner.strip_prefix(&gap.at).is_some_and(|rest| rest.starts_with('!'));
    holds(&installation.evidence) || installation.hives.iter().any(|hive| holds(&hive.path))
}

/// Writes gaps, a line for each where it fits, and how many more there are.
pub(super) fn write(page: &mut Page<'_>, report: &Report, gaps: &[&Gap]) -> io::Result<()> {
    for gap in gaps.iter().take(MOST) {
        page.labelled(2, 1, "-", &line(report, gap), Ink::Plain)?;
    }
    match gaps.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => page.labelled(2, 1, "-", &format!("and {} more (--all)", grouped(more as u64)), Ink::Plain),
    }
}

/// Writes every gap that no installation has, with where it is.
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

/// Whether a problem says what a gap says already: of the same place, where the gap's advice is the problem's.
pub(super) fn is_told(report: &Report, problem: &Problem) -> bool {
    report
        .summary
        .gaps
        .iter()
        .any(|gap| problem.path.as_deref() == Some(&gap.at) && advice_of(report, gap) == problem.advice)
}

/// `SYSTEM is dirty: copy its logs too`
pub(crate) fn line(report: &Report, gap: &Gap) -> String {
    let reason = data::prose(&gap.reason);
    match advice_of(report, gap).or_else(|| by_code(gap.code).map(str::to_owned)) {
        Some(advice) if !gap.reason.contains(&advice) => format!("{reason}; {}", data::prose(&advice)),
        _ => reason,
    }
}

/// What the report says is to be done about the place of a gap.
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

/// What to do about a gap of which nothing else says it.
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
