//! svchost groups that an accepted ImagePath names although no row of the baseline covers them.

use super::judge::Judge;
use super::membership::{groups, of_group, rows};
use super::scene::Scene;
use super::wording;
use crate::baseline::{ExpectedKey, ExpectedValue};
use crate::facts::KeyState;
use crate::finding::{Expected, Finding, Verdict};
use crate::registry::same_text;

/// Judges the groups that an accepted ImagePath names and no row of the baseline covers.
pub(super) fn judge(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut judged: Vec<String> = Vec::new();
    for (key, row, services) in rows(scene) {
        for group in services.iter().flat_map(|service| groups(scene, service)) {
            let has_row = rows(scene).any(|(_, row, _)| same_text(&row.name, group));
            if has_row || judged.iter().any(|known| same_text(known, group)) {
                continue;
            }
            findings.extend(judge_group(scene, key, row, group));
            judged.push(group.clone());
        }
    }
}

fn judge_group(scene: &Scene<'_>, key: &ExpectedKey, row: &ExpectedValue, group: &str) -> Option<Finding> {
    let index = scene.baseline.keys.iter().position(|known| known.id == key.id)?;
    let (_, facts) = scene.facts.keys.iter().find(|(of, _)| *of == index)?;
    let services = of_group(scene, group, &[]);
    let expected = Expected::Contains(services.clone());
    let mut finding = Judge { key, facts, scene: *scene }.place(Some(group), Verdict::Conforms, expected, &row.basis);
    match (&scene.facts.groups.state, scene.facts.groups.list(group)) {
        (KeyState::Unreadable(problem), _) => {
            return Some(wording::unreadable(Finding { verdict: Verdict::Unreadable, ..finding }, problem));
        }
        (KeyState::HiveMissing, _) => return None,
        (_, None) => finding.verdict = Verdict::Absent,
        (_, Some(list)) => {
            finding.observed = Some((&list.value).into());
            finding.stored_name = Some(list.name.clone());
            if wording::missing_entries(&services, &list.value).is_none_or(|missing| !missing.is_empty()) {
                finding.verdict = Verdict::Deviates;
                finding.why = format!("{} {}", finding.why, wording::not_in(&services, &list.value).join(" "));
            }
        }
    }
    Some(finding)
}
