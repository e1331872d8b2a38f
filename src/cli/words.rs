//! Parsers for words for which clap has none.

use clap::ValueEnum as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::finding::Severity;
use crate::os::OsId;

/// Parses the id of a Windows that has a baseline.
pub(super) fn os_id(text: &str) -> Result<OsId, String> {
    text.parse().ok().filter(|id: &OsId| id.has_baseline()).ok_or_else(|| {
        let meant = OsId::meant(text).filter(|id| id.has_baseline());
        let meant = meant.map(|id| format!("; did you mean \"{id}\"?")).unwrap_or_default();
        format!("no baseline \"{text}\"{meant}\nSee `hivemend baseline list`")
    })
}

/// Parses every severity but `info`, which never fails a run.
pub(super) fn fail_on() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["low", "medium", "high", "critical"]).try_map(|text| Severity::from_str(&text, false))
}
