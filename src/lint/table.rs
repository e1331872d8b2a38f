//! The lint for people: what the file is, what the importer would do, and the remarks.

use std::fmt::Display;
use std::io::{self, Write};

use super::{LintedFile, Remark};
use crate::finding::ObservedDatum;
use crate::reg_file::{Encoding, Importer, Operation, Severity, Verdict};
use crate::registry::{DataType, RegistryValue};
use crate::report::escape::escape_units;
use crate::report::table::Style;
use crate::report::table::data::{beside_type, name};
use crate::report::table::page::{GAP, Ink, Page};

/// The indentation of the lines of a file.
const INDENT: usize = 2;
/// The indentation of the lines of a key.
const DEEPER: usize = 4;
/// The width of `encoding`.
const LABEL: usize = 8;
/// The width of `delete`.
const VERB: usize = 6;
/// The width of names. Most names fit; longer ones are wrapped.
const NAME: usize = 24;
/// The width of `REG_EXPAND_SZ`.
const TYPE: usize = 13;
/// The most units that are shown of a malformed name.
const MOST_UNITS: usize = 300;
/// The most lines of a remark that are named. JSON has all of them.
const LINES_NAMED: usize = 8;
/// The most operations that are listed. JSON has all of them.
const MOST_LISTED: usize = 1000;

pub(super) fn render(files: &[LintedFile], style: Style, writer: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(writer, style);
    for (index, file) in files.iter().enumerate() {
        if index > 0 {
            page.blank()?;
        }
        write_head(&mut page, file)?;
        write_operations(&mut page, file)?;
        write_remarks(&mut page, file)?;
    }
    Ok(())
}

