//! One key of a baseline beside what was observed of it.

use super::scene::Scene;
use super::{blank, failure_actions, membership, security, wording};
use crate::baseline::{
    Aspect, Basis, Compare, Exception, ExpectedKey, ExpectedValue, Folders, Known, Note, Presence, Rule, When,
    is_quoted, same_as_absent,
};
use crate::facts::{KeyFacts, KeyState, Link, Observed};
use crate::finding::{Datum, Finding, Grade, Reason, Remediation, Severity, Source, Verdict};
use crate::hive::NamedValue;
use crate::registry::{RegistryValue, same_text};

/// A key, what was observed of it, and all the rest.
pub(super) struct Judge<'a> {
    pub(super) key: &'a ExpectedKey,
    pub(super) facts: &'a KeyFacts,
    pub(super) scene: Scene<'a>,
}

/// What a value came to.
pub(super) enum Outcome {
    /// It is as it should be, in this form.
    Conforms(Note),
    /// It is not; sentences that say more than that.
    Deviates(Vec<String>),
    /// It is there, and nobody knows whether it should be.
    Unknown(String),
}

impl Judge<'_> {
    pub(super) fn judge(&self, findings: &mut Vec<Finding>) {
        if let Some(link) = &self.facts.link {
            if self.is_expected_link(link) {
                let conforms = self.place(None, Verdict::Conforms, &self.key.basis);
                findings.extend(self.applies(&self.key.when, conforms));
                return;
            }
            findings.extend(self.applies(&self.key.when, self.judge_link(link)));
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

    /// Drops the finding where the expectation does not hold for this Windows; where that cannot be told, says so.
    fn applies(&self, when: &When, finding: Finding) -> Option<Finding> {
        match when.holds(self.scene.context.os) {
            Some(true) => Some(finding),
            Some(false) => None,
            None => Some(Finding {
                verdict: Verdict::NotAssessed,
                reason: Some(Reason::OsUnknown),
                remediation: None,
                ..finding
            }),
        }
    }

    fn id(&self, value: Option<&str>) -> String {
        [Some(self.key.id.as_str()), self.facts.subkey.as_deref(), value]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("/")
    }

    /// A finding at this key.
    pub(super) fn place(&self, value: Option<&str>, verdict: Verdict, basis: &Basis) -> Finding {
        Finding {
            hive: Some(self.key.role),
            control_set: self.facts.control_set,
            key: Some(self.facts.path.clone()),
            value: value.map(str::to_owned),
            key_last_written: match self.facts.state {
                KeyState::Present(time) => Some(time),
                _ => None,
            },
            key_last_written_note: self.facts.odd_time.map(|odd| odd.to_string()),
            location: self.facts.locations.as_ref().map(|locations| locations.key.clone()),
            ..blank(self.id(value), verdict, basis)
        }
    }

    /// A key that should not be there.
    fn judge_key(&self) -> Finding {
        let finding = |verdict| self.place(None, verdict, &self.key.basis);
        match &self.facts.state {
            KeyState::Absent => finding(Verdict::Conforms),
            KeyState::Present(_) => finding(Verdict::Unexpected),
            KeyState::HiveMissing => Finding { reason: Some(Reason::HiveMissing), ..finding(Verdict::NotAssessed) },
            KeyState::Unreadable(problem) => wording::unreadable(finding(Verdict::Unreadable), problem),
        }
    }

    /// A key that Windows does not read, because a link on the way to it leads elsewhere. What stands in it is not
    /// judged: nobody uses it.
    fn judge_link(&self, link: &Link) -> Finding {
        let finding = self.place(None, Verdict::Unexpected, &self.key.basis);
        let target = link.target.as_deref().unwrap_or("a key that cannot be read");
        let why = format!(
            "{} is a symbolic link to {target}. Windows reads that key instead, and nothing that stands here.",
            link.path
        );
        let source = Source {
            title: "Microsoft: RegCreateKeyEx, REG_OPTION_CREATE_LINK; none in the real hives that were read"
                .to_owned(),
            url: Some("https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeyexw".to_owned()),
        };
        Finding { severity: Severity::High, grade: Grade::Confirmed, why, source, ..finding }
    }

    /// A value that a closed list does not name.
    fn judge_other(&self, name: &str, value: &RegistryValue) -> Finding {
        let finding = self.place(Some(name), Verdict::Unexpected, &self.key.basis);
        Finding {
            severity: Severity::Low,
            observed: Some(value.into()),
            stored_name: Some(name.to_owned()),
            why: "The key's list of values is closed, and this value is not in it.".to_owned(),
            remediation: Some(Remediation::DeleteValue),
            ..finding
        }
    }

    fn judge_value(&self, expected: &ExpectedValue, observed: &Observed) -> Option<Finding> {
        let mut finding = self.place(Some(&expected.name), Verdict::Conforms, &expected.basis);
        finding.advice.clone_from(&expected.advice);
        finding.expected = self.expected_data(&expected.rule);
        if let Observed::Present(named) = observed {
            finding.observed = Some((&named.value).into());
            finding.stored_name = Some(named.name.clone());
        }
        if self.facts.state == KeyState::HiveMissing {
            finding.verdict = Verdict::NotAssessed;
            finding.reason = Some(Reason::HiveMissing);
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
                finding.verdict = Verdict::NotAssessed;
                finding.reason = Some(Reason::Informational);
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
                .push_str(" SOFTWARE is not there to say where Windows is installed: any usual folder was taken.");
        }
        Some(finding)
    }

    fn judge_unexpected(&self, finding: &mut Finding, expected: &ExpectedValue, data: &RegistryValue) {
        if let Some(note) = same_as_absent(&self.key.path, &expected.name, data) {
            finding.note = Some(note.to_owned());
            return;
        }
        finding.verdict = Verdict::Unexpected;
        finding.remediation = Some(Remediation::DeleteValue);
        if let Some(exception) = self.exception(expected, data) {
            exception.applied_to(finding);
        }
    }

    fn judge_data(&self, finding: &mut Finding, expected: &ExpectedValue, value: &RegistryValue) {
        let sentences = match self.outcome(finding, expected, value) {
            Outcome::Conforms(note) => match self.unlike(expected, value) {
                None => {
                    finding.note = note;
                    return;
                }
                Some(sentence) => vec![sentence],
            },
            Outcome::Unknown(why) => {
                finding.verdict = Verdict::Unexpected;
                finding.severity = Severity::Info;
                finding.why = format!("{} {why}", finding.why);
                return;
            }
            Outcome::Deviates(sentences) => sentences,
        };
        finding.verdict = Verdict::Deviates;
        if let Some(exception) = self.exception(expected, value) {
            exception.applied_to(finding);
        }
        finding.why = [vec![finding.why.clone()], sentences].concat().join(" ");
        self.raise(finding, expected, value);
        finding.remediation = self.remediation(expected, Some(value));
    }

    /// What the rule says of data. A source of the accepted data's own becomes that of the finding.
    fn outcome(&self, finding: &mut Finding, expected: &ExpectedValue, value: &RegistryValue) -> Outcome {
        let root = &self.scene.context.root;
        let right = |right: bool, sentences: Vec<String>| {
            if right { Outcome::Conforms(None) } else { Outcome::Deviates(sentences) }
        };
        match &expected.rule {
            Rule::OneOf { .. } => match self.scene.accepted(expected, value) {
                Some((note, source)) => {
                    if let Some(source) = source {
                        finding.source = source;
                    }
                    Outcome::Conforms(note)
                }
                None => Outcome::Deviates(wording::deviation(&expected.rule, value, root)),
            },
            Rule::Contains(entries) => {
                let missing = wording::missing_entries(entries, value);
                right(missing.is_some_and(|missing| missing.is_empty()), wording::not_in(entries, value))
            }
            Rule::Members(services) => {
                let services = membership::of_group(&self.scene, &expected.name, services);
                let missing = wording::missing_entries(&services, value);
                right(missing.is_some_and(|missing| missing.is_empty()), wording::not_in(&services, value))
            }
            Rule::Under { folders, known } => self.code(expected, *folders, known, value),
            Rule::LacksAction(actions) => match failure_actions::unwanted(actions, value) {
                None => Outcome::Conforms(None),
                Some(sentence) => Outcome::Deviates(vec![sentence]),
            },
            Rule::DaclDenies { trustees, rights } => match security::granted(trustees, rights, value) {
                None => Outcome::Conforms(None),
                Some(sentence) => Outcome::Deviates(vec![sentence]),
            },
            Rule::Absent | Rule::Informational | Rule::Unknown(_) => Outcome::Conforms(None),
        }
    }

    /// Code that should lie in Windows' own folders, or be what its subkey is known for.
    fn code(&self, expected: &ExpectedValue, folders: Folders, known: &[Known], value: &RegistryValue) -> Outcome {
        let root = &self.scene.context.root;
        let Some(text) = wording::as_windows_reads(value) else {
            return Outcome::Deviates(vec![format!("The data are no text ({}).", value.data_type)]);
        };
        let subkey = self.facts.subkey.as_deref().unwrap_or_default();
        let entry = known.iter().find(|known| same_text(&known.subkey, subkey));
        if let Some(entry) = entry
            && value.as_text().is_some()
            && entry.data.iter().any(|data| root.is_same_code(&text, data))
        {
            return Outcome::Conforms(Some(format!("Belongs to {}.", entry.of)));
        }
        let held = root.holds_code_in(folders, &text);
        match entry {
            _ if !held => Outcome::Deviates(Vec::new()),
            Some(entry) => {
                let data = entry.data.join(" or ");
                Outcome::Deviates(vec![format!("{} of {} has {data} here.", entry.subkey, entry.of)])
            }
            None if known.is_empty() => Outcome::Conforms(None),
            None => {
                Outcome::Unknown(format!("No source names {subkey}; {} lies in Windows' own folders.", expected.name))
            }
        }
    }

    /// A sentence where the value is not like the one that it must resemble. The value that has quotes bears the finding.
    fn unlike(&self, expected: &ExpectedValue, value: &RegistryValue) -> Option<String> {
        let same_as = expected.same_as.as_ref()?;
        let other = self.scene.value(&same_as.key, &same_as.value, self.facts.control_set)?.as_text()?;
        match same_as.aspect {
            Aspect::Quotes => (is_quoted(&value.as_text()?) && !is_quoted(&other)).then(|| {
                format!(
                    "The program stands in quotes here, and in {}/{} it does not: Windows starts two processes for what \
                     must share one.",
                    same_as.key, same_as.value
                )
            }),
        }
    }

    /// What is known of data that deviate.
    fn exception<'e>(&self, expected: &'e ExpectedValue, value: &RegistryValue) -> Option<&'e Exception> {
        let compare = match &expected.rule {
            Rule::OneOf { compare, .. } => *compare,
            _ => Compare::Text,
        };
        let same = |exception: &&Exception| {
            exception.when.holds(self.scene.context.os) != Some(false)
                && compare.same(&expected.name, value, &exception.value, &self.scene.context.root).is_some()
        };
        expected.exceptions.iter().find(same)
    }

    /// Why it is right that a value is missing, where one of the expected data means the same as no value.
    fn absence(&self, expected: &ExpectedValue) -> Note {
        let Rule::OneOf { accepted, compare } = &expected.rule else { return None };
        if *compare == Compare::Bytes {
            return None;
        }
        let mut notes = accepted.iter().filter_map(|data| same_as_absent(&self.key.path, &expected.name, &data.value));
        // Nothing can be right about a key that is missing.
        notes.next().filter(|_| self.facts.state != KeyState::Absent).map(str::to_owned)
    }

    /// Raises a finding about code to critical where the code is not in a folder of Windows' own.
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

    /// What would put the value right. A key is written anew only where the baseline holds the whole of it.
    fn remediation(&self, expected: &ExpectedValue, observed: Option<&RegistryValue>) -> Option<Remediation> {
        if self.facts.state == KeyState::Absent && (!self.key.recreate || self.key.each_subkey.is_some()) {
            return None;
        }
        let append = |entries: &[String]| {
            let observed = observed?;
            let mut list = observed.as_list()?;
            // An entry behind an empty string is not in the list that Windows reads; nobody knows what was meant.
            if list.iter().any(String::is_empty) {
                return None;
            }
            list.extend(wording::missing_entries(entries, observed)?);
            Some(RegistryValue::list(&list))
        };
        let value = match &expected.rule {
            Rule::OneOf { accepted, .. } => accepted.first()?.value.clone(),
            Rule::Contains(entries) => append(entries)?,
            Rule::Members(services) => append(&membership::of_group(&self.scene, &expected.name, services))?,
            _ => return None,
        };
        Some(Remediation::Set { datum: (&value).into(), value })
    }

    fn expected_data(&self, rule: &Rule) -> Vec<Datum> {
        let holds = |when: &When| when.holds(self.scene.context.os) != Some(false);
        match rule {
            Rule::OneOf { accepted, .. } => {
                let accepted = accepted.iter().filter(|accepted| holds(&accepted.when));
                accepted.map(|accepted| Datum::from(&accepted.value)).collect()
            }
            Rule::Contains(entries) | Rule::Members(entries) => vec![Datum::from(&RegistryValue::list(entries))],
            _ => Vec::new(),
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
