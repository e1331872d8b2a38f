//! Machines that are in the lines more than once, and machines that may be one.

use std::collections::BTreeMap;

use super::Fleet;
use super::machine::{Completeness, Machine};
use super::source::LineRun;
use crate::registry::{FileTime, Role};

/// A machine that is there again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Double {
    /// The machine that counts.
    pub counted: usize,
    /// The same machine again, which does not count.
    pub again: usize,
    /// Whether both have the same deviations and the same completeness.
    pub agrees: bool,
}

/// Machines that may be one machine. They are counted separately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookalikes {
    /// Why they may be one.
    pub likeness: Likeness,
    /// Their numbers.
    pub machines: Vec<usize>,
}

/// What machines have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Label and evidence, but not the hives.
    Name,
    /// All bytes of SOFTWARE and SYSTEM, but neither label nor evidence.
    Hives,
}

/// A computer by its name and the time when its Windows was installed.
type Computer<'m> = (Option<&'m str>, Option<FileTime>);

/// Marks machines that are there again, and notes machines that may be one.
pub(super) fn find(fleet: &mut Fleet) {
    let mut named: BTreeMap<(Option<&str>, &str), Vec<usize>> = BTreeMap::new();
    for (number, machine) in fleet.machines.iter().enumerate() {
        named.entry((machine.label.as_deref(), &machine.evidence)).or_default().push(number);
    }
    let (mut doubles, mut lookalikes) = (Vec::new(), Vec::new());
    for numbers in named.into_values().filter(|numbers| numbers.len() > 1) {
        let kept = separate(fleet, &numbers, &mut doubles);
        if kept.len() > 1 {
            lookalikes.push(Lookalikes { likeness: Likeness::Name, machines: kept });
        }
    }
    doubles.sort_by_key(|double| double.again);
    for double in &doubles {
        if let Some(again) = fleet.machines.get_mut(double.again) {
            again.double_of = Some(double.counted);
        }
    }
    lookalikes.extend(same_bytes(fleet));
    fleet.doubles = doubles;
    fleet.lookalikes = lookalikes;
}

/// Tells machines of one name apart. Returns those that count: of each machine, the one with the best answer.
fn separate(fleet: &Fleet, numbers: &[usize], doubles: &mut Vec<Double>) -> Vec<usize> {
    let mut apart: Vec<Vec<usize>> = Vec::new();
    let mut by_hives: BTreeMap<&[(Role, String)], usize> = BTreeMap::new();
    // Without hashes the computer decides. A record with hashes is compared with those without, too.
    let mut by_computer: BTreeMap<Computer<'_>, usize> = BTreeMap::new();
    let mut without_hashes: BTreeMap<Computer<'_>, usize> = BTreeMap::new();
    for number in numbers {
        let Some(machine) = fleet.machines.get(*number) else { continue };
        let computer = (machine.computer.as_deref(), machine.installed);
        let known = if machine.hives.is_empty() {
            by_computer.get(&computer)
        } else {
            by_hives.get(machine.hives.as_slice()).or_else(|| without_hashes.get(&computer))
        };
        let place = known.copied().unwrap_or(apart.len());
        by_computer.entry(computer).or_insert(place);
        if machine.hives.is_empty() {
            without_hashes.entry(computer).or_insert(place);
        } else {
            by_hives.entry(&machine.hives).or_insert(place);
        }
        match apart.get_mut(place) {
            Some(same) => same.push(*number),
            None => apart.push(vec![*number]),
        }
    }
    let mut counting = Vec::new();
    for same in apart {
        // The first of the best.
        let Some(counted) = same.iter().copied().rev().max_by_key(|number| quality(fleet, *number)) else { continue };
        counting.push(counted);
        for again in same.into_iter().filter(|number| *number != counted) {
            doubles.push(Double { counted, again, agrees: agree(fleet, counted, again) });
        }
    }
    counting.sort_unstable();
    counting
}

/// Returns how good an answer is: all of its findings were read, its run was written to its end, and what it says.
fn quality(fleet: &Fleet, number: usize) -> (bool, bool, Option<Completeness>) {
    let machine = fleet.machines.get(number);
    let whole = machine.and_then(|machine| fleet.runs.get(machine.run)).is_some_and(LineRun::is_whole);
    let nothing_missing = machine.is_some_and(|machine| machine.missing() == 0);
    (nothing_missing, whole, machine.map(Machine::completeness))
}

fn agree(fleet: &Fleet, one: usize, other: usize) -> bool {
    let facts = |number: usize| {
        let machine = fleet.machines.get(number)?;
        let mut deviations: Vec<_> = machine.deviations().map(|(one, severity)| (one.expectation, severity)).collect();
        deviations.sort_unstable();
        Some((deviations, machine.completeness()))
    };
    facts(one) == facts(other)
}

/// Returns machines of different names whose hives have the same bytes.
fn same_bytes(fleet: &Fleet) -> impl Iterator<Item = Lookalikes> {
    let mut by_bytes: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
    for (number, machine) in fleet.counted().filter(|(_, machine)| !machine.hives.is_empty()) {
        let sums = machine.hives.iter().map(|(_, sum)| sum.as_str()).collect();
        by_bytes.entry(sums).or_default().push(number);
    }
    let mut groups: Vec<Vec<usize>> = by_bytes.into_values().filter(|numbers| numbers.len() > 1).collect();
    groups.sort();
    groups.into_iter().map(|machines| Lookalikes { likeness: Likeness::Hives, machines })
}
