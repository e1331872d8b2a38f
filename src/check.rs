//! Checks a baseline file against its grammar: reports each error, its place, and the name that was probably meant.
//! Also reports expectations that no data can meet.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use crate::baseline::own::{shared, stem, text_of};
use crate::baseline::{Baseline, Own};
use crate::error::Error;
use crate::lint::excerpt::Excerpt;
use crate::report::escape::escape_data;

mod fields;
mod meaning;
mod places;
mod structure;

use places::Places;
use structure::{Names, Structure};

/// The most diagnostics that are reported. More do not help.
const MOST: usize = 100;

/// A file and its diagnostics.
#[derive(Debug)]
pub struct Checked {
    name: String,
    text: String,
    /// The diagnostics, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The baseline, if the file can be read.
    pub baseline: Option<Baseline>,
}

/// An error in a baseline file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The offset of its first byte.
    at: usize,
    /// What is wrong.
    pub message: String,
}

/// A range of bytes in a file, and the error there.
type Found = (Range<usize>, String);

/// Checks a file.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub fn check(path: &Path) -> Result<Checked, Error> {
    Ok(Checked::new(&path.display().to_string(), &stem(path), text_of(path)?))
}

impl Checked {
    /// Checks a text. `stem` is the baseline's id if the text states none.
    pub fn new(name: &str, stem: &str, text: String) -> Self {
        let (found, baseline) = diagnose(stem, &text);
        let mut diagnostics: Vec<Diagnostic> =
            found.into_iter().map(|(span, message)| Diagnostic { at: span.start, message }).collect();
        diagnostics.sort();
        diagnostics.dedup();
        Self { name: name.to_owned(), text, diagnostics, baseline }
    }

    /// Writes the diagnostics for people: `file:line:column: error: ...`, the line, and a caret below the place.
    ///
    /// # Errors
    /// Returns the error of the writer.
    pub fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = escape_data(&self.name);
        for Diagnostic { at, message } in self.diagnostics.iter().take(MOST) {
            let before = self.text.get(..*at).unwrap_or(&self.text);
            let number = before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
            let start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
            let line = self.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
            let within = before.get(start..).unwrap_or_default();
            let column = within.chars().count().saturating_add(1);
            writeln!(out, "{name}:{number}:{column}: error: {}", escape_data(message))?;
            let units: Vec<u16> = line.encode_utf16().collect();
            let fitted = Excerpt::of(&units, within.encode_utf16().count().saturating_add(1)).fit(100);
            let gutter = format!("{number} | ");
            writeln!(out, "  {gutter}{}", fitted.text)?;
            writeln!(out, "  {:>1$}{2:>3$}^", "| ", gutter.len(), "", fitted.column)?;
        }
        if let Some(more @ 1..) = self.diagnostics.len().checked_sub(MOST) {
            writeln!(out, "{name}: {more} more errors")?;
        }
        if let Some(baseline) = self.baseline.as_ref().filter(|_| self.diagnostics.is_empty()) {
            let values = baseline.keys.iter().fold(0_usize, |sum, key| sum.saturating_add(key.values.len()));
            let (keys, steps) = (baseline.keys.len(), baseline.steps.len());
            writeln!(out, "{name}: no errors; keys: {keys}, values: {values}, steps: {steps}")?;
        }
        Ok(())
    }
}

/// Returns the errors, and the baseline if it can be read.
fn diagnose(stem: &str, text: &str) -> (Vec<Found>, Option<Baseline>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let found = errors.iter().map(|error| (error.span().unwrap_or_default(), one_line(error.message())));
        return (found.collect(), None);
    }
    let shared = match shared() {
        Ok(shared) => shared,
        Err(message) => return (vec![(0..0, message)], None),
    };
    let names = Names::new(&shared, document.get_ref());
    let mut found = Structure::check(document.get_ref(), &names);
    let places = Places::of(document.get_ref(), &shared);
    if !found.is_empty() {
        return (found, None);
    }
    match read(stem, text) {
        Err(message) => {
            found.push((places.of_message(&message), one_line(&message)));
            (found, None)
        }
        Ok(own) => {
            found.extend(meaning::check(&own.baseline).into_iter().filter_map(|(row, message)| {
                // Rows of the built-in baseline that the file is like do not belong to the file.
                let is_own = message != meaning::NEVER_BUT || places.has_but(&row);
                Some((places.of_row(&row).filter(|_| is_own)?, format!("{row}: {message}")))
            }));
            (found, Some(own.baseline))
        }
    }
}

fn read(stem: &str, text: &str) -> Result<Own, String> {
    Own::compose(stem, toml::from_str(text).map_err(|error| error.message().to_owned())?)
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the byte range of a key or a value of TOML.
fn span_of<T>(spanned: &Spanned<T>) -> Range<usize> {
    spanned.span()
}
