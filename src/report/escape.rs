//! Makes text from evidence safe to display: nothing in it may control a terminal, hide, or reorder the text.

use std::borrow::Cow;
use std::fmt::Write as _;

pub(crate) use crate::registry::unseen::is_unseen;
use crate::registry::unseen::within;

/// Blocks of combining marks (UCD, Blocks.txt).
const COMBINING: &[(u32, u32)] =
    &[(0x300, 0x36f), (0x483, 0x489), (0x1ab0, 0x1aff), (0x1dc0, 0x1dff), (0x20d0, 0x20ff), (0xfe20, 0xfe2f)];

/// The most combining marks on a letter in living languages. More of them would cover other lines.
const MARKS_ON_ONE_LETTER: u32 = 2;

/// Returns the text with every invisible character escaped as `\u{202e}`, including line ends. A backslash before `u{`
/// in the text itself becomes `\u{5c}`, so that every apparent escape is one.
///
/// ```
/// use hivemend::report::escape::escape;
/// assert_eq!(escape("C:\\WINDOWS"), "C:\\WINDOWS");
/// assert_eq!(escape("\u{1b}[2Jlld.\u{202e}exe"), r"\u{1b}[2Jlld.\u{202e}exe");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    // Nearly all text is ASCII without anything to hide.
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

/// Escapes data and names as [`escape`] does, and also blanks at either end and after another blank.
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

/// Returns malformed UTF-16 for display: the readable part, with unpaired surrogates and NULs escaped.
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
    fn the_ranges_are_sorted() {
        assert!(COMBINING.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }
}
