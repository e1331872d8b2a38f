//! The answer: a sentence or two on what stops updates here, since when at the latest, and how well that is confirmed.
//!
//! The answer adds no judgement to that of the findings. It names causes, worst first.

use crate::finding::{Finding, Grade, Severity, Verdict};
use crate::registry::{Decoded, FileTime, same_text};

/// How many findings the answer names. The table lists all of them.
const NAMED: usize = 2;

/// The first words of the sentence on the grades of the expectations.
const RESTS_ON: &str = "This rests on ";

/// Returns the answer for one installation. `findings` are all of its findings, including those that conform.
/// `complete` states whether everything could be read and judged.
pub fn answer(findings: &[&Finding], complete: bool) -> String {
    let mut causes: Vec<&Finding> = findings.iter().copied().filter(|finding| finding.is_cause()).collect();
    causes.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let of = |wanted: fn(&Finding) -> bool| -> Vec<&Finding> {
        causes.iter().copied().filter(|finding| wanted(finding)).collect()
    };
    let stops = of(|finding| finding.severity >= Severity::High && !is_code(finding));
    let code = of(|finding| finding.severity >= Severity::High && is_code(finding));
    let lesser = of(|finding| matches!(finding.severity, Severity::Low | Severity::Medium));
    let choices = of(|finding| finding.severity == Severity::Info);

    let mut sentences = Vec::new();
    if !stops.is_empty() {
        sentences.push(format!("Updates are stopped: {}.", listed(&stops, fact_since)));
    }
    if !code.is_empty() {
        sentences.push(format!("Code that Windows does not ship may run: {}.", listed(&code, fact_since)));
    }
    if stops.is_empty() && code.is_empty() {
        let as_far = if complete { "" } else { ", as far as the hives could be read" };
        sentences.push(if lesser.is_empty() {
            format!("Nothing found that stops updates{as_far}.")
        } else {
            format!(
                "Nothing found that alone stops updates{as_far}; {} may contribute: {}.",
                count(lesser.len()),
                listed(&lesser, fact)
            )
        });
    }
    if !choices.is_empty() {
        sentences.push(format!("The owner's choice, or left over: {}.", listed(&choices, setting)));
    }
    sentences.extend(rests_on(findings));
    sentences.join(" ")
}

/// Returns the answer without the sentence on grades, for callers that state the grades elsewhere.
///
/// ```
/// let answer = "Nothing found that stops updates. This rests on 40 confirmed expectations.";
/// assert_eq!(hivemend::answer::without_counts(answer), "Nothing found that stops updates.");
/// ```
pub fn without_counts(answer: &str) -> &str {
    answer.rsplit_once(RESTS_ON).map_or(answer, |(before, _)| before).trim_end()
}

/// Returns whether a finding is about which code runs, not about whether it starts.
fn is_code(finding: &Finding) -> bool {
    const CODE: [&str; 12] = [
        "ImagePath",
        "ServiceDll",
        "ServiceMain",
        "FailureCommand",
        "FailureActions",
        "DLLName",
        "Library",
        "Security",
        "Shell",
        "Userinit",
        "Taskman",
        "GinaDLL",
    ];
    finding.value.as_deref().is_some_and(|value| CODE.iter().any(|code| same_text(code, value)))
        && finding.verdict != Verdict::Absent
}

fn count(number: usize) -> String {
    if number == 1 { "1 deviation".to_owned() } else { format!("{number} deviations") }
}

/// Returns the first findings in words, and how many more there are.
fn listed(findings: &[&Finding], words: fn(&Finding) -> String) -> String {
    let named = findings.iter().take(NAMED).map(|finding| words(finding)).collect::<Vec<_>>().join("; ");
    match findings.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// Returns a finding in words, with the time of the last write to its key. The key's contents are at least that old.
fn fact_since(finding: &Finding) -> String {
    let fact = fact(finding);
    match (finding.key_last_written, &finding.key_last_written_note) {
        (Some(time), None) if time != FileTime(0) => format!("{fact} (since {time} at the latest)"),
        _ => fact,
    }
}

/// Returns a finding in words: `BITS is disabled`, `RpcSs\Parameters\ServiceDll deviates`.
fn fact(finding: &Finding) -> String {
    let place = place(finding);
    let Some(value) = &finding.value else {
        return match finding.verdict {
            Verdict::Absent => format!("the key {place} is missing"),
            _ => format!("the key {place} should not be there"),
        };
    };
    let disabled = || finding.observed.as_ref().is_some_and(|observed| observed.raw == [4, 0, 0, 0]);
    if same_text(value, "Start") && disabled() {
        return format!("{place} is disabled");
    }
    if finding.id.starts_with("svchost-") {
        return format!("the svchost group {value} lacks a service that belongs to it");
    }
    let word = match finding.verdict {
        Verdict::Absent => "is missing",
        Verdict::Unexpected => "should not be there",
        _ => "is not as it should be",
    };
    format!(r"{place}\{value} {word}")
}

/// Returns a setting in words, with its number if it has one: `WindowsUpdate\DisableWindowsUpdateAccess is 1`.
fn setting(finding: &Finding) -> String {
    let number = finding.observed.as_ref().and_then(|observed| match observed.datum.data {
        Some(Decoded::Number(number)) => Some(number),
        _ => None,
    });
    match (&finding.value, number) {
        (Some(value), Some(number)) => format!(r"{}\{value} is {number}", place(finding)),
        _ => fact(finding),
    }
}

/// Returns the key as people call it: a service by its name, another key by its last two parts.
fn place(finding: &Finding) -> String {
    let path = finding.key.as_deref().unwrap_or(&finding.id);
    if let Some((_, service)) = path.split_once(r"\Services\") {
        return service.to_owned();
    }
    let parts: Vec<&str> = path.split('\\').collect();
    parts.get(parts.len().saturating_sub(2)..).unwrap_or_default().join("\\")
}

/// Returns how many expectations of each grade the answer rests on; `None` if none was assessed.
fn rests_on(findings: &[&Finding]) -> Option<String> {
    let assessed = |finding: &&&Finding| finding.is_cause() || finding.verdict == Verdict::Conforms;
    let number = |grade: Grade| findings.iter().filter(assessed).filter(|finding| finding.grade == grade).count();
    let grades = [
        (number(Grade::Confirmed), "confirmed"),
        (number(Grade::SingleSource), "single-source"),
        (number(Grade::Inferred), "inferred"),
    ];
    let named: Vec<String> =
        grades.iter().filter(|(number, _)| *number > 0).map(|(number, grade)| format!("{number} {grade}")).collect();
    let (last, others) = named.split_last()?;
    let counts = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!("{RESTS_ON}{counts} expectations."))
}
