//! Names as keys of maps: two names that are the same to Windows are the same there.

use super::upcase;

/// A name, or a path, as Windows compares it: without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Vec<u16>);

impl Name {
    /// Returns the name of these UTF-16 units.
    pub fn of_units(units: impl IntoIterator<Item = u16>) -> Self {
        Self(units.into_iter().map(upcase).collect())
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self::of_units(name.encode_utf16())
    }
}
