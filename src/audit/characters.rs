//! Characters that look like those of a command line but differ: a web page shows an en dash, and a user copies it.

use crate::registry::look_alikes::LOOK_ALIKES;
use crate::registry::unseen::is_unseen;

/// The most characters that are named. The raw bytes show the others.
const MOST_NAMED: usize = 3;

/// Returns a sentence on each invisible or look-alike character in `observed` that no expected text contains.
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
                "The data contain U+{code:04X} ({name}), an invisible character. Windows compares it like any other \
                 character."
            )
        }
        Some((_, name, looks)) => {
            format!(
                "The data contain U+{code:04X} ({name}), which looks like {looks}. To Windows, these are different \
                 characters."
            )
        }
        None => format!(
            "The data contain U+{code:04X}, an invisible character. Windows compares it like any other \
                         character."
        ),
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
                "The data contain U+2013 (EN DASH), which looks like -. To Windows, these are different characters.",
                "The data contain U+200B (ZERO WIDTH SPACE), an invisible character. Windows compares it like any \
                 other character.",
            ]
        );
        assert!(foreign("%SystemRoot%", &[]).is_empty());
    }
}
