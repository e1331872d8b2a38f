//! Characters that readers confuse with others, and names that look alike.

use super::unseen::is_unseen;
use super::upcase;

/// Characters that are easily confused, with their Unicode names and the characters that they resemble.
///
/// <https://www.unicode.org/Public/security/latest/confusables.txt>, <https://www.unicode.org/reports/tr39/>
pub(crate) const LOOK_ALIKES: &[(char, &str, &str)] = &[
    ('\u{2010}', "HYPHEN", "-"),
    ('\u{2011}', "NON-BREAKING HYPHEN", "-"),
    ('\u{2012}', "FIGURE DASH", "-"),
    ('\u{2013}', "EN DASH", "-"),
    ('\u{2014}', "EM DASH", "-"),
    ('\u{2015}', "HORIZONTAL BAR", "-"),
    ('\u{2212}', "MINUS SIGN", "-"),
    ('\u{fe63}', "SMALL HYPHEN-MINUS", "-"),
    ('\u{ff0d}', "FULLWIDTH HYPHEN-MINUS", "-"),
    ('\u{a0}', "NO-BREAK SPACE", "a blank"),
    ('\u{2007}', "FIGURE SPACE", "a blank"),
    ('\u{2009}', "THIN SPACE", "a blank"),
    ('\u{202f}', "NARROW NO-BREAK SPACE", "a blank"),
    ('\u{3000}', "IDEOGRAPHIC SPACE", "a blank"),
    ('\u{ad}', "SOFT HYPHEN", "nothing"),
    ('\u{200b}', "ZERO WIDTH SPACE", "nothing"),
    ('\u{200c}', "ZERO WIDTH NON-JOINER", "nothing"),
    ('\u{200d}', "ZERO WIDTH JOINER", "nothing"),
    ('\u{2060}', "WORD JOINER", "nothing"),
    ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE", "nothing"),
    ('\u{2018}', "LEFT SINGLE QUOTATION MARK", "'"),
    ('\u{2019}', "RIGHT SINGLE QUOTATION MARK", "'"),
    ('\u{201c}', "LEFT DOUBLE QUOTATION MARK", "\""),
    ('\u{201d}', "RIGHT DOUBLE QUOTATION MARK", "\""),
    ('\u{2215}', "DIVISION SLASH", "/"),
    ('\u{2216}', "SET MINUS", "\\"),
    ('\u{29f5}', "REVERSE SOLIDUS OPERATOR", "\\"),
    ('\u{ff3c}', "FULLWIDTH REVERSE SOLIDUS", "\\"),
    ('\u{131}', "LATIN SMALL LETTER DOTLESS I", "i"),
    ('\u{17f}', "LATIN SMALL LETTER LONG S", "s"),
    ('\u{212a}', "KELVIN SIGN", "K"),
    ('\u{3bf}', "GREEK SMALL LETTER OMICRON", "o"),
    ('\u{430}', "CYRILLIC SMALL LETTER A", "a"),
    ('\u{435}', "CYRILLIC SMALL LETTER IE", "e"),
    ('\u{43e}', "CYRILLIC SMALL LETTER O", "o"),
    ('\u{440}', "CYRILLIC SMALL LETTER ER", "p"),
    ('\u{441}', "CYRILLIC SMALL LETTER ES", "c"),
    ('\u{443}', "CYRILLIC SMALL LETTER U", "y"),
    ('\u{445}', "CYRILLIC SMALL LETTER HA", "x"),
    ('\u{455}', "CYRILLIC SMALL LETTER DZE", "s"),
    ('\u{456}', "CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I", "i"),
    ('\u{458}', "CYRILLIC SMALL LETTER JE", "j"),
    ('\u{391}', "GREEK CAPITAL LETTER ALPHA", "A"),
    ('\u{392}', "GREEK CAPITAL LETTER BETA", "B"),
    ('\u{395}', "GREEK CAPITAL LETTER EPSILON", "E"),
    ('\u{396}', "GREEK CAPITAL LETTER ZETA", "Z"),
    ('\u{397}', "GREEK CAPITAL LETTER ETA", "H"),
    ('\u{399}', "GREEK CAPITAL LETTER IOTA", "I"),
    ('\u{39a}', "GREEK CAPITAL LETTER KAPPA", "K"),
    ('\u{39c}', "GREEK CAPITAL LETTER MU", "M"),
    ('\u{39d}', "GREEK CAPITAL LETTER NU", "N"),
    ('\u{39f}', "GREEK CAPITAL LETTER OMICRON", "O"),
    ('\u{3a1}', "GREEK CAPITAL LETTER RHO", "P"),
    ('\u{3a4}', "GREEK CAPITAL LETTER TAU", "T"),
    ('\u{3a5}', "GREEK CAPITAL LETTER UPSILON", "Y"),
    ('\u{3a7}', "GREEK CAPITAL LETTER CHI", "X"),
    ('\u{405}', "CYRILLIC CAPITAL LETTER DZE", "S"),
    ('\u{406}', "CYRILLIC CAPITAL LETTER BYELORUSSIAN-UKRAINIAN I", "I"),
    ('\u{408}', "CYRILLIC CAPITAL LETTER JE", "J"),
    ('\u{410}', "CYRILLIC CAPITAL LETTER A", "A"),
    ('\u{412}', "CYRILLIC CAPITAL LETTER VE", "B"),
    ('\u{415}', "CYRILLIC CAPITAL LETTER IE", "E"),
    ('\u{41a}', "CYRILLIC CAPITAL LETTER KA", "K"),
    ('\u{41c}', "CYRILLIC CAPITAL LETTER EM", "M"),
    ('\u{41d}', "CYRILLIC CAPITAL LETTER EN", "H"),
    ('\u{41e}', "CYRILLIC CAPITAL LETTER O", "O"),
    ('\u{420}', "CYRILLIC CAPITAL LETTER ER", "P"),
    ('\u{421}', "CYRILLIC CAPITAL LETTER ES", "C"),
    ('\u{422}', "CYRILLIC CAPITAL LETTER TE", "T"),
    ('\u{423}', "CYRILLIC CAPITAL LETTER U", "Y"),
    ('\u{425}', "CYRILLIC CAPITAL LETTER HA", "X"),
];

