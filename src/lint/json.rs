//! All results for the files, for programs.

use std::io::{self, Write};
use std::mem;

use serde::{Serialize, Serializer};

use super::LintedFile;
use super::pass::{self, Failure};
use super::remark::{LinesSeen, Remark};
use super::source::Input;
use crate::reg_file::{Diagnostic, Importer, Operation, Sink, Text};
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
    #[serde(serialize_with = "all_of")]
    lines: &'a LinesSeen,
}

fn all_of<S: Serializer>(lines: &LinesSeen, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lines.iter())
}

/// Writes operations as they are read.
struct Operations<'s, W> {
    stream: &'s mut Stream<W>,
    outcome: io::Result<()>,
}

impl<W: Write> Sink for Operations<'_, W> {
    fn diagnostic(&mut self, _found: Diagnostic, _line: Option<Text<'_>>) {}

    fn operation(&mut self, line: usize, operation: Operation, _written: Option<Vec<u8>>) {
        if self.outcome.is_ok() {
            self.outcome = self.stream.value(None, &json_operation(line, &operation));
        }
    }
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
        stream.value(Some("strict"), &reading.verdict.id())?;
        stream.array(Some("operations"))?;
        if reading.operations > 0 {
            write_operations(file, &mut stream)?;
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

/// Reads the file again, and writes its operations. They precede the diagnostics, and would take the memory of the file.
fn write_operations<W: Write>(file: &LintedFile, stream: &mut Stream<W>) -> io::Result<()> {
    let mut input = Input::new(file.source.open()?, None);
    let mut operations = Operations { stream, outcome: Ok(()) };
    let check = |operations: &mut Operations<'_, W>| mem::replace(&mut operations.outcome, Ok(()));
    match pass::repeat(&mut input, &file.options, &mut operations, check) {
        Ok(()) => Ok(()),
        Err(Failure::Input(error)) => Err(error),
        Err(Failure::TooLong(line)) => Err(io::Error::other(format!("line {line} is too long"))),
    }
}

fn json_operation(line: usize, operation: &Operation) -> JsonOperation {
    let (op, data_type, raw) = match operation {
        Operation::CreateKey { .. } => ("create-key", None, None),
        Operation::DeleteKey { .. } => ("delete-key", None, None),
        Operation::SetValue { data_type, bytes, .. } => ("set", Some(*data_type), Some(hex(bytes))),
        Operation::DeleteValue { .. } => ("delete-value", None, None),
    };
    let key = String::from_utf16_lossy(&operation.key().to_units());
    let name = operation.value_name().map(String::from_utf16_lossy);
    JsonOperation { line, op, key, name, data_type, raw }
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
        count: remark.count,
        lines: &remark.lines,
    }
}
