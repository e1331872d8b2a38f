//! Names as keys of maps: names that are the same to Windows are one key.

use super::upcase;

/// A name or path that is compared as Windows does, without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<u16>);

impl Name {
    /// Returns the name of these UTF-16 units.
    pub fn of_units(units: impl IntoIterator<Item = u16>) -> Self {
        Self(units.into_iter().map(upcase).collect())
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        if name.is_ascii() {
            return Self(name.bytes().map(|byte| byte.to_ascii_uppercase().into()).collect());
        }
        Self::of_units(name.encode_utf16())
    }
}
