//! Creates evidence for trying out hivemend: `cargo run -p hive-fixtures -- FOLDER CASE...` compiles cases in
//! `fixtures/` to hives and lays them out as a mounted Windows, `FOLDER/CASE/Windows/System32/config`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::path::Path;
use std::process::ExitCode;

use hive_fixtures::fixture::{self, Existing};

const USAGE: &str = "\
Usage: cargo run -p hive-fixtures -- [OPTIONS] FOLDER CASE...  (or --all in place of the cases)

Options:
  --dirty      Leave in transaction logs what makes a case of the one that it is based on
  --overwrite  Replace files of the same names that have other bytes
  --list       List the cases
  --help       Print this
";

/// The request on the command line.
#[derive(Default)]
struct Request {
    dirty: bool,
    overwrite: bool,
    all: bool,
    /// The folder, then the cases.
    names: Vec<String>,
}

fn main() -> ExitCode {
    let mut request = Request::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--dirty" => request.dirty = true,
            "--overwrite" => request.overwrite = true,
            "--all" => request.all = true,
            "--list" => return list(),
            "--help" | "-h" => {
                print!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            unknown if unknown.starts_with('-') => return fail(&format!("no option {unknown}\n\n{USAGE}")),
            _ => request.names.push(argument),
        }
    }
    match request.names.as_slice() {
        [folder, cases @ ..] if cases.is_empty() == request.all => make(Path::new(folder), cases, &request),
        _ => fail(&format!("a folder and cases are needed\n\n{USAGE}")),
    }
}

/// Prints the names of the cases.
fn list() -> ExitCode {
    match fixture::names() {
        Ok(names) => {
            for name in names {
                println!("{name}");
            }
            ExitCode::SUCCESS
        }
        Err(message) => fail(&message),
    }
}

/// Writes the cases, and prints the path of each hive.
fn make(folder: &Path, cases: &[String], request: &Request) -> ExitCode {
    let cases = if request.all { fixture::names() } else { Ok(cases.to_vec()) };
    let existing = if request.overwrite { Existing::Replace } else { Existing::Refuse };
    let made = cases.and_then(|cases| {
        // All cases are compiled first, so that a typing error in the last name leaves no partial evidence.
        let compiled = cases.iter().map(|case| fixture::compile(case)).collect::<Result<Vec<_>, _>>()?;
        let write = |case: &fixture::Case| {
            let folder = folder.join(&case.name);
            let files = if request.dirty { case.interrupted()? } else { case.files() };
            fixture::write(&folder, &files, existing)
        };
        let paths = compiled.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        Ok(paths.concat())
    });
    match made {
        Ok(paths) => {
            for path in paths {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(message) => fail(&message),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("make-evidence: {message}");
    ExitCode::from(2)
}
