//! Which Windows installations are in the evidence: the hives that belong together, and the generation that they are.
//!
//! The way of a file: `search` decides by place and name whether it is worth opening, `content` looks at its first
//! bytes, `folder` asks the hive itself which one it is, `layout` knows what is kept in such a place, and `pairing`
//! finds the SOFTWARE that belongs to a SYSTEM.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Problem};
use crate::evidence::archive::{Contents, Kind, Unpacking};
use crate::evidence::directory::{self, locator};
use crate::evidence::tree::{Container, Disk, File, Origin, Snapshot, Tree};
use crate::evidence::unpacker::is_hibernation;
use crate::evidence::worker;
use crate::registry::Role;

mod arguments;
mod content;
mod folder;
mod hibernation;
mod installation_id;
mod layout;
mod name;
mod pairing;
mod search;

use arguments::Arguments;
pub use hibernation::Hibernation;
use search::{Folder, Seen};

/// What became of an installation's hives before they were found: the one in use, or which kind of older copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
    /// How reports name it; see [`directory::locator`].
    pub locator: String,
    /// Bytes.
    pub size: u64,
}

/// A hive that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundHive {
    /// Its file name, as reports have it.
    pub name: String,
    /// Where to open it.
    pub file: File,
    /// How reports name it; see [`directory::locator`].
    pub locator: String,
    /// Which hive it is by its keys; where they cannot be read by name, and the installation has a problem that says so.
    pub role: Role,
    /// Bytes.
    pub size: u64,
    /// What it was taken out of; `None` for a file of the system.
    pub container: Option<Origin>,
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
    /// By evidence, then by generation.
    pub installations: Vec<Installation>,
    /// The shadow copies that volumes in disk images list, read or not.
    pub shadow_copies: Vec<Snapshot>,
    /// Where was looked in archives and images, and how much there was.
    looked: Vec<String>,
    /// What could not be opened, and belongs to no installation.
    pub problems: Vec<Problem>,
    /// Files that belong to a container in which hives were found, beside the one that their locators name: the other
    /// segments of an image, its extents and parents.
    pub parts: Vec<PathBuf>,
}

/// How evidence is opened.
#[derive(Clone, Copy)]
struct Opening<'u> {
    map: bool,
    unpacking: &'u Unpacking,
}

/// Finds the installations in the evidence: folders, which are walked, and hives. For `map` see
/// [`crate::evidence::Bytes::open`].
///
/// # Errors
/// Where there is nothing to go on with: no evidence can be read, or no hive is in it.
pub fn discover(evidence: &[PathBuf], map: bool) -> Result<Discovery, Error> {
    discover_in(evidence, map, &Unpacking::default())
}

/// [`discover`], and `unpacking` says what else there is to know of archives and images.
///
/// # Errors
/// As [`discover`].
pub fn discover_in(evidence: &[PathBuf], map: bool, unpacking: &Unpacking) -> Result<Discovery, Error> {
    let opening = Opening { map, unpacking };
    let mut discovery = Discovery::default();
    let arguments = Arguments::sort(evidence);
    for (path, source) in arguments.missing {
        if source.kind() == io::ErrorKind::NotFound && discovery.take_named(&path.to_string_lossy(), opening).is_some()
        {
            continue;
        }
        if evidence.len() == 1 {
            let (_, advice) = directory::explain(&source);
            return Err(Error::Read { path: locator(&path), source, advice });
        }
        discovery.problems.push(directory::unreadable(&path, "evidence that can be read", &source));
    }
    discovery.problems.extend(arguments.problems);

    let mut seen = Seen::default();
    for (path, real) in &arguments.folders {
        let found = search::search(&Disk, path, real);
        seen.folders = seen.folders.saturating_add(found.seen.folders);
        seen.files = seen.files.saturating_add(found.seen.files);
        discovery.problems.extend(found.problems);
        for folder in &found.folders {
            discovery.take(&Disk, folder, opening);
        }
    }
    // A hive that is in one of the folders was found there, with all that belongs to it.
    let known: BTreeSet<PathBuf> = discovery.files().filter_map(|path| fs::canonicalize(path).ok()).collect();
    seen.files = seen.files.saturating_add(arguments.files.len());
    for folder in arguments::named(arguments.files, known) {
        discovery.take(&Disk, &folder, opening);
    }
    if discovery.installations.iter().all(|installation| installation.hives.is_empty()) {
        return Err(discovery.nothing(evidence, seen));
    }
    discovery.finish();
    Ok(discovery)
}

impl Discovery {
    fn take(&mut self, tree: &dyn Tree, folder: &Folder, opening: Opening<'_>) {
        let examined = folder::examine(tree, folder, opening.map);
        self.installations.extend(examined.installations);
        self.problems.extend(examined.problems);
        // What was compressed file by file belongs together as the files do.
        let mut beside = Container { locator: tree.locator(&folder.path), ..Container::default() };
        for (path, kind) in examined.containers {
            let Some(contents) = self.unpack(&path, kind, tree.locator(&path), None, opening) else { continue };
            beside.files.extend(contents.singles);
            for container in &contents.containers {
                self.take_container(container, opening);
            }
        }
        self.take_container(&beside, opening);
    }

