//! Strangers: services that share a svchost group with listed services and that no baseline lists.

use super::blank;
use super::scene::Scene;
use super::wording::as_windows_reads;
use crate::baseline::group_rule;
use crate::facts::{LibraryFacts, Observed, ServiceFacts};
use crate::finding::{Expected, Finding, Verdict};
use crate::hive::NamedValue;
use crate::registry::{Name, Role};

/// Detects services whose library is outside Windows' own folders, and adds one finding for each service.
pub(super) fn find(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(rule) = group_rule() else { return };
    let judged: Vec<Name> = scene.baseline.services().map(|(_, name)| name.into()).collect();
    for services in &scene.facts.services {
        for (group, id) in services.beside.iter().filter(|(_, id)| !judged.contains(id)) {
            let Some(facts) = services.by_name.get(id) else { continue };
            let Some(library) = &facts.library else { continue };
            let outside = |observed: &Observed| {
                let Observed::Present(named) = observed else { return None };
                let text = as_windows_reads(&named.value).filter(|text| !text.is_empty())?;
                let held = scene.context.root.holds_code_in(rule.under, &text);
                (!held).then(|| (named.clone(), text))
            };
            let (below, own) = (outside(&library.dll), outside(&library.own_dll));
            let Some((named, text)) = below.clone().or_else(|| own.clone()) else { continue };
            let mut why = format!("{} {} is in the group {group}; its library is {text}.", rule.basis.why, facts.name);
            if let (Some(_), Some((_, other))) = (&below, own) {
                why = format!("{why} The service's key names {other}, too.");
            }
            let id = format!("group-members/{}/ServiceDll", facts.name);
            let finding = Finding {
                why,
                control_set: services.control_set,
                ..blank(id, Verdict::Unexpected, Expected::Rule, &rule.basis)
            };
            findings.push(placed(finding, facts, library, &named, below.is_some()));
        }
    }
}

fn placed(finding: Finding, facts: &ServiceFacts, library: &LibraryFacts, named: &NamedValue, below: bool) -> Finding {
    let (key, state) =
        if below { (&library.parameters, &library.parameters_state) } else { (&facts.path, &facts.state) };
    Finding {
        hive: Some(Role::System),
        key: Some(key.clone()),
        value: Some("ServiceDll".to_owned()),
        stored_name: Some(named.name.clone()),
        observed: Some((&named.value).into()),
        key_last_written: state.last_written(),
        ..finding
    }
}
