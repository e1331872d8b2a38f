//! Everything that a verdict can depend on.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::Context;
use crate::baseline::{Baseline, ExpectedValue, Note, Rule};
use crate::facts::{Facts, Observed};
use crate::finding::Source;
use crate::registry::{Name, RegistryValue, same_text};

/// The accepted groups that each service's ImagePath names in the judged control sets.
pub(super) type Groups = BTreeMap<Name, Vec<String>>;

/// Expectations, facts, and the installation that the facts describe.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) facts: &'a Facts,
    pub(super) context: &'a Context<'a>,
    /// Read at the first use.
    pub(super) groups: &'a OnceCell<Groups>,
}

impl<'a> Scene<'a> {
    /// Returns the data of another row of the baseline, in the same control set.
    pub(super) fn value(&self, key: &str, value: &str, control_set: Option<u32>) -> Option<&'a RegistryValue> {
        let (index, expected) = self.baseline.keys.iter().enumerate().find(|(_, expected)| expected.id == key)?;
        let at = expected.values.iter().position(|expected| same_text(&expected.name, value))?;
        let mut facts = self.facts.keys.iter().filter(|(of, _)| *of == index).map(|(_, facts)| facts);
        let facts = facts.find(|facts| control_set.is_none() || facts.control_set == control_set)?;
        match facts.values.get(at)? {
            Observed::Present(named) => Some(&named.value),
            _ => None,
        }
    }

    /// Returns the note and source if a row accepts the data, otherwise `None`. Only another form has note and source.
    pub(super) fn accepted(&self, expected: &ExpectedValue, value: &RegistryValue) -> Option<(Note, Option<Source>)> {
        let Rule::OneOf { accepted, compare } = &expected.rule else { return None };
        let mut first = None;
        for accepted in accepted.iter().filter(|accepted| accepted.when.holds(self.context.os) != Some(false)) {
            let same = compare.same(&expected.name, value, &accepted.value, &self.context.root);
            let Some(form) = same else { continue };
            let notes: Vec<String> = form.into_iter().chain(accepted.note.clone()).collect();
            let note = (!notes.is_empty()).then(|| notes.join(" "));
            // Data that are spelled as expected need no note.
            if note.is_none() {
                return Some((None, accepted.source.clone()));
            }
            first.get_or_insert((note, accepted.source.clone()));
        }
        first
    }
}
