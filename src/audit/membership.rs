//! Checks whether the list of a svchost group names the services whose ImagePath names the group.
//!
//! If ImagePath puts a service into another accepted group, the service belongs to that group's list only.

use super::scene::{Groups, Scene};
use crate::baseline::{ExpectedKey, ExpectedValue, Rule, group_of};
use crate::facts::Observed;
use crate::registry::{Name, same_text};

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

fn read_groups(scene: &Scene<'_>) -> Groups {
    let mut groups = Groups::new();
    for (index, facts) in &scene.facts.keys {
        let Some(key) = scene.baseline.keys.get(*index) else { continue };
        let Some(service) = key.service() else { continue };
        for (expected, observed) in key.values.iter().zip(&facts.values) {
            let Observed::Present(path) = observed else { continue };
            if same_text(&expected.name, "ImagePath") && scene.accepted(expected, &path.value).is_some() {
                let group = path.value.as_text().as_deref().and_then(group_of);
                groups.entry(Name::from(service)).or_default().extend(group);
            }
        }
    }
    groups
}

/// Returns the accepted groups that a service's ImagePath names in the judged control sets.
pub(super) fn groups<'a>(scene: &Scene<'a>, service: &str) -> &'a [String] {
    let groups = scene.groups.get_or_init(|| read_groups(scene));
    groups.get(&Name::from(service)).map(Vec::as_slice).unwrap_or_default()
}
