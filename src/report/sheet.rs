//! A sheet of cells as CSV, so that every spreadsheet displays its contents and calculates nothing.

use std::io::{self, Write};

use super::escape::escape;

/// Makes Excel (and LibreOffice, and Python's `utf-8-sig`) read the file as UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Writes rows of cells: RFC 4180, with each cell in quotation marks, so that no other separator splits it.
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

    /// Flushes the underlying writer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

/// The characters that begin a formula. The full-width forms also do so in Chinese, Japanese, and Korean versions.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Returns the text in a form that no spreadsheet calculates, <https://owasp.org/www-community/attacks/CSV_Injection>:
/// with an apostrophe before a possible formula. Characters that would control a terminal or hide are escaped. The
/// columns with raw bytes always contain them.
fn cell(text: &str) -> String {
    let text = escape(text).into_owned();
    // A formula may begin after blanks.
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
