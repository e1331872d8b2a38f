//! Many installations with one line each, worst first, and their totals.

use std::cmp::Reverse;
use std::io;

use super::page::{GAP, Ink, Page};
use super::{count, data, grouped, word};
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
    /// Its place in the report.
    pub(crate) place: usize,
    pub(crate) installation: &'r InstallationReport,
    /// The highest severity of its deviations.
    pub(crate) worst: Option<Severity>,
    /// The number of its causes.
    pub(crate) findings: usize,
    pub(crate) complete: bool,
}

impl<'r> Standing<'r> {
    pub(crate) fn of(place: usize, installation: &'r InstallationReport) -> Option<Self> {
        let causes =
            || installation.judgement.iter().flat_map(|judgement| &judgement.findings).filter(|f| f.is_cause());
        installation.judgement.as_ref()?;
        Some(Self {
            place,
            installation,
            worst: causes().map(|finding: &Finding| finding.severity).max(),
            findings: causes().count(),
            complete: installation.gaps.is_empty(),
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
        report.installations.iter().enumerate().filter_map(|(place, one)| Standing::of(place, one)).collect();
    standings.sort_by_key(|standing| (Reverse(standing.worst), standing.complete));
    standings
}

/// Writes the table and the totals.
pub(super) fn write(page: &mut Page<'_>, standings: &[Standing<'_>]) -> io::Result<()> {
    let lines: Vec<Line<'_>> = standings.iter().map(Line::of).collect();
    let shared = Shared::of(lines.iter().map(|line| line.evidence));
    page.paragraph(0, &format!("All installations, worst first{}", shared.pattern()), Ink::Strong)?;
    // Columns are as wide as their contents, so that the evidence gets the rest.
    let widest = |head: &str, most: usize, cell: &dyn Fn(&Line<'_>) -> usize| {
        lines.iter().map(cell).fold(head.len(), usize::max).min(most)
    };
    let windows = widest("Windows", WINDOWS, &|line| wide(&line.windows));
    let computer = widest("computer", COMPUTER, &|line| wide(&line.computer));
    let columns = [SEVERITY, STATE, windows, computer, FINDINGS];
    let fixed = columns.into_iter().fold(0, |sum: usize, width| sum.saturating_add(width).saturating_add(GAP));
    let rest = page.width().saturating_sub(fixed);
    if page.width() < ONE_LINE {
        lines.iter().try_for_each(|line| line.write_in_two(page, &shared))?;
    } else {
        let head = ["worst", "state", "Windows", "computer", "findings"];
        let mut head: Vec<(usize, &str)> = columns.into_iter().zip(head).collect();
        head.push((rest, "evidence"));
        page.row(0, &head, Ink::Plain)?;
        page.rule()?;
        lines.iter().try_for_each(|line| line.write(page, &shared, [windows, computer, rest]))?;
    }
    page.blank()?;
    page.paragraph(0, &totals(standings), Ink::Strong)
}

/// The contents of one line.
struct Line<'r> {
    severity: String,
    state: &'static str,
    windows: String,
    computer: String,
    findings: String,
    evidence: &'r str,
    ink: Ink,
}

impl<'r> Line<'r> {
    fn of(standing: &Standing<'r>) -> Self {
        let installation = standing.installation;
        Self {
            severity: standing.worst.map_or_else(|| "-".to_owned(), |worst| word(&worst).to_uppercase()),
            state: if standing.complete { "complete" } else { "INCOMPLETE" },
            windows: installation.os.name.trim_start_matches("Windows ").to_owned(),
            computer: data::name(installation.machine.computer_name.as_deref().unwrap_or("-")),
            findings: format!("{:>FINDINGS$}", grouped(standing.findings as u64)),
            evidence: without_windows_own_folders(&installation.evidence),
            ink: standing.worst.map_or(Ink::Plain, Ink::from),
        }
    }

    fn write(&self, page: &mut Page<'_>, shared: &Shared<'_>, widths: [usize; 3]) -> io::Result<()> {
        let [windows, computer, rest] = widths;
        let cells = [
            (SEVERITY, self.severity.as_str()),
            (STATE, self.state),
            (windows, &cut_in_the_middle(&self.windows, windows)),
            (computer, &cut_in_the_middle(&self.computer, computer)),
            (FINDINGS, &self.findings),
            (rest, &cut_in_the_middle(&data::name(shared.rest_of(self.evidence)), rest)),
        ];
        page.row(0, &cells, self.ink)
    }

