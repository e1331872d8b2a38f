//! The ledger: the outcome of each source. Whether a report is complete is computed from the ledger, and nowhere else.
//!
//! A source is an argument, a container, a volume, or a file that looks like a hive, a log or a container. Each ends as
//! read, refused or irrelevant, with the reason. Ordinary files are only counted, in the source that holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::file_system::Vouched;
use crate::error::{Code, Problem};

mod gaps;
mod parts;

/// Why a log is skipped.
pub const LONE_LOG: &str = "transaction log without a hive beside it";
/// What is said of a container whose logs belong to a hive in another container.
const LENT: &str = "its transaction logs were examined with a hive in another container";
/// Refusals of one kind in one container that are listed one by one; the rest are counted.
const MOST_TOLD: usize = 20;

/// The outcome of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Not ended: the run stopped first.
    Pending,
    /// The source was read.
    Read,
    /// The source was not read, or not whole.
    Refused {
        /// Where, expected, found, what to do; and the code.
        problem: Problem,
        /// Whether the refusal makes the report incomplete.
        gap: bool,
    },
    /// The source cannot matter; the reason.
    Irrelevant(String),
}

/// The number of files in a source, and their outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Files in the source.
    pub seen: u64,
    /// Files that were read.
    pub read: u64,
    /// Files that were refused.
    pub refused: u64,
    /// Files that look like a hive, a log or a container, and cannot matter.
    pub irrelevant: u64,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where the source is, as a locator.
    pub locator: String,
    /// The user's name for the machine or the exhibit that the source belongs to.
    pub label: Option<String>,
    /// The kind of source: `folder`, `hive`, `log`, a format, a file system.
    pub kind: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Remarks, in sentences: the places that were searched, the files that were skipped.
    pub notes: Vec<String>,
    /// Whether a checksum proves the source's bytes.
    pub vouched: Vouched,
    /// The files in the source.
    pub members: Members,
    /// Skipped files, by reason.
    passed: BTreeMap<String, u64>,
    /// Whether the bytes do not affect completeness: a hive other than SOFTWARE and SYSTEM, or an older generation.
    aside: bool,
    /// Refusals of each kind that are not listed.
    unlisted: BTreeMap<Code, (u64, bool)>,
    /// Refusals of each kind that are listed.
    listed: BTreeMap<Code, usize>,
    /// Whether the source is a refused member of the outer source of a part; see [`Ledger::of_part`].
    of_outer: bool,
}

/// The number of a source in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceId(usize);

impl SourceId {
    /// In the ledger of a part of the evidence: the source that the part is in; see [`Ledger::of_part`].
    pub const OUTER: Self = Self(0);

    /// Returns the number of the same source after its ledger was appended to one of `first` sources.
    #[must_use]
    pub fn behind(self, first: usize) -> Self {
        Self(self.0.saturating_add(first))
    }
}

/// The outcome of each source, in the order of [`Ledger::begin`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    sources: Vec<Source>,
    /// Whether the first source stands for the source that this part of the evidence is in.
    part: bool,
}

impl Ledger {
    /// Enters a source. A source that never ends is a gap.
    pub fn begin(&mut self, locator: impl Into<String>, kind: impl Into<String>) -> SourceId {
        let id = SourceId(self.sources.len());
        self.sources.push(Source {
            locator: locator.into(),
            label: None,
            kind: kind.into(),
            outcome: Outcome::Pending,
            notes: Vec::new(),
            vouched: Vouched::Unprotected,
            members: Members::default(),
            passed: BTreeMap::new(),
            aside: false,
            unlisted: BTreeMap::new(),
            listed: BTreeMap::new(),
            of_outer: false,
        });
        id
    }

    /// Ends a source. An earlier refusal stays.
    pub fn end(&mut self, id: SourceId, outcome: Outcome, vouched: Vouched) {
        if let Some(source) = self.sources.get_mut(id.0) {
            if !matches!(source.outcome, Outcome::Refused { .. }) {
                source.outcome = outcome;
            }
            source.vouched = vouched;
        }
    }

    /// Ends a source as refused.
    pub fn refuse(&mut self, id: SourceId, problem: Problem, gap: bool) {
        self.end(id, Outcome::Refused { problem, gap }, Vouched::Unprotected);
    }

