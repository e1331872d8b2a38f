//! The report for people: the answer for each installation, the deviations, worst first, what to do next, and a
//! verdict. Details of what was examined are written on request.
//!
//! Everything that comes from evidence goes through [`super::escape`] before it is written.

use std::io::{self, Write};

use serde::Serialize;

use super::{Counts, Gathered, Gathering, InstallationReport, Judgement, Report};
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Writes the report as tables after all records are known, because the worst comes first.
#[derive(Debug)]
pub struct Tables<W: Write> {
    writer: W,
    style: Style,
    situation: Situation,
    report: Gathered,
}

impl<W: Write> Tables<W> {
    /// Returns tables of which nothing is written yet.
    pub fn new(writer: W, style: Style, situation: Situation) -> Self {
        Self { writer, style, situation, report: Gathered::default() }
    }
}

impl<W: Write> Gathering for Tables<W> {
    fn gathered(&mut self) -> &mut Gathered {
        &mut self.report
    }

    fn write(&mut self, report: &Report) -> io::Result<()> {
        render_for(report, &self.style, &self.situation, &mut self.writer)
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
    let mut writer = io::BufWriter::new(writer);
    let mut page = Page::new(&mut writer, *style);
    let standings = fleet::standings(report);
    if report.installations.iter().any(|installation| installation.judgement.is_some()) {
        write_installations(&mut page, report, &standings, style.all)?;
    } else {
        listing::write(&mut page, &report.installations)?;
    }
    if style.all || standings.is_empty() {
        evidence::write(&mut page, report)?;
        write_shadow_copies(&mut page, report)?;
    }
    if !standings.is_empty() {
        gaps::write_of_none(&mut page, report, style.all)?;
    }
    write_problems(&mut page, report, style.all || standings.is_empty())?;
    if standings.len() > fleet::FEW {
        fleet::write(&mut page, &standings)?;
        if !style.all {
            open::write_details_of_all(&mut page)?;
        }
        page.blank()?;
    }
    if !standings.is_empty() {
        next::write(&mut page, report, &standings, situation)?;
    }
    verdict::write(&mut page, report)?;
    writer.flush()
}

/// Writes the installations: judged ones first, worst first. Of many, only those with something to report.
fn write_installations(page: &mut Page<'_>, report: &Report, standings: &[Standing<'_>], all: bool) -> io::Result<()> {
    let many = standings.len() > fleet::FEW;
    for standing in standings.iter().filter(|standing| all || !many || !standing.is_well()) {
        let Some(judgement) = &standing.installation.judgement else { continue };
        if all {
            heading::write(page, standing.installation)?;
            page.blank()?;
        } else {
            brief::write_head(page, standing.installation)?;
        }
        brief::write_answer(page, report, standing.installation, judgement)?;
        write_judgement(page, judgement, all, !many)?;
        page.blank()?;
    }
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
        of(|finding| !matches!(finding.verdict, Verdict::Conforms | Verdict::NotAssessed));
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
    let not_assessed: Vec<&Finding> = of(|finding| finding.verdict == Verdict::NotAssessed);
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
        assert_eq!(word(&Verdict::NotAssessed), "not-assessed");
    }
}
