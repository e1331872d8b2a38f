//! Keys of a hive with their values, for people, written key by key and value by value.

use std::io::{self, Write};

use super::page::{GAP, Ink, Page};
use super::{Style, data, heading};
use crate::error::Problem;
use crate::finding::ObservedDatum;
use crate::registry::FileTime;
use crate::report::escape::escape_data;

/// The width of `last written`.
const LABEL: usize = 12;
/// The width of names. Most names fit; longer ones are wrapped.
const NAME: usize = 26;
/// The width of `REG_EXPAND_SZ`.
const TYPE: usize = 13;
/// The indentation below a key.
const INDENT: usize = 2;
/// The most names of subkeys that are listed. Further ones are counted.
const SUBKEYS_NAMED: usize = 100;

/// A page of keys.
pub(crate) struct KeyPage<'w> {
    page: Page<'w>,
    begun: bool,
    heads: bool,
}

impl<'w> KeyPage<'w> {
    pub(crate) fn new(writer: &'w mut dyn Write, style: Style) -> Self {
        Self { page: Page::new(writer, style), begun: false, heads: false }
    }

    /// Writes a key: its path, when it was last written, and its class if it has one.
    pub(crate) fn key(&mut self, path: &str, last_written: FileTime, class: Option<&str>) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            self.page.blank()?;
        }
        self.heads = false;
        self.page.paragraph(0, &escape_data(path), Ink::Strong)?;
        self.page.rule()?;
        self.page.labelled(INDENT, LABEL, "last written", &last_written.to_string(), Ink::Dim)?;
        match class {
            Some(class) => self.page.labelled(INDENT, LABEL, "class", &data::name(class), Ink::Dim),
            None => Ok(()),
        }
    }

    /// Writes a value of the last key.
    pub(crate) fn value(&mut self, name: &str, observed: &ObservedDatum) -> io::Result<()> {
        let fixed = [INDENT, NAME, GAP, TYPE, GAP].into_iter().fold(0, usize::saturating_add);
        let rest = self.page.width().saturating_sub(fixed);
        if !std::mem::replace(&mut self.heads, true) {
            self.page.row(INDENT, &[(NAME, "value"), (TYPE, "type"), (rest, "data")], Ink::Dim)?;
        }
        let name = if name.is_empty() { "(default)".to_owned() } else { data::name(name) };
        let kind = observed.datum.data_type.to_string();
        self.page.row(INDENT, &[(NAME, &name), (TYPE, &kind), (rest, &data::beside_type(observed))], Ink::Plain)
    }

    /// Writes the names of its subkeys.
    pub(crate) fn subkeys(&mut self, mut names: impl Iterator<Item = String>) -> io::Result<()> {
        let mut shown: Vec<String> = names.by_ref().take(SUBKEYS_NAMED).map(|name| data::name(&name)).collect();
        match names.count() {
            _ if shown.is_empty() => return Ok(()),
            0 => {}
            more => shown.push(format!("and {} more", super::grouped(more as u64))),
        }
        self.page.facts(INDENT, LABEL, "subkeys", &shown, ", ")
    }

    /// Writes a problem of a key: a part that is not shown, or not as it is.
    pub(crate) fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        self.page.labelled(INDENT, LABEL, "problem", &heading::problem(problem), Ink::High)
    }
}
