//! What is not patched, why, and what to do then.

use std::collections::BTreeMap;

use super::{Edit, Selection, Target};
use crate::control_set::Choice;
use crate::finding::{Finding, Verdict};
use crate::hive::State;
use crate::machine::Sameness;
use crate::os::Os;
use crate::reg_file::Dialect;
use crate::registry::{Name, Role};
use crate::report::InstallationReport;

/// A reason, and what to do.
type Refusal = (String, String);

/// Refuses an installation that may not be patched at all.
pub(super) fn refuse(report: &InstallationReport, selection: &Selection) -> Result<(), Refusal> {
    let here = &report.evidence;
    if report.os.baseline().is_none() {
        return Err((
            format!("{here}: the Windows is not known ({})", report.os.id),
            "A patch is only written for a known Windows".to_owned(),
        ));
    }
    if report.os.is_uncertain() {
        return Err((
            format!(
                "{here}: it is uncertain whether this is {}: {}",
                report.os.name,
                report.os.marks.against.join("; ")
            ),
            "Name the Windows with --os and --force if you are sure of it".to_owned(),
        ));
    }
    if let Some(same) = report.same_machine.as_ref().filter(|same| same.state == Sameness::Contradicted) {
        return Err((
            format!("{here}: SOFTWARE and SYSTEM are not from the same machine: {}", same.by.join("; ")),
            "Put the hives that belong together into one folder, or name one hive".to_owned(),
        ));
    }
    if report.os.forced {
        if let Some(found) = contradiction(&report.os) {
            return Err((
                format!("{here}: --os says {}, and the hives are of NT {found}", report.os.id),
                "A patch for one version of NT is never written for another, not even with --force".to_owned(),
            ));
        }
        if !selection.force {
            return Err((
                format!("{here}: the Windows was given with --os, not detected"),
                "Add --force if you are sure of the Windows".to_owned(),
            ));
        }
    }
    if selection.target == Target::Live && !report.lies_in.is_current() {
        return Err((
            format!("{here}: --target live, and this hive lies where Windows keeps older ones ({})", report.lies_in),
            "The running Windows does not use this hive: audit the hives that it uses, or leave out --target live"
                .to_owned(),
        ));
    }
    let audited = report.hives.iter().filter(|hive| matches!(hive.role, Role::Software | Role::System));
    if let Some(dirty) = audited.clone().find(|hive| hive.integrity.state == State::Dirty && !selection.accept_dirty) {
        return Err((
            format!("{}: the hive is dirty, and its transaction logs were not replayed", dirty.path),
            "Windows may overwrite the patch when it replays them; add --accept-dirty to write the patch anyway"
                .to_owned(),
        ));
    }
    let recovered = audited.clone().find(|hive| hive.integrity.state == State::Recovered);
    if let Some(hive) = recovered.filter(|_| selection.dialect == Dialect::Hivex && !selection.accept_dirty) {
        return Err((
            format!("{}: the hive is dirty, and hivexregedit does not replay its transaction logs", hive.path),
            "hivexregedit would mark the hive as clean, and the changes in the logs would be lost: let Windows load \
             the hive first, \
             write the patch for regedit, or add --accept-dirty"
                .to_owned(),
        ));
    }
    refuse_control_sets(report, selection)
}

/// Returns the NT version in the hives, if it differs from that of the Windows given with `--os`.
fn contradiction(os: &Os) -> Option<&str> {
    let (found, (major, minor)) = (os.version.as_deref()?, os.id.version()?);
    (found != format!("{major}.{minor}")).then_some(found)
}

/// Refuses if it is unclear which control set the patch is for.
fn refuse_control_sets(report: &InstallationReport, selection: &Selection) -> Result<(), Refusal> {
    if !report.hives.iter().any(|hive| hive.role == Role::System) {
        return Ok(());
    }
    let Some(sets) = &report.control_sets else {
        return Err((
            format!("{}: the control sets of SYSTEM cannot be read", report.evidence),
            "See the hive's problems with find --check; patch from a sound copy".to_owned(),
        ));
    };
    let chosen = sets.chosen(selection.control_set).map_err(|problem| {
        let advice = "Name the control set with --control-set".to_owned();
        (format!("{}: which control set to patch is not clear: {problem}", report.evidence), advice)
    })?;
    if let Some(problem) = sets.next_start_problem().filter(|_| selection.control_set == Choice::Current) {
        return Err((
            format!("{}: which control set the next start uses is not clear: {problem}", report.evidence),
            "Name the control set with --control-set".to_owned(),
        ));
    }
    let only = || sets.chosen(Choice::Current).unwrap_or_default();
    let current = sets.current.map_or_else(only, |current| vec![current]);
    if selection.target == Target::Live && chosen != current {
        return Err((
            format!("{}: --target live with --control-set {}", report.evidence, selection.control_set),
            "A running Windows has the current control set only; leave one of the two out".to_owned(),
        ));
    }
    Ok(())
}

/// Keys with unreadable parts. Writing to such a key would write into damage.
pub(super) struct DamagedKeys<'f>(BTreeMap<(Role, Name), &'f str>);

/// Returns the keys of the findings that cannot be read.
pub(super) fn damaged_keys(findings: &[Finding]) -> DamagedKeys<'_> {
    let unreadable = findings.iter().filter(|finding| finding.verdict == Verdict::Unreadable);
    let keys = unreadable
        .filter_map(|finding| Some(((finding.hive?, Name::from(finding.key.as_deref()?)), finding.id.as_str())));
    DamagedKeys(keys.collect())
}

impl DamagedKeys<'_> {
    /// Returns the edit, or why it is refused.
    pub(super) fn admits(&self, edit: Edit) -> Result<Edit, String> {
        match self.0.get(&(edit.hive, Name::from(edit.key.as_str()))) {
            None => Ok(edit),
            Some(finding) => Err(format!("its key is damaged: {finding} cannot be read; repair the hive first")),
        }
    }
}
