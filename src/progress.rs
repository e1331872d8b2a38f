//! Progress: what the library is at while it works, for whoever wants to show it. The library shows nothing itself.

use std::sync::OnceLock;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A folder is searched; each step is one file.
    Searching,
    /// A container is opened, its volumes are searched, and, where that was asked for, its stored hash is checked. It is
    /// one step, for another process does it.
    Reading,
    /// A file is hashed; each step is a number of bytes.
    Hashing,
}

impl Task {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Searching => "searching",
            Self::Reading => "reading",
            Self::Hashing => "hashing",
        }
    }

    /// What its steps are counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Searching => "files",
            Self::Reading => "containers",
            Self::Hashing => "bytes",
        }
    }
}

/// Is told of each step. It is called often, and from several threads.
pub trait Observer: Send + Sync {
    /// `amount` more of the task is done, or begins, at this place.
    fn step(&self, task: Task, at: &str, amount: u64);
}

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();

/// From now on this observer is told of each step of this process. There can be one; a second is not used.
pub fn observe(observer: Box<dyn Observer>) {
    let _ = OBSERVER.set(observer);
}

/// Tells the observer, where there is one; `at` is computed only then.
pub(crate) fn step(task: Task, at: impl FnOnce() -> String, amount: u64) {
    if let Some(observer) = OBSERVER.get() {
        observer.step(task, &at(), amount);
    }
}
