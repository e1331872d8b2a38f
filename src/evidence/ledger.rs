//! The ledger: what became of each source. Whether a report is complete is computed from it, and decided nowhere else.
//!
//! A source is an argument, a container, a volume, or a file that looks like a hive, a log or a container. Each ends as
//! read, refused or irrelevant, with the reason. Ordinary files are counted in what holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::file_system::Vouched;
use crate::error::{Code, Gap, Problem};

/// Refusals of one kind in one container that are listed one by one; the rest are counted.
const MOST_TOLD: usize = 20;

/// What became of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Nobody has ended it: the run stopped before.
    Pending,
    /// It was read.
    Read,
    /// It was not, or not whole.
    Refused {
        /// Where, what was expected, what was found, what to do; its code.
        problem: Problem,
        /// Whether this makes the report incomplete.
        gap: bool,
    },
    /// It cannot matter; why.
    Irrelevant(String),
}

/// How many files a source holds, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Files that were met.
    pub seen: u64,
    /// Of those, the ones that were read.
    pub read: u64,
    /// That were refused.
    pub refused: u64,
    /// That look like a hive, a log or a container, and cannot matter.
    pub irrelevant: u64,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where it is, as a locator.
    pub locator: String,
    /// What it is: `folder`, `hive`, `log`, a format, a file system.
    pub kind: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What is to be known of it, in sentences: where it was searched, what was passed over.
    pub notes: Vec<String>,
    /// Whether somebody vouches for its bytes.
    pub vouched: Vouched,
    /// The files in it.
    pub members: Members,
    /// What was passed over in it, by reason.
    passed: BTreeMap<String, u64>,
    /// Whether its bytes are no matter of completeness: of another hive than SOFTWARE and SYSTEM, or an older generation.
    aside: bool,
    /// Refusals of each kind that were not listed.
    unlisted: BTreeMap<Code, (u64, bool)>,
    /// Refusals of each kind that were.
    listed: BTreeMap<Code, usize>,
}

/// A source of the ledger, by which it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceId(usize);

impl SourceId {
    /// The same source, once its ledger stands behind so many sources of another.
    #[must_use]
    pub fn behind(self, first: usize) -> Self {
        Self(self.0.saturating_add(first))
    }
}

/// What became of each source, in the order in which they were begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    sources: Vec<Source>,
}

impl Ledger {
    /// Enters a source. One that is never ended is a gap.
    pub fn begin(&mut self, locator: impl Into<String>, kind: impl Into<String>) -> SourceId {
        let id = SourceId(self.sources.len());
        self.sources.push(Source {
            locator: locator.into(),
            kind: kind.into(),
            outcome: Outcome::Pending,
            notes: Vec::new(),
            vouched: Vouched::Unprotected,
            members: Members::default(),
            passed: BTreeMap::new(),
            aside: false,
            unlisted: BTreeMap::new(),
            listed: BTreeMap::new(),
        });
        id
    }

    /// Ends a source. What was said of it before counts, where that was a refusal.
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

    /// Says that a source's bytes are no matter of completeness.
    pub fn set_aside(&mut self, id: SourceId) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.aside = true;
        }
    }

    /// Says what it is, where that was not known when it was begun.
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

    /// Counts files that were met in a source.
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

    /// Counts a member that cannot matter: what it is and why, such as `ISO image outside the places of Windows`.
    pub fn pass(&mut self, id: SourceId, reason: impl Into<String>) {
        if let Some(source) = self.sources.get_mut(id.0) {
            source.members.irrelevant = source.members.irrelevant.saturating_add(1);
            let count = source.passed.entry(reason.into()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Enters a member that was refused; of many of one kind only the first are listed, and the rest counted.
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
        let id = self.begin(locator, kind);
        self.refuse(id, problem, gap);
    }

    /// Enters something that was refused, as a member of a source where it is in one.
    pub fn refuse_in(&mut self, of: Option<SourceId>, kind: &str, problem: Problem, gap: bool) {
        if let Some(of) = of {
            return self.refuse_member(of, kind, problem, gap);
        }
        let id = self.begin(problem.path.clone().unwrap_or_default(), kind);
        self.refuse(id, problem, gap);
    }

    /// The source of an id.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0)
    }

    /// All sources, in order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// How many sources there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Takes over the sources of another ledger; how many stand before them.
    pub fn append(&mut self, other: Self) -> usize {
        let first = self.sources.len();
        self.sources.extend(other.sources);
        first
    }

    /// Makes sources irrelevant after all, whose locators begin with this one: an image that turned out to be a part of
    /// another.
    pub fn withdraw(&mut self, locator: &str, reason: &str) {
        let within = format!("{locator}!");
        self.sources.retain(|source| !source.locator.starts_with(&within));
        for source in self.sources.iter_mut().filter(|source| source.locator == locator) {
            source.outcome = Outcome::Irrelevant(reason.to_owned());
        }
    }

    /// Everything in it that makes a report incomplete. A report is complete where this, and what is missing of its
    /// hives, is empty.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for source in &self.sources {
            let gap = |code, reason| Gap { code, at: source.locator.clone(), reason };
            match &source.outcome {
                Outcome::Pending => gaps.push(gap(Code::Unfinished, "the run ended before it was read".to_owned())),
                Outcome::Refused { problem, gap: true } => {
                    gaps.push(gap(problem.code.unwrap_or(Code::Unreadable), problem.found.clone()));
                }
                Outcome::Read => {
                    if let Vouched::Unverified(why) = &source.vouched
                        && !source.aside
                    {
                        gaps.push(gap(Code::Unverified, why.clone()));
                    }
                }
                Outcome::Refused { .. } | Outcome::Irrelevant(_) => {}
            }
            for (code, (count, any_gap)) in &source.unlisted {
                if *any_gap {
                    gaps.push(gap(*code, format!("{count} more of the listed kind")));
                }
            }
        }
        gaps
    }

    /// The refusals as problems: where, expected, found, what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for source in &self.sources {
            let at = |problem: Problem| Problem { path: Some(source.locator.clone()), ..problem };
            match &source.outcome {
                Outcome::Refused { problem, gap: true } => problems.push(at(problem.clone())),
                Outcome::Read => {
                    if let Vouched::Unverified(why) = &source.vouched
                        && !source.aside
                    {
                        let problem = Problem::new("bytes whose checksum matches", why.clone()).code(Code::Unverified);
                        problems.push(at(problem.advise("copy it again from the original")));
                    }
                }
                _ => {}
            }
            for (code, (count, any_gap)) in &source.unlisted {
                if *any_gap {
                    problems.push(at(Problem::new(
                        "files that can be read",
                        format!("{count} more that cannot be read"),
                    )
                    .code(*code)));
                }
            }
        }
        problems
    }
}

impl Source {
    /// What was passed over in it, by reason.
    pub fn passed(&self) -> impl Iterator<Item = (&str, u64)> {
        self.passed.iter().map(|(reason, count)| (reason.as_str(), *count))
    }

    /// What is to be said of it: why it was refused or is irrelevant, where it was searched, what was passed over.
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
}
