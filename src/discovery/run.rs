//! One run over the evidence, on all cores. It opens the parts, examines each installation as soon as it is found,
//! hands the results on in the order of the output, and releases them.
//!
//! Each thread examines the oldest waiting installation. If none waits, it opens the next part. The result of a part is
//! recorded in the part's turn ([`super::turns`]); the result of an installation is handed on in order ([`Hand`]). No
//! thread runs far ahead of the results that were handed on, so the memory of a run does not grow with the evidence.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::arguments::Evidence;
use super::errand::{self, Source};
use super::part::{Part, Reading};
use super::remote::{Ask, Asked, Remote};
use super::survey::Work;
use super::turns::{Run, Turns};
use super::{Installation, Overview};
use crate::error::Error;
use crate::evidence::budget::{Budget, Cost};
use crate::evidence::{local, worker};

/// The most results for each thread that wait to be handed on.
const AHEAD: usize = 4;

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
        if self.reading.is_over(&self.begun) {
            return Asked::Late(installation.evidence);
        }
        Asked::Answer(self.ask.answer(installation))
    }

    /// Returns the overview. `late` has the evidence of the installations that were not examined.
    fn finish(self, late: Vec<String>) -> Overview {
        let mut budget = self.begun;
        let mut run = self.turns.into_inner();
        let count = late.len();
        if let Some(first) = late.into_iter().next() {
            run.drop_late(first, count, budget.exceeded(Cost::Seconds));
        }
        run.finish()
    }

    fn work_on(&self, turn: usize, work: Work) {
        match work {
            Work::Begin(ledger) => self.turns.take(turn, |run| run.begin(ledger)),
            Work::End => self.turns.take(turn, Run::end),
            Work::Part(part) if self.is_remote(&part) => self.ask_a_worker(turn, &part),
            Work::Part(part) => {
                let open = errand::open(&part, self.reading, &self.begun);
                self.turns.take(turn, |run| {
                    let again = |budget: &Budget| errand::open(&part, self.reading, budget);
                    let found = run.take(&part, &self.begun, open, again);
                    // Pushed within the turn, so that they are popped in the order of their numbers.
                    self.hand.push(found.into_iter().flatten());
                });
            }
        }
    }

    /// Returns whether a worker opens and judges the part.
    fn is_remote(&self, part: &Part) -> bool {
        !part.containers.is_empty() && self.ask.may_leave() && worker::is_isolated()
    }

    fn ask_a_worker(&self, turn: usize, part: &Part) {
        let (mut remote, open) = Remote::open(part, self.reading, &self.begun, self.ask);
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

/// The waiting installations, and the results that wait to be handed on.
struct Hand<R> {
    state: Mutex<Waiting<R>>,
    changed: Condvar,
    /// How far a result may be ahead of the next one to hand on.
    ahead: usize,
}

/// The next result.
enum Next<R> {
    Result(R),
    /// There is none: every result was handed on.
    Nothing,
    /// A defect of this program ended the run.
    Defect,
}

struct Waiting<R> {
    installations: VecDeque<(usize, Installation)>,
    /// By number; `None` where the examination failed.
    results: BTreeMap<usize, Option<R>>,
    /// The number of the next result.
    next: usize,
    /// Parts that are being opened.
    opening: usize,
    /// Threads that have not ended.
    threads: usize,
    stopped: bool,
    /// Whether a thread has failed: a defect of this program.
    failed: bool,
}

impl<R> Hand<R> {
    fn new(threads: usize) -> Self {
        let waiting = Waiting {
            installations: VecDeque::new(),
            results: BTreeMap::new(),
            next: 0,
            opening: 0,
            threads,
            stopped: false,
            failed: false,
        };
        Self {
            state: Mutex::new(waiting),
            changed: Condvar::new(),
            ahead: if threads == 0 { usize::MAX } else { threads.saturating_mul(AHEAD) },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, wait: impl Fn(&Waiting<R>) -> bool) -> MutexGuard<'_, Waiting<R>> {
        let mut waiting = self.lock();
        while !waiting.stopped && wait(&waiting) {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting
    }

    /// Notes that a part is being opened, which may contain installations.
    fn open(&self) {
        let mut waiting = self.lock();
        waiting.opening = waiting.opening.saturating_add(1);
    }

    /// Notes that the result of a part was recorded.
    fn opened(&self) {
        let mut waiting = self.lock();
        waiting.opening = waiting.opening.saturating_sub(1);
        self.changed.notify_all();
    }

    /// Adds waiting installations, in the order of their numbers.
    fn push(&self, installations: impl Iterator<Item = (usize, Installation)>) {
        let mut waiting = self.lock();
        waiting.installations.extend(installations);
        self.changed.notify_all();
    }

    /// Returns the oldest waiting installation, if there is one.
    fn pop(&self) -> Option<(usize, Installation)> {
        let mut waiting = self.lock();
        if waiting.stopped { None } else { waiting.installations.pop_front() }
    }

    /// Returns the oldest waiting installation. Waits for one while a part is being opened.
    fn pop_later(&self) -> Option<(usize, Installation)> {
        let mut waiting = self.wait_while(|waiting| waiting.installations.is_empty() && waiting.opening > 0);
        if waiting.stopped { None } else { waiting.installations.pop_front() }
    }

    /// Adds a result. Waits while the result is too far ahead of the next one to hand on.
    fn give(&self, number: usize, result: Option<R>) {
        let mut waiting = self.wait_while(|waiting| number >= waiting.next.saturating_add(self.ahead));
        waiting.results.insert(number, result);
        self.changed.notify_all();
    }

    /// Waits for the next result, and returns it.
    fn next(&self) -> Next<R> {
        let is_there = |waiting: &Waiting<R>| waiting.results.contains_key(&waiting.next) || waiting.threads == 0;
        let mut waiting = self.wait_while(|waiting| !is_there(waiting));
        if waiting.failed {
            return Next::Defect;
        }
        let next = waiting.next;
        waiting.next = next.saturating_add(1);
        let result = waiting.results.remove(&next);
        self.changed.notify_all();
        match result {
            Some(Some(result)) => Next::Result(result),
            Some(None) => Next::Defect,
            None => Next::Nothing,
        }
    }

    /// Returns the next result if it exists already.
    fn ready(&self) -> Option<R> {
        let mut waiting = self.lock();
        let next = waiting.next;
        let result = waiting.results.remove(&next)?;
        waiting.next = next.saturating_add(1);
        result
    }

    /// Notes that a thread has ended.
    fn leave(&self) {
        let mut waiting = self.lock();
        waiting.threads = waiting.threads.saturating_sub(1);
        self.changed.notify_all();
    }

    /// Ends the run early.
    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Ends the run because of a defect.
    fn fail(&self) {
        self.lock().failed = true;
        self.stop();
    }

    fn is_stopped(&self) -> bool {
        self.lock().stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(number: usize) -> (usize, Installation) {
        let evidence = number.to_string();
        (number, Installation { evidence, ..Installation::default() })
    }

    #[test]
    fn results_are_handed_on_in_order_and_no_thread_runs_far_ahead() {
        let hand: Hand<usize> = Hand::new(3);
        hand.open();
        hand.push((0..200).map(installation));
        let furthest = Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while let Some((number, _)) = hand.pop_later() {
                        // The first of each ten is late.
                        if number % 10 == 0 {
                            std::thread::sleep(std::time::Duration::from_millis(2));
                        }
                        hand.give(number, Some(number));
                    }
                    hand.leave();
                });
            }
            for expected in 0..200 {
                let Next::Result(result) = hand.next() else { panic!("a result") };
                assert_eq!(result, expected);
                let waiting = hand.lock();
                let last = waiting.results.keys().next_back().copied().unwrap_or(expected);
                let mut furthest = furthest.lock().unwrap();
                *furthest = last.saturating_sub(expected).max(*furthest);
                drop(waiting);
                if expected == 150 {
                    hand.opened();
                }
            }
            assert!(matches!(hand.next(), Next::Nothing));
        });
        assert!(*furthest.lock().unwrap() <= 3 * AHEAD, "{furthest:?}");
    }

    #[test]
    fn a_defect_ends_a_run_and_nobody_waits_for_ever() {
        let hand: Hand<usize> = Hand::new(2);
        hand.open();
        hand.push((0..100).map(installation));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Far ahead: it waits until the run ends.
                hand.give(90, Some(90));
                assert!(hand.pop().is_none() && hand.pop_later().is_none());
                hand.leave();
            });
            scope.spawn(|| hand.give(0, None));
            assert!(matches!(hand.next(), Next::Defect));
            hand.stop();
        });
    }
}
