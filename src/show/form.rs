//! The common interface of all formats for keys, values, and subkeys.

use std::io;

use crate::error::Problem;
use crate::reg_file::{KeyPath, Reason};
use crate::registry::{FileTime, RegistryValue};

/// A key without its values.
pub(super) struct Head<'a> {
    /// The path from the root key down.
    pub(super) path: &'a KeyPath,
    pub(super) last_written: FileTime,
    /// The class in UTF-16 units.
    pub(super) class: Option<Vec<u16>>,
}

/// Whether something could be expressed in a format, or why not.
pub(super) type Said = io::Result<Result<(), Reason>>;

/// A format. Its methods are called in the order of the walk: a key, its values, the names of its subkeys, then the
/// first subkey. A problem of a key is reported at any time after the key.
pub(super) trait Form {
    fn key(&mut self, head: &Head<'_>) -> Said;
    /// Writes a value of the last key. Its name is in UTF-16 units.
    fn value(&mut self, name: Vec<u16>, value: RegistryValue) -> Said;
    fn subkeys(&mut self, names: &mut dyn Iterator<Item = String>) -> io::Result<()>;
    fn problem(&mut self, problem: &Problem) -> io::Result<()>;
    /// Ends the output. `problems` are all problems, including those that were not reported one by one.
    fn end(&mut self, problems: &[Problem]) -> io::Result<()>;
}

/// Returns text for display. Unpaired surrogates become U+FFFD, as everywhere in reports.
pub(super) fn shown(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}
