//! The command line of hivemend: parses arguments, runs the command, and returns an exit code.

use std::process::ExitCode;

use clap::Parser;
use hivemend::case;
use hivemend::cli::{Cli, Command};
use hivemend::error::Error;
use hivemend::evidence::{conversation, worker};
use hivemend::schema;

mod commands;

use commands::{REFUSED, say, to_stdout};

fn main() -> ExitCode {
    // A panic while reading a hive is reported as a problem of that hive, so the default message is suppressed.
    std::panic::set_hook(Box::new(|_| {}));
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    if command == conversation::COMMAND {
        return case::answer(&arguments.next().unwrap_or_default().to_string_lossy());
    }
    worker::isolate();
    match run(Cli::parse().command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::from(REFUSED)
        }
    }
}

fn run(command: Command) -> Result<u8, Error> {
    match command {
        Command::Audit(args) => commands::audit(&args),
        Command::Find(args) => commands::find(&args),
        Command::History(args) => commands::history(&args),
        Command::Show(args) => commands::show(&args),
        Command::Lint(args) => commands::lint(&args),
        Command::Verify(args) => commands::verify(&args),
        Command::Report(args) => commands::report(&args),
        Command::Explain(args) => commands::explain(&args),
        Command::Baseline { command } => commands::baseline(command),
        Command::Completions(args) => commands::completions(&args),
        Command::Man(args) => commands::man(&args),
        Command::Schema(args) => to_stdout(|out| out.write_all(schema::text(args.record)?.as_bytes())),
    }
}
