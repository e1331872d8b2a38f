//! Remediation: turns findings into registry edits and their inverse. It writes nothing, and reads nothing but a plan
//! that was written before.
//!
//! Values are set or deleted; keys are never deleted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::control_set::Choice;
use crate::finding::{Finding, Grade, ObservedDatum, Reason, Remediation, Severity, Verdict};
use crate::hive::State;
use crate::os::OsId;
use crate::reg_file::{Dialect, regedit_restores};
use crate::registry::{FileTime, Role};
use crate::report::table::word;
use crate::report::{InstallationReport, SchemaVersion};

mod access;
mod header;
mod named;
mod patch;
mod read_back;
mod refusal;

pub use access::{Access, Importers, warnings as access_warnings};
pub use header::Header;
use named::Named;
pub use named::is_named;
pub use patch::{PatchFile, PatchOptions, Target, check_roots, patch_files, unwritable};
pub use read_back::PlanFile;

/// The findings to patch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Selection {
    /// Patch only findings whose expectation has at least this grade.
    pub min_grade: Grade,
    /// Patch only findings with these ids, including `info` ones, or with these keys; empty for all. See [`is_named`].
    pub only: Vec<String>,
    /// Patch no findings with these ids or keys.
    pub skip: Vec<String>,
    /// Patch even if the user stated the Windows instead of detecting it.
    pub force: bool,
    /// Patch even if a hive is dirty.
    pub accept_dirty: bool,
    /// The dialect of the importer.
    pub dialect: Dialect,
    /// The place where the patch is imported.
    pub target: Target,
    /// The control sets that were audited.
    pub control_set: Choice,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            min_grade: Grade::SingleSource,
            only: Vec::new(),
            skip: Vec::new(),
            force: false,
            accept_dirty: false,
            dialect: Dialect::Regedit5,
            target: Target::Offline,
            control_set: Choice::Current,
        }
    }
}

/// The edits of a patch, why they are made, and how they are rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of this format.
    pub schema_version: SchemaVersion,
    /// The installation's id in the report.
    pub installation: String,
    /// Its evidence.
    pub evidence: String,
    /// The Windows that the patch is for. It must not be imported into another.
    pub os: OsId,
    /// The machine that the plan is for, as its hives name it. This distinguishes it from others with the same Windows.
    #[serde(default)]
    pub machine: PlannedMachine,
    /// The hives that the plan was made from. The plan applies to these bytes.
    pub hives: Vec<PlannedHive>,
    /// The edits, in order.
    pub edits: Vec<Edit>,
    /// Findings that are not patched, and why.
    pub left: Vec<Left>,
    /// Warnings to read before the import.
    pub warnings: Vec<String>,
    /// Steps that remain for the administrator.
    pub steps: Vec<String>,
    /// Changes that the rollback cannot undo.
    pub rollback_limits: Vec<String>,
    /// The result of applying patch and rollback in memory, after that was done.
    pub proof: Option<Proof>,
}

/// The result of applying a patch and its rollback in memory, from the written text. No other patch is handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The number of edits. After the patch each value is as planned, and nothing else is changed.
    pub edits: usize,
    /// Findings that conform only after the patch. No finding that conformed before deviates after it.
    pub mended: usize,
    /// Findings that still deviate: those that `left` lists.
    pub left: usize,
    /// Values that the rollback restores byte for byte.
    pub restored: usize,
    /// Findings whose value the rollback restores only as far as regedit can.
    pub altered: Vec<String>,
}

/// The identity of a machine, wherever its hives are. A field that the hives do not name is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMachine {
    /// The computer name.
    pub computer_name: Option<String>,
    /// When its Windows was installed or last upgraded.
    pub installed: Option<FileTime>,
}

/// A hive that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedHive {
    /// SOFTWARE or SYSTEM.
    pub role: Role,
    /// The path of the hive.
    pub path: String,
    /// SHA-256 of the file that the findings were read from.
    pub sha256: Option<String>,
}

