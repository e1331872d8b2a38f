//! What is wrong on how many machines, and the first and last key time of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Fleet;
use crate::finding::Severity;
use crate::registry::FileTime;

/// An expectation that some machine does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The expectation, by its number.
    pub expectation: u32,
    /// The highest severity on any machine.
    pub severity: Severity,
    /// The machines that deviate, in the order of the lines.
    pub machines: Vec<usize>,
    /// How many machines of each Windows deviate, most first.
    pub windows: Vec<(String, usize)>,
    /// The observed data of these machines, by their numbers, most frequent first.
    pub data: Vec<(u32, usize)>,
    /// The earliest last write of a key that deviates.
    pub first: Option<Dated>,
    /// The latest last write of a key that deviates.
    pub last: Option<Dated>,
    /// How many machines have no plausible time for it.
    pub undated: usize,
}

/// A time, and the machine that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dated {
    /// When the key was last written.
    pub time: FileTime,
    /// The machine, by its number.
    pub machine: usize,
}

/// The deviations of one expectation, while they are gathered.
#[derive(Default)]
struct Gathered {
    severity: Option<Severity>,
    machines: BTreeSet<usize>,
    data: BTreeMap<u32, BTreeSet<usize>>,
    dated: BTreeSet<usize>,
    first: Option<Dated>,
    last: Option<Dated>,
}

impl Fleet {
    /// Returns what is wrong, worst first; among equals, on the most machines first.
    pub fn wrong(&self) -> Vec<Wrong> {
        let mut all: BTreeMap<u32, Gathered> = BTreeMap::new();
        for (number, machine) in self.counted() {
            for (observation, severity) in machine.deviations() {
                let gathered = all.entry(observation.expectation).or_default();
                gathered.severity = gathered.severity.max(Some(severity));
                gathered.machines.insert(number);
                gathered.data.entry(observation.datum).or_default().insert(number);
                let Some(time) = observation.written else { continue };
                let dated = Dated { time, machine: number };
                gathered.dated.insert(number);
                gathered.first = Some(gathered.first.map_or(dated, |first| first.min(dated)));
                // Of equal times the first machine is named.
                gathered.last = Some(gathered.last.filter(|last| last.time >= time).unwrap_or(dated));
            }
        }
        let told = all.into_iter().filter_map(|(expectation, gathered)| self.told(expectation, gathered));
        let mut wrong: Vec<Wrong> = told.collect();
        wrong.sort_by(|a, b| {
            let rank = |one: &Wrong| (Reverse(one.severity), Reverse(one.machines.len()));
            rank(a).cmp(&rank(b)).then_with(|| self.id(a.expectation).cmp(self.id(b.expectation)))
        });
        wrong
    }

    fn told(&self, expectation: u32, gathered: Gathered) -> Option<Wrong> {
        let mut windows: BTreeMap<&str, usize> = BTreeMap::new();
        for machine in gathered.machines.iter().filter_map(|number| self.machines.get(*number)) {
            let counter = windows.entry(&machine.windows).or_default();
            *counter = counter.saturating_add(1);
        }
        let mut windows: Vec<(String, usize)> =
            windows.into_iter().map(|(name, number)| (name.to_owned(), number)).collect();
        windows.sort_by_key(|(_, number)| Reverse(*number));
        let mut data: Vec<(u32, usize)> =
            gathered.data.into_iter().map(|(datum, machines)| (datum, machines.len())).collect();
        data.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| self.datum(a.0).cmp(self.datum(b.0))));
        Some(Wrong {
            expectation,
            severity: gathered.severity?,
            windows,
            data,
            first: gathered.first,
            last: gathered.last,
            undated: gathered.machines.len().saturating_sub(gathered.dated.len()),
            machines: gathered.machines.into_iter().collect(),
        })
    }
}
