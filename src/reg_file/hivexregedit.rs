//! Reads a `.reg` file as hivexregedit does. This is a model, not a translation, of `reg_import` of Win::Hivex::Regedit
//! (hivex 1.3.23, LGPL), and of what `hivexregedit` and the library do with names.
//!
//! hivexregedit reads bytes. At a line that it does not understand it stops, and then nothing of the file is kept.
//! Lines that it understands are read more literally than by regedit.

use std::collections::BTreeSet;

use super::diagnostic::{Code, Diagnostic};
use super::document::{Comment, Document, Entry, Operation};
use super::encoding::Encoding;
use super::importer::Importer;
use super::key_path::KeyPath;
use super::merge::{Merge, Section, SetValue, Step};
use super::reading::{Reading, Version};
use crate::registry::same_name;

mod lines;
pub(crate) mod names;
mod value;

use lines::{PerlLine, PerlLines, is_space, trimmed};
use names::{cut_at_nul, decoded, lower_bytes};
use value::{Form, data, quoted};

/// Between sections, every line that contains this text is skipped.
const HEADER: &[u8] = b"Windows Registry Editor Version";

/// Reads the bytes of a file.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut parser = Parser { encoding: Encoding::of(bytes), ..Parser::default() };
    for line in PerlLines::new(bytes) {
        if let Err(code) = parser.line(&line) {
            parser.remark(&line, code);
            parser.merge.stop = parser.diagnostics.last().copied();
            break;
        }
    }
    if parser.merge.stop.is_none() {
        parser.end_section();
    }
    parser.finish()
}

#[derive(Default)]
struct Parser {
    encoding: Encoding,
    version: Option<Version>,
    /// The open section. It is applied when it ends.
    section: Option<Section>,
    effect: Document,
    merge: Merge,
    diagnostics: Vec<Diagnostic>,
    /// The names in the open section, in the form in which they are compared: of values to set, and to delete.
    set: BTreeSet<Vec<char>>,
    deleted: BTreeSet<Vec<char>>,
}

