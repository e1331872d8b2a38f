//! The last line: the result, and whether it is complete.

use std::collections::BTreeSet;
use std::io;

use super::page::{Ink, Page};
use super::{count, grades, word};
use crate::error::Code;
use crate::registry::Role;
use crate::report::{Report, Summary};

pub(super) fn write(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let (line, ink) = verdict(report);
    page.paragraph(0, &line, ink)
}

/// Returns the sentence without layout.
pub(crate) fn sentence(report: &Report) -> String {
    verdict(report).0
}

fn verdict(report: &Report) -> (String, Ink) {
    let summary = &report.summary;
    let judged = report.installations.iter().any(|installation| installation.judgement.is_some());
    let said = if judged { judgement(summary) } else { listing(report) };
    let reasons = reasons(report);
    if !summary.complete {
        let but = if judged && summary.counts.assessed == 0 { "for" } else { "but" };
        let but = match reasons.split_last() {
            None => String::new(),
            Some((last, [])) => format!(", {but} {last}"),
            Some((last, others)) => format!(", {but} {} and {last}", others.join(", ")),
        };
        (format!("INCOMPLETE: {said}{but}."), Ink::High)
    } else if judged {
        (format!("{}; complete.", capitalised(&said)), summary.counts.highest_severity.map_or(Ink::Good, Ink::from))
    } else {
        (format!("{said}."), Ink::Plain)
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// Returns a text such as `1 deviation (highest: medium) among 96 assessed expectations in 1 installation`.
fn judgement(summary: &Summary) -> String {
    let installations = count(summary.installations, "installation");
    if summary.counts.assessed == 0 {
        return format!("nothing assessed in {installations}");
    }
    let deviations = summary.counts.deviations();
    let number = if deviations == 0 { "no deviation".to_owned() } else { count(deviations, "deviation") };
    let highest =
        summary.counts.highest_severity.map_or_else(String::new, |highest| format!(" (highest: {})", word(&highest)));
    let among = count(summary.counts.assessed, "assessed expectation");
    format!("{number}{highest} among {among} ({}) in {installations}", grades(&summary.counts))
}

fn listing(report: &Report) -> String {
    let hives = report.installations.iter().map(|installation| installation.hives.len()).sum();
    format!("{} in {}", count(hives, "hive"), count(report.installations.len(), "installation"))
}

/// Returns the reasons why the report is incomplete, by kind.
fn reasons(report: &Report) -> Vec<String> {
    let gaps = &report.summary.gaps;
    let mut reasons: Vec<String> = Vec::new();
    let several = report.installations.len() > 1;
    let mut of_installations = |what: &str, number: usize| match (number, several) {
        (0, _) => {}
        (_, false) => reasons.push(what.to_owned()),
        (number, true) => reasons.push(format!("{what} in {}", count(number, "installation"))),
    };
    let number = |code: Code| gaps.iter().filter(|gap| gap.code == code).count();
    of_installations("there is no baseline for this Windows", number(Code::WindowsUnknown));
    of_installations("it is uncertain which Windows this is", number(Code::WindowsUncertain));
    of_installations("SOFTWARE and SYSTEM are not from the same machine", number(Code::HivesContradict));
    for role in [Role::Software, Role::System] {
        for (code, what) in
            [(Code::HiveMissing, "is missing"), (Code::HiveDirty, "is dirty"), (Code::HiveDamaged, "is damaged")]
        {
            let told = format!("{role} {what}");
            of_installations(&told, gaps.iter().filter(|gap| gap.code == code && gap.reason == told).count());
        }
    }
    let unknown = gaps.iter().filter(|gap| gap.code == Code::FactUnknown).map(|gap| gap.reason.clone());
    reasons.extend(unknown.collect::<BTreeSet<_>>());
    let told = [
        Code::WindowsUnknown,
        Code::WindowsUncertain,
        Code::HivesContradict,
        Code::HiveMissing,
        Code::HiveDirty,
        Code::HiveDamaged,
        Code::FactUnknown,
        Code::FindingUnreadable,
    ];
    let others = gaps.iter().filter(|gap| !told.contains(&gap.code)).count();
    for (number, what) in [(number(Code::FindingUnreadable), "unreadable value"), (others, "problem")] {
        match number {
            0 => {}
            1 => reasons.push(format!("there is 1 {what}")),
            _ => reasons.push(format!("there are {}", count(number, what))),
        }
    }
    reasons
}