    /// Writes the line for a narrow terminal: the evidence is below the rest.
    fn write_in_two(&self, page: &mut Page<'_>, shared: &Shared<'_>) -> io::Result<()> {
        let rest = page.width().saturating_sub(SEVERITY).saturating_sub(GAP);
        let facts = format!("{}, {}, {}", self.state, self.windows, self.computer);
        page.row(0, &[(SEVERITY, &self.severity), (rest, &cut_in_the_middle(&facts, rest))], self.ink)?;
        let evidence = data::name(shared.rest_of(self.evidence));
        page.paragraph(SEVERITY.saturating_add(GAP), &cut_in_the_middle(&evidence, rest), Ink::Dim)
    }
}

/// The folders at the start and end of all evidence paths, which distinguish nothing and are shown only once.
pub(crate) struct Shared<'r> {
    /// The start, including its last `/`.
    front: &'r str,
    /// The end, including its first `/`.
    back: &'r str,
}

impl<'r> Shared<'r> {
    pub(crate) fn of(mut evidences: impl Iterator<Item = &'r str>) -> Self {
        let first = evidences.next().unwrap_or_default();
        let mut front = first.rfind('/').and_then(|last| first.get(..=last)).unwrap_or_default();
        let mut back = first.find('/').and_then(|slash| first.get(slash..)).unwrap_or_default();
        let mut shortest = first.len();
        for evidence in evidences {
            shortest = shortest.min(evidence.len());
            while !evidence.starts_with(front) {
                let shorter = front.get(..front.len().saturating_sub(1)).unwrap_or_default();
                front = shorter.rfind('/').and_then(|last| front.get(..=last)).unwrap_or_default();
            }
            while !evidence.ends_with(back) {
                let shorter = back.get(1..).unwrap_or_default();
                back = shorter.find('/').and_then(|slash| shorter.get(slash..)).unwrap_or_default();
            }
        }
        // In a short path the two may overlap.
        if front.len().saturating_add(back.len()) >= shortest { Self { front, back: "" } } else { Self { front, back } }
    }

    /// Returns ` (evidence/*/Windows)`, or an empty text.
    pub(crate) fn pattern(&self) -> String {
        if self.front.is_empty() && self.back.is_empty() {
            return String::new();
        }
        format!(" ({}*{})", data::name(self.front), data::name(self.back))
    }

    /// Returns the part of a path that is not shared.
    pub(crate) fn rest_of<'e>(&self, evidence: &'e str) -> &'e str {
        let own = evidence.strip_prefix(self.front).and_then(|own| own.strip_suffix(self.back));
        own.unwrap_or(evidence)
    }
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

/// Returns the columns of a text.
fn wide(text: &str) -> usize {
    text.chars().map(columns_of).fold(0, usize::saturating_add)
}

/// Returns the columns of a character: two beyond ASCII, which is the most.
fn columns_of(letter: char) -> usize {
    if letter.is_ascii() { 1 } else { 2 }
}

/// Returns a text of at most `width` columns, cut in its middle.
pub(crate) fn cut_in_the_middle(text: &str, width: usize) -> String {
    if wide(text) <= width {
        return text.to_owned();
    }
    let half = width.saturating_sub(3);
    let take = |letters: &mut dyn Iterator<Item = char>, most: usize| {
        let mut used = 0_usize;
        let fits = |letter: &char| {
            used = used.saturating_add(columns_of(*letter));
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
    fn folders_that_all_lines_share_are_left_out() {
        let of = |evidences: &[&'static str]| {
            let shared = Shared::of(evidences.iter().copied());
            (shared.pattern(), evidences.iter().map(|one| shared.rest_of(one).to_owned()).collect::<Vec<_>>())
        };
        let (pattern, rests) = of(&["case/pc1/disk.E01!p2!Windows", "case/pc2/disk.E01!p2!Windows"]);
        assert_eq!((pattern.as_str(), rests.join(" ").as_str()), (" (case/*/disk.E01!p2!Windows)", "pc1 pc2"));
        let (pattern, rests) = of(&["a/b", "a/b/b"]);
        assert_eq!((pattern.as_str(), rests.join(" ").as_str()), (" (a/*)", "b b/b"));
        let (pattern, rests) = of(&["one", "two"]);
        assert_eq!((pattern.as_str(), rests.join(" ").as_str()), ("", "one two"));
        let (pattern, rests) = of(&["x/same", "x/same"]);
        assert_eq!((pattern.as_str(), rests.join(" ").as_str()), (" (x/*)", "same same"));
    }

    #[test]
    fn the_middle_is_left_out() {
        assert_eq!(cut_in_the_middle("short", 8), "short");
        assert_eq!(cut_in_the_middle("case/machine/config", 11), "case...nfig");
        assert_eq!(cut_in_the_middle("日本語日本語", 11), "日本...本語");
    }
}
