//! Which Windows installations are in the evidence: the hives that belong together, and their generation.
//!
//! The path of a file: `finder` decides by place and name whether a file of any file system is worth opening. `content`
//! recognises it by its first bytes. `containers` opens archives and images. `folder` reads a hive's role from the hive
//! itself. `layout` knows what Windows keeps in each place. `pairing` finds the SOFTWARE that belongs to a SYSTEM.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Gap, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::conversation;
use crate::evidence::directory::locator;
use crate::evidence::file::{File, Origin, Snapshot};
use crate::evidence::file_system::Vouched;
use crate::evidence::ledger::{Ledger, Outcome, Source};
use crate::evidence::worker::Sandbox;
use crate::registry::Role;

mod arguments;
mod bell;
mod closed;
mod containers;
mod content;
mod errand;
mod finder;
mod folder;
mod found;
mod hand;
mod hibernation;
mod installation_id;
mod layout;
mod lenders;
mod lent;
mod name;
mod opener;
mod pairing;
mod part;
mod reading;
mod remote;
mod run;
mod store;
mod survey;
mod turns;
mod unreadable;
#[cfg(feature = "images")]
mod volumes;
mod watch;

pub use arguments::{Evidence, readable};
pub use errand::{Errand, Listener, News, Text, run as run_errand};
pub use hibernation::Hibernation;
pub use reading::Reading;
pub use remote::Ask;

/// The generation of an installation's hives: the hives in use, or a kind of older copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// `config` of a Windows folder: the hives that this Windows starts with.
    Live,
    /// Windows' own backup: `config/RegBack`, and the second SYSTEM (`system.alt`) of Windows 2000.
    Regback,
    /// `repair` of a Windows folder: the hives as Setup or a system state backup left them.
    Repair,
    /// A restore point of Windows XP.
    RestorePoint,
    /// Collected from a volume shadow copy.
    ShadowCopy,
    /// The Windows that an upgrade replaced.
    WindowsOld,
    /// Setup's own copies (`.sav`); never judged.
    Setup,
    /// A copy that somebody made, in any place.
    #[default]
    Copy,
}

impl Generation {
    /// Returns whether this is the Windows in use or a copy of it: only these count for the exit code and get a patch.
    /// Older generations are shown, but do not make a run fail.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Live | Self::Copy)
    }

    /// Returns the generation's word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Regback => "regback",
            Self::Repair => "repair",
            Self::RestorePoint => "restore-point",
            Self::ShadowCopy => "shadow-copy",
            Self::WindowsOld => "windows-old",
            Self::Setup => "setup",
            Self::Copy => "copy",
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A transaction log beside a hive. Its content has not been read yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLog {
    /// The file to open.
    pub file: File,
    /// Its name in reports; see [`crate::evidence::locator`].
    pub locator: String,
    /// The size in bytes.
    pub size: u64,
    /// Whether a checksum proves its bytes.
    pub vouched: Vouched,
    /// Why the log is unreadable; `None` if it is readable.
    pub unreadable: Option<String>,
}

/// A hive that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundHive {
    /// The file name, as in reports.
    pub name: String,
    /// The file to open.
    pub file: File,
    /// Its name in reports; see [`crate::evidence::locator`].
    pub locator: String,
    /// The role by the hive's keys. If they are unreadable: the role by name, and the installation has a problem.
    pub role: Role,
    /// The size in bytes.
    pub size: u64,
    /// Whether the hive is dirty, by its base block: changes may be only in its logs.
    pub is_dirty: bool,
    /// The container that holds the hive; `None` for a file of this machine.
    pub container: Option<Origin>,
    /// Whether a checksum proves its bytes.
    pub vouched: Vouched,
    /// The transaction logs beside the hive, by file name.
    pub logs: Vec<FoundLog>,
}

