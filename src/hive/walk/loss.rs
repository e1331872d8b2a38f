//! What a walk of a hive's keys does not reach although a key promises it.

use serde::{Deserialize, Serialize};

/// Something that a key promises, and that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The key's path from the root; a very long one is cut, and ends in `...`.
    pub key: String,
    /// Where the key's node is, in bytes from the file's start.
    pub offset: u64,
    /// How many there should be.
    pub promised: u64,
    /// How many could be read.
    pub delivered: u64,
    /// Of what.
    pub what: Lost,
}

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lost {
    /// The root key, and all with it.
    Root,
    /// Subkeys, each with all that is below it.
    Subkeys,
    /// Values.
    Values,
}
