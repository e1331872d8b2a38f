//! The last line: how it stands, and whether that is all that could be said.

use std::io;

use super::page::{Ink, Page};
use super::{count, word};
use crate::discovery::Generation;
use crate::finding::{Finding, Reason, Verdict};
use crate::hive::State;
use crate::registry::Role;
use crate::report::{InstallationReport, Report, Summary};

pub(super) fn write(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let summary = &report.summary;
    let judged = report.installations.iter().any(|installation| installation.judgement.is_some());
    let said = if judged { judgement(summary) } else { listing(report) };
    let reasons = reasons(report);
    let (line, ink) = if !summary.complete {
        let but = if judged && summary.assessed == 0 { "for" } else { "but" };
        let but = match reasons.split_last() {
            None => String::new(),
            Some((last, [])) => format!(", {but} {last}"),
            Some((last, others)) => format!(", {but} {} and {last}", others.join(", ")),
        };
        (format!("INCOMPLETE: {said}{but}."), Ink::High)
    } else if judged {
        (format!("{}; complete.", capitalised(&said)), summary.highest_severity.map_or(Ink::Good, Ink::from))
    } else {
        (format!("{said}."), Ink::Plain)
    };
    page.paragraph(0, &line, ink)
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// `1 deviation (highest: medium) among 96 assessed expectations in 1 installation`
fn judgement(summary: &Summary) -> String {
    let installations = count(summary.installations, "installation");
    if summary.assessed == 0 {
        return format!("nothing assessed in {installations}");
    }
    let deviations = summary.deviates.saturating_add(summary.absent).saturating_add(summary.unexpected);
    let number = if deviations == 0 { "no deviation".to_owned() } else { count(deviations, "deviation") };
    let highest =
        summary.highest_severity.map_or_else(String::new, |highest| format!(" (highest: {})", word(&highest)));
    let among = count(summary.assessed, "assessed expectation");
    format!("{number}{highest} among {among} in {installations}")
}

fn listing(report: &Report) -> String {
    let hives = report.installations.iter().map(|installation| installation.hives.len()).sum();
    format!("{} in {}", count(hives, "hive"), count(report.installations.len(), "installation"))
}

/// What stands in the report that may have made it incomplete.
fn reasons(report: &Report) -> Vec<String> {
    let mut reasons = Vec::new();
    let judged = || report.installations.iter().filter(|installation| is_counted(installation));
    let mut of_installations = |what: &str, holds: &dyn Fn(&InstallationReport) -> bool| {
        let number = judged().filter(|installation| holds(installation)).count();
        match (number, report.installations.len()) {
            (0, _) => {}
            (_, 1) => reasons.push(what.to_owned()),
            _ => reasons.push(format!("{what} in {}", count(number, "installation"))),
        }
    };
    of_installations("there is no baseline for this Windows", &|installation| {
        installation.judgement.as_ref().is_some_and(|judgement| judgement.baseline.is_none())
    });
    for role in [Role::Software, Role::System] {
        of_installations(&format!("{role} is missing"), &|installation| {
            findings(installation)
                .any(|finding| finding.hive == Some(role) && finding.reason == Some(Reason::HiveMissing))
        });
        for (state, what) in [(State::Dirty, "is dirty"), (State::Damaged, "is damaged")] {
            of_installations(&format!("{role} {what}"), &|installation| {
                installation.hives.iter().any(|hive| hive.role == role && hive.integrity.state == state)
            });
        }
    }
    let number = |holds: fn(&Finding) -> bool| judged().flat_map(findings).filter(|finding| holds(finding)).count();
    let unreadable = number(|finding| finding.verdict == Verdict::Unreadable);
    let unknown = number(|finding| finding.reason == Some(Reason::OsUnknown));
    let problems = report.problems.len();
    for (number, what) in [
        (unreadable, "unreadable value"),
        (unknown, "expectation that depends on an unknown fact"),
        (problems, "problem"),
    ] {
        match (number, what) {
            (0, _) => {}
            (1, _) => reasons.push(format!("there is 1 {what}")),
            (_, "expectation that depends on an unknown fact") => {
                reasons.push(format!("there are {number} expectations that depend on an unknown fact"));
            }
            _ => reasons.push(format!("there are {}", count(number, what))),
        }
    }
    reasons
}

fn findings(installation: &InstallationReport) -> impl Iterator<Item = &Finding> {
    installation.judgement.iter().flat_map(|judgement| &judgement.findings)
}

/// Whether an installation has a say in whether the report is complete.
fn is_counted(installation: &InstallationReport) -> bool {
    installation.judgement.is_some() && matches!(installation.generation, Generation::Live | Generation::Copy)
}
