//! One line as a record, in the types of the report.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Problem;
use crate::evidence::file::Snapshot;
use crate::finding::Finding;
use crate::report::{InstallationReport, Run, SourceOutcome, SourceReport, Summary};

/// A record.
#[derive(Debug)]
pub(super) enum Record {
    Run(Box<Run>),
    Installation(String, Box<InstallationReport>),
    /// With the id of its installation.
    Finding(String, Box<Finding>),
    /// A refused source that belongs to a machine or an exhibit with a label.
    Refused {
        locator: String,
        label: String,
    },
    /// A record that says nothing of a machine, and that was read.
    Other,
    Summary(Box<Summary>),
    /// A record of a kind that this program does not know, as a later version may write.
    Unknown,
}

/// The part of a line that decides what it is.
#[derive(Deserialize)]
struct Head<'l> {
    #[serde(borrow)]
    record: Cow<'l, str>,
    #[serde(borrow, default)]
    installation: Option<Owner<'l>>,
}

/// The installation of a finding.
#[derive(Deserialize)]
struct Owner<'l> {
    #[serde(borrow)]
    id: Cow<'l, str>,
}

/// Reads a line.
pub(super) fn record(line: &[u8]) -> Result<Record, String> {
    let said = |error: serde_json::Error| told(line, &error);
    let head: Head<'_> = serde_json::from_slice(line).map_err(said)?;
    Ok(match &*head.record {
        "run" => Record::Run(serde_json::from_slice(line).map_err(said)?),
        "installation" => installation(line).map_err(said)?,
        "finding" => {
            let owner = head.installation.ok_or("a finding without its installation")?;
            Record::Finding(owner.id.into_owned(), serde_json::from_slice(line).map_err(said)?)
        }
        "summary" => Record::Summary(serde_json::from_slice(line).map_err(said)?),
        "shadow-copy" => serde_json::from_slice(line).map(|_: Snapshot| Record::Other).map_err(said)?,
        "source" => serde_json::from_slice(line).map(source).map_err(said)?,
        "problem" => serde_json::from_slice(line).map(|_: Problem| Record::Other).map_err(said)?,
        _ => Record::Unknown,
    })
}

fn source(source: SourceReport) -> Record {
    match (source.outcome, source.label) {
        (SourceOutcome::Refused, Some(label)) => Record::Refused { locator: source.locator, label },
        _ => Record::Other,
    }
}

/// Reads an installation. Its findings have lines of their own, so the list that the report has is empty here.
fn installation(line: &[u8]) -> serde_json::Result<Record> {
    let mut fields: Map<String, Value> = serde_json::from_slice(line)?;
    fields.remove("record");
    if fields.contains_key("counts") {
        fields.insert("findings".to_owned(), Value::Array(Vec::new()));
    }
    let installation = InstallationReport::deserialize(Value::Object(fields))?;
    Ok(Record::Installation(installation.id.clone(), Box::new(installation)))
}

/// Returns what is wrong with a line, without its text.
fn told(line: &[u8], error: &serde_json::Error) -> String {
    match line.first() {
        Some(b'{') if error.is_eof() => "the line ends in the middle of a record".to_owned(),
        Some(b'{') if error.is_data() => format!("not a record that this hivemend reads: {error}"),
        Some(b'{') => format!("not JSON: {error}"),
        _ => "not a record: expected a line of JSON that begins with {".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_record_says_why() {
        let said = |line: &str| record(line.as_bytes()).unwrap_err();
        assert_eq!(said("{\"record\":\"finding\",\"inst"), "the line ends in the middle of a record");
        assert_eq!(said("[1]"), "not a record: expected a line of JSON that begins with {");
        assert!(said("{\"schema_version\":\"1\"}").contains("missing field `record`"));
        assert!(said("{\"record\":\"finding\",}").starts_with("not JSON: "));
        assert_eq!(said("{\"record\":\"finding\"}"), "a finding without its installation");
        assert!(said("{\"record\":\"run\",\"schema_version\":\"2\"}").contains("this hivemend reads \"1\""));
        assert!(said("{\"record\":\"installation\",\"id\":\"a\"}").contains("missing field"));
    }

    #[test]
    fn a_kind_that_a_later_version_adds_is_no_error() {
        assert!(matches!(record(b"{\"record\":\"licence\",\"text\":1}"), Ok(Record::Unknown)));
    }
}
