//! Progress: the library's current task, for a caller that wants to show it. The library itself shows nothing.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Task {
    /// A folder is searched; each file is one step.
    Searching,
    /// A container is opened, and its volumes are searched; each is one step.
    Reading,
    /// A disk image is compared with its stored hash; each step is a number of bytes.
    Verifying,
    /// An installation is examined, whose label or place is the place of the step; each is one step.
    Examining,
    /// A file is hashed; each step is a number of bytes.
    Hashing,
}

impl Task {
    /// Returns the task's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Searching => "searching",
            Self::Reading => "reading",
            Self::Verifying => "verifying",
            Self::Examining => "examining",
            Self::Hashing => "hashing",
        }
    }

    /// Returns the unit of the task's steps.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Searching => "files",
            Self::Reading => "containers",
            Self::Examining => "installations",
            Self::Verifying | Self::Hashing => "bytes",
        }
    }
}

/// Receives each step. It is called often, and from several threads.
pub trait Observer: Send + Sync {
    /// Receives that `amount` more of the task is done or begins at the place `at`.
    fn step(&self, task: Task, at: &str, amount: u64);
}

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();

/// Sends each later step of this process to this observer. There can be only one; a second is ignored.
pub fn observe(observer: Box<dyn Observer>) {
    let _ = OBSERVER.set(observer);
}

/// Returns whether anybody receives the steps.
pub(crate) fn is_observed() -> bool {
    OBSERVER.get().is_some()
}

/// Sends a step to the observer, if one is set; `at` is computed only then.
pub(crate) fn step(task: Task, at: impl FnOnce() -> String, amount: u64) {
    if let Some(observer) = OBSERVER.get() {
        observer.step(task, &at(), amount);
    }
}
