//! Names as the registry compares, compresses and hashes them.

/// Returns a string as UTF-16 units.
pub fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Returns the units as bytes, least significant first.
pub fn utf16le(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Returns the upper case of one UTF-16 unit.
///
/// As in Windows, one unit results in one unit, and only if lower-casing restores it: dotless i and long s stay. Other
/// letters are approximate: three blocks that Unicode cased later than Windows are unchanged, and there may be more. A
/// test that depends on such a letter should use `Key::keep_order`.
pub fn upcase(unit: u16) -> u16 {
    if unit < 0x80 {
        return match unit {
            0x61..=0x7A => unit - 0x20,
            _ => unit,
        };
    }
    // Georgian and Cherokee.
    if matches!(unit, 0x10D0..=0x10FF | 0x13F8..=0x13FD | 0xAB70..=0xABBF) {
        return unit;
    }
    let Some(lower) = char::from_u32(u32::from(unit)) else {
        return unit; // a surrogate
    };
    let Some(upper) = only(lower.to_uppercase()) else {
        return unit;
    };
    if only(upper.to_lowercase()) != Some(lower) {
        return unit;
    }
    u16::try_from(u32::from(upper)).unwrap_or(unit)
}

/// Returns the item of an iterator with exactly one.
fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let letter = letters.next()?;
    letters.next().is_none().then_some(letter)
}

/// Returns a name in upper case, for sorting and look-ups.
pub(super) fn upcase_name(name: &[u16]) -> Vec<u16> {
    name.iter().copied().map(upcase).collect()
}

/// Returns whether two names are the same to the registry.
pub(super) fn same_name(a: &[u16], b: &[u16]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| a == b || upcase(a) == upcase(b))
}

/// Returns a name in its stored form, and whether that has one byte per unit.
///
/// An empty name (that of the default value) is not marked as compressed, because Windows considers that no gain.
pub(super) fn stored_name(name: &[u16]) -> (Vec<u8>, bool) {
    let latin1: Result<Vec<u8>, _> = name.iter().map(|&unit| u8::try_from(unit)).collect();
    match latin1 {
        Ok(bytes) => {
            let compressed = !bytes.is_empty();
            (bytes, compressed)
        }
        Err(_) => (utf16le(name), false),
    }
}

/// Returns the hash of a name in an `lh` list.
pub(super) fn hash(name: &[u16]) -> u32 {
    name.iter().fold(0_u32, |hash, &unit| hash.wrapping_mul(37).wrapping_add(u32::from(upcase(unit))))
}

/// Returns the hint of a name in an `lf` list: its first four characters, or zeros if one of them is not Latin-1.
pub(super) fn hint(name: &[u16]) -> [u8; 4] {
    let mut hint = [0; 4];
    for (slot, &unit) in hint.iter_mut().zip(name) {
        match u8::try_from(unit) {
            Ok(byte) => *slot = byte,
            Err(_) => return [0; 4],
        }
    }
    hint
}
