//! Remediation: findings in, registry edits and their inverse out. Nothing is read here and nothing is written.
//!
//! Values are set or deleted; keys are never deleted.

use serde::Serialize;

use crate::control_set::Choice;
use crate::finding::{Finding, Grade, ObservedDatum, Reason, Remediation, Severity, Verdict};
use crate::hive::State;
use crate::os::OsId;
use crate::reg_file::{Dialect, regedit_restores};
use crate::registry::{FileTime, RegistryValue, Role};
use crate::report::InstallationReport;

mod access;
mod patch;
mod refusal;

pub use access::{Access, Importers, warnings as access_warnings};
pub use patch::{PatchFile, PatchOptions, Target, patch_files};

/// Which findings to mend.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The least sure expectation that a patch may rest on.
    pub min_grade: Grade,
    /// Only findings of these ids, `info` ones too; empty for all.
    pub only: Vec<String>,
    /// No findings of these ids.
    pub skip: Vec<String>,
    /// Patch although the user, not the hives, said which Windows this is.
    pub force: bool,
    /// Patch although a hive is dirty.
    pub accept_dirty: bool,
    /// For whom the patch is written.
    pub dialect: Dialect,
    /// Where it is to be imported.
    pub target: Target,
    /// Which control sets were audited.
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

/// What is to be written, why, and how it is taken back.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Version of this form.
    pub schema_version: &'static str,
    /// The installation's id in the report.
    pub installation: String,
    /// Its evidence.
    pub evidence: String,
    /// The Windows that the patch is for. It must not be imported into another.
    pub os: OsId,
    /// The hives that the plan was made from: it holds for these bytes.
    pub hives: Vec<PlannedHive>,
    /// The edits, in order.
    pub edits: Vec<Edit>,
    /// Findings that are not mended, and why.
    pub left: Vec<Left>,
    /// What to mind before the patch is imported.
    pub warnings: Vec<String>,
    /// What remains for the administrator.
    pub steps: Vec<String>,
    /// What the rollback cannot take back.
    pub rollback_limits: Vec<String>,
    /// What carrying out patch and rollback in memory came to, once that was done.
    pub proof: Option<Proof>,
}

/// What came of carrying out a patch and its rollback in memory, from the text as it was written. A patch for which
/// this does not hold is never written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Edits; after the patch each of their values is what the plan says, and nothing else is changed.
    pub edits: usize,
    /// Findings that conform after the patch and did not before. None that did deviates.
    pub mended: usize,
    /// Findings that still deviate: those that `left` names.
    pub left: usize,
    /// Values that are after the rollback what they were, byte for byte.
    pub restored: usize,
    /// Findings whose value the rollback restores only as far as regedit can.
    pub altered: Vec<String>,
}

/// A hive that a plan was made from.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedHive {
    /// SOFTWARE or SYSTEM.
    pub role: Role,
    /// Where it is.
    pub path: String,
    /// SHA-256 of the file that the findings were read from.
    pub sha256: Option<String>,
}

/// One change of one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The finding that asks for it.
    pub finding: String,
    /// How sure the expectation is.
    pub grade: Grade,
    /// The hive.
    pub hive: Role,
    /// The control set, in SYSTEM.
    pub control_set: Option<u32>,
    /// The key, from the hive's root.
    pub key: String,
    /// Whether the key is there already; a key that the patch makes stays after the rollback.
    pub key_exists: bool,
    /// When the key was last written, as the edit found it.
    pub key_last_written: Option<FileTime>,
    /// The value's name.
    pub value: String,
    /// What is there; `null` for nothing.
    pub before: Option<ObservedDatum>,
    /// What will be there; `null` for nothing.
    pub after: Option<ObservedDatum>,
    /// Whether regedit can bring back what was there byte for byte.
    pub regedit_restores: bool,
    /// What it would bring back instead.
    pub regedit_alters: Option<String>,
    /// Who may write the key. A plan is made without the hives: [`crate::access::read_access`] reads it from them.
    #[serde(flatten)]
    pub access: Access,
}

/// A finding that is not mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its id.
    pub finding: String,
    /// Its control set.
    pub control_set: Option<u32>,
    /// Why it is left.
    pub reason: String,
}

