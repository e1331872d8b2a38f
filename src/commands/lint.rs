//! `lint`: reports what importers would do with `.reg` files.

use std::path::PathBuf;

use hivemend::cli::{LintArgs, ListFormat};
use hivemend::error::Error;
use hivemend::lint::{self, LintOptions, LintedFile};

use super::{FINDINGS, REFUSED, gate, one_output, read_as_named, say, style_of};

pub(crate) fn lint(args: &LintArgs) -> Result<u8, Error> {
    let read = read_as_named(&args.files);
    let gate = gate(one_output(&args.output), &read, None)?;
    let keep_input = matches!(args.format, ListFormat::Json);
    let options = LintOptions { code_page: args.code_page, importer: args.importer.into(), keep_input };
    let mut files = Vec::new();
    for path in &args.files {
        match LintedFile::read(path, &options) {
            Ok(file) => files.push(file),
            Err(error) => say(&format!("error: {error}")),
        }
    }
    if files.is_empty() {
        return Ok(REFUSED);
    }
    let outputs = gate.seal(read.iter().map(PathBuf::as_path))?;
    let style = style_of(outputs.output(), args.output.color, false);
    outputs.output().write(|out| match args.format {
        ListFormat::Table => lint::render(&files, &style, out),
        ListFormat::Json => lint::render_json(&files, out),
    })?;
    if files.len() < args.files.len() {
        return Ok(REFUSED);
    }
    Ok(u8::from(files.iter().any(|file| !file.is_accepted())) * FINDINGS)
}
