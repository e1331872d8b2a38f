//! The report as lines of JSON: one record per line, each with its kind in `record`. The last one is the summary. A
//! file without it is truncated.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::json::write_line;
use super::{
    BaselineReference, Counts, HiveReport, InstallationReport, Judgement, Renderer, Run, SourceReport, Summary,
};
use crate::control_set::ControlSets;
use crate::discovery::Generation;
use crate::error::{Gap, Problem};
use crate::evidence::file::Snapshot;
use crate::finding::Finding;
use crate::machine::{Machine, SameMachine};
use crate::os::{Os, OsId};

/// Writes one record per line.
#[derive(Debug)]
pub struct Lines<W: Write> {
    writer: BufWriter<W>,
}

impl<W: Write> Lines<W> {
    /// Returns a file of which nothing is written yet.
    pub fn new(writer: W) -> Self {
        Self { writer: BufWriter::new(writer) }
    }

    fn line(&mut self, record: &Record<'_>) -> io::Result<()> {
        write_line(record, &mut self.writer)
    }
}

impl<W: Write> Renderer for Lines<W> {
    fn run(&mut self, run: &Run) -> io::Result<()> {
        self.line(&Record::Run(run))?;
        self.writer.flush()
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        self.line(&Record::Installation(installation.into()))?;
        let findings = installation.judgement.iter().flat_map(|judgement| &judgement.findings);
        for finding in findings {
            self.line(&Record::Finding(OfFinding {
                installation: OfInstallation::new(installation, finding),
                path: finding.full_key(),
                finding,
            }))?;
        }
        // The results for this machine are written at once instead of waiting for a full buffer.
        self.writer.flush()
    }

    fn shadow_copy(&mut self, shadow_copy: &Snapshot) -> io::Result<()> {
        self.line(&Record::ShadowCopy(shadow_copy))
    }

    fn source(&mut self, source: &SourceReport) -> io::Result<()> {
        self.line(&Record::Source(source))
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        self.line(&Record::Problem(problem))
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.line(&Record::Summary(summary))?;
        self.writer.flush()
    }
}

#[derive(Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
enum Record<'a> {
    Run(&'a Run),
    Installation(WithoutFindings<'a>),
    Finding(OfFinding<'a>),
    ShadowCopy(&'a Snapshot),
    Source(&'a SourceReport),
    Problem(&'a Problem),
    Summary(&'a Summary),
}

/// An installation as in the report, but without its findings, which have lines of their own.
#[derive(Serialize)]
struct WithoutFindings<'a> {
    id: &'a str,
    label: &'a Option<String>,
    evidence: &'a str,
    generation: Generation,
    machine: &'a Machine,
    os: &'a Os,
    same_machine: &'a Option<SameMachine>,
    control_sets: &'a Option<ControlSets>,
    gaps: &'a [Gap],
    hives: &'a [HiveReport],
    #[serde(flatten)]
    judgement: Option<Judged<'a>>,
}

#[derive(Serialize)]
struct Judged<'a> {
    baseline: &'a Option<BaselineReference>,
    extended_by: &'a [BaselineReference],
    by_own: bool,
    own_keys: &'a BTreeSet<String>,
    answer: &'a Option<String>,
    counts: &'a Counts,
}

impl<'a> From<&'a InstallationReport> for WithoutFindings<'a> {
    fn from(installation: &'a InstallationReport) -> Self {
        Self {
            id: &installation.id,
            label: &installation.label,
            evidence: &installation.evidence,
            generation: installation.generation,
            machine: &installation.machine,
            os: &installation.os,
            same_machine: &installation.same_machine,
            control_sets: &installation.control_sets,
            gaps: &installation.gaps,
            hives: &installation.hives,
            judgement: installation.judgement.as_ref().map(Judged::from),
        }
    }
}

impl<'a> From<&'a Judgement> for Judged<'a> {
    fn from(judgement: &'a Judgement) -> Self {
        Self {
            baseline: &judgement.baseline,
            extended_by: &judgement.extended_by,
            by_own: judgement.by_own,
            own_keys: &judgement.own_keys,
            answer: &judgement.answer,
            counts: &judgement.counts,
        }
    }
}

/// A finding as in the report, with the fields that make the line self-contained.
#[derive(Serialize)]
struct OfFinding<'a> {
    installation: OfInstallation<'a>,
    /// The full path of the key.
    path: Option<String>,
    #[serde(flatten)]
    finding: &'a Finding,
}

/// The installation of a finding.
#[derive(Serialize)]
struct OfInstallation<'a> {
    id: &'a str,
    label: Option<&'a str>,
    evidence: &'a str,
    generation: Generation,
    os: OsId,
    computer_name: Option<&'a str>,
    hive_path: Option<&'a str>,
    sha256: Option<&'a str>,
    md5: Option<&'a str>,
    sha1: Option<&'a str>,
}

impl<'a> OfInstallation<'a> {
    fn new(installation: &'a InstallationReport, finding: &Finding) -> Self {
        let hive = installation.hive_of(finding);
        Self {
            id: &installation.id,
            label: installation.label.as_deref(),
            evidence: &installation.evidence,
            generation: installation.generation,
            os: installation.os.id,
            computer_name: installation.machine.computer_name.as_deref(),
            hive_path: hive.map(|hive| hive.path.as_str()),
            sha256: hive.and_then(|hive| hive.sha256.as_deref()),
            md5: hive.and_then(|hive| hive.md5.as_deref()),
            sha1: hive.and_then(|hive| hive.sha1.as_deref()),
        }
    }
}
