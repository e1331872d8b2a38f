//! History: every audited value of every generation and control set side by side, and when it changed.
//!
//! A Windows keeps older copies of its hives: RegBack, `repair`, restore points, `Windows.old`, ControlSets that are not
//! current, and what stands in a dirty hive without its logs. Each is a column, oldest to newest by the time at which its
//! hive was last written. A change is bracketed by the last column that has the old data and the first that has the new;
//! more than that no hive tells. A key's time of last write is one of its key, never of a value.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::control_set::Choice;
use crate::discovery::Generation;
use crate::error::{Error, Problem};
use crate::examination::{Options, examine};
use crate::finding::{ObservedDatum, Verdict};
use crate::hive::State;
use crate::os::OsId;
use crate::registry::{FileTime, Role};
use crate::report::{SchemaVersion, Tool};

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

/// What the evidence tells of the past.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// Version of this form.
    pub schema_version: SchemaVersion,
    /// Which program this is.
    pub tool: Tool,
    /// By computer name; those without one last.
    pub machines: Vec<MachineHistory>,
    /// What is wrong with the evidence.
    pub problems: Vec<Problem>,
    /// Whether every generation that was found could be read in every audited value.
    pub complete: bool,
    /// Every file that was opened.
    #[serde(skip)]
    pub opened: Vec<PathBuf>,
}

/// The generations of one machine, or of one volume where hives do not name their machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MachineHistory {
    /// As its newest SYSTEM hive has it.
    pub computer_name: Option<String>,
    /// SOFTWARE, then SYSTEM.
    pub hives: Vec<HiveHistory>,
}

/// The generations of one hive of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HiveHistory {
    /// Which hive.
    pub role: Role,
    /// Oldest first.
    pub columns: Vec<Column>,
    /// In the order of the newest generation's baseline.
    pub values: Vec<Row>,
}

/// One generation of a hive, and of SYSTEM one control set in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Column {
    /// `A`, `B`, and so on, oldest first.
    pub letter: String,
    /// What it is to people: `live`, `restore point RP12`.
    pub label: String,
    /// What became of the hive before it was found.
    pub generation: Generation,
    /// The hive.
    pub path: String,
    /// Other files with the same bytes, logs included; they are this column, too.
    pub same: Vec<String>,
    /// `replayed` for a hive that was dirty, with its logs; `primary` as the file lies.
    pub view: View,
    /// The control set, in SYSTEM.
    pub control_set: Option<u32>,
    /// What `Select` calls it: `current`, `default`, `last-known-good`, `failed`.
    pub marks: Vec<Cow<'static, str>>,
    /// Whether changes are told along this column: it is no control set that is not current.
    pub followed: bool,
    /// When the hive was last written, as its base block has it; the columns stand in this order.
    pub last_written: Option<FileTime>,
    /// Of the file as it lies.
    pub sha256: Option<String>,
    /// How far it can be trusted.
    pub state: State,
    /// The Windows that it was then.
    pub os: OsId,
    /// Whether a baseline judged it.
    #[serde(skip)]
    pub judged: bool,
}

/// Which view of a hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// The file as it lies.
    Primary,
    /// With its transaction logs replayed.
    Replayed,
}

/// One audited value through time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The finding's id, as `audit` has it.
    pub id: String,
    /// The key's path; in SYSTEM below the control set, where it is in one.
    pub key: String,
    /// The value's name.
    pub value: Option<String>,
    /// One for each column.
    pub cells: Vec<Cell>,
    /// When it changed, along the columns that are followed.
    pub changes: Vec<Change>,
    /// Whether control sets of one hive hold different data. That is no change: nobody can tell which was first.
    pub control_sets_differ: bool,
}

/// A value in one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Whether it is there.
    pub state: Presence,
    /// What is there.
    pub observed: Option<ObservedDatum>,
    /// What the audit of that generation says of it.
    pub verdict: Option<Verdict>,
    /// When its key was last written.
    pub key_last_written: Option<FileTime>,
    /// Why that time cannot be right, where it cannot.
    pub key_last_written_note: Option<String>,
}

/// Whether a value is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
    /// Nobody can tell.
    Unreadable,
    /// The baseline of that Windows does not ask for it, or there is none.
    NotAudited,
}

/// Other data than before, or the value come or gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The last column with the old data, counted from 0.
    pub until: usize,
    /// The first column with the new.
    pub from: usize,
    /// Both in a sentence.
    pub sentence: String,
}

impl History {
    /// Reads what [`render_json`] wrote; `path` is how errors name it.
    ///
    /// # Errors
    /// Returns an error if the bytes are no history of a form that is known.
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

/// Writes JSON: the whole of [`History`].
///
/// # Errors
/// Returns the error of the writer.
pub fn render_json(history: &History, writer: &mut impl std::io::Write) -> std::io::Result<()> {
    crate::report::json::write_document(history, writer)
}

/// Traces the audited values through all generations in the evidence. Of the options count `os`, `replay`, `map` and
/// `hash`; without hashes identical hives are not folded.
///
/// # Errors
/// As [`examine`].
pub fn trace(evidence: &[PathBuf], options: &Options) -> Result<History, Error> {
    let options =
        Options { judge: true, control_set: Choice::All, all_generations: true, all_findings: true, ..options.clone() };
    let mut examination = examine(evidence, &options)?;
    if let Some(nothing) = examination.nothing.take() {
        return Err(nothing);
    }
    let installations = &examination.report.installations;
    let recovered = |state: State| state == State::Recovered;
    let any_recovered =
        installations.iter().flat_map(|installation| &installation.hives).any(|hive| recovered(hive.integrity.state));
    // What a recovered hive was before its logs is one more generation of it.
    let primary = if options.replay && any_recovered {
        Some(examine(evidence, &Options { replay: false, ..options })?.report.installations)
    } else {
        None
    };
    let machines: Vec<MachineHistory> =
        machines::group(installations).iter().map(|group| machines::trace(group, primary.as_deref())).collect();
    let readable = |row: &Row| row.cells.iter().all(|cell| cell.state != Presence::Unreadable);
    // What may stand in logs that were not replayed is in no column.
    let overtaken = |hive: &HiveHistory, column: &Column| {
        let replayed = |other: &Column| other.path == column.path && other.view == View::Replayed;
        column.state == State::Dirty && !hive.columns.iter().any(replayed)
    };
    let whole = |hive: &HiveHistory| {
        hive.values.iter().all(readable) && hive.columns.iter().all(|column| column.judged && !overtaken(hive, column))
    };
    let complete = examination.source_gaps.is_empty() && machines.iter().flat_map(|machine| &machine.hives).all(whole);
    Ok(History {
        schema_version: SchemaVersion,
        tool: Tool::default(),
        machines,
        problems: examination.report.problems,
        complete,
        opened: examination.opened,
    })
}
