//! What every form of keys does with a key, its values and its subkeys.

use std::io;

use crate::error::Problem;
use crate::reg_file::{KeyPath, Reason};
use crate::registry::{FileTime, RegistryValue};

/// A key, apart from its values.
pub(super) struct Head<'a> {
    /// From the root key down.
    pub(super) path: &'a KeyPath,
    pub(super) last_written: FileTime,
    /// In UTF-16 units.
    pub(super) class: Option<Vec<u16>>,
}

/// Whether something could be said in a form, or why not.
pub(super) type Said = io::Result<Result<(), Reason>>;

/// A form. Its calls come in the order of the walk: a key, its values, the names of its subkeys, then the first subkey;
/// a problem of a key comes anywhere behind it.
pub(super) trait Form {
    fn key(&mut self, head: &Head<'_>) -> Said;
    /// Returns a value of the key that came last; its name in UTF-16 units.
    fn value(&mut self, name: Vec<u16>, value: RegistryValue) -> Said;
    fn subkeys(&mut self, names: &mut dyn Iterator<Item = String>) -> io::Result<()>;
    fn problem(&mut self, problem: &Problem) -> io::Result<()>;
    /// Ends what was written; `problems` are all that came, and those that did not come one by one.
    fn end(&mut self, problems: &[Problem]) -> io::Result<()>;
}

/// Text for showing: unpaired surrogates as U+FFFD, as everywhere in reports.
pub(super) fn shown(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}
