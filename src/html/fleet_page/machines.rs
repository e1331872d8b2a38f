//! A line for each machine, worst first. Machines with nothing to report are folded.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::io;

use askama::Template;

use super::super::text::Text;
use super::fitting;
use super::refer::{Link, Shown, cut, left_out};
use crate::finding::Severity;
use crate::fleet::{Completeness, Fleet, Group};
use crate::report::table::fleet::{Shared, without_windows_own_folders};
use crate::report::table::{count, grouped, word};

/// The most bytes of all lines.
const MOST: usize = 2_400_000;
/// The most columns of a name of a Windows, and of the part of a path that tells machines apart.
const WINDOWS: usize = 40;
const EVIDENCE: usize = 100;

/// The machines that count, worst first.
pub(super) struct Standings {
    pub(super) lines: Vec<Standing>,
}

/// The result of a machine.
pub(super) struct Standing {
    pub(super) machine: usize,
    pub(super) worst: Option<Severity>,
    pub(super) completeness: Completeness,
    findings: usize,
    /// The position of its group, from 1; 0 without deviations.
    group: usize,
}

impl Standing {
    /// Returns whether there is nothing to report.
    pub(super) fn is_well(&self) -> bool {
        self.worst.is_none() && self.completeness == Completeness::Complete
    }
}

impl Standings {
    pub(super) fn of(fleet: &Fleet, groups: &[Group]) -> Self {
        let group_of: HashMap<usize, usize> = (1_usize..)
            .zip(groups)
            .flat_map(|(place, group)| group.machines.iter().map(move |machine| (*machine, place)))
            .collect();
        let standing = |(number, machine): (usize, &crate::fleet::Machine)| Standing {
            machine: number,
            worst: machine.worst(),
            completeness: machine.completeness(),
            findings: machine.deviations().count(),
            group: group_of.get(&number).copied().unwrap_or_default(),
        };
        let mut lines: Vec<Standing> = fleet.counted().map(standing).collect();
        lines.sort_by_key(|line| {
            let group = if line.group == 0 { usize::MAX } else { line.group };
            (Reverse(line.worst), line.completeness, group, line.machine)
        });
        Self { lines }
    }
}

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/machines.html")]
pub(super) struct MachinesPart {
    shared: Text,
    rows: String,
    number: usize,
    well: String,
    well_number: String,
    left_out: String,
}

#[derive(Template)]
#[template(path = "fleet/machine.html")]
struct Row {
    machine: usize,
    worst: Option<String>,
    state: &'static str,
    is_complete: bool,
    name: Text,
    windows: Text,
    findings: String,
    group: Option<Link>,
    evidence: Text,
}

impl MachinesPart {
    pub(super) fn of(fleet: &Fleet, standings: &Standings, shown: &Shown) -> io::Result<Self> {
        let shared = shared(fleet);
        let row = |line: &Standing| Row::of(fleet, line, &shared, shown);
        let telling = standings.lines.iter().filter(|line| !line.is_well());
        let (rows, number) = fitting(telling.map(row), MOST)?;
        let well = || standings.lines.iter().filter(|line| line.is_well());
        let (well_rows, well_number) = fitting(well().map(row), MOST.saturating_sub(rows.len()))?;
        let all = standings.lines.len();
        let pattern = shared.pattern();
        Ok(Self {
            shared: Text::shown(pattern.trim().trim_matches(['(', ')']).to_owned()),
            rows,
            number,
            well: well_rows,
            well_number: count(well().count(), "machine"),
            left_out: left_out(all, number.saturating_add(well_number), "machines"),
        })
    }

    /// Returns the machines whose lines fit.
    pub(super) fn shown(&self, standings: &Standings) -> BTreeSet<usize> {
        let telling = standings.lines.iter().filter(|line| !line.is_well()).take(self.number);
        let well = standings.lines.iter().filter(|line| line.is_well()).take(self.well.lines().count());
        telling.chain(well).map(|line| line.machine).collect()
    }
}

fn shared(fleet: &Fleet) -> Shared<'_> {
    Shared::of(fleet.counted().map(|(_, machine)| without_windows_own_folders(&machine.evidence)))
}

impl Row {
    fn of(fleet: &Fleet, line: &Standing, shared: &Shared<'_>, shown: &Shown) -> Self {
        let machine = fleet.machines.get(line.machine);
        let evidence = machine.map_or("", |machine| without_windows_own_folders(&machine.evidence));
        let windows = machine.map_or("", |machine| &machine.windows);
        let is_known = line.completeness != Completeness::NoAnswer || line.findings > 0;
        Self {
            machine: line.machine,
            worst: line.worst.map(|worst| word(&worst)),
            state: match line.completeness {
                Completeness::NoAnswer => "no answer",
                Completeness::Incomplete => "incomplete",
                Completeness::Complete => "complete",
            },
            is_complete: line.completeness == Completeness::Complete,
            name: super::refer::name(fleet, line.machine),
            windows: cut(windows, WINDOWS),
            // A count that was not determined is not 0.
            findings: if is_known { grouped(line.findings as u64) } else { "–".to_owned() },
            group: (line.group > 0).then(|| shown.group(line.group)),
            evidence: cut(shared.rest_of(evidence), EVIDENCE),
        }
    }
}
