//! Names of machines, findings and groups, as links to their rows if these are on the page.

use std::collections::{BTreeSet, HashMap};

use super::super::text::Text;
use crate::fleet::{Fleet, Group, Wrong};
use crate::registry::FileTime;
use crate::report::table::fleet::cut_in_the_middle;
use crate::report::table::{data, grouped};

/// The most machines that a row names. The others are counted.
const MOST_NAMED: usize = 8;
/// The most columns of a name in a list.
const NAME: usize = 60;

/// The rows that are on the page.
pub(super) struct Shown {
    /// Machines, by number.
    pub(super) machines: BTreeSet<usize>,
    /// How many findings, in their order.
    pub(super) wrong: usize,
    /// The positions of findings in their list, by expectation.
    pub(super) places: HashMap<u32, usize>,
    /// How many groups, in their order.
    pub(super) groups: usize,
}

/// A name that may be a link.
pub(super) struct Link {
    /// The link target; empty if its row is not on the page.
    pub(super) anchor: String,
    pub(super) text: Text,
}

/// Some names, and how many there are beside them.
pub(super) struct Names {
    pub(super) links: Vec<Link>,
    pub(super) more: String,
}

impl Shown {
    /// Returns the rows of all machines, findings and groups.
    pub(super) fn everything(fleet: &Fleet, wrong: &[Wrong], groups: &[Group]) -> Self {
        Self {
            machines: fleet.counted().map(|(number, _)| number).collect(),
            wrong: wrong.len(),
            places: wrong.iter().map(|one| one.expectation).zip(1..).collect(),
            groups: groups.len(),
        }
    }

    /// Returns the name of a machine.
    pub(super) fn machine(&self, fleet: &Fleet, number: usize) -> Link {
        let anchor = if self.machines.contains(&number) { format!("m{number}") } else { String::new() };
        Link { anchor, text: name(fleet, number) }
    }

    /// Returns the first names of some machines.
    pub(super) fn names(&self, fleet: &Fleet, machines: &[usize]) -> Names {
        let more = machines.len().saturating_sub(MOST_NAMED);
        Names {
            links: machines.iter().take(MOST_NAMED).map(|number| self.machine(fleet, *number)).collect(),
            more: if more == 0 { String::new() } else { format!("and {} more", grouped(more as u64)) },
        }
    }

    /// Returns the id of an expectation, linked to its row among the findings.
    pub(super) fn finding(&self, fleet: &Fleet, expectation: u32) -> Link {
        let place = self.places.get(&expectation).filter(|place| **place <= self.wrong);
        let anchor = place.map_or_else(String::new, |place| format!("f{place}"));
        Link { anchor, text: id(fleet, expectation) }
    }

    /// Returns a link to a group, by its position from 1.
    pub(super) fn group(&self, place: usize) -> Link {
        let anchor = if place <= self.groups { format!("g{place}") } else { String::new() };
        Link { anchor, text: Text::from(grouped(place as u64)) }
    }
}

/// Returns the name of a machine, cut if it is long.
pub(super) fn name(fleet: &Fleet, number: usize) -> Text {
    cut(fleet.name(number), NAME)
}

/// Returns the id of an expectation, cut if it is long.
pub(super) fn id(fleet: &Fleet, expectation: u32) -> Text {
    cut(fleet.id(expectation), NAME)
}

/// Returns a name from evidence in at most so many columns.
pub(super) fn cut(text: &str, columns: usize) -> Text {
    Text::shown(cut_in_the_middle(&data::name(text), columns))
}

/// Returns text that is escaped already, such as observed data, in at most so many columns.
pub(super) fn cut_shown(text: &str, columns: usize) -> Text {
    Text::shown(cut_in_the_middle(text, columns))
}

/// Returns a time as `2012-03-20 15:40 UTC`.
pub(super) fn short_time(time: FileTime) -> Text {
    Text::shown(data::short_times(&time.to_string()))
}

/// Returns a share as `12 %`; a share that is not 0 is never shown as 0.
pub(super) fn share(part: usize, whole: usize) -> String {
    let percent = part.saturating_mul(100).checked_div(whole).unwrap_or_default();
    if percent == 0 && part > 0 { "under 1 %".to_owned() } else { format!("{percent} %") }
}

/// Returns a sentence on rows that are not on the page; empty if all are there.
pub(super) fn left_out(all: usize, shown: usize, what: &str) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!("Not listed here: {} more {what}. The lines have them.", grouped(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_0_unless_it_is_nothing() {
        assert_eq!([share(0, 5), share(1, 5000), share(1, 4), share(4, 4)], ["0 %", "under 1 %", "25 %", "100 %"]);
        assert_eq!(share(0, 0), "0 %");
    }
}
