//! Names as hivexregedit compares them.

/// Returns the result of `lc` for a value's name in the file, which Perl stores as bytes: ASCII letters become lower
/// case, and each byte is a letter of its own.
pub(crate) fn lower_bytes(name: &[u8]) -> Vec<char> {
    name.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// Returns the result of `lc` for a value's name in the hive, which hivex decodes: all letters become lower case as in
/// Unicode. So U+212A, the Kelvin sign, becomes a plain k. `None` for half a surrogate pair, where hivex stops.
pub(crate) fn lower_units(name: &[u16]) -> Option<Vec<char>> {
    let mut lower = Vec::with_capacity(name.len());
    for character in char::decode_utf16(name.iter().copied()) {
        lower.extend(character.ok()?.to_lowercase());
    }
    Some(lower)
}

/// Returns a name as hivex receives it from Perl: a C string, which ends at a NUL.
pub(crate) fn cut_at_nul(name: &[u8]) -> &[u8] {
    name.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Returns a name or a path in UTF-16 units: decoded as UTF-8, or as Latin-1 if it is not valid UTF-8.
pub(crate) fn decoded(text: &[u8]) -> Vec<u16> {
    match str::from_utf8(text) {
        Ok(text) => text.encode_utf16().collect(),
        Err(_) => text.iter().map(|&byte| byte.into()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(in_file: &str, in_hive: &str) -> bool {
        let in_hive: Vec<u16> = in_hive.encode_utf16().collect();
        Some(lower_bytes(in_file.as_bytes())) == lower_units(&in_hive)
    }

    #[test]
    fn names_are_alike_to_perl_in_ways_of_its_own() {
        assert!(alike("Start", "START"));
        assert!(alike("lock", "LOC\u{212a}"));
        // A name beyond ASCII has different letters in the file, so it does not match itself.
        assert!(!alike("Log\u{f4}n", "Log\u{f4}n"));
        assert!(alike("\u{20ac}", "\u{e2}\u{82}\u{ac}"));
        assert_eq!(lower_units(&[0xd800]), None);
        assert_eq!(lower_units(&[0x130]), Some(vec!['i', '\u{307}']));
    }
}
