//! History: every audited value of every generation and control set side by side, and when it changed.
//!
//! A Windows keeps older copies of its hives: RegBack, `repair`, restore points, `Windows.old`, control sets that are
//! not current, and a dirty hive without its logs. Each copy is a column, ordered by the time of the last write to its
//! hive, oldest first. A change lies between the last column with the old data and the first with the new data; no hive
//! records more. The time of the last write belongs to the key, never to a value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::control_set::Choice;
use crate::discovery::{Ask, Evidence, Generation, Installation, any_readable};
use crate::error::{Error, Problem};
use crate::examination::{Examined, Options, examine_each};
use crate::finding::{ObservedDatum, VerdictKind};
use crate::hive::State;
use crate::os::OsId;
use crate::registry::{FileTime, Role};
use crate::report::{HiveReport, InstallationReport, SchemaVersion, Tool};

mod changes;
mod columns;
mod csv;
mod machines;
mod rows;
mod table;
mod timeline;

pub(crate) use self::changes::said;
pub use self::csv::render_csv;
pub use table::render;

/// The past of the audited values, according to the evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// The version of this format.
    pub schema_version: SchemaVersion,
    /// The program that wrote it.
    pub tool: Tool,
    /// The machines by computer name; those without a name come last.
    pub machines: Vec<MachineHistory>,
    /// The problems of the evidence.
    pub problems: Vec<Problem>,
    /// Whether every audited value could be read in every generation that was found.
    pub complete: bool,
    /// Every file that was opened.
    #[serde(skip)]
    pub opened: Vec<PathBuf>,
}

/// The generations of one machine, or of one volume if the hives do not name their machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MachineHistory {
    /// The computer name, according to the newest SYSTEM hive.
    pub computer_name: Option<String>,
    /// SOFTWARE, then SYSTEM.
    pub hives: Vec<HiveHistory>,
}

/// The generations of one hive of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HiveHistory {
    /// The role of the hive.
    pub role: Role,
    /// The generations, oldest first.
    pub columns: Vec<Column>,
    /// The values, in the order of the newest generation's baseline.
    pub values: Vec<Row>,
}

/// One generation of a hive. For SYSTEM, one control set of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Column {
    /// `A`, `B`, and so on, oldest first.
    pub letter: String,
    /// The name for people: `live`, `restore point RP12`.
    pub label: String,
    /// The kind of the copy that contains the hive.
    pub generation: Generation,
    /// The path of the hive.
    pub path: String,
    /// Other files with the same bytes, including their logs. This column also represents them.
    pub same: Vec<String>,
    /// `replayed` for a dirty hive with its logs; `primary` for the file alone.
    pub view: View,
    /// The control set, for SYSTEM.
    pub control_set: Option<u32>,
    /// The roles of the control set in `Select`: `current`, `default`, `last-known-good`, `failed`.
    pub marks: Vec<Cow<'static, str>>,
    /// Whether changes are reported along this column: false for a control set that is not current.
    pub followed: bool,
    /// When the hive was last written, according to its base block. The columns are in this order.
    pub last_written: Option<FileTime>,
    /// SHA-256 of the primary file.
    pub sha256: Option<String>,
    /// MD5, if requested.
    #[serde(default)]
    pub md5: Option<String>,
    /// SHA-1, if requested.
    #[serde(default)]
    pub sha1: Option<String>,
    /// How far the hive can be trusted.
    pub state: State,
    /// The Windows at that time.
    pub os: OsId,
    /// Whether a baseline judged it.
    #[serde(skip)]
    pub judged: bool,
}

/// The view of a hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// The primary file alone.
    Primary,
    /// With its transaction logs replayed.
    Replayed,
}

/// One audited value through time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The finding's id, as in `audit`.
    pub id: String,
    /// The key's path. In SYSTEM, the path below the control set if the key is in one.
    pub key: String,
    /// The value's name.
    pub value: Option<String>,
    /// One cell for each column.
    pub cells: Vec<Cell>,
    /// The changes along the columns that are followed.
    pub changes: Vec<Change>,
    /// Whether control sets of one hive contain different data. That is not a change, because their order is unknown.
    pub control_sets_differ: bool,
}

/// A value in one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Whether the value exists.
    pub state: Presence,
    /// The observed data.
    pub observed: Option<ObservedDatum>,
    /// The verdict of the audit of that generation.
    pub verdict: Option<VerdictKind>,
    /// When the key was last written.
    pub key_last_written: Option<FileTime>,
    /// Why that time cannot be right, if it cannot.
    pub key_last_written_note: Option<String>,
}

