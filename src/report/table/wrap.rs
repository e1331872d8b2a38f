//! Line breaks: at a blank, after a separator in a path, and only otherwise inside a word.

/// Splits a line into pieces of at most `width` columns. A character beyond ASCII counts as two columns, so a piece may
/// be shorter than possible, but never too long.
pub(super) fn wrap(line: &str, width: usize) -> Vec<&str> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut rest = line;
    while let Some((piece, remainder)) = cut(rest, width) {
        lines.push(piece);
        rest = remainder;
    }
    lines.push(rest);
    lines
}

/// Returns the first piece of a line that is too wide, and the rest.
fn cut(line: &str, width: usize) -> Option<(&str, &str)> {
    let mut used = 0_usize;
    let mut at_blank = None;
    let mut at_separator = None;
    for (index, character) in line.char_indices() {
        used = used.saturating_add(if character.is_ascii() { 1 } else { 2 });
        // A blank may be at the position after a full line, because it is not written.
        if character == ' ' && index > 0 {
            at_blank = Some(index);
        }
        if used > width {
            // A separator is preferred only if a break at a blank would leave the line half empty.
            let early = at_blank.is_none_or(|blank| blank < width / 2);
            let place = if early { at_separator.max(at_blank) } else { at_blank };
            let (piece, rest) = line.split_at(place.unwrap_or(index));
            return Some((piece, rest.strip_prefix(' ').unwrap_or(rest)));
        }
        // The backslash of an escape is not a separator.
        let escape = || line.get(index..).is_some_and(|rest| rest.starts_with("\\u{"));
        if matches!(character, '/' | ',' | ';') || (character == '\\' && !escape()) {
            // The break is after the separator. All separators are one byte long.
            at_separator = Some(index.saturating_add(1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_blanks_and_behind_separators() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("one two", 7), ["one two"]);
        assert_eq!(wrap("one two", 3), ["one", "two"]);
        assert_eq!(
            wrap(r"%SystemRoot%\system32\svchost.exe -k netsvcs", 28),
            [r"%SystemRoot%\system32\", "svchost.exe -k netsvcs"]
        );
        assert_eq!(wrap(r"a\u{1b}b", 6), [r"a\u{1b", "}b"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn wide_characters_never_make_a_line_too_long() {
        assert_eq!(wrap("日本語日本語", 5), ["日本", "語日", "本語"]);
    }
}
