//! The JSON Schemas of all JSON that the program writes, as `hivemend schema` prints them.
//!
//! The schemas are strict: they refuse an unknown field, and a document with a missing field. Each schema has its own
//! file. Shared definitions are in `defs.json`, and each schema receives those that it refers to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;

use clap::ValueEnum;
use serde_json::value::RawValue;

use crate::os::OsId;
use crate::reg_file::Code;

/// The shared definitions.
const SHARED: &str = include_str!("schema/defs.json");
/// The prefix of a reference to a shared definition.
const REFERENCE: &str = "\"#/$defs/";

/// A kind of JSON that the program writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Record {
    /// The report of `audit`, `find` and `report` (--format json)
    #[default]
    #[value(aliases = ["audit", "find", "json"])]
    Report,
    /// A line of a report (--format jsonl)
    #[value(alias = "jsonl")]
    Records,
    /// `history --format json`
    History,
    /// `verify --format json`
    Verify,
    /// `verify --applied --format json`
    Applied,
    /// `lint --format json`
    Lint,
    /// `show --format json`
    Show,
    /// plan.json, which `audit --patch` writes
    Plan,
    /// The chain-of-custody record of --custody
    Custody,
    /// `baseline list --format json`
    #[value(alias = "baseline")]
    Baselines,
    /// A line of --progress json
    Progress,
    /// A line of --format timesketch
    Timesketch,
    /// A line of --format ecs
    Ecs,
}

impl Record {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Report,
        Self::Records,
        Self::History,
        Self::Verify,
        Self::Applied,
        Self::Lint,
        Self::Show,
        Self::Plan,
        Self::Custody,
        Self::Baselines,
        Self::Progress,
        Self::Timesketch,
        Self::Ecs,
    ];

    /// Returns the schema without the shared definitions.
    fn own(self) -> &'static str {
        match self {
            Self::Report => include_str!("schema/report.json"),
            Self::Records => include_str!("schema/records.json"),
            Self::History => include_str!("schema/history.json"),
            Self::Verify => include_str!("schema/verify.json"),
            Self::Applied => include_str!("schema/applied.json"),
            Self::Lint => include_str!("schema/lint.json"),
            Self::Show => include_str!("schema/show.json"),
            Self::Plan => include_str!("schema/plan.json"),
            Self::Custody => include_str!("schema/custody.json"),
            Self::Baselines => include_str!("schema/baselines.json"),
            Self::Progress => include_str!("schema/progress.json"),
            Self::Timesketch => include_str!("schema/timesketch.json"),
            Self::Ecs => include_str!("schema/ecs.json"),
        }
    }
}

/// Returns the JSON Schema, draft 2020-12, of this kind of JSON.
///
/// # Errors
/// Returns an error if a file with schemas is wrong. The tests ensure that none is.
pub fn text(record: Record) -> io::Result<String> {
    let shared = shared()?;
    let own = record.own().trim_end();
    let mut used = BTreeSet::new();
    let mut open = references(own);
    while let Some(name) = open.pop() {
        let definition =
            shared.get(name).ok_or_else(|| io::Error::other(format!("$defs/{name} is not in defs.json")))?;
        if used.insert(name) {
            open.extend(references(definition));
        }
    }
    let mut text = own.strip_suffix('}').unwrap_or(own).trim_end().to_owned();
    let mut before = ",\n  \"$defs\": {";
    for name in used {
        let definition = shared.get(name).map(|text| text.replace('\n', "\n  ")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(text, "{before}\n    \"{name}\": {definition}");
        before = ",";
    }
    text.push_str(if before == "," { "\n  }\n}\n" } else { "\n}\n" });
    Ok(text)
}

/// Returns the shared definitions by name: those in the file, and the lists of words that come from the code.
fn shared() -> io::Result<BTreeMap<&'static str, String>> {
    let file: BTreeMap<&'static str, &'static RawValue> = serde_json::from_str(SHARED)?;
    let mut shared: BTreeMap<&str, String> =
        file.into_iter().map(|(name, text)| (name, text.get().to_owned())).collect();
    shared.insert("os_id", words(OsId::ALL.iter().map(ToString::to_string)));
    shared.insert("lint_code", words(Code::ALL.iter().map(|code| code.id().to_owned())));
    Ok(shared)
}

fn words(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.map(|word| format!("      \"{word}\"")).collect();
    format!("{{\n    \"enum\": [\n{}\n    ]\n  }}", words.join(",\n"))
}

/// Returns the names of the shared definitions that a schema refers to.
fn references(text: &str) -> Vec<&str> {
    text.split(REFERENCE).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}
