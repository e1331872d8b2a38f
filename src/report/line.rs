//! The line of an installation: what a summary of many machines says about each.

use super::{HiveReport, InstallationReport, Integrity, Judgement};
use crate::finding::{Expected, Finding, Source};
use crate::machine::Machine;
use crate::os::{Marks, Os};

impl InstallationReport {
    /// Returns what a line about the installation needs, so that many can be kept in memory: its names, its answer, its
    /// totals and gaps, its causes without texts and data, and its hives without logs and problems.
    pub(crate) fn line(&self) -> Self {
        let judgement = self.judgement.as_ref().map(|judgement| Judgement {
            baseline: judgement.baseline.clone(),
            extended_by: judgement.extended_by.clone(),
            by_own: judgement.by_own,
            own_keys: judgement.own_keys.clone(),
            answer: judgement.answer.clone(),
            counts: judgement.counts.clone(),
            findings: judgement.findings.iter().filter(|finding| finding.is_cause()).map(line_of_finding).collect(),
        });
        Self {
            os: Os { basis: Vec::new(), marks: Marks::default(), ..self.os.clone() },
            same_machine: None,
            control_sets: None,
            hives: self.hives.iter().map(line_of_hive).collect(),
            judgement,
            warnings: Vec::new(),
            id: self.id.clone(),
            label: self.label.clone(),
            evidence: self.evidence.clone(),
            generation: self.generation,
            lies_in: self.lies_in,
            machine: Machine { computer_name: self.machine.computer_name.clone(), ..Machine::default() },
            gaps: self.gaps.clone(),
        }
    }
}

fn line_of_hive(hive: &HiveReport) -> HiveReport {
    HiveReport {
        role: hive.role,
        path: hive.path.clone(),
        size: hive.size,
        sha256: None,
        md5: None,
        sha1: None,
        format_version: None,
        last_written: hive.last_written,
        container: None,
        source_integrity: hive.source_integrity,
        integrity: Integrity {
            state: hive.integrity.state,
            primary_sequence: None,
            secondary_sequence: None,
            checksum_valid: None,
            logs: Vec::new(),
            replay: None,
            coverage: None,
            problems: Vec::new(),
        },
    }
}

fn line_of_finding(finding: &Finding) -> Finding {
    Finding {
        id: finding.id.clone(),
        verdict: finding.verdict,
        severity: finding.severity,
        grade: finding.grade,
        note: None,
        cause: None,
        advice: None,
        hive: finding.hive,
        control_set: finding.control_set,
        key: finding.key.clone(),
        value: finding.value.clone(),
        stored_name: None,
        expected: Expected::Nothing,
        observed: None,
        key_last_written: finding.key_last_written,
        key_last_written_note: None,
        view: finding.view,
        other_view: None,
        also_in: Vec::new(),
        location: None,
        why: String::new(),
        source: Source { title: String::new(), url: None },
        attack: Vec::new(),
        remediation: None,
    }
}
