//! The report for people: the answer for each installation, the deviations, worst first, what to do next, and a
//! verdict. Details of what was examined are written on request.
//!
//! Everything that comes from evidence goes through [`super::escape`] before it is written.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::{Counts, Gathered, InstallationReport, Judgement, Renderer, Report, Run, SourceReport, Summary};
use crate::discovery::Generation;
use crate::error::Problem;
use crate::evidence::file::Snapshot;
use crate::finding::{Finding, Severity, Verdict};
use crate::registry::Role;

pub(crate) mod brief;
mod coverage;
pub(crate) mod data;
mod evidence;
pub(crate) mod findings;
pub(crate) mod fleet;
pub(crate) mod gaps;
pub(crate) mod heading;
mod ink;
mod keys;
mod listing;
mod next;
pub(crate) mod open;
pub(crate) mod page;
mod places;
mod shell;
mod short_findings;
pub(crate) mod verdict;
mod wrap;

pub use evidence::{is_listed, source_line};
use fleet::Standing;
pub(crate) use keys::KeyPage;
pub use next::{Patching, Situation};
use page::{Ink, Page};
pub use shell::{quoted, quoted_path};

/// The most unjudged installations that are listed. The others are counted.
const MOST_LISTED: usize = 5;

/// The style of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// The width of the terminal in columns; 120 without a terminal. Below 40, the layout is that for 40.
    pub width: Option<u16>,
    /// Colours by severity. The words state the same.
    pub color: bool,
    /// Only ASCII, for a terminal that supports nothing else. Other characters in the evidence are escaped.
    pub ascii: bool,
    /// Also write the details: hives and logs, sources, values that are not judged, and findings that conform, if the
    /// report contains them.
    pub all: bool,
}

/// Returns the width of the terminal that stdout is connected to, if it is one.
pub fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

/// The report as tables. Each judged installation is written as soon as it is received. The end has a table of all, worst
/// first, what to do next, and the result.
#[derive(Debug)]
pub struct Tables<W: Write> {
    writer: io::BufWriter<W>,
    style: Style,
    situation: Situation,
    /// What the end is made of: of a judged installation only a line.
    report: Gathered,
    /// The judged installations so far.
    judged: usize,
}

impl<W: Write> Tables<W> {
    /// Returns tables of which nothing is written yet.
    pub fn new(writer: W, style: Style, situation: Situation) -> Self {
        Self { writer: io::BufWriter::new(writer), style, situation, report: Gathered::default(), judged: 0 }
    }

    /// Takes the result of patching an installation.
    pub fn patching(&mut self, installation: &str, patching: Patching) {
        self.situation.patches.insert(installation.to_owned(), patching);
    }
}

impl<W: Write> Renderer for Tables<W> {
    fn run(&mut self, run: &Run) -> io::Result<()> {
        self.report.run(run);
        Ok(())
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        let Some(standing) = Standing::of(self.judged, installation) else {
            self.report.installation(installation.clone());
            return Ok(());
        };
        let few = self.judged < fleet::FEW;
        self.judged = self.judged.saturating_add(1);
        // Of many installations, only the first few have a block even if there is nothing to report.
        if self.style.all || few || !standing.is_well() {
            let mut page = Page::new(&mut self.writer, self.style);
            write_installation(&mut page, installation, self.style.all, few)?;
            self.writer.flush()?;
        }
        self.report.installation(installation.line());
        Ok(())
    }

    fn shadow_copy(&mut self, shadow_copy: &Snapshot) -> io::Result<()> {
        self.report.shadow_copy(shadow_copy);
        Ok(())
    }

    fn source(&mut self, source: &SourceReport) -> io::Result<()> {
        if self.style.all || self.judged == 0 {
            self.report.source(source);
        }
        Ok(())
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        self.report.problem(problem);
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        let report = std::mem::take(&mut self.report).close(summary)?;
        let mut page = Page::new(&mut self.writer, self.style);
        write_end(&mut page, &report, self.style.all, &self.situation)?;
        self.writer.flush()
    }
}

