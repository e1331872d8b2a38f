//! Which Windows installations are in the evidence: the hives that belong together, and the generation that they are.
//!
//! The way of a file: `finder` decides by place and name whether it is worth opening, in whatever file system it lies;
//! `content` looks at its first bytes, `containers` opens what is an archive or an image, `folder` asks the hive itself
//! which one it is, `layout` knows what is kept in such a place, and `pairing` finds the SOFTWARE that belongs to a SYSTEM.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::directory::locator;
use crate::evidence::file::{File, Origin, Snapshot};
use crate::evidence::file_system::Vouched;
use crate::evidence::ledger::{Ledger, Outcome, Source};
use crate::evidence::worker;
use crate::registry::Role;

mod arguments;
mod containers;
mod content;
mod finder;
mod folder;
mod found;
mod hibernation;
mod installation_id;
mod layout;
mod name;
mod opener;
mod pairing;
mod run;
mod store;
mod unreadable;
#[cfg(feature = "images")]
mod volumes;

use containers::Job;
pub use hibernation::Hibernation;
use run::Run;

/// What became of an installation's hives before they were found: the one in use, or which kind of older copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// `config` of a Windows folder: the hives that this Windows starts with.
    Live,
    /// Windows' own backup: `config/RegBack`, and the second SYSTEM (`system.alt`) of Windows 2000.
    Regback,
    /// `repair` of a Windows folder: as Setup or a system state backup left them.
    Repair,
    /// A restore point of Windows XP.
    RestorePoint,
    /// Collected from a volume shadow copy.
    ShadowCopy,
    /// The Windows before an upgrade.
    WindowsOld,
    /// What Setup kept for itself (`.sav`); never judged.
    Setup,
    /// A copy that somebody made, wherever it lies.
    Copy,
}

impl Generation {
    /// Whether this is Windows as it is, or a copy of it: what counts for the exit code and is patched. Older generations
    /// are shown, but a run does not fail for what was wrong once.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Live | Self::Copy)
    }

    /// The word that reports have for it.
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

/// A transaction log beside a hive. Nobody has looked into it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLog {
    /// Where to open it.
    pub file: File,
    /// How reports name it; see [`crate::evidence::locator`].
    pub locator: String,
    /// Bytes.
    pub size: u64,
    /// Whether somebody vouches for its bytes.
    pub vouched: Vouched,
    /// Why it cannot be read, where it cannot.
    pub unreadable: Option<String>,
}

/// A hive that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundHive {
    /// Its file name, as reports have it.
    pub name: String,
    /// Where to open it.
    pub file: File,
    /// How reports name it; see [`crate::evidence::locator`].
    pub locator: String,
    /// Which hive it is by its keys; where they cannot be read by name, and the installation has a problem that says so.
    pub role: Role,
    /// Bytes.
    pub size: u64,
    /// What it was taken out of; `None` for a file of the system.
    pub container: Option<Origin>,
    /// Whether somebody vouches for its bytes.
    pub vouched: Vouched,
    /// The transaction logs beside it, by file name.
    pub logs: Vec<FoundLog>,
}

/// Hives of one Windows at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The folder that holds the hives, or the hive itself where it was named, or where nobody knows what belongs to it.
    pub evidence: String,
    /// A name for it that is safe for folders; see the contract.
    pub id: String,
    /// Which generation the hives are.
    pub generation: Generation,
    /// Which generation is kept in the place where they lie: a hive of `RegBack` that was named by itself is a `copy`
    /// that lies in `regback`.
    pub lies_in: Generation,
    /// At most one SOFTWARE, then at most one SYSTEM, then others by locator. Empty where there are only the files of
    /// zero bytes that Windows 10 leaves in `RegBack`, which `problems` says.
    pub hives: Vec<FoundHive>,
    /// What the hibernation file of their volume says; `None` where there is none.
    pub hibernation: Option<Hibernation>,
    /// What is to be said of these hives.
    pub problems: Vec<Problem>,
}

impl Installation {
    /// The hive of a role; of SOFTWARE and SYSTEM there is at most one.
    pub fn hive(&self, role: Role) -> Option<&FoundHive> {
        self.hives.iter().find(|hive| hive.role == role)
    }

