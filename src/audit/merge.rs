//! One value, one finding: joins what several expectations state about a value.

use std::collections::HashMap;
use std::hash::Hash;

use crate::finding::{Finding, Verdict};
use crate::registry::Name;

/// Joins the findings about one value into the first: the worst verdict is kept, and every technique.
pub(super) fn join(findings: Vec<Finding>) -> Vec<Finding> {
    let mut places = HashMap::with_capacity(findings.len());
    let mut joined: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let place = place(&finding);
        let known = place.as_ref().and_then(|place| places.get(place).copied());
        match known.and_then(|index: usize| joined.get_mut(index)) {
            None => {
                places.extend(place.map(|place| (place, joined.len())));
                joined.push(finding);
            }
            Some(first) => first.take_in(finding),
        }
    }
    joined
}

/// Returns the place of a finding, with names compared as Windows compares them.
fn place(finding: &Finding) -> Option<impl Eq + Hash + use<>> {
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