    /// The files in a container; what there is to say of it is taken out and kept. `None` where it cannot be unpacked.
    fn unpack(
        &mut self,
        path: &Path,
        kind: Kind,
        locator: String,
        wanted: Option<&str>,
        opening: Opening<'_>,
    ) -> Option<Contents> {
        match worker::unpack(path, locator, kind, wanted, opening.unpacking) {
            Ok(mut contents) => {
                self.parts.append(&mut contents.files);
                self.problems.append(&mut contents.problems);
                self.shadow_copies.append(&mut contents.shadow_copies);
                self.looked.append(&mut contents.looked);
                Some(contents)
            }
            Err(source) => {
                self.problems.push(not_unpacked(path, kind, &source));
                None
            }
        }
    }

    /// What is in a container.
    fn take_container(&mut self, container: &Container, opening: Opening<'_>) {
        let found = search::search(container, Path::new(""), Path::new(""));
        self.problems.extend(found.problems);
        for folder in &found.folders {
            self.take(container, folder, opening);
        }
    }

    /// What is in a container at a place that was named: a hive with its logs, or a folder; `None` where it names none.
    fn take_named(&mut self, locator: &str, opening: Opening<'_>) -> Option<()> {
        let path = directory::container_of(Path::new(locator))?;
        let path = path.as_path();
        let beginning = Disk.look(path).ok()?;
        let kind = Kind::of_file(&beginning.bytes, path, beginning.size)?;
        let name = directory::locator(path);
        let wanted = locator.strip_prefix(&name).and_then(|rest| rest.strip_prefix('!'));
        let contents = self.unpack(path, kind, name, wanted, opening)?;
        let singles = Container {
            locator: directory::locator(path),
            files: contents.singles.into_iter().collect(),
            ..Container::default()
        };
        let mut named = None;
        for mut container in contents.containers.into_iter().chain([singles]) {
            let is_named = |file: &PathBuf| container.locator(file) == locator;
            if let Some(file) = container.files.keys().find(|file| is_named(file)).cloned() {
                let folder = arguments::named_in_container(&file)?;
                self.take(&container, &folder, opening);
                named = Some(());
                continue;
            }
            let below = format!("{locator}{}", if locator == container.locator { "!" } else { "/" });
            let inside = container.locator == locator || container.locator.starts_with(&format!("{locator}!"));
            let wanted: Vec<PathBuf> = container
                .files
                .keys()
                .filter(|file| inside || container.locator(file).starts_with(&below))
                .cloned()
                .collect();
            container.files.retain(|file, _| wanted.contains(file) || is_hibernation(file));
            if !wanted.is_empty() {
                self.take_container(&container, opening);
                named = Some(());
            }
        }
        named
    }

    /// Every file that belongs to an installation: the hives and their logs.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let hives = self.installations.iter().flat_map(|installation| &installation.hives);
        hives
            .flat_map(|hive| std::iter::once(&hive.file).chain(hive.logs.iter().map(|log| &log.file)))
            .map(|file| file.path.as_path())
            .chain(self.parts.iter().map(PathBuf::as_path))
    }

    fn finish(&mut self) {
        let first = |installation: &Installation| installation.hives.first().map(|hive| hive.locator.clone());
        self.installations.sort_by_cached_key(|one| (one.evidence.clone(), one.generation, first(one)));
        let ids = installation_id::assign(self.installations.iter().map(|one| one.evidence.as_str()));
        for (installation, id) in self.installations.iter_mut().zip(ids) {
            installation.id = id;
        }
        // The tenth after the ninth.
        self.shadow_copies.sort_by_cached_key(|copy| {
            let (volume, number) = copy.path.rsplit_once("!vss").unwrap_or((&copy.path, ""));
            (volume.to_owned(), number.parse::<usize>().ok())
        });
        self.shadow_copies.dedup();
        self.problems.sort();
        self.problems.dedup();
        self.parts.sort();
        self.parts.dedup();
    }

    /// Says that there is no hive, and what there is.
    fn nothing(mut self, evidence: &[PathBuf], seen: Seen) -> Error {
        self.problems.extend(self.installations.into_iter().flat_map(|installation| installation.problems));
        self.problems.sort();
        let looked_at = match seen {
            Seen { folders: 0, files: 0 } => "nothing could be opened".to_owned(),
            Seen { folders: 1, files: 0 } => "the folder is empty".to_owned(),
            Seen { folders: 0, files } => counted(files, "file"),
            Seen { folders, files } => format!("{} in {}", counted(files, "file"), counted(folders, "folder")),
        };
        let told = self.problems.iter().map(ToString::to_string);
        Error::NoHive {
            evidence: some_of(evidence.iter().map(|path| locator(path)), ", "),
            looked_at: some_of(std::iter::once(looked_at).chain(told).chain(self.looked), "; "),
        }
    }
}

/// What a container that could not be unpacked says.
fn not_unpacked(path: &Path, kind: Kind, source: &io::Error) -> Problem {
    if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) {
        return directory::unreadable(path, kind.expected(), source);
    }
    let advice = "unpack or mount it by other means, and name what comes out";
    Problem::of(locator(path), kind.expected(), source.to_string()).advise(advice)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
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
