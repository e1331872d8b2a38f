//! What Windows shows and which services fail: sentences for the finding that causes it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::scene::Scene;
use crate::baseline::{Failure, error_of};
use crate::facts::Services;
use crate::finding::{Finding, Verdict};
use crate::registry::{DataType, Decoded, Name, Role, same_text};

/// Returns a sentence on what Windows shows.
pub(super) fn shown(failure: Failure) -> String {
    error_of(failure).map_or_else(String::new, |error| format!(" Windows shows {} ({}).", error.code, error.means))
}

/// Adds to each finding that stops a service from starting what Windows shows and which services depend on the service.
pub(super) fn explain(scene: &Scene<'_>, findings: &mut [Finding]) {
    let dependents: Vec<Dependents<'_>> = scene.facts.services.iter().map(|set| Dependents::of(scene, set)).collect();
    for finding in findings.iter_mut().filter(|finding| finding.is_cause()) {
        let Some((failure, service)) = failure(scene, finding) else { continue };
        // A service that no baseline lists is not started by itself; the services that depend on it fail.
        let is_listed = |service: &String| scene.baseline.services().any(|(_, name)| same_text(name, service));
        if service.as_ref().is_none_or(is_listed) {
            finding.why.push_str(&shown(failure));
        }
        let Some(service) = service else { continue };
        let set = dependents.iter().find(|set| set.control_set == finding.control_set);
        let names = set.and_then(|set| set.of.get(&Name::from(service.as_str()))).cloned().unwrap_or_default();
        let consequence = match failure {
            Failure::ServiceMissing => Failure::DependencyMissing,
            _ => Failure::DependencyFailed,
        };
        if let (Some(list), Some(error)) = (and(&names), error_of(consequence)) {
            let depend = if names.len() == 1 { "depends" } else { "depend" };
            let sentence = format!(" {list} {depend} on this service: {} ({}).", error.code, error.means);
            finding.why.push_str(&sentence);
        }
    }
}

/// Returns why a service cannot start because of this finding, and the service's name.
fn failure(scene: &Scene<'_>, finding: &Finding) -> Option<(Failure, Option<String>)> {
    let key = finding.key.as_deref()?;
    if finding.hive == Some(Role::Software) {
        let is_list = same_text(key, &scene.facts.groups.path) && finding.verdict != Verdict::Unexpected;
        return is_list.then_some((Failure::NotInGroup, None));
    }
    let (_, service) = key.split_once(r"\Services\")?;
    match (service.split_once('\\'), &finding.value, finding.verdict) {
        (None, None, Verdict::Absent) => Some((Failure::ServiceMissing, Some(service.to_owned()))),
        (Some((_, below)), None, Verdict::Absent) if same_text(below, "Parameters") => {
            Some((Failure::ParametersMissing, None))
        }
        (None, Some(value), Verdict::Deviates) if same_text(value, "Start") => {
            let datum = &finding.observed.as_ref()?.datum;
            let disabled = (datum.data_type, &datum.data) == (DataType::DWORD, &Some(Decoded::Number(4)));
            disabled.then(|| (Failure::Disabled, Some(service.to_owned())))
        }
        _ => None,
    }
}

/// For each service, the judged services that depend on it directly or indirectly.
struct Dependents<'a> {
    control_set: Option<u32>,
    of: BTreeMap<Name, Vec<&'a str>>,
}

impl<'a> Dependents<'a> {
    fn of(scene: &Scene<'a>, services: &Services) -> Self {
        let mut of: BTreeMap<Name, Vec<&'a str>> = BTreeMap::new();
        for (_, root) in scene.baseline.services() {
            let (mut waiting, mut met) = (VecDeque::from([Name::from(root)]), BTreeSet::new());
            while let Some(name) = waiting.pop_front() {
                let Some(facts) = services.by_name.get(&name) else { continue };
                for needed in &facts.needs {
                    if *needed != Name::from(root) && met.insert(needed.clone()) {
                        of.entry(needed.clone()).or_default().push(root);
                        waiting.push_back(needed.clone());
                    }
                }
            }
        }
        Self { control_set: services.control_set, of }
    }
}

/// Joins names: `A`, `A and B`, `A, B and C`.
fn and(names: &[&str]) -> Option<String> {
    let (last, others) = names.split_last()?;
    Some(if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) })
}
