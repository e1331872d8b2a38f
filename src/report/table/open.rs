//! Results without a verdict: for information, for the administrator, and not assessable.

use std::io;

use super::findings::write_values;
use super::page::{Ink, Page};
use super::{count, data};
use crate::finding::{Finding, Reason, Verdict};

/// Writes the values that are shown but not judged, and the steps that no hive can decide.
pub(super) fn write_details(page: &mut Page<'_>, findings: &[&Finding]) -> io::Result<()> {
    write_information(page, findings)?;
    write_steps(page, findings)
}

/// Writes how many more results can be shown.
pub(super) fn write_counts(page: &mut Page<'_>, findings: &[&Finding], conforming: usize) -> io::Result<()> {
    let of = |reason| findings.iter().filter(|finding| finding.verdict == Verdict::NotAssessed(reason)).count();
    let counts = [
        (of(Reason::RunTime), "step", " for the administrator"),
        (of(Reason::Informational), "value", " for information"),
        (conforming, "expectation", " met"),
    ];
    let counts = counts.into_iter().filter(|(number, ..)| *number > 0);
    let counts: Vec<String> = counts.map(|(number, noun, of)| count(number, noun) + of).collect();
    let more = if counts.is_empty() { String::new() } else { format!("{}, ", counts.join(", ")) };
    page.blank()?;
    page.paragraph(0, &format!("--all adds {more}hives, hashes and sources."), Ink::Dim)
}

/// Writes once, for many installations, what more can be shown of each.
pub(super) fn write_details_of_all(page: &mut Page<'_>) -> io::Result<()> {
    let text = "--all adds for each: steps for the administrator, values for information, expectations met, hives, \
                hashes and sources.";
    page.paragraph(0, text, Ink::Dim)
}

/// Writes a line for each hive and reason. Without details, only those that no gap reports.
pub(super) fn write_out_of_reach(page: &mut Page<'_>, findings: &[&Finding], all: bool) -> io::Result<()> {
    let lines = out_of_reach(findings, all);
    if !lines.is_empty() {
        page.blank()?;
    }
    lines.iter().try_for_each(|line| page.paragraph(0, line, Ink::Medium))
}

/// Returns what could not be assessed, a line for each hive and reason. Without details, only what no gap reports.
pub(crate) fn out_of_reach(findings: &[&Finding], all: bool) -> Vec<String> {
    let mut groups: Vec<(&'static str, Reason, usize)> = Vec::new();
    for finding in findings {
        let Some(reason @ (Reason::HiveMissing | Reason::OsUnknown | Reason::SetupPhase)) = finding.verdict.reason()
        else {
            continue;
        };
        if !all && reason != Reason::SetupPhase {
            continue;
        }
        let hive = finding.hive.map_or("no hive", |hive| hive.as_str());
        match groups.iter_mut().find(|(known, why, _)| (*known, *why) == (hive, reason)) {
            Some((_, _, number)) => *number = number.saturating_add(1),
            None => groups.push((hive, reason, 1)),
        }
    }
    let line = |(hive, reason, number): (&str, Reason, usize)| {
        let why = match reason {
            Reason::HiveMissing => "could not be assessed: the hive is missing",
            Reason::OsUnknown => {
                "could not be assessed: whether they hold depends on a fact about this Windows that is not known"
            }
            _ => "were not assessed: the setup of this Windows was not finished",
        };
        format!("{} of {hive} {why}.", count(number, "expectation"))
    };
    groups.into_iter().map(line).collect()
}

/// Writes the values that are shown but not judged.
fn write_information(page: &mut Page<'_>, findings: &[&Finding]) -> io::Result<()> {
    let of_interest = findings.iter().filter(|finding| finding.verdict == Verdict::NotAssessed(Reason::Informational));
    let (there, absent): (Vec<&Finding>, Vec<&Finding>) = of_interest.partition(|finding| finding.observed.is_some());
    if there.is_empty() && absent.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.paragraph(0, "For information", Ink::Strong)?;
    write_values(page, 2, &there, Ink::Plain)?;
    if !absent.is_empty() {
        let ids: Vec<String> = absent.iter().map(|finding| data::name(&finding.id)).collect();
        page.facts(2, "not set".len(), "not set", &ids, ", ")?;
    }
    Ok(())
}

/// Writes the steps that no hive can decide.
fn write_steps(page: &mut Page<'_>, findings: &[&Finding]) -> io::Result<()> {
    let mut steps =
        findings.iter().filter(|finding| finding.verdict == Verdict::NotAssessed(Reason::RunTime)).peekable();
    if steps.peek().is_none() {
        return Ok(());
    }
    page.blank()?;
    page.paragraph(0, "Left for the administrator", Ink::Strong)?;
    for (number, step) in (1_usize..).zip(steps) {
        let advice = step.advice.as_deref().unwrap_or(&step.why);
        page.labelled(2, 3, &format!("{number:>2}."), &data::prose(advice), Ink::Plain)?;
    }
    Ok(())
}
