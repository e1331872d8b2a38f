//! Which source a worker reads, so that a crash costs that source and no other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Problem};

/// The most failures of readers in one part of the evidence, or in one errand. Each costs a new worker.
pub(super) const MOST_FAILURES: usize = 16;

/// Why the reader of a source failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failure {
    /// It crashed, or needed too much time or memory.
    Reader(String),
    /// This machine has no sandbox for it.
    NoSandbox(String),
}

impl Failure {
    /// Returns the problem of the source.
    pub(super) fn problem(&self) -> Problem {
        let expected = "a container that can be read";
        match self {
            Self::Reader(reason) => Problem::new(expected, reason.clone())
                .code(Code::ReaderFailed)
                .advise("unpack or mount it with another program, and name the result"),
            Self::NoSandbox(reason) => Problem::new(expected, reason.clone())
                .code(Code::NoSandbox)
                .advise("read it with --no-sandbox if you trust it, or unpack it and name the result"),
        }
    }
}

/// The sources whose readers failed before, and who hears which source is read next.
pub(super) struct Watch<'w> {
    pub(super) failed: &'w BTreeMap<String, Failure>,
    pub(super) begin: &'w mut dyn FnMut(&str),
}

impl Watch<'_> {
    /// Notes that the source at this place is read next. Returns the problem if its reader failed before.
    pub(super) fn begin(&mut self, at: &str) -> Option<Problem> {
        let failed = self.failed.get(at);
        if failed.is_none() {
            (self.begin)(at);
        }
        failed.map(Failure::problem)
    }
}
