//! Names in Windows' lists: their order, their hashes and hints, and characters that no name may contain.

use std::cmp::Ordering;
use std::sync::LazyLock;

use crate::hive::cell::{Hint, Name};
use crate::registry::upcase;

/// The uppercase of each letter that is stored in one byte, as nearly all are. A table is faster than a search.
static UPPERCASE: LazyLock<[u16; 256]> =
    LazyLock::new(|| std::array::from_fn(|byte| upcase(u16::try_from(byte).unwrap_or(0))));

fn uppercase(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let table: &[u16; 256] = &UPPERCASE;
    bytes.iter().map(|byte| table.get(usize::from(*byte)).copied().unwrap_or(0))
}

/// Compares names in the order in which Windows sorts and searches lists: by uppercase, unit by unit.
pub(super) fn order(a: Name<'_>, b: Name<'_>) -> Ordering {
    let (Name::Latin1(a), Name::Latin1(b)) = (a, b) else {
        return a.units().map(upcase).cmp(b.units().map(upcase));
    };
    // Equal bytes are equal letters. The comparison begins at the first difference, which is late in sorted neighbours.
    let same = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).take_while(|(a, b)| a == b).count();
    let same = same.saturating_mul(8);
    uppercase(a.get(same..).unwrap_or_default()).cmp(uppercase(b.get(same..).unwrap_or_default()))
}

/// Returns the hash of a name in an `lh` list: for each letter, 37 times the hash so far plus the letter in uppercase.
pub(super) fn hash(name: Name<'_>) -> u32 {
    let add = |hash: u32, unit: u16| hash.wrapping_mul(37).wrapping_add(u32::from(unit));
    match name {
        Name::Latin1(bytes) => uppercase(bytes).fold(0, add),
        Name::Utf16(_) => name.units().map(upcase).fold(0, add),
    }
}

/// Returns the correct and the actual hint if Windows would skip the key because of this hint.
pub(super) fn hint_differs(name: Name<'_>, hint: Hint) -> Option<(String, String)> {
    match hint {
        // Without a hint, or with an empty one, Windows reads the name itself.
        Hint::None | Hint::Start([0, ..]) => None,
        Hint::Hash(found) => {
            let expected = hash(name);
            (found != expected).then(|| (format!("{expected:#010x}"), format!("{found:#010x}")))
        }
        Hint::Start(found) => {
            let start = name.units().chain([0; 4]).take(4);
            let same = start.map(upcase).eq(found.iter().map(|byte| upcase(u16::from(*byte))));
            let expected = || name.units().take(4).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            (!same).then(|| (expected().escape_ascii().to_string(), found.escape_ascii().to_string()))
        }
    }
}

/// Returns whether a name contains a NUL. Most programs end the name there, and find no key or another one.
pub(super) fn has_nul(name: Name<'_>) -> bool {
    has(name, 0)
}

/// Returns whether a name contains the separator of names in a path.
pub(super) fn has_backslash(name: Name<'_>) -> bool {
    has(name, b'\\')
}

fn has(name: Name<'_>, letter: u8) -> bool {
    match name {
        // Nearly all names are too short for a search to pay off. This loop has no early exit and cannot overflow, so
        // it processes many bytes at once.
        Name::Latin1(bytes) => bytes.iter().fold(0, |found, byte| found | u8::from(*byte == letter)) > 0,
        Name::Utf16(_) => name.units().any(|unit| unit == u16::from(letter)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_their_uppercase() {
        let name = |text: &'static str| Name::Latin1(text.as_bytes());
        assert_eq!(order(name("Alpha"), name("alphA")), Ordering::Equal);
        assert_eq!(order(name("a_"), name("aB")), Ordering::Greater);
        assert_eq!(order(name("ab"), name("abc")), Ordering::Less);
        assert_eq!(order(name("Zulu"), Name::Utf16(&[0xa9, 0x03])), Ordering::Less);
        assert_eq!(order(Name::Utf16(b"z\0"), name("Z")), Ordering::Equal);
    }

    #[test]
    fn hashes_are_those_of_the_uppercase_name() {
        assert_eq!(hash(Name::Latin1(b"ab")), 65 * 37 + 66);
        assert!(hint_differs(Name::Latin1(b"ab"), Hint::Hash(65 * 37 + 66)).is_none());
        assert!(hint_differs(Name::Latin1(b"Software"), Hint::Start(*b"Soft")).is_none());
        assert!(hint_differs(Name::Latin1(b"ab"), Hint::Start(*b"ab\0\0")).is_none());
        let (expected, found) = hint_differs(Name::Latin1(b"ab"), Hint::Start(*b"ac\0\0")).unwrap();
        assert_eq!((expected.as_str(), found.as_str()), (r"a\x00b\x00", r"ac\x00\x00"));
    }

    #[test]
    fn nul_and_backslash_are_found_as_letters() {
        assert!(has_nul(Name::Latin1(b"a\0b")) && has_backslash(Name::Utf16(b"\\\0")));
        assert!(!has_nul(Name::Latin1(b"")) && !has_nul(Name::Utf16(&[0, 1, 0x5c, 1])));
        assert!(!has_backslash(Name::Utf16(&[0, 1, 0x5c, 1])));
    }
}
