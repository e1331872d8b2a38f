//! The audit: expectations and facts in, findings out. Nothing is read here and nothing is written.

use crate::baseline::{
    Baseline, Basis, Compare, ExpectedKey, ExpectedValue, Note, Presence, Rule, Step, SystemRoot, When, same_as_absent,
};
use crate::facts::{KeyFacts, KeyState, Observed};
use crate::finding::{Datum, Finding, Reason, Remediation, Severity, Verdict, View};
use crate::hive::NamedValue;
use crate::os::Os;
use crate::registry::RegistryValue;

mod characters;
mod wording;

/// What the audit has to know of the installation beside the facts.
pub struct Context<'a> {
    /// Which Windows it is.
    pub os: &'a Os,
    /// Where its system root is.
    pub root: SystemRoot,
    /// Setup of this Windows is not finished: nothing is judged.
    pub setup_phase: bool,
}

/// Judges the facts. `facts` are those of [`crate::facts::observe_all`]: an index into the baseline's keys, and what
/// was observed. Every expectation that holds for this Windows yields one finding for each place where it was looked
/// for.
pub fn audit(baseline: &Baseline, facts: &[(usize, KeyFacts)], context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, facts) in facts {
        let Some(key) = baseline.keys.get(*index) else { continue };
        Judge { key, facts, context }.judge(&mut findings);
    }
    findings.extend(baseline.steps.iter().filter(|step| step.when.holds(context.os) != Some(false)).map(run_time));
    if context.setup_phase {
        for finding in findings.iter_mut().filter(|finding| finding.reason != Some(Reason::RunTime)) {
            finding.verdict = Verdict::NotAssessed;
            finding.reason = Some(Reason::SetupPhase);
            finding.remediation = None;
        }
    }
    findings
}

fn run_time(step: &Step) -> Finding {
    Finding {
        advice: Some(step.advice.clone()),
        reason: Some(Reason::RunTime),
        ..blank(step.id.clone(), Verdict::NotAssessed, &step.basis)
    }
}

/// A finding of that verdict, with nothing observed yet.
fn blank(id: String, verdict: Verdict, basis: &Basis) -> Finding {
    let why = match &basis.kinship {
        Some(kinship) => format!("{} (inferred from {kinship})", basis.why),
        None => basis.why.clone(),
    };
    Finding {
        id,
        verdict,
        severity: basis.severity,
        grade: basis.grade,
        reason: None,
        note: None,
        cause: None,
        advice: None,
        hive: None,
        control_set: None,
        key: None,
        value: None,
        stored_name: None,
        expected: Vec::new(),
        observed: None,
        key_last_written: None,
        key_last_written_note: None,
        view: View::Primary,
        other_view: None,
        also_in: Vec::new(),
        location: None,
        why,
        source: basis.source.clone(),
        attack: basis.attack.clone(),
        remediation: None,
    }
}

struct Judge<'a> {
    key: &'a ExpectedKey,
    facts: &'a KeyFacts,
    context: &'a Context<'a>,
}

