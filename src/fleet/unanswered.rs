//! Machines that gave no answer, or only part of one, and why.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Fleet;
use super::machine::Completeness;
use crate::report::table::count;

/// A reason, and the machines that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// The reason.
    pub reason: String,
    /// What to do, if all machines have the same advice.
    pub advice: Option<String>,
    /// The machines, in the order of the lines.
    pub machines: Vec<usize>,
}

impl Fleet {
    /// Returns why machines of this completeness lack something, most frequent first. A machine with several reasons is
    /// below each of them.
    pub fn reasons(&self, completeness: Completeness) -> Vec<Reasons> {
        let mut all: BTreeMap<String, Reasons> = BTreeMap::new();
        let wanted = self.counted().filter(|(_, machine)| machine.completeness() == completeness);
        for (number, machine) in wanted {
            let mut told: Vec<(String, Option<&str>)> = Vec::new();
            for gap in &machine.gaps {
                told.push((gap.reason.clone(), gap.advice.as_deref()));
            }
            if machine.more_gaps > 0 {
                told.push(("further gaps, which the report of the machine lists".to_owned(), None));
            }
            if let Some(reason) = &machine.not_judged {
                told.push((reason.clone(), None));
            }
            let missing = machine.missing();
            if missing > 0 {
                let reason =
                    format!("{} not in the lines: the file is truncated or damaged", count(missing, "finding"));
                told.push((reason, Some("run the shard again")));
            }
            if told.is_empty() && completeness == Completeness::NoAnswer {
                told.push(("nothing was assessed".to_owned(), None));
            }
            for (reason, advice) in told {
                let known = all.entry(reason.clone()).or_insert_with(|| Reasons {
                    reason,
                    advice: advice.map(str::to_owned),
                    machines: Vec::new(),
                });
                if known.advice.as_deref() != advice {
                    known.advice = None;
                }
                if known.machines.last() != Some(&number) {
                    known.machines.push(number);
                }
            }
        }
        let mut reasons: Vec<Reasons> = all.into_values().collect();
        reasons.sort_by_key(|reason| Reverse(reason.machines.len()));
        reasons
    }
}
