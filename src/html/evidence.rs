//! The evidence: the result for each source, what was refused and why, shadow copies, and unjudged installations.

use askama::Template;

use super::text::Text;
use crate::report::table::heading::problem;
use crate::report::table::{brief, count, data, shadow_copy, source_line, why_not_judged};
use crate::report::{Report, SourceIntegrity, SourceOutcome, SourceReport};

/// The most lines of a list. JSON has all of them.
const MOST: usize = 1_000;

/// The part of the page.
#[derive(Template)]
#[template(path = "report/evidence.html")]
pub(super) struct EvidencePart {
    sentence: String,
    refused: Vec<Text>,
    problems: Vec<Text>,
    groups: Vec<Group>,
}

struct Group {
    title: &'static str,
    lines: Vec<Text>,
}

impl EvidencePart {
    pub(super) fn of(report: &Report) -> Self {
        let (sources, copies) = (&report.sources, &report.shadow_copies);
        let of = |wanted: fn(&SourceReport) -> bool| {
            let lines = sources.iter().filter(|source| wanted(source)).map(|source| Text::shown(source_line(source)));
            cut(lines.collect())
        };
        let listed = report.installations.iter().filter(|installation| installation.judgement.is_none());
        let listed = listed.map(|installation| {
            let (windows, lies) = (brief::windows_and_computer(installation), brief::where_it_lies(installation));
            Text::shown(format!("{windows}, {lies}: {}", why_not_judged(installation)))
        });
        let copies_of = |read: bool| {
            copies.iter().filter(move |copy| copy.read == read).map(|copy| Text::shown(shadow_copy(copy))).collect()
        };
        let groups = [
            Group { title: "Sources that were read", lines: of(|source| source.outcome == SourceOutcome::Read) },
            Group { title: "Irrelevant sources", lines: of(|source| source.outcome == SourceOutcome::Irrelevant) },
            Group { title: "Generations that were not judged", lines: cut(listed.collect()) },
            Group { title: "Shadow copies that were read", lines: cut(copies_of(true)) },
            Group { title: "Shadow copies that were not read", lines: cut(copies_of(false)) },
        ];
        Self {
            sentence: sentence(sources),
            refused: of(|source| {
                source.outcome == SourceOutcome::Refused || source.integrity == SourceIntegrity::Unverified
            }),
            problems: cut(report.problems.iter().map(|told| Text::shown(problem(told))).collect()),
            groups: groups.into_iter().filter(|group| !group.lines.is_empty()).collect(),
        }
    }
}

/// Returns the totals in a sentence:
/// `12 sources: 10 read, 1 refused, 1 irrelevant; of those read, 2 verified, 8 unprotected.`
fn sentence(sources: &[SourceReport]) -> String {
    let of = |wanted: &dyn Fn(&&SourceReport) -> bool| sources.iter().filter(wanted).count();
    let outcome = |outcome| of(&|source| source.outcome == outcome);
    let integrity = |integrity| of(&|source| source.outcome == SourceOutcome::Read && source.integrity == integrity);
    let told = |counts: &[(usize, &str)]| {
        let named = counts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}"));
        named.collect::<Vec<_>>().join(", ")
    };
    let outcomes = told(&[
        (outcome(SourceOutcome::Read), "read"),
        (outcome(SourceOutcome::Refused), "refused"),
        (outcome(SourceOutcome::Irrelevant), "irrelevant"),
    ]);
    let vouched = told(&[
        (integrity(SourceIntegrity::Verified), "verified by a checksum of the container"),
        (integrity(SourceIntegrity::Unprotected), "without any checksum"),
        (integrity(SourceIntegrity::Unverified), "whose checksum failed"),
    ]);
    if sources.is_empty() {
        return "The report lists no source.".to_owned();
    }
    let vouched = if vouched.is_empty() { String::new() } else { format!(" Of those that were read: {vouched}.") };
    format!("{}: {outcomes}.{vouched}", count(sources.len(), "source"))
}

fn cut(mut lines: Vec<Text>) -> Vec<Text> {
    if let Some(more @ 1..) = lines.len().checked_sub(MOST) {
        lines.truncate(MOST);
        lines.push(Text::shown(data::prose(&format!("and {more} more; the report as JSON lists each"))));
    }
    lines
}
