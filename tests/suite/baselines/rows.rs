//! The expectations of each Windows, row by row, in one file for review. A changed expectation changes verdicts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hivemend::baseline::{Accepted, Baseline, Basis, Presence, Rule, When};
use hivemend::finding::Datum;
use hivemend::registry::RegistryValue;

use super::baselines;

/// Each row, and for each thing that is expected in it the Windows that expect it, with the grade.
type Rows = BTreeMap<String, BTreeMap<String, Vec<String>>>;

fn datum(value: &RegistryValue) -> String {
    let datum = Datum::from(value);
    format!("{} {}", datum.data_type, serde_json::to_string(&datum.data).unwrap())
}

fn data(accepted: &[Accepted]) -> String {
    let text = |accepted: &Accepted| format!("{}{}", datum(&accepted.value), condition(&accepted.when));
    accepted.iter().map(text).collect::<Vec<_>>().join(" | ")
}

/// The conditions, where there are any.
fn condition(when: &When) -> String {
    let text = format!("{when:?}");
    if text == format!("{:?}", When::default()) {
        return String::new();
    }
    let given: Vec<&str> = text
        .trim_start_matches("When { ")
        .trim_end_matches(" }")
        .split(", ")
        .filter(|field| !field.ends_with(": None"))
        .collect();
    format!(" [{}]", given.join(", "))
}

fn add(rows: &mut Rows, baseline: &Baseline, row: String, expected: &str, basis: &Basis) {
    let grade = serde_json::to_value(basis.grade).unwrap().as_str().unwrap().to_owned();
    let severity = serde_json::to_value(basis.severity).unwrap().as_str().unwrap().to_owned();
    let expected = format!("{expected}; {severity}");
    rows.entry(row).or_default().entry(expected).or_default().push(format!("{} {grade}", baseline.id));
}

fn rows() -> Rows {
    let mut rows = Rows::new();
    for baseline in baselines() {
        for key in &baseline.keys {
            let presence = match key.presence {
                Presence::Required => "key",
                Presence::WithParent => "key, where its parent is there",
                Presence::Optional => "key, may be missing",
                Presence::Absent => "no such key",
            };
            let place = format!("{presence}: {} {} {:?}", key.role, key.path, key.each_subkey);
            let closed = if key.closed { ", and no other value" } else { "" };
            let expected = format!("{place}{closed}, recreate {}{}", key.recreate, condition(&key.when));
            add(&mut rows, &baseline, key.id.clone(), &expected, &key.basis);
            for value in &key.values {
                let rule = match &value.rule {
                    Rule::OneOf { accepted, compare } => format!("{} by {compare:?}", data(accepted)),
                    Rule::Unknown(reason) => {
                        let row = format!("{}/{}", key.id, value.name);
                        rows.entry(row)
                            .or_default()
                            .entry(format!("unknown: {reason}"))
                            .or_default()
                            .push(baseline.id.clone());
                        continue;
                    }
                    other => format!("{other:?}"),
                };
                let optional = if value.optional { ", may be missing" } else { "" };
                let exceptions: Vec<String> = value
                    .exceptions
                    .iter()
                    .map(|but| {
                        let severity = format!("{:?}", but.severity).to_lowercase();
                        format!(", but {} {severity}{}", datum(&but.value), condition(&but.when))
                    })
                    .collect();
                let same = value.same_as.as_ref().map_or_else(String::new, |same| format!(", as {same:?}"));
                let expected = format!("{rule}{}{same}{optional}{}", exceptions.concat(), condition(&value.when));
                add(&mut rows, &baseline, format!("{}/{}", key.id, value.name), &expected, &value.basis);
            }
        }
        for step in &baseline.steps {
            add(
                &mut rows,
                &baseline,
                step.id.clone(),
                &format!("{}{}", step.advice, condition(&step.when)),
                &step.basis,
            );
        }
    }
    rows
}

#[test]
fn each_row_of_each_windows_is_as_reviewed() {
    let mut text = String::new();
    for (row, expected) in rows() {
        writeln!(text, "{row}").unwrap();
        for (expected, windows) in expected {
            writeln!(text, "  {expected}\n    {}", windows.join(", ")).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