/// The hives of one Windows at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The folder of the hives. The hive itself if the user named it, or if it is unknown which hives belong to it.
    pub evidence: String,
    /// A name that is safe for folders; see the contract.
    pub id: String,
    /// The user's name for the machine or the exhibit.
    pub label: Option<String>,
    /// The gaps of its files, and of the containers that they are in.
    pub source_gaps: Vec<Gap>,
    /// The generation of the hives.
    pub generation: Generation,
    /// The generation that Windows keeps in this place: a hive of `RegBack` that the user named by itself is a `copy`
    /// that lies in `regback`.
    pub lies_in: Generation,
    /// At most one SOFTWARE, then at most one SYSTEM, then others by locator. Empty if the folder contains only the
    /// files of zero bytes that Windows 10 leaves in `RegBack`; `problems` then reports them.
    pub hives: Vec<FoundHive>,
    /// The state of the hibernation file on the hives' volume; `None` if the volume has no such file.
    pub hibernation: Option<Hibernation>,
    /// The problems of these hives.
    pub problems: Vec<Problem>,
}

impl Installation {
    /// Returns the hive of a role; SOFTWARE and SYSTEM occur at most once.
    pub fn hive(&self, role: Role) -> Option<&FoundHive> {
        self.hives.iter().find(|hive| hive.role == role)
    }

    /// Makes the files unreadable that came out of a container, for this reason: their reader failed.
    fn lose(&mut self, reason: &str) {
        for hive in &mut self.hives {
            hive.file.lose(reason);
            hive.logs.iter_mut().for_each(|log| log.file.lose(reason));
        }
    }

    /// Releases the bytes of its files. They are read again when they are needed.
    pub(crate) fn release(&mut self) {
        self.hives.iter_mut().for_each(|hive| hive.file.release());
    }

    /// Returns whether the installation can be audited: it contains SOFTWARE or SYSTEM.
    pub fn is_auditable(&self) -> bool {
        self.hives.iter().any(|hive| matches!(hive.role, Role::Software | Role::System))
    }
}

/// The overview of the evidence as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The shadow copies that volumes in disk images list, read or not.
    pub shadow_copies: Vec<Snapshot>,
    /// The outcome of each source.
    pub ledger: Ledger,
    /// Every file of this machine that was opened, each once: hives, logs, and containers with all their parts.
    pub opened: Vec<PathBuf>,
    /// What those could do that read containers, at most; `None` if no container was read.
    pub sandbox: Option<Sandbox>,
    /// Whether there is any hive.
    any_hive: bool,
    /// The problems of installations without a hive.
    problems: Vec<Problem>,
}

/// The content of the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The installations, in the order of the arguments, then by evidence, then by generation.
    pub installations: Vec<Installation>,
    /// What is known of the evidence as a whole.
    pub overview: Overview,
}

/// Finds the installations in the evidence: folders, which are searched, containers and hives. See
/// [`crate::evidence::Bytes::open`] for `map`.
///
/// # Errors
/// No evidence is readable, or the evidence contains no hive.
pub fn discover(evidence: &[PathBuf], map: bool) -> Result<Discovery, Error> {
    let discovery = discover_in(evidence, map, &Unpacking::default())?;
    discovery.overview.nothing(evidence).map_or(Ok(discovery), Err)
}

/// Finds the installations as [`discover`] does, with the options in `unpacking` for archives and images. Evidence
/// without a hive is no error here: the result has its ledger, and [`Overview::nothing`] reports it.
///
/// # Errors
/// The only evidence that the user named is unreadable.
pub fn discover_in(evidence: &[PathBuf], map: bool, unpacking: &Unpacking) -> Result<Discovery, Error> {
    let mut installations = Vec::new();
    let evidence: Vec<Evidence> = evidence.iter().map(Evidence::from).collect();
    any_readable(&evidence)?;
    let overview = discover_each(&evidence, Reading::new(map, unpacking), &Keep, |installation| {
        installations.push(installation);
        Ok(())
    })?;
    Ok(Discovery { installations, overview })
}

/// Checks the evidence as [`readable`] does, where this process opens it: a worker asks the process that started it,
/// which has checked.
///
/// # Errors
/// The only evidence is missing or unreadable.
pub(crate) fn any_readable(evidence: &[Evidence]) -> Result<(), Error> {
    if errand::is_given() { Ok(()) } else { readable(evidence) }
}

