//! Parses text into operations: what regedit would do with each line, including what it does not report.

use std::mem;

use super::code_page::CodePage;
use super::diagnostic::Code;
use super::document::{Document, Entry, Operation};
use super::encoding::{self, Encoding};
use super::hivexregedit;
use super::importer::Importer;
use super::key_line::{self, KeyLine};
use super::key_path::KeyPath;
use super::lines::{Line, Lines, after_blanks};
use super::names;
use super::names_seen::NamesSeen;
use super::reading::{ReadOptions, Reading, Version};
use super::scanner::Scanner;
use super::text_data::TextForm;
use super::value_line::{self, Change};

/// Reads the bytes of a `.reg` file as regedit does: header, encoding, and every line.
pub fn parse(bytes: &[u8]) -> Reading {
    parse_with(bytes, &ReadOptions::default())
}

/// Reads the bytes of a `.reg` file as the importer in the options does, with the known facts about its machine.
pub fn parse_with(bytes: &[u8], options: &ReadOptions) -> Reading {
    if options.importer == Importer::Hivexregedit {
        return hivexregedit::read(bytes);
    }
    let (encoding, text) = encoding::decode(bytes, options.code_page.unwrap_or_default());
    let mut parser = Parser::new(&text, encoding, options);
    if bytes.is_empty() || encoding == Encoding::Utf16Le && bytes.len() == 2 {
        parser.remark_file(Code::EmptyFile);
    } else if let Some(code) = encoding.obstacle() {
        parser.remark_file(code);
    } else {
        if encoding::has_two_marks(bytes) {
            parser.remark_file(Code::TwoMarks);
        }
        parser.read();
        if encoding == Encoding::Utf16Le && bytes.len() % 2 == 1 {
            parser.remark_file(Code::HalfUnit);
        }
    }
    parser.finish()
}

/// Returns the text of a file as [`parse_with`] reads it, without a byte order mark; empty if regedit reads none.
pub(crate) fn text_of(bytes: &[u8], options: &ReadOptions) -> Vec<u16> {
    if options.importer == Importer::Hivexregedit {
        return String::from_utf8_lossy(bytes).encode_utf16().collect();
    }
    encoding::decode(bytes, options.code_page.unwrap_or_default()).1
}

/// Returns the lines of a text with their numbers in diagnostics, in UTF-16 units without line ends.
pub(crate) fn lines_of(text: &[u16]) -> impl Iterator<Item = (usize, &[u16])> {
    Lines::new(text).map(|line| (line.number, line.text))
}

/// Reads text that is already decoded, such as a test fixture or typed text.
///
/// The header decides the meaning of bytes in hex. All else is read as [`parse`] reads a UTF-16 file.
pub fn parse_text(text: &str) -> Reading {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut parser = Parser::new(&units, Encoding::Text, &ReadOptions::default());
    if text.is_empty() {
        parser.remark_file(Code::EmptyFile);
    } else {
        parser.read();
    }
    parser.finish()
}

struct Parser<'t> {
    scanner: Scanner<'t>,
    encoding: Encoding,
    options: ReadOptions,
    version: Option<Version>,
    key: Option<KeyPath>,
    names: NamesSeen,
    operations: Vec<Entry>,
    written: Vec<(usize, Vec<u8>)>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t [u16], encoding: Encoding, options: &ReadOptions) -> Self {
        Self {
            scanner: Scanner::new(text, encoding, options.code_page),
            encoding,
            options: *options,
            version: None,
            key: None,
            names: NamesSeen::default(),
            operations: Vec::new(),
            written: Vec::new(),
        }
    }

    fn remark_file(&mut self, code: Code) {
        self.scanner.remark(Line { number: 1, text: &[] }, &[], code);
    }

    fn read(&mut self) {
        let Some(line) = self.scanner.next_line() else { return };
        let (version, remark) = header(line.text, self.encoding);
        if let Some(code) = remark {
            self.scanner.remark(line, line.text, code);
        }
        self.version = version;
        let Some(version) = version else { return };
        let form = text_form(version, self.encoding, self.options.code_page);
        while let Some(line) = self.scanner.next_line() {
            let goes_on = match after_blanks(line.text).first().map(|&unit| u8::try_from(unit)) {
                None => true,
                Some(Ok(b'[')) => self.key_line(line),
                Some(Ok(b'"' | b'@')) => self.value_line(line, form),
                Some(_) => {
                    if !self.scanner.take_comment(line, b";#") {
                        let text = after_blanks(line.text);
                        let smart = names::begins_with_smart_quote(text);
                        self.scanner.remark(line, text, if smart { Code::SmartQuote } else { Code::UnknownLine });
                    }
                    true
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Reads a key line; returns false if regedit skips the rest of the file.
    fn key_line(&mut self, line: Line<'t>) -> bool {
        let inside = after_blanks(line.text).get(1..).unwrap_or_default();
        match key_line::read(&mut self.scanner, line, inside) {
            KeyLine::Open(key) => {
                self.names.open(&key);
                self.key = Some(key.clone());
                self.push(line, Operation::CreateKey { key });
            }
            KeyLine::Delete(key) => {
                self.names.delete(&key);
                self.key = None;
                self.push(line, Operation::DeleteKey { key });
            }
            KeyLine::Close => self.key = None,
            KeyLine::Ignored => {}
            KeyLine::Stop => return false,
        }
        true
    }

    fn value_line(&mut self, line: Line<'t>, form: TextForm) -> bool {
        let value = value_line::read(&mut self.scanner, line, form);
        let Some(key) = self.key.clone() else {
            self.scanner.remark(line, after_blanks(line.text), Code::NoOpenKey);
            return true;
        };
        let Some(value_line::ValueLine { name, change }) = value else { return true };
        if names::is_too_long(&name) {
            self.scanner.remark(line, after_blanks(line.text), Code::ValueNameTooLong);
            return true;
        }
        if !self.names.is_new(&name) {
            self.scanner.remark(line, after_blanks(line.text), Code::DuplicateValue);
        }
        match change {
            Change::Delete => self.push(line, Operation::DeleteValue { key, name }),
            Change::Set { data_type, mut written, stored } => {
                if let Some(stored) = stored {
                    self.written.push((self.operations.len(), mem::replace(&mut written, stored)));
                }
                self.push(line, Operation::SetValue { key, name, data_type, bytes: written });
            }
        }
        true
    }

    fn push(&mut self, line: Line<'_>, operation: Operation) {
        self.operations.push(Entry { line: line.number, operation });
        self.scanner.operations = self.operations.len();
    }

    fn finish(self) -> Reading {
        let mut diagnostics = self.scanner.diagnostics;
        diagnostics.sort_by_key(|found| (found.line, found.column));
        Reading {
            importer: Importer::Regedit,
            encoding: self.encoding,
            version: self.version,
            effect: Document { comments: self.scanner.comments, operations: self.operations },
            diagnostics,
            written: self.written,
            merge: None,
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
