//! The characters that may be written without an escape.

/// Returns whether a reader sees the character as it is, and every importer keeps it.
///
/// Excluded are controls (but not the tab), line ends of any script, characters that change the direction of text, and
/// noncharacters, which Perl replaces. Data with one of these are written in hex.
pub(super) fn is_legible(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(character, '\u{2028}' | '\u{2029}');
    let is_none = matches!(character, '\u{feff}' | '\u{fdd0}'..='\u{fdef}') || u32::from(character) & 0xfffe == 0xfffe;
    character == '\t' || !(character.is_control() || turns || ends_line || is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_every_plane_are_legible_and_the_traps_are_not() {
        assert!("aé\t\u{fffd}😀\u{fdcf}\u{10fffd} ".chars().all(is_legible));
        let traps = "\0\n\r\u{1b}\u{7f}\u{85}\u{2028}\u{202e}\u{2067}\u{200f}\u{feff}\u{fdd0}\u{fffe}\u{1ffff}";
        assert!(!traps.chars().any(is_legible));
    }
}
