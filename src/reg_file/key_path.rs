//! The full path of a key in a `.reg` file: a root key, then the names below it.

use std::fmt;
use std::sync::Arc;

/// The six root keys that regedit knows. Abbreviations such as `HKLM` are missing because regedit refuses them.
const ROOTS: [&str; 6] = [
    "HKEY_LOCAL_MACHINE",
    "HKEY_USERS",
    "HKEY_CLASSES_ROOT",
    "HKEY_CURRENT_CONFIG",
    "HKEY_CURRENT_USER",
    "HKEY_DYN_DATA",
];

/// The short names that people and other programs use, and their meaning.
const SHORT_ROOTS: [(&str, &str); 5] = [
    ("HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKU", "HKEY_USERS"),
    ("HKCR", "HKEY_CLASSES_ROOT"),
    ("HKCC", "HKEY_CURRENT_CONFIG"),
    ("HKCU", "HKEY_CURRENT_USER"),
];

/// A key's path from the root key down, one element per key name, in UTF-16 units.
///
/// The names are kept separate because a name in a hive may contain a backslash, which looks like a separator in joined
/// text. Clones are cheap: every value of a section shares its path, however long a hostile file makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Arc<[Vec<u16>]>);

impl KeyPath {
    /// Returns a path from its names, the root key first.
    pub fn from_names<N: AsRef<[u16]>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(names.into_iter().map(|name| name.as_ref().to_vec()).collect())
    }

    /// Returns a path from UTF-16 text with backslashes between the names. Backslashes at the end are ignored, as in
    /// regedit.
    pub fn from_units(text: &[u16]) -> Self {
        let kept = text.iter().rposition(|&unit| unit != SEPARATOR).map_or(0, |last| last.saturating_add(1));
        Self::from_names(text.get(..kept).unwrap_or_default().split(|&unit| unit == SEPARATOR))
    }

    /// Returns the key names, the root key first, in UTF-16 units.
    pub fn names(&self) -> &[Vec<u16>] {
        &self.0
    }

    /// Returns the names below the root key.
    pub fn below_root(&self) -> &[Vec<u16>] {
        self.0.split_first().map_or(&[], |(_, below)| below)
    }

    /// Returns this key and every key above it, the root key first.
    pub fn ancestry(&self) -> impl Iterator<Item = Self> {
        (1..=self.0.len()).map(|length| Self(self.0.iter().take(length).cloned().collect()))
    }

    /// Returns whether the first name is a root key that regedit knows, in any letter case.
    pub fn has_known_root(&self) -> bool {
        let Some(root) = self.0.first() else { return false };
        let root = String::from_utf16_lossy(root);
        ROOTS.iter().any(|known| known.eq_ignore_ascii_case(&root))
    }

    /// Returns the root key that the first name abbreviates, in any letter case.
    pub(super) fn root_meant(&self) -> Option<&'static str> {
        let root = String::from_utf16_lossy(self.0.first()?);
        SHORT_ROOTS.iter().find(|(short, _)| short.eq_ignore_ascii_case(&root)).map(|&(_, long)| long)
    }

    /// Returns the path as UTF-16 text with backslashes between the names.
    pub fn to_units(&self) -> Vec<u16> {
        self.0.join(&SEPARATOR)
    }
}

impl From<&str> for KeyPath {
    fn from(text: &str) -> Self {
        Self::from_units(&text.encode_utf16().collect::<Vec<_>>())
    }
}

impl fmt::Display for KeyPath {
    /// Formats the path for messages. Malformed UTF-16 is replaced, and control characters are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, &self.to_units())
    }
}

/// Writes hostile text so that it cannot move the cursor or end the line.
pub(super) fn write_escaped(f: &mut impl fmt::Write, text: &[u16]) -> fmt::Result {
    for character in char::decode_utf16(text.iter().copied()).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)) {
        if character.is_control() {
            write!(f, "{}", character.escape_unicode())?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

const SEPARATOR: u16 = b'\\' as u16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_at_the_end_are_not_names() {
        assert_eq!(KeyPath::from(r"HKEY_USERS\a\\"), KeyPath::from(r"HKEY_USERS\a"));
        assert_eq!(KeyPath::from("").names(), [Vec::<u16>::new()]);
    }

    #[test]
    fn roots_are_long_names_in_any_case() {
        assert!(KeyPath::from(r"hkey_local_MACHINE\x").has_known_root());
        assert!(!KeyPath::from(r"HKLM\x").has_known_root());
        assert!(!KeyPath::from("").has_known_root());
        assert_eq!(KeyPath::from(r"hkcu\x").root_meant(), Some("HKEY_CURRENT_USER"));
        assert_eq!(KeyPath::from(r"HKEY_USERS\x").root_meant(), None);
    }

    #[test]
    fn ancestry_starts_at_the_root() {
        let all: Vec<String> = KeyPath::from(r"HKEY_USERS\a\b").ancestry().map(|key| key.to_string()).collect();
        assert_eq!(all, ["HKEY_USERS", r"HKEY_USERS\a", r"HKEY_USERS\a\b"]);
    }

    #[test]
    fn a_message_cannot_be_broken_by_a_name() {
        assert_eq!(KeyPath::from("HKEY_USERS\\a\r\n\u{1b}b").to_string(), r"HKEY_USERS\a\u{d}\u{a}\u{1b}b");
    }
}
