//! The command line of hivemend: parse, run, map to an exit code. The only file that prints.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use hivemend::baseline::{self, Baseline};
use hivemend::cli::{
    AuditArgs, BaselineCommand, Cli, Color, Command, EvidenceArgs, FindArgs, Format, Generations, LintArgs, ListFormat,
    ShowArgs, ShowFormat, VerifyArgs,
};
use hivemend::custody;
use hivemend::discovery::{Installation, discover};
use hivemend::error::Error;
use hivemend::examination::{Examination, Options, examine};
use hivemend::lint::{self, LintedFile};
use hivemend::output::{keep_out_of_evidence, write_folder, write_whole};
use hivemend::reg_file::{Dialect, ReadOptions};
use hivemend::remediation::{PatchOptions, Plan, Selection, patch_files, remedy};
use hivemend::report::table::Style;
use hivemend::report::{InstallationReport, Report, json, schema, table};
use hivemend::show::{Layout, OpenOptions, Shown, Subject};
use hivemend::verification::{self, Mounts, Patch, prove};

/// Assessed completely, and something stands at or above `--fail-on`.
const FINDINGS: u8 = 1;
/// Nothing could be done.
const REFUSED: u8 = 2;
/// Something that should have been assessed could not be.
const INCOMPLETE: u8 = 3;
/// Problems of one key that are told on stderr.
const PROBLEMS_SAID: usize = 20;

fn main() -> ExitCode {
    // A panic while reading a hive is caught and reported as a problem of that hive; it needs no second voice.
    std::panic::set_hook(Box::new(|_| {}));
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
        Command::Audit(args) => audit(&args),
        Command::Find(args) => find(&args),
        Command::Show(args) => show(&args),
        Command::Lint(args) => lint(&args),
        Command::Verify(args) => verify(&args),
        Command::Baseline { command: BaselineCommand::List { format } } => to_stdout(|out| match format {
            ListFormat::Table => baseline::list::render(out),
            ListFormat::Json => baseline::list::render_json(out),
        }),
        Command::Baseline { command: BaselineCommand::Show { id } } => match Baseline::text_of(&id) {
            Some(text) => to_stdout(|out| out.write_all(text.as_bytes())),
            None => Err(Error::Usage {
                option: "baseline show",
                found: id,
                expected: "`hivemend baseline list` prints the ids that there are".to_owned(),
            }),
        },
        Command::Schema => to_stdout(|out| out.write_all(schema::text().as_bytes())),
    }
}

fn audit(args: &AuditArgs) -> Result<u8, Error> {
    let common = &args.common;
    prepare(common, args.patch.as_deref())?;
    if args.patch.is_some() && args.os.is_some() && !args.force {
        return Err(Error::Refused {
            reason: "--patch with --os: the Windows is not what the hives say".to_owned(),
            advice: "Add --force if you are sure of it".to_owned(),
        });
    }
    let dialect = args.dialect()?;
    let options = Options {
        judge: true,
        check: false,
        os: args.os,
        control_set: args.control_set,
        all_generations: args.generations == Generations::All,
        all_findings: args.all,
        locations: args.locations,
        fail_on: args.fail_on,
        replay: !common.no_replay,
        map: !common.no_mmap,
        // A patch is tied to the hive that it was made from.
        hash: !common.no_hash || args.patch.is_some(),
    };
    let (examination, kept) = with_custody(common, || examine(&common.evidence, &options))?;
    let mut plans = Vec::new();
    let mut refused = false;
    if args.patch.is_some() {
        for (installation, found) in examination.report.installations.iter().zip(&examination.installations) {
            if !examination.counts(installation) {
                continue;
            }
            match plan(installation, found, args, dialect, &options)? {
                Ok(planned) => plans.push(planned),
                Err((reason, advice)) => {
                    refused = true;
                    say(&format!("no patch: {reason}. {advice}"));
                }
            }
        }
    }
    write_report(common, &examination.report, args.all)?;
    if let Some(folder) = &args.patch {
        for (plan, files) in &plans {
            for warning in &plan.warnings {
                note(common, &format!("{}: {warning}", plan.evidence));
            }
            let written = write_folder(folder, &plan.installation, files)?;
            note(
                common,
                &format!("{}: edits: {}, findings left: {}", written.display(), plan.edits.len(), plan.left.len()),
            );
        }
    }
    let code = if !examination.report.summary.complete || !kept {
        INCOMPLETE
    } else if refused {
        REFUSED
    } else {
        u8::from(examination.failed) * FINDINGS
    };
    Ok(if common.exit_zero { 0 } else { code })
}

type Planned = (Plan, Vec<(String, Vec<u8>)>);

