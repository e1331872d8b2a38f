//! The report as SARIF 2.1.0: one result for each finding, for pipelines and code scanning.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html>.
//! Rules, artifacts, and notifications follow the results, so that each result can be written as soon as it is known.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use serde_json::{Map, Value, json};

use super::escape::escape;
use super::event::sentence;
use super::json::Stream;
use super::{HiveReport, InstallationReport, Renderer, Run, Summary, Tool};
use crate::error::Problem;
use crate::finding::{Finding, Reason, Severity, Verdict};

/// The address of the standard's schema.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes a log with one run.
#[derive(Debug)]
pub struct Log<W: Write> {
    stream: Stream<BufWriter<W>>,
    tool: Tool,
    /// The index of each rule by its id.
    indices: BTreeMap<String, usize>,
    rules: Vec<Value>,
    artifacts: Vec<Value>,
    notifications: Vec<Value>,
}

impl<W: Write> Log<W> {
    /// Returns a log of which nothing is written yet.
    pub fn new(writer: W) -> Self {
        Self {
            stream: Stream::new(BufWriter::new(writer)),
            tool: Tool::default(),
            indices: BTreeMap::new(),
            rules: Vec::new(),
            artifacts: Vec::new(),
            notifications: Vec::new(),
        }
    }
}

impl<W: Write> Renderer for Log<W> {
    fn run(&mut self, run: &Run) -> io::Result<()> {
        self.tool = run.tool.clone();
        self.stream.object(None)?;
        self.stream.value(Some("$schema"), &SCHEMA)?;
        self.stream.value(Some("version"), &"2.1.0")?;
        self.stream.array(Some("runs"))?;
        self.stream.object(None)?;
        self.stream.array(Some("results"))
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        let first = self.artifacts.len();
        self.artifacts.extend(installation.hives.iter().map(artifact));
        for finding in installation.judgement.iter().flat_map(|judgement| &judgement.findings) {
            let rule = self.rule(finding);
            let hive = installation.hives.iter().position(|hive| finding.hive == Some(hive.role));
            let hive = hive.and_then(|index| Some((index.saturating_add(first), installation.hives.get(index)?)));
            self.stream.value(None, &result(installation, finding, rule, hive))?;
        }
        Ok(())
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        self.notifications.push(json!({"level": "warning", "message": message(&problem.to_string())}));
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.notifications.extend(summary.gaps.iter().map(|gap| {
            json!({
                "level": "error",
                "descriptor": {"id": gap.code},
                "message": message(&format!("Incomplete: {}: {}", gap.at, gap.reason)),
            })
        }));
        self.stream.close()?;
        self.stream.value(Some("artifacts"), &self.artifacts)?;
        let invocation = json!({"executionSuccessful": true, "toolExecutionNotifications": self.notifications});
        self.stream.value(Some("invocations"), &[invocation])?;
        let driver = json!({"name": self.tool.name, "version": self.tool.version, "rules": self.rules});
        self.stream.value(Some("tool"), &json!({"driver": driver}))?;
        self.stream.value(Some("properties"), &json!({"complete": summary.complete, "counts": summary.counts}))?;
        self.stream.close()?;
        self.stream.close()?;
        self.stream.close()?;
        self.stream.flush()
    }
}

impl<W: Write> Log<W> {
    /// Returns the index of a finding's rule. Several Windows share a rule, which the first of them describes.
    fn rule(&mut self, finding: &Finding) -> usize {
        if let Some(index) = self.indices.get(&finding.id) {
            return *index;
        }
        let index = self.rules.len();
        self.indices.insert(finding.id.clone(), index);
        let mut rule = json!({
            "id": finding.id,
            "shortDescription": {"text": finding.id},
            "fullDescription": message(&finding.why),
            "help": message(&format!("Source: {}", finding.source.title)),
            "properties": {"tags": finding.attack},
        });
        if let (Some(url), Some(fields)) = (&finding.source.url, rule.as_object_mut()) {
            fields.insert("helpUri".to_owned(), json!(url));
        }
        self.rules.push(rule);
        index
    }
}

