//! Compares the audits before and after, and decides which operations a finding asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Carried, Change, Outcome, State, Verified};
use crate::finding::Finding;
use crate::registry::same_text;

type Place = (String, Option<u32>);

/// Sorts the findings by their change, and marks each operation that changes the subject of a finding.
pub(super) fn compare(verified: &mut Verified, before: &[Finding], after: &[Finding]) {
    let place = |finding: &Finding| -> Place { (finding.id.clone(), finding.control_set) };
    let then: BTreeMap<Place, &Finding> = after.iter().map(|finding| (place(finding), finding)).collect();
    let now: BTreeMap<Place, &Finding> = before.iter().map(|finding| (place(finding), finding)).collect();
    // The values of a missing key represent it.
    let named = |finding: &&Finding| finding.cause.as_ref().map(|cause| (cause.clone(), finding.control_set));
    let told: BTreeSet<Place> = before.iter().chain(after).filter_map(|finding| named(&finding)).collect();
    for finding in before.iter().filter(|finding| !told.contains(&place(finding))) {
        let after = then.get(&place(finding)).copied();
        let wrong_then = after.is_some_and(Finding::is_deviation);
        let gap = finding.is_gap() || after.is_some_and(Finding::is_gap);
        let list = match (finding.is_deviation(), wrong_then) {
            _ if gap => &mut verified.unknown,
            (true, true) => &mut verified.left,
            (true, false) => &mut verified.mended,
            (false, true) => &mut verified.broken,
            (false, false) => continue,
        };
        list.push(change(Some(finding), after));
    }
    // For example an unexpected value that did not exist before.
    let is_new = |finding: &&Finding| !now.contains_key(&place(finding)) && !told.contains(&place(finding));
    for finding in after.iter().filter(is_new) {
        if finding.is_gap() {
            verified.unknown.push(change(None, Some(finding)));
        } else if finding.is_deviation() {
            verified.broken.push(change(None, Some(finding)));
        }
    }
    let asking: Vec<&Finding> = before.iter().filter(|finding| finding.is_deviation()).collect();
    for carried in &mut verified.operations {
        carried.findings =
            asking.iter().filter(|finding| asks(finding, carried)).map(|finding| finding.id.clone()).collect();
        if carried.outcome == Outcome::Unasked && !carried.findings.is_empty() {
            carried.outcome = Outcome::AskedFor;
        }
    }
}

fn change(before: Option<&Finding>, after: Option<&Finding>) -> Change {
    let state = |finding: &Finding| State { verdict: finding.verdict, observed: finding.observed.clone() };
    let named = after.or(before);
    Change {
        finding: named.map(|finding| finding.id.clone()).unwrap_or_default(),
        control_set: named.and_then(|finding| finding.control_set),
        severity: named.map_or(crate::finding::Severity::Info, |finding| finding.severity),
        before: before.map(state),
        after: after.map(state),
    }
}

/// Returns whether a finding concerns what an operation changes: its value; its key or an ancestor, if that is created;
/// its key, if it should not exist and is deleted.
fn asks(finding: &Finding, carried: &Carried) -> bool {
    let (Some(hive), Some(key)) = (finding.hive, &finding.key) else { return false };
    if carried.hive != Some(hive) {
        return false;
    }
    let is_key = same_text(key, &carried.key);
    let names = |path: &str| path.split('\\').map(str::to_owned).collect::<Vec<_>>();
    match (carried.op, &carried.value) {
        ("create-key", _) => {
            let (wanted, made) = (names(key), names(&carried.key));
            made.len() <= wanted.len() && made.iter().zip(&wanted).all(|(a, b)| same_text(a, b))
        }
        ("delete-key", _) => is_key && finding.value.is_none(),
        (_, Some(name)) => is_key && finding.value.as_ref().is_some_and(|value| same_text(value, name)),
        _ => false,
    }
}
