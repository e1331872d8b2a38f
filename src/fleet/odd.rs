//! The odd one out: data that few machines of a Windows have where most agree.

use std::collections::{BTreeMap, BTreeSet};

use super::Fleet;
use super::machine::State;
use crate::finding::Severity;
use crate::os::OsId;

/// The fewest machines of a Windows among which one can be odd.
const FEWEST: usize = 10;
/// Data are odd if one in so many machines has them or fewer; a single machine always may be odd.
const ONE_IN: usize = 50;

/// Data that few machines of a Windows have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// The Windows.
    pub windows: String,
    /// The expectation, by its number.
    pub expectation: u32,
    /// The data, by their number.
    pub datum: u32,
    /// The severity if the data deviate; `None` if they conform, or nobody judges them.
    pub severity: Option<Severity>,
    /// The machines that have them, in the order of the lines.
    pub machines: Vec<usize>,
    /// How many machines of that Windows have a known answer.
    pub of: usize,
    /// What most of them have.
    pub usual: Usual,
    /// How many have that.
    pub usual_on: usize,
}

/// What most machines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usual {
    /// Data that conform and are not in the lines: the run was made without `--all`.
    Conforms,
    /// These data, by their number.
    Datum(u32),
}

/// The machines of one Windows with something to compare for one expectation.
#[derive(Default)]
struct Compared {
    data: BTreeMap<u32, BTreeSet<usize>>,
    severity: BTreeMap<u32, Severity>,
    /// The machines with a finding, whatever it says.
    seen: BTreeSet<usize>,
    /// Whether the expectation is judged: then a machine without a finding conforms.
    judged: bool,
}

impl Fleet {
    /// Returns what is odd: deviations first, worst first, then by Windows and expectation.
    pub fn odd(&self) -> Vec<Odd> {
        // The machines of each Windows that were judged, and those whose run wrote only what does not conform.
        let mut judged: BTreeMap<OsId, (&str, usize, BTreeSet<usize>)> = BTreeMap::new();
        let mut all: BTreeMap<(OsId, u32), Compared> = BTreeMap::new();
        for (number, machine) in self.counted().filter(|(_, machine)| machine.assessed > 0) {
            let options = self.runs.get(machine.run).and_then(|run| run.options.as_ref());
            let of_windows = judged.entry(machine.os).or_insert((&machine.windows, 0, BTreeSet::new()));
            of_windows.1 = of_windows.1.saturating_add(1);
            if options.is_some_and(|options| !options.all) && machine.missing() == 0 {
                of_windows.2.insert(number);
            }
            for observation in &machine.observations {
                let compared = all.entry((machine.os, observation.expectation)).or_default();
                compared.seen.insert(number);
                compared.judged |= observation.state != State::Informs;
                if matches!(observation.state, State::Unexamined | State::Aside) {
                    continue;
                }
                compared.data.entry(observation.datum).or_default().insert(number);
                if let State::Deviates(severity) = observation.state {
                    compared.severity.insert(observation.datum, severity);
                }
            }
        }
        let mut odd = Vec::new();
        for ((os, expectation), compared) in &all {
            let Some((windows, number, implied)) = judged.get(os) else { continue };
            if *number >= FEWEST {
                odd.extend(compared.odd(windows, *expectation, implied));
            }
        }
        odd.sort_by(|a, b| {
            let rank = |one: &Odd| (std::cmp::Reverse(one.severity), one.machines.len());
            rank(a)
                .cmp(&rank(b))
                .then_with(|| a.windows.cmp(&b.windows))
                .then_with(|| self.id(a.expectation).cmp(self.id(b.expectation)))
                .then_with(|| a.machines.cmp(&b.machines))
        });
        odd
    }
}

impl Compared {
    /// Returns the odd data of one expectation. `implied` are the machines that conform if they have no finding.
    fn odd(&self, windows: &str, expectation: u32, implied: &BTreeSet<usize>) -> Vec<Odd> {
        let conforming = if self.judged { implied.difference(&self.seen).count() } else { 0 };
        let numbers = self.data.iter().map(|(datum, machines)| (Usual::Datum(*datum), machines.len()));
        let mut numbers: Vec<(Usual, usize)> = numbers.chain([(Usual::Conforms, conforming)]).collect();
        numbers.sort_unstable();
        let of = numbers.iter().map(|(_, number)| number).fold(0, |sum: usize, number| sum.saturating_add(*number));
        let Some((usual, usual_on)) = numbers.iter().copied().max_by_key(|(_, number)| *number) else {
            return Vec::new();
        };
        // Without a majority nothing is usual, so nothing is odd.
        if of < FEWEST || usual_on <= of / 2 {
            return Vec::new();
        }
        let most = (of / ONE_IN).max(1);
        let is_odd =
            |(datum, machines): &(&u32, &BTreeSet<usize>)| machines.len() <= most && usual != Usual::Datum(**datum);
        let told = |(datum, machines): (&u32, &BTreeSet<usize>)| Odd {
            windows: windows.to_owned(),
            expectation,
            datum: *datum,
            severity: self.severity.get(datum).copied(),
            machines: machines.iter().copied().collect(),
            of,
            usual,
            usual_on,
        };
        self.data.iter().filter(is_odd).map(told).collect()
    }
}
