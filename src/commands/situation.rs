//! Collects what the commands at the end of a report depend on: the evidence as typed, and the result of patching.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use hivemend::case::{Patched, is_to_mend};
use hivemend::cli::{AuditArgs, EvidenceArgs};
use hivemend::remediation::{Plan, Selection};
use hivemend::report::InstallationReport;
use hivemend::report::table::{Patching, Situation, quoted, quoted_path};

/// Returns the facts about this audit that its report does not contain, before anything is read.
pub(super) fn situation(args: &AuditArgs) -> Situation {
    Situation {
        evidence: args.common.evidence.iter().map(|path| path.as_os_str().as_bytes().to_vec()).collect(),
        reading: reading(&args.common),
        is_listed: args.common.list.files_from.is_some(),
        patches: BTreeMap::new(),
    }
}

/// Returns what a patch of this installation comes to; `None` if there is nothing to patch.
pub(super) fn patching(args: &AuditArgs, installation: &InstallationReport, patched: &Patched) -> Option<Patching> {
    match (&args.patching.patch, &patched.planned) {
        (Some(folder), Some(Ok((plan, files)))) => is_to_mend(installation).then(|| written(folder, plan, files)),
        _ => patched.outlook.clone(),
    }
}

/// Returns the findings that a patch would be for, were it asked for now.
pub(super) fn outlook(args: &AuditArgs) -> Selection {
    Selection {
        force: args.patching.force,
        accept_dirty: args.patching.accept_dirty,
        control_set: args.control_set,
        ..Selection::default()
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
fn reading(common: &EvidenceArgs) -> Vec<String> {
    let args = &common.reading;
    let list = &common.list.files_from;
    let files = [
        ("--files-from", list),
        ("--password-file", &args.password_file),
        ("--recovery-key-file", &args.recovery_key_file),
    ];
    let named = files.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)));
    let mut options: Vec<String> =
        named.flat_map(|(option, path)| [option.to_owned(), quoted_path(path.as_os_str().as_bytes())]).collect();
    options.extend(common.list.label.iter().flat_map(|label| ["--label".to_owned(), quoted(label.as_bytes())]));
    options.extend(args.no_replay.then(|| "--no-replay".to_owned()));
    options
}