impl Parser {
    /// Reads one line, or returns why hivexregedit stops at it.
    fn line(&mut self, line: &PerlLine) -> Result<(), Code> {
        let text = line.text.as_slice();
        let outcome = match self.section.take() {
            None => self.outer(line, text),
            Some(section) => self.inner(line, text, section),
        };
        let wide = matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16LeWithoutMark | Encoding::Utf16Be);
        outcome.map_err(|code| if wide { Code::HivexUtf16 } else { code })
    }

    /// Reads a line between sections.
    fn outer(&mut self, line: &PerlLine, text: &[u8]) -> Result<(), Code> {
        if is_blank_or_comment(text) {
            self.comment(line);
            return Ok(());
        }
        if is_skipped(text) {
            self.header(line, text);
            return Ok(());
        }
        let is_key = trimmed(text).strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        let Some(inside) = is_key else { return Err(Code::HivexUnexpectedText) };
        let path = inside.strip_prefix(b"-").unwrap_or(inside);
        self.check_joined(line);
        self.check_path(line, path);
        if path.len() < inside.len() {
            self.merge.steps.push(Step::Delete { line: line.first, path: path.to_vec() });
            self.push(line.first, Operation::DeleteKey { key: key_of(path) });
        } else {
            (self.set, self.deleted) = (BTreeSet::new(), BTreeSet::new());
            self.section = Some(Section { line: line.first, path: path.to_vec(), ..Section::default() });
        }
        Ok(())
    }

    /// Reads a line of a section.
    fn inner(&mut self, line: &PerlLine, text: &[u8], mut section: Section) -> Result<(), Code> {
        let is_quoted = text.starts_with(b"\"");
        let trim = trimmed(text);
        if is_quoted && trim.len() > 2 && trim.ends_with(b"=-") {
            let (name, rest) = quoted(text).ok_or(Code::HivexBadValue)?;
            if rest.is_none_or(|rest| trimmed(rest) != b"=-") {
                self.remark(line, Code::HivexDeleteMisread);
            }
            self.check_joined(line);
            self.delete(line, &mut section, name);
        } else if trim == b"@=-" {
            self.check_joined(line);
            self.delete(line, &mut section, Vec::new());
        } else if is_quoted && text.get(1..).unwrap_or_default().windows(2).any(|pair| pair == b"\"=") {
            let (name, rest) = quoted(text).ok_or(Code::HivexBadValue)?;
            let rest = rest.and_then(|rest| rest.strip_prefix(b"=")).ok_or(Code::HivexBadValue)?;
            self.set(line, &mut section, name, rest)?;
        } else if let Some(rest) = text.strip_prefix(b"@=") {
            self.set(line, &mut section, Vec::new(), rest)?;
        } else if is_blank_or_comment(text) {
            self.section = Some(section);
            self.end_section();
            self.comment(line);
            return Ok(());
        } else {
            return Err(if text.starts_with(b"[") { Code::HivexNoBlankLine } else { Code::HivexUnexpectedText });
        }
        self.section = Some(section);
        Ok(())
    }

    fn delete(&mut self, line: &PerlLine, section: &mut Section, name: Vec<u8>) {
        self.check_name(line, &name);
        let lower = lower_bytes(&name);
        if self.set.contains(&lower) {
            self.remark(line, Code::HivexSetWins);
        }
        self.deleted.insert(lower);
        section.deletes.push((line.first, name));
    }

    fn set(&mut self, line: &PerlLine, section: &mut Section, name: Vec<u8>, text: &[u8]) -> Result<(), Code> {
        let data = data(text).ok_or(Code::HivexBadValue)?;
        self.check_name(line, &name);
        let lower = lower_bytes(&name);
        if self.deleted.contains(&lower) {
            self.remark(line, Code::HivexSetWins);
        }
        if !self.set.insert(lower) {
            self.remark(line, Code::HivexStoredTwice);
        }
        let narrow = match data.form {
            Form::Dword => {
                self.check_joined(line);
                true
            }
            Form::Hex { clean, narrow } => {
                if !clean {
                    self.remark(line, Code::HivexBadHex);
                }
                if self.version == Some(Version::Regedit4) && matches!(data.data_type, 1 | 2 | 7) {
                    self.remark(line, Code::HivexRegedit4Text);
                }
                narrow
            }
            Form::Text { all, ascii, narrow } => {
                self.check_joined(line);
                if !all {
                    self.remark(line, Code::HivexTextIgnored);
                }
                if !ascii {
                    self.remark(line, Code::HivexTextBeyondAscii);
                }
                narrow
            }
        };
        if !narrow {
            self.remark(line, Code::HivexTypeNumber);
        }
        section.sets.push(SetValue { line: line.first, name, data_type: data.data_type, bytes: data.bytes });
        Ok(())
    }

    /// Applies the open section. Its key is created here.
    fn end_section(&mut self) {
        let Some(section) = self.section.take() else { return };
        let key = key_of(&section.path);
        self.push(section.line, Operation::CreateKey { key: key.clone() });
        let delete = |(line, name): &(usize, Vec<u8>)| {
            let operation = Operation::DeleteValue { key: key.clone(), name: decoded(name) };
            // Setting a value wins: a deletion of the same name comes first, wherever it is written.
            (!self.set.contains(&lower_bytes(name)), Entry { line: *line, operation })
        };
        let set = |SetValue { line, name, data_type, bytes }: &SetValue| {
            let (name, bytes) = (decoded(cut_at_nul(name)), bytes.clone());
            let operation = Operation::SetValue { key: key.clone(), name, data_type: *data_type, bytes };
            (true, Entry { line: *line, operation })
        };
        let mut values: Vec<(bool, Entry)> =
            section.deletes.iter().map(delete).chain(section.sets.iter().map(set)).collect();
        values.sort_by_key(|(last, entry)| (*last, entry.line));
        self.effect.operations.extend(values.into_iter().map(|(_, entry)| entry));
        self.merge.steps.push(Step::Section(section));
    }

    fn push(&mut self, line: usize, operation: Operation) {
        self.effect.operations.push(Entry { line, operation });
    }

    fn comment(&mut self, line: &PerlLine) {
        let text = line.text.get(line.text.iter().position(|&byte| !is_space(byte)).unwrap_or(line.text.len())..);
        let Some(text) = text.and_then(|text| text.strip_prefix(b";")) else { return };
        self.check_joined(line);
        let text = decoded(text.strip_prefix(b" ").unwrap_or(text));
        self.effect.comments.push(Comment { line: line.first, text, before: self.effect.operations.len() });
    }

    /// Reports a line that is skipped as a header.
    fn header(&mut self, line: &PerlLine, text: &[u8]) {
        self.check_joined(line);
        let without_mark = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let versions = [Version::Regedit4, Version::Regedit5];
        let version = versions.into_iter().find(|version| without_mark == version.header().as_bytes());
        match version {
            Some(version) if self.version.is_none() => self.version = Some(version),
            _ => self.remark(line, Code::HivexLineSkipped),
        }
    }

    fn check_joined(&mut self, line: &PerlLine) {
        if line.joined {
            self.remark(line, Code::HivexLineJoined);
        }
    }

    fn check_path(&mut self, line: &PerlLine, path: &[u8]) {
        let empty = path.ends_with(b"\\") || path.split(|&byte| byte == b'\\').skip(1).any(<[u8]>::is_empty);
        if empty {
            self.remark(line, Code::HivexEmptyName);
        }
        if path.contains(&0) {
            self.remark(line, Code::HivexNul);
        }
        if str::from_utf8(path).is_err() {
            self.remark(line, Code::HivexNameNotUtf8);
        }
        let third = path.split(|&byte| byte == b'\\').nth(2).unwrap_or_default();
        if same_name(third.iter().map(|&byte| byte.into()), "CurrentControlSet".encode_utf16()) {
            self.remark(line, Code::CurrentControlSet);
        }
    }

    fn check_name(&mut self, line: &PerlLine, name: &[u8]) {
        if name.contains(&0) {
            self.remark(line, Code::HivexNul);
        }
        if str::from_utf8(name).is_err() {
            self.remark(line, Code::HivexNameNotUtf8);
        } else if !name.is_ascii() {
            self.remark(line, Code::HivexNameBeyondAscii);
        }
    }

    fn remark(&mut self, line: &PerlLine, code: Code) {
        let importers = Importer::Hivexregedit.into();
        self.diagnostics.push(Diagnostic { line: line.counted, column: 1, code, importers, instead: None });
    }

    fn finish(mut self) -> Reading {
        if self.merge.stop.is_some() {
            self.effect.operations.clear();
            self.effect.comments.retain(|comment| comment.before == 0);
        }
        self.diagnostics.sort_by_key(|found| found.line);
        Reading {
            importer: Importer::Hivexregedit,
            encoding: self.encoding,
            version: self.version,
            effect: self.effect,
            diagnostics: self.diagnostics,
            written: Vec::new(),
            merge: Some(self.merge),
        }
    }
}

/// Matches `/^\s*(;.*)?$/`.
fn is_blank_or_comment(text: &[u8]) -> bool {
    text.iter().find(|&&byte| !is_space(byte)).is_none_or(|&byte| byte == b';')
}

/// Matches `/^.*Windows Registry Editor Version.*/` or `/^REGEDIT/`.
fn is_skipped(text: &[u8]) -> bool {
    text.windows(HEADER.len()).any(|part| part == HEADER) || text.starts_with(b"REGEDIT")
}

fn key_of(path: &[u8]) -> KeyPath {
    KeyPath::from_units(&decoded(path))
}