/// Asks for the installations themselves.
#[derive(Serialize, Deserialize)]
struct Keep;

impl Ask for Keep {
    const NAME: &str = "keep";

    type Answer = Installation;

    fn answer(&self, mut installation: Installation) -> Installation {
        installation.release();
        installation
    }

    fn may_leave(&self) -> bool {
        false
    }
}

/// Finds the installations as [`discover_in`] does. Asks the question about each installation as soon as it is found,
/// on all cores, and in a worker if the installation is in a container. Passes the answers to `take` in the order of
/// the arguments, then by evidence, then by generation. Keeps nothing, so the memory of a run does not grow with the
/// number of installations.
///
/// # Errors
/// The error of `take`.
pub fn discover_each<A: Ask>(
    evidence: &[Evidence],
    reading: Reading<'_>,
    ask: &A,
    take: impl FnMut(A::Answer) -> Result<(), Error>,
) -> Result<Overview, Error> {
    run::stream(evidence, reading, ask, take)
}

impl Overview {
    /// Returns the error for evidence without a hive; `None` if it contains a hive.
    pub fn nothing(&self, evidence: &[impl AsRef<Path>]) -> Option<Error> {
        if self.any_hive {
            return None;
        }
        let files: u64 = self.ledger.sources().iter().fold(0, |sum, source| sum.saturating_add(source.members.seen));
        let named: BTreeSet<String> = evidence.iter().map(|one| locator(one.as_ref())).collect();
        let is_argument = |source: &&Source| source.kind == "folder" && named.contains(&source.locator);
        let folders = self.ledger.sources().iter().filter(is_argument).count();
        let looked_at = match (files, folders) {
            (0, 0) => None,
            (0, 1) => Some("the folder is empty".to_owned()),
            (0, _) => Some("the folders are empty".to_owned()),
            (1, _) => Some("1 file".to_owned()),
            (files, _) => Some(format!("{files} files")),
        };
        let mut problems: Vec<Problem> = self.ledger.problems();
        problems.extend(self.problems.iter().cloned());
        problems.retain(|problem| problem.code != Some(Code::NothingFound));
        problems.sort();
        problems.dedup();
        let told = problems.iter().map(ToString::to_string);
        let irrelevant = self.ledger.sources().iter().filter_map(|source| {
            let reason = source.reason().filter(|_| !matches!(source.outcome, Outcome::Refused { .. }))?;
            Some(format!("{}: {reason}", source.locator))
        });
        Some(Error::NoHive {
            evidence: some_of(evidence.iter().map(|one| locator(one.as_ref())), ", "),
            looked_at: some_of(looked_at.into_iter().chain(told).chain(irrelevant), "; "),
        })
    }
}

/// Returns the first items of a list, and how many more there are.
fn some_of(list: impl Iterator<Item = String>, separator: &str) -> String {
    const SHOWN: usize = 5;
    let list: Vec<String> = list.collect();
    let shown = list.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(separator);
    match list.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}

/// Runs this process as a worker that opens a part of the evidence and answers what it is asked of the installations in
/// it: see [`crate::evidence::conversation`].
pub fn answer<A: Ask>() -> ExitCode {
    conversation::serve(remote::serve::<A>)
}

/// Runs this process as a worker that does an errand.
pub fn do_errand<E: Errand>() -> ExitCode {
    conversation::serve(errand::serve::<E>)
}

/// The name of the question which files of this machine an image needs; see [`list_files`].
pub const FILES_OF: &str = remote::FILES_OF;

/// Runs this process as a worker that lists the files of this machine that an image needs.
pub fn list_files() -> ExitCode {
    conversation::serve(remote::list_files)
}

/// The name of the question which logs without a hive are in an archive; see [`list_logs`].
pub const LOGS_OF: &str = remote::LOGS_OF;

/// Runs this process as a worker that lists the transaction logs without a hive in an archive.
pub fn list_logs() -> ExitCode {
    conversation::serve(remote::list_logs)
}
