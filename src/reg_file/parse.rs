//! Parses text into operations: what regedit would do with each line, including what it does not report.

use std::mem;

use super::code_page::CodePage;
use super::diagnostic::{Code, Diagnostic};
use super::document::Operation;
use super::encoding::Encoding;
use super::importer::Importer;
use super::key_line::{self, KeyLine};
use super::key_path::KeyPath;
use super::lines::{Line, Lines, after_blanks};
use super::names;
use super::names_seen::NamesSeen;
use super::reading::Version;
use super::scanner::Scanner;
use super::sink::{Sink, Text};
use super::text_data::TextForm;
use super::value_line::{self, Change};

/// The most units of the first line that are kept for diagnostics of the whole file.
const FIRST_LINE: usize = 1024;

/// The part of a file that is read next.
#[derive(Clone, Copy)]
enum Next {
    Header,
    Lines(TextForm),
    /// regedit reads no more of the file.
    Nothing,
}

/// Reads the text of a file as regedit does, in pieces of whole statements.
pub(super) struct Parser {
    encoding: Encoding,
    code_page: Option<CodePage>,
    next: Next,
    version: Option<Version>,
    key: Option<KeyPath>,
    names: NamesSeen,
    /// Whether it was reported that names were forgotten.
    has_forgotten: bool,
    /// The lines before the next piece.
    lines: usize,
    first_line: Option<Vec<u16>>,
}

impl Parser {
    pub(super) fn new(encoding: Encoding, code_page: Option<CodePage>, names: NamesSeen) -> Self {
        Self {
            encoding,
            code_page,
            next: Next::Header,
            version: None,
            key: None,
            names,
            has_forgotten: false,
            lines: 0,
            first_line: None,
        }
    }

    /// Returns the version in the header, if regedit imports the file.
    pub(super) fn version(&self) -> Option<Version> {
        self.version
    }

