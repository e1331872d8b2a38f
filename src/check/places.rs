//! The place of each row in a document.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::span_of;
use crate::baseline::compose::Shared;

/// The places of rows by their ids (keys, steps, and values such as `service-bits/Start`), and the values with `but`.
pub(super) struct Places(BTreeMap<String, Range<usize>>, BTreeSet<String>);

impl Places {
    /// Returns the places in a document.
    pub(super) fn of(document: &DeTable<'_>, shared: &Shared) -> Self {
        let mut places = Self(BTreeMap::new(), BTreeSet::new());
        let rows = ["key", "step"].iter().filter_map(|kind| document.get(*kind)?.get_ref().as_array());
        for row in rows.flatten() {
            let Some(table) = row.get_ref().as_table() else { continue };
            let text = |field: &str| Some((table.get(field)?, table.get(field)?.get_ref().as_str()?));
            let own = text("id").map(|(at, id)| (span_of(at), id.to_owned()));
            let of_template = || {
                let (_, kind) = text("template")?;
                let (at, name) = text("name")?;
                let pattern = shared.templates.get(kind)?.get("id")?.as_str()?;
                Some((span_of(at), pattern.replace("{id}", &name.to_lowercase().replace([' ', '_'], "-"))))
            };
            match own.or_else(of_template) {
                Some((at, id)) => places.row(&id, at, table),
                None => _ = places.0.entry(String::new()).or_insert(row.span()),
            }
        }
        let changes = document.get("change").and_then(|change| change.get_ref().as_table());
        for (id, change) in changes.into_iter().flatten() {
            if let Some(table) = change.get_ref().as_table() {
                places.row(id.get_ref(), id.span(), table);
            }
        }
        let dropped = document.get("drop").and_then(|drop| drop.get_ref().as_array());
        for entry in dropped.into_iter().flatten() {
            if let DeValue::String(name) = entry.get_ref() {
                places.0.insert(format!("drop names {:?}", name.as_ref()), span_of(entry));
            }
        }
        places
    }

    fn row(&mut self, id: &str, at: Range<usize>, table: &DeTable<'_>) {
        // If two rows have the same id, the second is the error.
        self.0.insert(id.to_owned(), at);
        let values = table.get("values").and_then(|values| values.get_ref().as_table());
        for (name, value) in values.into_iter().flatten() {
            let row = format!("{id}/{}", name.get_ref());
            if value.get_ref().get("but").is_some() {
                self.1.insert(row.clone());
            }
            self.0.insert(row, name.span());
        }
    }

    /// Returns the place of a row, if the document contains the row.
    pub(super) fn of_row(&self, row: &str) -> Option<Range<usize>> {
        self.0.get(row).cloned()
    }

    /// Returns whether the document itself states `but` for a value.
    pub(super) fn has_but(&self, row: &str) -> bool {
        self.1.contains(row)
    }

    /// Returns the place of the row that a message begins with. The longest matching id wins.
    pub(super) fn of_message(&self, message: &str) -> Range<usize> {
        let message = ["key ", "change."].iter().find_map(|prefix| message.strip_prefix(prefix)).unwrap_or(message);
        let ends = message.char_indices().map(|(at, _)| at).chain([message.len()]);
        let ids: Vec<&str> = ends.filter_map(|end| message.get(..end)).collect();
        let found = ids.iter().rev().find_map(|id| self.0.get(*id).filter(|_| !id.is_empty()));
        found.or_else(|| self.0.get("")).cloned().unwrap_or_default()
    }
}
