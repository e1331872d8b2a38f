//! The control set that Windows falls back to. If it has the same deviation, falling back does not help.

use std::collections::BTreeMap;

use crate::finding::Finding;

/// Adds to each deviation the key of the same deviation in another control set: the same data, or also missing.
pub fn also_in(findings: &mut [Finding], fallback: &[Finding]) {
    let in_set = |finding: &&Finding| finding.control_set.is_some() && finding.is_deviation();
    let there: BTreeMap<&str, &Finding> =
        fallback.iter().filter(in_set).map(|finding| (finding.id.as_str(), finding)).collect();
    for finding in findings.iter_mut().filter(|finding| in_set(&&**finding)) {
        let same = there.get(finding.id.as_str()).filter(|other| {
            (other.verdict, &other.observed) == (finding.verdict, &finding.observed)
                && other.control_set != finding.control_set
        });
        finding.also_in.extend(same.and_then(|other| other.key.clone()));
    }
}
