//! The rows of a history: every audited value, with a cell for each column.

use std::collections::BTreeMap;

use super::changes::{changes, control_sets_differ};
use super::columns::Placed;
use super::{Cell, Column, Presence, Row};
use crate::finding::{Finding, Verdict, VerdictKind};
use crate::os::OsId;
use crate::registry::Role;

/// Identifies a value in any generation: the finding's id.
type Id<'a> = &'a str;

/// Returns the rows for these columns: values that the newest generation audits, then those of older ones only.
pub(super) fn rows(columns: &[Placed<'_>], role: Role) -> Vec<Row> {
    let by_column: Vec<BTreeMap<Id<'_>, &Finding>> = columns
        .iter()
        .map(|(column, installation)| {
            let judgement = installation.judgement.iter();
            let findings =
                judgement.flat_map(|judgement| &judgement.findings).filter(|finding| belongs(finding, column, role));
            findings.map(|finding| (finding.id.as_str(), finding)).collect()
        })
        .collect();
    // The first finding of each key that could be read.
    let by_key: Vec<BTreeMap<&str, &Finding>> = by_column
        .iter()
        .map(|findings| {
            let read = findings.values().rev().filter(|finding| finding.verdict != Verdict::Unreadable);
            read.map(|finding| (path_of(finding), *finding)).collect()
        })
        .collect();
    // A closed list has no finding for an absent value. If the list of the same Windows was read, the value is absent.
    let absent = |at: usize, row: &Finding, os: OsId| {
        let (column, _) = columns.get(at)?;
        let beside = by_key.get(at)?.get(path_of(row)).copied();
        (row.verdict == Verdict::Unexpected && column.os == os && beside.is_some()).then(|| Cell {
            state: Presence::Absent,
            observed: None,
            verdict: Some(VerdictKind::Conforms),
            key_last_written: beside.and_then(|finding| finding.key_last_written),
            key_last_written_note: beside.and_then(|finding| finding.key_last_written_note.clone()),
        })
    };
    let only: Vec<Column> = columns.iter().map(|(column, _)| column.clone()).collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for (column, installation) in columns.iter().rev() {
        let findings = installation.judgement.iter().flat_map(|judgement| &judgement.findings);
        for finding in findings.filter(|finding| belongs(finding, column, role)) {
            if !known.insert(finding.id.as_str()) {
                continue;
            }
            let cells = by_column.iter().enumerate().map(|(at, findings)| {
                let of_column = findings.get(finding.id.as_str()).copied();
                of_column.is_none().then(|| absent(at, finding, column.os)).flatten().unwrap_or_else(|| cell(of_column))
            });
            let cells: Vec<Cell> = cells.collect();
            let mut row = Row {
                id: finding.id.clone(),
                key: path_of(finding).to_owned(),
                value: finding.value.clone(),
                control_sets_differ: control_sets_differ(&cells, &only),
                cells,
                changes: Vec::new(),
            };
            row.changes = changes(&row, &only);
            rows.push(row);
        }
    }
    rows
}

/// Returns whether a finding is about this hive and this control set. A finding outside control sets also belongs.
fn belongs(finding: &Finding, column: &Column, role: Role) -> bool {
    let set = finding.control_set.is_none() || finding.control_set == column.control_set;
    finding.hive == Some(role) && finding.key.is_some() && set
}

fn cell(finding: Option<&Finding>) -> Cell {
    let state = match finding {
        None => Presence::NotAudited,
        Some(finding) if finding.observed.is_some() || finding.verdict == Verdict::Unexpected => Presence::Present,
        Some(finding) => match finding.verdict {
            Verdict::Unreadable => Presence::Unreadable,
            _ => Presence::Absent,
        },
    };
    Cell {
        state,
        observed: finding.and_then(|finding| finding.observed.clone()),
        verdict: finding.map(|finding| finding.verdict.kind()),
        key_last_written: finding.and_then(|finding| finding.key_last_written),
        key_last_written_note: finding.and_then(|finding| finding.key_last_written_note.clone()),
    }
}

/// Returns the path of a finding's key, below the control set.
fn path_of(finding: &Finding) -> &str {
    below_control_set(finding.key.as_deref().unwrap_or_default())
}

/// Returns a key's path without the control set that it begins with.
fn below_control_set(key: &str) -> &str {
    match key.split_once('\\') {
        Some((first, rest)) if first.get(..10).is_some_and(|set| set.eq_ignore_ascii_case("ControlSet")) => rest,
        _ => key,
    }
}
