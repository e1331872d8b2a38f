//! A report as a sequence of records, and the renderer that receives them one by one.
//!
//! The order is that of the report as JSON: the run; each installation; each shadow copy; each entry of the ledger;
//! each problem; the summary. A renderer need not keep an installation after writing it.

use std::io;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{InstallationReport, Judgement, Report, ReportOptions, SourceReport, Summary, Tool};
use crate::control_set::ControlSets;
use crate::discovery::Generation;
use crate::error::{Gap, Problem};
use crate::evidence::file::Snapshot;
use crate::machine::{Machine, SameMachine};
use crate::os::Os;
use crate::shelf::Shelf;

/// The version of the format of all JSON that the program writes. Readers refuse other versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaVersion;

impl SchemaVersion {
    /// The version as written.
    pub const TEXT: &'static str = "1";
}

impl Serialize for SchemaVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::TEXT)
    }
}

impl<'de> Deserialize<'de> for SchemaVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = serde_json::Value::deserialize(deserializer)?;
        if found == Self::TEXT {
            return Ok(Self);
        }
        Err(D::Error::custom(format!("schema_version {found}; this hivemend reads \"{}\"", Self::TEXT)))
    }
}

/// The first record: the program that wrote the report, and the options of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The version of the format.
    pub schema_version: SchemaVersion,
    /// The program.
    pub tool: Tool,
    /// The options of the run.
    pub options: ReportOptions,
}

/// Writes a report in one format. A renderer receives the records in their order and decides nothing.
///
/// A format without a place for shadow copies, sources, or problems omits them.
///
/// After [`Renderer::summary`] has returned, everything is written. A report without a summary is truncated.
pub trait Renderer {
    /// Receives the first record.
    ///
    /// # Errors
    /// All methods return the error of the writer.
    fn run(&mut self, run: &Run) -> io::Result<()>;
    /// Receives an installation with its findings.
    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()>;
    /// Receives a shadow copy that a volume in a disk image lists.
    fn shadow_copy(&mut self, _: &Snapshot) -> io::Result<()> {
        Ok(())
    }
    /// Receives an entry of the ledger.
    fn source(&mut self, _: &SourceReport) -> io::Result<()> {
        Ok(())
    }
    /// Receives a problem.
    fn problem(&mut self, _: &Problem) -> io::Result<()> {
        Ok(())
    }
    /// Receives the last record.
    fn summary(&mut self, summary: &Summary) -> io::Result<()>;
}

impl Report {
    /// Passes its records to a renderer.
    ///
    /// # Errors
    /// Returns the error of the renderer.
    pub fn render(&self, renderer: &mut dyn Renderer) -> io::Result<()> {
        renderer.run(&self.run())?;
        self.installations.iter().try_for_each(|installation| renderer.installation(installation))?;
        self.shadow_copies.iter().try_for_each(|shadow_copy| renderer.shadow_copy(shadow_copy))?;
        self.sources.iter().try_for_each(|source| renderer.source(source))?;
        self.problems.iter().try_for_each(|problem| renderer.problem(problem))?;
        renderer.summary(&self.summary)
    }

    /// Returns the first record.
    pub fn run(&self) -> Run {
        Run { schema_version: self.schema_version, tool: self.tool.clone(), options: self.options.clone() }
    }
}

/// Records, collected into a report again.
#[derive(Debug, Default)]
pub struct Gathered {
    run: Option<Run>,
    installations: Vec<InstallationReport>,
    shadow_copies: Vec<Snapshot>,
    sources: Vec<SourceReport>,
    problems: Vec<Problem>,
}

/// The installations of a report that are put aside until the last record is known.
#[derive(Debug, Default)]
pub struct Aside(Shelf<InstallationReport>);

impl Aside {
    /// Returns the installation at this place in the report.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn installation(&mut self, place: usize) -> io::Result<InstallationReport> {
        self.0.get(place)?.ok_or_else(|| io::Error::other(format!("installation {place} was not put aside")))
    }
}