/// Plans the mending of one installation.
///
/// # Errors
/// The reason why this installation may not be patched at all, and what to do.
pub fn remedy(report: &InstallationReport, selection: &Selection) -> Result<Plan, (String, String)> {
    refusal::refuse(report, selection)?;
    let audited = report.hives.iter().filter(|hive| matches!(hive.role, Role::Software | Role::System));
    let recovered = audited.clone().find(|hive| hive.integrity.state == State::Recovered);
    let findings = report.judgement.as_ref().map(|judgement| judgement.findings.as_slice()).unwrap_or_default();
    let mut edits = Vec::new();
    let mut left = Vec::new();
    for finding in findings.iter().filter(|finding| finding.is_deviation()) {
        match edit(finding, selection) {
            Ok(edit) => edits.push(edit),
            Err(reason) => {
                left.push(Left { finding: finding.id.clone(), control_set: finding.control_set, reason });
            }
        }
    }
    // A key whose values are written anew is not left.
    let written = |cause: &str, control_set| {
        findings.iter().any(|finding| {
            finding.cause.as_deref() == Some(cause)
                && finding.control_set == control_set
                && edits.iter().any(|edit| edit.finding == finding.id && edit.control_set == control_set)
        })
    };
    left.retain(|left| !written(&left.finding, left.control_set));
    refusal::refuse_damaged_keys(report, &edits, findings)?;
    let mut rollback_limits = Vec::new();
    if !edits.is_empty() {
        rollback_limits.push("the last-write times of the keys that are changed stay those of the change".to_owned());
    }
    let mut made: Vec<&str> = edits.iter().filter(|edit| !edit.key_exists).map(|edit| edit.key.as_str()).collect();
    made.dedup();
    rollback_limits.extend(made.iter().map(|key| format!("the key {key}, which the patch makes, stays, empty")));
    rollback_limits.extend(edits.iter().filter_map(|edit| {
        let why = edit.regedit_alters.as_ref()?;
        Some(format!("{} is not restored byte for byte by regedit: {why}", edit.finding))
    }));
    Ok(Plan {
        schema_version: "1",
        installation: report.id.clone(),
        evidence: report.evidence.clone(),
        os: report.os.id,
        hives: audited
            .map(|hive| PlannedHive { role: hive.role, path: hive.path.clone(), sha256: hive.sha256.clone() })
            .collect(),
        edits,
        left,
        warnings: if selection.target == Target::Offline { report.warnings.clone() } else { Vec::new() },
        steps: recovered
            .map(|hive| {
                format!(
                    "The {} hive is dirty: import this with Windows, which replays its transaction logs first.",
                    hive.role
                )
            })
            .into_iter()
            .chain(
                findings
                    .iter()
                    .filter(|finding| finding.reason == Some(Reason::RunTime))
                    .filter_map(|finding| finding.advice.clone()),
            )
            .collect(),
        rollback_limits,
        proof: None,
    })
}

/// The edit that mends a finding, or why there is none.
fn edit(finding: &Finding, selection: &Selection) -> Result<Edit, String> {
    let named = |list: &[String]| list.iter().any(|id| id.eq_ignore_ascii_case(&finding.id));
    let only = named(&selection.only);
    if named(&selection.skip) {
        return Err("left out with --skip".to_owned());
    }
    if !selection.only.is_empty() && !only {
        return Err("not among those named with --only".to_owned());
    }
    let remediation = finding.remediation.as_ref().ok_or(match (finding.verdict, finding.key_last_written) {
        (Verdict::Unexpected, _) => "keys are never deleted",
        (Verdict::Absent, None) => "the whole key is missing, and the baseline does not hold all of it",
        _ => "no edit is known that would put it right",
    })?;
    if finding.severity == Severity::Info && !only {
        return Err("the owner's choice; name it with --only to have it changed".to_owned());
    }
    if finding.grade < selection.min_grade {
        let grade = serde_json::to_string(&finding.grade).unwrap_or_default();
        return Err(format!("the expectation's grade, {grade}, is below --min-grade"));
    }
    let (Some(hive), Some(key), Some(value)) = (finding.hive, &finding.key, &finding.value) else {
        return Err("it is no value of a hive".to_owned());
    };
    // A name that could not be decoded is shown with U+FFFD; writing that would make another name.
    let value = finding.stored_name.as_ref().unwrap_or(value);
    if key.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
        return Err("its key or name holds a character that a .reg file cannot carry".to_owned());
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
        regedit_restores: alters.is_none(),
        regedit_alters: alters,
        access: Access::default(),
    })
}

impl ObservedDatum {
    /// Type and data.
    pub(crate) fn value(&self) -> RegistryValue {
        RegistryValue { data_type: self.datum.data_type, bytes: self.raw.clone() }
    }
}
