//! Machines that share a set of deviations.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Fleet;
use super::machine::{Machine, State};
use crate::finding::Severity;

/// Machines with the same deviations, of the same severity, and with the same expectations that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What the machines have in common, by the numbers of expectations. Empty if there is nothing to report.
    pub cells: Vec<(u32, Cell)>,
    /// The machines, in the order of the lines.
    pub machines: Vec<usize>,
}

/// What there is to report of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Should have been judged and could not be.
    Unexamined,
    /// Deviates.
    Deviates(Severity),
}

impl Group {
    /// Returns the deviations.
    pub fn deviations(&self) -> impl Iterator<Item = (u32, Severity)> {
        self.cells.iter().filter_map(|(expectation, cell)| match cell {
            Cell::Deviates(severity) => Some((*expectation, *severity)),
            Cell::Unexamined => None,
        })
    }

    /// Returns the highest severity.
    pub fn worst(&self) -> Option<Severity> {
        self.deviations().map(|(_, severity)| severity).max()
    }
}

impl Fleet {
    /// Returns the groups of machines with deviations, worst first; among equals, of the most machines first.
    ///
    /// Machines without deviations are in no group.
    pub fn groups(&self) -> Vec<Group> {
        let mut all: BTreeMap<Vec<(u32, Cell)>, Vec<usize>> = BTreeMap::new();
        for (number, machine) in self.counted().filter(|(_, machine)| machine.worst().is_some()) {
            all.entry(cells(machine)).or_default().push(number);
        }
        let mut groups: Vec<Group> = all.into_iter().map(|(cells, machines)| Group { cells, machines }).collect();
        groups.sort_by_cached_key(|group| {
            let worst = group.worst();
            let as_bad = group.deviations().filter(|(_, severity)| Some(*severity) == worst).count();
            (Reverse(worst), Reverse(group.machines.len()), Reverse(as_bad), group.machines.first().copied())
        });
        groups
    }
}

/// Returns what there is to report of a machine, once for each expectation: the worst, if several control sets differ.
fn cells(machine: &Machine) -> Vec<(u32, Cell)> {
    let mut cells: BTreeMap<u32, Cell> = BTreeMap::new();
    for observation in &machine.observations {
        let cell = match observation.state {
            State::Deviates(severity) => Cell::Deviates(severity),
            State::Unexamined => Cell::Unexamined,
            State::Conforms | State::Informs | State::Aside => continue,
        };
        let known = cells.entry(observation.expectation).or_insert(cell);
        *known = (*known).max(cell);
    }
    cells.into_iter().collect()
}
