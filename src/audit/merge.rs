//! One value, one finding: joins what several expectations state about a value.

use std::collections::BTreeMap;

use crate::finding::{Finding, Verdict};
use crate::registry::{Name, fold};

/// Joins the findings about one value into the first: the worst verdict is kept, and every technique.
pub(super) fn join(findings: Vec<Finding>) -> Vec<Finding> {
    let firsts = firsts(&findings);
    if firsts.iter().all(Option::is_none) {
        return findings;
    }
    let mut joined: Vec<Finding> = Vec::with_capacity(findings.len());
    // Where each finding is in the result.
    let mut places: Vec<usize> = Vec::with_capacity(findings.len());
    for (finding, first) in findings.into_iter().zip(firsts) {
        let known = first.and_then(|first| places.get(first).copied());
        places.push(known.unwrap_or(joined.len()));
        match known.and_then(|place| joined.get_mut(place)) {
            None => joined.push(finding),
            Some(first) => first.take_in(finding),
        }
    }
    joined
}

/// Returns for each finding the position of the first one about the same value, if that is an earlier one.
fn firsts(findings: &[Finding]) -> Vec<Option<usize>> {
    let sum = |finding: &Finding| {
        let (key, value) = (finding.key.as_deref()?, finding.value.as_deref()?);
        Some(fold(fold(u64::from(finding.control_set.unwrap_or_default()), key), value))
    };
    let sums = findings.iter().enumerate().filter_map(|(at, finding)| Some((sum(finding)?, at)));
    let mut sums: Vec<(u64, usize)> = sums.collect();
    sums.sort_unstable();
    let mut firsts = vec![None; findings.len()];
    // Nearly every sum is that of one finding.
    for alike in sums.chunk_by(|(a, _), (b, _)| a == b).filter(|alike| alike.len() > 1) {
        let mut known = BTreeMap::new();
        for (_, at) in alike {
            let Some(place) = findings.get(*at).and_then(place) else { continue };
            let first = *known.entry(place).or_insert(*at);
            if let Some(place) = firsts.get_mut(*at).filter(|_| first != *at) {
                *place = Some(first);
            }
        }
    }
    firsts
}

/// Returns the place of a finding, with names compared as Windows compares them.
fn place(finding: &Finding) -> Option<impl Ord + use<>> {
    let (key, value) = (finding.key.as_deref()?, finding.value.as_deref()?);
    Some((finding.hive, finding.control_set, Name::from(key), Name::from(value)))
}

impl Finding {
    fn take_in(&mut self, other: Self) {
        let mut attack = std::mem::take(&mut self.attack);
        let theirs = other.attack.iter().filter(|technique| !attack.contains(technique)).cloned();
        let theirs: Vec<String> = theirs.collect();
        attack.extend(theirs);
        if weight(&other) > weight(self) {
            *self = Self { id: std::mem::take(&mut self.id), ..other };
        } else if self.note.is_none() {
            self.note = other.note;
        }
        self.attack = attack;
    }
}

/// Returns the weight of a verdict: of two findings on one value, the heavier is kept.
fn weight(finding: &Finding) -> impl Ord + use<> {
    let rank = match finding.verdict {
        Verdict::NotAssessed(_) => 0,
        Verdict::Conforms => 1,
        Verdict::Unreadable => 2,
        Verdict::Deviates | Verdict::Absent | Verdict::Unexpected => 3,
    };
    (rank, finding.severity)
}