/// The plan of one installation and the bytes of its files, or why there is none.
fn plan(
    installation: &InstallationReport,
    found: &Installation,
    args: &AuditArgs,
    dialect: Dialect,
    examined: &Options,
) -> Result<Result<Planned, (String, String)>, Error> {
    let selection = Selection {
        min_grade: args.min_grade,
        only: args.only.clone(),
        skip: args.skip.clone(),
        force: args.force,
        accept_dirty: args.accept_dirty,
        dialect,
        target: args.target.into(),
        control_set: args.control_set,
    };
    let options = PatchOptions {
        dialect,
        target: args.target.into(),
        software_root: args.software_root.clone(),
        system_root: args.system_root.clone(),
    };
    let mut plan = match remedy(installation, &selection) {
        Ok(plan) => plan,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut files: Vec<(String, Vec<u8>)> = match patch_files(&plan, &options) {
        Ok(files) => {
            plan.proof = Some(prove(found, examined, &plan, &files, &options)?);
            files.into_iter().map(|file| (file.name, file.bytes)).collect()
        }
        Err(refusal) => {
            let advice = "Leave that finding out with --skip".to_owned();
            return Ok(Err((format!("{}: {refusal}", installation.evidence), advice)));
        }
    };
    let mut text = serde_json::to_vec_pretty(&plan)
        .map_err(|error| Error::Write { path: "plan.json".to_owned(), source: error.into() })?;
    text.push(b'\n');
    files.push(("plan.json".to_owned(), text));
    Ok(Ok((plan, files)))
}

fn find(args: &FindArgs) -> Result<u8, Error> {
    let common = &args.common;
    prepare(common, None)?;
    if common.format == Format::Jsonl {
        return Err(Error::Usage {
            option: "--format",
            found: "jsonl".to_owned(),
            expected: "`find` has no findings to print a line each; use table or json".to_owned(),
        });
    }
    let options = Options {
        judge: false,
        check: args.check,
        replay: !common.no_replay,
        map: !common.no_mmap,
        hash: !common.no_hash,
        ..Options::default()
    };
    let (examination, kept) = with_custody(common, || examine(&common.evidence, &options))?;
    write_report(common, &examination.report, false)?;
    let incomplete = !examination.report.summary.complete || !kept;
    Ok(if incomplete && !common.exit_zero { INCOMPLETE } else { 0 })
}

fn show(args: &ShowArgs) -> Result<u8, Error> {
    if let Some(output) = &args.output {
        keep_out_of_evidence(std::slice::from_ref(&args.hive), output)?;
    }
    let note = |text: &str| {
        if !args.quiet {
            say(text);
        }
    };
    let options = OpenOptions { replay: !args.no_replay, map: !args.no_mmap, root: args.root.clone() };
    let subject = Subject::open(&args.hive, &options)?;
    for doubt in subject.doubts() {
        note(&format!("{}: {doubt}", args.hive.display()));
    }
    let place = match subject.find(args.key.as_deref().unwrap_or_default())? {
        Ok(place) => place,
        Err(problem) => {
            say(&format!("{}: nobody can tell whether the key is there: {problem}", args.hive.display()));
            return Ok(INCOMPLETE);
        }
    };
    let layout = match args.format {
        ShowFormat::Reg if args.output.is_some() => Layout::RegFile,
        ShowFormat::Reg => Layout::RegText,
        ShowFormat::Json => Layout::Json,
        ShowFormat::Table => Layout::Table(style_of(args.output.as_deref(), args.color, true)),
    };
    // What stays where the reader of stdout has had enough before anything was amiss.
    let mut shown = Shown { complete: !subject.is_dirty(), ..Shown::default() };
    let write = |out: &mut dyn Write| {
        shown = subject.write(&place, args.recursive, layout, out)?;
        Ok(())
    };
    match &args.output {
        Some(path) => write_whole(path, write)?,
        None => _ = to_stdout(write)?,
    }
    for problem in shown.problems.iter().take(PROBLEMS_SAID) {
        note(&format!("{}: {problem}", args.hive.display()));
    }
    if let Some(more @ 1..) = shown.problems.len().checked_sub(PROBLEMS_SAID) {
        note(&format!("{}: {more} problems more; the output has them in their places", args.hive.display()));
    }
    Ok(if shown.complete { 0 } else { INCOMPLETE })
}

fn lint(args: &LintArgs) -> Result<u8, Error> {
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

fn verify(args: &VerifyArgs) -> Result<u8, Error> {
    let Some((evidence, files)) = args.paths.split_last() else { return Ok(REFUSED) };
    let evidence = std::slice::from_ref(evidence);
    if let Some(output) = &args.output {
        keep_out_of_evidence(evidence, output)?;
    }
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).map_err(|source| Error::Read {
            path: path.display().to_string(),
            source,
            advice: "Name the .reg files first, then the evidence",
        })?;
        Ok(Patch::read(path.to_string_lossy(), &bytes, args.importer.into(), args.code_page))
    };
    let patches = files.iter().map(read).collect::<Result<Vec<Patch>, Error>>()?;
    let mounts = Mounts {
        target: args.target.into(),
        software_root: args.software_root.clone(),
        system_root: args.system_root.clone(),
    };
    let options = Options {
        os: args.os,
        control_set: args.control_set,
        replay: !args.no_replay,
        map: !args.no_mmap,
        hash: !args.no_hash,
        ..Options::default()
    };
    let verification = verification::run(evidence, &patches, &mounts, &options)?;
    let style = style_of(args.output.as_deref(), args.color, false);
    let render = |mut out: &mut dyn Write| match args.format {
        ListFormat::Table => verification::render(&verification, &style, &mut out),
        ListFormat::Json => {
            serde_json::to_writer_pretty(&mut out, &verification)?;
            out.write_all(b"\n")
        }
    };
    match &args.output {
        Some(path) => write_whole(path, render)?,
        None => to_stdout(render).map(|_| ())?,
    }
    let code = match verification.outcome(args.fail_on) {
        verification::Standing::Clean => 0,
        verification::Standing::NotClean => FINDINGS,
        verification::Standing::Refused => REFUSED,
        verification::Standing::Incomplete => INCOMPLETE,
    };
    Ok(if args.exit_zero { 0 } else { code })
}

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
    let discovery = discover(&common.evidence, !common.no_mmap)?;
    let files: Vec<PathBuf> = discovery.files().map(Path::to_owned).collect();
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

fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8, Error> {
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
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "hivemend: {text}");
}
