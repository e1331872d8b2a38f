//! Many installations with one line each, worst first, and their totals.

use std::cmp::Reverse;
use std::io;

use super::page::{GAP, Ink, Page};
use super::{count, data, gaps, grouped, word};
use crate::finding::{Finding, Severity};
use crate::report::{InstallationReport, Report};

/// If more installations than this were judged, the page ends with a table of them.
pub(crate) const FEW: usize = 3;

/// The width of `CRITICAL`.
const SEVERITY: usize = 8;
/// The width of `INCOMPLETE`.
const STATE: usize = 10;
/// The width of `Server 2008 R2`.
const WINDOWS: usize = 14;
/// The width of a NetBIOS name.
const COMPUTER: usize = 15;
/// The width of `findings`.
const FINDINGS: usize = 8;
/// If the page has fewer columns, the evidence is on a line of its own.
const ONE_LINE: usize = 76;

/// The result of an installation.
pub(crate) struct Standing<'r> {
    pub(crate) installation: &'r InstallationReport,
    /// The highest severity of its deviations.
    pub(crate) worst: Option<Severity>,
    /// The number of its causes.
    pub(crate) findings: usize,
    pub(crate) complete: bool,
}

impl<'r> Standing<'r> {
    fn of(report: &Report, installation: &'r InstallationReport) -> Option<Self> {
        let causes =
            || installation.judgement.iter().flat_map(|judgement| &judgement.findings).filter(|f| f.is_cause());
        installation.judgement.as_ref()?;
        Some(Self {
            installation,
            worst: causes().map(|finding: &Finding| finding.severity).max(),
            findings: causes().count(),
            complete: gaps::of(report, installation).is_empty(),
        })
    }

    /// Returns whether there is nothing to report.
    pub(super) fn is_well(&self) -> bool {
        self.findings == 0 && self.complete
    }
}

/// Returns the judged installations, worst first. Among equals, incomplete ones come first, then the report's order.
pub(crate) fn standings(report: &Report) -> Vec<Standing<'_>> {
    let mut standings: Vec<Standing<'_>> =
        report.installations.iter().filter_map(|installation| Standing::of(report, installation)).collect();
    standings.sort_by_key(|standing| (Reverse(standing.worst), standing.complete));
    standings
}

/// Writes the table and the totals.
pub(super) fn write(page: &mut Page<'_>, standings: &[Standing<'_>]) -> io::Result<()> {
    let columns = [SEVERITY, STATE, WINDOWS, COMPUTER, FINDINGS];
    let fixed = columns.into_iter().fold(0, |sum: usize, width| sum.saturating_add(width).saturating_add(GAP));
    let rest = page.width().saturating_sub(fixed);
    let wide = page.width() >= ONE_LINE;
    page.paragraph(0, "All installations, worst first", Ink::Strong)?;
    let head = |rest| {
        [
            (SEVERITY, "worst"),
            (STATE, "state"),
            (WINDOWS, "Windows"),
            (COMPUTER, "computer"),
            (FINDINGS, "findings"),
            (rest, "evidence"),
        ]
    };
    if wide {
        page.row(0, &head(rest), Ink::Plain)?;
        page.rule()?;
    }
    for standing in standings {
        write_line(page, standing, wide.then_some(rest))?;
    }
    page.blank()?;
    page.paragraph(0, &totals(standings), Ink::Strong)
}

