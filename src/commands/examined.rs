//! Runs `audit` and `find`, and writes the report while the evidence is read.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use hivemend::case::{Audit, Patched};
use hivemend::case_facts::{CaseFacts, Headers};
use hivemend::cli::{EvidenceArgs, Format};
use hivemend::custody::{Examined, Witness};
use hivemend::discovery::{Evidence, readable};
use hivemend::error::Error;
use hivemend::evidence::output::{Gate, Sealed, Writing};
use hivemend::examination::{Closing, run_of};
use hivemend::html::Attachments;
use hivemend::report::InstallationReport;
use hivemend::report::table::{self, Situation};

use super::form::Form;
use super::{progress, say, style_of};

/// The requested report.
pub(super) struct Wanted<'a> {
    pub(super) common: &'a EvidenceArgs,
    pub(super) evidence: &'a [Evidence],
    pub(super) format: Format,
    /// Show the details.
    pub(super) all: bool,
    /// Write nothing until all evidence was read, because the whole run may still be refused.
    pub(super) hold: bool,
    /// The facts of the case that the user states.
    pub(super) stated: &'a CaseFacts,
    pub(super) situation: Situation,
}

/// A finished run. Its report is written, but a file has no name yet.
pub(super) struct Run {
    pub(super) closing: Closing,
    pub(super) sealed: Sealed,
    /// `None` if the only result is an error.
    writing: Option<Writing>,
    record: Option<Examined>,
    case: CaseFacts,
}

/// Examines the evidence and writes the report. Passes each installation to `take` before writing it. Calls `check`
/// after all evidence was read.
///
/// # Errors
/// The evidence or the output, or the error of `check`.
pub(super) fn run(
    gate: Gate,
    wanted: Wanted<'_>,
    audit: &Audit,
    mut take: impl FnMut(&InstallationReport, Patched, &mut Form<'_>) -> io::Result<()>,
    check: impl FnOnce() -> Result<(), Error>,
) -> Result<Run, Error> {
    let Wanted { common, evidence, format, all, hold, stated, situation } = wanted;
    let style = style_of(gate.output(), common.output.color, all || common.messages.verbose > 0);
    let failed = |source| Error::Write { path: gate.output().path().display().to_string(), source };
    let unreadable = readable(evidence).err();
    let mut writing = gate.begin(hold)?;
    let attachments = Attachments { case: stated.clone(), ..Attachments::default() };
    let mut form = Form::new(format, style, situation, attachments, &mut writing);
    let witness =
        common.custody.custody.as_ref().map(|_| Witness::new(common.custody.hashing.hash.unwrap_or_default()));
    let see = |path: &Path| witness.iter().for_each(|witness| witness.see(path));
    let see = witness.is_some().then_some(&see as &(dyn Fn(&Path) + Sync));
    let mut headers = Headers::default();
    let mut shown = progress::show(&common.messages);
    form.renderer().run(&run_of(&audit.options)).map_err(failed)?;
    let mut closing = audit.run(evidence, see, |installation, patched| {
        tell_hives(common, &installation);
        headers.see(&installation);
        take(&installation, patched, &mut form).map_err(failed)?;
        if gate.output().is_terminal() && form.writes_at_once(&installation) {
            // A progress line between the results would make both unreadable.
            shown.take_if(|shown| shown.is_drawn());
        }
        form.renderer().installation(&installation).map_err(failed)
    })?;
    if unreadable.is_some() {
        // Shorter than what is said of several paths.
        closing.nothing = unreadable;
    }
    let mut case = stated.clone();
    case.prefill(&headers);
    let record = witness.map(|witness| witness.end(&closing.opened, closing.sandbox.clone()));
    drop(shown);
    check()?;
    tell_sources(common, &closing);
    // A table of nothing says less than the error does; programs get the ledger.
    let written = closing.nothing.is_none() || !form.is_table();
    if written {
        closing.render(form.renderer()).map_err(failed)?;
    }
    drop(form);
    writing.flush().map_err(failed)?;
    let writing = written.then_some(writing);
    let sealed = gate.seal(closing.opened.iter().map(PathBuf::as_path))?;
    Ok(Run { closing, sealed, writing, record, case })
}

impl Run {
    /// Returns whether the evidence is unchanged, if a custody record was requested; otherwise true.
    pub(super) fn kept(&self) -> bool {
        self.record.as_ref().is_none_or(Examined::unchanged)
    }

    /// Ends the report, writes the other outputs, and then the custody record if one was requested. The record lists
    /// the written files even if a later output failed.
    ///
    /// # Errors
    /// The first output that cannot be written; that there was nothing to examine.
    pub(super) fn end(self, write: impl FnOnce(&Sealed) -> Result<(), Error>) -> Result<(), Error> {
        let unchanged = self.kept();
        let Self { closing, sealed, writing, record, case } = self;
        let written = writing
            .map_or(Ok(()), |writing| sealed.end(writing))
            .and_then(|()| closing.nothing.map_or_else(|| write(&sealed), Err));
        if let Some((record, out)) = record.zip(sealed.custody()) {
            let record = record.close(case, sealed.written());
            let done = out.write(|out| {
                serde_json::to_writer_pretty(&mut *out, &record)?;
                out.write_all(b"\n")
            });
            if !unchanged {
                say(&format!("the evidence changed while it was examined: see {}", out.path().display()));
            }
            // The first failure is reported.
            written.as_ref().map_or(Ok(()), |()| done)?;
        }
        written
    }
}

/// Reports each hive on stderr, with `-v`.
fn tell_hives(common: &EvidenceArgs, installation: &InstallationReport) {
    let most = match common.messages.verbose {
        0 => return,
        1 => 1,
        _ => usize::MAX,
    };
    for hive in &installation.hives {
        let state = serde_json::to_string(&hive.integrity.state).unwrap_or_default();
        say(&format!("{}: {}, {}", hive.path, hive.role, state.trim_matches('"')));
        for problem in hive.integrity.problems.iter().take(most) {
            say(&format!("  {problem}"));
        }
    }
}

/// Reports on stderr what was searched and skipped, with `-v`.
fn tell_sources(common: &EvidenceArgs, closing: &Closing) {
    if common.messages.verbose == 0 {
        return;
    }
    let sources = closing.ledger.sources().iter().map(hivemend::report::SourceReport::from);
    for source in sources.filter(|source| common.messages.verbose > 1 || table::is_listed(source)) {
        say(&table::source_line(&source));
    }
}
