//! Lines as Perl reads them, joined as `reg_import` does.

use std::borrow::Cow;

use crate::reg_file::pieces::Grammar;
use crate::reg_file::plain::find;

/// Returns the lines one by one.
pub(super) struct PerlLines<'t> {
    rest: &'t [u8],
    /// Whether the file ends after this text.
    is_last: bool,
    /// The number of lines that hivexregedit has counted.
    counted: usize,
}

/// A line, with the lines that were joined to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PerlLine<'t> {
    /// Its bytes. The last line of a file keeps its line end if it was joined to another.
    pub(super) text: Cow<'t, [u8]>,
    /// The number of its first line, from 1.
    pub(super) first: usize,
    /// The line number in hivexregedit's messages.
    pub(super) counted: usize,
    /// The line of that number, with its line end.
    pub(super) raw: &'t [u8],
    /// Whether other lines were joined to it.
    pub(super) joined: bool,
}

impl<'t> PerlLines<'t> {
    /// Returns the lines of a text that follows `counted` other lines.
    pub(super) fn new(bytes: &'t [u8], is_last: bool, counted: usize) -> Self {
        Self { rest: bytes, is_last, counted }
    }

    /// Returns the number of lines that hivexregedit has counted.
    pub(super) fn counted(&self) -> usize {
        self.counted
    }

    /// Returns what `<$fh>` reads: up to and including a line feed.
    fn raw(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = find(self.rest, |byte| byte == b'\n').map_or(self.rest.len(), |at| at.saturating_add(1));
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(line)
    }
}

impl<'t> Iterator for PerlLines<'t> {
    type Item = PerlLine<'t>;

    /// Returns the next line after `chomp; s/\r$//; if (s/\\\s*$//) { $_ .= <$fh>; redo unless eof ($fh) }`.
    fn next(&mut self) -> Option<PerlLine<'t>> {
        let mut next = self.raw()?;
        let mut text = Cow::Borrowed(next);
        let first = self.counted.saturating_add(1);
        let mut joined = false;
        let mut raw;
        loop {
            self.counted = self.counted.saturating_add(1);
            raw = next;
            text = chomped(text);
            let kept = trimmed(&text);
            let Some(length) = kept.strip_suffix(b"\\").map(<[u8]>::len) else { break };
            joined = true;
            next = self.raw().unwrap_or_default();
            let text = text.to_mut();
            text.truncate(length);
            text.extend_from_slice(next);
            if self.rest.is_empty() && self.is_last {
                break;
            }
        }
        Some(PerlLine { text, first, counted: self.counted, raw, joined })
    }
}

/// Returns a line without the line feed at its end, and without the carriage return before that.
fn chomped(mut text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let kept = text.strip_suffix(b"\n").unwrap_or(&text);
    let kept = kept.strip_suffix(b"\r").unwrap_or(kept).len();
    match &mut text {
        Cow::Borrowed(text) => *text = text.get(..kept).unwrap_or_default(),
        Cow::Owned(text) => text.truncate(kept),
    }
    text
}

/// The grammar of these lines: any line goes on after a backslash, whatever follows it but letters.
pub(in crate::reg_file) struct Perl;

impl Grammar for Perl {
    type Unit = u8;

    fn ends_line(unit: u8) -> bool {
        unit == b'\n'
    }

    fn is_one_end(_first: u8, _second: u8) -> bool {
        false
    }

    fn goes_on(line: &[u8]) -> Option<bool> {
        Some(*trimmed(line).last()? == b'\\')
    }
}

/// Returns whether `\s` matches the byte in a pattern on bytes.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ')
}

/// Returns the text without whitespace of any kind at its end.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| !is_space(byte)).map_or(0, |last| last.saturating_add(1));
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(String, usize, usize)> {
        PerlLines::new(text, true, 0)
            .map(|line| (line.text.escape_ascii().to_string(), line.first, line.counted))
            .collect()
    }

    fn line(text: &str, first: usize, counted: usize) -> (String, usize, usize) {
        (text.to_owned(), first, counted)
    }

    #[test]
    fn any_line_goes_on_after_a_backslash() {
        assert_eq!(lines(b"; a\\ \t\r\nb\r\nc\n"), [line("; ab", 1, 2), line("c", 3, 3)]);
        assert_eq!(lines(b"a\\\\\nb\nc"), [line(r"a\\b", 1, 2), line("c", 3, 3)]);
    }

    /// `redo unless eof`: the last line is used as stored, and not counted.
    #[test]
    fn the_last_line_is_joined_raw() {
        assert_eq!(lines(b"a\\\nb\\\r\n"), [line(r"ab\\\r\n", 1, 1)]);
        assert_eq!(lines(b"a\\"), [line("a", 1, 1)]);
        assert_eq!(lines(b"a\\\nb\\\nc\n"), [line(r"abc\n", 1, 2)]);
    }

    #[test]
    fn a_bare_carriage_return_ends_no_line() {
        assert_eq!(lines(b"a\rb\r\n\r\n"), [line(r"a\rb", 1, 1), line("", 2, 2)]);
    }
}
