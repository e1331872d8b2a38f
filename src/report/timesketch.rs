//! Events for Timesketch, one per line: when the keys of the findings were last written, when Windows was installed and
//! last shut down, when each hive was last written.
//!
//! Each line has `message`, `datetime`, `timestamp` (microseconds since 1970), and `timestamp_desc`, as the importer
//! requires: <https://timesketch.org/guides/user/import-from-json-csv/>. All other fields are flat, and none changes
//! its type.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::escape::escape;
use super::event::{NO_TIME, When, microseconds, sentence};
use super::json::write_line;
use super::{InstallationReport, Renderer, Run, Summary};
use crate::finding::Finding;
use crate::registry::FileTime;
use crate::report::table::word;

/// Writes one event per line.
#[derive(Debug)]
pub struct Events<W: Write> {
    writer: BufWriter<W>,
}

impl<W: Write> Events<W> {
    /// Returns a file of which nothing is written yet.
    pub fn new(writer: W) -> Self {
        Self { writer: BufWriter::new(writer) }
    }
}

impl<W: Write> Renderer for Events<W> {
    fn run(&mut self, _: &Run) -> io::Result<()> {
        Ok(())
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        let machine = &installation.machine;
        let of_machine = [(machine.installed, "Windows installed"), (machine.last_shutdown, "Last shutdown")];
        for (time, what) in of_machine {
            if let Some(time) = time.filter(|time| time.is_date()) {
                let message = format!("{what}: {}", computer(installation));
                write_line(&Event::new(installation, When { time: Some(time), of: what }, message), &mut self.writer)?;
            }
        }
        for hive in &installation.hives {
            if let Some(time) = hive.last_written.filter(|time| time.is_date()) {
                let when = When { time: Some(time), of: "Hive last written" };
                let message = format!("Hive last written: {} ({})", escape(&hive.path), hive.role);
                let event = Event {
                    data_type: "hivemend:hive",
                    hive_path: &hive.path,
                    hive_sha256: hive.sha256.as_deref().unwrap_or_default(),
                    ..Event::new(installation, when, message)
                };
                write_line(&event, &mut self.writer)?;
            }
        }
        for finding in installation.judgement.iter().flat_map(|judgement| &judgement.findings) {
            // A step for the administrator is not an event.
            if finding.hive.is_some() {
                write_line(&Event::of_finding(installation, finding), &mut self.writer)?;
            }
        }
        self.writer.flush()
    }

    fn summary(&mut self, _: &Summary) -> io::Result<()> {
        self.writer.flush()
    }
}

/// One line. Fields that do not apply to an event are empty strings, so that each field has one type.
#[derive(Default, Serialize)]
struct Event<'a> {
    message: String,
    datetime: String,
    timestamp: i64,
    timestamp_desc: &'a str,
    data_type: &'a str,
    computer_name: &'a str,
    windows: &'a str,
    installation: &'a str,
    label: Option<&'a str>,
    evidence: &'a str,
    generation: String,
    hive_path: &'a str,
    hive_sha256: &'a str,
    finding: &'a str,
    verdict: &'a str,
    severity: String,
    grade: String,
    key_path: String,
    value_name: &'a str,
    value_type: String,
    value_data: String,
    expected: String,
    attack: Vec<String>,
    tag: Vec<String>,
}

impl<'a> Event<'a> {
    fn new(installation: &'a InstallationReport, when: When, message: String) -> Self {
        Self {
            message,
            datetime: when.time.and_then(datetime).unwrap_or_else(|| "1970-01-01T00:00:00.000000+00:00".to_owned()),
            timestamp: when.time.map_or(0, microseconds),
            timestamp_desc: when.of,
            data_type: "hivemend:machine",
            computer_name: installation.machine.computer_name.as_deref().unwrap_or_default(),
            windows: &installation.os.name,
            installation: &installation.id,
            label: installation.label.as_deref(),
            evidence: &installation.evidence,
            generation: installation.generation.to_string(),
            tag: if when.of == NO_TIME { vec!["no-time".to_owned()] } else { Vec::new() },
            ..Self::default()
        }
    }

    fn of_finding(installation: &'a InstallationReport, finding: &'a Finding) -> Self {
        let hive = installation.hive_of(finding);
        let observed = finding.observed.as_ref();
        Self {
            data_type: "hivemend:finding",
            hive_path: hive.map(|hive| hive.path.as_str()).unwrap_or_default(),
            hive_sha256: hive.and_then(|hive| hive.sha256.as_deref()).unwrap_or_default(),
            finding: &finding.id,
            verdict: finding.verdict.kind().as_str(),
            severity: word(&finding.severity),
            grade: word(&finding.grade),
            key_path: finding.full_key().unwrap_or_default(),
            value_name: finding.value.as_deref().unwrap_or_default(),
            value_type: observed.map(|observed| observed.datum.data_type.to_string()).unwrap_or_default(),
            value_data: observed.map(|observed| observed.value().to_text()).unwrap_or_default(),
            expected: finding.expected_text(),
            attack: finding.attack.clone(),
            ..Self::new(installation, When::of(installation, finding), sentence(finding))
        }
    }
}

/// Returns the time as ISO 8601 with microseconds and a numeric zone, which every version of the importer reads.
fn datetime(time: FileTime) -> Option<String> {
    let text = time.to_rfc3339()?;
    // `2012-03-19T06:27:11.1234567Z`: the seventh decimal is dropped, as in `timestamp`.
    Some(format!("{}+00:00", text.strip_suffix('Z')?.get(..26)?))
}

fn computer(installation: &InstallationReport) -> String {
    let name = installation.machine.computer_name.as_deref().map_or("a computer without a name".into(), escape);
    format!("{} on {name}", installation.os.name)
}
