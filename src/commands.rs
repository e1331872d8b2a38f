//! The commands, between the command line and the library: what they open, where their output goes, and what exit code
//! tells of it. These and main.rs are the only files that print.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use hivemend::cli::{Color, EvidenceArgs, Format, UnpackingArgs};
use hivemend::custody;
use hivemend::discovery::discover_in;
use hivemend::error::Error;
use hivemend::evidence::archive::Unpacking;
use hivemend::examination::Examination;
use hivemend::output::{keep_out_of_evidence, write_whole};
use hivemend::report::table::Style;
use hivemend::report::{Report, json, table};

mod audit;
mod find;
mod history;
mod lint;
mod show;
mod verify;

pub(crate) use audit::audit;
pub(crate) use find::find;
pub(crate) use history::history;
pub(crate) use lint::lint;
pub(crate) use show::show;
pub(crate) use verify::verify;

/// Assessed completely, and something stands at or above `--fail-on`.
const FINDINGS: u8 = 1;
/// Nothing could be done.
pub(crate) const REFUSED: u8 = 2;
/// Something that should have been assessed could not be.
const INCOMPLETE: u8 = 3;

/// Sees to it that no output can land in the evidence, and sets the number of threads.
fn prepare(common: &EvidenceArgs, patch: Option<&Path>) -> Result<(), Error> {
    for output in [common.output.as_deref(), common.custody.as_deref(), patch].into_iter().flatten() {
        keep_out_of_evidence(&common.evidence, output)?;
    }
    if let Some(jobs) = common.jobs {
        // It can be set once, and this is the first use.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs.into()).build_global();
    }
    Ok(())
}

/// Runs an examination inside a custody record, where one is wanted. Whether the evidence was the same afterwards.
fn with_custody(
    common: &EvidenceArgs,
    examine: impl FnOnce() -> Result<Examination, Error>,
) -> Result<(Examination, bool), Error> {
    let Some(path) = &common.custody else { return Ok((examine()?, true)) };
    let discovery = discover_in(&common.evidence, !common.no_mmap, &unpacking(&common.unpacking)?)?;
    let mut files: Vec<PathBuf> = Vec::new();
    for file in discovery.files() {
        // All that is in a container is this one file.
        if !files.iter().any(|known| known == file) {
            files.push(file.to_owned());
        }
    }
    let begun = custody::begin(&files);
    let examination = examine()?;
    let record = begun.end();
    write_whole(path, |out| {
        serde_json::to_writer_pretty(&mut *out, &record)?;
        out.write_all(b"\n")
    })?;
    if !record.unchanged() {
        say(&format!("the evidence changed while it was examined: see {}", path.display()));
    }
    Ok((examination, record.unchanged()))
}

/// What the user said of archives and images.
fn unpacking(args: &UnpackingArgs) -> Result<Unpacking, Error> {
    let password = match &args.password_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
                path: path.display().to_string(),
                source,
                advice: "Name a text file in UTF-8 whose first line is the password",
            })?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        }
    };
    Ok(Unpacking { password, verify_image: args.verify_image, live_only: false })
}

fn write_report(common: &EvidenceArgs, report: &Report, all: bool) -> Result<(), Error> {
    if common.verbose > 0 {
        for hive in report.installations.iter().flat_map(|installation| &installation.hives) {
            let state = serde_json::to_string(&hive.integrity.state).unwrap_or_default();
            say(&format!("{}: {}, {}", hive.path, hive.role, state.trim_matches('"')));
            for problem in hive.integrity.problems.iter().take(if common.verbose > 1 { usize::MAX } else { 1 }) {
                say(&format!("  {problem}"));
            }
        }
    }
    let style = style(common, all);
    let render = |mut out: &mut dyn Write| match common.format {
        Format::Table => table::render(report, &style, &mut out),
        Format::Json => json::render(report, &mut out),
        Format::Jsonl => json::render_lines(report, &mut out),
    };
    match &common.output {
        Some(path) => write_whole(path, render),
        None => to_stdout(render).map(|_| ()),
    }
}

fn style(common: &EvidenceArgs, all: bool) -> Style {
    style_of(common.output.as_deref(), common.color, all)
}

fn style_of(output: Option<&Path>, color: Color, all: bool) -> Style {
    let on_terminal = output.is_none() && io::stdout().is_terminal();
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => on_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    Style { width: if on_terminal { table::terminal_width() } else { None }, color, all }
}

pub(crate) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8, Error> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // The reader of our output has had enough: that is no error, and what was found stays found.
        Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(source) => Err(Error::Write { path: "stdout".to_owned(), source }),
        Ok(()) => Ok(0),
    }
}

/// A line on stderr that `--quiet` silences.
fn note(common: &EvidenceArgs, text: &str) {
    if !common.quiet {
        say(text);
    }
}

/// A line on stderr. Nobody is left to tell where that fails.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "hivemend: {text}");
}
