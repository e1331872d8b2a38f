//! `lint`: what regedit would do with `.reg` files.

use std::io::Write;

use hivemend::cli::{LintArgs, ListFormat};
use hivemend::error::Error;
use hivemend::lint::{self, LintedFile};
use hivemend::output::{keep_out_of_evidence, write_whole};
use hivemend::reg_file::ReadOptions;

use super::{FINDINGS, REFUSED, say, style_of, to_stdout};

pub(crate) fn lint(args: &LintArgs) -> Result<u8, Error> {
    if let Some(output) = &args.output {
        keep_out_of_evidence(&args.files, output)?;
    }
    let options = ReadOptions { code_page: args.code_page };
    let mut files = Vec::new();
    for path in &args.files {
        match lint::read(path) {
            Ok(bytes) => files.push(LintedFile::new(path.to_string_lossy(), &bytes, &options)),
            Err(error) => say(&format!("error: {error}")),
        }
    }
    if files.is_empty() {
        return Ok(REFUSED);
    }
    let style = style_of(args.output.as_deref(), args.color, false);
    let render = |out: &mut dyn Write| match args.format {
        ListFormat::Table => lint::render(&files, &style, out),
        ListFormat::Json => lint::render_json(&files, out),
    };
    match &args.output {
        Some(path) => write_whole(path, render)?,
        None => _ = to_stdout(render)?,
    }
    if files.len() < args.files.len() {
        return Ok(REFUSED);
    }
    Ok(u8::from(files.iter().any(|file| !file.is_accepted())) * FINDINGS)
}
