//! Shows what regedit would do with a `.reg` file, and writes the same edits for other importers, only with the
//! library.
//!
//!     cargo run --example reg-file -- FILE.reg [CODE-PAGE]
//!
//! Prints each operation with its line, what regedit drops or changes, and the dialects that can express the file.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::process::ExitCode;

use hivemend::reg_file::{self, CodePage, Dialect, Operation, ReadOptions};

fn described(operation: &Operation) -> String {
    let name = |name: &[u16]| String::from_utf16_lossy(name).escape_debug().to_string();
    match operation {
        Operation::CreateKey { key } => format!("open {key}, or make it"),
        Operation::DeleteKey { key } => format!("delete {key} with all that is in it"),
        Operation::DeleteValue { key, name: value } => format!("delete \"{}\" of {key}", name(value)),
        Operation::SetValue { key, name: value, data_type, bytes } => {
            format!("set \"{}\" of {key} to {} bytes of type {data_type}", name(value), bytes.len())
        }
    }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        return Err("name a .reg file, and the importing machine's code page if it is known".into());
    };
    let code_page = arguments.next().map(|number| number.parse::<CodePage>()).transpose()?;
    let reading = reg_file::parse_with(&std::fs::read(&path)?, &ReadOptions { code_page, ..ReadOptions::default() });

    for entry in &reading.effect.operations {
        println!("{path}:{}: {}", entry.line, described(&entry.operation));
    }
    for found in &reading.diagnostics {
        println!("{path}:{found}");
    }
    for dialect in [Dialect::Regedit5, Dialect::Regedit4(code_page.unwrap_or_default()), Dialect::Hivex] {
        match reg_file::emit(&reading.effect, dialect) {
            Ok(written) => println!("{dialect:?}: {} bytes", written.len()),
            Err(refusal) => println!("{dialect:?}: cannot be written: {refusal}"),
        }
    }
    Ok(if reading.diagnostics.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