    /// Whether there is anything in it that is audited: SOFTWARE or SYSTEM.
    pub fn is_auditable(&self) -> bool {
        self.hives.iter().any(|hive| matches!(hive.role, Role::Software | Role::System))
    }
}

/// What is in the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// By argument as given, then by evidence, then by generation.
    pub installations: Vec<Installation>,
    /// The shadow copies that volumes in disk images list, read or not.
    pub shadow_copies: Vec<Snapshot>,
    /// What became of each source.
    pub ledger: Ledger,
    /// Files of this machine that were opened beside hives and logs: containers, segments of an image, extents, parents.
    pub containers: Vec<PathBuf>,
}

/// Finds the installations in the evidence: folders, which are searched, containers and hives. For `map` see
/// [`crate::evidence::Bytes::open`].
///
/// # Errors
/// Where there is nothing to go on with: no evidence can be read, or no hive is in it.
pub fn discover(evidence: &[PathBuf], map: bool) -> Result<Discovery, Error> {
    let discovery = discover_in(evidence, map, &Unpacking::default())?;
    discovery.nothing(evidence).map_or(Ok(discovery), Err)
}

/// [`discover`], where `unpacking` says what else there is to know of archives and images. What holds no hive comes back,
/// too, with its ledger; [`Discovery::nothing`] says so.
///
/// # Errors
/// Where the only evidence that was named cannot be read.
pub fn discover_in(evidence: &[PathBuf], map: bool, unpacking: &Unpacking) -> Result<Discovery, Error> {
    Run::new(evidence, map, unpacking).run(evidence)
}

impl Discovery {
    /// Every file of this machine that was opened: the hives and their logs, and containers with what belongs to them.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let hives = self.installations.iter().flat_map(|installation| &installation.hives);
        hives
            .flat_map(|hive| std::iter::once(&hive.file).chain(hive.logs.iter().map(|log| &log.file)))
            .map(|file| file.path.as_path())
            .chain(self.containers.iter().map(PathBuf::as_path))
    }

    /// The same, each once: all that is in a container is one file.
    pub fn opened(&self) -> Vec<PathBuf> {
        let mut seen = BTreeSet::new();
        self.files().filter(|path| seen.insert(*path)).map(Path::to_owned).collect()
    }

    /// What is said where there is no hive in the evidence; `None` where there is one.
    pub fn nothing(&self, evidence: &[PathBuf]) -> Option<Error> {
        if self.installations.iter().any(|installation| !installation.hives.is_empty()) {
            return None;
        }
        let files: u64 = self.ledger.sources().iter().fold(0, |sum, source| sum.saturating_add(source.members.seen));
        let named: BTreeSet<String> = evidence.iter().map(|path| locator(path)).collect();
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
        problems.extend(self.installations.iter().flat_map(|installation| installation.problems.iter().cloned()));
        problems.retain(|problem| problem.code != Some(Code::NothingFound));
        problems.sort();
        problems.dedup();
        let told = problems.iter().map(ToString::to_string);
        let irrelevant = self.ledger.sources().iter().filter_map(|source| {
            let reason = source.reason().filter(|_| !matches!(source.outcome, Outcome::Refused { .. }))?;
            Some(format!("{}: {reason}", source.locator))
        });
        Some(Error::NoHive {
            evidence: some_of(evidence.iter().map(|path| locator(path)), ", "),
            looked_at: some_of(looked_at.into_iter().chain(told).chain(irrelevant), "; "),
        })
    }
}

/// The first few of a list, and how many more there are.
fn some_of(list: impl Iterator<Item = String>, separator: &str) -> String {
    const SHOWN: usize = 5;
    let list: Vec<String> = list.collect();
    let shown = list.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(separator);
    match list.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}

/// What a worker does with the container at `path`: see [`crate::evidence::worker::serve`].
pub fn serve(path: &Path) -> std::process::ExitCode {
    worker::serve(path, |path, job: Job, reply| containers::open(path, job, Some(reply)))
}
