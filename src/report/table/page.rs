//! The page: lines in columns of fixed width, in colour or not.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::Style;
pub(crate) use super::ink::Ink;
use super::wrap::wrap;

/// The width in columns if that of the terminal is unknown.
const DEFAULT_WIDTH: u16 = 120;
/// The smallest width that is supported.
const LEAST_WIDTH: u16 = 40;
/// The width of `unexpected` and `unreadable`. A longer text is not a word that gets a background of its own.
const LONGEST_WORD: usize = 10;
/// The end of text that is cut.
const ELLIPSIS: &str = " ...";
/// The blanks between two columns.
pub(crate) const GAP: usize = 2;

/// The output of the table, and its width.
pub(crate) struct Page<'w> {
    writer: &'w mut dyn Write,
    width: usize,
    color: bool,
    ascii: bool,
}

impl<'w> Page<'w> {
    pub(crate) fn new(writer: &'w mut dyn Write, style: Style) -> Self {
        let width = usize::from(style.width.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH));
        Self { writer, width, color: style.color, ascii: style.ascii }
    }

    /// Returns the width in columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Returns a text in a form that the terminal can display.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.ascii { in_ascii(text) } else { Cow::Borrowed(text) }
    }

    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.writer.write_all(b"\n")
    }

    /// Writes a horizontal line over the whole width.
    pub(super) fn rule(&mut self) -> io::Result<()> {
        let rule = if self.ascii { "-" } else { "─" }.repeat(self.width);
        self.line(0, &rule, "", Ink::Dim)
    }

    /// Writes text over the whole width, indented by `indent`.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str, ink: Ink) -> io::Result<()> {
        let text = self.shown(text);
        for line in wrap(&text, self.width.saturating_sub(indent)) {
            self.line(indent, line, "", ink.of_sentence())?;
        }
        Ok(())
    }

    /// Writes text on at most `lines` lines. If it is longer, the last line ends in an ellipsis.
    pub(super) fn at_most(&mut self, lines: usize, indent: usize, text: &str, ink: Ink) -> io::Result<()> {
        let width = self.width.saturating_sub(indent);
        let text = &*self.shown(text);
        let pieces = wrap(text, width);
        let Some(last) = lines.checked_sub(1).filter(|_| pieces.len() > lines) else {
            return self.paragraph(indent, text, ink);
        };
        for piece in pieces.iter().take(last) {
            self.line(indent, piece, "", ink)?;
        }
        // The pieces are parts of one text, so the rest begins with the last piece that is written.
        let rest = pieces.get(last).copied().unwrap_or_default();
        let shorter = wrap(rest, width.saturating_sub(ELLIPSIS.len())).first().copied().unwrap_or_default();
        self.line(indent, &format!("{}{ELLIPSIS}", shorter.trim_end_matches([',', ';', ':', ' '])), "", ink)
    }

    /// Writes a label, and text that stays beside it when it is wrapped.
    pub(crate) fn labelled(
        &mut self,
        indent: usize,
        width: usize,
        label: &str,
        text: &str,
        ink: Ink,
    ) -> io::Result<()> {
        let rest = self.width.saturating_sub(indent).saturating_sub(width).saturating_sub(GAP);
        self.row(indent, &[(width, label), (rest, text)], ink)
    }

    /// Writes a label, and beside it facts, with line breaks between facts where possible.
    pub(super) fn facts(
        &mut self,
        indent: usize,
        width: usize,
        label: &str,
        facts: &[String],
        between: &str,
    ) -> io::Result<()> {
        let rest = self.width.saturating_sub(indent).saturating_sub(width).saturating_sub(GAP);
        let mut text = String::new();
        let mut used = 0_usize;
        for fact in facts {
            let wide = fact.chars().count().saturating_add(between.len());
            if used > 0 {
                text.push_str(between.trim_end());
                if used.saturating_add(wide) > rest {
                    text.push('\n');
                    used = 0;
                } else {
                    text.push(' ');
                }
            }
            text.push_str(fact);
            used = used.saturating_add(wide);
        }
        self.labelled(indent, width, label, &text, Ink::Dim)
    }

    /// Writes cells side by side, each with its width. The ink applies to the first.
    pub(crate) fn row(&mut self, indent: usize, cells: &[(usize, &str)], ink: Ink) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
        table.add_row(cells.iter().map(|(width, text)| {
            let text = self.shown(text);
            let lines: Vec<&str> = text.lines().flat_map(|line| wrap(line, *width)).collect();
            Cell::new(lines.join("\n"))
        }));
        let last = cells.len().saturating_sub(1);
        for ((index, (width, _)), column) in cells.iter().enumerate().zip(table.column_iter_mut()) {
            let gap = if index == last { 0 } else { GAP };
            column.set_padding((0, u16::try_from(gap).unwrap_or(0)));
            let width = u16::try_from(width.saturating_add(gap)).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
        // The first column is in ASCII: a label, a severity. After an id in wide letters, the ink only ends late.
        let first = cells.first().map_or(0, |(width, _)| *width);
        let word = cells.first().is_some_and(|(_, text)| text.len() <= LONGEST_WORD);
        let ink = if word { ink } else { ink.of_sentence() };
        for line in table.lines().collect::<Vec<_>>() {
            let end = line.char_indices().nth(first).map_or(line.len(), |(index, _)| index);
            let (inked, rest) = line.split_at(end);
            self.line(indent, inked, rest, ink)?;
        }
        Ok(())
    }

    /// Writes one line: blanks, coloured text, plain text. Blanks at the end are removed.
    pub(crate) fn line(&mut self, indent: usize, inked: &str, plain: &str, ink: Ink) -> io::Result<()> {
        let (inked, plain) = (&*self.shown(inked), &*self.shown(plain));
        let plain = plain.trim_end();
        let inked = if plain.is_empty() { inked.trim_end() } else { inked };
        if inked.is_empty() && plain.is_empty() {
            return self.blank();
        }
        write!(self.writer, "{:indent$}", "")?;
        // Blanks are not coloured, because they would be visible if a terminal underlines or inverts.
        let text = inked.trim_end();
        let blanks = inked.get(text.len()..).unwrap_or_default();
        let style = ink.style();
        if self.color && !style.is_plain() && !text.is_empty() {
            write!(self.writer, "{style}{text}{style:#}{blanks}{plain}")?;
        } else {
            write!(self.writer, "{text}{blanks}{plain}")?;
        }
        self.blank()
    }
}

/// Returns a text in ASCII: signs are replaced, and other characters are escaped.
fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0'..='\x7f' => shown.push(character),
            '…' => shown.push_str("..."),
            '→' => shown.push_str("->"),
            '─' | '–' | '—' => shown.push('-'),
            '’' => shown.push('\''),
            '“' | '”' => shown.push('"'),
            _ => shown.extend(character.escape_unicode()),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_says_the_same() {
        assert_eq!(in_ascii("a… → b — \u{43e}"), r"a... -> b - \u{43e}");
        assert!(matches!(in_ascii("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn a_word_stands_on_a_background_of_its_own_and_a_sentence_does_not() {
        let mut text = Vec::new();
        let mut page = Page::new(&mut text, Style { color: true, ..Style::default() });
        page.row(0, &[(8, "HIGH"), (20, "service-bits/Start")], Ink::High).unwrap();
        page.paragraph(0, "REFUSED: it is dirty.", Ink::High).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "\x1b[1m\x1b[38;5;231m\x1b[48;5;124mHIGH\x1b[0m      service-bits/Start\n\x1b[1mREFUSED: it is dirty.\x1b[0m\n"
        );
    }
}
