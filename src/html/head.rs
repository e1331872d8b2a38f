//! The head of the page: the case, the answer, the gaps, and for several installations one line each.

use askama::Template;

use super::installation::anchor;
use super::text::Text;
use crate::case_facts::{CaseFacts, Fact, StatedBy};
use crate::finding::Severity;
use crate::report::Report;
use crate::report::table::fleet::Standing;
use crate::report::table::{brief, count, data, fleet, gaps, grouped, verdict, word};

/// The part of the page.
#[derive(Template)]
#[template(path = "report/head.html")]
pub(super) struct HeadPart {
    title: Text,
    subtitle: Text,
    facts: Vec<ShownFact>,
    facts_missing: String,
    links: Vec<Link>,
    links_are_few: bool,
    answers: Vec<Answer>,
    answers_are_named: bool,
    /// The overall result, if there is not exactly one installation.
    overall: Option<String>,
    /// How many of the installations are incomplete.
    incomplete: String,
    not_examined: Vec<Text>,
    counts: Vec<Count>,
    counts_missing: bool,
    verdict: Text,
    totals: String,
    fleet: Vec<Line>,
}

pub(super) struct ShownFact {
    pub(super) label: &'static str,
    pub(super) text: Text,
    pub(super) from_image: bool,
    pub(super) wide: bool,
}

struct Link {
    anchor: String,
    text: Text,
}

struct Answer {
    class: String,
    name: Text,
    sentence: Text,
    completeness: Text,
    gaps: Vec<Text>,
}

struct Count {
    word: String,
    number: String,
    is_zero: bool,
}

/// A line of the table of installations.
struct Line {
    anchor: String,
    worst: Option<String>,
    no_worst: &'static str,
    complete: bool,
    windows: Text,
    computer: Text,
    findings: String,
    evidence: Text,
}

