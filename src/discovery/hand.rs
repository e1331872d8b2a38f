//! Hands installations out to threads, and their results on in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Installation;
use super::bell::Bell;

/// The most results for each thread that wait to be handed on.
const AHEAD: usize = 4;

/// The waiting installations, and the results that wait to be handed on.
pub(super) struct Hand<R> {
    state: Mutex<Waiting<R>>,
    /// For those who wait for a result, for an installation, or until the results that are ahead were handed on. Most of
    /// the time nobody waits, and then nobody is woken: waking costs a call of the system.
    result: Bell,
    installation: Bell,
    room: Bell,
    /// How far a result may be ahead of the next one to hand on.
    ahead: usize,
}

/// The next result.
pub(super) enum Next<R> {
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
    pub(super) fn new(threads: usize) -> Self {
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
            result: Bell::default(),
            installation: Bell::default(),
            room: Bell::default(),
            ahead: if threads == 0 { usize::MAX } else { threads.saturating_mul(AHEAD) },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, bell: &Bell, wait: impl Fn(&Waiting<R>) -> bool) -> MutexGuard<'_, Waiting<R>> {
        let mut waiting = self.lock();
        while !waiting.stopped && wait(&waiting) {
            waiting = bell.wait(waiting);
        }
        waiting
    }

    /// Notes that a part is being opened, which may contain installations.
    pub(super) fn open(&self) {
        let mut waiting = self.lock();
        waiting.opening = waiting.opening.saturating_add(1);
    }

    /// Notes that the result of a part was recorded.
    pub(super) fn opened(&self) {
        let mut waiting = self.lock();
        waiting.opening = waiting.opening.saturating_sub(1);
        if waiting.opening == 0 {
            self.installation.ring();
        }
    }

    /// Adds waiting installations, in the order of their numbers.
    pub(super) fn push(&self, installations: impl Iterator<Item = (usize, Installation)>) {
        let mut waiting = self.lock();
        waiting.installations.extend(installations);
        self.installation.ring();
    }

    /// Returns the oldest waiting installation, if there is one.
    pub(super) fn pop(&self) -> Option<(usize, Installation)> {
        let mut waiting = self.lock();
        if waiting.stopped { None } else { waiting.installations.pop_front() }
    }

    /// Returns the oldest waiting installation. Waits for one while a part is being opened.
    pub(super) fn pop_later(&self) -> Option<(usize, Installation)> {
        let mut waiting =
            self.wait_while(&self.installation, |waiting| waiting.installations.is_empty() && waiting.opening > 0);
        if waiting.stopped { None } else { waiting.installations.pop_front() }
    }

    /// Adds a result. Waits while the result is too far ahead of the next one to hand on.
    pub(super) fn give(&self, number: usize, result: Option<R>) {
        let mut waiting = self.wait_while(&self.room, |waiting| number >= waiting.next.saturating_add(self.ahead));
        waiting.results.insert(number, result);
        if number == waiting.next {
            self.result.ring();
        }
    }

    /// Waits for the next result, and returns it.
    pub(super) fn next(&self) -> Next<R> {
        let is_there = |waiting: &Waiting<R>| waiting.results.contains_key(&waiting.next) || waiting.threads == 0;
        let mut waiting = self.wait_while(&self.result, |waiting| !is_there(waiting));
        if waiting.failed {
            return Next::Defect;
        }
        let next = waiting.next;
        waiting.next = next.saturating_add(1);
        let result = waiting.results.remove(&next);
        self.room.ring();
        match result {
            Some(Some(result)) => Next::Result(result),
            Some(None) => Next::Defect,
            None => Next::Nothing,
        }
    }

    /// Returns the next result if it exists already.
    pub(super) fn ready(&self) -> Option<R> {
        let mut waiting = self.lock();
        let next = waiting.next;
        let result = waiting.results.remove(&next)?;
        waiting.next = next.saturating_add(1);
        result
    }

    /// Notes that a thread has ended.
    pub(super) fn leave(&self) {
        let mut waiting = self.lock();
        waiting.threads = waiting.threads.saturating_sub(1);
        if waiting.threads == 0 {
            self.result.ring();
        }
    }

    /// Ends the run early.
    pub(super) fn stop(&self) {
        let mut waiting = self.lock();
        waiting.stopped = true;
        for bell in [&self.result, &self.installation, &self.room] {
            bell.ring();
        }
    }

    /// Ends the run because of a defect.
    pub(super) fn fail(&self) {
        self.lock().failed = true;
        self.stop();
    }

    pub(super) fn is_stopped(&self) -> bool {
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