/// A renderer that needs the last record before it writes. It keeps a line of each installation in memory, and puts the
/// installation itself aside.
pub trait Gathering {
    /// Returns the records received so far, and the installations that are put aside.
    fn gathered(&mut self) -> (&mut Gathered, &mut Aside);
    /// Looks at an installation before it is put aside.
    fn see(&mut self, _: &InstallationReport) {}
    /// Writes the report. Its installations are lines: names, answer, totals, gaps and causes, without texts and data.
    ///
    /// # Errors
    /// Returns the error of the writer.
    fn write(&mut self, lines: &Report) -> io::Result<()>;
}

impl Gathered {
    /// Takes the first record.
    pub(crate) fn run(&mut self, run: &Run) {
        self.run = Some(run.clone());
    }

    /// Takes an installation, or a line of it.
    pub(crate) fn installation(&mut self, installation: InstallationReport) {
        self.installations.push(installation);
    }

    pub(crate) fn shadow_copy(&mut self, shadow_copy: &Snapshot) {
        self.shadow_copies.push(shadow_copy.clone());
    }

    pub(crate) fn source(&mut self, source: &SourceReport) {
        self.sources.push(source.clone());
    }

    pub(crate) fn problem(&mut self, problem: &Problem) {
        self.problems.push(problem.clone());
    }

    /// Returns the report with its last record.
    ///
    /// # Errors
    /// The first record is missing.
    pub(crate) fn close(self, summary: &Summary) -> io::Result<Report> {
        let Some(Run { schema_version, tool, options }) = self.run else {
            return Err(io::Error::other("records without the first one, the run"));
        };
        Ok(Report {
            schema_version,
            tool,
            options,
            installations: self.installations,
            shadow_copies: self.shadow_copies,
            sources: self.sources,
            problems: self.problems,
            summary: summary.clone(),
        })
    }
}

impl<G: Gathering> Renderer for G {
    fn run(&mut self, run: &Run) -> io::Result<()> {
        self.gathered().0.run(run);
        Ok(())
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        self.see(installation);
        let (gathered, aside) = self.gathered();
        aside.0.put(installation)?;
        gathered.installation(installation.line());
        Ok(())
    }

    fn shadow_copy(&mut self, shadow_copy: &Snapshot) -> io::Result<()> {
        self.gathered().0.shadow_copy(shadow_copy);
        Ok(())
    }

    fn source(&mut self, source: &SourceReport) -> io::Result<()> {
        self.gathered().0.source(source);
        Ok(())
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        self.gathered().0.problem(problem);
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        let report = std::mem::take(self.gathered().0).close(summary)?;
        self.write(&report)
    }
}

/// Reads the form that [`InstallationReport`] is written in. Either all fields of a judgement are present or none. An
/// incomplete judgement is an error, not an unjudged installation.
impl<'de> Deserialize<'de> for InstallationReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            id: String,
            #[serde(default)]
            label: Option<String>,
            evidence: String,
            generation: Generation,
            machine: Machine,
            os: Os,
            same_machine: Option<SameMachine>,
            control_sets: Option<ControlSets>,
            #[serde(default)]
            gaps: Vec<Gap>,
            hives: Vec<super::HiveReport>,
            #[serde(flatten)]
            rest: serde_json::Map<String, serde_json::Value>,
        }
        let written = Written::deserialize(deserializer)?;
        let judgement = if written.rest.is_empty() {
            None
        } else {
            Some(Judgement::deserialize(serde_json::Value::Object(written.rest)).map_err(D::Error::custom)?)
        };
        Ok(Self {
            id: written.id,
            label: written.label,
            evidence: written.evidence,
            generation: written.generation,
            lies_in: written.generation,
            machine: written.machine,
            os: written.os,
            same_machine: written.same_machine,
            control_sets: written.control_sets,
            gaps: written.gaps,
            hives: written.hives,
            judgement,
            warnings: Vec::new(),
        })
    }
}
