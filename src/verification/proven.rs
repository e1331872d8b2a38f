//! From a plan to files that stood their proof. An edit that cannot be written, or that does not come to what the plan
//! says, is left with its reason; the others go out.

use std::collections::{BTreeMap, BTreeSet};

use super::proof::{Unproven, prove};
use crate::discovery::Installation;
use crate::examination::{OpenInstallation, Options};
use crate::finding::ObservedDatum;
use crate::hive::merge::foresee;
use crate::reg_file::Dialect;
use crate::registry::{Name, Role};
use crate::remediation::{PatchFile, PatchOptions, Plan, patch_files, unwritable};

/// Writes a plan as `.reg` files and proves them.
///
/// # Errors
/// The reason why nothing of the plan may be handed to anybody, and what to do.
pub fn write_and_prove(
    installation: &Installation,
    options: &Options,
    mut plan: Plan,
    written: &PatchOptions,
) -> Result<(Plan, Vec<PatchFile>), (String, String)> {
    let refuse = |plan: &Plan, reason: &str| {
        let reason = format!("{}: the patch does not stand its proof: {reason}", plan.evidence);
        (reason, "Please report it; --skip leaves a finding out".to_owned())
    };
    plan.leave(&unwritable(&plan, written));
    plan.leave(&out_of_reach(installation, options, &plan));
    if written.dialect == Dialect::Hivex {
        plan.leave(&harmful(installation, options, &plan));
    }
    loop {
        let made = keys_made(installation, options, &plan);
        plan.limit_rollback(&made);
        let files = patch_files(&plan, written).map_err(|refusal| refuse(&plan, &refusal.to_string()))?;
        match prove(installation, options, &plan, &files, written) {
            Ok(proof) => {
                plan.proof = Some(proof);
                return Ok((plan, files));
            }
            Err(Unproven::Edits(edits)) if !edits.is_empty() => {
                let reason = |why: &String| format!("a patch for it does not stand its proof: {why}");
                plan.leave(&edits.iter().map(|(at, why)| (*at, reason(why))).collect());
            }
            Err(unproven) => return Err(refuse(&plan, &unproven.to_string())),
        }
    }
}

/// Edits that a `.reg` file does not reach: of a value whose key holds another one of its name, letter case aside, for
/// importers differ in which one they take; and of a key on whose path a name holds a backslash.
fn out_of_reach(installation: &Installation, options: &Options, plan: &Plan) -> BTreeMap<usize, String> {
    let open = OpenInstallation::open(installation, options);
    // Of each key the names of its values, and how often each is there; `None` where its path leads nowhere.
    let mut names: BTreeMap<(Role, Name), Option<BTreeMap<Name, usize>>> = BTreeMap::new();
    let mut reasons = BTreeMap::new();
    for (at, edit) in plan.edits.iter().enumerate().filter(|(_, edit)| edit.key_exists) {
        let names = names.entry((edit.hive, Name::from(edit.key.as_str()))).or_insert_with(|| {
            let tree = open.tree(edit.hive)?;
            let key = tree.key(&edit.key).ok().flatten()?;
            let mut names = BTreeMap::new();
            for value in key.values().into_iter().flatten() {
                let count: &mut usize = names.entry(Name::from(value.name.as_str())).or_default();
                *count = count.saturating_add(1);
            }
            Some(names)
        });
        let reason = match names {
            None => "its key cannot be reached by its path: a name on the way holds a backslash",
            Some(names) if names.get(&Name::from(edit.value.as_str())).is_some_and(|count| *count > 1) => {
                "its key holds a second value of this name, letter case aside, and a .reg file reaches one of them"
            }
            Some(_) => continue,
        };
        reasons.insert(at, reason.to_owned());
    }
    reasons
}

/// Edits that hivexregedit does not carry out, or not without harm to a value beside.
fn harmful(installation: &Installation, options: &Options, plan: &Plan) -> BTreeMap<usize, String> {
    let open = OpenInstallation::open(installation, options);
    let mut reasons = BTreeMap::new();
    for (at, edit) in plan.edits.iter().enumerate() {
        let Some((hive, _)) = open.hive(edit.hive) else { continue };
        // The rollback is an edit, too.
        let states = [&edit.after, &edit.before].map(|state| state.as_ref().map(ObservedDatum::value));
        let harm = states.iter().find_map(|state| foresee(hive, &edit.key, &edit.value, state.as_ref()));
        if let Some(harm) = harm {
            reasons.insert(at, format!("hivexregedit must not do it: {harm}"));
        }
    }
    reasons
}

/// The keys that a patch makes, with those above them that are missing, too; each before what is below it.
fn keys_made(installation: &Installation, options: &Options, plan: &Plan) -> Vec<(Role, String)> {
    let missing = plan.edits.iter().filter(|edit| !edit.key_exists);
    let keys: BTreeSet<(Role, &str)> = missing.map(|edit| (edit.hive, edit.key.as_str())).collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let open = OpenInstallation::open(installation, options);
    let mut seen = BTreeSet::new();
    let mut made = Vec::new();
    for (role, key) in keys {
        let Some(tree) = open.tree(role) else { continue };
        let ends = key.match_indices('\\').map(|(at, _)| at).chain([key.len()]);
        for path in ends.filter_map(|end| key.get(..end)) {
            if matches!(tree.key(path), Ok(None)) && seen.insert((role, Name::from(path))) {
                made.push((role, path.to_owned()));
            }
        }
    }
    made
}
