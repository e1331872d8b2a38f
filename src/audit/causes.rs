//! Causes and their consequences: a missing key has one finding, and the findings of its values name that finding.

use super::judge::Judge;
use super::scene::Scene;
use crate::baseline::{ExpectedKey, Presence};
use crate::facts::{KeyFacts, KeyState};
use crate::finding::{Expected, Finding, Verdict};
use crate::registry::{Role, same_text};

/// A missing key, with the findings that follow from its absence.
struct Missing<'a> {
    key: &'a ExpectedKey,
    facts: &'a KeyFacts,
}

/// Adds a finding for each missing key with required values, unless a key above it is missing too.
pub(super) fn gather(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let missing: Vec<Missing<'_>> = scene
        .facts
        .keys
        .iter()
        .filter_map(|(index, facts)| Some(Missing { key: scene.baseline.keys.get(*index)?, facts }))
        .filter(|missing| missing.facts.state == KeyState::Absent && missing.key.presence == Presence::Required)
        // A key that is a row of its own already has a finding.
        .filter(|missing| !missing.key.itself)
        .filter(|missing| missing.key.each_subkey.is_none())
        .filter(|missing| findings.iter().any(|finding| missing.explains(finding)))
        .collect();
    for cause in &missing {
        if missing.iter().take_while(|other| !std::ptr::eq(*other, cause)).any(|other| other.is_at(cause))
            || missing.iter().any(|other| other.is_above(cause))
        {
            continue;
        }
        let judge = Judge { key: cause.key, facts: cause.facts, scene: *scene };
        let mut found = judge.place(None, Verdict::Absent, Expected::Key, &cause.key.basis);
        found.why.push_str(if cause.key.service().is_some() {
            " The service's key is missing."
        } else {
            " The key is missing."
        });
        let mut first = None;
        let mut severity = None;
        for (index, finding) in findings.iter_mut().enumerate() {
            let follows = |other: &&Missing<'_>| other.is_at(cause) || cause.is_above(other);
            if missing.iter().filter(follows).any(|other| other.explains(finding)) {
                finding.cause = Some(found.id.clone());
                severity = severity.max(Some(finding.severity));
                first.get_or_insert(index);
            }
        }
        found.severity = severity.unwrap_or(found.severity);
        findings.insert(first.unwrap_or(findings.len()), found);
    }
}

impl Missing<'_> {
    /// Returns whether the finding is about a value that is missing because this key is missing.
    fn explains(&self, finding: &Finding) -> bool {
        finding.verdict == Verdict::Absent
            && finding.value.is_some()
            && self.place() == (finding.hive, finding.control_set)
            && finding.key.as_ref().is_some_and(|key| same_text(key, &self.facts.path))
    }

    fn place(&self) -> (Option<Role>, Option<u32>) {
        (Some(self.key.role), self.facts.control_set)
    }

    fn is_at(&self, other: &Self) -> bool {
        self.place() == other.place() && same_text(&self.facts.path, &other.facts.path)
    }

    fn is_above(&self, other: &Self) -> bool {
        let head = other.facts.path.split_at_checked(self.facts.path.len());
        self.place() == other.place()
            && head.is_some_and(|(head, rest)| same_text(head, &self.facts.path) && rest.starts_with('\\'))
    }
}