    /// Returns whether regedit reads no more of the file.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.next, Next::Nothing)
    }

    /// Returns the number of lines that were read.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Keeps the first line for diagnostics of the whole file.
    pub(super) fn see_first_line(&mut self, text: &[u16]) {
        if self.first_line.is_none() {
            self.first_line =
                Lines::new(text, 0).next().map(|line| line.text.iter().take(FIRST_LINE).copied().collect());
        }
    }

    /// Reports a problem of the whole file, at its first line.
    pub(super) fn remark_file(&self, code: Code, sink: &mut dyn Sink) {
        let found = Diagnostic { line: 1, column: 1, code, importers: Importer::Regedit.into(), instead: None };
        sink.diagnostic(found, self.first_line.as_deref().map(Text::Units));
    }

    /// Reads the next whole statements.
    pub(super) fn read(&mut self, text: &[u16], sink: &mut dyn Sink) {
        let mut scanner = Scanner::new(text, self.lines, self.encoding, self.code_page, sink);
        if matches!(self.next, Next::Header) {
            let Some(line) = scanner.next_line() else { return };
            self.next = self.header(&mut scanner, line);
        }
        let goes_on = match self.next {
            Next::Lines(form) => self.statements(&mut scanner, form),
            Next::Header | Next::Nothing => false,
        };
        if !goes_on || scanner.is_over() {
            self.next = Next::Nothing;
        }
        self.lines = scanner.number();
    }

    fn header(&mut self, scanner: &mut Scanner<'_>, line: Line<'_>) -> Next {
        let (version, remark) = header(line.text, self.encoding);
        if let Some(code) = remark {
            scanner.remark(line, line.text, code);
        }
        self.version = version;
        version.map_or(Next::Nothing, |version| Next::Lines(text_form(version, self.encoding, self.code_page)))
    }

    /// Reads the lines below the header; returns false if regedit skips the rest of the file.
    fn statements(&mut self, scanner: &mut Scanner<'_>, form: TextForm) -> bool {
        while let Some(line) = scanner.next_line() {
            match after_blanks(line.text).first().map(|&unit| u8::try_from(unit)) {
                None => {}
                Some(Ok(b'[')) => {
                    let goes_on = self.key_line(scanner, line);
                    if !goes_on {
                        return false;
                    }
                }
                Some(Ok(b'"' | b'@')) => self.value_line(scanner, line, form),
                Some(_) => {
                    let is_comment = scanner.take_comment(line, b";#");
                    if !is_comment {
                        let text = after_blanks(line.text);
                        let smart = names::begins_with_smart_quote(text);
                        scanner.remark(line, text, if smart { Code::SmartQuote } else { Code::UnknownLine });
                    }
                }
            }
        }
        true
    }

    /// Reads a key line; returns false if regedit skips the rest of the file.
    fn key_line(&mut self, scanner: &mut Scanner<'_>, line: Line<'_>) -> bool {
        let inside = after_blanks(line.text).get(1..).unwrap_or_default();
        match key_line::read(scanner, line, inside) {
            KeyLine::Open(key) => {
                let is_known = self.names.open(&key);
                self.forget(scanner, line, !is_known);
                self.key = Some(key.clone());
                scanner.push(line, Operation::CreateKey { key }, None);
            }
            KeyLine::Delete(key) => {
                self.names.delete(&key);
                self.key = None;
                scanner.push(line, Operation::DeleteKey { key }, None);
            }
            KeyLine::Close => self.key = None,
            KeyLine::Ignored => {}
            KeyLine::Stop => return false,
        }
        true
    }

    fn value_line<'t>(&mut self, scanner: &mut Scanner<'t>, line: Line<'t>, form: TextForm) {
        let value = value_line::read(scanner, line, form);
        let Some(key) = self.key.clone() else {
            return scanner.remark(line, after_blanks(line.text), Code::NoOpenKey);
        };
        let Some(value_line::ValueLine { name, change }) = value else { return };
        if names::is_too_long(&name) {
            return scanner.remark(line, after_blanks(line.text), Code::ValueNameTooLong);
        }
        if !self.names.is_new(&name) {
            scanner.remark(line, after_blanks(line.text), Code::DuplicateValue);
        }
        self.forget(scanner, line, self.names.is_full());
        match change {
            Change::Delete => scanner.push(line, Operation::DeleteValue { key, name }, None),
            Change::Set { data_type, mut written, stored } => {
                let stated = stored.map(|stored| mem::replace(&mut written, stored));
                scanner.push(line, Operation::SetValue { key, name, data_type, bytes: written }, stated);
            }
        }
    }

    /// Reports once that names were forgotten.
    fn forget(&mut self, scanner: &mut Scanner<'_>, line: Line<'_>, has_forgotten: bool) {
        if has_forgotten && !mem::replace(&mut self.has_forgotten, true) {
            scanner.remark(line, after_blanks(line.text), Code::NamesForgotten);
        }
    }
}

/// Returns the version and the problem of the first line. Case and all blanks but leading ones matter.
fn header(line: &[u16], encoding: Encoding) -> (Option<Version>, Option<Code>) {
    let line = String::from_utf16_lossy(after_blanks(line));
    let is = |version: Version| line == version.header();
    if is(Version::Regedit5) {
        return (Some(Version::Regedit5), (encoding == Encoding::EightBit).then_some(Code::EightBitVersion5));
    }
    if is(Version::Regedit4) {
        return (Some(Version::Regedit4), (encoding == Encoding::Utf16Le).then_some(Code::HeaderNotForEncoding));
    }
    let code = match line.strip_prefix("REGEDIT") {
        Some("") => Code::Windows31,
        Some(_) => Code::HeaderNotImported,
        None => Code::BadHeader,
    };
    (None, Some(code))
}

/// Returns the meaning of hex bytes of the text types, by the header and, unless they disagree, the encoding.
fn text_form(version: Version, encoding: Encoding, code_page: Option<CodePage>) -> TextForm {
    let disputed =
        matches!((version, encoding), (Version::Regedit5, Encoding::EightBit) | (Version::Regedit4, Encoding::Utf16Le));
    TextForm { eight_bit: version == Version::Regedit4, disputed, code_page }
}
