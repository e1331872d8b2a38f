//! A bell that wakes those who wait for a change of a state. Waking costs a call of the system, and mostly nobody waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard, PoisonError};

/// Wakes those who wait for something.
#[derive(Default)]
pub(super) struct Bell {
    rung: Condvar,
    /// How many wait. Changed only by those who hold the state.
    waiting: AtomicUsize,
}

impl Bell {
    /// Waits until the bell rings. Like any wait, it may end without.
    pub(super) fn wait<'s, T>(&self, state: MutexGuard<'s, T>) -> MutexGuard<'s, T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let state = self.rung.wait(state).unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        state
    }

    /// Wakes all who wait, if anybody does. The caller holds the state.
    pub(super) fn ring(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.rung.notify_all();
        }
    }
}
