//! Checks whether the list of a svchost group names the services whose ImagePath names the group.
//!
//! If ImagePath puts a service into another accepted group, the service belongs to that group's list only.

use super::scene::Scene;
use crate::baseline::{ExpectedKey, ExpectedValue, Rule, group_of};
use crate::facts::Observed;
use crate::registry::same_text;

/// Returns the services that the list of `group` should contain. `usual` are its usual members.
pub(super) fn of_group(scene: &Scene<'_>, group: &str, usual: &[String]) -> Vec<String> {
    let mut wanted: Vec<String> = Vec::new();
    let usual = usual.iter().map(|service| (service, group));
    let all = rows(scene).flat_map(|(_, row, services)| services.iter().map(move |service| (service, &*row.name)));
    for (service, usual_group) in usual.chain(all) {
        let moved = groups(scene, service);
        let here = if moved.is_empty() {
            same_text(usual_group, group)
        } else {
            moved.iter().any(|moved| same_text(moved, group))
        };
        if here && !wanted.iter().any(|known| same_text(known, service)) {
            wanted.push(service.clone());
        }
    }
    wanted
}

/// Returns the rows that apply here and state the members of a group.
pub(super) fn rows<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (&'a ExpectedKey, &'a ExpectedValue, &'a [String])> {
    let os = scene.context.os;
    let keys = scene.baseline.keys.iter();
    let rows = keys.flat_map(|key| key.values.iter().map(move |row| (key, row)));
    rows.filter_map(move |(key, row)| match &row.rule {
        Rule::Members(services) if row.when.holds(os) != Some(false) => Some((key, row, services.as_slice())),
        _ => None,
    })
}

/// Returns the accepted groups that a service's ImagePath names in the judged control sets.
pub(super) fn groups(scene: &Scene<'_>, service: &str) -> Vec<String> {
    let mut groups = Vec::new();
    for (index, key) in scene.baseline.keys.iter().enumerate() {
        if !key.service().is_some_and(|name| same_text(name, service)) {
            continue;
        }
        for (_, facts) in scene.facts.keys.iter().filter(|(of, _)| *of == index) {
            for (expected, observed) in key.values.iter().zip(&facts.values) {
                let Observed::Present(path) = observed else { continue };
                if same_text(&expected.name, "ImagePath") && scene.accepted(expected, &path.value).is_some() {
                    groups.extend(path.value.as_text().as_deref().and_then(group_of));
                }
            }
        }
    }
    groups
}
