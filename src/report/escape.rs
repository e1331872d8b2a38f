//! Text from evidence, made safe to look at: nothing of it may steer a terminal, hide, or change the order of what is read.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters that are not seen, that move or reorder others, or that look like a blank and are none; inclusive.
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

/// Blocks of combining marks (UCD, Blocks.txt).
const COMBINING: &[(u32, u32)] =
    &[(0x300, 0x36f), (0x483, 0x489), (0x1ab0, 0x1aff), (0x1dc0, 0x1dff), (0x20d0, 0x20ff), (0xfe20, 0xfe2f)];

/// As many combining marks as letters have in living languages; more only make a stain across the lines.
const MARKS_ON_ONE_LETTER: u32 = 2;

fn within(ranges: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let after = ranges.partition_point(|(first, _)| *first <= code);
    after.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|(_, last)| code <= *last)
}

/// Whether a character is never shown as it is.
pub(crate) fn is_unseen(character: char) -> bool {
    within(UNSEEN, character)
}

/// The text with every character that would not be seen as `\u{202e}`, line ends too. A backslash that stands before
/// `u{` in the text itself is `\u{5c}`, so that what looks like an escape is one.
///
/// ```
/// use hivemend::report::escape::escape;
/// assert_eq!(escape("C:\\WINDOWS"), "C:\\WINDOWS");
/// assert_eq!(escape("\u{1b}[2Jlld.\u{202e}exe"), r"\u{1b}[2Jlld.\u{202e}exe");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    // Nearly everything is ASCII without anything to hide.
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && !text.contains(r"\u{") {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    let mut marks = MARKS_ON_ONE_LETTER; // none at the start, where there is no letter to carry it
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let combining = within(COMBINING, character);
        marks = if combining { marks.saturating_add(1) } else { 0 };
        let looks_like_an_escape = character == '\\' && rest.as_str().starts_with("u{");
        if is_unseen(character) || looks_like_an_escape || (combining && marks > MARKS_ON_ONE_LETTER) {
            push_escape(&mut escaped, u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// [`escape`] for data and names, where a blank matters: blanks at either end, and behind another, are shown too.
pub(crate) fn escape_data(text: &str) -> String {
    let escaped = escape(text);
    let end = escaped.trim_end_matches(' ').len();
    let mut shown = String::with_capacity(escaped.len());
    let mut blank_before = true;
    for (index, character) in escaped.char_indices() {
        if character == ' ' && (blank_before || index >= end) {
            push_escape(&mut shown, 0x20);
        } else {
            shown.push(character);
        }
        blank_before = character == ' ';
    }
    shown
}

/// UTF-16 units that are no well-formed string: what can be read of them, unpaired surrogates and NULs as escapes.
pub(crate) fn escape_units(units: impl IntoIterator<Item = u16>) -> String {
    let mut escaped = String::new();
    let mut run = String::new();
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(character) => run.push(character),
            Err(unpaired) => {
                escaped.push_str(&escape(&run));
                run.clear();
                push_escape(&mut escaped, u32::from(unpaired.unpaired_surrogate()));
            }
        }
    }
    escaped.push_str(&escape(&run));
    escaped
}

fn push_escape(text: &mut String, code: u32) {
    // Writing to a String cannot fail.
    let _ = write!(text, "\\u{{{code:x}}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        for text in ["", r"%SystemRoot%\system32\svchost.exe -k netsvcs", "Ωμέγα, 日本語, 𝄞", "e\u{301}", "שלום"]
        {
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn what_steers_a_terminal_or_hides_is_shown() {
        for (text, shown) in [
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("a\r\nb\tc\u{7}", r"a\u{d}\u{a}b\u{9}c\u{7}"),
            ("\u{7f}\u{9b}2J", r"\u{7f}\u{9b}2J"),
            ("\u{202e}lld.exe\u{202c}", r"\u{202e}lld.exe\u{202c}"),
            ("\u{2066}a\u{2069}\u{200f}\u{61c}", r"\u{2066}a\u{2069}\u{200f}\u{61c}"),
            ("svc\u{200b}host\u{ad}\u{2060}\u{feff}", r"svc\u{200b}host\u{ad}\u{2060}\u{feff}"),
            ("a\u{a0}b\u{3000}c\u{2028}", r"a\u{a0}b\u{3000}c\u{2028}"),
            ("\u{e0041}\u{fe0f}\u{f8ff}", r"\u{e0041}\u{fe0f}\u{f8ff}"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn what_looks_like_an_escape_is_one() {
        assert_eq!(escape(r"C:\u{202e}"), r"C:\u{5c}u{202e}");
        assert_eq!(escape(r"C:\users"), r"C:\users");
    }

    #[test]
    fn a_letter_carries_two_marks_and_no_tower() {
        assert_eq!(escape("a\u{300}\u{301}\u{302}\u{303}"), "a\u{300}\u{301}\\u{302}\\u{303}");
        assert_eq!(escape("\u{300}a"), r"\u{300}a");
    }

    #[test]
    fn blanks_that_would_not_be_seen_are_shown() {
        assert_eq!(escape_data("SensLogonEvent "), r"SensLogonEvent\u{20}");
        assert_eq!(escape_data(" a  b c"), r"\u{20}a \u{20}b c");
        assert_eq!(escape_data("  "), r"\u{20}\u{20}");
    }

    #[test]
    fn unpaired_surrogates_stay_visible() {
        assert_eq!(escape_units([0x61, 0xd800, 0x62, 0, 0x63]), r"a\u{d800}b\u{0}c");
    }

    #[test]
    fn the_ranges_are_sorted_and_hold_every_control() {
        for ranges in [UNSEEN, COMBINING] {
            assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            assert!(!character.is_control() || is_unseen(character), "{character:?}");
            assert!(!character.is_whitespace() || character == ' ' || is_unseen(character), "{character:?}");
        }
    }
}
