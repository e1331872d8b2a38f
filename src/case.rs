//! A case: one question about all evidence of a run, answered for each installation as soon as it is found.
//!
//! The worker that opens a container also answers the question, and sends no hive. Everything that reads hives is
//! therefore done here: the audit, the plan of a patch, its proof, and its texts.

use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::access::read_access;
use crate::discovery::{self, Ask, Errand as _, Evidence, Installation};
use crate::error::Error;
use crate::examination::{Closing, Examined, Options, examine_each};
use crate::finding::Finding;
use crate::handover::import_text;
use crate::history::Generations;
use crate::learn;
use crate::remediation::{PatchOptions, Plan, Selection, remedy};
use crate::report::InstallationReport;
use crate::report::table::Patching;
use crate::show;
use crate::verification::{self, applied, write_and_prove};

mod script;

/// The audit of a case: the question about each installation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Audit {
    /// The options of the examination.
    pub options: Options,
    /// The patch to plan for each installation that counts; `None` for no patch.
    pub patch: Option<PatchWanted>,
    /// The findings of a possible patch, which is described if no patch is planned.
    pub outlook: Option<Selection>,
}

/// The request for a patch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatchWanted {
    /// The findings to patch.
    pub selection: Selection,
    /// How the files are written.
    pub options: PatchOptions,
    /// Whether a script for WinRE is wanted beside them.
    pub script: bool,
}

/// A plan, and its files with their names.
pub type Planned = (Plan, Vec<(String, Vec<u8>)>);

/// The result of patching an installation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Patched {
    /// The plan and its files, or why no patch is possible and what to do. `None` if no patch was requested, or the
    /// installation does not count.
    pub planned: Option<Result<Planned, (String, String)>>,
    /// The result that a patch would have; `None` if there is nothing to patch, or a patch was planned.
    pub outlook: Option<Patching>,
    /// Whether the installation was judged and counts for the exit code.
    pub counts: bool,
    /// Whether it can be audited.
    pub auditable: bool,
}

impl Ask for Audit {
    const NAME: &str = "audit";

    type Answer = (Result<Examined, String>, Patched);

    fn answer(&self, installation: Installation) -> Self::Answer {
        let examined = Examined::of(&installation, &self.options);
        let patched = match &examined {
            Ok(examined) => self.patch(examined, &installation),
            Err(_) => Patched { planned: None, outlook: None, counts: false, auditable: false },
        };
        (examined, patched)
    }
}

impl Audit {
    /// Audits the evidence. Passes each installation with its patch to `take`, in the order of the report, and each
    /// file of this machine to `witness` before the file is read.
    ///
    /// # Errors
    /// The error of `take`. Unreadable evidence is in [`Closing::ledger`].
    pub fn run(
        &self,
        evidence: &[Evidence],
        witness: Option<&(dyn Fn(&Path) + Sync)>,
        take: impl FnMut(InstallationReport, Patched) -> Result<(), Error>,
    ) -> Result<Closing, Error> {
        examine_each(evidence, &self.options, witness, self, take)
    }

    fn patch(&self, examined: &Examined, found: &Installation) -> Patched {
        let report = &examined.report;
        let counts = report.judgement.is_some() && report.generation.is_current();
        let planned = self.patch.as_ref().filter(|_| counts).map(|wanted| wanted.plan(report, found, &self.options));
        let outlook = match &planned {
            Some(Ok(_)) => None,
            _ => self.outlook.as_ref().filter(|_| counts && is_to_mend(report)).and_then(|one| outlook(report, one)),
        };
        Patched { planned, outlook, counts, auditable: examined.auditable }
    }
}

impl PatchWanted {
    /// Returns the plan of one installation and the bytes of its files, or why no plan is possible, and what to do.
    fn plan(
        &self,
        report: &InstallationReport,
        found: &Installation,
        examined: &Options,
    ) -> Result<Planned, (String, String)> {
        let mut plan = remedy(report, &self.selection)?;
        read_access(&mut plan, found, examined, &self.options);
        let (mut plan, files) = write_and_prove(found, examined, plan, &self.options)?;
        let script = if self.script { script::script(&mut plan, report, found, examined) } else { Vec::new() };
        let import = import_text(&plan, report, &self.options, &files, !script.is_empty());
        let import = import.map(|bytes| ("IMPORT.txt".to_owned(), bytes));
        let mut files: Vec<(String, Vec<u8>)> =
            files.into_iter().map(|file| (file.name, file.bytes)).chain(script).chain(import).collect();
        let mut text = serde_json::to_vec_pretty(&plan)
            .map_err(|error| (format!("{}: plan.json: {error}", plan.evidence), "Please report it".to_owned()))?;
        text.push(b'\n');
        files.push(("plan.json".to_owned(), text));
        Ok((plan, files))
    }
}

/// Returns whether the installation has a deviation that matters.
pub fn is_to_mend(installation: &InstallationReport) -> bool {
    installation.judgement.iter().flat_map(|judgement| &judgement.findings).any(Finding::is_to_mend)
}

/// Returns the result that a patch would have.
fn outlook(installation: &InstallationReport, selection: &Selection) -> Option<Patching> {
    match remedy(installation, selection) {
        Ok(plan) if !plan.edits.is_empty() => Some(Patching::Possible { edits: plan.edits.len() }),
        Ok(plan) => plan.left.first().map(|left| Patching::Refused {
            reason: format!("{}: {}", left.finding, left.reason),
            advice: String::new(),
        }),
        Err((reason, advice)) => Some(Patching::Refused { reason, advice }),
    }
}

/// Runs this process as a worker for this purpose. Fails if the purpose is unknown.
pub fn answer(purpose: &str) -> ExitCode {
    match purpose {
        Audit::NAME => discovery::answer::<Audit>(),
        Generations::NAME => discovery::answer::<Generations>(),
        verification::Question::NAME => discovery::do_errand::<verification::Question>(),
        learn::Question::NAME => discovery::do_errand::<learn::Question>(),
        show::Question::NAME => discovery::do_errand::<show::Question>(),
        applied::Question::NAME => discovery::do_errand::<applied::Question>(),
        discovery::FILES_OF => discovery::list_files(),
        discovery::LOGS_OF => discovery::list_logs(),
        _ => ExitCode::FAILURE,
    }
}
