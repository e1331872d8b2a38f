//! The chain: every service and driver that the judged services need to start, even if no baseline lists it.
//!
//! A service starts after those in DependOnService, and after at least one of each group in DependOnGroup:
//! <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-createservicew>, lpDependencies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::blank;
use super::errors::shown;
use super::scene::Scene;
use super::wording;
use crate::baseline::{ChainRule, ExpectedKey, Failure, chain_rule};
use crate::facts::{KeyState, Observed, ServiceFacts, Services, names};
use crate::finding::{Expected, Finding, Severity, Verdict};
use crate::registry::{Name, Role, same_text};

/// For each service, the service that led to it, and the severity of a finding on that path.
type Links = BTreeMap<Name, (Option<Name>, Severity)>;

const START: &str = "Start";
/// A longer path is shortened in the middle.
const LONGEST_WAY: usize = 8;

/// Judges what the services of the baseline need to start, in each control set.
pub(super) fn judge(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(rule) = chain_rule() else { return };
    // Services that updates need come first, so that a link on two paths gets the greater severity. They are the same in
    // each control set.
    let roots = roots(scene, rule, findings);
    for services in &scene.facts.services {
        Chain { scene: *scene, rule, services }.judge(&roots, findings);
    }
}

/// Returns the baseline's services that apply here, with the severity for what they need. Services that updates cannot
/// do without come first.
fn roots(scene: &Scene<'_>, rule: &ChainRule, findings: &[Finding]) -> Vec<(String, Severity)> {
    let (mut first, mut others) = (Vec::new(), Vec::new());
    // The finding on each service's Start.
    let mut starts: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in findings {
        if finding.value.as_ref().is_some_and(|value| same_text(value, START))
            && let Some((of, _)) = finding.id.split_once('/')
        {
            starts.entry(of).or_insert(finding);
        }
    }
    for (key, name) in scene.baseline.services() {
        if key.when.holds(scene.context.os) == Some(false) {
            continue;
        }
        let essential = rule.from.iter().any(|from| same_text(from, name));
        if essential {
            first.push((name.to_owned(), rule.basis.severity));
        } else {
            let severity = starts.get(key.id.as_str()).map_or(Severity::Low, |start| start.severity);
            others.push((name.to_owned(), severity.min(rule.basis.severity)));
        }
    }
    first.extend(others);
    first
}

struct Chain<'a> {
    scene: Scene<'a>,
    rule: &'a ChainRule,
    services: &'a Services,
}