fn result(
    installation: &InstallationReport,
    finding: &Finding,
    rule: usize,
    hive: Option<(usize, &HiveReport)>,
) -> Value {
    let mut location = serde_json::Map::new();
    if let Some((index, hive)) = hive {
        let mut physical = json!({"artifactLocation": {"uri": uri(&hive.path), "index": index}});
        let place = finding.location.as_ref().and_then(|location| location.data.or(location.vk).or(location.nk));
        if let (Some(offset), Some(fields)) = (place, physical.as_object_mut()) {
            fields.insert("region".to_owned(), json!({"byteOffset": offset}));
        }
        location.insert("physicalLocation".to_owned(), physical);
    }
    if let Some(key) = finding.full_key() {
        let name = finding.value.as_ref().map_or_else(|| key.clone(), |value| format!(r"{key}\{value}"));
        let kind = if finding.value.is_some() { "value" } else { "key" };
        location.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": name, "kind": kind}]));
    }
    let (kind, level) = kind(finding);
    let set = finding.control_set.map(|set| format!("/{set}")).unwrap_or_default();
    let mut result = json!({
        "ruleId": finding.id,
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": message(&sentence(finding)),
        "partialFingerprints": {"finding/v1": format!("{}/{}{set}", installation.id, finding.id)},
        "properties": {
            "installation": installation.id, "label": installation.label, "evidence": installation.evidence, "generation": installation.generation,
            "computerName": installation.machine.computer_name, "os": installation.os.id,
            "verdict": finding.verdict.kind(), "severity": finding.severity, "grade": finding.grade,
            "reason": finding.verdict.reason(), "cause": finding.cause, "expected": finding.expected.data(),
            "observed": finding.observed, "keyLastWritten": finding.key_last_written,
            "remediation": finding.remediation,
        },
    });
    if let (false, Some(fields)) = (location.is_empty(), result.as_object_mut()) {
        fields.insert("locations".to_owned(), json!([location]));
    }
    result
}

/// Returns `kind` and `level`. Only failures have a level (sections 3.27.9 and 3.27.10).
fn kind(finding: &Finding) -> (&'static str, &'static str) {
    match finding.verdict {
        Verdict::Conforms => ("pass", "none"),
        Verdict::Unreadable | Verdict::NotAssessed(Reason::HiveMissing | Reason::OsUnknown) => ("open", "none"),
        Verdict::NotAssessed(Reason::Informational) => ("informational", "none"),
        Verdict::NotAssessed(Reason::RunTime) => ("review", "none"),
        Verdict::NotAssessed(Reason::SetupPhase) => ("notApplicable", "none"),
        Verdict::Deviates | Verdict::Absent | Verdict::Unexpected => (
            "fail",
            match finding.severity {
                Severity::Critical | Severity::High => "error",
                Severity::Medium => "warning",
                Severity::Low | Severity::Info => "note",
            },
        ),
    }
}

fn artifact(hive: &HiveReport) -> Value {
    let mut artifact = json!({
        "location": {"uri": uri(&hive.path)}, "length": hive.size, "roles": ["analysisTarget"],
        "description": {"text": hive.role},
    });
    let hashes: Map<String, Value> =
        hive.sums().map(|(algorithm, sum)| (algorithm.to_string().to_lowercase(), sum.into())).collect();
    if let (false, Some(fields)) = (hashes.is_empty(), artifact.as_object_mut()) {
        fields.insert("hashes".to_owned(), hashes.into());
    }
    artifact
}

/// Returns a message without placeholders (section 3.11.5) and embedded links (section 3.11.6).
fn message(text: &str) -> Value {
    let mut plain = String::with_capacity(text.len());
    for character in escape(text).chars() {
        match character {
            '{' => plain.push_str("{{"),
            '}' => plain.push_str("}}"),
            '[' | ']' => plain.extend(['\\', character]),
            other => plain.push(other),
        }
    }
    json!({"text": plain})
}

/// Returns a locator as a URI reference. All but unreserved characters and slashes are percent-encoded (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_no_link_and_no_placeholder() {
        assert_eq!(message("[a](https://x) {0}")["text"], r"\[a\](https://x) {{0}}");
    }

    #[test]
    fn locators_are_uri_references() {
        assert_eq!(uri("/mnt/a b"), "file:///mnt/a%20b");
        assert_eq!(uri("disk.E01!p2!Windows/ü"), "disk.E01%21p2%21Windows/%C3%BC");
        assert_eq!(uri("C:/x"), "C%3A/x");
    }
}
