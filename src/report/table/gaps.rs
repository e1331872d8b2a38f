//! The gaps, each with its reason and what to do.

use std::collections::HashSet;
use std::io;

use super::page::{Ink, Page};
use super::{data, grouped};
use crate::error::{Gap, Problem};
use crate::report::Report;

/// The most gaps that are listed for one installation or for the evidence. The others are counted.
const MOST: usize = 3;

/// Returns the gaps of no judged installation, such as sources that were refused before one was found in them.
pub(crate) fn of_none(report: &Report) -> Vec<&Gap> {
    let judged = report.installations.iter().filter(|installation| installation.judgement.is_some());
    let told: HashSet<&Gap> = judged.flat_map(|installation| &installation.gaps).collect();
    report.summary.gaps.iter().filter(|gap| !told.contains(gap)).collect()
}

/// Writes gaps, one line each if it fits, and the number of the others.
pub(super) fn write(page: &mut Page<'_>, gaps: &[Gap]) -> io::Result<()> {
    for gap in gaps.iter().take(MOST) {
        page.labelled(2, 1, "-", &line(gap), Ink::Plain)?;
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
        page.labelled(2, 1, "-", &format!("{}: {}", data::name(&gap.at), line(gap)), Ink::Plain)?;
    }
    if let Some(more @ 1..) = gaps.len().checked_sub(most) {
        page.labelled(2, 1, "-", &format!("and {} more (--all)", grouped(more as u64)), Ink::Plain)?;
    }
    page.blank()
}

/// Returns whether a gap already reports a problem: it has the same place, and the problem's advice.
pub(super) fn is_told(report: &Report, problem: &Problem) -> bool {
    report.summary.gaps.iter().any(|gap| problem.path.as_deref() == Some(&gap.at) && gap.advice == problem.advice)
}

/// Returns a line such as `SYSTEM is dirty: copy its logs too`.
pub(crate) fn line(gap: &Gap) -> String {
    let reason = data::prose(&gap.reason);
    match &gap.advice {
        Some(advice) if !gap.reason.contains(advice) => format!("{reason}; {}", data::prose(advice)),
        _ => reason,
    }
}
