//! Two views of a recovered hive: with its logs replayed, and the primary file alone. If the verdicts differ, something
//! changed shortly before the evidence was acquired, and both are shown.

use std::collections::BTreeMap;

use crate::finding::{Finding, Verdict, View};
use crate::registry::Role;

/// Marks each finding of a recovered hive with the view that it belongs to. `findings` are those with the logs
/// replayed, `primary` those of the primary files.
pub(super) fn compare(findings: &mut Vec<Finding>, primary: Vec<Finding>, recovered: impl Fn(Role) -> bool) {
    let of_recovered = |finding: &Finding| finding.hive.is_some_and(&recovered);
    let place = |finding: &Finding| (finding.id.clone(), finding.control_set);
    let mut before: BTreeMap<_, Finding> =
        primary.into_iter().filter(of_recovered).map(|finding| (place(&finding), finding)).collect();
    for finding in findings.iter_mut().filter(|finding| of_recovered(finding)) {
        finding.view = View::Replayed;
        let then = before.remove(&place(finding));
        let verdict = match (&then, finding.verdict) {
            (Some(then), _) => then.verdict,
            // The logs added this, so it did not exist before.
            (None, Verdict::Unexpected) => Verdict::Conforms,
            (None, _) => Verdict::Absent,
        };
        if verdict != finding.verdict {
            finding.view = View::BothDiffer;
            finding.other_view = Some(other_view(verdict, then.as_ref()));
        }
    }
    // Findings on data that only the primary file has, such as a value in a closed list that the logs deleted.
    for then in before.into_values().filter(|finding| finding.is_deviation() || finding.is_gap()) {
        let other_view = Some(other_view(then.verdict, Some(&then)));
        let gone = Finding {
            verdict: Verdict::Conforms,
            note: None,
            cause: None,
            also_in: Vec::new(),
            observed: None,
            stored_name: None,
            key_last_written: None,
            key_last_written_note: None,
            view: View::BothDiffer,
            other_view,
            location: None,
            remediation: None,
            ..then
        };
        let beside = |finding: &Finding| finding.key == gone.key && finding.control_set == gone.control_set;
        let at = findings.iter().rposition(beside).map_or(findings.len(), |index| index.saturating_add(1));
        findings.insert(at, gone);
    }
}

fn other_view(verdict: Verdict, finding: Option<&Finding>) -> serde_json::Value {
    serde_json::json!({
        "verdict": verdict.kind(),
        "observed": finding.and_then(|finding| finding.observed.as_ref()),
        "location": finding.and_then(|finding| finding.location.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Expected, Grade, Severity, Source};

    fn finding(id: &str, verdict: Verdict, hive: Role) -> Finding {
        Finding {
            id: id.to_owned(),
            verdict,
            severity: Severity::Low,
            grade: Grade::Confirmed,
            note: None,
            cause: None,
            advice: None,
            hive: Some(hive),
            control_set: None,
            key: id.split('/').next().map(str::to_owned),
            value: None,
            stored_name: None,
            expected: Expected::Nothing,
            observed: None,
            key_last_written: None,
            key_last_written_note: None,
            view: View::Primary,
            other_view: None,
            also_in: Vec::new(),
            location: None,
            why: String::new(),
            source: Source { title: String::new(), url: None },
            attack: Vec::new(),
            remediation: None,
        }
    }

    #[test]
    fn what_only_one_view_has_is_told_in_its_place() {
        use Verdict::{Conforms, Deviates, Unexpected};
        let system = |id, verdict| finding(id, verdict, Role::System);
        let mut findings = vec![
            system("a/Same", Deviates),
            system("a/Mended", Conforms),
            system("a/Added", Unexpected),
            system("b/OfNewSubkey", Conforms),
            finding("c/Elsewhere", Deviates, Role::Software),
        ];
        let primary = vec![
            system("a/Same", Deviates),
            system("a/Mended", Deviates),
            system("a/Removed", Unexpected),
            system("b/OfOldSubkey", Conforms),
            finding("c/Elsewhere", Deviates, Role::Software),
        ];
        compare(&mut findings, primary, |role| role == Role::System);
        let told: Vec<_> = findings
            .iter()
            .map(|finding| {
                let other = finding.other_view.as_ref().map(|other| other["verdict"].as_str().unwrap().to_owned());
                (finding.id.as_str(), finding.verdict, finding.view, other)
            })
            .collect();
        let other = |verdict: &str| Some(verdict.to_owned());
        assert_eq!(
            told,
            [
                ("a/Same", Deviates, View::Replayed, None),
                ("a/Mended", Conforms, View::BothDiffer, other("deviates")),
                ("a/Added", Unexpected, View::BothDiffer, other("conforms")),
                ("a/Removed", Conforms, View::BothDiffer, other("unexpected")),
                ("b/OfNewSubkey", Conforms, View::BothDiffer, other("absent")),
                ("c/Elsewhere", Deviates, View::Primary, None),
            ]
        );
    }
}
