//! The table of findings: one row for each, below its key.
//!
//! Expected and observed data are side by side, or below [`SIDE_BY_SIDE`] columns one above the other.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::data;
use super::page::{GAP, Ink, Page};
use super::{count, places, word};
use crate::finding::{Finding, Verdict};

/// The smallest width for five readable columns.
const SIDE_BY_SIDE: usize = 100;
/// The width of `severity` and `critical`.
const SEVERITY: usize = 8;
/// The width of `unexpected` and `unreadable`.
const VERDICT: usize = 10;
/// The usual longest id of a built-in baseline.
const USUAL_ID: usize = 42;

/// The columns of this table.
enum Layout {
    Wide { finding: usize, expected: usize, observed: usize },
    Narrow { rest: usize },
}

/// The number of findings that follow from each cause, by its id and control set.
pub(crate) struct Folded<'f>(BTreeMap<(&'f str, Option<u32>), usize>);

impl<'f> Folded<'f> {
    /// Removes from the list the findings that follow from another one in it.
    pub(crate) fn take_from(findings: &mut Vec<&'f Finding>) -> Self {
        let shown: BTreeSet<(&str, Option<u32>)> =
            findings.iter().map(|finding| (finding.id.as_str(), finding.control_set)).collect();
        let mut folded = BTreeMap::new();
        findings.retain(|finding| {
            let cause = finding.cause.as_deref().map(|cause| (cause, finding.control_set));
            let Some(cause) = cause.filter(|cause| shown.contains(cause)) else { return true };
            let number: &mut usize = folded.entry(cause).or_default();
            *number = number.saturating_add(1);
            false
        });
        Self(folded)
    }

    /// Returns the observed data, and the number of findings that are folded below them.
    pub(super) fn observed(&self, finding: &Finding) -> String {
        match self.0.get(&(finding.id.as_str(), finding.control_set)) {
            None => observed(finding),
            Some(number) => format!("{}\nand {} of it", observed(finding), count(*number, "value")),
        }
    }
}

/// Writes findings in their order. A key is written once above its findings, and a shared reason once below them.
/// Findings that follow from another are counted in its row.
pub(super) fn write(page: &mut Page<'_>, findings: &[&Finding], folded: &Folded<'_>) -> io::Result<()> {
    let layout = Layout::of(page.width(), findings, folded);
    layout.header(page)?;
    let mut key_before = None;
    let mut source_before = None;
    for block in findings.chunk_by(|a, b| place(a) == place(b) && reasoning(a) == reasoning(b)) {
        let Some(first) = block.first() else { continue };
        if first.key.is_some() && key_before != Some(place(first)) {
            if key_before.is_some() {
                page.blank()?;
            }
            write_key(page, first)?;
            key_before = Some(place(first));
            source_before = None;
        }
        for finding in block {
            layout.row(page, finding, folded)?;
        }
        write_reasoning(page, first, source_before == Some(source(first)))?;
        source_before = Some(source(first));
    }
    Ok(())
}

/// Writes only the observed data, for findings that conform or are not judged.
pub(super) fn write_values(page: &mut Page<'_>, indent: usize, findings: &[&Finding], ink: Ink) -> io::Result<()> {
    let rest = page.width().saturating_sub(indent).saturating_sub(GAP);
    let of = |text: fn(&Finding) -> String| widest(findings.iter().map(|finding| text(finding)));
    let what = |finding: &Finding| {
        let note = finding.note.as_ref().map_or_else(String::new, |note| format!("\n{}", data::prose(note)));
        data::observed(finding) + &note + &places::lines(finding)
    };
    // The data get up to half of the line, and the ids the rest.
    let data = of(what).min(rest / 2);
    let width = of(|finding| data::name(&finding.id)).min(rest.saturating_sub(data));
    for finding in findings {
        page.labelled(indent, width, &data::name(&finding.id), &what(finding), ink)?;
    }
    Ok(())
}

/// Returns the key of a finding.
fn place(finding: &Finding) -> impl PartialEq {
    (finding.hive, finding.key.clone(), finding.key_last_written)
}

/// Returns the text below a finding.
fn reasoning(finding: &Finding) -> impl PartialEq + '_ {
    (&finding.why, &finding.advice, &finding.also_in, source(finding))
}

/// Returns the source of a finding and its techniques.
fn source(finding: &Finding) -> impl PartialEq + '_ {
    (&finding.source, finding.grade, &finding.attack)
}

