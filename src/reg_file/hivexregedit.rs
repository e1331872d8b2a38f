//! Reads a `.reg` file as hivexregedit does. This is a model, not a translation, of `reg_import` of Win::Hivex::Regedit
//! (hivex 1.3.23, LGPL), and of what `hivexregedit` and the library do with names.
//!
//! hivexregedit reads bytes. At a line that it does not understand it stops, and then nothing of the file is kept.
//! Lines that it understands are read more literally than by regedit.

use std::mem;

use super::diagnostic::{Code, Diagnostic};
use super::document::Operation;
use super::encoding::Encoding;
use super::importer::Importer;
use super::key_path::KeyPath;
use super::merge::{Section, SetValue, Step};
use super::names_seen::Names;
use super::reading::Version;
use super::sink::{Sink, Text};
use crate::registry::same_name;

mod lines;
pub(crate) mod names;
mod value;

pub(super) use lines::Perl;
use lines::{PerlLine, PerlLines, is_space, trimmed};
use names::{cut_at_nul, decoded};
use value::{Form, data, quoted};

/// Between sections, every line that contains this text is skipped.
const HEADER: &[u8] = b"Windows Registry Editor Version";
/// What a value costs beside its name and data.
const VALUE: usize = 96;

/// Reads the bytes of a file, in pieces of whole lines.
pub(super) struct Parser {
    encoding: Encoding,
    version: Option<Version>,
    /// The open section. It is applied when it ends.
    section: Option<Section>,
    /// The bytes of its values.
    size: usize,
    /// The names in the open section, in the form in which they are compared: of values to set, and to delete.
    set: Names,
    deleted: Names,
    /// Whether it was reported that names were forgotten.
    has_forgotten: bool,
    /// The lines before the next piece.
    counted: usize,
    has_stopped: bool,
}

impl Parser {
    /// Returns a parser for a file that begins with these bytes. `names` returns an empty set of names.
    pub(super) fn new(beginning: &[u8], names: impl Fn() -> Names) -> Self {
        Self {
            encoding: Encoding::of(beginning),
            version: None,
            section: None,
            size: 0,
            set: names(),
            deleted: names(),
            has_forgotten: false,
            counted: 0,
            has_stopped: false,
        }
    }

    /// Returns the encoding of the file, which is nothing to hivexregedit.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Returns the version in the header, if there is one.
    pub(super) fn version(&self) -> Option<Version> {
        self.version
    }

    /// Returns whether hivexregedit has stopped.
    pub(super) fn is_over(&self) -> bool {
        self.has_stopped
    }

    /// Returns the number of lines that were read.
    pub(super) fn lines(&self) -> usize {
        self.counted
    }

    /// Returns the bytes of the values of the open section that are in memory, and the line of its key.
    pub(super) fn pending(&self) -> (usize, usize) {
        (self.size, self.section.as_ref().map_or(0, |section| section.line))
    }

    /// Reads the next whole lines. Each but the last piece is followed by at least one more byte.
    pub(super) fn read(&mut self, text: &[u8], is_last: bool, sink: &mut dyn Sink) {
        let mut lines = PerlLines::new(text, is_last, self.counted);
        while !self.has_stopped
            && let Some(line) = lines.next()
        {
            let mut seen = Seen { line: &line, sink: &mut *sink };
            if let Err(code) = self.line(&mut seen) {
                let found = seen.remark(code);
                sink.stop(found);
                self.has_stopped = true;
            }
        }
        self.counted = lines.counted();
        if is_last && !self.has_stopped {
            self.end_section(sink);
        }
    }

