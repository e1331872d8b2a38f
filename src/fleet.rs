//! Many machines at once, from the lines of any number of runs (`--format jsonl`).
//!
//! The lines are read one by one. Of each machine only its names, its gaps and one small entry per finding are kept;
//! texts that machines share are kept once. So memory grows with the machines, not with the text of the records.
//!
//! Only installations of the current generation are machines. Older generations are counted and not judged again.

use std::sync::Arc;

use crate::error::Gap;

mod doubles;
mod groups;
mod lines;
mod machine;
mod missing;
mod names;
mod odd;
mod reading;
mod source;
mod unanswered;
mod words;
mod wrong;

pub use doubles::{Double, Likeness, Lookalikes};
pub use groups::{Cell, Group};
pub use machine::{Completeness, Machine, Observation, Place, State};
pub use odd::{Odd, Usual};
pub use reading::read;
pub use source::{LineFile, LineRun, Unread};
pub use unanswered::Reasons;
pub use wrong::{Dated, Wrong};

/// What the lines say of all machines.
#[derive(Debug, Default)]
pub struct Fleet {
    /// The files, in the order of the arguments.
    pub files: Vec<LineFile>,
    /// The runs, in the order of the lines.
    pub runs: Vec<LineRun>,
    /// The machines in the order of the lines, including those that are there twice.
    pub machines: Vec<Machine>,
    /// The names that tell the machines apart, in the same order.
    pub names: Vec<String>,
    /// What was expected, by the numbers in [`Observation`].
    pub expectations: Vec<Expectation>,
    /// The observed data as text, by the numbers in [`Observation`].
    pub data: Vec<Arc<str>>,
    /// The gaps of no machine: evidence in which none was found, sources that were refused.
    pub apart: Vec<Gap>,
    /// How many more there are.
    pub more_apart: usize,
    /// The lines that were not read, and records that contradict each other. The first ones of many.
    pub unread: Vec<Unread>,
    /// How many more there are.
    pub more_unread: usize,
    /// Machines that are in the lines more than once.
    pub doubles: Vec<Double>,
    /// Machines that may be one machine, but are counted separately.
    pub lookalikes: Vec<Lookalikes>,
}

/// What was expected of a value, a key or a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The id of its findings.
    pub id: String,
    /// The full path of the key and the name of the value, as the first machine has them.
    pub place: String,
}

impl Fleet {
    /// Returns the machines that count, with their numbers: each machine once.
    pub fn counted(&self) -> impl Iterator<Item = (usize, &Machine)> {
        self.machines.iter().enumerate().filter(|(_, machine)| machine.double_of.is_none())
    }

    /// Returns whether everything that the runs wrote was read: no run is truncated, and no line is missing.
    pub fn is_whole(&self) -> bool {
        let files = self.files.iter().all(|file| file.runs > 0);
        files && self.unread.is_empty() && self.runs.iter().all(LineRun::is_whole)
    }

    /// Returns the name that tells a machine apart.
    pub fn name(&self, machine: usize) -> &str {
        self.names.get(machine).map_or("", String::as_str)
    }

    /// Returns the id of an expectation.
    pub fn id(&self, expectation: u32) -> &str {
        self.expectation(expectation).map_or("", |expectation| &expectation.id)
    }

    /// Returns an expectation by its number.
    pub fn expectation(&self, number: u32) -> Option<&Expectation> {
        self.expectations.get(usize::try_from(number).ok()?)
    }

    /// Returns observed data by their number.
    pub fn datum(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|number| self.data.get(number)).map_or("", |text| text)
    }
}

#[cfg(test)]
mod tests;
