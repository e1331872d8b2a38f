//! Writes operations as text, in the layout of regedit's own exports.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::dialect::Dialect;
use super::document::{Comment, Document, Operation};
use super::expressible::{Reason, check_length, check_operation};
use super::key_path::{KeyPath, write_escaped};
use super::legible::is_legible;
use super::names_seen::NamesSeen;
use super::value_text::{write_data, write_name};

/// Why a document was not written, and the part that caused it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{subject}: {reason}")]
pub struct Refusal {
    /// The index of the operation in the document, or of the operation after the comment.
    pub operation: usize,
    /// The key, the key and the value's name, or the comment, for messages. Control characters are escaped.
    pub subject: String,
    /// The reason.
    pub reason: Reason,
}

/// Returns the bytes of a `.reg` file for an importer.
///
/// # Errors
/// Returns an error if the format cannot express something in the document, or if an importer would misread it. Nothing
/// is omitted silently.
pub fn emit(document: &Document, dialect: Dialect) -> Result<Vec<u8>, Refusal> {
    emit_text(document, dialect).map(|text| dialect.encode(&text))
}

/// Returns the text of a `.reg` file, with the line ends of the dialect and without a byte order mark.
///
/// # Errors
/// Returns the same errors as [`emit`].
pub fn emit_text(document: &Document, dialect: Dialect) -> Result<String, Refusal> {
    let mut comments = BTreeMap::<usize, Vec<&Comment>>::new();
    for comment in &document.comments {
        comments.entry(comment.before).or_default().push(comment);
    }
    let mut emitter = Emitter::new(dialect, false);
    for (index, entry) in document.operations.iter().enumerate() {
        let refuse = |reason| Refusal { operation: index, subject: subject(&entry.operation), reason };
        check_length(&entry.operation).and_then(|()| check_operation(&entry.operation, dialect)).map_err(refuse)?;
        let comments = comments.remove(&index).unwrap_or_default();
        for comment in &comments {
            check_comment(comment, dialect)?;
        }
        emitter.operation(&entry.operation, &comments).map_err(refuse)?;
    }
    match comments.into_values().flatten().next() {
        Some(left) => Err(comment_refusal(left, Reason::CommentWithoutKey)),
        None => Ok(emitter.finish()),
    }
}

/// Returns every operation that a dialect cannot express, with the reason. The other operations can be written without
/// them. Comments are not checked.
pub fn refusals(document: &Document, dialect: Dialect) -> Vec<Refusal> {
    let mut emitter = Emitter::new(dialect, false);
    let mut refusals = Vec::new();
    for (index, entry) in document.operations.iter().enumerate() {
        let written = check_length(&entry.operation)
            .and_then(|()| check_operation(&entry.operation, dialect))
            .and_then(|()| emitter.operation(&entry.operation, &[]));
        if let Err(reason) = written {
            refusals.push(Refusal { operation: index, subject: subject(&entry.operation), reason });
        }
        emitter.text.clear();
    }
    refusals
}

/// Lays operations out one after another.
pub(super) struct Emitter {
    dialect: Dialect,
    /// The text that is laid out and was not taken yet.
    pub(super) text: String,
    /// Whether keys come depth first and only once, so that the record of one key can be dropped at the next.
    depth_first: bool,
    open: Option<KeyPath>,
    /// Keys that already have a section, for dialects that need parents.
    sections: BTreeSet<KeyPath>,
    names: NamesSeen,
}

impl Emitter {
    pub(super) fn new(dialect: Dialect, depth_first: bool) -> Self {
        let (sections, names) = (BTreeSet::new(), NamesSeen::of_everything());
        let mut emitter = Self { dialect, text: String::new(), depth_first, open: None, sections, names };
        emitter.line(dialect.version().header());
        emitter
    }