/// One change of one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The finding that this edit corrects.
    pub finding: String,
    /// How well the expectation is confirmed.
    pub grade: Grade,
    /// The hive.
    pub hive: Role,
    /// The control set, for a key of SYSTEM.
    pub control_set: Option<u32>,
    /// The path of the key from the hive's root.
    pub key: String,
    /// Whether the key exists. A key that the patch creates stays after the rollback.
    pub key_exists: bool,
    /// When the key was last written before the edit.
    pub key_last_written: Option<FileTime>,
    /// The value's name.
    pub value: String,
    /// The data before the edit; `null` if absent.
    pub before: Option<ObservedDatum>,
    /// The data after the edit; `null` if absent.
    pub after: Option<ObservedDatum>,
    /// Keys with the same damage in the control set that Windows falls back to. The edit does not correct those.
    #[serde(default)]
    pub also_in: Vec<String>,
    /// Whether regedit can restore the old data byte for byte.
    pub regedit_restores: bool,
    /// The data that it would restore instead.
    pub regedit_alters: Option<String>,
    /// Who may write the key. The plan is made without the hives; [`crate::access::read_access`] reads it from them.
    #[serde(flatten)]
    pub access: Access,
}

impl Edit {
    /// Returns the keys on the path from the hive's root to the key of the edit, that key last.
    pub fn way(&self) -> impl Iterator<Item = &str> {
        let ends = self.key.match_indices('\\').map(|(at, _)| at).chain([self.key.len()]);
        ends.filter_map(|end| self.key.get(..end))
    }
}

/// A finding that is not patched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Its id.
    pub finding: String,
    /// Its control set.
    pub control_set: Option<u32>,
    /// Why it is not patched.
    pub reason: String,
}

/// Plans the patch of one installation.
///
/// # Errors
/// Returns why this installation may not be patched at all, and what to do.
pub fn remedy(report: &InstallationReport, selection: &Selection) -> Result<Plan, (String, String)> {
    refusal::refuse(report, selection)?;
    let audited = report.hives.iter().filter(|hive| matches!(hive.role, Role::Software | Role::System));
    let recovered = audited.clone().find(|hive| hive.integrity.state == State::Recovered);
    let findings = report.judgement.as_ref().map(|judgement| judgement.findings.as_slice()).unwrap_or_default();
    let damaged = refusal::damaged_keys(findings);
    let mut edits = Vec::new();
    let mut left = Vec::new();
    for finding in findings.iter().filter(|finding| finding.is_deviation()) {
        let planned = edit(finding, selection).and_then(|edit| damaged.admits(edit));
        match planned {
            Ok(edit) => edits.push(edit),
            Err(reason) => {
                left.push(Left { finding: finding.id.clone(), control_set: finding.control_set, reason });
            }
        }
    }
    // If all values of a key are recreated, the finding on the key is patched too.
    let written = |cause: &str, control_set| {
        findings.iter().any(|finding| {
            finding.cause.as_deref() == Some(cause)
                && finding.control_set == control_set
                && edits.iter().any(|edit| edit.finding == finding.id && edit.control_set == control_set)
        })
    };
    left.retain(|left| !written(&left.finding, left.control_set));
    let mut plan = Plan {
        schema_version: SchemaVersion,
        installation: report.id.clone(),
        evidence: report.evidence.clone(),
        os: report.os.id,
        machine: PlannedMachine {
            computer_name: report.machine.computer_name.clone(),
            installed: report.machine.installed,
        },
        hives: audited
            .map(|hive| PlannedHive { role: hive.role, path: hive.path.clone(), sha256: hive.sha256.clone() })
            .collect(),
        edits,
        left,
        warnings: if selection.target == Target::Offline { report.warnings.clone() } else { Vec::new() },
        steps: recovered
            .map(|hive| {
                format!(
                    "The {} hive is dirty: import this file with Windows, which first replays the hive's transaction \
                     logs.",
                    hive.role
                )
            })
            .into_iter()
            .chain(fallback_step(findings))
            .chain(
                findings
                    .iter()
                    .filter(|finding| finding.verdict == Verdict::NotAssessed(Reason::RunTime))
                    .filter_map(|finding| finding.advice.clone()),
            )
            .collect(),
        rollback_limits: Vec::new(),
        proof: None,
    };
    let made = plan.edits.iter().filter(|edit| !edit.key_exists);
    let mut made: Vec<(Role, String)> = made.map(|edit| (edit.hive, edit.key.clone())).collect();
    made.dedup();
    plan.limit_rollback(&made);
    Ok(plan)
}