impl Judge<'_> {
    fn judge(&self, findings: &mut Vec<Finding>) {
        if self.key.presence == Presence::Absent {
            findings.extend(self.applies(&self.key.when, self.judge_key()));
            return;
        }
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
    }

    /// Drops the finding where the expectation does not hold for this Windows; where that cannot be told, says so.
    fn applies(&self, when: &When, finding: Finding) -> Option<Finding> {
        match when.holds(self.context.os) {
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
    fn place(&self, value: Option<&str>, verdict: Verdict, basis: &Basis) -> Finding {
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
        finding.expected = accepted(&expected.rule);
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
        match &expected.rule {
            Rule::Unknown(_) => return None,
            Rule::Informational => {
                finding.verdict = Verdict::NotAssessed;
                finding.reason = Some(Reason::Informational);
                finding.severity = Severity::Info;
            }
            Rule::Absent => {
                if let Some(data) = value {
                    if let Some(note) = same_as_absent(&self.key.path, &expected.name, data) {
                        finding.note = Some(note.to_owned());
                        return Some(finding);
                    }
                    finding.verdict = Verdict::Unexpected;
                    finding.remediation = Some(Remediation::DeleteValue);
                    self.raise(&mut finding, expected, value);
                }
            }
            Rule::OneOf { .. } | Rule::Contains(_) => match value {
                None if expected.optional || self.facts.rightly_absent(self.key.presence) => {}
                None => match self.absence(expected) {
                    None => finding.verdict = Verdict::Absent,
                    note => finding.note = note,
                },
                Some(value) => {
                    if let Some(note) = self.accepts(expected, value) {
                        finding.note = note;
                    } else {
                        finding.verdict = Verdict::Deviates;
                        finding.why = wording::deviation(&finding.why, &expected.rule, value, &self.context.root);
                        self.raise(&mut finding, expected, Some(value));
                    }
                }
            },
        }
        if matches!(finding.verdict, Verdict::Absent | Verdict::Deviates) {
            finding.remediation = self.remediation(&expected.rule, value);
        }
        if !self.context.root.is_known() && finding.verdict == Verdict::Conforms && wording::names_a_drive(value) {
            finding
                .why
                .push_str(" SOFTWARE is not there to say where Windows is installed: any usual folder was taken.");
        }
        Some(finding)
    }

    /// Whether data are as they should be, and why where they have another form.
    fn accepts(&self, expected: &ExpectedValue, observed: &RegistryValue) -> Option<Note> {
        match &expected.rule {
            Rule::OneOf { accepted, compare } => {
                let same = |accepted| compare.same(&expected.name, observed, accepted, &self.context.root);
                let mut notes = accepted.iter().filter_map(same);
                // What is spelled as expected needs no note.
                let first = notes.next()?;
                Some(if first.is_some() && notes.any(|note| note.is_none()) { None } else { first })
            }
            Rule::Contains(entries) => wording::missing_entries(entries, observed).filter(Vec::is_empty).map(|_| None),
            _ => Some(None),
        }
    }

    /// Why it is right that a value is missing, where one of the expected data means the same as no value.
    fn absence(&self, expected: &ExpectedValue) -> Note {
        let Rule::OneOf { accepted, .. } = &expected.rule else { return None };
        let mut notes = accepted.iter().filter_map(|data| same_as_absent(&self.key.path, &expected.name, data));
        // Nothing can be right about a key that is missing.
        notes.next().filter(|_| self.facts.state != KeyState::Absent).map(str::to_owned)
    }

    /// Raises a finding about code to critical where the code is not in a folder of Windows' own.
    fn raise(&self, finding: &mut Finding, expected: &ExpectedValue, observed: Option<&RegistryValue>) {
        let is_path = matches!(expected.rule, Rule::OneOf { compare: Compare::Path, .. });
        if !is_path || finding.severity < Severity::High {
            return;
        }
        if let Some(text) = observed.and_then(wording::as_windows_reads)
            && !text.is_empty()
            && !self.context.root.holds_code(&text)
        {
            finding.severity = Severity::Critical;
            finding.why.push_str(" The path leads out of the folders where Windows keeps its own code.");
        }
    }

    /// What would put the value right. A key is written anew only where the baseline holds the whole of it.
    fn remediation(&self, rule: &Rule, observed: Option<&RegistryValue>) -> Option<Remediation> {
        if self.facts.state == KeyState::Absent && (!self.key.recreate || self.key.each_subkey.is_some()) {
            return None;
        }
        let value = match rule {
            Rule::OneOf { accepted, .. } => accepted.first()?.clone(),
            Rule::Contains(entries) => {
                let observed = observed?;
                let mut list = observed.as_list()?;
                // An entry behind an empty string is not in the list that Windows reads; nobody knows what was meant.
                if list.iter().any(String::is_empty) {
                    return None;
                }
                list.extend(wording::missing_entries(entries, observed)?);
                RegistryValue::list(&list)
            }
            _ => return None,
        };
        Some(Remediation::Set { datum: (&value).into(), value })
    }
}

fn accepted(rule: &Rule) -> Vec<Datum> {
    match rule {
        Rule::OneOf { accepted, .. } => accepted.iter().map(Datum::from).collect(),
        Rule::Contains(entries) => vec![Datum::from(&RegistryValue::list(entries))],
        _ => Vec::new(),
    }
}
