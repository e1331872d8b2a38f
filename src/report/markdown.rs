//! The report as Markdown, for tickets, wikis, and chats: the answer, the findings of each installation, the gaps.
//!
//! Text from evidence is inert. Data are in code spans, and sentences contain no markup, links, or mentions.

use std::io::{self, BufWriter, Write};

use super::table::{brief, data, fleet, gaps, verdict, word};
use super::{Aside, Gathered, Gathering, InstallationReport, Judgement, Report};
use crate::finding::{Finding, Remediation, Severity};

/// Writes the report as one page. The answer stands first, so the page is written after the last record.
#[derive(Debug)]
pub struct Page<W: Write> {
    writer: BufWriter<W>,
    report: Gathered,
    aside: Aside,
}

impl<W: Write> Page<W> {
    /// Returns a page of which nothing is written yet.
    pub fn new(writer: W) -> Self {
        Self { writer: BufWriter::new(writer), report: Gathered::default(), aside: Aside::default() }
    }
}

impl<W: Write> Gathering for Page<W> {
    fn gathered(&mut self) -> (&mut Gathered, &mut Aside) {
        (&mut self.report, &mut self.aside)
    }

    fn write(&mut self, report: &Report) -> io::Result<()> {
        let out = &mut self.writer;
        writeln!(out, "# Windows registry report\n\n**{}**", prose(&verdict::sentence(report)))?;
        let standings = fleet::standings(report);
        if standings.len() > fleet::FEW {
            write_fleet(out, &standings)?;
        }
        for standing in &standings {
            let installation = self.aside.installation(standing.place)?;
            if let Some(judgement) = &installation.judgement {
                write_installation(out, &installation, judgement)?;
            }
        }
        let others: Vec<&InstallationReport> =
            report.installations.iter().filter(|installation| installation.judgement.is_none()).collect();
        if !others.is_empty() {
            writeln!(out, "\n## Not judged\n")?;
            for installation in others {
                let title = prose(&brief::windows_and_computer(installation));
                writeln!(out, "- {} ({}): {title}", code(&installation.evidence), installation.generation)?;
            }
        }
        let missing = gaps::of_none(report);
        if !missing.is_empty() {
            writeln!(out, "\n## Not examined\n")?;
            for gap in missing {
                writeln!(out, "- {}: {}", code(&gap.at), prose(&gaps::line(gap)))?;
            }
        }
        let tool = &report.tool;
        writeln!(out, "\nMade by {} {}.", prose(&tool.name), prose(&tool.version))?;
        out.flush()
    }
}

fn write_fleet(out: &mut impl Write, standings: &[fleet::Standing<'_>]) -> io::Result<()> {
    writeln!(out, "\n| worst | state | Windows | computer | findings | evidence |")?;
    writeln!(out, "| --- | --- | --- | --- | ---: | --- |")?;
    for standing in standings {
        let installation = standing.installation;
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            standing.worst.map_or_else(|| "-".to_owned(), |worst| word(&worst)),
            if standing.complete { "complete" } else { "**incomplete**" },
            prose(&installation.os.name),
            in_cell(installation.machine.computer_name.as_deref().unwrap_or("-")),
            standing.findings,
            in_cell(&installation.evidence),
        )?;
    }
    Ok(())
}

