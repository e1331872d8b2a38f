//! Harmless differences: other forms of the expected data with the same effect in Windows.

use super::row::{Row, Stated};
use crate::baseline::{Rule, notes_on};

/// Returns the notes on other forms that conform, without duplicates.
pub(super) fn notes(rows: &[Row<'_>]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for row in rows {
        let Stated::Value(key, value) = row.stated else { continue };
        let compare = match &value.rule {
            Rule::OneOf { compare, .. } => Some(*compare),
            _ => None,
        };
        for note in notes_on(&key.path, &value.name, compare) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}