    /// Reads one line, or returns why hivexregedit stops at it.
    fn line(&mut self, seen: &mut Seen<'_, '_>) -> Result<(), Code> {
        let text: &[u8] = &seen.line.text;
        let outcome = match self.section.take() {
            None => self.outer(seen, text),
            Some(section) => self.inner(seen, text, section),
        };
        let wide = matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16LeWithoutMark | Encoding::Utf16Be);
        outcome.map_err(|code| if wide { Code::HivexUtf16 } else { code })
    }

    /// Reads a line between sections.
    fn outer(&mut self, seen: &mut Seen<'_, '_>, text: &[u8]) -> Result<(), Code> {
        if is_blank_or_comment(text) {
            seen.comment();
            return Ok(());
        }
        if is_skipped(text) {
            self.header(seen, text);
            return Ok(());
        }
        let is_key = trimmed(text).strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        let Some(inside) = is_key else { return Err(Code::HivexUnexpectedText) };
        let path = inside.strip_prefix(b"-").unwrap_or(inside);
        seen.check_joined();
        seen.check_path(path);
        let line = seen.line.first;
        if path.len() < inside.len() {
            seen.sink.operation(line, Operation::DeleteKey { key: key_of(path) }, None);
            seen.sink.step(Step::Delete { line, path: path.to_vec() });
        } else {
            self.set.clear();
            self.deleted.clear();
            self.size = 0;
            self.section = Some(Section { line, path: path.to_vec(), ..Section::default() });
        }
        Ok(())
    }

    /// Reads a line of a section.
    fn inner(&mut self, seen: &mut Seen<'_, '_>, text: &[u8], mut section: Section) -> Result<(), Code> {
        let is_quoted = text.starts_with(b"\"");
        let trim = trimmed(text);
        if is_quoted && trim.len() > 2 && trim.ends_with(b"=-") {
            let (name, rest) = quoted(text).ok_or(Code::HivexBadValue)?;
            if rest.is_none_or(|rest| trimmed(rest) != b"=-") {
                seen.remark(Code::HivexDeleteMisread);
            }
            seen.check_joined();
            self.delete(seen, &mut section, name);
        } else if trim == b"@=-" {
            seen.check_joined();
            self.delete(seen, &mut section, Vec::new());
        } else if is_quoted && text.get(1..).unwrap_or_default().windows(2).any(|pair| pair == b"\"=") {
            let (name, rest) = quoted(text).ok_or(Code::HivexBadValue)?;
            let rest = rest.and_then(|rest| rest.strip_prefix(b"=")).ok_or(Code::HivexBadValue)?;
            self.set(seen, &mut section, name, rest)?;
        } else if let Some(rest) = text.strip_prefix(b"@=") {
            self.set(seen, &mut section, Vec::new(), rest)?;
        } else if is_blank_or_comment(text) {
            self.section = Some(section);
            self.end_section(seen.sink);
            seen.comment();
            return Ok(());
        } else {
            return Err(if text.starts_with(b"[") { Code::HivexNoBlankLine } else { Code::HivexUnexpectedText });
        }
        self.section = Some(section);
        Ok(())
    }

    fn delete(&mut self, seen: &mut Seen<'_, '_>, section: &mut Section, name: Vec<u8>) {
        seen.check_name(&name);
        if self.set.contains(lower(&name)) {
            seen.remark(Code::HivexSetWins);
        }
        self.deleted.insert(lower(&name));
        self.forget(seen);
        if seen.sink.wants_operations() {
            self.size = self.size.saturating_add(name.len()).saturating_add(VALUE);
            section.deletes.push((seen.line.first, name));
        }
    }

    fn set(&mut self, seen: &mut Seen<'_, '_>, section: &mut Section, name: Vec<u8>, text: &[u8]) -> Result<(), Code> {
        let data = data(text).ok_or(Code::HivexBadValue)?;
        seen.check_name(&name);
        if self.deleted.contains(lower(&name)) {
            seen.remark(Code::HivexSetWins);
        }
        if !self.set.insert(lower(&name)) {
            seen.remark(Code::HivexStoredTwice);
        }
        self.forget(seen);
        let narrow = match data.form {
            Form::Dword => {
                seen.check_joined();
                true
            }
            Form::Hex { clean, narrow } => {
                if !clean {
                    seen.remark(Code::HivexBadHex);
                }
                if self.version == Some(Version::Regedit4) && matches!(data.data_type, 1 | 2 | 7) {
                    seen.remark(Code::HivexRegedit4Text);
                }
                narrow
            }
            Form::Text { all, ascii, narrow } => {
                seen.check_joined();
                if !all {
                    seen.remark(Code::HivexTextIgnored);
                }
                if !ascii {
                    seen.remark(Code::HivexTextBeyondAscii);
                }
                narrow
            }
        };
        if !narrow {
            seen.remark(Code::HivexTypeNumber);
        }
        if seen.sink.wants_operations() {
            self.size = self.size.saturating_add(name.len()).saturating_add(data.bytes.len()).saturating_add(VALUE);
            let line = seen.line.first;
            section.sets.push(SetValue { line, name, data_type: data.data_type, bytes: data.bytes });
        }
        Ok(())
    }

    /// Reports once that names were forgotten.
    fn forget(&mut self, seen: &mut Seen<'_, '_>) {
        if (self.set.is_full() || self.deleted.is_full()) && !mem::replace(&mut self.has_forgotten, true) {
            seen.remark(Code::NamesForgotten);
        }
    }

    /// Applies the open section. Its key is created here.
    fn end_section(&mut self, sink: &mut dyn Sink) {
        let Some(section) = self.section.take().filter(|_| sink.wants_operations()) else { return };
        let key = key_of(&section.path);
        sink.operation(section.line, Operation::CreateKey { key: key.clone() }, None);
        let delete = |(line, name): &(usize, Vec<u8>)| {
            let operation = Operation::DeleteValue { key: key.clone(), name: decoded(name) };
            // Setting a value wins: a deletion of the same name comes first, wherever it is written.
            (!self.set.contains(lower(name)), *line, operation)
        };
        let set = |SetValue { line, name, data_type, bytes }: &SetValue| {
            let (name, bytes) = (decoded(cut_at_nul(name)), bytes.clone());
            (true, *line, Operation::SetValue { key: key.clone(), name, data_type: *data_type, bytes })
        };
        let mut values: Vec<(bool, usize, Operation)> =
            section.deletes.iter().map(delete).chain(section.sets.iter().map(set)).collect();
        values.sort_by_key(|(last, line, _)| (*last, *line));
        for (_, line, operation) in values {
            sink.operation(line, operation, None);
        }
        sink.step(Step::Section(section));
    }

    /// Reports a line that is skipped as a header.
    fn header(&mut self, seen: &mut Seen<'_, '_>, text: &[u8]) {
        seen.check_joined();
        let without_mark = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let versions = [Version::Regedit4, Version::Regedit5];
        let version = versions.into_iter().find(|version| without_mark == version.header().as_bytes());
        match version {
            Some(version) if self.version.is_none() => self.version = Some(version),
            _ => _ = seen.remark(Code::HivexLineSkipped),
        }
    }
}

