//! One run over the evidence, on all cores. It opens the parts, examines each installation as soon as it is found,
//! hands the results on in the order of the output, and releases them.
//!
//! Each thread examines the oldest waiting installation. If none waits, it opens the next part. The result of a part is
//! recorded in the part's turn ([`super::turns`]); the result of an installation is handed on in order ([`Hand`]). No
//! thread runs far ahead of the results that were handed on, so the memory of a run does not grow with the evidence.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use super::arguments::Evidence;
use super::errand::{self, Source};
use super::hand::{Hand, Next};
use super::lenders::Lenders;
use super::part::{OpenPart, Part};
use super::reading::Reading;
use super::remote::{Ask, Asked, Remote};
use super::survey::Work;
use super::turns::{Run, Turns};
use super::{Installation, Overview};
use crate::error::Error;
use crate::evidence::budget::Budget;
use crate::evidence::{local, worker};

/// Asks the question about each installation in the evidence. Passes the answers to `take` in the order of the output:
/// the arguments as given, and the installations of an argument by path.
///
/// # Errors
/// The only evidence is unreadable; the error of `take`.
pub(super) fn stream<A: Ask>(
    evidence: &[Evidence],
    reading: Reading<'_>,
    ask: &A,
    mut take: impl FnMut(A::Answer) -> Result<(), Error>,
) -> Result<Overview, Error> {
    let size = |one: &Evidence| local::size(&one.path);
    let budget = Budget::of(reading.unpacking.limits, evidence.iter().map(size).fold(0, u64::saturating_add));
    // If the caller is a thread of the pool, other threads would wait for the pool while the pool waits for them.
    let alone = rayon::current_thread_index().is_some();
    let threads = if alone { 0 } else { rayon::current_num_threads().max(1) };
    let stream = Stream {
        source: Mutex::new((0, Source::of(evidence, reading)?)),
        reading,
        begun: budget.clone(),
        lenders: Lenders::default(),
        turns: Turns::new(Run::new(budget)),
        ask,
        hand: Hand::new(threads),
    };
    let mut late = Vec::new();
    let mut take = |asked| match asked {
        Asked::Answer(answer) => take(answer),
        Asked::Late(evidence) => {
            late.push(evidence);
            Ok(())
        }
    };
    if alone {
        stream.work_alone(&mut take)?;
        return Ok(stream.finish(late));
    }
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                stream.work();
                stream.hand.leave();
            });
        }
        loop {
            match stream.hand.next() {
                Next::Result(result) => take(result).inspect_err(|_| stream.hand.stop())?,
                Next::Nothing => return Ok(()),
                Next::Defect => {
                    stream.hand.stop();
                    let advice = "Please report it".to_owned();
                    return Err(Error::Refused { reason: "internal error in an examination".to_owned(), advice });
                }
            }
        }
    })?;
    Ok(stream.finish(late))
}

/// A run, as its threads share it.
struct Stream<'u, A: Ask> {
    /// The next turn, and what is left to examine.
    source: Mutex<(usize, Source<'u>)>,
    reading: Reading<'u>,
    /// The budget that each part begins with.
    begun: Budget,
    lenders: Lenders,
    turns: Turns<Run>,
    ask: &'u A,
    hand: Hand<Asked<A::Answer>>,
}

