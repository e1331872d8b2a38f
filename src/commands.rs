//! The commands, between the command line and the library: what they open, where their output goes, and their exit
//! codes. Only these files and main.rs print.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use hivemend::case_facts::{CaseFacts, Fact};
use hivemend::cli::{CaseArgs, Color, EvidenceArgs, ListArgs, ListFormat, MessageArgs, OutputArgs, ReadingArgs};
use hivemend::discovery::{Errand, Evidence, News, run_errand};
use hivemend::error::Error;
use hivemend::evidence::archive::Unpacking;
use hivemend::evidence::budget::Limits;
use hivemend::evidence::output::{Destination, Gate, Inputs, Outputs};
#[cfg(feature = "images")]
use hivemend::evidence::volume::bitlocker::Keys;
use hivemend::evidence::worker;
use hivemend::report::table;
use hivemend::report::table::Style;

mod applied;
mod audit;
mod baseline;
mod examined;
mod explain;
mod find;
mod fleet;
mod form;
mod history;
mod lint;
mod list;
mod man;
mod progress;
mod report;
mod show;
mod situation;
mod verify;

pub(crate) use audit::audit;
pub(crate) use baseline::baseline;
pub(crate) use explain::explain;
pub(crate) use find::find;
pub(crate) use history::history;
pub(crate) use lint::lint;
pub(crate) use man::{completions, man};
pub(crate) use report::report;
pub(crate) use show::show;
pub(crate) use verify::verify;

/// Assessed completely, with at least one finding at or above `--fail-on`.
const FINDINGS: u8 = 1;
/// The command could not run.
pub(crate) const REFUSED: u8 = 2;
/// Something that should have been assessed could not be assessed.
const INCOMPLETE: u8 = 3;

/// Checks the outputs of a command before any work.
fn gate(outputs: Outputs<'_>, evidence: &[PathBuf], unpacking: Option<&ReadingArgs>) -> Result<Gate, Error> {
    let files = unpacking.map(key_files).unwrap_or_default();
    Gate::new(&outputs, &Inputs { evidence: evidence.to_vec(), files })
}

/// Returns the file that lists evidence, and those with passwords and keys.
fn read_beside(list: &ListArgs, reading: &ReadingArgs) -> Vec<PathBuf> {
    read_as_named(list.files_from.as_slice()).into_iter().chain(key_files(reading)).collect()
}

/// Returns the files with passwords and keys that the command reads.
fn key_files(args: &ReadingArgs) -> Vec<PathBuf> {
    args.password_file.iter().chain(&args.recovery_key_file).cloned().collect()
}

/// Returns the one output that most commands have.
fn one_output(args: &OutputArgs) -> Outputs<'_> {
    let (output, overwrite) = (args.output.as_deref(), args.overwrite);
    Outputs { stdout: rustix::stdio::stdout(), output, custody: None, patch: None, overwrite }
}

/// Checks the outputs of an examination and sets the number of threads.
fn prepare(common: &EvidenceArgs, evidence: &[Evidence], patch: Option<&Path>) -> Result<Gate, Error> {
    let outputs = Outputs { custody: common.custody.custody.as_deref(), patch, ..one_output(&common.output) };
    let files = read_beside(&common.list, &common.reading).into_iter().chain(common.custody.case.case.clone());
    let gate = Gate::new(&outputs, &Inputs { evidence: paths_of(evidence), files: files.collect() })?;
    prepare_reading(&common.reading);
    Ok(gate)
}

/// Returns the paths of the evidence.
fn paths_of(evidence: &[Evidence]) -> Vec<PathBuf> {
    evidence.iter().map(|one| one.path.clone()).collect()
}

/// Returns the files that the arguments name. For `-` that is the file that stdin was opened on.
fn read_as_named(paths: &[PathBuf]) -> Vec<PathBuf> {
    let named = |path: &PathBuf| if path.as_os_str() == "-" { PathBuf::from("/dev/stdin") } else { path.clone() };
    paths.iter().map(named).collect()
}

/// Sets the number of threads.
fn prepare_reading(args: &ReadingArgs) {
    if args.no_sandbox {
        worker::do_without_sandbox();
        say("containers are read without a sandbox (--no-sandbox)");
    }
    if let Some(jobs) = args.budget.jobs {
        // The number can be set only once, and this is the first use.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs.into()).build_global();
    }
}

/// Returns the style of a table, or `None` for JSON.
fn table_of(format: ListFormat, style: Style) -> Option<Style> {
    match format {
        ListFormat::Table => Some(style),
        ListFormat::Json => None,
    }
}

