//! Detects unknown fields, words, and names, and suggests the nearest known one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{Kind, words};
use super::{Found, span_of};
use crate::baseline::BUILT_IN;
use crate::baseline::compose::Shared;
use crate::nearest::{nearest, suggestion};
use crate::os::OsId;

/// The names that a file may refer to.
pub(super) struct Names<'a> {
    shared: &'a Shared,
    own_sources: Vec<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn new(shared: &'a Shared, document: &'a DeTable<'_>) -> Self {
        let sources = document.get("sources").and_then(|sources| sources.get_ref().as_table());
        let own_sources = sources.into_iter().flat_map(DeTable::keys).map(|name| name.get_ref().as_ref()).collect();
        Self { shared, own_sources }
    }

    fn sources(&self) -> impl Iterator<Item = &str> {
        let built_in = self.shared.sources.keys().map(String::as_str).filter(|name| *name != "groups");
        built_in.chain(self.own_sources.iter().copied())
    }
}

/// The search for unknown fields, words, and names.
pub(super) struct Structure<'a> {
    names: &'a Names<'a>,
    found: Vec<Found>,
}

impl<'a> Structure<'a> {
    /// Returns the errors in a document's fields, words, and names.
    pub(super) fn check(document: &DeTable<'_>, names: &'a Names<'a>) -> Vec<Found> {
        let mut structure = Self { names, found: Vec::new() };
        structure.table(document, Kind::Document);
        structure.found
    }

    fn table(&mut self, table: &DeTable<'_>, kind: Kind) {
        let fields = kind.fields();
        for (name, value) in table {
            let field: &str = name.get_ref().as_ref();
            if let Some(fields) = fields.as_ref().filter(|fields| !fields.contains(&field)) {
                let near = suggestion(field, fields.iter().copied());
                self.found.push((span_of(name), format!("{field:?} is not a field of {}{near}", kind.name())));
                continue;
            }
            self.field(kind, field, value);
        }
    }

    fn field(&mut self, kind: Kind, field: &str, value: &Spanned<DeValue<'_>>) {
        if let Some(of_names) = kind.of_names(field) {
            for (_, entry) in value.get_ref().as_table().into_iter().flatten() {
                if let Some(table) = entry.get_ref().as_table() {
                    self.table(table, of_names);
                }
            }
            return;
        }
        let inner = kind.of_field(field);
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, inner.unwrap_or(Kind::Free)),
            DeValue::Array(entries) => {
                for entry in entries {
                    match entry.get_ref() {
                        DeValue::Table(table) => self.table(table, inner.unwrap_or(Kind::Free)),
                        DeValue::String(text) => self.word(kind, field, text, entry),
                        _ => {}
                    }
                }
            }
            DeValue::String(text) => self.word(kind, field, text, value),
            _ => {}
        }
    }

    /// Checks a word in a field that allows only some words, or a name.
    fn word(&mut self, kind: Kind, field: &str, text: &str, at: &Spanned<DeValue<'_>>) {
        if kind == Kind::Free {
            return;
        }
        if let Some(words) = words(kind, field) {
            if !words.contains(&text) {
                let near = suggestion(text, words.iter().copied());
                let list = words.join(", ");
                self.found.push((span_of(at), format!("{field} is one of {list}, not {text:?}{near}")));
            }
            return;
        }
        let shared = self.names.shared;
        let unknown = match (kind, field) {
            (Kind::Key, "template") if !shared.templates.contains_key(text) => {
                let near = suggestion(text, shared.templates.keys().map(String::as_str));
                Some(format!("no template {text:?}{near}"))
            }
            (_, "why" | "advice" | "unknown") => {
                let name = text.strip_prefix('@').filter(|name| !shared.texts.contains_key(*name));
                name.map(|name| {
                    format!("no text {name:?}{}", suggestion(name, shared.texts.keys().map(String::as_str)))
                })
            }
            (Kind::Document, "like") if !BUILT_IN.iter().any(|built_in| built_in.id == text) => {
                let near = suggestion(text, BUILT_IN.iter().map(|built_in| built_in.id));
                Some(format!("no built-in baseline {text:?}{near}"))
            }
            (_, "applies-to" | "kinship") if text.parse::<OsId>().is_err() => {
                Some(format!("no Windows {text:?}{}", suggestion(text, OsId::ALL.iter().map(|os| os.as_str()))))
            }
            (_, "source") => self.source(text),
            _ => None,
        };
        self.found.extend(unknown.map(|message| (span_of(at), message)));
    }

    /// Returns a message for a source that looks like a name and is unknown. Free text has more than one word.
    fn source(&self, text: &str) -> Option<String> {
        let is_name = text.contains('-')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_name || self.names.sources().any(|known| known == text) {
            return None;
        }
        let near = nearest(text, self.names.sources())?;
        Some(format!(
            "no source {text:?}; did you mean {near:?}? A source of your own stands in [sources], or is a sentence"
        ))
    }
}
