//! Compares the audits before and after, and decides which operations a finding asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Carried, Change, Outcome, State, Verified};
use crate::finding::Finding;
use crate::registry::{Name, Role};

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
    let asking = Asking::of(before);
    for carried in &mut verified.operations {
        carried.findings = asking.about(carried).iter().map(|finding| finding.id.clone()).collect();
        if carried.outcome == Outcome::Unasked && !carried.findings.is_empty() {
            carried.outcome = Outcome::AskedFor;
        }
    }
}

fn change(before: Option<&Finding>, after: Option<&Finding>) -> Change {
    let state = |finding: &Finding| State { verdict: finding.verdict.kind(), observed: finding.observed.clone() };
    let named = after.or(before);
    Change {
        finding: named.map(|finding| finding.id.clone()).unwrap_or_default(),
        control_set: named.and_then(|finding| finding.control_set),
        severity: named.map_or(crate::finding::Severity::Info, |finding| finding.severity),
        before: before.map(state),
        after: after.map(state),
    }
}

/// The deviations, by what an operation would have to change.
#[derive(Default)]
struct Asking<'f> {
    /// By key and value; by key alone for a key that should not exist.
    subjects: BTreeMap<(Role, Name, Option<Name>), Vec<&'f Finding>>,
    /// By each key that has to exist, and each ancestor.
    ways: BTreeMap<(Role, Name), Vec<&'f Finding>>,
}

impl<'f> Asking<'f> {
    fn of(findings: &'f [Finding]) -> Self {
        let mut asking = Self::default();
        for finding in findings.iter().filter(|finding| finding.is_deviation()) {
            let Some((role, key)) = finding.hive.zip(finding.key.as_deref()) else { continue };
            let value = finding.value.as_deref().map(Name::from);
            asking.subjects.entry((role, Name::from(key), value)).or_default().push(finding);
            let ends = key.match_indices('\\').map(|(at, _)| at).chain([key.len()]);
            for way in ends.filter_map(|end| key.get(..end)) {
                asking.ways.entry((role, Name::from(way))).or_default().push(finding);
            }
        }
        asking
    }

    /// Returns the findings that concern what an operation changes: its value; its key or an ancestor, if that is
    /// created; its key, if it should not exist and is deleted.
    fn about(&self, carried: &Carried) -> &[&'f Finding] {
        let Some(role) = carried.hive else { return &[] };
        let key = Name::from(carried.key.as_str());
        let found = match (carried.op, &carried.value) {
            ("create-key", _) => self.ways.get(&(role, key)),
            ("delete-key", _) => self.subjects.get(&(role, key, None)),
            (_, Some(name)) => self.subjects.get(&(role, key, Some(Name::from(name.as_str())))),
            _ => None,
        };
        found.map(Vec::as_slice).unwrap_or_default()
    }
}
