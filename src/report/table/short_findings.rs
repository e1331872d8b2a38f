//! Findings in few lines, worst first: expected data, observed data, and why they matter.

use std::io;

use super::findings::Folded;
use super::page::{GAP, Ink, Page};
use super::{data, word};
use crate::finding::Finding;

/// The width of `CRITICAL`.
const SEVERITY: usize = 8;
/// The width of `expected` and `observed`.
const LABEL: usize = 8;
/// The longest data on one line. Longer data are easier to compare one above the other, however wide the page is.
const ONE_LINE: usize = 90;
/// The most lines of the reason. `--all` shows the whole reason.
const LINES_OF_WHY: usize = 2;

/// Writes findings in their order. Consecutive findings with the same key or reason state it once.
pub(super) fn write(page: &mut Page<'_>, findings: &[&Finding], folded: &Folded<'_>) -> io::Result<()> {
    let mut before: Option<&Finding> = None;
    for finding in findings {
        let same_key = before.is_some_and(|before| (before.hive, &before.key) == (finding.hive, &finding.key));
        let same_why = before.is_some_and(|before| before.why == finding.why);
        write_head(page, finding, same_key)?;
        write_data(page, &data::expected(finding), &folded.observed(finding))?;
        if !same_why {
            write_why(page, finding)?;
        }
        before = Some(finding);
    }
    Ok(())
}

/// Writes a line such as `HIGH      service-bits/Start  SYSTEM\ControlSet001\Services\BITS`.
fn write_head(page: &mut Page<'_>, finding: &Finding, same_key: bool) -> io::Result<()> {
    let severity = word(&finding.severity).to_uppercase();
    let indent = SEVERITY.saturating_add(GAP);
    let rest = page.width().saturating_sub(indent);
    let id = data::name(&finding.id);
    let key = match (&finding.key, finding.hive) {
        (Some(key), Some(hive)) if !same_key => format!("{hive}\\{}", data::name(key)),
        _ => return page.row(0, &[(SEVERITY, &severity), (rest, &id)], finding.severity.into()),
    };
    let together = format!("{id}  {key}");
    if together.is_ascii() && together.len() <= rest {
        return page.row(0, &[(SEVERITY, &severity), (rest, &together)], finding.severity.into());
    }
    page.row(0, &[(SEVERITY, &severity), (rest, &id)], finding.severity.into())?;
    page.paragraph(indent, &key, Ink::Dim)
}

/// Writes both on one line if they fit, otherwise one above the other.
fn write_data(page: &mut Page<'_>, should: &str, is: &str) -> io::Result<()> {
    let indent = SEVERITY.saturating_add(GAP);
    let [on_one_line, also] = [should, is].map(|text| text.replace('\n', "; "));
    let together = format!("expected {}, observed {also}", on_one_line.replace("; or ", " or "));
    if together.is_ascii() && together.len() <= page.width().saturating_sub(indent).min(ONE_LINE) {
        return page.paragraph(indent, &together, Ink::Plain);
    }
    page.labelled(indent, LABEL, "expected", should, Ink::Plain)?;
    page.labelled(indent, LABEL, "observed", is, Ink::Plain)
}

/// Writes the first sentence of the reason, cut after [`LINES_OF_WHY`] lines.
fn write_why(page: &mut Page<'_>, finding: &Finding) -> io::Result<()> {
    let indent = SEVERITY.saturating_add(GAP);
    page.at_most(LINES_OF_WHY, indent, first_sentence(&data::prose(&finding.why)), Ink::Dim)
}

/// Returns the text up to the first full stop that another sentence follows.
fn first_sentence(text: &str) -> &str {
    let ends = text.match_indices(". ").find(|(at, _)| {
        let next = text.get(at.saturating_add(2)..).and_then(|rest| rest.chars().next());
        next.is_some_and(|letter| letter.is_uppercase() || letter == '"')
    });
    match ends {
        Some((at, _)) => text.get(..at.saturating_add(1)).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_where_another_begins() {
        assert_eq!(first_sentence("One, e.g. this. Two."), "One, e.g. this.");
        assert_eq!(first_sentence("svchost.exe loads it"), "svchost.exe loads it");
        assert_eq!(first_sentence("It is 5.1. 5.2 is another"), "It is 5.1. 5.2 is another");
    }
}
