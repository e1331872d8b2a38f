//! The rules that a row can state, each applied to data that exist.

use super::scene::Scene;
use super::{failure_actions, membership, security, wording};
use crate::baseline::{Aspect, Compare, Exception, ExpectedValue, Folders, Known, Note, Rule, is_quoted};
use crate::finding::Source;
use crate::registry::{RegistryValue, same_text};

/// A row, and the place that it is applied to.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) expected: &'a ExpectedValue,
    /// The subkey, if the key stands for every subkey of a path.
    pub(super) subkey: Option<&'a str>,
    pub(super) control_set: Option<u32>,
}

/// The result of applying a rule to data.
pub(super) enum Outcome {
    /// The data conform. With a note if they have another form, and a source if it is not the row's.
    Conforms(Note, Option<Source>),
    /// The data deviate. The sentences give details.
    Deviates(Vec<String>),
    /// No source states whether the data should exist. The reason.
    Unknown(String),
}

const CONFORMS: Outcome = Outcome::Conforms(None, None);

impl<'a> Row<'a> {
    /// Applies the rule to data.
    pub(super) fn outcome(&self, value: &RegistryValue) -> Outcome {
        let listed = |entries: &[String]| match wording::missing_entries(entries, value) {
            Some(missing) if missing.is_empty() => CONFORMS,
            _ => Outcome::Deviates(wording::not_in(entries, value)),
        };
        let unless = |sentence: Option<String>| match sentence {
            None => CONFORMS,
            Some(sentence) => Outcome::Deviates(vec![sentence]),
        };
        let outcome = match &self.expected.rule {
            Rule::OneOf { .. } => match self.scene.accepted(self.expected, value) {
                Some((note, source)) => Outcome::Conforms(note, source),
                None => Outcome::Deviates(wording::deviation(&self.expected.rule, value, &self.scene.context.root)),
            },
            Rule::Contains(entries) => listed(entries),
            Rule::Members(services) => listed(&membership::of_group(&self.scene, &self.expected.name, services)),
            Rule::Under { folders, known } => self.code(*folders, known, value),
            Rule::LacksAction(actions) => unless(failure_actions::unwanted(actions, value)),
            Rule::DaclDenies { trustees, rights, hidden_from } => {
                let granted = security::granted(trustees, rights, value);
                unless(granted.or_else(|| security::hidden(hidden_from, value)))
            }
            Rule::Absent | Rule::Informational | Rule::Unknown(_) => CONFORMS,
        };
        match (outcome, self.unlike(value)) {
            (Outcome::Conforms(..), Some(sentence)) => Outcome::Deviates(vec![sentence]),
            (outcome, _) => outcome,
        }
    }

    /// Judges code that must be in Windows' own folders or be known for its subkey.
    fn code(&self, folders: Folders, known: &[Known], value: &RegistryValue) -> Outcome {
        let root = &self.scene.context.root;
        let Some(text) = wording::as_windows_reads(value) else {
            return Outcome::Deviates(vec![format!("The data are not text ({}).", value.data_type)]);
        };
        let subkey = self.subkey.unwrap_or_default();
        let entry = known.iter().find(|known| same_text(&known.subkey, subkey));
        if let Some(entry) = entry
            && value.as_text().is_some()
            && entry.data.iter().any(|data| root.is_same_code(&text, data))
        {
            return Outcome::Conforms(Some(format!("Belongs to {}.", entry.of)), None);
        }
        match entry {
            _ if !root.holds_code_in(folders, &text) => Outcome::Deviates(Vec::new()),
            Some(Known { data, of, .. }) => {
                Outcome::Deviates(vec![format!("{subkey} of {of} has {} here.", data.join(" or "))])
            }
            None if known.is_empty() => CONFORMS,
            None => Outcome::Unknown(format!("No source names {subkey}. The file lies in Windows' own folders.")),
        }
    }

    /// Returns a sentence if the value differs from the one that it must resemble: on the value with quotes.
    fn unlike(&self, value: &RegistryValue) -> Option<String> {
        let same_as = self.expected.same_as.as_ref()?;
        let other = self.scene.value(&same_as.key, &same_as.value, self.control_set)?.as_text()?;
        match same_as.aspect {
            Aspect::Quotes => (is_quoted(&value.as_text()?) && !is_quoted(&other)).then(|| {
                format!(
                    "The program is in quotes here, but not in {}/{}: Windows starts two processes for services that \
                     must share one.",
                    same_as.key, same_as.value
                )
            }),
        }
    }

    /// Returns the exception that describes these deviating data.
    pub(super) fn exception(&self, value: &RegistryValue) -> Option<&'a Exception> {
        let compare = match &self.expected.rule {
            Rule::OneOf { compare, .. } => *compare,
            _ => Compare::Text,
        };
        let Scene { context, .. } = self.scene;
        self.expected.exceptions.iter().find(|exception| {
            exception.when.holds(context.os) != Some(false)
                && compare.same(&self.expected.name, value, &exception.value, &context.root).is_some()
        })
    }
}
