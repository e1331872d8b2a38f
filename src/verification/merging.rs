//! Applies a file as hivexregedit does: to one hive, section by section, completely or not at all.

use std::collections::BTreeMap;

use super::carry::{CarriedOut, begun, datum};
use super::{Carried, Harmed, Mounts, Outcome, Patch, StoppedAt};
use crate::examination::{OpenInstallation, Overlays};
use crate::finding::ObservedDatum;
use crate::hive::merge::{Merged, below, merge};
use crate::reg_file::hivex_names::{cut_at_nul, decoded};
use crate::reg_file::{Section, Step};
use crate::registry::{Name, RegistryValue, Role};

/// Applies a file that was read as hivexregedit reads it.
///
/// It is merged into the hive whose root, as text, its first key begins with, because hivexregedit receives one hive
/// and one prefix.
pub(super) fn carry_out(
    open: &OpenInstallation<'_>,
    patch: &Patch,
    mounts: &Mounts,
    overlays: &mut Overlays,
) -> CarriedOut {
    let mut out = CarriedOut::default();
    let stopped = |line, reason: String| StoppedAt { patch: patch.path.clone(), line, reason };
    let place = patch.reading.steps().first().and_then(|step| hive_of(step.path(), mounts));
    let hive = place.and_then(|(role, prefix)| Some((role, prefix, open.hive(role)?.0, overlays.of_mut(role)?)));
    let Some((role, prefix, hive, overlay)) = hive else {
        out.stopped = patch.reading.stop().map(|stop| stopped(stop.line, stop.sentence().into_owned()));
        if out.stopped.is_none() {
            let hive = place.map(|(role, _)| role);
            let entries = patch.reading.effect.operations.iter();
            let elsewhere =
                entries.map(|entry| Carried { hive, after: datum(&entry.operation), ..begun(patch, entry) });
            out.operations = elsewhere.collect();
        }
        return out;
    };
    match merge(hive, overlay, &patch.reading, prefix) {
        Ok(merged) => {
            for (step, merged) in patch.reading.steps().iter().zip(merged) {
                let base = carried(patch, step.line(), role, &merged.key);
                for harm in &merged.harm {
                    let what = harm.to_string();
                    let (patch, key) = (patch.path.clone(), merged.key.clone());
                    out.harm.push(Harmed { patch, line: step.line(), hive: role, key, what });
                }
                out.operations.extend(operations(step, &merged, &base));
            }
        }
        Err(found) => {
            if found.unreadable {
                let key = String::from_utf8_lossy(patch.reading.steps().first().map_or(&[], Step::path)).into_owned();
                out.operations.push(Carried { outcome: Outcome::Unreadable, ..carried(patch, found.line, role, &key) });
            }
            out.stopped = Some(stopped(found.line, found.reason));
        }
    }
    out
}

/// Returns the hive whose root, as text, a path begins with. Of two, the one with the longer root.
fn hive_of<'m>(path: &[u8], mounts: &'m Mounts) -> Option<(Role, &'m str)> {
    let roots = [(Role::Software, &mounts.software_root), (Role::System, &mounts.system_root)];
    let roots = roots.map(|(role, root)| (role, root.trim_end_matches('\\')));
    let begins = roots.into_iter().filter(|(_, root)| below(path, root).len() < path.len());
    begins.max_by_key(|(_, root)| root.len())
}

/// Returns the result of one step, operation by operation.
fn operations(step: &Step, merged: &Merged, base: &Carried) -> Vec<Carried> {
    let of_key =
        |op| Carried { op, outcome: if merged.changed { Outcome::Unasked } else { Outcome::NoEffect }, ..base.clone() };
    let Step::Section(section) = step else { return vec![of_key("delete-key")] };
    let (before, after) = (by_name(&merged.before), by_name(&merged.after));
    let of_value = |line: usize, op: &'static str, name: &[u8]| {
        let units = decoded(name);
        let key = Name::of_units(units.iter().copied());
        let datum = |values: &BTreeMap<Name, ObservedDatum>| values.get(&key).cloned();
        let (before, after) = (datum(&before), datum(&after));
        let outcome = if before == after { Outcome::NoEffect } else { Outcome::Unasked };
        Carried { line, op, value: Some(String::from_utf16_lossy(&units)), before, after, outcome, ..base.clone() }
    };
    let Section { deletes, sets, .. } = section;
    let deleted = deletes.iter().map(|(line, name)| of_value(*line, "delete-value", name));
    let set = sets.iter().map(|set| of_value(set.line, "set", cut_at_nul(&set.name)));
    let mut all: Vec<Carried> = [of_key("create-key")].into_iter().chain(deleted).chain(set).collect();
    all.sort_by_key(|carried| carried.line);
    all
}

/// Returns the first value with each name, which Windows uses.
fn by_name(values: &[(Vec<u16>, RegistryValue)]) -> BTreeMap<Name, ObservedDatum> {
    let mut found = BTreeMap::new();
    for (name, value) in values {
        found.entry(Name::of_units(name.iter().copied())).or_insert_with(|| ObservedDatum::from(value));
    }
    found
}

fn carried(patch: &Patch, line: usize, role: Role, key: &str) -> Carried {
    Carried {
        patch: patch.path.clone(),
        line,
        op: "create-key",
        hive: Some(role),
        key: key.to_owned(),
        value: None,
        before: None,
        after: None,
        outcome: Outcome::Elsewhere,
        findings: Vec::new(),
    }
}
