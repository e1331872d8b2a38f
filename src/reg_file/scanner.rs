//! The position of the parser in a text: its lines, and the receiver of what is found in them.

use super::code_page::{CodePage, UNDEFINED};
use super::diagnostic::{Code, Diagnostic};
use super::document::Operation;
use super::encoding::Encoding;
use super::importer::Importer;
use super::legible::is_legible;
use super::lines::{Line, Lines, after_blanks};
use super::plain::is_plain;
use super::sink::{Sink, Text};

/// Returns lines, and passes diagnostics and comments on.
pub(super) struct Scanner<'t> {
    lines: Lines<'t>,
    encoding: Encoding,
    code_page: Option<CodePage>,
    sink: &'t mut (dyn Sink + 't),
    /// Whether a NUL ended the text.
    is_over: bool,
}

impl<'t> Scanner<'t> {
    /// Returns a scanner for a text that follows `before` other lines. `code_page` is that of 8-bit text, if it is known.
    pub(super) fn new(
        text: &'t [u16],
        before: usize,
        encoding: Encoding,
        code_page: Option<CodePage>,
        sink: &'t mut (dyn Sink + 't),
    ) -> Self {
        Self { lines: Lines::new(text, before), encoding, code_page, sink, is_over: false }
    }

    /// Returns the next line. A NUL ends the text.
    pub(super) fn next_line(&mut self) -> Option<Line<'t>> {
        let mut line = self.lines.next()?;
        if is_plain(line.text) {
            return Some(line);
        }
        if let Some((before, from)) = split_at(line.text, |unit| unit == 0) {
            self.remark(line, from, Code::NulInText);
            self.lines.stop();
            self.is_over = true;
            line.text = before;
        }
        self.check_characters(line);
        Some(line)
    }

    /// Returns the number of the last line.
    pub(super) fn number(&self) -> usize {
        self.lines.number()
    }

    /// Returns whether a NUL ended the text.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Adds a diagnostic for a line, at the start of `rest`.
    pub(super) fn remark(&mut self, line: Line<'_>, rest: &[u16], code: Code) {
        self.remark_instead(line, rest, code, None);
    }

    /// Adds a diagnostic with the text to write instead.
    pub(super) fn remark_instead(&mut self, line: Line<'_>, rest: &[u16], code: Code, instead: Option<&'static str>) {
        let importers = Importer::Regedit.into();
        let found = Diagnostic { line: line.number, column: line.column_of(rest), code, importers, instead };
        self.sink.diagnostic(found, Some(Text::Units(line.whole)));
    }

    /// Passes an operation on.
    pub(super) fn push(&mut self, line: Line<'_>, operation: Operation, written: Option<Vec<u8>>) {
        self.sink.operation(line.number, operation, written);
    }

    /// Passes the line on if it is a comment that begins with one of `marks`.
    pub(super) fn take_comment(&mut self, line: Line<'_>, marks: &[u8]) -> bool {
        let Some((mark, text)) = comment_text(line.text) else { return false };
        if !marks.contains(&mark) {
            return false;
        }
        self.sink.comment(line.number, text);
        true
    }

    /// Reports the first character of each untrustworthy kind.
    fn check_characters(&mut self, line: Line<'_>) {
        if self.encoding == Encoding::EightBit && comment_text(line.text).is_none() {
            if self.code_page.is_none()
                && let Some((_, from)) = split_at(line.text, |unit| unit > 0x7f)
            {
                self.remark(line, from, Code::CodePageDependent);
            }
            if let Some((_, from)) = split_at(line.text, |unit| unit == UNDEFINED) {
                self.remark(line, from, Code::NotInCodePage);
            }
        }
        let (mut unpaired, mut hidden) = (None, None);
        let mut rest = line.text;
        for character in char::decode_utf16(line.text.iter().copied()) {
            match character {
                Ok(character) if is_legible(character) => {}
                Ok(_) => _ = hidden.get_or_insert(rest),
                Err(_) => _ = unpaired.get_or_insert(rest),
            }
            rest = rest.get(character.map_or(1, char::len_utf16)..).unwrap_or_default();
        }
        for (place, code) in [(unpaired, Code::UnpairedSurrogate), (hidden, Code::HiddenCharacter)] {
            if let Some(place) = place {
                self.remark(line, place, code);
            }
        }
    }
}

/// Returns the mark and the text of a comment on a line of its own. One blank after the mark belongs to the layout.
fn comment_text(line: &[u16]) -> Option<(u8, &[u16])> {
    let (&mark, text) = after_blanks(line).split_first()?;
    let mark = u8::try_from(mark).ok().filter(|mark| matches!(mark, b';' | b'#'))?;
    Some((mark, text.strip_prefix(&[u16::from(b' ')]).unwrap_or(text)))
}

/// Splits a text before the first wanted unit.
fn split_at(text: &[u16], is_wanted: impl Fn(u16) -> bool) -> Option<(&[u16], &[u16])> {
    text.split_at_checked(text.iter().position(|&unit| is_wanted(unit))?)
}