    /// Records that a source's bytes do not affect completeness.
    pub fn set_aside(&mut self, id: SourceId) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.aside = true;
        }
    }

    /// Sets a source's kind, if it was unknown at the start.
    pub fn name(&mut self, id: SourceId, kind: impl Into<String>) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.kind = kind.into();
        }
    }

    /// Adds a sentence to a source.
    pub fn note(&mut self, id: SourceId, note: impl Into<String>) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.notes.push(note.into());
        }
    }

    /// Counts files in a source.
    pub fn seen(&mut self, id: SourceId, files: u64) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.members.seen = source.members.seen.saturating_add(files);
        }
    }

    /// Counts a member that was read.
    pub fn read(&mut self, id: SourceId) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.members.read = source.members.read.saturating_add(1);
        }
    }

    /// Counts a member that cannot matter; `reason` names it and the reason: `ISO image outside the places of Windows`.
    pub fn pass(&mut self, id: SourceId, reason: impl Into<String>) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.members.irrelevant = source.members.irrelevant.saturating_add(1);
            let count = source.passed.entry(reason.into()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Enters a refused member. Only the first members of one kind are listed; the rest are counted.
    pub fn refuse_member(&mut self, of: SourceId, kind: &str, problem: Problem, gap: bool) {
        let code = problem.code.unwrap_or(Code::Unreadable);
        let Some(source) = self.sources.get_mut(of.0) else { return };
        source.members.refused = source.members.refused.saturating_add(1);
        let listed = source.listed.entry(code).or_default();
        if *listed >= MOST_TOLD {
            let (count, any_gap) = source.unlisted.entry(code).or_default();
            *count = count.saturating_add(1);
            *any_gap |= gap;
            return;
        }
        *listed = listed.saturating_add(1);
        let locator = problem.path.clone().unwrap_or_else(|| source.locator.clone());
        let label = source.label.clone();
        let id = self.begin(locator, kind);
        self.refuse(id, problem, gap);
        if let Some(source) = self.sources.last_mut() {
            source.label = label;
            source.of_outer = self.part && of == SourceId::OUTER;
        }
    }

    /// Enters a refusal, as a member if it is in a source.
    pub fn refuse_in(&mut self, of: Option<SourceId>, kind: &str, problem: Problem, gap: bool) {
        if let Some(of) = of {
            return self.refuse_member(of, kind, problem, gap);
        }
        let id = self.begin(problem.path.clone().unwrap_or_default(), kind);
        self.refuse(id, problem, gap);
    }

    /// Names the machine or the exhibit of all sources from the number `first`.
    pub fn label(&mut self, first: usize, label: Option<&String>) {
        let Some(label) = label else { return };
        for source in self.sources.iter_mut().skip(first) {
            source.label = Some(label.clone());
        }
    }

    /// Notes that so many transaction logs without a hive in each of these containers were examined with hives in other
    /// containers: they were not skipped, and a container without a hive is no gap then.
    pub fn lent(&mut self, containers: &BTreeMap<String, u64>) {
        if containers.is_empty() {
            return;
        }
        self.sources.retain(|source| {
            !(source.kind == "file" && containers.contains_key(&source.locator) && source.came_to_nothing())
        });
        let mut left = containers.clone();
        for source in &mut self.sources {
            let Some(alone) = source.passed.get_mut(LONE_LOG) else { continue };
            // The source itself, or a container that it is in.
            let outer = source.locator.match_indices('!').filter_map(|(at, _)| source.locator.get(..at));
            let mut places = outer.chain([source.locator.as_str()]);
            let Some(container) = places.find(|place| containers.contains_key(*place)) else { continue };
            let Some(left) = left.get_mut(container) else { continue };
            let used = (*left).min(*alone);
            *alone = alone.saturating_sub(used);
            *left = left.saturating_sub(used);
            source.passed.retain(|_, count| *count > 0);
            source.members.irrelevant = source.members.irrelevant.saturating_sub(used);
            source.members.read = source.members.read.saturating_add(used);
            source.notes.push(LENT.to_owned());
        }
    }

    /// Returns the source of this number.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0)
    }

    /// Returns all sources, in order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Returns the number of sources.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Returns whether the ledger has no sources.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Appends the sources of another ledger, and returns how many sources are before them.
    pub fn append(&mut self, other: Self) -> usize {
        let first = self.sources.len();
        self.sources.extend(other.sources);
        first
    }
}

impl Source {
    /// Returns the number of skipped files, by reason.
    pub fn passed(&self) -> impl Iterator<Item = (&str, u64)> {
        self.passed.iter().map(|(reason, count)| (reason.as_str(), *count))
    }