/// Full-width forms of the printable ASCII characters, `!` to `~`: Unicode, "Halfwidth and Fullwidth Forms".
const FULL_WIDTH: std::ops::RangeInclusive<u32> = 0xff01..=0xff5e;
/// The distance from an ASCII character to its full-width form.
const TO_ASCII: u32 = 0xfee0;

/// Returns a name as a reader sees it: in upper case, each character replaced by the one that it resembles, without
/// invisible characters, and without blanks or dots at the ends. Two names that look the same may be different to
/// Windows.
pub(crate) fn look(name: &str) -> String {
    match plain(name) {
        Some(name) => name.to_ascii_uppercase(),
        None => look_closely(name),
    }
}

/// Returns a name without blanks and dots at the ends, if it is printable ASCII: of that, nothing resembles anything
/// else. Almost every name is such.
pub(crate) fn plain(name: &str) -> Option<&str> {
    name.bytes().all(|byte| matches!(byte, b' '..=b'~')).then(|| name.trim_matches([' ', '.']))
}

fn look_closely(name: &str) -> String {
    let seen = |character: char| {
        let code = u32::from(character);
        let narrow = code.checked_sub(TO_ASCII).filter(|_| FULL_WIDTH.contains(&code)).and_then(char::from_u32);
        let known = LOOK_ALIKES.iter().find(|(known, ..)| *known == character);
        // "a blank" and "nothing" are descriptions, not characters.
        let alike = known.map(|(_, _, looks)| looks.chars().next().filter(|_| looks.chars().count() == 1));
        match (narrow, alike) {
            (Some(narrow), _) => Some(narrow),
            (None, Some(alike)) => alike,
            (None, None) => (!is_unseen(character)).then_some(character),
        }
    };
    let upper = |character: char| {
        let upper = u16::try_from(u32::from(character)).ok().map(upcase);
        upper.and_then(|unit| char::from_u32(unit.into())).unwrap_or(character)
    };
    let text: String = name.chars().map(upper).filter_map(seen).map(upper).collect();
    text.trim_matches([' ', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_ascii_is_looked_at_as_everything_else() {
        for character in ' '..='~' {
            // With a letter that is not ASCII and looks like itself, the long way is taken.
            let long = look(&format!("a{character}b\u{e4}"));
            assert_eq!(long, format!("{}\u{c4}", look(&format!("a{character}b"))), "{character:?}");
        }
    }

    #[test]
    fn names_that_look_alike_have_the_same_look() {
        let alike = [
            "BITS",
            "bits",
            "BITS ",
            "bits.",
            " BITS",
            "BI\u{200b}TS",
            "BITS\0",
            "\u{ff22}\u{ff29}\u{ff34}\u{ff33}",
            "B\u{406}TS",
            "\u{412}\u{406}\u{422}\u{405}",
            "b\u{131}ts",
            "BIT\u{455}",
            "BITS\u{a0}",
            "bi\u{ad}ts",
        ];
        for name in alike {
            assert_eq!(look(name), "BITS", "{name:?}");
        }
        for other in ["BITS2", "B1TS", "BIT", "BITSX", "BI TS", "BI.TS"] {
            assert_ne!(look(other), "BITS", "{other:?}");
        }
        assert_eq!(look("wor\u{212a}station"), "WORKSTATION");
    }
}
