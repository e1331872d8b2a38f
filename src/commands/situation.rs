//! Collects what the commands at the end of a report depend on: the evidence as typed, and the result of patching.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use hivemend::cli::{AuditArgs, ReadingArgs};
use hivemend::examination::Examination;
use hivemend::finding::Finding;
use hivemend::remediation::{Plan, Selection, remedy};
use hivemend::report::InstallationReport;
use hivemend::report::table::{Patching, Situation, quoted_path};

/// A plan, and its files.
pub(super) type Planned = (Plan, Vec<(String, Vec<u8>)>);

/// Returns the facts about this audit that its report does not contain.
pub(super) fn situation(args: &AuditArgs, examination: &Examination, plans: &[Planned]) -> Situation {
    let mut patches = BTreeMap::new();
    let counted = || examination.report.installations.iter().filter(|one| examination.counts(one));
    for installation in counted().filter(|installation| is_to_mend(installation)) {
        let planned = plans.iter().find(|(plan, _)| plan.installation == installation.id);
        let patching = match (&args.patching.patch, planned) {
            (Some(folder), Some((plan, files))) => Some(written(folder, plan, files)),
            _ => outlook(args, installation),
        };
        patches.extend(patching.map(|patching| (installation.id.clone(), patching)));
    }
    Situation {
        evidence: args.common.evidence.iter().map(|path| path.as_os_str().as_bytes().to_vec()).collect(),
        reading: reading(&args.common.reading),
        patches,
    }
}

/// Returns whether the installation has a deviation that matters.
fn is_to_mend(installation: &InstallationReport) -> bool {
    installation.judgement.iter().flat_map(|judgement| &judgement.findings).any(Finding::is_to_mend)
}

/// Returns the result that `--patch` would have now.
fn outlook(args: &AuditArgs, installation: &InstallationReport) -> Option<Patching> {
    let selection = Selection {
        force: args.patching.force,
        accept_dirty: args.patching.accept_dirty,
        control_set: args.control_set,
        ..Selection::default()
    };
    match remedy(installation, &selection) {
        Ok(plan) if !plan.edits.is_empty() => Some(Patching::Possible { edits: plan.edits.len() }),
        Ok(plan) => plan.left.first().map(|left| Patching::Refused {
            reason: format!("{}: {}", left.finding, left.reason),
            advice: String::new(),
        }),
        Err((reason, advice)) => Some(Patching::Refused { reason, advice }),
    }
}

fn written(folder: &Path, plan: &Plan, files: &[(String, Vec<u8>)]) -> Patching {
    let folder = folder.join(&plan.installation);
    let path = |name: &str| folder.join(name).into_os_string().as_bytes().to_vec();
    // The program wrote these names, so their letter case is known.
    let corrective = |name: &str| name.strip_suffix(".reg").is_some_and(|stem| !stem.contains("rollback"));
    let names = files.iter().map(|(name, _)| name.as_str()).filter(|name| corrective(name));
    Patching::Written { files: names.map(path).collect(), import: path("IMPORT.txt") }
}

/// Returns the quoted options that are needed to open this evidence again.
fn reading(args: &ReadingArgs) -> Vec<String> {
    let files = [("--password-file", &args.password_file), ("--recovery-key-file", &args.recovery_key_file)];
    let named = files.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)));
    let mut options: Vec<String> =
        named.flat_map(|(option, path)| [option.to_owned(), quoted_path(path.as_os_str().as_bytes())]).collect();
    options.extend(args.no_replay.then(|| "--no-replay".to_owned()));
    options
}
