//! How users name findings: by id, as any report prints it, or by key.

use crate::finding::Finding;
use crate::report::escape::{escape, escape_data};

/// How a list of names names a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// By its own id.
    Itself,
    /// With all others of its key.
    ByKey,
    Not,
}

/// Returns whether this name means the finding: its id, or its id as a table or JSON prints it (`\u{d}`, `\r`), in any
/// letter case; or the id of its key.
pub fn is_named(finding: &Finding, name: &str) -> bool {
    how(finding, &[name.to_owned()]) != Named::Not
}

pub(super) fn how(finding: &Finding, names: &[String]) -> Named {
    if names.is_empty() {
        return Named::Not;
    }
    let id = &finding.id;
    let json = serde_json::to_string(id).unwrap_or_default();
    let json = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    let printed = [id.as_str(), &escape(id), &escape_data(id), json].map(str::to_lowercase);
    if names.iter().any(|name| printed.contains(&name.to_lowercase())) {
        Named::Itself
    } else if names.iter().any(|name| name.eq_ignore_ascii_case(finding.row())) {
        Named::ByKey
    } else {
        Named::Not
    }
}