/// Writes the key and the time of its last write, on a separate line if there is no space beside the key. Below that,
/// why the time cannot be right.
fn write_key(page: &mut Page<'_>, finding: &Finding) -> io::Result<()> {
    let hive = finding.hive.map_or("", |hive| hive.as_str());
    let key = format!("{hive}\\{}", data::name(finding.key.as_deref().unwrap_or_default()));
    let written = match finding.key_date() {
        Some(time) => Some(format!("last written {time}")),
        None if finding.verdict == Verdict::Absent && finding.key_last_written_note.is_none() => {
            Some("which is missing".to_owned())
        }
        None => None,
    };
    match written {
        None => page.paragraph(0, &key, Ink::Strong)?,
        Some(written) => {
            let line = format!("{key}, {written}");
            if line.chars().count() <= page.width() {
                page.paragraph(0, &line, Ink::Strong)?;
            } else {
                page.paragraph(0, &format!("{key},"), Ink::Strong)?;
                page.paragraph(2, &written, Ink::Strong)?;
            }
        }
    }
    finding.key_last_written_note.iter().try_for_each(|note| page.paragraph(2, &data::prose(note), Ink::Plain))
}

/// Writes why the finding matters, what to do, and the source.
fn write_reasoning(page: &mut Page<'_>, finding: &Finding, same_source: bool) -> io::Result<()> {
    let indent = SEVERITY.saturating_add(GAP);
    let mut write = |label, text: &str| page.labelled(indent, VERDICT, label, &data::prose(text), Ink::Dim);
    write("why", &finding.why)?;
    if let Some(advice) = &finding.advice {
        write("advice", advice)?;
    }
    if !finding.also_in.is_empty() {
        write("also in", &finding.also_in.join(", "))?;
    }
    if same_source {
        return write("source", "as above");
    }
    let mut source = format!("{}; {}", finding.source.title, word(&finding.grade));
    if let Some(url) = &finding.source.url {
        source = format!("{source}; {url}");
    }
    write("source", &source)?;
    if !finding.attack.is_empty() {
        write("ATT&CK", &finding.attack.join(", "))?;
    }
    Ok(())
}

/// Returns the observed data and other facts about them.
fn observed(finding: &Finding) -> String {
    let mut text = data::observed(finding);
    if let Some(other) = &finding.other_view {
        let verdict = other.get("verdict").and_then(serde_json::Value::as_str).unwrap_or("otherwise");
        text = format!("{text}\nwith the logs replayed; as the file lies: {}", data::prose(verdict));
    }
    text + &places::lines(finding)
}

impl Layout {
    fn of(width: usize, findings: &[&Finding], folded: &Folded<'_>) -> Self {
        let rest = width.saturating_sub(SEVERITY).saturating_sub(VERDICT).saturating_sub(GAP.saturating_mul(2));
        if width < SIDE_BY_SIDE {
            return Self::Narrow { rest };
        }
        let rest = rest.saturating_sub(GAP.saturating_mul(2));
        let of = |text: fn(&Finding) -> String| widest(findings.iter().map(|finding| text(finding)));
        // No column is wider than its contents. Ids are cut last, and both columns keep enough space.
        let observed = widest(findings.iter().map(|finding| folded.observed(finding)));
        let (expected, observed) = (of(data::expected).max("expected".len()), observed.max("observed".len()));
        let for_data = expected.min(rest / 4).saturating_add(observed.min(rest / 4));
        let most = rest.saturating_sub(for_data).min((rest.saturating_mul(2) / 5).max(USUAL_ID));
        let finding = of(|finding| data::name(&finding.id)).max("finding".len()).min(most);
        let rest = rest.saturating_sub(finding);
        let expected = expected.min((rest / 2).max(rest.saturating_sub(observed)));
        Self::Wide { finding, expected, observed: rest.saturating_sub(expected) }
    }

    fn header(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (severity, verdict) = ((SEVERITY, "severity"), (VERDICT, "verdict"));
        match *self {
            Self::Wide { finding, expected, observed } => page.row(
                0,
                &[severity, verdict, (finding, "finding"), (expected, "expected"), (observed, "observed")],
                Ink::Plain,
            ),
            Self::Narrow { rest } => page.row(0, &[severity, verdict, (rest, "finding")], Ink::Plain),
        }?;
        page.rule()
    }

    fn row(&self, page: &mut Page<'_>, finding: &Finding, folded: &Folded<'_>) -> io::Result<()> {
        let (severity, verdict) = (word(&finding.severity), word(&finding.verdict.kind()));
        let (id, should, is) = (data::name(&finding.id), data::expected(finding), folded.observed(finding));
        let ink = finding.severity.into();
        let start = [(SEVERITY, severity.as_str()), (VERDICT, verdict.as_str())];
        match *self {
            Self::Wide { finding, expected, observed } => {
                let [severity, verdict] = start;
                page.row(0, &[severity, verdict, (finding, &id), (expected, &should), (observed, &is)], ink)
            }
            Self::Narrow { rest } => {
                let [severity, verdict] = start;
                page.row(0, &[severity, verdict, (rest, &id)], ink)?;
                let indent = SEVERITY.saturating_add(GAP);
                page.labelled(indent, VERDICT, "expected", &should, Ink::Plain)?;
                page.labelled(indent, VERDICT, "observed", &is, Ink::Plain)
            }
        }
    }
}

/// Returns the number of characters in the longest line of these texts.
fn widest(texts: impl Iterator<Item = String>) -> usize {
    texts.flat_map(|text| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>()).max().unwrap_or(0)
}
