//! The list of the outputs of a run, with size and hash of the bytes as they were written.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The path as the user named it; `-` for standard output.
    pub path: String,
    /// The size in bytes; `null` if the reader of a stream stopped early.
    pub size: Option<u64>,
    /// The SHA-256 of the bytes.
    pub sha256: Option<String>,
}

/// The outputs of a run, in the order of writing.
#[derive(Debug, Default)]
pub(super) struct List(Mutex<Vec<Written>>);

impl List {
    pub(super) fn add(&self, path: &Path, sum: Option<(u64, String)>) {
        let (size, sha256) = sum.unzip();
        let written = Written { path: path.display().to_string(), size, sha256 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(written);
    }

    pub(super) fn all(&self) -> Vec<Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
