//! How the evidence of a run is read: the user's options, and the end of the run.

use std::path::Path;

use crate::evidence::archive::Unpacking;
use crate::evidence::deadline::Deadline;
use crate::evidence::worker::{self, Witness};

/// How the evidence is read, the same for all parts of a run.
#[derive(Clone, Copy)]
pub struct Reading<'u> {
    map: bool,
    pub(super) unpacking: &'u Unpacking,
    pub(super) witness: Option<Witness<'u>>,
    pub(super) deadline: Deadline,
}

impl<'u> Reading<'u> {
    /// Returns a way to read. See [`crate::evidence::Bytes::open`] for `map`; `unpacking` has the user's options for
    /// containers.
    pub fn new(map: bool, unpacking: &'u Unpacking) -> Self {
        Self { map, unpacking, witness: None, deadline: Deadline::of(unpacking.limits.seconds) }
    }

    /// Calls a witness with each file of this machine before the file is read. Exception: if this process opens the
    /// containers, a file that one needs besides its first is passed after it was read. A file may be passed several
    /// times, and from several threads.
    #[must_use]
    pub fn witnessed_by(self, witness: Option<Witness<'u>>) -> Self {
        Self { witness, ..self }
    }

    /// Returns the same way to read in another process, after so many seconds of the run.
    pub(super) fn after(self, seconds: u64) -> Self {
        Self { deadline: self.deadline.after(seconds), ..self }
    }

    /// Returns how many seconds a worker may take for a container of `size` bytes. Only a check of its hash reads all of
    /// it.
    pub(super) fn seconds_for(&self, size: u64) -> u64 {
        worker::seconds_for(if self.unpacking.verify_image { size } else { size.min(4 << 30) })
    }

    /// Returns whether files may be mapped.
    pub(super) fn map(&self) -> bool {
        self.map
    }

    /// Shows the witness a file that is about to be read.
    pub(super) fn witness(&self, path: &Path) {
        if let Some(witness) = self.witness {
            witness(path);
        }
    }
}