fn write_head(page: &mut Page<'_>, file: &LintedFile) -> io::Result<()> {
    let reading = file.reading();
    page.paragraph(0, &if file.path == "-" { "stdin".to_owned() } else { name(&file.path) }, Ink::Strong)?;
    let encoding = match reading.encoding {
        Encoding::Utf16Le => "UTF-16LE with a byte order mark",
        Encoding::Utf16LeWithoutMark => "UTF-16LE without a byte order mark",
        Encoding::Utf16Be => "UTF-16BE",
        Encoding::Utf8WithMark => "UTF-8 with a byte order mark",
        other => other.id(),
    };
    page.labelled(INDENT, LABEL, "encoding", encoding, Ink::Dim)?;
    let header = reading.version.map_or("none that regedit imports", |version| version.header());
    page.labelled(INDENT, LABEL, "header", header, Ink::Dim)?;
    let importer = reading.importer;
    let of = |severity| {
        let of_importer = file.remarks.iter().filter(|remark| remark.first.importers.contains(importer));
        of_importer.filter(|remark| remark.first.code.severity() == severity).count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let verdict = match reading.verdict() {
        Verdict::Accept => "accept: no diagnostics".to_owned(),
        Verdict::Warn => format!("warn: {}", counted(warnings, "warning")),
        Verdict::Reject if warnings == 0 => format!("reject: {}", counted(errors, "error")),
        Verdict::Reject => format!("reject: {}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    page.labelled(INDENT, LABEL, "verdict", &verdict, Ink::Dim)
}

/// Returns the importer whose operations are shown, for the start of a sentence.
fn actor(file: &LintedFile) -> Importer {
    file.reading().importer
}

fn write_operations(page: &mut Page<'_>, file: &LintedFile) -> io::Result<()> {
    let operations = &file.reading().effect.operations;
    let importer = actor(file);
    page.blank()?;
    if operations.is_empty() {
        return page.paragraph(INDENT, &format!("{importer} would do nothing."), Ink::Strong);
    }
    let guess = if file.reading().is_established() { "" } else { ", as far as is known" };
    page.paragraph(INDENT, &format!("What {importer} would do{guess} ({})", operations.len()), Ink::Strong)?;
    let lines = operations.last().map_or(0, |entry| digits(entry.line)).max("line".len());
    let fixed = [DEEPER, lines, VERB, NAME, TYPE, GAP.saturating_mul(4)];
    let rest = page.width().saturating_sub(fixed.into_iter().fold(0, usize::saturating_add));
    page.row(DEEPER, &[(lines, "line"), (VERB, ""), (NAME, "value"), (TYPE, "type"), (rest, "data")], Ink::Dim)?;
    let wide = page.width().saturating_sub(DEEPER).saturating_sub(lines).saturating_sub(GAP);
    let mut open = None;
    for entry in operations.iter().take(MOST_LISTED) {
        let key = entry.operation.key();
        let heads = matches!(entry.operation, Operation::CreateKey { .. } | Operation::DeleteKey { .. });
        if heads || open != Some(key) {
            page.paragraph(INDENT, &shown(&key.to_units()), Ink::Plain)?;
        }
        open = Some(key);
        let line = entry.line.to_string();
        let name = || entry.operation.value_name().map_or_else(String::new, value_name);
        match &entry.operation {
            Operation::CreateKey { .. } => {
                page.row(DEEPER, &[(lines, &line), (wide, "open the key; create it if it is missing")], Ink::Dim)?;
            }
            Operation::DeleteKey { .. } => {
                page.row(DEEPER, &[(lines, &line), (wide, "delete the key with everything in it")], Ink::Dim)?;
            }
            Operation::DeleteValue { .. } => {
                let cells = [(lines, line.as_str()), (VERB, "delete"), (NAME, &name())];
                page.row(DEEPER, &cells, Ink::Dim)?;
            }
            Operation::SetValue { data_type, bytes, .. } => {
                let value = RegistryValue { data_type: DataType(*data_type), bytes: bytes.clone() };
                let (kind, data) = (value.data_type.to_string(), beside_type(&ObservedDatum::from(&value)));
                let cells = [(lines, line.as_str()), (VERB, "set"), (NAME, &name()), (TYPE, &kind), (rest, &data)];
                page.row(DEEPER, &cells, Ink::Dim)?;
            }
        }
    }
    match operations.len().saturating_sub(MOST_LISTED) {
        0 => Ok(()),
        more => page.paragraph(DEEPER, &format!("and {more} more; --format json has them all"), Ink::Dim),
    }
}

fn write_remarks(page: &mut Page<'_>, file: &LintedFile) -> io::Result<()> {
    let importer = actor(file);
    let (own, others): (Vec<&Remark>, Vec<&Remark>) =
        file.remarks.iter().partition(|remark| remark.first.importers.contains(importer));
    for remark in own {
        page.blank()?;
        let found = &remark.first;
        let ink = if found.code.severity() == Severity::Error { Ink::High } else { Ink::Medium };
        let (line, column) = (found.line, found.column);
        let severity = found.code.severity().id();
        let said = format!("line {line}, column {column}: {severity}: {} [{}]", found.sentence(), found.code.id());
        page.paragraph(INDENT, &said, ink)?;
        if let Some(excerpt) = &remark.excerpt {
            let gutter = format!("{line} | ");
            let room = page.width().saturating_sub(DEEPER).saturating_sub(gutter.len());
            let fitted = excerpt.fit(room);
            page.line(DEEPER, &gutter, &fitted.text, Ink::Dim)?;
            let bar = format!("{:1$} | ", "", digits(line));
            page.line(DEEPER, &bar, &format!("{:1$}^", "", fitted.column), Ink::Dim)?;
        }
        if let Some(more) = more_places(remark) {
            page.paragraph(DEEPER, &more, Ink::Dim)?;
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let converted = if file.regedit.encoding == Encoding::Utf16Le { ", once the file is UTF-8" } else { "" };
    page.paragraph(INDENT, &format!("Where hivexregedit differs{converted} ({})", others.len()), Ink::Strong)?;
    for remark in others {
        let found = &remark.first;
        let more = more_places(remark).map_or_else(String::new, |more| format!(" ({more})"));
        let said = format!("line {}: {} [{}]{more}", found.line, found.sentence(), found.code.id());
        page.paragraph(DEEPER, &said, Ink::Dim)?;
    }
    Ok(())
}

/// Returns the number of further places, and the first of their lines.
fn more_places(remark: &Remark) -> Option<String> {
    let (_, more) = remark.lines.split_first()?;
    let mut lines: Vec<usize> = more.to_vec();
    lines.dedup();
    let rest = lines.len().saturating_sub(LINES_NAMED);
    lines.truncate(LINES_NAMED);
    let lines = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let rest = if rest > 0 { format!(", and {rest} more") } else { String::new() };
    let noun = if more.len() == 1 { "line" } else { "lines" };
    (!more.is_empty()).then(|| format!("again in {noun} {lines}{rest}"))
}

/// Returns a value's name as it is written in a `.reg` file: in quotes, or `@` for the default value.
fn value_name(units: &[u16]) -> String {
    if units.is_empty() { "@".to_owned() } else { format!("\"{}\"", shown(units)) }
}

/// Returns a name or path with control characters and invisible characters escaped.
fn shown(units: &[u16]) -> String {
    match String::from_utf16(units) {
        Ok(text) => name(&text),
        Err(_) => escape_units(units.iter().take(MOST_UNITS).copied()),
    }
}

fn digits(number: impl Display) -> usize {
    number.to_string().len()
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