/// Returns the step for the administrator if the control set that Windows falls back to has the same damage. That
/// control set is not patched, and falling back to it does not help.
fn fallback_step(findings: &[Finding]) -> Option<String> {
    let mut keys: Vec<&str> = findings.iter().flat_map(|finding| &finding.also_in).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    let keys = access::listed(&keys)?;
    Some(format!(
        "The control set that Windows falls back to (LastKnownGood) has the same damage in {keys}: --control-set all \
         patches it, too."
    ))
}

impl Plan {
    /// Removes edits by their index in [`Plan::edits`], each with its reason.
    pub fn leave(&mut self, reasons: &BTreeMap<usize, String>) {
        let edits = std::mem::take(&mut self.edits);
        for (at, edit) in edits.into_iter().enumerate() {
            match reasons.get(&at) {
                None => self.edits.push(edit),
                Some(reason) => self.left.push(Left {
                    finding: edit.finding,
                    control_set: edit.control_set,
                    reason: reason.clone(),
                }),
            }
        }
    }

    /// Adds what the rollback cannot undo. `made` are the keys that the patch creates, from their hives' roots.
    pub fn limit_rollback(&mut self, made: &[(Role, String)]) {
        self.rollback_limits.clear();
        if self.edits.is_empty() {
            return;
        }
        let times = "the changed keys keep the last-write time of the change";
        let made = made
            .iter()
            .map(|(hive, key)| format!("the key {hive}\\{key}, which the patch creates, stays and is empty"));
        let altered = self.edits.iter().filter_map(|edit| {
            let why = edit.regedit_alters.as_ref()?;
            Some(format!("{} is not restored byte for byte by regedit: {why}", edit.finding))
        });
        self.rollback_limits = [times.to_owned()].into_iter().chain(made).chain(altered).collect();
    }
}

/// Returns the edit that corrects a finding, or why there is none.
fn edit(finding: &Finding, selection: &Selection) -> Result<Edit, String> {
    let (only, skip) = (named::how(finding, &selection.only), named::how(finding, &selection.skip));
    if skip != Named::Not {
        return Err("left out with --skip".to_owned());
    }
    if !selection.only.is_empty() && only == Named::Not {
        return Err("not among those named with --only".to_owned());
    }
    let remediation = finding.remediation.as_ref().ok_or(match (finding.verdict, finding.key_last_written) {
        (Verdict::Unexpected, _) => "keys are never deleted",
        (Verdict::Absent, None) => "the whole key is missing, and the baseline does not hold all of it",
        _ => "no edit is known that would correct it",
    })?;
    if finding.severity == Severity::Info && only != Named::Itself {
        return Err("the owner's choice; name it with --only to have it changed".to_owned());
    }
    if finding.grade < selection.min_grade {
        let (grade, least) = (word(&finding.grade), word(&selection.min_grade));
        return Err(format!("grade {grade} is below --min-grade {least}"));
    }
    let (Some(hive), Some(key), Some(value)) = (finding.hive, &finding.key, &finding.value) else {
        return Err("it is not a value in a hive".to_owned());
    };
    // A name that could not be decoded is shown with U+FFFD. Writing that would create another name.
    let value = finding.stored_name.as_ref().unwrap_or(value);
    if key.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
        return Err("its key or name holds a character that a .reg file cannot hold".to_owned());
    }
    let after = match remediation {
        Remediation::Set { value, .. } => Some(ObservedDatum::from(value)),
        Remediation::DeleteValue => None,
    };
    let alters = finding
        .observed
        .as_ref()
        .and_then(|before| regedit_restores(before.datum.data_type.0, &before.raw).err())
        .map(|alteration| alteration.to_string());
    Ok(Edit {
        finding: finding.id.clone(),
        grade: finding.grade,
        hive,
        control_set: finding.control_set,
        key: key.clone(),
        key_exists: finding.key_last_written.is_some(),
        key_last_written: finding.key_last_written,
        value: value.clone(),
        before: finding.observed.clone(),
        after,
        also_in: finding.also_in.clone(),
        regedit_restores: alters.is_none(),
        regedit_alters: alters,
        access: Access::default(),
    })
}
