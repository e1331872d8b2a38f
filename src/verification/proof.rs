//! Proves a patch before it is handed out: its text and that of its rollback are read again and applied in memory.

use std::collections::BTreeMap;
use std::fmt;

use super::{Carried, Harmed, Importing, Mounts, Outcome, Patch, Verified, compare};
use crate::discovery::Installation;
use crate::error::Error;
use crate::examination::{OpenInstallation, Options, Overlays};
use crate::registry::same_text;
use crate::remediation::{Edit, PatchFile, PatchOptions, Plan, Proof};

/// Why a patch must not be handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// Edits without the planned result, by their index in the plan. The others may be handed out without them.
    Edits(BTreeMap<usize, String>),
    /// The patch as a whole fails.
    Whole(String),
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edits(edits) => {
                let reasons = edits.iter().map(|(at, reason)| format!("edit {}: {reason}", at.saturating_add(1)));
                f.write_str(&reasons.collect::<Vec<_>>().join("; "))
            }
            Self::Whole(reason) => f.write_str(reason),
        }
    }
}

impl From<Error> for Unproven {
    fn from(error: Error) -> Self {
        Self::Whole(error.to_string())
    }
}

/// Proves the files of a plan. The patch leaves exactly the planned data. Every finding that it corrects conforms after
/// it, and no finding that conformed deviates. The rollback leaves every value as it was.
///
/// # Errors
/// Returns an error if any of this fails. Such a patch must not be handed out. Also returns an error if a built-in
/// baseline cannot be read.
pub fn prove(
    installation: &Installation,
    options: &Options,
    plan: &Plan,
    files: &[PatchFile],
    written: &PatchOptions,
) -> Result<Proof, Unproven> {
    prove_open(&OpenInstallation::open(installation, options), plan, files, written)
}

/// Proves as [`prove`] does, with open hives.
pub(super) fn prove_open(
    open: &OpenInstallation<'_>,
    plan: &Plan,
    files: &[PatchFile],
    written: &PatchOptions,
) -> Result<Proof, Unproven> {
    let mounts = Mounts { software_root: written.software_root.clone(), system_root: written.system_root.clone() };
    let mut overlays = Overlays::default();
    let (forward, back): (Vec<_>, Vec<_>) = files.iter().partition(|file| !file.is_rollback);
    let before = open.judge(None)?;
    let patched = carry_out_all(open, plan, &forward, written, &mounts, &mut overlays)?;
    let after = open.judge(Some(&overlays))?;
    let rolled_back = carry_out_all(open, plan, &back, written, &mounts, &mut overlays)?;

    let mut verified = Verified::of(open.installation, &before);
    verified.operations = patched;
    compare::compare(&mut verified, before.findings(), after.findings());
    let mut edits = BTreeMap::new();
    for (at, edit) in plan.edits.iter().enumerate() {
        let left = last(edit, &verified.operations).map(|carried| carried.after.as_ref());
        let mended = |change: &super::Change| change.finding == edit.finding && change.control_set == edit.control_set;
        if left != Some(edit.after.as_ref()) {
            edits.insert(at, "the value would not become what the plan says".to_owned());
        } else if !verified.mended.iter().any(mended) {
            edits.insert(at, "the finding would remain".to_owned());
        }
    }
    if !edits.is_empty() {
        return Err(Unproven::Edits(edits));
    }
    if let Some(broken) = verified.broken.first() {
        return Err(Unproven::Whole(format!("{} conforms now, but would not conform after the patch", broken.finding)));
    }
    let planned = |carried: &Carried| {
        carried.value.is_none() && carried.op == "create-key" || plan.edits.iter().any(|edit| is_of(carried, edit))
    };
    if let Some(other) = verified.operations.iter().chain(&rolled_back).find(|carried| !planned(carried)) {
        return Err(Unproven::Whole(format!("line {} of {} is not an edit of the plan", other.line, other.patch)));
    }
    let mut restored = 0_usize;
    let mut altered = Vec::new();
    for (at, edit) in plan.edits.iter().enumerate() {
        let left = last(edit, &rolled_back).map(|carried| carried.after.as_ref());
        if left == Some(edit.before.as_ref()) {
            restored = restored.saturating_add(1);
        } else if left.is_some() && !edit.regedit_restores {
            altered.push(edit.finding.clone());
        } else {
            edits.insert(at, "the rollback would not restore the value".to_owned());
        }
    }
    if !edits.is_empty() {
        return Err(Unproven::Edits(edits));
    }
    Ok(Proof { edits: plan.edits.len(), mended: verified.mended.len(), left: verified.left.len(), restored, altered })
}

fn carry_out_all(
    open: &OpenInstallation<'_>,
    plan: &Plan,
    files: &[&PatchFile],
    written: &PatchOptions,
    mounts: &Mounts,
    overlays: &mut Overlays,
) -> Result<Vec<Carried>, Unproven> {
    let mut carried = Vec::new();
    for file in files {
        // No options are set: the header of a hivemend file states how to read it.
        let patch = Patch::read(file.name.as_str(), &file.bytes, &Importing::default())?;
        for header in [&patch.header, &patch.header_as_read()] {
            let said = (header.made_for.as_deref(), header.importer, header.target, header.code_page);
            let dialect = written.dialect;
            let meant = (Some(plan.os.as_str()), Some(dialect.importer()), Some(written.target), dialect.code_page());
            if said != meant {
                return Err(Unproven::Whole(format!("the header of {} does not say what it is for", patch.path)));
            }
        }
        patch.reading.clone().into_document().map_err(|rejection| {
            Unproven::Whole(format!("{}: the written file cannot be read again: {rejection}", patch.path))
        })?;
        let out = patch.carry_out(open, mounts, overlays);
        if let Some(stopped) = out.stopped {
            let reason = format!("the importer stops at line {} of {}: {}", stopped.line, patch.path, stopped.reason);
            return Err(Unproven::Whole(reason));
        }
        if let Some(first) = out.harm.first() {
            let edits = harmed(plan, &out.harm);
            let whole = || Unproven::Whole(format!("line {} of {}: {}", first.line, patch.path, first.what));
            return Err(if edits.is_empty() { whole() } else { Unproven::Edits(edits) });
        }
        carried.extend(out.operations);
    }
    Ok(carried)
}

/// Returns the edits that make an importer cause harm: in their keys, or in the keys above them, which a file for
/// hivexregedit also names.
fn harmed(plan: &Plan, harm: &[Harmed]) -> BTreeMap<usize, String> {
    let mut edits = BTreeMap::new();
    for (at, edit) in plan.edits.iter().enumerate() {
        let above = |harm: &&Harmed| {
            let (mut names, mut wanted) = (edit.key.split('\\'), harm.key.split('\\'));
            harm.hive == edit.hive && wanted.all(|wanted| names.next().is_some_and(|name| same_text(name, wanted)))
        };
        if let Some(harm) = harm.iter().find(above) {
            edits.insert(at, harm.what.clone());
        }
    }
    edits
}

/// Returns the operation that an edit was written as.
fn last<'c>(edit: &Edit, carried: &'c [Carried]) -> Option<&'c Carried> {
    carried.iter().rev().find(|carried| is_of(carried, edit) && carried.outcome != Outcome::Unreadable)
}

fn is_of(carried: &Carried, edit: &Edit) -> bool {
    carried.hive == Some(edit.hive)
        && same_text(&carried.key, &edit.key)
        && carried.value.as_ref().is_some_and(|name| same_text(name, &edit.value))
}
