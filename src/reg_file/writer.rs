//! Writes a `.reg` file operation by operation, for content that is too long for one document.

use std::io::{self, Write};

use super::dialect::Dialect;
use super::document::{Comment, Operation};
use super::emit::{Emitter, comment_text};
use super::expressible::{Reason, check_operation, check_value};

/// Writes operations one by one, in the layout that [`super::emit`] uses for a document.
///
/// Keys must come depth first and only once. The record of a key is dropped when the next one is opened, so that memory
/// is bounded by the longest value and by the names of one key. [`super::emit`] refuses a whole document; this type
/// reports for each operation whether it could be written, and continues.
pub struct Writer<W> {
    out: W,
    emitter: Emitter,
    dialect: Dialect,
    plain: bool,
    /// Comments for the next section.
    comments: Vec<Comment>,
}

impl<W: Write> Writer<W> {
    /// Begins a file for an importer, in the encoding and with the line ends of [`Dialect`].
    ///
    /// # Errors
    /// Returns the error of `out`.
    pub fn new(out: W, dialect: Dialect) -> io::Result<Self> {
        Self::begin(out, dialect, false)
    }

    /// Begins a text for people and their tools: UTF-8 without a byte order mark, with LF.
    ///
    /// # Errors
    /// Returns the error of `out`.
    pub fn plain(out: W, dialect: Dialect) -> io::Result<Self> {
        Self::begin(out, dialect, true)
    }

    fn begin(mut out: W, dialect: Dialect, plain: bool) -> io::Result<Self> {
        if !plain {
            out.write_all(&dialect.encode_part(dialect.mark()))?;
        }
        let mut writer = Self { out, emitter: Emitter::new(dialect, true), dialect, plain, comments: Vec::new() };
        writer.pass_on()?;
        Ok(writer)
    }

    /// Adds a comment before the next section. Importers disagree about comments elsewhere, so if another value of the
    /// same key follows, its key line is repeated. A character that an importer would misread is escaped (`\u{3d}`).
    pub fn comment(&mut self, text: &str) {
        let text = comment_text(text, self.dialect).encode_utf16().collect();
        self.comments.push(Comment { line: 0, text, before: 0 });
    }

    /// Writes an operation. If it cannot be written, returns the reason and writes nothing of it.
    ///
    /// # Errors
    /// Returns the error of `out`.
    pub fn write(&mut self, operation: &Operation) -> io::Result<Result<(), Reason>> {
        let is_open = self.emitter.is_open() == Some(operation.key());
        // All names of an open key were already checked.
        let check = if is_open { check_value } else { check_operation };
        if let Err(reason) = check(operation, self.dialect) {
            return Ok(Err(reason));
        }
        let written = self.emitter.operation(operation, &self.comments.iter().collect::<Vec<_>>());
        // If a value is named twice, its key is open and nothing was laid out, so the comments are still pending.
        if written.is_ok() {
            self.comments.clear();
            self.pass_on()?;
        }
        Ok(written)
    }

    /// Ends the file. Remaining comments are written before the last key, whose line is repeated.
    ///
    /// # Errors
    /// Returns the error of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        match (self.comments.is_empty(), self.emitter.is_open().cloned()) {
            (true, _) => {}
            // The key was written before, so it can be written again.
            (false, Some(key)) => _ = self.write(&Operation::CreateKey { key })?,
            (false, None) => {
                self.emitter.line("");
                self.emitter.comments(&self.comments.iter().collect::<Vec<_>>());
            }
        }
        self.emitter.line("");
        self.pass_on()?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Passes on the text that is laid out.
    fn pass_on(&mut self) -> io::Result<()> {
        let text = &self.emitter.text;
        if !self.plain {
            self.out.write_all(&self.dialect.encode_part(text))?;
        } else if self.dialect.line_end() == "\n" {
            self.out.write_all(text.as_bytes())?;
        } else {
            // Names with a line end were refused, and quoted data have none, so all of these are between lines.
            self.out.write_all(text.replace(self.dialect.line_end(), "\n").as_bytes())?;
        }
        self.emitter.text.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg_file::{CodePage, Document, KeyPath, emit, emit_text, parse_text};

    fn set(key: &str, name: &str, bytes: &[u8]) -> Operation {
        let name = name.encode_utf16().collect();
        Operation::SetValue { key: KeyPath::from(key), name, data_type: 3, bytes: bytes.to_vec() }
    }

    fn plain(write: impl FnOnce(&mut Writer<Vec<u8>>)) -> String {
        let mut writer = Writer::plain(Vec::new(), Dialect::Regedit5).unwrap();
        write(&mut writer);
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn piece_by_piece_is_the_same_as_at_once() {
        let mut document = Document::default();
        document.comment("é");
        for key in [r"HKEY_USERS\a", r"HKEY_USERS\a\b", r"HKEY_USERS\a\b\c", r"HKEY_USERS\a\d"] {
            document.push(Operation::CreateKey { key: KeyPath::from(key) });
            document.push(set(key, "long", &[7; 100]));
            document.push(set(key, "second", &[]));
        }
        for dialect in [Dialect::Regedit5, Dialect::Regedit4(CodePage::WINDOWS_1252), Dialect::Hivex] {
            let mut writer = Writer::new(Vec::new(), dialect).unwrap();
            writer.comment("é");
            for entry in &document.operations {
                writer.write(&entry.operation).unwrap().unwrap();
            }
            assert_eq!(writer.finish().unwrap(), emit(&document, dialect).unwrap());
        }
        let text = plain(|writer| {
            writer.comment("é");
            document.operations.iter().for_each(|entry| writer.write(&entry.operation).unwrap().unwrap());
        });
        assert_eq!(text, emit_text(&document, Dialect::Regedit5).unwrap().replace("\r\n", "\n"));
    }

    #[test]
    fn what_cannot_be_written_leaves_room_for_a_comment_and_the_rest() {
        let text = plain(|writer| {
            writer.write(&set(r"HKEY_USERS\a", "x", &[1])).unwrap().unwrap();
            assert_eq!(writer.write(&set(r"HKEY_USERS\a", "X", &[2])).unwrap(), Err(Reason::NamedTwice));
            writer.comment("one = two\n\u{202e}path\\");
            assert_eq!(writer.write(&set(r"HKEY_USERS\a", "y\0", &[2])).unwrap(), Err(Reason::Nul));
            writer.write(&set(r"HKEY_USERS\a", "z", &[3])).unwrap().unwrap();
            writer.comment("last");
        });
        insta::assert_snapshot!(text, @r#"
        Windows Registry Editor Version 5.00

        [HKEY_USERS\a]
        "x"=hex:01

        ; one \u{3d} two\u{a}\u{202e}path
        [HKEY_USERS\a]
        "z"=hex:03

        ; last
        [HKEY_USERS\a]
        "#);
        assert!(parse_text(&text).into_document().is_ok());
    }

    #[test]
    fn comments_alone_stay_comments() {
        assert_eq!(plain(|writer| writer.comment("nothing")), "Windows Registry Editor Version 5.00\n\n; nothing\n\n");
    }

    #[test]
    fn nothing_is_kept_of_a_key_that_is_done() {
        let mut writer = Writer::new(io::sink(), Dialect::Hivex).unwrap();
        for number in 0..2000 {
            let key = format!(r"HKEY_USERS\a\{number}\b");
            writer.write(&set(&key, "name", &[0; 1000])).unwrap().unwrap();
            assert!(writer.emitter.text.is_empty() && writer.emitter.remembered() < 8);
        }
    }
}