/// Does an errand, and writes its text. Returns the answer. `opened` returns the files that no output may replace.
fn write_errand<E: Errand<Head = ()>>(
    gate: Gate,
    messages: &MessageArgs,
    errand: &E,
    opened: impl FnOnce(&E::Answer) -> Vec<PathBuf>,
) -> Result<E::Answer, Error> {
    let mut shown = Some(progress::show(messages));
    let mut writing = gate.begin(false)?;
    let failed = |source| Error::Write { path: gate.output().path().display().to_string(), source };
    let answer = run_errand(errand, &mut |news| {
        drop(shown.take());
        if let News::Text(text) = news {
            writing.write_all(text).map_err(failed)?;
        }
        Ok(())
    })?;
    let opened = opened(&answer);
    gate.seal(opened.iter().map(PathBuf::as_path))?.end(writing)?;
    Ok(answer)
}

/// Returns the facts of the case that the user states.
fn stated_facts(args: &CaseArgs) -> Result<CaseFacts, Error> {
    let mut facts = match &args.case {
        None => CaseFacts::default(),
        Some(path) => {
            let text = small_text(path, "Name a text file in UTF-8 with the facts of the case, in TOML")?;
            CaseFacts::parse(&path.display().to_string(), &text)?
        }
    };
    let of = |text: &Option<String>| text.as_deref().and_then(Fact::of_user);
    facts.examiner = of(&args.examiner).or(facts.examiner);
    facts.number = of(&args.case_number).or(facts.number);
    Ok(facts)
}

/// Returns the user's options for containers.
fn unpacking(args: &ReadingArgs) -> Result<Unpacking, Error> {
    let password = match &args.password_file {
        None => None,
        Some(path) => {
            let text = small_text(path, "Name a text file in UTF-8 whose first line is the password")?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        }
    };
    #[cfg(feature = "images")]
    let keys = match &args.recovery_key_file {
        None => Keys::default(),
        Some(path) => {
            let text = small_text(path, "Name a text file in UTF-8 with one key a line")?;
            let (keys, problems) = Keys::parse(&text, path.parent().unwrap_or(Path::new("")));
            if let Some(problem) = problems.first() {
                let reason = format!("{}: {problem}", path.display());
                let advice = "Correct that line: a recovery password has 48 digits in 8 groups".to_owned();
                return Err(Error::Refused { reason, advice });
            }
            keys
        }
    };
    Ok(Unpacking {
        password,
        #[cfg(feature = "images")]
        keys,
        verify_image: args.verify_image,
        live_only: false,
        places: args.places,
        limits: Limits {
            bytes: args.budget.max_bytes,
            sources: args.budget.max_sources,
            installations: args.budget.max_installations,
            seconds: args.budget.max_seconds,
        },
    })
}

/// Reads a small text file that the user named. Refuses a file without an end, such as a pipe, instead of waiting.
fn small_text(path: &Path, advice: &'static str) -> Result<String, Error> {
    const MOST: u64 = 1 << 20;
    let read = || {
        let mut text = String::new();
        std::fs::File::open(path)?.take(MOST.saturating_add(1)).read_to_string(&mut text)?;
        if text.len() as u64 > MOST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 1 MiB"));
        }
        Ok(text)
    };
    read().map_err(|source| Error::Read { path: path.display().to_string(), source, advice })
}

/// Returns the style of a table for its destination. On stdout `--color auto` follows the usual conventions:
/// `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, and `TERM=dumb`, as `anstream` reads them. A file is in UTF-8, whatever
/// the locale.
fn style_of(output: Destination<'_>, color: Color, all: bool) -> Style {
    let color = match color {
        Color::Always => true,
        Color::Auto => output.is_stdout() && AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        Color::Never => false,
    };
    let width = if output.is_terminal() { table::terminal_width() } else { None };
    Style { width, color, ascii: output.is_stdout() && !is_utf8(), all }
}

/// Returns whether the locale uses UTF-8. POSIX: the first of these variables that is set and not empty decides.
fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_ascii_uppercase();
    locale.contains("UTF-8") || locale.contains("UTF8")
}

pub(crate) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8, Error> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // The reader of stdout closed it early. That is not an error, and the findings still count.
        Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(source) => Err(Error::Write { path: "stdout".to_owned(), source }),
        Ok(()) => Ok(0),
    }
}

/// Writes a line to stderr that `--quiet` suppresses.
fn note(common: &EvidenceArgs, text: &str) {
    if !common.messages.quiet {
        say(text);
    }
}

/// Writes a line to stderr. If that fails, the failure cannot be reported.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "hivemend: {text}");
}
