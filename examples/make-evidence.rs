//! Makes evidence to try hivemend on: `cargo run --example make-evidence -- FOLDER CASE...` compiles cases of
//! `fixtures/` to hives and lays them out as a mounted Windows, `FOLDER/CASE/Windows/System32/config`. With `--dirty`
//! before the folder, what makes a case of the one that it is based on stands in transaction logs only.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

#[path = "../tests/support/apply.rs"]
mod apply;
#[path = "../tests/support/hive_builder.rs"]
mod builder;
#[path = "../tests/support/fixture.rs"]
mod fixture;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (dirty, arguments) = match arguments.as_slice() {
        [first, rest @ ..] if first == "--dirty" => (true, rest),
        all => (false, all),
    };
    match arguments.split_first() {
        Some((folder, cases)) if !cases.is_empty() && !folder.starts_with('-') => make(Path::new(folder), cases, dirty),
        _ => list(),
    }
}

/// Says how the program is called, and which cases there are.
fn list() -> ExitCode {
    println!(
        "Usage: cargo run --example make-evidence -- [--dirty] FOLDER CASE...  (or --all in place of the cases)\n\nCases:"
    );
    match fixture::names() {
        Ok(names) => names.iter().for_each(|name| println!("  {name}")),
        Err(message) => return fail(&message),
    }
    ExitCode::from(2)
}

fn make(folder: &Path, cases: &[String], dirty: bool) -> ExitCode {
    let cases = if cases == ["--all"] { fixture::names() } else { Ok(cases.to_vec()) };
    let made = cases.and_then(|cases| {
        // All of them first: a slip in the last name should not leave half of the evidence behind.
        let compiled = cases.iter().map(|case| fixture::compile(case)).collect::<Result<Vec<_>, _>>()?;
        let write = |case: &fixture::Case| {
            let folder = folder.join(&case.name);
            if dirty { case.write_dirty(&folder) } else { case.write(&folder) }
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
