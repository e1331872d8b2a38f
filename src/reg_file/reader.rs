//! Reads a `.reg` file as one importer does: whole, or in pieces as they arrive.

use super::collect::Collected;
use super::diagnostic::Code;
use super::encoding::{Decoder, Encoding};
use super::hivexregedit::{self, Perl};
use super::importer::Importer;
use super::names_seen::{Names, NamesSeen};
use super::parse::Parser;
use super::pieces::{LONGEST, Pieces, TooLong, Units};
use super::reading::{ReadOptions, Reading, Version};
use super::sink::Sink;

/// Reads the bytes of a `.reg` file as regedit does: header, encoding, and every line.
pub fn parse(bytes: &[u8]) -> Reading {
    parse_with(bytes, &ReadOptions::default())
}

/// Reads the bytes of a `.reg` file as the importer in the options does, with the known facts about its machine.
pub fn parse_with(bytes: &[u8], options: &ReadOptions) -> Reading {
    let mut found = Collected::default();
    if options.importer == Importer::Hivexregedit {
        let mut parser = hivexregedit::Parser::new(bytes, Names::of_everything);
        parser.read(bytes, true, &mut found);
        return found.finish(Importer::Hivexregedit, parser.encoding(), parser.version());
    }
    let mut decoder = Decoder::new(bytes, options.code_page.unwrap_or_default());
    let mut parser = Parser::new(decoder.encoding(), options.code_page, NamesSeen::of_everything());
    decoder.decode(bytes, true);
    if begin(&mut parser, &decoder, bytes.len(), &mut found) {
        parser.read(decoder.text(), &mut found);
        end(&parser, &decoder, &mut found);
    }
    found.finish(Importer::Regedit, decoder.encoding(), parser.version())
}

/// Reads text that is already decoded, such as a test fixture or typed text.
///
/// The header decides the meaning of bytes in hex. All else is read as [`parse`] reads a UTF-16 file.
pub fn parse_text(text: &str) -> Reading {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut found = Collected::default();
    let mut parser = Parser::new(Encoding::Text, None, NamesSeen::of_everything());
    if text.is_empty() {
        parser.remark_file(Code::EmptyFile, &mut found);
    } else {
        parser.read(&units, &mut found);
    }
    found.finish(Importer::Regedit, Encoding::Text, parser.version())
}

/// Reports problems of the whole file that its beginning shows; returns false if regedit imports nothing.
fn begin(parser: &mut Parser, decoder: &Decoder, length: usize, sink: &mut dyn Sink) -> bool {
    let encoding = decoder.encoding();
    parser.see_first_line(decoder.text());
    if length == 0 || encoding == Encoding::Utf16Le && length == 2 {
        parser.remark_file(Code::EmptyFile, sink);
        return false;
    }
    if let Some(code) = encoding.obstacle() {
        parser.remark_file(code, sink);
        return false;
    }
    if decoder.has_two_marks() {
        parser.remark_file(Code::TwoMarks, sink);
    }
    true
}

/// Reports problems that show at the end of the file.
fn end(parser: &Parser, decoder: &Decoder, sink: &mut dyn Sink) {
    if decoder.encoding() == Encoding::Utf16Le && decoder.has_half() {
        parser.remark_file(Code::HalfUnit, sink);
    }
}

/// Reads a file as regedit does, piece by piece.
pub(crate) struct RegeditReader {
    decoder: Decoder,
    parser: Parser,
    pieces: Pieces<Units>,
    /// Whether the first piece was read.
    has_begun: bool,
    /// Whether regedit imports the file.
    is_imported: bool,
}

impl RegeditReader {
    /// Returns a reader for a file that begins with these bytes: at least four, or the whole file.
    pub(crate) fn new(beginning: &[u8], options: &ReadOptions) -> Self {
        let decoder = Decoder::new(beginning, options.code_page.unwrap_or_default());
        let parser = Parser::new(decoder.encoding(), options.code_page, NamesSeen::default());
        Self { decoder, parser, pieces: Pieces::default(), has_begun: false, is_imported: false }
    }

    /// Reads the next bytes, and returns their text. The first piece has the first line, if that is not very long.
    ///
    /// # Errors
    /// Returns an error if a line with its continuation lines is too long.
    pub(crate) fn read(&mut self, piece: &[u8], is_last: bool, sink: &mut dyn Sink) -> Result<&[u16], TooLong> {
        self.decoder.decode(piece, is_last);
        if !self.has_begun {
            self.has_begun = true;
            self.is_imported = begin(&mut self.parser, &self.decoder, piece.len(), sink);
        }
        let parser = &mut self.parser;
        if self.is_imported && !parser.is_over() {
            let fits = self.pieces.add(self.decoder.text(), is_last, |text| parser.read(text, sink));
            if !fits {
                return Err(TooLong { line: parser.lines().saturating_add(1) });
            }
        }
        if self.is_imported && is_last {
            end(parser, &self.decoder, sink);
        }
        Ok(self.decoder.text())
    }

    /// Returns the encoding of the file.
    pub(crate) fn encoding(&self) -> Encoding {
        self.decoder.encoding()
    }

    /// Returns the version in the header, if regedit imports the file.
    pub(crate) fn version(&self) -> Option<Version> {
        self.parser.version()
    }
}

/// Reads a file as hivexregedit does, piece by piece.
pub(crate) struct HivexregeditReader {
    parser: hivexregedit::Parser,
    pieces: Pieces<Perl>,
}

impl HivexregeditReader {
    /// Returns a reader for a file that begins with these bytes: at least four, or the whole file.
    pub(crate) fn new(beginning: &[u8]) -> Self {
        Self { parser: hivexregedit::Parser::new(beginning, Names::default), pieces: Pieces::default() }
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// Returns an error if a line with its continuation lines, or a section that is applied as a whole, is too long.
    pub(crate) fn read(&mut self, piece: &[u8], is_last: bool, sink: &mut dyn Sink) -> Result<(), TooLong> {
        let parser = &mut self.parser;
        if parser.is_over() {
            return Ok(());
        }
        if !self.pieces.add(piece, is_last, |text| parser.read(text, is_last, sink)) {
            return Err(TooLong { line: parser.lines().saturating_add(1) });
        }
        match parser.pending() {
            (size, line) if size > LONGEST => Err(TooLong { line }),
            _ => Ok(()),
        }
    }

    /// Returns the encoding of the file.
    pub(crate) fn encoding(&self) -> Encoding {
        self.parser.encoding()
    }

    /// Returns the version in the header, if there is one.
    pub(crate) fn version(&self) -> Option<Version> {
        self.parser.version()
    }
}