/// A line, and the receiver of what is found in it.
struct Seen<'l, 's> {
    line: &'l PerlLine<'l>,
    sink: &'s mut dyn Sink,
}

impl Seen<'_, '_> {
    fn comment(&mut self) {
        let text: &[u8] = &self.line.text;
        let text = text.get(text.iter().position(|&byte| !is_space(byte)).unwrap_or(text.len())..);
        let Some(text) = text.and_then(|text| text.strip_prefix(b";")) else { return };
        self.check_joined();
        let text = decoded(text.strip_prefix(b" ").unwrap_or(text));
        self.sink.comment(self.line.first, &text);
    }

    fn check_joined(&mut self) {
        if self.line.joined {
            self.remark(Code::HivexLineJoined);
        }
    }

    fn check_path(&mut self, path: &[u8]) {
        let empty = path.ends_with(b"\\") || path.split(|&byte| byte == b'\\').skip(1).any(<[u8]>::is_empty);
        if empty {
            self.remark(Code::HivexEmptyName);
        }
        if path.contains(&0) {
            self.remark(Code::HivexNul);
        }
        if str::from_utf8(path).is_err() {
            self.remark(Code::HivexNameNotUtf8);
        }
        let third = path.split(|&byte| byte == b'\\').nth(2).unwrap_or_default();
        if same_name(third.iter().map(|&byte| byte.into()), "CurrentControlSet".encode_utf16()) {
            self.remark(Code::CurrentControlSet);
        }
    }

    fn check_name(&mut self, name: &[u8]) {
        if name.contains(&0) {
            self.remark(Code::HivexNul);
        }
        if str::from_utf8(name).is_err() {
            self.remark(Code::HivexNameNotUtf8);
        } else if !name.is_ascii() {
            self.remark(Code::HivexNameBeyondAscii);
        }
    }

    fn remark(&mut self, code: Code) -> Diagnostic {
        let importers = Importer::Hivexregedit.into();
        let found = Diagnostic { line: self.line.counted, column: 1, code, importers, instead: None };
        self.sink.diagnostic(found, Some(Text::Bytes(self.line.raw)));
        found
    }
}

/// Returns a name of the file in the form in which hivexregedit compares it.
fn lower(name: &[u8]) -> impl Iterator<Item = u16> {
    name.iter().map(|byte| byte.to_ascii_lowercase().into())
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