impl Chain<'_> {
    fn judge(&self, roots: &[(String, Severity)], findings: &mut Vec<Finding>) {
        // A row on Start already judges its service.
        let has_start = |key: &ExpectedKey| key.values.iter().any(|row| same_text(&row.name, START));
        let services = self.scene.baseline.services().filter(|(key, _)| has_start(key));
        let judged: BTreeSet<Name> = services.map(|(_, name)| name.into()).collect();
        if self.services.cut {
            let why = format!("{} There are too many dependencies: not all were followed.", self.rule.basis.why);
            let (hive, control_set) = (Some(Role::System), self.services.control_set);
            let basis = &self.rule.basis;
            findings.push(Finding {
                hive,
                control_set,
                why,
                ..blank("chain".to_owned(), Verdict::Unreadable, Expected::Rule, basis)
            });
        }
        let mut links = Links::new();
        for (root, severity) in roots {
            let root = Name::from(root.as_str());
            let mut waiting = VecDeque::new();
            if !links.contains_key(&root) {
                links.insert(root.clone(), (None, *severity));
                waiting.push_back(root);
            }
            while let Some(id) = waiting.pop_front() {
                let Some(facts) = self.services.by_name.get(&id) else { continue };
                if !judged.contains(&id) {
                    findings.extend(self.judge_link(facts, &links));
                }
                findings.extend(self.judge_groups(facts, &links));
                for needed in &facts.needs {
                    if !links.contains_key(needed) {
                        links.insert(needed.clone(), (Some(id.clone()), *severity));
                        waiting.push_back(needed.clone());
                    }
                }
            }
        }
    }

    /// Judges a service or driver on the path: it must exist and must not be disabled.
    fn judge_link(&self, facts: &ServiceFacts, links: &Links) -> Option<Finding> {
        let id = format!("chain/{}", facts.name);
        match &facts.state {
            KeyState::Absent => {
                let what = format!("{} has no key.", facts.name);
                Some(self.finding(id, Verdict::Absent, None, facts, links, &what))
            }
            KeyState::Unreadable(problem) => {
                let finding = self.finding(id, Verdict::Unreadable, None, facts, links, "");
                Some(wording::unreadable(finding, problem))
            }
            _ if facts.is_disabled() => {
                let what = format!("{} is disabled.", facts.name);
                let id = format!("{id}/{START}");
                let mut finding = self.finding(id, Verdict::Deviates, Some(START), facts, links, &what);
                if let Observed::Present(start) = &facts.start {
                    finding.observed = Some((&start.value).into());
                    finding.stored_name = Some(start.name.clone());
                }
                Some(finding)
            }
            _ => None,
        }
    }

    /// Judges the load-order groups that the service depends on: at least one member of each must be able to start.
    fn judge_groups(&self, facts: &ServiceFacts, links: &Links) -> Option<Finding> {
        let cannot = |group: &String| {
            let members = self.services.members.get(&group.as_str().into());
            members.is_none_or(|members| members.iter().all(ServiceFacts::is_disabled))
        };
        let group = names(&facts.depends_on_group).into_iter().find(cannot)?;
        let what = format!("No service of the group {group} can start.{}", shown(Failure::DependencyFailed));
        let value = "DependOnGroup";
        let id = format!("chain/{}/{value}", facts.name);
        let mut finding = self.finding(id, Verdict::Deviates, Some(value), facts, links, &what);
        if let Observed::Present(list) = &facts.depends_on_group {
            finding.observed = Some((&list.value).into());
            finding.stored_name = Some(list.name.clone());
        }
        Some(finding)
    }

    fn finding(
        &self,
        id: String,
        verdict: Verdict,
        value: Option<&str>,
        facts: &ServiceFacts,
        links: &Links,
        what: &str,
    ) -> Finding {
        let basis = &self.rule.basis;
        let (way, severity) = self.way(facts, links);
        let expected = if value.is_none() { Expected::Key } else { Expected::Rule };
        Finding {
            severity,
            hive: Some(Role::System),
            control_set: self.services.control_set,
            key: Some(facts.path.clone()),
            value: value.map(str::to_owned),
            key_last_written: facts.state.last_written(),
            key_last_written_note: facts.odd_time.map(|odd| odd.to_string()),
            why: format!("{} {what} The chain of dependencies: {}.", basis.why, way),
            ..blank(id, verdict, expected, basis)
        }
    }

    /// Returns the path to a service, such as `BITS -> RpcSs -> RpcEptMapper`, and the severity of a finding there.
    fn way(&self, facts: &ServiceFacts, links: &Links) -> (String, Severity) {
        let mut names = vec![facts.name.as_str()];
        let start = links.get(&Name::from(facts.name.as_str()));
        let mut link = start;
        while let Some((Some(from), _)) = link {
            names.extend(self.services.by_name.get(from).map(|facts| facts.name.as_str()));
            link = links.get(from);
        }
        names.reverse();
        let half = LONGEST_WAY / 2;
        let way = match (names.get(..half), names.len().checked_sub(half).and_then(|from| names.get(from..))) {
            (Some(first), Some(last)) if names.len() > LONGEST_WAY => {
                format!("{} -> ... -> {}", first.join(" -> "), last.join(" -> "))
            }
            _ => names.join(" -> "),
        };
        (way, start.map_or(Severity::Low, |(_, severity)| *severity))
    }
}
