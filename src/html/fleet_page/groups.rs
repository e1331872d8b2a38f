//! Machines that share a set of deviations.

use std::io;

use askama::Template;

use super::fitting;
use super::refer::{Link, Names, Shown, left_out};
use crate::finding::Severity;
use crate::fleet::{Cell, Fleet, Group};
use crate::report::table::{count, grouped, word};

/// The most bytes of all rows.
const MOST: usize = 450_000;
/// The most deviations that a row names.
const MOST_NAMED: usize = 12;

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/groups.html")]
pub(super) struct GroupsPart {
    rows: String,
    number: usize,
    left_out: String,
}

#[derive(Template)]
#[template(path = "fleet/group.html")]
struct Row {
    place: usize,
    machines: String,
    deviations: Vec<Deviation>,
    more: String,
    unexamined: String,
    names: Names,
}

struct Deviation {
    severity: String,
    finding: Link,
}

impl GroupsPart {
    pub(super) fn of(fleet: &Fleet, groups: &[Group], shown: &Shown) -> io::Result<Self> {
        let rows = (1_usize..).zip(groups).map(|(place, group)| Row::of(fleet, group, place, shown));
        let (rows, number) = fitting(rows, MOST)?;
        Ok(Self { rows, number, left_out: left_out(groups.len(), number, "groups") })
    }

    /// Returns how many groups fit.
    pub(super) fn shown(&self) -> usize {
        self.number
    }
}

impl Row {
    fn of(fleet: &Fleet, group: &Group, place: usize, shown: &Shown) -> Self {
        let mut deviations: Vec<(u32, Severity)> = group.deviations().collect();
        let order = |expectation: &u32| shown.places.get(expectation).copied().unwrap_or(usize::MAX);
        deviations.sort_by_key(|(expectation, severity)| (std::cmp::Reverse(*severity), order(expectation)));
        let more = deviations.len().saturating_sub(MOST_NAMED);
        let unexamined = group.cells.iter().filter(|(_, cell)| *cell == Cell::Unexamined).count();
        let named = deviations.iter().take(MOST_NAMED).map(|(expectation, severity)| Deviation {
            severity: word(severity),
            finding: shown.finding(fleet, *expectation),
        });
        Self {
            place,
            machines: grouped(group.machines.len() as u64),
            deviations: named.collect(),
            more: if more == 0 { String::new() } else { format!("and {} more", grouped(more as u64)) },
            unexamined: match unexamined {
                0 => String::new(),
                number => format!("{} could not be judged", count(number, "expectation")),
            },
            names: shown.names(fleet, &group.machines),
        }
    }
}