/// Writes the report as tables. If no installation was judged (`find`), writes the installations and their hives.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(report: &Report, style: &Style, writer: &mut impl Write) -> io::Result<()> {
    render_for(report, style, &Situation::default(), writer)
}

/// Writes the report as tables, with the commands that fit the situation.
///
/// # Errors
/// Returns the error of the writer.
pub fn render_for(report: &Report, style: &Style, situation: &Situation, writer: &mut impl Write) -> io::Result<()> {
    report.render(&mut Tables::new(writer, *style, situation.clone()))
}

/// Writes one judged installation; with `counts`, also how many details it has.
fn write_installation(
    page: &mut Page<'_>,
    installation: &InstallationReport,
    all: bool,
    counts: bool,
) -> io::Result<()> {
    let Some(judgement) = &installation.judgement else { return Ok(()) };
    if all {
        heading::write(page, installation)?;
        page.blank()?;
    } else {
        brief::write_head(page, installation)?;
    }
    brief::write_answer(page, installation, judgement)?;
    write_judgement(page, judgement, all, counts)?;
    page.blank()
}

/// Writes everything after the judged installations.
fn write_end(page: &mut Page<'_>, report: &Report, all: bool, situation: &Situation) -> io::Result<()> {
    let standings = fleet::standings(report);
    if standings.is_empty() {
        listing::write(page, &report.installations)?;
    } else {
        write_listed(page, report, all)?;
    }
    if all || standings.is_empty() {
        evidence::write(page, report)?;
        write_shadow_copies(page, report)?;
    }
    if !standings.is_empty() {
        gaps::write_of_none(page, report, all)?;
    }
    write_problems(page, report, all || standings.is_empty())?;
    if standings.len() > fleet::FEW {
        fleet::write(page, &standings)?;
        if !all {
            open::write_details_of_all(page)?;
        }
        page.blank()?;
    }
    if !standings.is_empty() {
        next::write(page, report, &standings, situation)?;
    }
    verdict::write(page, report)
}

/// Writes the installations that were not judged.
fn write_listed(page: &mut Page<'_>, report: &Report, all: bool) -> io::Result<()> {
    let listed = report.installations.iter().filter(|installation| installation.judgement.is_none());
    let listed: Vec<&InstallationReport> = listed.collect();
    if listed.is_empty() {
        return Ok(());
    }
    if all {
        for installation in listed {
            heading::write(page, installation)?;
            page.paragraph(2, &not_judged(installation), Ink::Dim)?;
            page.blank()?;
        }
        return Ok(());
    }
    page.paragraph(0, "Listed, not judged", Ink::Strong)?;
    for installation in listed.iter().take(MOST_LISTED) {
        page.labelled(
            2,
            1,
            "-",
            &format!("{}: {}", data::name(&installation.evidence), why_not_judged(installation)),
            Ink::Dim,
        )?;
    }
    if let Some(more @ 1..) = listed.len().checked_sub(MOST_LISTED) {
        page.labelled(2, 1, "-", &format!("and {} more (--all)", grouped(more as u64)), Ink::Dim)?;
    }
    page.blank()
}

fn write_judgement(page: &mut Page<'_>, judgement: &Judgement, all: bool, counts: bool) -> io::Result<()> {
    let of = |wanted: fn(&Finding) -> bool| judgement.findings.iter().filter(|finding| wanted(finding)).collect();
    let mut deviating: Vec<&Finding> =
        of(|finding| !matches!(finding.verdict, Verdict::Conforms | Verdict::NotAssessed(_)));
    let folded = findings::Folded::take_from(&mut deviating);
    deviating.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.is_deviation())));
    if !deviating.is_empty() {
        page.blank()?;
        if all {
            findings::write(page, &deviating, &folded)?;
        } else {
            short_findings::write(page, &deviating, &folded)?;
        }
    }
    let not_assessed: Vec<&Finding> = of(|finding| finding.verdict.reason().is_some());
    open::write_out_of_reach(page, &not_assessed, all)?;
    if !all {
        return if counts { open::write_counts(page, &not_assessed, judgement.counts.conforms) } else { Ok(()) };
    }
    open::write_details(page, &not_assessed)?;
    let conforming: Vec<&Finding> = of(|finding| finding.verdict == Verdict::Conforms);
    if !conforming.is_empty() {
        page.blank()?;
        page.paragraph(0, "As it should be", Ink::Strong)?;
        page.blank()?;
        findings::write_values(page, 0, &conforming, Ink::Plain)?;
    }
    Ok(())
}

