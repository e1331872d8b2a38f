//! Compares one key of a baseline with what was observed of it.

use super::rules::{Outcome, Row};
use super::scene::Scene;
use super::{blank, membership, wording};
use crate::baseline::{
    Accepted, Basis, Compare, Exception, ExpectedKey, ExpectedValue, Note, Presence, Rule, When, group_of,
    same_as_absent,
};
use crate::facts::{KeyFacts, KeyState, Link, Observed};
use crate::finding::{Datum, Expected, Finding, Grade, Reason, Remediation, Severity, Source, Verdict};
use crate::hive::NamedValue;
use crate::registry::{RegistryValue, same_text};

/// A key of the baseline, what was observed of it, and the scene.
pub(super) struct Judge<'a> {
    pub(super) key: &'a ExpectedKey,
    pub(super) facts: &'a KeyFacts,
    pub(super) scene: Scene<'a>,
}

impl Judge<'_> {
    pub(super) fn judge(&self, findings: &mut Vec<Finding>) {
        if let Some(link) = &self.facts.link {
            let finding = if self.is_expected_link(link) {
                self.place(None, Verdict::Conforms, Expected::Rule, &self.key.basis)
            } else {
                self.judge_link(link)
            };
            findings.extend(self.applies(&self.key.when, finding));
            return;
        }
        if self.key.presence == Presence::Absent {
            findings.extend(self.applies(&self.key.when, self.judge_key()));
            return;
        }
        let itself = self.judge_itself().into_iter().chain(self.judge_unlisted());
        findings.extend(itself.filter_map(|finding| self.applies(&self.key.when, finding)));
        let locations = self.facts.locations.as_ref();
        for (index, (expected, observed)) in self.key.values.iter().zip(&self.facts.values).enumerate() {
            if let Some(mut finding) = self.judge_value(expected, observed) {
                finding.location = locations.and_then(|locations| locations.values.get(index)).cloned();
                findings.extend(self.applies(&expected.when, finding));
            }
        }
        for (index, NamedValue { name, value, .. }) in self.facts.others.iter().enumerate() {
            let mut finding = self.judge_other(name, value);
            finding.location = locations.and_then(|locations| locations.others.get(index)).cloned();
            findings.extend(self.applies(&self.key.when, finding));
        }
        let unnamed = self.facts.unnamed.iter().map(|subkey| self.judge_unnamed(subkey));
        findings.extend(unnamed.filter_map(|finding| self.applies(&self.key.when, finding)));
    }

    /// Drops the finding if the expectation does not apply to this Windows. Marks it if the hives do not decide that.
    fn applies(&self, when: &When, finding: Finding) -> Option<Finding> {
        match when.holds(self.scene.context.os) {
            Some(true) => Some(finding),
            Some(false) => None,
            None => Some(Finding { verdict: Verdict::NotAssessed(Reason::OsUnknown), remediation: None, ..finding }),
        }
    }

    fn id(&self, value: Option<&str>) -> String {
        let key = self.key.id.as_str();
        match (self.facts.subkey.as_deref(), value) {
            (None, None) => key.to_owned(),
            (Some(one), None) | (None, Some(one)) => [key, "/", one].concat(),
            (Some(subkey), Some(value)) => [key, "/", subkey, "/", value].concat(),
        }
    }

    /// Returns a finding at this key.
    pub(super) fn place(&self, value: Option<&str>, verdict: Verdict, expected: Expected, basis: &Basis) -> Finding {
        Finding {
            hive: Some(self.key.role),
            control_set: self.facts.control_set,
            key: Some(self.facts.path.clone()),
            value: value.map(str::to_owned),
            key_last_written: self.facts.state.last_written(),
            key_last_written_note: self.facts.odd_time.map(|odd| odd.to_string()),
            location: self.facts.locations.as_ref().map(|locations| locations.key.clone()),
            ..blank(self.id(value), verdict, expected, basis)
        }
    }

    /// Judges a key that should not exist.
    fn judge_key(&self) -> Finding {
        let finding = |verdict| self.place(None, verdict, Expected::Absent, &self.key.basis);
        match &self.facts.state {
            KeyState::Absent => finding(Verdict::Conforms),
            KeyState::Present(_) => finding(Verdict::Unexpected),
            KeyState::HiveMissing => finding(Verdict::NotAssessed(Reason::HiveMissing)),
            KeyState::Unreadable(problem) => wording::unreadable(finding(Verdict::Unreadable), problem),
        }
    }

    /// Judges a key that Windows does not read because a link on its path leads elsewhere. Nothing uses its contents,
    /// so they are not judged.
    fn judge_link(&self, link: &Link) -> Finding {
        let finding = self.place(None, Verdict::Unexpected, Expected::Rule, &self.key.basis);
        let target = link.target.as_deref().unwrap_or("a key that cannot be read");
        let why = format!(
            "{} is a symbolic link to {target}. Windows reads that key instead and ignores everything in this one.",
            link.path
        );
        let source = Source {
            title: "Microsoft: RegCreateKeyEx, REG_OPTION_CREATE_LINK; none in the real hives that were read"
                .to_owned(),
            url: Some("https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeyexw".to_owned()),
        };
        Finding { severity: Severity::High, grade: Grade::Confirmed, why, source, ..finding }
    }

    /// Judges a value that a closed list does not name.
    fn judge_other(&self, name: &str, value: &RegistryValue) -> Finding {
        let finding = self.place(Some(name), Verdict::Unexpected, Expected::Absent, &self.key.basis);
        Finding {
            severity: Severity::Low,
            observed: Some(value.into()),
            stored_name: Some(name.to_owned()),
            why: "The baseline names every value of this key, and this value is not among them.".to_owned(),
            remediation: Some(Remediation::DeleteValue),
            ..finding
        }
    }

    fn judge_value(&self, expected: &ExpectedValue, observed: &Observed) -> Option<Finding> {
        let accepted = self.accepted(expected);
        let mut finding = self.place(Some(&expected.name), Verdict::Conforms, accepted, &expected.basis);
        finding.advice.clone_from(&expected.advice);
        if let Observed::Present(named) = observed {
            finding.observed = Some((&named.value).into());
            finding.stored_name = Some(named.name.clone());
        }
        if self.facts.state == KeyState::HiveMissing {
            finding.verdict = Verdict::NotAssessed(Reason::HiveMissing);
            return (!matches!(expected.rule, Rule::Unknown(_))).then_some(finding);
        }
        if let Observed::Unreadable(problem) = observed {
            return (!matches!(expected.rule, Rule::Unknown(_)))
                .then(|| wording::unreadable(Finding { verdict: Verdict::Unreadable, ..finding }, problem));
        }
        let value = match observed {
            Observed::Present(named) => Some(&named.value),
            _ => None,
        };
        match (&expected.rule, value) {
            (Rule::Unknown(_), _) => return None,
            (Rule::Informational, _) => {
                finding.verdict = Verdict::NotAssessed(Reason::Informational);
                finding.severity = Severity::Info;
            }
            (Rule::Absent, Some(data)) => self.judge_unexpected(&mut finding, expected, data),
            (Rule::Absent, None) => {}
            (_, None) => {
                finding.note = self.absence(expected);
                let right = expected.optional || self.facts.rightly_absent(self.key.presence) || finding.note.is_some();
                if !right {
                    finding.verdict = Verdict::Absent;
                    finding.remediation = self.remediation(expected, None);
                }
            }
            (_, Some(value)) => self.judge_data(&mut finding, expected, value),
        }
        if !self.scene.context.root.is_known() && finding.verdict == Verdict::Conforms && wording::names_a_drive(value)
        {
            finding
                .why
                .push_str(" Without SOFTWARE, the folder of Windows is not known: any usual folder was accepted.");
        }
        Some(finding)
    }

    fn row<'b>(&'b self, expected: &'b ExpectedValue) -> Row<'b> {
        let (subkey, control_set) = (self.facts.subkey.as_deref(), self.facts.control_set);
        Row { scene: self.scene, expected, subkey, control_set }
    }

    fn judge_unexpected(&self, finding: &mut Finding, expected: &ExpectedValue, data: &RegistryValue) {
        if let Some(note) = same_as_absent(&self.key.path, &expected.name, data) {
            finding.note = Some(note.to_owned());
            return;
        }
        finding.verdict = Verdict::Unexpected;
        finding.remediation = Some(Remediation::DeleteValue);
        if let Some(exception) = self.row(expected).exception(data) {
            exception.applied_to(finding);
        }
    }

    fn judge_data(&self, finding: &mut Finding, expected: &ExpectedValue, value: &RegistryValue) {
        let row = self.row(expected);
        let sentences = match row.outcome(value) {
            Outcome::Conforms(note, source) => {
                finding.note = note;
                finding.source = source.unwrap_or_else(|| finding.source.clone());
                return;
            }
            Outcome::Unknown(why) => {
                finding.verdict = Verdict::Unexpected;
                finding.severity = Severity::Info;
                finding.why = format!("{} {why}", finding.why);
                return;
            }
            Outcome::Deviates(sentences) => sentences,
        };
        finding.verdict = Verdict::Deviates;
        if let Some(exception) = row.exception(value) {
            exception.applied_to(finding);
        }
        finding.why = [vec![finding.why.clone()], sentences].concat().join(" ");
        self.raise(finding, expected, value);
        finding.remediation = self.remediation(expected, Some(value));
    }

    /// Returns why a missing value conforms, if one of the expected data means the same as no value.
    fn absence(&self, expected: &ExpectedValue) -> Note {
        let Rule::OneOf { accepted, compare } = &expected.rule else { return None };
        if *compare == Compare::Bytes {
            return None;
        }
        let mut notes = accepted.iter().filter_map(|data| same_as_absent(&self.key.path, &expected.name, &data.value));
        // A value of a missing key cannot conform.
        notes.next().filter(|_| self.facts.state != KeyState::Absent).map(str::to_owned)
    }

    /// Raises a finding about code to critical if the code is outside Windows' own folders.
    fn raise(&self, finding: &mut Finding, expected: &ExpectedValue, observed: &RegistryValue) {
        let is_path = matches!(expected.rule, Rule::OneOf { compare: Compare::Path, .. } | Rule::Under { .. });
        if !is_path {
            return;
        }
        if let Some(text) = wording::as_windows_reads(observed)
            && !text.is_empty()
            && !self.scene.context.root.holds_code(&text)
        {
            if finding.severity >= Severity::High {
                finding.severity = Severity::Critical;
            }
            finding.why.push_str(" The path leads out of the folders where Windows keeps its own code.");
        }
    }

    /// Returns what would correct the value. A key is recreated only if the baseline states all of its values.
    fn remediation(&self, expected: &ExpectedValue, observed: Option<&RegistryValue>) -> Option<Remediation> {
        if self.facts.state == KeyState::Absent && (!self.key.recreate || self.key.each_subkey.is_some()) {
            return None;
        }
        let append = |entries: &[String]| {
            let observed = observed?;
            let mut list = observed.as_list()?;
            // Windows does not read an entry after an empty string, and nobody knows what was meant.
            if list.iter().any(String::is_empty) {
                return None;
            }
            list.extend(wording::missing_entries(entries, observed)?);
            Some(RegistryValue::list(&list))
        };
        let value = match &expected.rule {
            Rule::OneOf { accepted, .. } => {
                // A service in another accepted group stays in that group.
                let group = |value: &RegistryValue| value.as_text().as_deref().and_then(group_of);
                let here = observed.and_then(group);
                let same = |value: &RegistryValue| {
                    group(value).zip(here.as_ref()).is_some_and(|(group, here)| same_text(&group, here))
                };
                let holds = |accepted: &&Accepted| accepted.when.holds(self.scene.context.os) != Some(false);
                let mut accepted = accepted.iter().filter(holds).map(|accepted| &accepted.value);
                let first = accepted.next()?;
                if same(first) { first } else { accepted.find(|value| same(value)).unwrap_or(first) }.clone()
            }
            Rule::Contains(entries) => append(entries)?,
            Rule::Members(services) => append(&membership::of_group(&self.scene, &expected.name, services))?,
            _ => return None,
        };
        Some(Remediation::Set { datum: (&value).into(), value })
    }

    /// Returns what a row accepts in this Windows.
    fn accepted(&self, expected: &ExpectedValue) -> Expected {
        let holds = |when: &When| when.holds(self.scene.context.os) != Some(false);
        match &expected.rule {
            Rule::OneOf { accepted, .. } => {
                let accepted = accepted.iter().filter(|accepted| holds(&accepted.when));
                let accepted = accepted.map(|accepted| Datum::from(&accepted.value)).collect();
                match &expected.same_as {
                    Some(other) => Expected::SameAs { accepted, other: format!("{}/{}", other.key, other.value) },
                    None => Expected::OneOf(accepted),
                }
            }
            Rule::Contains(entries) | Rule::Members(entries) => Expected::Contains(entries.clone()),
            Rule::Absent => Expected::Absent,
            Rule::Under { .. } | Rule::LacksAction(_) | Rule::DaclDenies { .. } => Expected::Rule,
            Rule::Informational | Rule::Unknown(_) => Expected::Nothing,
        }
    }
}

impl Exception {
    fn applied_to(&self, finding: &mut Finding) {
        finding.severity = self.severity;
        finding.why.clone_from(&self.why);
        if let Some(source) = &self.source {
            finding.source = source.clone();
        }
    }
}
