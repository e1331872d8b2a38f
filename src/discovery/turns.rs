//! The order of a run. Parts are opened in parallel, and their results are recorded one by one in the order of the
//! output. The ledger, the budget and the ids therefore do not depend on which part was ready first.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bell::Bell;
use super::installation_id::Ids;
use super::part::{IfNothing, OpenPart, Part};
use super::survey::nothing_at_this_place;
use super::{Installation, Overview};
use crate::error::{Code, Problem};
use crate::evidence::budget::{Budget, Cost};
use crate::evidence::file::Snapshot;
use crate::evidence::ledger::{Ledger, SourceId};
use crate::evidence::worker::Sandbox;

/// The state of a run, in the order of the output.
#[derive(Default)]
pub(super) struct Run {
    budget: Budget,
    ledger: Ledger,
    shadow_copies: Vec<Snapshot>,
    sandbox: Option<Sandbox>,
    /// The files of this machine that were opened: containers with all their parts, hives, and logs. A file may be
    /// there several times.
    pub(super) opened: Vec<PathBuf>,
    ids: Ids,
    installations: usize,
    any_hive: bool,
    /// The problems of installations without a hive.
    problems: Vec<Problem>,
    folder: Option<Folder>,
    dropped: Option<Dropped>,
    late: Option<Dropped>,
    /// How many logs of each container belong to hives in other containers.
    lenders: BTreeMap<String, u64>,
}

/// The folder whose parts are being recorded.
struct Folder {
    source: SourceId,
    any_hive: bool,
    any_gap: bool,
}

/// Installations beyond a limit.
struct Dropped {
    /// The evidence of the first.
    at: String,
    count: usize,
    limit: Problem,
}

impl Run {
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// Begins an argument.
    pub(super) fn begin(&mut self, ledger: Ledger) {
        let any_gap = !ledger.gaps().is_empty();
        let source = SourceId::OUTER.behind(self.ledger.append(ledger));
        self.folder = Some(Folder { source, any_hive: false, any_gap });
    }

    /// Ends a folder.
    pub(super) fn end(&mut self) {
        if let Some(folder) = self.folder.take().filter(|folder| !folder.any_hive && !folder.any_gap) {
            self.nothing_came(folder.source);
        }
    }

    /// Records the result of a part. A part that does not fit into the rest of the budget is opened again with that
    /// rest. Returns the installations, each with its number in the run, with their ids; `None` is one beyond the
    /// limit.
    pub(super) fn take(
        &mut self,
        part: &Part,
        begun: &Budget,
        mut open: OpenPart,
        again: impl FnOnce(&Budget) -> OpenPart,
    ) -> Vec<Option<(usize, Installation)>> {
        if !self.budget.charge(begun, &open.budget) {
            open = again(&self.budget);
            self.budget.clone_from(&open.budget);
        }
        let OpenPart { installations, ledger, shadow_copies, files, there, sandbox, .. } = open;
        let any_gap = !ledger.gaps().is_empty();
        let any_hive = installations.iter().any(|one| !one.hives.is_empty());
        self.any_hive |= any_hive;
        if let Some(folder) = self.folder.as_mut().filter(|_| part.within) {
            folder.any_gap |= any_gap;
            folder.any_hive |= any_hive;
        }
        let of = self.folder.as_ref().map(|folder| folder.source).filter(|_| part.within);
        let first = self.ledger.len();
        self.ledger.absorb(ledger, of);
        match &part.if_nothing {
            IfNothing::Files(files) if !any_hive && !any_gap => {
                for file in files {
                    let source = self.ledger.begin(file, "file");
                    self.nothing_came(source);
                }
            }
            IfNothing::Place(at) if !there && !any_gap => self.no_such_place(at, "nothing of that name"),
            IfNothing::Place(at) if !any_hive && !any_gap => self.no_such_place(at, "no hive"),
            _ => {}
        }
        self.ledger.label(first, part.label.as_ref());
        for lender in part.containers.iter().filter(|container| container.for_logs) {
            let logs = installations.iter().flat_map(|one| &one.hives).flat_map(|hive| &hive.logs);
            let lent = logs.filter(|log| log.file.path == lender.path).count() as u64;
            let count = self.lenders.entry(lender.at.to_string()).or_default();
            *count = count.saturating_add(lent);
        }
        self.shadow_copies.extend(shadow_copies);
        if let Some(new) = sandbox {
            self.sandbox = Some(self.sandbox.as_ref().map_or_else(|| new.clone(), |old| old.and(&new)));
        }
        self.opened.extend(files);
        let extracted = !part.containers.is_empty();
        installations.into_iter().map(|installation| self.keep(installation, extracted)).collect()
    }

