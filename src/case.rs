//! A case: a question to all evidence of one run, answered for each installation as soon as it is found.
//!
//! What opens a container also judges what is in it: the question goes to the worker, and the answer comes back without the
//! hives. So everything that reads hives is done here, at once: the audit, the plan of a patch, its proof, its texts.

use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::access::read_access;
use crate::discovery::{self, Ask, Evidence, Installation};
use crate::error::Error;
use crate::examination::{Closing, Examined, Options, examine_each};
use crate::finding::Finding;
use crate::handover::import_text;
use crate::history::Generations;
use crate::remediation::{PatchOptions, Plan, Selection, remedy};
use crate::report::InstallationReport;
use crate::report::table::Patching;
use crate::verification::write_and_prove;

mod script;

/// The audit of a case: what is asked of each installation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Audit {
    /// How each is examined.
    pub options: Options,
    /// The patch to plan for each that counts; `None` if none is wanted.
    pub patch: Option<PatchWanted>,
    /// What is said of a patch that could be planned, if none is wanted.
    pub outlook: Option<Selection>,
}

/// A patch that is wanted.
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

/// What a patch of an installation comes to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Patched {
    /// The plan and its files, or why there is none and what to do; `None` if no patch was wanted or the installation
    /// does not count.
    pub planned: Option<Result<Planned, (String, String)>>,
    /// What a patch would come to; `None` if there is nothing to patch, or one was planned.
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
    /// Audits the evidence. `take` receives each installation with its patch, in the order of the report. `witness` is
    /// called with each file of this machine before it is read.
    ///
    /// # Errors
    /// The only evidence is unreadable, or the error of `take`.
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

/// Returns what a patch would come to.
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

/// Runs this process as a worker, for the purpose that it was started with. A purpose that is not known is an error of
/// whoever started it.
pub fn answer(purpose: &str) -> ExitCode {
    match purpose {
        Audit::NAME => discovery::answer::<Audit>(),
        Generations::NAME => discovery::answer::<Generations>(),
        _ => ExitCode::FAILURE,
    }
}