/// Whether a value exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// The value exists.
    Present,
    /// The value does not exist.
    Absent,
    /// The value cannot be read.
    Unreadable,
    /// The baseline of that Windows does not name the value, or there is no baseline.
    NotAudited,
}

/// A change of a value: other data, or the value was added or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The last column with the old data, counted from 0.
    pub until: usize,
    /// The first column with the new data.
    pub from: usize,
    /// The change in a sentence.
    pub sentence: String,
}

impl History {
    /// Reads the output of [`render_json`]. `path` is its name in errors.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a history in a known format.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        let refuse = |found: String| Error::Refused {
            reason: format!("{path}: expected a history of hivemend, found {found}"),
            advice: "Name the file that `hivemend history EVIDENCE --format json --output FILE` wrote".to_owned(),
        };
        let history: Self =
            serde_json::from_slice(bytes).map_err(|error| refuse(format!("something else ({error})")))?;
        let fits = |hive: &HiveHistory| {
            let columns = hive.columns.len();
            let change = |change: &Change| change.until < change.from && change.from < columns;
            hive.values.iter().all(|row| row.cells.len() == columns && row.changes.iter().all(change))
        };
        if history.machines.iter().flat_map(|machine| &machine.hives).all(fits) {
            Ok(history)
        } else {
            Err(refuse("one whose rows do not fit its columns".to_owned()))
        }
    }
}

/// Writes the whole [`History`] as JSON.
///
/// # Errors
/// Returns the error of the writer.
pub fn render_json(history: &History, writer: &mut impl std::io::Write) -> std::io::Result<()> {
    crate::report::json::write_document(history, writer)
}

/// Asks for the report of each generation, and for what its primary files are without their logs where those were
/// replayed: that is one more generation.
#[derive(Serialize, Deserialize)]
pub(crate) struct Generations(Options);

impl Ask for Generations {
    const NAME: &str = "history";

    type Answer = (Result<Examined, String>, Option<InstallationReport>);

    fn answer(&self, installation: Installation) -> Self::Answer {
        let examined = Examined::of(&installation, &self.0);
        let recovered = |hive: &HiveReport| hive.integrity.state == State::Recovered;
        let any_recovered = examined.as_ref().is_ok_and(|examined| examined.report.hives.iter().any(recovered));
        let primary = if self.0.replay && any_recovered {
            Examined::of(&installation, &Options { replay: false, ..self.0.clone() }).ok()
        } else {
            None
        };
        (examined, primary.map(|primary| primary.report))
    }
}

/// Traces the audited values through all generations in the evidence. Uses only the options `os`, `replay`, `map`, and
/// `hash`. Without hashes identical hives are not merged.
///
/// # Errors
/// The only evidence is missing or unreadable, and the errors of [`examine_each`].
pub fn trace(evidence: &[Evidence], options: &Options) -> Result<History, Error> {
    let options =
        Options { judge: true, control_set: Choice::All, all_generations: true, all_findings: true, ..options.clone() };
    let ask = Generations(options);
    let (mut installations, mut primary) = (Vec::new(), BTreeMap::new());
    any_readable(evidence)?;
    let closing = examine_each(evidence, &ask.0, None, &ask, |report, lying| {
        primary.extend(lying.map(|lying| (report.id.clone(), lying)));
        installations.push(report);
        Ok(())
    })?;
    if let Some(nothing) = closing.nothing {
        return Err(nothing);
    }
    let machines: Vec<MachineHistory> =
        machines::group(&installations).iter().map(|group| machines::trace(group, &primary)).collect();
    let readable = |row: &Row| row.cells.iter().all(|cell| cell.state != Presence::Unreadable);
    // Logs that were not replayed may contain changes that no column shows.
    let overtaken = |hive: &HiveHistory, column: &Column| {
        let replayed = |other: &Column| other.path == column.path && other.view == View::Replayed;
        column.state == State::Dirty && !hive.columns.iter().any(replayed)
    };
    let whole = |hive: &HiveHistory| {
        hive.values.iter().all(readable) && hive.columns.iter().all(|column| column.judged && !overtaken(hive, column))
    };
    let complete = closing.source_gaps.is_empty() && machines.iter().flat_map(|machine| &machine.hives).all(whole);
    Ok(History {
        schema_version: SchemaVersion,
        tool: Tool::default(),
        machines,
        problems: closing.problems,
        complete,
        opened: closing.opened,
    })
}
