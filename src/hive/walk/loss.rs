//! Entries that a key counts and a walk of the hive does not reach.

use serde::{Deserialize, Serialize};

/// Entries that a key counts and that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The key's path from the root. A very long path is cut and ends in `...`.
    pub key: String,
    /// The offset of the key's node, in bytes from the file's start.
    pub offset: u64,
    /// The number of entries that the key counts.
    pub promised: u64,
    /// The number of entries that could be read.
    pub delivered: u64,
    /// The kind of the entries.
    pub what: Lost,
}

/// The kinds of entries that can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lost {
    /// The root key, and everything below it.
    Root,
    /// Subkeys, each with everything below it.
    Subkeys,
    /// Values.
    Values,
}
