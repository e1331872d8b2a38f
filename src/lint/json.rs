//! All results for the files, for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{LintedFile, Remark};
use crate::reg_file::{Entry, Importer, Operation};
use crate::registry::hex;
use crate::report::SchemaVersion;
use crate::report::json::Stream;

#[derive(Serialize)]
struct JsonOperation {
    line: usize,
    op: &'static str,
    key: String,
    name: Option<String>,
    #[serde(rename = "type")]
    data_type: Option<u32>,
    raw: Option<String>,
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    line: usize,
    column: usize,
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    importers: Vec<Importer>,
    count: usize,
    lines: &'a [usize],
}

pub(super) fn render(files: &[LintedFile], writer: &mut dyn Write) -> io::Result<()> {
    let mut stream = Stream::new(writer);
    stream.object(None)?;
    stream.value(Some("schema_version"), &SchemaVersion)?;
    stream.array(Some("files"))?;
    for file in files {
        let reading = &file.regedit;
        stream.object(None)?;
        stream.value(Some("path"), &file.path)?;
        stream.value(Some("encoding"), &reading.encoding.id())?;
        stream.value(Some("header"), &reading.version.map(crate::reg_file::Version::header))?;
        stream.value(Some("strict"), &reading.verdict().id())?;
        stream.array(Some("operations"))?;
        for entry in &reading.effect.operations {
            stream.value(None, &operation(entry))?;
        }
        stream.close()?;
        stream.array(Some("diagnostics"))?;
        for remark in &file.remarks {
            stream.value(None, &diagnostic(remark, &remark.first.sentence()))?;
        }
        stream.close()?;
        stream.close()?;
    }
    stream.close()?;
    stream.close()
}

fn operation(entry: &Entry) -> JsonOperation {
    let (op, data_type, raw) = match &entry.operation {
        Operation::CreateKey { .. } => ("create-key", None, None),
        Operation::DeleteKey { .. } => ("delete-key", None, None),
        Operation::SetValue { data_type, bytes, .. } => ("set", Some(*data_type), Some(hex(bytes))),
        Operation::DeleteValue { .. } => ("delete-value", None, None),
    };
    let key = String::from_utf16_lossy(&entry.operation.key().to_units());
    let name = entry.operation.value_name().map(String::from_utf16_lossy);
    JsonOperation { line: entry.line, op, key, name, data_type, raw }
}

fn diagnostic<'a>(remark: &'a Remark, message: &'a str) -> JsonDiagnostic<'a> {
    let found = &remark.first;
    JsonDiagnostic {
        line: found.line,
        column: found.column,
        severity: found.code.severity().id(),
        code: found.code.id(),
        message,
        importers: found.importers.iter().collect(),
        count: remark.lines.len(),
        lines: &remark.lines,
    }
}