fn write_shadow_copies(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.shadow_copies.is_empty() {
        return Ok(());
    }
    page.paragraph(0, "Shadow copies", Ink::Strong)?;
    for copy in &report.shadow_copies {
        page.labelled(2, 1, "-", &shadow_copy(copy), if copy.read { Ink::Plain } else { Ink::Dim })?;
    }
    page.blank()
}

/// Writes the problems. Without details, only those that no gap already reports.
fn write_problems(page: &mut Page<'_>, report: &Report, all: bool) -> io::Result<()> {
    let problems: Vec<&Problem> =
        report.problems.iter().filter(|problem| all || !gaps::is_told(report, problem)).collect();
    if problems.is_empty() {
        return Ok(());
    }
    page.paragraph(0, "Problems", Ink::Strong)?;
    for problem in problems {
        page.labelled(2, 1, "-", &heading::problem(problem), Ink::Plain)?;
    }
    page.blank()
}

/// Returns a line such as `disk.E01!p2!vss1: of 2012-07-20T10:11:12Z, not read (read with --generations all)`.
pub(crate) fn shadow_copy(copy: &Snapshot) -> String {
    let created = copy.created.map_or_else(String::new, |created| format!("of {created}, "));
    let deleted = if copy.deleted { "deleted by Windows, " } else { "" };
    let state = match &copy.problem {
        None if copy.read => "read".to_owned(),
        None => "not read (read with --generations all)".to_owned(),
        Some(why) => {
            format!("{}; {}", if copy.read { "read" } else { "not read" }, heading::problem(why))
        }
    };
    format!("{}: {created}{deleted}{state}", data::prose(&copy.path))
}

fn not_judged(installation: &InstallationReport) -> String {
    format!("Listed, not judged: {}.", why_not_judged(installation))
}

pub(crate) fn why_not_judged(installation: &InstallationReport) -> String {
    let audited = |hive: &super::HiveReport| matches!(hive.role, Role::Software | Role::System);
    if !installation.hives.iter().any(audited) {
        "neither SOFTWARE nor SYSTEM is among its hives".to_owned()
    } else if installation.generation == Generation::Setup {
        "setup leaves these hives behind (.sav), and no Windows runs with them".to_owned()
    } else {
        format!("it is an older generation ({}); judge it with --generations all", word(&installation.generation))
    }
}

/// Returns the word for a value in the report's JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Returns a number and its noun: `1 deviation`, `2 deviations`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// Returns the grades of the judged expectations: `40 confirmed, 2 single-source`.
fn grades(counts: &Counts) -> String {
    let grades = &counts.grades;
    let counts =
        [(grades.confirmed, "confirmed"), (grades.single_source, "single-source"), (grades.inferred, "inferred")];
    let named = counts.into_iter().filter(|(number, _)| *number > 0);
    named.map(|(number, grade)| format!("{} {grade}", grouped(number as u64))).collect::<Vec<_>>().join(", ")
}

/// Returns a number in groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len().saturating_mul(2));
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl From<Severity> for Ink {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::High => Self::High,
            Severity::Medium => Self::Medium,
            Severity::Low => Self::Low,
            Severity::Info => Self::Dim,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 11_796_480].map(grouped), ["0", "999", "1,000", "11,796,480"]);
        assert_eq!(count(1, "deviation"), "1 deviation");
        assert_eq!(count(1200, "deviation"), "1,200 deviations");
    }

    #[test]
    fn words_are_those_of_the_json() {
        assert_eq!(word(&crate::finding::VerdictKind::NotAssessed), "not-assessed");
    }
}