    /// Lays out one operation that was checked by itself.
    pub(super) fn operation(&mut self, operation: &Operation, comments: &[&Comment]) -> Result<(), Reason> {
        let key = operation.key();
        if matches!(operation, Operation::DeleteKey { .. }) {
            self.section(comments, &format!("[-{}]", raw(key)));
            self.open = None;
            self.sections.clear();
            self.names.delete(key);
            return Ok(());
        }
        let was_open = self.open.as_ref() == Some(key);
        if !was_open {
            self.open(key, comments);
        }
        if let Some(name) = operation.value_name()
            && !self.names.is_new(name)
        {
            return Err(Reason::NamedTwice);
        }
        if was_open && !comments.is_empty() {
            self.open(key, comments);
        }
        match operation {
            Operation::CreateKey { .. } | Operation::DeleteKey { .. } => {}
            Operation::DeleteValue { name, .. } => {
                write_name(&mut self.text, name);
                self.line("-");
            }
            Operation::SetValue { name, data_type, bytes, .. } => {
                write_name(&mut self.text, name);
                write_data(&mut self.text, name, *data_type, bytes, self.dialect);
                self.line("");
            }
        }
        Ok(())
    }

    /// Returns the number of recorded keys.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.sections.len() + self.names.keys()
    }

    /// Returns the open key.
    pub(super) fn is_open(&self) -> Option<&KeyPath> {
        self.open.as_ref()
    }

    fn open(&mut self, key: &KeyPath, mut comments: &[&Comment]) {
        if self.depth_first && self.open.as_ref() != Some(key) {
            self.names = NamesSeen::of_everything();
            self.sections.retain(|section| key.names().starts_with(section.names()));
        }
        if self.dialect.needs_parents() {
            // The first two names are the root key and the place where the hive is mounted, whose root always exists.
            let parents = key.ancestry().skip(2).filter(|parent| parent != key);
            for parent in parents {
                if self.sections.insert(parent.clone()) {
                    // Comments come before everything that is written for the key.
                    self.section(std::mem::take(&mut comments), &format!("[{}]", raw(&parent)));
                }
            }
            self.sections.insert(key.clone());
        }
        self.section(comments, &format!("[{}]", raw(key)));
        self.open = Some(key.clone());
        self.names.open(key);
    }

    /// Writes a blank line, comments, and the key line. hivexregedit ends a section at either of the first two.
    fn section(&mut self, comments: &[&Comment], key_line: &str) {
        self.line("");
        self.comments(comments);
        self.line(key_line);
    }

    pub(super) fn comments(&mut self, comments: &[&Comment]) {
        for comment in comments {
            let text = String::from_utf16_lossy(&comment.text);
            self.line(if text.is_empty() { ";".into() } else { format!("; {text}") }.as_str());
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str(self.dialect.line_end());
    }

    fn finish(mut self) -> String {
        self.line("");
        self.text
    }
}

fn check_comment(comment: &Comment, dialect: Dialect) -> Result<(), Refusal> {
    let is_safe = match String::from_utf16(&comment.text) {
        Ok(text) => {
            let keeps = |c| is_plain_in_comment(c) && dialect.has(c);
            text.chars().all(keeps) && !text.trim_end().ends_with('\\')
        }
        Err(_) => false,
    };
    if is_safe { Ok(()) } else { Err(comment_refusal(comment, Reason::UnsafeComment)) }
}

/// Returns a text as a comment that [`emit`] accepts. A character that an importer would misread, or that the dialect's
/// code page lacks, is escaped (`\u{3d}`).
///
/// No importer uses comments, so a letter that does not fit is not a reason to refuse a whole file. But the letter must
/// not be lost unnoticed or become another one.
pub fn comment_text(text: &str, dialect: Dialect) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.trim_end_matches(['\\', ' ']).chars() {
        if is_plain_in_comment(character) && dialect.has(character) {
            safe.push(character);
        } else {
            safe.extend(character.escape_unicode());
        }
    }
    safe
}

/// Returns whether every importer ignores this character in a comment.
fn is_plain_in_comment(character: char) -> bool {
    is_legible(character) && character != '='
}

fn comment_refusal(comment: &Comment, reason: Reason) -> Refusal {
    Refusal { operation: comment.before, subject: format!("; {}", escaped(&comment.text)), reason }
}

/// Returns the path as in a key line, without escapes. Malformed paths were refused before.
fn raw(key: &KeyPath) -> String {
    String::from_utf16_lossy(&key.to_units())
}

fn subject(operation: &Operation) -> String {
    match operation.value_name() {
        None => operation.key().to_string(),
        Some([]) => format!("{} @", operation.key()),
        Some(name) => format!("{} \"{}\"", operation.key(), escaped(name)),
    }
}

