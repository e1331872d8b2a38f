//! Resolves an id to an expectation and to the rows of all Windows that state it.

use std::collections::BTreeSet;

use crate::baseline::{Baseline, Basis, ExpectedKey, ExpectedValue, Step};
use crate::registry::same_text;

/// The expectation that an id names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Id {
    /// A value of a key.
    Value(String, String),
    /// A key, or an entry of the key that the baseline does not name.
    Key(String, Option<String>),
    /// A step that hives cannot decide.
    Step(String),
}

/// The row of one Windows.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) windows: &'a str,
    pub(super) stated: Stated<'a>,
}

/// The row itself.
#[derive(Clone, Copy)]
pub(super) enum Stated<'a> {
    Value(&'a ExpectedKey, &'a ExpectedValue),
    Key(&'a ExpectedKey),
    Step(&'a Step),
}

impl Id {
    /// Resolves an id in the first baseline that has it.
    pub(super) fn find(id: &str, baselines: &[&Baseline]) -> Option<Self> {
        let keys = || baselines.iter().flat_map(|baseline| &baseline.keys);
        if baselines.iter().flat_map(|baseline| &baseline.steps).any(|step| step.id == id) {
            return Some(Self::Step(id.to_owned()));
        }
        if keys().any(|key| key.id == id) {
            return Some(Self::Key(id.to_owned(), None));
        }
        // A value's name may contain slashes, and a subkey's name may precede it.
        let of_value = keys().find_map(|key| {
            let rest = id.strip_prefix(&key.id)?.strip_prefix('/')?;
            let named = |value: &&ExpectedValue| {
                let behind =
                    |name: &str| rest.get(rest.len().checked_sub(name.len())?..).filter(|end| same_text(end, name));
                let below = behind(&format!("/{}", value.name)).filter(|_| key.each_subkey.is_some());
                same_text(rest, &value.name) || below.is_some()
            };
            Some(Self::Value(key.id.clone(), key.values.iter().find(named)?.name.clone()))
        });
        of_value.or_else(|| {
            let key = keys().find(|key| id.strip_prefix(&key.id).is_some_and(|rest| rest.starts_with(['/', '\\'])))?;
            let other = id.get(key.id.len()..)?.get(1..)?.to_owned();
            // Only a closed list, or a list that svchost reads, has findings that no row names.
            (key.closed || key.subkeys.is_some() || key.id.starts_with("svchost-"))
                .then(|| Self::Key(key.id.clone(), Some(other)))
        })
    }

    /// Returns the rows of a baseline.
    pub(super) fn rows<'a>(&self, baseline: &'a Baseline) -> Vec<Row<'a>> {
        let row = |stated| Row { windows: &baseline.name, stated };
        let keys = |id: &'_ str| baseline.keys.iter().filter(move |key| key.id == *id).collect::<Vec<_>>();
        match self {
            Self::Step(id) => {
                baseline.steps.iter().filter(|step| step.id == *id).map(|step| row(Stated::Step(step))).collect()
            }
            Self::Key(id, _) => keys(id).into_iter().map(|key| row(Stated::Key(key))).collect(),
            Self::Value(id, name) => keys(id)
                .into_iter()
                .flat_map(|key| {
                    key.values.iter().filter(|value| same_text(&value.name, name)).map(move |value| (key, value))
                })
                .map(|(key, value)| row(Stated::Value(key, value)))
                .collect(),
        }
    }
}

impl<'a> Stated<'a> {
    /// Returns why the row matters and the source.
    pub(super) fn basis(self) -> &'a Basis {
        match self {
            Self::Value(_, value) => &value.basis,
            Self::Key(key) => &key.basis,
            Self::Step(step) => &step.basis,
        }
    }

    /// Returns the key that the row belongs to.
    pub(super) fn key(self) -> Option<&'a ExpectedKey> {
        match self {
            Self::Value(key, _) | Self::Key(key) => Some(key),
            Self::Step(_) => None,
        }
    }
}

/// Returns every id of these baselines.
pub(super) fn ids(baselines: &[&Baseline]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for baseline in baselines {
        ids.extend(baseline.steps.iter().map(|step| step.id.clone()));
        for key in &baseline.keys {
            ids.insert(key.id.clone());
            ids.extend(key.values.iter().map(|value| format!("{}/{}", key.id, value.name)));
        }
    }
    ids
}
