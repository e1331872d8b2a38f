//! The report for people: what was looked at, what is not as it should be, what was left open, and a verdict.
//!
//! Everything that comes from evidence goes through [`super::escape`] before it is written.

use std::io::{self, Write};

use serde::Serialize;

use super::{InstallationReport, Judgement, Report};
use crate::discovery::Generation;
use crate::evidence::file::Snapshot;
use crate::finding::{Finding, Severity, Verdict};
use crate::registry::Role;

mod coverage;
pub(crate) mod data;
mod evidence;
mod findings;
mod heading;
mod keys;
mod listing;
mod open;
pub(crate) mod page;
mod places;
mod verdict;
mod wrap;

pub(crate) use keys::KeyPage;
use page::{Ink, Page};

/// How the table is to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; 120 where there is none. Below 40 it is laid out for 40.
    pub width: Option<u16>,
    /// Colours, by severity.
    pub color: bool,
    /// List what conforms, too, as far as the report holds it.
    pub all: bool,
}

/// The columns of the terminal that stdout is, where it is one.
pub fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

/// Writes the report as tables. Where no installation was judged (`find`), the installations and their hives.
///
/// # Errors
/// What the writer says.
pub fn render(report: &Report, style: &Style, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = io::BufWriter::new(writer);
    let mut page = Page::new(&mut writer, *style);
    if report.installations.iter().any(|installation| installation.judgement.is_some()) {
        for installation in &report.installations {
            heading::write(&mut page, installation)?;
            match &installation.judgement {
                Some(judgement) => write_judgement(&mut page, judgement, *style)?,
                None => page.paragraph(2, &not_judged(installation), Ink::Dim)?,
            }
            page.blank()?;
        }
    } else {
        listing::write(&mut page, &report.installations)?;
    }
    evidence::write(&mut page, report)?;
    if !report.shadow_copies.is_empty() {
        page.paragraph(0, "Shadow copies", Ink::Strong)?;
        for copy in &report.shadow_copies {
            page.labelled(2, 1, "-", &shadow_copy(copy), if copy.read { Ink::Plain } else { Ink::Dim })?;
        }
        page.blank()?;
    }
    if !report.problems.is_empty() {
        page.paragraph(0, "Problems", Ink::Strong)?;
        for problem in &report.problems {
            page.labelled(2, 1, "-", &heading::problem(problem), Ink::Plain)?;
        }
        page.blank()?;
    }
    verdict::write(&mut page, report)?;
    writer.flush()
}

fn write_judgement(page: &mut Page<'_>, judgement: &Judgement, style: Style) -> io::Result<()> {
    let of = |wanted: fn(&Finding) -> bool| judgement.findings.iter().filter(|finding| wanted(finding)).collect();
    let deviating: Vec<&Finding> = of(|finding| !matches!(finding.verdict, Verdict::Conforms | Verdict::NotAssessed));
    if !deviating.is_empty() {
        page.blank()?;
        findings::write(page, &deviating)?;
    }
    let not_assessed: Vec<&Finding> = of(|finding| finding.verdict == Verdict::NotAssessed);
    open::write(page, &not_assessed)?;
    let conforming: Vec<&Finding> = of(|finding| finding.verdict == Verdict::Conforms);
    if style.all && !conforming.is_empty() {
        page.blank()?;
        page.paragraph(0, "As it should be", Ink::Strong)?;
        page.blank()?;
        findings::write_values(page, 0, &conforming, Ink::Good)?;
    }
    Ok(())
}

/// `disk.E01!p2!vss1: of 2012-07-20T10:11:12Z, not read (read with --generations all)`
fn shadow_copy(copy: &Snapshot) -> String {
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
    let audited = |hive: &super::HiveReport| matches!(hive.role, Role::Software | Role::System);
    let why = if !installation.hives.iter().any(audited) {
        "neither SOFTWARE nor SYSTEM is among its hives".to_owned()
    } else if installation.generation == Generation::Setup {
        "setup leaves these hives behind (.sav), and no Windows runs with them".to_owned()
    } else {
        format!("it is an older generation ({}); judge it with --generations all", word(&installation.generation))
    };
    format!("Listed, not judged: {why}.")
}

/// The word that the report's JSON has for it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A number and its noun: `1 deviation`, `2 deviations`.
fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
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
