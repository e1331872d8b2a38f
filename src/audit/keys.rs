//! Keys as rows of their own: present or missing, links, unnamed subkeys, and the consequences of a missing key.

use std::collections::BTreeMap;

use super::judge::Judge;
use super::wording;
use crate::facts::{KeyState, Link, Observed, Unnamed};
use crate::finding::{Expected, Finding, Reason, Severity, Verdict};
use crate::registry::{Name, Role};

impl Judge<'_> {
    /// Judges a key that is a row of the baseline.
    pub(super) fn judge_itself(&self) -> Option<Finding> {
        if !self.key.itself {
            return None;
        }
        let expected = if self.key.link.is_some() { Expected::Rule } else { Expected::Key };
        let finding = |verdict| self.place(None, verdict, expected.clone(), &self.key.basis);
        Some(match &self.facts.state {
            KeyState::Present(_) if self.key.link.is_some() => {
                let finding = finding(Verdict::Deviates);
                let target = self.key.link.as_deref().unwrap_or_default();
                let why =
                    format!("{} The key should be a symbolic link to {target}, but is an ordinary key.", finding.why);
                Finding { why, ..finding }
            }
            KeyState::Present(_) => finding(Verdict::Conforms),
            KeyState::Absent if self.facts.rightly_absent(self.key.presence) => finding(Verdict::Conforms),
            KeyState::Absent => finding(Verdict::Absent),
            KeyState::HiveMissing => finding(Verdict::NotAssessed(Reason::HiveMissing)),
            KeyState::Unreadable(problem) => wording::unreadable(finding(Verdict::Unreadable), problem),
        })
    }

    /// Returns whether a link is the one that the baseline expects at this key.
    pub(super) fn is_expected_link(&self, link: &Link) -> bool {
        let target = self.key.link.as_deref().zip(link.target.as_deref());
        link.path == self.facts.path && target.is_some_and(|(wanted, target)| Name::from(wanted) == target.into())
    }

    /// Judges a closed list that cannot be read: its hidden entries may be unexpected. If a row's value cannot be read,
    /// the row already reports that.
    pub(super) fn judge_unlisted(&self) -> Option<Finding> {
        let is_said = self.facts.values.iter().any(|value| matches!(value, Observed::Unreadable(_)));
        let problem = self.facts.unlisted.as_ref().filter(|_| !is_said)?;
        let finding = self.place(None, Verdict::Unreadable, Expected::Absent, &self.key.basis);
        Some(wording::unreadable(Finding { id: format!(r"{}\", finding.id), ..finding }, problem))
    }

    /// Judges a subkey that a closed list does not name. In the id its name follows a backslash; a value's name follows
    /// a slash.
    pub(super) fn judge_unnamed(&self, subkey: &Unnamed) -> Finding {
        let finding = self.place(None, Verdict::Unexpected, Expected::Absent, &self.key.basis);
        Finding {
            id: format!(r"{}\{}", finding.id, subkey.name),
            severity: self.key.basis.severity.min(Severity::Low),
            key: Some(subkey.path.clone()),
            key_last_written: Some(subkey.last_written),
            key_last_written_note: None,
            location: None,
            why: "The baseline names every subkey of this key, and this subkey is not among them.".to_owned(),
            ..finding
        }
    }
}

/// Names, in each finding on something absent with a missing key, the missing key nearest to the root. Only keys that
/// are rows of their own can be the cause.
pub(super) fn name_causes(findings: &mut [Finding]) {
    let place = |finding: &Finding| Some((finding.hive?, Name::from(finding.key.as_deref()?)));
    let is_gone = |finding: &&Finding| finding.value.is_none() && finding.verdict == Verdict::Absent;
    let gone: BTreeMap<(Role, Name), String> =
        findings.iter().filter(is_gone).filter_map(|finding| Some((place(finding)?, finding.id.clone()))).collect();
    if gone.is_empty() {
        return;
    }
    for finding in findings.iter_mut().filter(|finding| finding.verdict == Verdict::Absent) {
        let (Some(hive), Some(mut path)) = (finding.hive, finding.key.as_deref()) else { continue };
        let mut cause = None;
        loop {
            cause = gone.get(&(hive, path.into())).or(cause);
            match path.rsplit_once('\\') {
                Some((parent, _)) => path = parent,
                None => break,
            }
        }
        if let Some(cause) = cause.filter(|cause| **cause != finding.id) {
            finding.cause = Some(cause.clone());
        }
    }
}