    /// Keeps an installation, until the budget ends. Installations of plain files count only against a limit that the
    /// user gave.
    fn keep(&mut self, mut installation: Installation, extracted: bool) -> Option<(usize, Installation)> {
        if (extracted || self.budget.is_given(Cost::Installations))
            && let Err(limit) = self.budget.spend(Cost::Installations, 1)
        {
            let at = installation.evidence;
            let dropped = self.dropped.get_or_insert(Dropped { at, count: 0, limit });
            dropped.count = dropped.count.saturating_add(1);
            return None;
        }
        for hive in &installation.hives {
            let files = std::iter::once(&hive.file).chain(hive.logs.iter().map(|log| &log.file));
            for file in files {
                // The files of a container have its path.
                if self.opened.last() != Some(&file.path) {
                    self.opened.push(file.path.clone());
                }
            }
        }
        if installation.hives.is_empty() {
            self.problems.extend(installation.problems.iter().cloned());
        }
        installation.id = match &installation.label {
            Some(label) if !installation.evidence.starts_with(&format!("{label}/")) => {
                self.ids.next(&format!("{label}/{}", installation.evidence))
            }
            _ => self.ids.next(&installation.evidence),
        };
        let number = self.installations;
        self.installations = number.saturating_add(1);
        Some((number, installation))
    }

    /// Records that so many installations were not examined because the time was over.
    pub(super) fn drop_late(&mut self, at: String, count: usize, limit: Problem) {
        self.late = Some(Dropped { at, count, limit });
    }

    fn no_such_place(&mut self, at: &str, found: &str) {
        let source = self.ledger.begin(at, "file");
        self.ledger.refuse(source, nothing_at_this_place(found), true);
    }

    /// Reports an argument without a result, whatever the other arguments contain.
    fn nothing_came(&mut self, source: SourceId) {
        let files = self.ledger.get(source).map_or(0, |source| source.members.seen);
        let found = match files {
            0 => "no hive in it".to_owned(),
            1 => "1 file, which is not a hive".to_owned(),
            files => format!("{files} files, none of them a hive"),
        };
        let problem = Problem::new("a SOFTWARE or SYSTEM hive, or something that holds one", found);
        let advice = "name a mounted Windows volume, a folder of copied hives, an image, an archive or a hive";
        self.ledger.refuse(source, problem.code(Code::NothingFound).advise(advice), true);
    }

    /// Returns the overview of the evidence after every part was recorded.
    pub(super) fn finish(mut self) -> Overview {
        for Dropped { at, count, limit } in [self.dropped.take(), self.late.take()].into_iter().flatten() {
            let source = self.ledger.begin(at, "installation");
            let problem = Problem { found: format!("{count} more, which were not examined"), ..limit };
            self.ledger.refuse(source, problem, true);
        }
        self.ledger.lent(&self.lenders);
        // By number: the tenth follows the ninth.
        self.shadow_copies.sort_by_cached_key(|copy| {
            let (volume, number) = copy.path.rsplit_once("!vss").unwrap_or((&copy.path, ""));
            (volume.to_owned(), number.parse::<usize>().ok())
        });
        self.shadow_copies.dedup();
        let mut seen = HashSet::new();
        let mut opened = self.opened;
        opened.retain(|path| seen.insert(path.clone()));
        Overview {
            shadow_copies: self.shadow_copies,
            sandbox: self.sandbox,
            ledger: self.ledger,
            opened,
            any_hive: self.any_hive,
            problems: self.problems,
        }
    }
}

/// A state that is changed in turns.
pub(super) struct Turns<S> {
    /// The next turn, and the state.
    state: Mutex<(usize, S)>,
    passed: Bell,
}

impl<S> Turns<S> {
    pub(super) fn new(state: S) -> Self {
        Self { state: Mutex::new((0, state)), passed: Bell::default() }
    }

    /// Waits until every earlier turn is over, and then takes this one.
    pub(super) fn take<T>(&self, turn: usize, take: impl FnOnce(&mut S) -> T) -> T {
        let mut state = self.wait(turn);
        // A panic in this turn must not stop the later turns.
        let taken = catch_unwind(AssertUnwindSafe(|| take(&mut state.1)));
        state.0 = turn.saturating_add(1);
        self.passed.ring();
        taken.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Waits until every earlier turn is over, and reads the state.
    pub(super) fn look<T>(&self, turn: usize, look: impl FnOnce(&S) -> T) -> T {
        look(&self.wait(turn).1)
    }

    fn wait(&self, turn: usize) -> MutexGuard<'_, (usize, S)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Unlike `wait_while`, this waits on after a panic in another turn.
        while state.0 < turn {
            state = self.passed.wait(state);
        }
        state
    }

    /// Returns the state after the last turn.
    pub(super) fn into_inner(self) -> S {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_taken_in_order_whoever_comes_first_and_a_panic_stops_none() {
        let turns = Turns::new(Vec::new());
        std::thread::scope(|scope| {
            for turn in (0..20_usize).rev() {
                let turns = &turns;
                scope.spawn(move || {
                    let take = || {
                        turns.take(turn, |taken: &mut Vec<usize>| {
                            taken.push(turn);
                            assert!(turn != 7, "a defect");
                        });
                    };
                    assert_eq!(catch_unwind(AssertUnwindSafe(take)).is_err(), turn == 7);
                });
            }
            assert_eq!(turns.look(20, Vec::len), 20);
        });
        assert_eq!(turns.into_inner(), (0..20).collect::<Vec<_>>());
    }
}
