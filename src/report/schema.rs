//! The report's JSON Schema, as `hivemend schema` prints it.

use std::sync::OnceLock;

use crate::os::OsId;

/// What stands in the file where the ids of all Windows go: they are data, in `src/baselines/releases.toml`.
const OS_IDS: &str = r#""enum": ["unknown"]"#;

/// JSON Schema, draft 2020-12, of the report of `audit` and of `find`. A line of `jsonl` is its `$defs/finding` with
/// `installation` before it.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let ids: Vec<String> = OsId::ALL.iter().map(|id| format!("        \"{id}\"")).collect();
        include_str!("schema.json").replace(OS_IDS, &format!("\"enum\": [\n{}\n      ]", ids.join(",\n")))
    })
}