impl<A: Ask> Stream<'_, A> {
    /// Works until no evidence is left.
    fn work(&self) {
        loop {
            // Examines the found installations before opening the next part.
            let mut work = None;
            let waiting = self.hand.pop().or_else(|| {
                work = self.next();
                if work.is_some() { None } else { self.hand.pop_later() }
            });
            if let Some((number, installation)) = waiting {
                self.hand.give(number, catch_unwind(AssertUnwindSafe(|| self.answer(installation))).ok());
                continue;
            }
            let Some((turn, work)) = work.filter(|_| !self.hand.is_stopped()) else { return };
            let done = catch_unwind(AssertUnwindSafe(|| self.work_on(turn, work)));
            self.hand.opened();
            if done.is_err() {
                return self.hand.fail();
            }
        }
    }

    /// Does all the work on this thread.
    fn work_alone(&self, mut take: impl FnMut(Asked<A::Answer>) -> Result<(), Error>) -> Result<(), Error> {
        loop {
            if let Some((number, installation)) = self.hand.pop() {
                self.hand.give(number, Some(self.answer(installation)));
            } else if let Some((turn, work)) = self.next() {
                self.work_on(turn, work);
                self.hand.opened();
            } else {
                return Ok(());
            }
            while let Some(result) = self.hand.ready() {
                take(result)?;
            }
        }
    }

    /// Answers, unless the seconds that the user gave are over.
    fn answer(&self, installation: Installation) -> Asked<A::Answer> {
        if self.reading.deadline.is_over() {
            return Asked::Late(installation.evidence);
        }
        Asked::Answer(self.ask.answer(installation))
    }

    /// Returns the overview. `late` has the evidence of the installations that were not examined.
    fn finish(self, late: Vec<String>) -> Overview {
        let mut run = self.turns.into_inner();
        let count = late.len();
        if let Some(first) = late.into_iter().next() {
            run.drop_late(first, count, self.reading.deadline.problem());
        }
        run.opened.extend(self.lenders.into_asked());
        run.finish()
    }

    fn work_on(&self, turn: usize, work: Work) {
        match work {
            Work::Begin(ledger) => self.turns.take(turn, |run| run.begin(ledger)),
            Work::End => self.turns.take(turn, Run::end),
            Work::Part(part) => self.open(turn, &part),
        }
    }

    /// Opens a part, and has its installations examined.
    fn open(&self, turn: usize, part: &Part) {
        if self.is_remote(part) {
            let (remote, mut open) = Remote::open(part, self.reading, &self.begun, self.ask);
            return match self.with_logs(part, &mut open) {
                None => self.ask_a_worker(turn, part, remote, open),
                Some(part) => {
                    drop(remote);
                    self.open(turn, &part);
                }
            };
        }
        let mut open = errand::open(part, self.reading, &self.begun);
        if let Some(part) = self.with_logs(part, &mut open) {
            return self.open(turn, &part);
        }
        self.turns.take(turn, |run| {
            let again = |budget: &Budget| errand::open(part, self.reading, budget);
            let found = run.take(part, &self.begun, open, again);
            // Pushed within the turn, so that they are popped in the order of their numbers.
            self.hand.push(found.into_iter().flatten());
        });
    }

    /// Returns the part with the archives that have the logs of its dirty hives, if there are any.
    fn with_logs(&self, part: &Part, open: &mut OpenPart) -> Option<Part> {
        self.lenders.with_logs(part, open, self.reading, |closed| errand::logs_of(closed, self.reading, &self.begun))
    }

    /// Returns whether a worker opens and judges the part.
    fn is_remote(&self, part: &Part) -> bool {
        !part.containers.is_empty() && self.ask.may_leave() && worker::is_isolated()
    }

    /// Has a worker that has opened a part judge the part's installations.
    fn ask_a_worker<'p>(&'p self, turn: usize, part: &'p Part, mut remote: Remote<'p, A>, open: OpenPart) {
        let found = self.turns.take(turn, |run| {
            run.take(part, &self.begun, open, |budget| {
                let (again, open) = Remote::open(part, self.reading, budget, self.ask);
                remote = again;
                open
            })
        });
        remote.answers(found, |number, answer| self.hand.give(number, Some(answer)));
    }

    /// Returns the next piece of work, and its turn.
    fn next(&self) -> Option<(usize, Work)> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let (turn, source) = &mut *source;
        let own = *turn;
        let work =
            source.next(|told| self.turns.look(own, |run| run.opened.get(told..).unwrap_or_default().to_vec()))?;
        self.hand.open();
        *turn = own.saturating_add(1);
        Some((own, work))
    }
}
