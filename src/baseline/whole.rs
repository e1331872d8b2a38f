//! A whole baseline as TOML text: `baseline show` prints this text, and the baseline's checksum covers it.

use std::fmt::Write as _;

use toml::{Table, Value};

/// Returns the text of a whole baseline. `Baseline::parse` reads it.
pub fn to_text(whole: &Table) -> String {
    let mut text = String::new();
    let rows = ["key", "step"];
    fields(&mut text, whole, &rows);
    for kind in rows {
        for row in whole.get(kind).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table) {
            line(&mut text, format_args!("\n[[{kind}]]"));
            fields(&mut text, row, &["values"]);
            for (name, value) in row.get("values").and_then(Value::as_table).into_iter().flatten() {
                line(&mut text, format_args!("\n[key.values.{}]", name_of(name)));
                fields(&mut text, value.as_table().unwrap_or(&Table::new()), &[]);
            }
        }
    }
    text
}

fn fields(text: &mut String, table: &Table, but: &[&str]) {
    for (name, value) in table.iter().filter(|(name, _)| !but.contains(&name.as_str())) {
        line(text, format_args!("{} = {value}", name_of(name)));
    }
}

/// Returns a name as a TOML key, without quotes if possible.
pub fn name_of(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { Value::from(name).to_string() }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
