//! The report as a sheet: one row for each finding, the same columns in each, one kind of data in each column.

use std::io::{self, Write};

use super::sheet::Sheet;
use super::{InstallationReport, Renderer, Run, Summary};
use crate::finding::{Datum, Finding, Remediation};
use crate::registry::hex;
use crate::report::table::word;

/// The columns.
const COLUMNS: [&str; 43] = [
    "installation",
    "label",
    "evidence",
    "generation",
    "computer_name",
    "os",
    "os_name",
    "build",
    "baseline",
    "id",
    "verdict",
    "severity",
    "grade",
    "reason",
    "cause",
    "control_set",
    "hive",
    "key",
    "value",
    "expected_type",
    "expected_text",
    "observed_type",
    "observed_text",
    "observed_raw",
    "key_last_written",
    "key_last_written_note",
    "view",
    "nk_offset",
    "vk_offset",
    "data_offset",
    "why",
    "note",
    "advice",
    "source",
    "source_url",
    "attack",
    "also_in",
    "action",
    "action_type",
    "action_text",
    "hive_path",
    "hive_sha256",
    "hive_state",
];

/// Writes one row for each finding.
#[derive(Debug)]
pub struct Rows<W: Write> {
    writer: Option<W>,
    sheet: Option<Sheet<W>>,
}

impl<W: Write> Rows<W> {
    /// Returns a sheet of which nothing is written yet.
    pub fn new(writer: W) -> Self {
        Self { writer: Some(writer), sheet: None }
    }

    /// Returns the sheet, and writes its columns at the first call.
    fn sheet(&mut self) -> io::Result<Option<&mut Sheet<W>>> {
        if let Some(writer) = self.writer.take() {
            self.sheet = Some(Sheet::new(writer, &COLUMNS)?);
        }
        Ok(self.sheet.as_mut())
    }
}

impl<W: Write> Renderer for Rows<W> {
    fn run(&mut self, _: &Run) -> io::Result<()> {
        self.sheet().map(|_| ())
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        let Some(sheet) = self.sheet()? else { return Ok(()) };
        for finding in installation.judgement.iter().flat_map(|judgement| &judgement.findings) {
            sheet.row(row(installation, finding))?;
        }
        sheet.flush()
    }

    fn summary(&mut self, _: &Summary) -> io::Result<()> {
        self.sheet()?.map_or(Ok(()), Sheet::flush)
    }
}

fn row(installation: &InstallationReport, finding: &Finding) -> [String; COLUMNS.len()] {
    let hive = installation.hive_of(finding);
    let baseline = installation.judgement.as_ref().and_then(|judgement| judgement.baseline.as_ref());
    let observed = finding.observed.as_ref();
    let location = finding.location.as_ref();
    let (action, set) = match &finding.remediation {
        None => ("", None),
        Some(Remediation::DeleteValue) => ("delete-value", None),
        Some(Remediation::Set { datum, .. }) => ("set", Some(datum)),
    };
    [
        installation.id.clone(),
        installation.label.clone().unwrap_or_default(),
        installation.evidence.clone(),
        installation.generation.to_string(),
        optional(installation.machine.computer_name.as_ref()),
        installation.os.id.to_string(),
        installation.os.name.to_string(),
        optional(installation.os.build),
        optional(baseline.map(|baseline| &baseline.id)),
        finding.id.clone(),
        finding.verdict.kind().as_str().to_owned(),
        word(&finding.severity),
        word(&finding.grade),
        finding.verdict.reason().as_ref().map(word).unwrap_or_default(),
        optional(finding.cause.as_ref()),
        optional(finding.control_set),
        optional(finding.hive),
        finding.full_key().unwrap_or_default(),
        optional(finding.value.as_ref()),
        types(finding),
        finding.expected_text(),
        optional(observed.map(|observed| observed.datum.data_type)),
        observed.map(|observed| observed.value().to_text()).unwrap_or_default(),
        observed.map(|observed| hex(&observed.raw)).unwrap_or_default(),
        optional(finding.key_date()),
        optional(finding.key_last_written_note.as_ref()),
        word(&finding.view),
        optional(location.and_then(|location| location.nk)),
        optional(location.and_then(|location| location.vk)),
        optional(location.and_then(|location| location.data)),
        finding.why.clone(),
        optional(finding.note.as_ref()),
        optional(finding.advice.as_ref()),
        finding.source.title.clone(),
        optional(finding.source.url.as_ref()),
        finding.attack.join(" "),
        finding.also_in.join(" | "),
        action.to_owned(),
        optional(set.map(|datum| datum.data_type)),
        set.map(Datum::to_text).unwrap_or_default(),
        optional(hive.map(|hive| &hive.path)),
        optional(hive.and_then(|hive| hive.sha256.as_ref())),
        hive.map(|hive| word(&hive.integrity.state)).unwrap_or_default(),
    ]
}

/// Returns the types of the accepted data, without duplicates.
fn types(finding: &Finding) -> String {
    let mut types: Vec<String> = Vec::new();
    for datum in finding.expected.data().iter() {
        let name = datum.data_type.to_string();
        if !types.contains(&name) {
            types.push(name);
        }
    }
    types.join(" | ")
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
