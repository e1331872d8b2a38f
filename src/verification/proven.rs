//! Turns a plan into proven files. An edit that cannot be written, or that does not have the planned result, is left
//! out with its reason. The others are handed out.

use std::collections::{BTreeMap, BTreeSet};

use super::edit_state::Places;
use super::proof::{Unproven, prove_open};
use crate::discovery::Installation;
use crate::examination::{OpenInstallation, Options};
use crate::finding::ObservedDatum;
use crate::hive::merge::foresee;
use crate::reg_file::Dialect;
use crate::registry::{Name, Role};
use crate::remediation::{Edit, PatchFile, PatchOptions, Plan, patch_files, unwritable};

/// Writes a plan as `.reg` files and proves them.
///
/// # Errors
/// Returns why no part of the plan may be handed out, and what to do.
pub fn write_and_prove(
    installation: &Installation,
    options: &Options,
    mut plan: Plan,
    written: &PatchOptions,
) -> Result<(Plan, Vec<PatchFile>), (String, String)> {
    let refuse = |plan: &Plan, reason: &str| {
        let reason = format!("{}: the patch failed its test in memory: {reason}", plan.evidence);
        (reason, "Please report it; --skip leaves a finding out".to_owned())
    };
    let open = OpenInstallation::open(installation, options);
    plan.leave(&unwritable(&plan, written));
    plan.leave(&out_of_reach(&open, &plan));
    if written.dialect == Dialect::Hivex {
        plan.leave(&harmful(&open, &plan));
    }
    loop {
        let made = keys_made(&open, &plan);
        plan.limit_rollback(&made);
        let files = patch_files(&plan, written).map_err(|refusal| refuse(&plan, &refusal.to_string()))?;
        match prove_open(&open, &plan, &files, written) {
            Ok(proof) => {
                plan.proof = Some(proof);
                return Ok((plan, files));
            }
            Err(Unproven::Edits(edits)) if !edits.is_empty() => {
                let reason = |why: &String| format!("a patch for it failed its test in memory: {why}");
                plan.leave(&edits.iter().map(|(at, why)| (*at, reason(why))).collect());
            }
            Err(unproven) => return Err(refuse(&plan, &unproven.to_string())),
        }
    }
}

/// Returns the edits that a `.reg` file cannot reach. First, edits of a value whose key has another value with its
/// name, without case, because importers differ in the one that they change. Second, edits of a key with a backslash in
/// a name on its path.
fn out_of_reach(open: &OpenInstallation<'_>, plan: &Plan) -> BTreeMap<usize, String> {
    let mut reasons = BTreeMap::new();
    for role in [Role::Software, Role::System] {
        let tree = open.tree(role);
        let mut places = tree.as_ref().map(Places::new);
        let edits = plan.edits.iter().enumerate().filter(|(_, edit)| edit.hive == role && edit.key_exists);
        for (at, edit) in edits {
            let count = places.as_mut().and_then(|places| places.values_of_name(&edit.key, &edit.value));
            let reason = match count {
                None => "its key cannot be reached by its path: a name on the way holds a backslash",
                Some(0 | 1) => continue,
                Some(_) => {
                    "its key holds a second value of this name, letter case aside, and a .reg file reaches one of them"
                }
            };
            reasons.insert(at, reason.to_owned());
        }
    }
    reasons
}

/// Returns the edits that hivexregedit does not apply, or applies only with harm to another value.
fn harmful(open: &OpenInstallation<'_>, plan: &Plan) -> BTreeMap<usize, String> {
    let mut reasons = BTreeMap::new();
    for (at, edit) in plan.edits.iter().enumerate() {
        let Some((hive, _)) = open.hive(edit.hive) else { continue };
        // The rollback is an edit too.
        let states = [&edit.after, &edit.before].map(|state| state.as_ref().map(ObservedDatum::value));
        let harm = states.iter().find_map(|state| foresee(hive, &edit.key, &edit.value, state.as_ref()));
        if let Some(harm) = harm {
            reasons.insert(at, format!("hivexregedit would do harm: {harm}"));
        }
    }
    reasons
}

/// Returns the keys that a patch creates, including missing keys above them, parents first.
fn keys_made(open: &OpenInstallation<'_>, plan: &Plan) -> Vec<(Role, String)> {
    let mut made = Vec::new();
    for role in [Role::Software, Role::System] {
        let Some(tree) = open.tree(role) else { continue };
        let mut seen = BTreeSet::new();
        let mut missing: Vec<&Edit> = plan.edits.iter().filter(|edit| edit.hive == role && !edit.key_exists).collect();
        missing.sort_by_key(|edit| edit.key.as_str());
        for path in missing.into_iter().flat_map(Edit::way) {
            if seen.insert(Name::from(path)) && matches!(tree.key(path), Ok(None)) {
                made.push((role, path.to_owned()));
            }
        }
    }
    made
}
