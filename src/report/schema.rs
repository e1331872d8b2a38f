//! The report's JSON Schema, as `hivemend schema` prints it.

/// JSON Schema, draft 2020-12, of the report of `audit` and of `find`. A line of `jsonl` is its `$defs/finding` with
/// `installation` before it.
pub fn text() -> &'static str {
    include_str!("schema.json")
}
