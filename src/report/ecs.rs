//! Documents of the Elastic Common Schema, one per line: each finding as a state (`event.kind: state`), each gap of the
//! report as an error of the pipeline.
//!
//! Fields and their allowed values: <https://www.elastic.co/guide/en/ecs/8.17/>. Data for which ECS has no field are
//! below `hivemend`. A field never changes its JSON type. Unknown fields are omitted, as ECS requires.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::event::{When, sentence};
use super::json::write_line;
use super::{InstallationReport, Renderer, Run, Summary};
use crate::error::Gap;
use crate::finding::{Finding, Severity, Verdict};
use crate::registry::FileTime;

/// The version of the schema.
const VERSION: &str = "8.17.0";

/// Writes one document per line.
#[derive(Debug)]
pub struct Documents<W: Write> {
    writer: BufWriter<W>,
    version: String,
}

impl<W: Write> Documents<W> {
    /// Returns a file of which nothing is written yet.
    pub fn new(writer: W) -> Self {
        Self { writer: BufWriter::new(writer), version: String::new() }
    }

    fn write(&mut self, document: Value) -> io::Result<()> {
        write_line(&without_unknowns(document), &mut self.writer)
    }
}

impl<W: Write> Renderer for Documents<W> {
    fn run(&mut self, run: &Run) -> io::Result<()> {
        self.version = run.tool.version.to_string();
        Ok(())
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        for finding in installation.judgement.iter().flat_map(|judgement| &judgement.findings) {
            let document = self.finding(installation, finding);
            self.write(document)?;
        }
        self.writer.flush()
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        for gap in &summary.gaps {
            let document = self.gap(gap);
            self.write(document)?;
        }
        self.writer.flush()
    }
}

impl<W: Write> Documents<W> {
    fn finding(&self, installation: &InstallationReport, finding: &Finding) -> Value {
        let when = When::of(installation, finding);
        let hive = installation.hive_of(finding);
        let os = &installation.os;
        let mut document = self.document(when, &sentence(finding), "state", "finding");
        let more = json!({
            "host": {
                "name": installation.machine.computer_name,
                "os": {
                    "type": "windows", "family": "windows", "platform": "windows",
                    "name": os.name, "version": os.version, "kernel": os.build.map(|build| build.to_string()),
                },
                "architecture": os.architecture,
            },
            "registry": registry(finding),
            "rule": {
                "id": finding.id, "description": finding.why, "reference": finding.source.url,
                "ruleset": installation.judgement.as_ref().and_then(|judgement| judgement.baseline.as_ref())
                    .map(|baseline| &baseline.id),
            },
            "file": {
                "path": hive.map(|hive| &hive.path), "size": hive.map(|hive| hive.size),
                "hash": {
                    "sha256": hive.and_then(|hive| hive.sha256.as_ref()),
                    "md5": hive.and_then(|hive| hive.md5.as_ref()),
                    "sha1": hive.and_then(|hive| hive.sha1.as_ref()),
                },
            },
            "threat": threat(finding),
            "hivemend": {
                "installation": installation.id, "label": installation.label, "evidence": installation.evidence,
                "generation": installation.generation, "os": os.id, "verdict": finding.verdict.kind(),
                "severity": finding.severity, "grade": finding.grade, "reason": finding.verdict.reason(),
                "cause": finding.cause, "control_set": finding.control_set, "expected": finding.expected_text(),
                "observed": finding.observed.as_ref().map(|observed| observed.value().to_text()),
                "raw": finding.observed.as_ref().map(|observed| observed.value().raw_hex()),
                "advice": finding.advice, "note": finding.note, "source": finding.source.title,
                "time_of": when.of,
            },
        });
        merge(&mut document, more);
        merge(&mut document, json!({"event": {"outcome": outcome(finding.verdict), "severity": level(finding)}}));
        document
    }

    fn gap(&self, gap: &Gap) -> Value {
        let when = When { time: None, of: super::event::NO_TIME };
        let message = format!("Incomplete: {}: {}", super::escape::escape(&gap.at), super::escape::escape(&gap.reason));
        let mut document = self.document(when, &message, "pipeline_error", "gap");
        merge(
            &mut document,
            json!({
                "error": {"code": gap.code, "message": gap.reason},
                "file": {"path": gap.at},
                "hivemend": {"time_of": when.of},
            }),
        );
        document
    }

    /// Returns the fields that every document has.
    fn document(&self, when: When, message: &str, kind: &str, dataset: &str) -> Value {
        let time = when.time.and_then(FileTime::to_rfc3339);
        json!({
            "@timestamp": time.as_deref().unwrap_or("1970-01-01T00:00:00.0000000Z"),
            "ecs": {"version": VERSION},
            "message": message,
            "event": {
                "kind": kind, "category": ["configuration"], "type": ["info"],
                "module": "hivemend", "dataset": format!("hivemend.{dataset}"),
            },
            "observer": {"product": "hivemend", "version": self.version},
            "tags": if time.is_none() { vec!["no-time"] } else { Vec::new() },
        })
    }
}

/// Returns `registry.*`. The path begins with the abbreviation of the root key; the key does not contain it.
fn registry(finding: &Finding) -> Value {
    let (Some(hive), Some(key)) = (finding.hive, &finding.key) else { return Value::Null };
    let key = format!(r"{hive}\{key}");
    let path = match &finding.value {
        Some(value) => format!(r"HKLM\{key}\{value}"),
        None => format!(r"HKLM\{key}"),
    };
    let data = finding
        .observed
        .as_ref()
        .map(|observed| json!({"type": observed.datum.data_type, "strings": observed.value().to_strings()}));
    json!({"hive": "HKLM", "key": key, "path": path, "value": finding.value, "data": data})
}

fn threat(finding: &Finding) -> Value {
    if finding.attack.is_empty() {
        return Value::Null;
    }
    json!({"framework": "MITRE ATT&CK", "technique": {"id": finding.attack}})
}

fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Conforms => "success",
        Verdict::Deviates | Verdict::Absent | Verdict::Unexpected => "failure",
        Verdict::Unreadable | Verdict::NotAssessed(_) => "unknown",
    }
}

/// Returns a number for `event.severity`; 0 without a deviation.
fn level(finding: &Finding) -> u8 {
    if !finding.is_deviation() {
        return 0;
    }
    match finding.severity {
        Severity::Info => 1,
        Severity::Low => 21,
        Severity::Medium => 47,
        Severity::High => 73,
        Severity::Critical => 99,
    }
}

/// Adds the fields of one object to another.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Removes null fields, and objects that become empty.
fn without_unknowns(value: Value) -> impl Serialize {
    fn pruned(value: Value) -> Option<Value> {
        match value {
            Value::Null => None,
            Value::Object(fields) => {
                let fields: Map<String, Value> =
                    fields.into_iter().filter_map(|(name, value)| Some((name, pruned(value)?))).collect();
                (!fields.is_empty()).then_some(Value::Object(fields))
            }
            other => Some(other),
        }
    }
    pruned(value)
}