    fn came_to_nothing(&self) -> bool {
        matches!(&self.outcome, Outcome::Refused { problem, .. } if problem.code == Some(Code::NothingFound))
    }

    /// Returns the remarks on the source: why it was refused or is irrelevant, where it was searched, what was skipped.
    pub fn reason(&self) -> Option<String> {
        let first = match &self.outcome {
            Outcome::Pending => Some("the run ended before it was read".to_owned()),
            Outcome::Refused { problem, .. } => Some(problem.found.clone()),
            Outcome::Irrelevant(why) => Some(why.clone()),
            Outcome::Read => match &self.vouched {
                Vouched::Unverified(why) => Some(why.clone()),
                _ => None,
            },
        };
        let passed = self.passed.iter().map(|(reason, count)| format!("skipped: {reason} ({count})"));
        let told: Vec<String> = first.into_iter().chain(self.notes.iter().cloned()).chain(passed).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str) -> Problem {
        Problem::of(path, "a hive", "zeros").code(Code::NotAHive)
    }

    #[test]
    fn what_nobody_ended_and_what_is_refused_are_gaps_and_nothing_else_is() {
        let mut ledger = Ledger::default();
        let folder = ledger.begin("case", "folder");
        let image = ledger.begin("case/disk.E01", "E01");
        ledger.end(folder, Outcome::Read, Vouched::Unprotected);
        assert_eq!(ledger.gaps().iter().map(|gap| gap.code).collect::<Vec<_>>(), [Code::Unfinished]);
        ledger.end(image, Outcome::Irrelevant("part of another".to_owned()), Vouched::Unprotected);
        ledger.pass(folder, "ISO image");
        ledger.refuse_member(folder, "zip", refused("case/a.zip"), false);
        assert_eq!(ledger.gaps(), []);
        ledger.refuse_member(folder, "hive", refused("case/SYSTEM"), true);
        assert_eq!(ledger.gaps().len(), 1);
        assert_eq!(ledger.problems()[0].path.as_deref(), Some("case/SYSTEM"));
        ledger.end(folder, Outcome::Read, Vouched::Unverified("CRC-32".to_owned()));
        assert_eq!(ledger.gaps().len(), 2);
    }

    #[test]
    fn of_many_refusals_of_one_kind_the_first_are_listed_and_the_rest_counted() {
        let mut ledger = Ledger::default();
        let zip = ledger.begin("case.zip", "zip");
        for number in 0..25_000 {
            ledger.refuse_member(zip, "hive", refused(&format!("case.zip!{number}/SYSTEM")), true);
        }
        ledger.end(zip, Outcome::Read, Vouched::Unprotected);
        assert_eq!((ledger.len(), ledger.gaps().len()), (MOST_TOLD + 1, MOST_TOLD + 1));
        assert_eq!(ledger.get(zip).unwrap().members.refused, 25_000);
        assert!(ledger.problems().iter().any(|problem| problem.found == "24980 more that cannot be read"));
    }

    #[test]
    fn what_parts_say_of_the_source_that_they_are_in_is_said_of_it() {
        let mut whole = Ledger::default();
        let other = whole.begin("other", "folder");
        let folder = whole.begin("case", "folder");
        for id in [other, folder] {
            whole.end(id, Outcome::Read, Vouched::Unprotected);
        }
        for part in 0..3 {
            let mut ledger = Ledger::of_part();
            assert_eq!(ledger.gaps(), []);
            let hive = ledger.begin(format!("case/{part}/SYSTEM"), "hive");
            ledger.end(hive, Outcome::Read, Vouched::Unprotected);
            ledger.read(SourceId::OUTER);
            ledger.pass(SourceId::OUTER, "ISO image");
            for number in 0..25 {
                let problem = refused(&format!("case/{part}/{number}"));
                ledger.refuse_in(Some(SourceId::OUTER), "hive", problem, true);
            }
            assert_eq!(ledger.len(), 1 + 1 + MOST_TOLD);
            whole.absorb(ledger, Some(folder));
        }
        // As if all had been entered in one ledger.
        assert_eq!(whole.len(), 2 + 3 + MOST_TOLD);
        let source = whole.get(folder).unwrap();
        assert_eq!(source.members, Members { seen: 0, read: 3, refused: 75, irrelevant: 3 });
        assert_eq!(source.passed().collect::<Vec<_>>(), [("ISO image", 3)]);
        assert!(whole.problems().iter().any(|problem| problem.found == "55 more that cannot be read"));
        assert_eq!(whole.get(other).unwrap().members, Members::default());
    }
}