fn write_line(page: &mut Page<'_>, standing: &Standing<'_>, rest: Option<usize>) -> io::Result<()> {
    let installation = standing.installation;
    let severity = standing.worst.map_or_else(|| "-".to_owned(), |worst| word(&worst).to_uppercase());
    let state = if standing.complete { "complete" } else { "INCOMPLETE" };
    let windows = installation.os.name.trim_start_matches("Windows ");
    let computer = data::name(installation.machine.computer_name.as_deref().unwrap_or("-"));
    let number = format!("{:>FINDINGS$}", grouped(standing.findings as u64));
    let ink = standing.worst.map_or(Ink::Plain, Ink::from);
    let evidence = data::name(without_windows_own_folders(&installation.evidence));
    let (windows, computer) = (cut_in_the_middle(windows, WINDOWS), cut_in_the_middle(&computer, COMPUTER));
    let Some(rest) = rest else {
        let rest = page.width().saturating_sub(SEVERITY).saturating_sub(GAP);
        page.row(0, &[(SEVERITY, &severity), (rest, &format!("{state}, {windows}, {computer}"))], ink)?;
        return page.paragraph(SEVERITY.saturating_add(GAP), &cut_in_the_middle(&evidence, rest), Ink::Dim);
    };
    let evidence = cut_in_the_middle(&evidence, rest);
    let cells = [
        (SEVERITY, severity.as_str()),
        (STATE, state),
        (WINDOWS, windows.as_str()),
        (COMPUTER, computer.as_str()),
        (FINDINGS, number.as_str()),
        (rest, evidence.as_str()),
    ];
    page.row(0, &cells, ink)
}

/// Returns the totals: `250 installations: 3 critical, 10 high, 237 without findings; 12 incomplete.`
pub(crate) fn totals(standings: &[Standing<'_>]) -> String {
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    let number = |worst| standings.iter().filter(|standing| standing.worst == worst).count();
    let mut parts: Vec<String> = severities
        .into_iter()
        .map(|severity| (number(Some(severity)), word(&severity)))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", grouped(number as u64)))
        .collect();
    match number(None) {
        0 => {}
        without => parts.push(format!("{} without findings", grouped(without as u64))),
    }
    let incomplete = standings.iter().filter(|standing| !standing.complete).count();
    let incomplete =
        if incomplete == 0 { "all complete".to_owned() } else { format!("{} incomplete", grouped(incomplete as u64)) };
    format!("{}: {}; {incomplete}.", count(standings.len(), "installation"), parts.join(", "))
}

/// Returns the evidence path without the folders that every Windows has. The part before them distinguishes
/// installations.
pub(crate) fn without_windows_own_folders(evidence: &str) -> &str {
    const OWN: &str = "/system32/config";
    let front = evidence.len().saturating_sub(OWN.len());
    match evidence.split_at_checked(front) {
        Some((front, own)) if !front.is_empty() && own.eq_ignore_ascii_case(OWN) => front,
        _ => evidence,
    }
}

/// Returns a text of at most `width` columns, cut in its middle. A character beyond ASCII counts as two columns.
fn cut_in_the_middle(text: &str, width: usize) -> String {
    let wide = |letter: char| if letter.is_ascii() { 1_usize } else { 2 };
    if text.chars().map(wide).fold(0, usize::saturating_add) <= width {
        return text.to_owned();
    }
    let half = width.saturating_sub(3);
    let take = |letters: &mut dyn Iterator<Item = char>, most: usize| {
        let mut used = 0_usize;
        let fits = |letter: &char| {
            used = used.saturating_add(wide(*letter));
            used <= most
        };
        letters.take_while(fits).collect::<Vec<char>>()
    };
    let start = take(&mut text.chars(), half / 2);
    let mut end = take(&mut text.chars().rev(), half.saturating_sub(half / 2));
    end.reverse();
    format!("{}...{}", start.into_iter().collect::<String>(), end.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_windows_has_is_left_out() {
        assert_eq!(without_windows_own_folders("pc1/WINDOWS/System32/config"), "pc1/WINDOWS");
        assert_eq!(without_windows_own_folders("case/hives"), "case/hives");
        assert_eq!(without_windows_own_folders("日本"), "日本");
    }

    #[test]
    fn the_middle_is_left_out() {
        assert_eq!(cut_in_the_middle("short", 8), "short");
        assert_eq!(cut_in_the_middle("case/machine/config", 11), "case...nfig");
        assert_eq!(cut_in_the_middle("日本語日本語", 11), "日本...本語");
    }
}
