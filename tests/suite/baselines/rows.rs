//! What each Windows is expected to have, row by row, in one file to review: a changed expectation changes verdicts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hivemend::baseline::{Baseline, Basis, Presence, Rule};
use hivemend::finding::Datum;
use hivemend::registry::RegistryValue;

use super::baselines;

/// Each row, and for each thing that is expected in it the Windows that expect it, with the grade.
type Rows = BTreeMap<String, BTreeMap<String, Vec<String>>>;

fn data(values: &[RegistryValue]) -> String {
    let text = |value: &RegistryValue| {
        let datum = Datum::from(value);
        format!("{} {}", datum.data_type, serde_json::to_string(&datum.data).unwrap())
    };
    values.iter().map(text).collect::<Vec<_>>().join(" | ")
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
                Presence::Optional => "key, may be missing",
                Presence::Absent => "no such key",
            };
            let place = format!("{presence}: {} {} {:?}", key.role, key.path, key.each_subkey);
            let closed = if key.closed { ", and no other value" } else { "" };
            let expected = format!("{place}{closed}, recreate {}, {:?}", key.recreate, key.when);
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
                let expected = format!("{rule}{optional}, {:?}", value.when);
                add(&mut rows, &baseline, format!("{}/{}", key.id, value.name), &expected, &value.basis);
            }
        }
        for step in &baseline.steps {
            add(&mut rows, &baseline, step.id.clone(), &format!("{} {:?}", step.advice, step.when), &step.basis);
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