fn escaped(text: &[u16]) -> String {
    let mut subject = String::new();
    // Writing to a String cannot fail.
    _ = write_escaped(&mut subject, text);
    subject
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg_file::CodePage;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn delete_value(key: &str, name: &str) -> Operation {
        Operation::DeleteValue { key: KeyPath::from(key), name: units(name) }
    }

    fn document(operations: &[Operation]) -> Document {
        let mut document = Document::default();
        operations.iter().cloned().for_each(|operation| document.push(operation));
        document
    }

    fn text(document: &Document, dialect: Dialect) -> String {
        emit_text(document, dialect).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn a_comment_begins_a_section_even_within_a_key() {
        let mut document = Document::default();
        document.comment("first");
        document.push(delete_value(r"HKEY_USERS\a", "x"));
        document.comment("");
        document.push(delete_value(r"HKEY_USERS\a", "y"));
        let expected = "REGEDIT4\n\n; first\n[HKEY_USERS\\a]\n\"x\"=-\n\n;\n[HKEY_USERS\\a]\n\"y\"=-\n\n";
        assert_eq!(text(&document, Dialect::Regedit4(CodePage::WINDOWS_1252)), expected);
    }

    #[test]
    fn hivexregedit_gets_each_parent_once_until_something_is_deleted() {
        let key = KeyPath::from(r"HKEY_USERS\m\a\b");
        let delete = Operation::DeleteKey { key: KeyPath::from(r"HKEY_USERS\m\a") };
        let create = Operation::CreateKey { key };
        let document = document(&[create.clone(), delete, create]);
        let (made, deleted) = ("[HKEY_USERS\\m\\a]\n\n[HKEY_USERS\\m\\a\\b]\n", "[-HKEY_USERS\\m\\a]\n");
        let expected = format!("Windows Registry Editor Version 5.00\n\n{made}\n{deleted}\n{made}\n");
        assert_eq!(text(&document, Dialect::Hivex), expected);
    }

    #[test]
    fn a_comment_stands_before_the_parents_that_hivexregedit_needs() {
        let mut document = Document::default();
        document.comment("first");
        document.push(delete_value(r"HKEY_USERS\m\a\b", "x"));
        let parents = "[HKEY_USERS\\m\\a]\n\n[HKEY_USERS\\m\\a\\b]\n\"x\"=-\n\n";
        let expected = format!("Windows Registry Editor Version 5.00\n\n; first\n{parents}");
        assert_eq!(text(&document, Dialect::Hivex), expected);
    }

    #[test]
    fn a_value_is_named_once_per_key_unless_the_key_was_deleted() {
        let (lower, upper) = (delete_value(r"HKEY_USERS\a", "é"), delete_value(r"HKEY_USERS\A", "É"));
        let delete = Operation::DeleteKey { key: KeyPath::from(r"HKEY_USERS\a") };
        let twice = emit(&document(&[lower.clone(), upper.clone()]), Dialect::Regedit5).unwrap_err();
        assert_eq!((twice.operation, twice.reason), (1, Reason::NamedTwice));
        assert_eq!(
            twice.to_string(),
            "HKEY_USERS\\A \"É\": value named a second time (letter case aside) in the same key"
        );
        assert!(emit(&document(&[lower, delete, upper]), Dialect::Regedit5).is_ok());
    }

    #[test]
    fn a_name_longer_than_windows_allows_is_not_written() {
        let document =
            document(&[delete_value(r"HKEY_USERS\a", &"n".repeat(16_384)), delete_value(r"HKEY_USERS\a", "b")]);
        assert_eq!(emit(&document, Dialect::Regedit5).unwrap_err().reason, Reason::TooLong);
        let refused: Vec<usize> = refusals(&document, Dialect::Hivex).iter().map(|refused| refused.operation).collect();
        assert_eq!(refused, [0]);
    }

    #[test]
    fn a_comment_that_an_importer_would_not_take_for_one_is_refused() {
        for unsafe_text in ["a = b", "path\\", "path\\ ", "a\r\n[HKEY_USERS\\x]", "\u{202e}"] {
            let mut document = Document::default();
            document.comment(unsafe_text);
            document.push(Operation::CreateKey { key: KeyPath::from(r"HKEY_USERS\a") });
            assert_eq!(emit(&document, Dialect::Regedit5).unwrap_err().reason, Reason::UnsafeComment);
        }
        let mut document = Document::default();
        document.comment("nothing follows");
        assert_eq!(emit(&document, Dialect::Regedit5).unwrap_err().reason, Reason::CommentWithoutKey);
    }
}
