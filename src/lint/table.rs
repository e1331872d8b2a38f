//! The lint for people: what the file is, what the importer would do, and the remarks.

use std::fmt::Display;
use std::io::{self, Write};

use super::LintedFile;
use super::listing::Act;
use super::remark::Remark;
use crate::reg_file::{Encoding, Importer, Severity, Verdict};
use crate::report::table::Style;
use crate::report::table::data::name;
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
/// The most lines of a remark that are named. JSON has more of them.
const LINES_NAMED: usize = 8;

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
    let verdict = match reading.verdict {
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
    let reading = file.reading();
    let importer = actor(file);
    page.blank()?;
    if reading.operations == 0 {
        return page.paragraph(INDENT, &format!("{importer} would do nothing."), Ink::Strong);
    }
    let guess = if reading.is_established { "" } else { ", as far as is known" };
    page.paragraph(INDENT, &format!("What {importer} would do{guess} ({})", reading.operations), Ink::Strong)?;
    let lines = digits(reading.last_line).max("line".len());
    let fixed = [DEEPER, lines, VERB, NAME, TYPE, GAP.saturating_mul(4)];
    let rest = page.width().saturating_sub(fixed.into_iter().fold(0, usize::saturating_add));
    page.row(DEEPER, &[(lines, "line"), (VERB, ""), (NAME, "value"), (TYPE, "type"), (rest, "data")], Ink::Dim)?;
    let wide = page.width().saturating_sub(DEEPER).saturating_sub(lines).saturating_sub(GAP);
    for listed in &reading.listed {
        if let Some(key) = &listed.key {
            page.paragraph(INDENT, key, Ink::Plain)?;
        }
        let line = listed.line.to_string();
        match &listed.act {
            Act::CreateKey => {
                page.row(DEEPER, &[(lines, &line), (wide, "open the key; create it if it is missing")], Ink::Dim)?;
            }
            Act::DeleteKey => {
                page.row(DEEPER, &[(lines, &line), (wide, "delete the key with everything in it")], Ink::Dim)?;
            }
            Act::DeleteValue { name } => {
                page.row(DEEPER, &[(lines, line.as_str()), (VERB, "delete"), (NAME, name)], Ink::Dim)?;
            }
            Act::SetValue { name, data_type, data } => {
                let cells = [(lines, line.as_str()), (VERB, "set"), (NAME, name), (TYPE, data_type), (rest, data)];
                page.row(DEEPER, &cells, Ink::Dim)?;
            }
        }
    }
    match reading.operations.saturating_sub(reading.listed.len()) {
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
    let more = remark.count.saturating_sub(1);
    let (lines, different) = remark.lines.further();
    let lines: Vec<String> = lines.take(LINES_NAMED).map(|line| line.to_string()).collect();
    let rest = different.saturating_sub(lines.len());
    let lines = lines.join(", ");
    let rest = if rest > 0 { format!(", and {rest} more") } else { String::new() };
    let noun = if more == 1 { "line" } else { "lines" };
    (more > 0).then(|| format!("again in {noun} {lines}{rest}"))
}

fn digits(number: impl Display) -> usize {
    number.to_string().len()
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
