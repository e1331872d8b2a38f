//! Splits a text into lines. CRLF, LF, and a bare CR each end a line.

use super::plain::find;

const CARRIAGE_RETURN: u16 = b'\r' as u16;
const LINE_FEED: u16 = b'\n' as u16;

/// One line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// The number of the line, from 1.
    pub(super) number: usize,
    /// The text in UTF-16 units.
    pub(super) text: &'t [u16],
    /// The text with what follows a NUL, which regedit does not read.
    pub(super) whole: &'t [u16],
}

impl Line<'_> {
    /// Returns the column, from 1, where a part of this line's text begins.
    pub(super) fn column_of(&self, part: &[u16]) -> usize {
        let bytes = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        (bytes / 2).min(self.text.len()).saturating_add(1)
    }
}

/// The lines of a text, in order.
pub(super) struct Lines<'t> {
    rest: &'t [u16],
    number: usize,
}

impl<'t> Lines<'t> {
    /// Returns the lines of a text that follows `before` other lines.
    pub(super) fn new(text: &'t [u16], before: usize) -> Self {
        Self { rest: text, number: before }
    }

    /// Returns the number of the last line.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Drops the remaining lines.
    pub(super) fn stop(&mut self) {
        self.rest = &[];
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Line<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = find(self.rest, |unit| unit == CARRIAGE_RETURN || unit == LINE_FEED);
        let (text, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or_default();
        self.rest = match rest {
            [CARRIAGE_RETURN, LINE_FEED, rest @ ..] | [_, rest @ ..] => rest,
            [] => &[],
        };
        self.number = self.number.saturating_add(1);
        Some(Line { number: self.number, text, whole: text })
    }
}

/// Returns the text after the blanks and tabs at its start.
pub(super) fn after_blanks(mut text: &[u16]) -> &[u16] {
    while let [BLANK | TAB, rest @ ..] = text {
        text = rest;
    }
    text
}

/// Returns a text without the blanks and tabs at its end.
pub(super) fn before_blanks(mut text: &[u16]) -> &[u16] {
    while let [rest @ .., BLANK | TAB] = text {
        text = rest;
    }
    text
}

/// Returns whether the rest of a line contains only blanks, or blanks and a comment.
pub(super) fn is_done(rest: &[u16]) -> bool {
    matches!(after_blanks(rest), [] | [SEMICOLON, ..])
}

const BLANK: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;
const SEMICOLON: u16 = b';' as u16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_kinds_of_line_end_in_one_text() {
        let text: Vec<u16> = "a\r\nb\rc\n\nd".encode_utf16().collect();
        let lines: Vec<_> =
            Lines::new(&text, 0).map(|line| (line.number, String::from_utf16_lossy(line.text))).collect();
        let expected = [(1, "a"), (2, "b"), (3, "c"), (4, ""), (5, "d")].map(|(n, t)| (n, t.to_string()));
        assert_eq!(lines, expected);
    }
}
