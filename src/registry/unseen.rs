//! Characters that are invisible or look like others.

/// Ranges of characters that are invisible, move or reorder others, or look like a blank and are not one. Inclusive.
///
/// Controls; the Unicode property Default_Ignorable_Code_Point (UCD, DerivedCoreProperties.txt); Bidi_Control (UAX #9);
/// separators other than the blank; private use and noncharacters, which look as each font pleases.
const UNSEEN: &[(u32, u32)] = &[
    (0x00, 0x1f),           // controls, ESC among them
    (0x7f, 0xa0),           // DEL, C1 controls, no-break space
    (0xad, 0xad),           // soft hyphen
    (0x34f, 0x34f),         // combining grapheme joiner
    (0x600, 0x605),         // Arabic number signs, which enclose what follows
    (0x61c, 0x61c),         // Arabic letter mark
    (0x6dd, 0x6dd),         // Arabic end of ayah
    (0x70f, 0x70f),         // Syriac abbreviation mark
    (0x890, 0x891),         // Arabic currency marks above
    (0x8e2, 0x8e2),         // Arabic disputed end of ayah
    (0x115f, 0x1160),       // Hangul fillers
    (0x1680, 0x1680),       // Ogham space mark
    (0x17b4, 0x17b5),       // Khmer inherent vowels
    (0x180b, 0x180f),       // Mongolian variation selectors
    (0x2000, 0x200f),       // spaces of all widths, zero-width characters, marks of direction
    (0x2028, 0x202f),       // line and paragraph separator, embeddings and overrides
    (0x205f, 0x206f),       // invisible operators, isolates
    (0x2800, 0x2800),       // Braille blank
    (0x3000, 0x3000),       // ideographic space
    (0x3164, 0x3164),       // Hangul filler
    (0xe000, 0xf8ff),       // private use
    (0xfdd0, 0xfdef),       // noncharacters
    (0xfe00, 0xfe0f),       // variation selectors
    (0xfeff, 0xfeff),       // byte order mark
    (0xffa0, 0xffa0),       // halfwidth Hangul filler
    (0xfff0, 0xfffc),       // unassigned, interlinear annotation, object replacement
    (0xfffe, 0xffff),       // noncharacters
    (0x110bd, 0x110bd),     // Kaithi number sign
    (0x110cd, 0x110cd),     // Kaithi number sign above
    (0x13430, 0x1345f),     // Egyptian hieroglyph format controls
    (0x1bca0, 0x1bca3),     // shorthand format controls
    (0x1d159, 0x1d159),     // musical null notehead
    (0x1d173, 0x1d17a),     // musical format controls
    (0xe0000, 0x0010_ffff), // tags, variation selectors, private use
];

/// Returns whether a character is in one of the ranges, which are inclusive and sorted.
pub(crate) fn within(ranges: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let after = ranges.partition_point(|(first, _)| *first <= code);
    after.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|(_, last)| code <= *last)
}

/// Returns whether a character is always shown as an escape.
pub(crate) fn is_unseen(character: char) -> bool {
    within(UNSEEN, character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_sorted_and_hold_every_control() {
        assert!(UNSEEN.windows(2).all(|pair| pair[0].1 < pair[1].0));
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            assert!(!character.is_control() || is_unseen(character), "{character:?}");
            assert!(!character.is_whitespace() || character == ' ' || is_unseen(character), "{character:?}");
        }
    }
}
