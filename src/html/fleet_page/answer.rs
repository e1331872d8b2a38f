//! The head of the page: how many machines, how many of them deviate, and what is missing.

use std::collections::BTreeMap;

use askama::Template;

use super::super::head::ShownFact;
use super::super::text::Text;
use super::machines::Standings;
use crate::finding::Severity;
use crate::fleet::{Completeness, Fleet};
use crate::report::table::{count, grouped, word};

/// The most sentences on files and lines that are not whole, in the head. The section on files has all.
const MOST_TOLD: usize = 6;

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/head.html")]
pub(super) struct HeadPart {
    title: Text,
    subtitle: Text,
    facts: Vec<ShownFact>,
    facts_missing: String,
    class: String,
    sentence: String,
    completeness: String,
    not_whole: Vec<Text>,
    doubles: Vec<Text>,
    counts: Vec<Count>,
}

struct Count {
    word: String,
    /// What the chip does not say.
    text: &'static str,
    number: String,
    is_zero: bool,
}

impl HeadPart {
    pub(super) fn of(fleet: &Fleet, standings: &Standings, facts: (Vec<ShownFact>, String)) -> Self {
        let number = standings.lines.len();
        let of = |wanted: Completeness| standings.lines.iter().filter(|line| line.completeness == wanted).count();
        let incomplete = number.saturating_sub(of(Completeness::Complete));
        let mut by_worst: BTreeMap<Option<Severity>, usize> = BTreeMap::new();
        for line in standings.lines.iter().filter(|line| line.worst.is_some() || line.is_well()) {
            let counter = by_worst.entry(line.worst).or_default();
            *counter = counter.saturating_add(1);
        }
        let worst = by_worst.keys().max().copied().flatten();
        let class = match worst {
            Some(worst) => word(&worst),
            None if incomplete == 0 && number > 0 && fleet.is_whole() => "good".to_owned(),
            None => "gap".to_owned(),
        };
        let files = count(fleet.files.len(), "file");
        Self {
            title: Text::from(count(number, "machine")),
            subtitle: Text::from(format!("by the lines of {} in {files}", count(fleet.runs.len(), "run"))),
            facts: facts.0,
            facts_missing: facts.1,
            class,
            sentence: sentence(standings),
            completeness: completeness(
                of(Completeness::Complete),
                of(Completeness::Incomplete),
                of(Completeness::NoAnswer),
            ),
            not_whole: not_whole(fleet),
            doubles: doubles(fleet),
            counts: counts(&by_worst, standings),
        }
    }
}

/// Returns how many machines deviate.
fn sentence(standings: &Standings) -> String {
    let number = standings.lines.len();
    let deviating = standings.lines.iter().filter(|line| line.worst.is_some()).count();
    match (deviating, number) {
        (_, 0) => "No machine is in the lines.".to_owned(),
        (0, _) => format!("No deviation was found on {}.", count(number, "machine")),
        (1, _) => format!("1 of {} deviates from what its Windows should have.", count(number, "machine")),
        _ => format!(
            "{} of {} deviate from what their Windows should have.",
            grouped(deviating as u64),
            count(number, "machine")
        ),
    }
}

/// Returns how completely the machines were judged.
fn completeness(complete: usize, incomplete: usize, none: usize) -> String {
    if incomplete == 0 && none == 0 {
        return if complete == 0 { String::new() } else { "Every machine was judged completely.".to_owned() };
    }
    let parts = [(complete, "completely"), (incomplete, "incompletely"), (none, "not at all")];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, how)| format!("{} {how}", grouped(*number as u64))).collect();
    format!("Judged: {}.", parts.join(", "))
}

fn not_whole(fleet: &Fleet) -> Vec<Text> {
    let mut told: Vec<Text> = fleet.what_is_missing().iter().map(|remark| Text::prose(remark)).collect();
    let more = told.len().saturating_sub(MOST_TOLD);
    if more > 1 {
        told.truncate(MOST_TOLD);
        told.push(Text::from(format!("{} more: see Files", grouped(more as u64))));
    }
    told
}

fn doubles(fleet: &Fleet) -> Vec<Text> {
    let mut told = Vec::new();
    let differ = fleet.doubles.iter().filter(|double| !double.agrees).count();
    if !fleet.doubles.is_empty() {
        let number = count(fleet.doubles.len(), "record");
        let differ = match differ {
            0 => "All of these records agree.".to_owned(),
            1 => "1 record says something else than the one that counts.".to_owned(),
            _ => format!("{} records say something else than the one that counts.", grouped(differ as u64)),
        };
        told.push(Text::from(format!(
            "{number} of machines that are in the lines already. Each machine counts once. {differ}"
        )));
    }
    let alike: usize =
        fleet.lookalikes.iter().map(|one| one.machines.len()).fold(0, |sum: usize, more| sum.saturating_add(more));
    if alike > 0 {
        told.push(Text::from(format!(
            "{} may not all be different machines: same names, or same bytes. Each is counted.",
            count(alike, "machine")
        )));
    }
    told
}

/// Returns the number of machines by worst severity, those without findings, and those without an answer.
fn counts(by_worst: &BTreeMap<Option<Severity>, usize>, standings: &Standings) -> Vec<Count> {
    const SEVERITIES: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    let shown =
        |word: String, text, number: usize| Count { word, text, number: grouped(number as u64), is_zero: number == 0 };
    let of = |worst: Option<Severity>| by_worst.get(&worst).copied().unwrap_or_default();
    let unclear = standings.lines.iter().filter(|line| line.worst.is_none() && !line.is_well()).count();
    let severities = SEVERITIES.into_iter().map(|severity| shown(word(&severity), "", of(Some(severity))));
    severities
        .chain([shown("good".to_owned(), "", of(None)), shown("gap".to_owned(), "without finding", unclear)])
        .collect()
}