impl HeadPart {
    pub(super) fn of(report: &Report, standings: &[Standing<'_>], case: &CaseFacts) -> Self {
        let (title, subtitle) = title(report, standings);
        let (facts, facts_missing) = facts(case);
        let few = standings.len() <= fleet::FEW;
        let not_examined = gaps::of_none(report);
        let not_examined =
            not_examined.iter().map(|gap| Text::shown(format!("{}: {}", data::name(&gap.at), gaps::line(gap))));
        Self {
            title,
            subtitle,
            facts,
            facts_missing,
            links: (1_usize..).zip(standings).map(|(number, one)| link(number, one, standings.len())).collect(),
            links_are_few: few,
            answers: standings.iter().filter(|_| few).filter_map(|one| answer(one)).collect(),
            answers_are_named: standings.len() > 1,
            overall: (standings.len() != 1).then(|| overall(report)),
            incomplete: incomplete(standings),
            not_examined: not_examined.collect(),
            counts: counts(report, standings),
            counts_missing: !standings.is_empty() && report.summary.counts.assessed == 0,
            verdict: Text::shown(verdict::sentence(report)),
            totals: fleet::totals(standings),
            fleet: (1_usize..).zip(standings).filter(|_| !few).map(|(number, one)| line(number, one)).collect(),
        }
    }
}

fn title(report: &Report, standings: &[Standing<'_>]) -> (Text, Text) {
    match (standings, report.installations.as_slice()) {
        ([one], _) => {
            let installation = one.installation;
            let lies = Text::shown(brief::where_it_lies(installation));
            (Text::shown(brief::windows_and_computer(installation)), lies)
        }
        ([], []) => ("No Windows installation found".into(), Text::default()),
        ([], all) => (Text::from(format!("{}, none judged", count(all.len(), "installation"))), Text::default()),
        (many, _) => (Text::from(count(many.len(), "Windows installation")), Text::default()),
    }
}

/// Returns the stated facts, and the names of the facts that are not stated.
pub(super) fn facts(case: &CaseFacts) -> (Vec<ShownFact>, String) {
    let known: [(&'static str, &Option<Fact>, bool); 8] = [
        ("Case", &case.number, false),
        ("Exhibit", &case.exhibit, false),
        ("Examiner", &case.examiner, false),
        ("Agency", &case.agency, false),
        ("Image made", &case.acquired, false),
        ("Image made with", &case.acquired_with, false),
        ("Request", &case.request, true),
        ("Notes", &case.notes, true),
    ];
    let shown = known.iter().filter_map(|(label, fact, wide)| {
        let fact = fact.as_ref()?;
        let from_image = fact.stated_by == StatedBy::ImageHeader;
        Some(ShownFact { label, text: Text::name(&fact.text), from_image, wide: *wide })
    });
    let optional = ["Image made", "Image made with", "Notes"];
    let missing = known.iter().filter(|(label, fact, _)| fact.is_none() && !optional.contains(label));
    let missing: Vec<String> = missing.map(|(label, ..)| label.to_lowercase()).collect();
    (shown.collect(), missing.join(", "))
}

fn computer(standing: &Standing<'_>) -> Text {
    let name = standing.installation.machine.computer_name.as_deref();
    Text::shown(name.map_or_else(|| "not known".to_owned(), data::name))
}

fn link(number: usize, standing: &Standing<'_>, of: usize) -> Link {
    let text = if of == 1 { "Installation".into() } else { computer(standing) };
    Link { anchor: anchor(number), text }
}

fn is_complete(standing: &Standing<'_>) -> bool {
    standing.complete || !standing.installation.generation.is_current()
}

/// Returns the overall result: deviations found, none found, or unknown.
fn overall(report: &Report) -> String {
    class(report.summary.counts.highest_severity, report.summary.complete)
}

fn class(worst: Option<Severity>, complete: bool) -> String {
    match worst {
        Some(worst) => word(&worst),
        None if complete => "good".to_owned(),
        None => "gap".to_owned(),
    }
}

/// Returns a sentence on incomplete installations. Each installation lists its own gaps.
fn incomplete(standings: &[Standing<'_>]) -> String {
    let number = standings.iter().filter(|standing| !is_complete(standing)).count();
    if standings.len() <= fleet::FEW || number == 0 {
        return String::new();
    }
    let of = grouped(standings.len() as u64);
    format!("Incomplete: {} of {of} installations. What is missing is listed with each.", grouped(number as u64))
}

fn answer(standing: &Standing<'_>) -> Option<Answer> {
    let installation = standing.installation;
    let judgement = installation.judgement.as_ref()?;
    let complete = is_complete(standing);
    let gaps = &installation.gaps;
    let gaps = gaps.iter().filter(|_| !complete).map(|gap| Text::shown(gaps::line(gap)));
    let (windows, lies) = (brief::windows_and_computer(installation), brief::where_it_lies(installation));
    Some(Answer {
        class: class(standing.worst, complete),
        name: Text::shown(format!("{windows}, {lies}")),
        sentence: brief::answer(judgement).map(Text::shown).unwrap_or_default(),
        completeness: Text::shown(brief::completeness(installation, judgement, complete)),
        gaps: gaps.collect(),
    })
}

/// Returns the findings by severity over all installations; a dash if nothing was assessed.
fn counts(report: &Report, standings: &[Standing<'_>]) -> Vec<Count> {
    const SEVERITIES: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    if standings.is_empty() {
        return Vec::new();
    }
    let judgements = || standings.iter().filter_map(|standing| standing.installation.judgement.as_ref());
    let causes = |severity| {
        let findings = judgements().flat_map(|judgement| &judgement.findings);
        findings.filter(move |finding| finding.is_cause() && finding.severity == severity).count()
    };
    let nothing = report.summary.counts.assessed == 0;
    let shown = |severity: Severity| {
        let number = causes(severity);
        let text = if nothing && number == 0 { "–".to_owned() } else { grouped(number as u64) };
        Count { word: word(&severity), number: text, is_zero: number == 0 }
    };
    SEVERITIES.map(shown).into()
}

fn line(number: usize, standing: &Standing<'_>) -> Line {
    let installation = standing.installation;
    let assessed = installation.judgement.as_ref().is_some_and(|judgement| judgement.counts.assessed > 0);
    // A count that was not determined is not 0.
    let unknown = !assessed && standing.findings == 0;
    Line {
        anchor: anchor(number),
        worst: standing.worst.map(|worst| word(&worst)),
        no_worst: if unknown { "–" } else { "none" },
        complete: is_complete(standing),
        windows: Text::prose(installation.os.name.trim_start_matches("Windows ")),
        computer: computer(standing),
        findings: if unknown { "–".to_owned() } else { grouped(standing.findings as u64) },
        evidence: Text::name(fleet::without_windows_own_folders(&installation.evidence)),
    }
}