fn write_installation(
    out: &mut impl Write,
    installation: &InstallationReport,
    judgement: &Judgement,
) -> io::Result<()> {
    writeln!(out, "\n## {}\n", prose(&brief::windows_and_computer(installation)))?;
    writeln!(out, "{} ({})\n", code(&installation.evidence), installation.generation)?;
    if let Some(answer) = brief::answer(judgement) {
        writeln!(out, "**{}**\n", prose(&answer))?;
    }
    let missing = &installation.gaps;
    writeln!(out, "{}", prose(&brief::completeness(installation, judgement, missing.is_empty())))?;
    if !missing.is_empty() {
        writeln!(out)?;
        for gap in missing {
            writeln!(out, "- {}", prose(&gaps::line(gap)))?;
        }
    }
    let mut findings: Vec<&Finding> = judgement.findings.iter().filter(|finding| is_of_interest(finding)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for (number, finding) in findings.into_iter().enumerate() {
        write_finding(out, number.saturating_add(1), installation, finding)?;
    }
    Ok(())
}

/// Returns whether a finding deviates or could not be read. The owner's choices are only in the other formats.
fn is_of_interest(finding: &Finding) -> bool {
    (finding.is_deviation() && finding.severity > Severity::Info) || finding.is_gap()
}

fn write_finding(
    out: &mut impl Write,
    number: usize,
    installation: &InstallationReport,
    finding: &Finding,
) -> io::Result<()> {
    let severity = word(&finding.severity).to_uppercase();
    writeln!(out, "\n### {number}. {severity}: {} {}\n", code(&finding.id), finding.verdict.kind().as_str())?;
    if let Some(key) = finding.full_key() {
        writeln!(out, "- Key: {}", code(&key))?;
    }
    if let Some(value) = &finding.value {
        writeln!(out, "- Value: {}", code(value))?;
    }
    writeln!(out, "- Expected: {}", span(&data::expected(finding)))?;
    writeln!(out, "- Observed: {}", span(&data::observed(finding)))?;
    if let Some(time) = finding.key_date() {
        writeln!(out, "- Key last written: {} (values have no time of their own)", code(&time.to_string()))?;
    }
    if let Some(note) = &finding.key_last_written_note {
        writeln!(out, "- Note: {}", prose(&data::prose(note)))?;
    }
    writeln!(out, "- Why: {}", prose(&data::prose(&finding.why)))?;
    let url = finding.source.url.as_ref().map(|url| format!(", {}", code(url))).unwrap_or_default();
    writeln!(out, "- Source: {}{url}; grade: {}", prose(&finding.source.title), word(&finding.grade))?;
    if !finding.attack.is_empty() {
        writeln!(out, "- ATT&CK: {}", prose(&finding.attack.join(", ")))?;
    }
    match &finding.remediation {
        None => {}
        Some(Remediation::DeleteValue) => writeln!(out, "- Edit: delete the value")?,
        Some(Remediation::Set { datum, .. }) => {
            writeln!(out, "- Edit: set {} {}", datum.data_type, code(&datum.to_text()))?;
        }
    }
    if let Some(hive) = installation.hive_of(finding) {
        write!(out, "- Hive: {}", code(&hive.path))?;
        hive.sums().try_for_each(|(algorithm, sum)| write!(out, ", {algorithm} {}", code(sum)))?;
        writeln!(out)?;
    }
    Ok(())
}

/// Returns data as a code span.
fn code(text: &str) -> String {
    span(&data::prose(text))
}

/// Returns text as a code span, with a fence that is longer than any in the text (CommonMark, section 6.1). A span
/// contains no markup, links, or mentions.
fn span(text: &str) -> String {
    let text = text.replace('\n', " ");
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let mut longest = 0;
    let mut run = 0_usize;
    for letter in text.chars() {
        run = if letter == '`' { run.saturating_add(1) } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.saturating_add(1));
    // One blank at each end does not belong to the content of a span.
    format!("{fence} {text} {fence}")
}

/// Returns a code span for a table, where a bar ends a cell even in a span.
fn in_cell(text: &str) -> String {
    code(text).replace('|', r"\|")
}

/// Returns a sentence without markup: ASCII punctuation is escaped (CommonMark, section 2.4), and words that a renderer
/// would turn into links or mentions are in code spans.
fn prose(text: &str) -> String {
    let word = |word: &str| {
        let lower = word.to_ascii_lowercase();
        if word.contains('@') || lower.contains("://") || lower.contains("www.") { code(word) } else { plain(word) }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for letter in word.chars() {
        if matches!(
            letter,
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '$'
        ) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(code("a``b`c"), "``` a``b`c ```");
        assert_eq!(code(""), "(empty)");
        assert_eq!(in_cell("a|b"), r"` a\|b `");
    }

    #[test]
    fn sentences_hold_no_markup() {
        assert_eq!(prose("<b>*x*</b> [a](b)"), r"\<b\>\*x\*\</b\> \[a\](b)");
        assert_eq!(prose("see @all or https://x.y"), "see ` @all ` or ` https://x.y `");
    }
}
