//! A sheet of cells as CSV, so that every spreadsheet shows what stands in it and calculates nothing.

use std::io::{self, Write};

use super::escape::escape;

/// Behind it Excel reads UTF-8 (and LibreOffice, and Python's `utf-8-sig`).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Writes rows of cells: RFC 4180, each cell in quotation marks, so that no other separator splits one.
pub(crate) struct Sheet<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> std::fmt::Debug for Sheet<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet").finish_non_exhaustive()
    }
}

impl<W: Write> Sheet<W> {
    /// Begins a sheet with these columns.
    pub(crate) fn new(mut writer: W, columns: &[&str]) -> io::Result<Self> {
        writer.write_all(BYTE_ORDER_MARK)?;
        let mut csv = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(writer);
        csv.write_record(columns)?;
        Ok(Self { csv })
    }

    /// Writes a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) -> io::Result<()> {
        Ok(self.csv.write_record(cells.map(|text| cell(&text)))?)
    }

    /// Hands everything on to what is below.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

/// What begins a formula; the full-width forms do so where Chinese, Japanese or Korean is typed.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Returns the text so that no spreadsheet calculates it, <https://owasp.org/www-community/attacks/CSV_Injection>: an
/// apostrophe before what could begin a formula. Characters that would steer a terminal or hide are escaped; columns
/// with the raw bytes have them in any case.
fn cell(text: &str) -> String {
    let text = escape(text).into_owned();
    // Blanks before it do not keep a formula from being one.
    if text.trim_start().starts_with(FORMULA) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_calculated_and_nothing_steers_a_terminal() {
        for formula in ["=1+1", "+1", "-1", "@SUM(1)", " =1", "\t=1", "\u{ff1d}1+1", "\u{3000}\u{ff20}SUM(1)"] {
            assert!(!cell(formula).trim_start().starts_with(FORMULA), "{formula:?}");
            assert!(!cell(formula).starts_with(['\t', '\r']), "{formula:?}");
        }
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("a=1"), "a=1");
        assert_eq!(cell("a\u{1b}[2J"), r"a\u{1b}[2J");
        assert_eq!(cell(r"C:\Windows"), r"C:\Windows");
    }

    #[test]
    fn a_separator_of_another_country_splits_nothing() {
        let mut sheet = Sheet::new(Vec::new(), &["a", "b"]).unwrap();
        sheet.row(["x;=cmd|'/c calc'!A1".to_owned(), "\"".to_owned()]).unwrap();
        let text = String::from_utf8(sheet.csv.into_inner().unwrap()).unwrap();
        assert_eq!(text, "\u{feff}\"a\",\"b\"\r\n\"x;=cmd|'/c calc'!A1\",\"\"\"\"\r\n");
    }
}
