//! Containers that were not opened yet.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::evidence::kind::Kind;
use crate::evidence::listed::Listed;
use crate::evidence::locator::{Locator, Step};

/// A container that was not opened yet.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Closed {
    /// The file of this machine.
    #[serde(with = "crate::evidence::paths")]
    pub(super) path: PathBuf,
    /// Its name in reports.
    pub(super) at: Locator,
    /// The kind of container, by its first bytes.
    pub(super) kind: Kind,
    /// The wanted part of the container; everything if there are no steps.
    pub(super) wanted: Vec<Step>,
    /// The container's name on its machine, if the user states the name.
    pub(super) original_name: Option<String>,
    /// Files that lay beside it on its machine, and that the user listed.
    pub(super) listed: Listed,
    /// Whether only its logs without a hive are wanted, for a hive in another container.
    pub(super) for_logs: bool,
}

impl Closed {
    /// Returns a container of which everything is wanted.
    pub(super) fn of(path: PathBuf, at: Locator, kind: Kind) -> Self {
        let (wanted, original_name, listed, for_logs) = (Vec::new(), None, Listed::default(), false);
        Self { path, at, kind, wanted, original_name, listed, for_logs }
    }
}
