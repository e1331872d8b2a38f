//! What was not judged: for information, left for the administrator, and out of reach.

use std::io;

use super::findings::write_values;
use super::page::{Ink, Page};
use super::{count, data};
use crate::finding::{Finding, Reason};

pub(super) fn write(page: &mut Page<'_>, findings: &[&Finding]) -> io::Result<()> {
    write_out_of_reach(page, findings)?;
    write_information(page, findings)?;
    write_steps(page, findings)
}

/// One line for each hive and reason.
fn write_out_of_reach(page: &mut Page<'_>, findings: &[&Finding]) -> io::Result<()> {
    let mut groups: Vec<(&'static str, Reason, usize)> = Vec::new();
    for finding in findings {
        let Some(reason @ (Reason::HiveMissing | Reason::OsUnknown | Reason::SetupPhase)) = finding.reason else {
            continue;
        };
        let hive = finding.hive.map_or("no hive", |hive| hive.as_str());
        match groups.iter_mut().find(|(known, why, _)| (*known, *why) == (hive, reason)) {
            Some((_, _, number)) => *number = number.saturating_add(1),
            None => groups.push((hive, reason, 1)),
        }
    }
    if !groups.is_empty() {
        page.blank()?;
    }
    for (hive, reason, number) in groups {
        let why = match reason {
            Reason::HiveMissing => "could not be assessed: the hive is missing",
            Reason::OsUnknown => {
                "could not be assessed: whether they hold depends on a fact about this Windows that is not known"
            }
            _ => "were not assessed: the setup of this Windows was not finished",
        };
        page.paragraph(0, &format!("{} of {hive} {why}.", count(number, "expectation")), Ink::Medium)?;
    }
    Ok(())
}

/// Values that are shown, and judged by nobody.
fn write_information(page: &mut Page<'_>, findings: &[&Finding]) -> io::Result<()> {
    let of_interest = findings.iter().filter(|finding| finding.reason == Some(Reason::Informational));
    let (there, absent): (Vec<&Finding>, Vec<&Finding>) = of_interest.partition(|finding| finding.observed.is_some());
    if there.is_empty() && absent.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.paragraph(0, "For information", Ink::Strong)?;
    write_values(page, 2, &there, Ink::Plain)?;
    if !absent.is_empty() {
        let ids: Vec<String> = absent.iter().map(|finding| data::name(&finding.id)).collect();
        page.facts(2, "not there".len(), "not there", &ids, ", ")?;
    }
    Ok(())
}

/// What no hive holds.
fn write_steps(page: &mut Page<'_>, findings: &[&Finding]) -> io::Result<()> {
    let mut steps = findings.iter().filter(|finding| finding.reason == Some(Reason::RunTime)).peekable();
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
