//! Fields of a TOML table, with a message if a field has the wrong type.

use toml::{Table, Value};

/// Returns a string in a field.
pub(super) fn text<'a>(table: &'a Table, field: &str) -> Option<&'a str> {
    table.get(field).and_then(Value::as_str)
}

/// Returns the tables of an array of tables, such as `[[key]]`.
pub(super) fn tables(table: &Table, field: &str) -> Result<Vec<Table>, String> {
    let Some(value) = table.get(field) else { return Ok(Vec::new()) };
    let entries = value.as_array().and_then(|entries| entries.iter().map(Value::as_table).collect::<Option<Vec<_>>>());
    Ok(entries.ok_or_else(|| format!("{field} must be written [[{field}]]"))?.into_iter().cloned().collect())
}

/// Returns the table in a field; empty if the field is missing.
pub(super) fn table_in(table: &Table, field: &str) -> Result<Table, String> {
    match table.get(field) {
        None => Ok(Table::new()),
        Some(value) => value.as_table().cloned().ok_or_else(|| format!("{field} must be a table")),
    }
}

/// Returns the list of strings in a field; empty if the field is missing.
pub(super) fn list(table: &Table, field: &str) -> Result<Vec<String>, String> {
    let Some(value) = table.get(field) else { return Ok(Vec::new()) };
    let entries = value.as_array().map(|entries| entries.iter().map(|entry| entry.as_str().map(str::to_owned)));
    entries.and_then(Iterator::collect).ok_or_else(|| format!("{field} must be a list of strings"))
}
