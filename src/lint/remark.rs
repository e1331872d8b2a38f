//! Remarks: diagnostics merged so that each appears once for a file, with its lines.

use std::collections::BTreeMap;

use super::excerpt::Excerpt;
use crate::reg_file::{Code, Diagnostic, Severity, Text};

/// The most lines of one remark that are kept. More are counted.
const MOST_LINES: usize = 10_000;

/// One remark on a file.
#[derive(Clone, Debug)]
pub(super) struct Remark {
    /// The diagnostic at the first place.
    pub(super) first: Diagnostic,
    /// The number of places.
    pub(super) count: usize,
    pub(super) lines: LinesSeen,
    /// The line of the first place; `None` if there is no text to show.
    pub(super) excerpt: Option<Excerpt>,
    /// The number of the diagnostic at the first place, in the order in which they were found.
    turn: usize,
}

/// The lines of all places of a remark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LinesSeen {
    /// The first lines, ascending, and how often each is there.
    kept: Vec<(usize, usize)>,
    /// The number of different lines.
    pub(super) different: usize,
    /// A sum over all lines, to tell whether two remarks are on the same lines.
    sum: u64,
    /// The last line.
    last: usize,
}

impl LinesSeen {
    /// Adds a line. Nearly always it is the last one; the first line of a statement may come after the others.
    fn add(&mut self, line: usize) {
        let mut is_new = line > self.last;
        match self.kept_at(line) {
            Ok(place) => {
                if let Some((_, times)) = self.kept.get_mut(place) {
                    *times = times.saturating_add(1);
                }
            }
            Err(place) if place < MOST_LINES => {
                self.kept.insert(place, (line, 1));
                self.kept.truncate(MOST_LINES);
                is_new = true;
            }
            Err(_) => {}
        }
        self.last = self.last.max(line);
        self.different = self.different.saturating_add(usize::from(is_new));
        self.sum = self.sum.wrapping_add(mixed(line));
    }

    fn kept_at(&self, line: usize) -> Result<usize, usize> {
        match self.kept.last() {
            Some(&(last, _)) if last < line => Err(self.kept.len()),
            _ => self.kept.binary_search_by_key(&line, |&(line, _)| line),
        }
    }

    /// Returns the first lines, ascending, each as often as it is there.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.kept.iter().flat_map(|&(line, times)| std::iter::repeat_n(line, times))
    }

    /// Returns the first lines after the first place, ascending and each once, and the number of all of them.
    pub(super) fn further(&self) -> (impl Iterator<Item = usize>, usize) {
        let is_alone = self.kept.first().is_some_and(|&(_, times)| times == 1);
        let lines = self.kept.iter().skip(usize::from(is_alone)).map(|&(line, _)| line);
        (lines, self.different.saturating_sub(usize::from(is_alone)))
    }
}

/// Spreads a number over 64 bits (splitmix64), so that sums of different lines differ.
fn mixed(line: usize) -> u64 {
    let mixed = (line as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The remarks so far, and what follows from all of them.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    places: BTreeMap<(Code, Option<&'static str>), usize>,
    list: Vec<Remark>,
    /// The worst severity.
    pub(super) worst: Option<Severity>,
    /// Whether a diagnostic concerns behaviour that is not known.
    pub(super) has_guesses: bool,
    count: usize,
}

impl Remarks {
    /// Adds a diagnostic. It is merged with those that are equal apart from the place.
    pub(super) fn add(&mut self, found: Diagnostic, line: Option<Text<'_>>) {
        self.count = self.count.saturating_add(1);
        self.worst = self.worst.max(Some(found.code.severity()));
        self.has_guesses |= !found.code.is_established();
        let next = self.list.len();
        let at = *self.places.entry((found.code, found.instead)).or_insert(next);
        if at == next {
            let lines = LinesSeen::default();
            self.list.push(Remark { first: found, count: 0, lines, excerpt: None, turn: usize::MAX });
        }
        let Some(remark) = self.list.get_mut(at) else { return };
        remark.count = remark.count.saturating_add(1);
        remark.lines.add(found.line);
        if remark.turn == usize::MAX || (found.line, found.column) < (remark.first.line, remark.first.column) {
            remark.first = found;
            remark.turn = self.count;
            remark.excerpt = line.map(|line| excerpt(line, found.column));
        }
    }

    /// Returns the remarks in the order of their first places.
    pub(super) fn finish(mut self) -> Vec<Remark> {
        self.list.sort_by_key(|remark| (remark.first.line, remark.first.column, remark.turn));
        self.list
    }
}

/// Returns an excerpt of a line as a text editor shows it.
fn excerpt(line: Text<'_>, column: usize) -> Excerpt {
    match line {
        Text::Units(units) => Excerpt::of(units, column),
        Text::Bytes(bytes) => {
            let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
            let units: Vec<u16> = String::from_utf8_lossy(line).encode_utf16().collect();
            Excerpt::of(&units, column)
        }
    }
}

/// Adds remarks for another importer. Equal remarks on the same lines are merged.
pub(super) fn join(remarks: &mut Vec<Remark>, others: Vec<Remark>) {
    for other in others {
        let same = |remark: &&mut Remark| {
            (remark.first.code, remark.first.instead, remark.count, &remark.lines)
                == (other.first.code, other.first.instead, other.count, &other.lines)
        };
        match remarks.iter_mut().find(same) {
            Some(remark) => remark.first.importers = remark.first.importers.and(other.first.importers),
            None => remarks.push(other),
        }
    }
    remarks.sort_by_key(|remark| (remark.first.line, remark.first.column));
}
