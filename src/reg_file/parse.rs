//! From text to operations: what regedit would do with each line, and what it does not tell.

use std::mem;

use super::code_page::CodePage;
use super::diagnostic::{Code, Diagnostic, Rejection, Severity, Verdict};
use super::document::{Document, Entry, Operation};
use super::encoding::{self, Encoding};
use super::key_line::{self, KeyLine};
use super::key_path::KeyPath;
use super::lines::{Line, Lines, after_blanks};
use super::names;
use super::names_seen::NamesSeen;
use super::scanner::Scanner;
use super::text_data::TextForm;
use super::value_line::{self, Change};

/// The version that a `.reg` file's header claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `REGEDIT4`: Windows 95, 98 and NT 4.0, 8-bit text.
    Regedit4,
    /// `Windows Registry Editor Version 5.00`: Windows 2000 and later, UTF-16.
    Regedit5,
}

impl Version {
    /// The header line.
    pub fn header(self) -> &'static str {
        match self {
            Self::Regedit4 => "REGEDIT4",
            Self::Regedit5 => "Windows Registry Editor Version 5.00",
        }
    }
}

/// Everything that was read from a `.reg` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How the file is encoded.
    pub encoding: Encoding,
    /// What its header says; `None` if regedit would not import it.
    pub version: Option<Version>,
    /// What regedit does with the file, silent drops and all. Where [`Reading::is_established`] is false, this is the
    /// best guess.
    pub effect: Document,
    /// What is wrong, in the order of the lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The bytes that the text spells, for operations of the effect where regedit stores others.
    written: Vec<(usize, Vec<u8>)>,
}

impl Reading {
    /// The strict reader's judgement.
    pub fn verdict(&self) -> Verdict {
        match self.diagnostics.iter().map(|found| found.code.severity()).max() {
            None => Verdict::Accept,
            Some(Severity::Warning) => Verdict::Warn,
            Some(Severity::Error) => Verdict::Reject,
        }
    }

    /// Whether there is evidence of what regedit on Windows does with everything in the file.
    pub fn is_established(&self) -> bool {
        self.diagnostics.iter().all(|found| found.code.is_established())
    }

    /// What the text says, byte for byte; unlike [`Reading::effect`], without what regedit adds to it.
    ///
    /// # Errors
    /// If the verdict is [`Verdict::Reject`]: what such a text says is nothing to rely on.
    pub fn into_document(self) -> Result<Document, Rejection> {
        if self.verdict() == Verdict::Reject {
            return Err(Rejection { diagnostics: self.diagnostics });
        }
        let mut document = self.effect;
        for (index, written) in self.written {
            if let Some(Entry { operation: Operation::SetValue { bytes, .. }, .. }) = document.operations.get_mut(index)
            {
                *bytes = written;
            }
        }
        Ok(document)
    }
}

/// What a `.reg` file does not tell about where it is to be imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The ANSI code page of the importing machine, which 8-bit text is read in. Where it is not known, windows-1252 is
    /// taken, and everything that depends on it is remarked upon.
    pub code_page: Option<CodePage>,
}

/// Reads the bytes of a `.reg` file as regedit would: header, encoding, and every line.
pub fn parse(bytes: &[u8]) -> Reading {
    parse_with(bytes, &ReadOptions::default())
}

/// [`parse`], on a machine of which more is known.
pub fn parse_with(bytes: &[u8], options: &ReadOptions) -> Reading {
    let (encoding, text) = encoding::decode(bytes, options.code_page.unwrap_or_default());
    let mut parser = Parser::new(&text, encoding, options);
    if bytes.is_empty() || encoding == Encoding::Utf16Le && bytes.len() == 2 {
        parser.remark_file(Code::EmptyFile);
    } else if let Some(code) = encoding.obstacle() {
        parser.remark_file(code);
    } else {
        parser.read();
        if encoding == Encoding::Utf16Le && bytes.len() % 2 == 1 {
            parser.remark_file(Code::HalfUnit);
        }
    }
    parser.finish()
}

/// The text of a file as [`parse_with`] sees it, without a byte order mark; empty where regedit sees none.
pub(crate) fn text_of(bytes: &[u8], options: &ReadOptions) -> Vec<u16> {
    encoding::decode(bytes, options.code_page.unwrap_or_default()).1
}

/// The lines of a text with their numbers, as diagnostics count them, in UTF-16 units without their ends.
pub(crate) fn lines_of(text: &[u16]) -> impl Iterator<Item = (usize, &[u16])> {
    Lines::new(text).map(|line| (line.number, line.text))
}

/// Reads text whose encoding is no question, such as a test fixture or what a user typed.
///
/// Bytes in hex are what the header says they are; everything else is read as [`parse`] reads a UTF-16 file.
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

    /// False if regedit gives up the rest of the file.
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
            encoding: self.encoding,
            version: self.version,
            effect: Document { comments: self.scanner.comments, operations: self.operations },
            diagnostics,
            written: self.written,
        }
    }
}

/// What the first line makes of the file. Case and every blank but leading ones count.
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

/// What bytes in hex are for the text types, by the header and, unless they disagree, by the encoding.
fn text_form(version: Version, encoding: Encoding, code_page: Option<CodePage>) -> TextForm {
    let disputed =
        matches!((version, encoding), (Version::Regedit5, Encoding::EightBit) | (Version::Regedit4, Encoding::Utf16Le));
    TextForm { eight_bit: version == Version::Regedit4, disputed, code_page }
}
