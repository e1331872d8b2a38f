//! Lines as Perl reads them, joined as `reg_import` does.

/// Returns the lines one by one.
pub(super) struct PerlLines<'t> {
    rest: &'t [u8],
    /// The number of lines that hivexregedit has counted.
    counted: usize,
}

/// A line, with the lines that were joined to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PerlLine {
    /// Its bytes. The last line of a file keeps its line end if it was joined to another.
    pub(super) text: Vec<u8>,
    /// The number of its first line, from 1.
    pub(super) first: usize,
    /// The line number in hivexregedit's messages.
    pub(super) counted: usize,
    /// Whether other lines were joined to it.
    pub(super) joined: bool,
}

impl<'t> PerlLines<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        Self { rest: bytes, counted: 0 }
    }

    /// Returns what `<$fh>` reads: up to and including a line feed.
    fn raw(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|&byte| byte == b'\n').map_or(self.rest.len(), |at| at.saturating_add(1));
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(line)
    }
}

impl Iterator for PerlLines<'_> {
    type Item = PerlLine;

    /// Returns the next line after `chomp; s/\r$//; if (s/\\\s*$//) { $_ .= <$fh>; redo unless eof ($fh) }`.
    fn next(&mut self) -> Option<PerlLine> {
        let mut text = self.raw()?.to_vec();
        let first = self.counted.saturating_add(1);
        let mut joined = false;
        loop {
            self.counted = self.counted.saturating_add(1);
            _ = text.pop_if(|byte| *byte == b'\n');
            _ = text.pop_if(|byte| *byte == b'\r');
            let kept = trimmed(&text);
            let Some(before) = kept.strip_suffix(b"\\") else { break };
            text.truncate(before.len());
            joined = true;
            text.extend_from_slice(self.raw().unwrap_or_default());
            if self.rest.is_empty() {
                break;
            }
        }
        Some(PerlLine { text, first, counted: self.counted, joined })
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
        PerlLines::new(text).map(|line| (line.text.escape_ascii().to_string(), line.first, line.counted)).collect()
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
