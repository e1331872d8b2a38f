//! Characters that look like those of a command line and are others: a page prints an en dash, a user copies it.

use crate::registry::unseen::is_unseen;

/// Characters that are easily taken for another, with their names in Unicode and what they are taken for.
///
/// <https://www.unicode.org/Public/security/latest/confusables.txt>, <https://www.unicode.org/reports/tr39/>
const LOOK_ALIKES: &[(char, &str, &str)] = &[
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
];

/// So many characters are named; the raw bytes show the others.
const MOST_NAMED: usize = 3;

/// A sentence on each character in `observed` that is taken for another or not seen, and that no expected text has.
pub(super) fn foreign(observed: &str, expected: &[String]) -> Vec<String> {
    let mut found: Vec<char> = Vec::new();
    let odd = |character: &char| LOOK_ALIKES.iter().any(|(known, ..)| known == character) || is_unseen(*character);
    for character in observed.chars().filter(odd) {
        if found.len() < MOST_NAMED
            && !found.contains(&character)
            && !expected.iter().any(|text| text.contains(character))
        {
            found.push(character);
        }
    }
    found.into_iter().map(sentence).collect()
}

fn sentence(character: char) -> String {
    let code = u32::from(character);
    match LOOK_ALIKES.iter().find(|(known, ..)| *known == character) {
        Some((_, name, "nothing")) => {
            format!(
                "The data hold U+{code:04X} ({name}), which is not seen; to Windows it is a character like any other."
            )
        }
        Some((_, name, looks)) => {
            format!(
                "The data hold U+{code:04X} ({name}), which looks like {looks}; to Windows it is another character."
            )
        }
        None => format!("The data hold U+{code:04X}, which is not seen; to Windows it is a character like any other."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_odd_character_is_named_once_and_what_is_expected_is_not() {
        let sentences = foreign("a \u{2013}k b\u{2013}\u{200b}é", &["é".to_owned()]);
        assert_eq!(
            sentences,
            [
                "The data hold U+2013 (EN DASH), which looks like -; to Windows it is another character.",
                "The data hold U+200B (ZERO WIDTH SPACE), which is not seen; to Windows it is a character like any other.",
            ]
        );
        assert!(foreign("%SystemRoot%", &[]).is_empty());
    }
}
