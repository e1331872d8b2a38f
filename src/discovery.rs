//! Which Windows installations are in the evidence: the hives that belong together, and the generation that they are.
//!
//! The way of a file: `finder` decides by place and name whether it is worth opening, in whatever file system it lies;
//! `content` looks at its first bytes, `containers` opens what is an archive or an image, `folder` asks the hive itself
//! which one it is, `layout` knows what is kept in such a place, and `pairing` finds the SOFTWARE that belongs to a SYSTEM.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::budget::{Budget, Cost};
use crate::evidence::directory::{self, locator};
use crate::evidence::file::{File, Origin, Snapshot};
use crate::evidence::file_system::Vouched;
use crate::evidence::folder::{self as folder_system, FolderSystem};
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, Outcome, Source, SourceId};
use crate::evidence::locator::{Locator, Name, Step};
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
mod store;
mod unreadable;
#[cfg(feature = "images")]
mod volumes;

use arguments::{Argument, name_of};
use containers::{Job, Opened};
use content::Content;
use finder::{Nested, Scope};
use found::FoundTree;
pub use hibernation::Hibernation;

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
    /// How reports name it; see [`directory::locator`].
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

/// One run over the evidence.
struct Run<'u> {
    map: bool,
    unpacking: &'u Unpacking,
    discovery: Discovery,
    budget: Budget,
    begun: Instant,
}

/// What came of a container, and where it lies.
struct Container {
    path: PathBuf,
    at: Locator,
    opened: Opened,
}

impl<'u> Run<'u> {
    fn new(evidence: &[PathBuf], map: bool, unpacking: &'u Unpacking) -> Self {
        let size = |path: &PathBuf| fs::metadata(path).ok().filter(fs::Metadata::is_file).map_or(0, |file| file.len());
        let budget = Budget::of(unpacking.limits, evidence.iter().map(size).fold(0, u64::saturating_add));
        Self { map, unpacking, discovery: Discovery::default(), budget, begun: Instant::now() }
    }

    fn run(mut self, evidence: &[PathBuf]) -> Result<Discovery, Error> {
        let arguments = arguments::sort(evidence);
        let mut known: BTreeSet<PathBuf> = BTreeSet::new();
        let mut named: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for argument in &arguments {
            if let Argument::File { path, real } = argument {
                let folder = real.parent().map(Path::to_owned).unwrap_or_default();
                named.entry(folder).or_default().push(path.clone());
            }
        }
        // Folders first: a hive that is in one of them was found there, with all that belongs to it.
        let mut found: Vec<Vec<Installation>> = Vec::new();
        for argument in &arguments {
            found.push(match argument {
                Argument::Folder { path, real } => self.folder(path, real),
                _ => Vec::new(),
            });
        }
        known.extend(self.discovery.files().filter_map(|path| fs::canonicalize(path).ok()));
        let of_folders = |found: &[Vec<Installation>]| -> Vec<PathBuf> {
            let hives = found.iter().flatten().flat_map(|one| &one.hives);
            let files = hives
                .flat_map(|hive| std::iter::once(&hive.file.path).chain(hive.logs.iter().map(|log| &log.file.path)));
            files.filter_map(|path| fs::canonicalize(path).ok()).collect()
        };
        known.extend(of_folders(&found));
        for (argument, found) in arguments.iter().zip(&mut found) {
            match argument {
                Argument::Folder { .. } => {}
                Argument::Within { path, outer } => {
                    let source = self.discovery.ledger.begin(locator(path), "folder");
                    let told = format!("a part of {}", locator(outer));
                    self.discovery.ledger.end(source, Outcome::Irrelevant(told), Vouched::Unprotected);
                }
                Argument::File { path, real } => {
                    if !known.insert(real.clone()) {
                        let source = self.discovery.ledger.begin(locator(path), "file");
                        let told = "examined already, with another argument".to_owned();
                        self.discovery.ledger.end(source, Outcome::Irrelevant(told), Vouched::Unprotected);
                        continue;
                    }
                    let folder = real.parent().map(Path::to_owned).unwrap_or_default();
                    *found = self.file(path, named.remove(&folder).unwrap_or_default(), &mut known);
                }
                Argument::Other { path } => {
                    let source = self.discovery.ledger.begin(locator(path), "device");
                    let problem =
                        Problem::new("a folder or a file", "a device, a pipe or a socket").code(Code::Unreadable);
                    let advice = "mount the volume read-only and name its folder, or copy what comes out to a file";
                    self.discovery.ledger.refuse(source, problem.advise(directory::within_a_sentence(advice)), true);
                }
                Argument::Missing { path, error } => {
                    if let Some(at) = Locator::parse(path.as_os_str()).filter(|at| !at.steps.is_empty()) {
                        *found = self.named(&at);
                        continue;
                    }
                    if let Some(at) = Locator::parse(path.as_os_str()) {
                        // Its escapes resolved, it exists.
                        *found = self.unescaped(&at.base, &mut known);
                        continue;
                    }
                    let (told, advice) = directory::explain(error);
                    if evidence.len() == 1 {
                        let source = io::Error::new(error.kind(), error.to_string());
                        return Err(Error::Read { path: locator(path), source, advice });
                    }
                    let source = self.discovery.ledger.begin(locator(path), "file");
                    let problem = Problem::new("evidence that can be read", told).code(Code::Unreadable);
                    self.discovery.ledger.refuse(source, problem.advise(directory::within_a_sentence(advice)), true);
                }
            }
        }
        for found in found {
            self.keep(found);
        }
        Ok(self.finish())
    }

    /// A folder of this machine, with all that is below it.
    fn folder(&mut self, path: &Path, real: &Path) -> Vec<Installation> {
        let at = Locator::of(path);
        let before = self.discovery.ledger.gaps().len();
        let source = self.discovery.ledger.begin(at.to_string(), "folder");
        let above: Vec<String> =
            real.components().map(|part| layout::part(&part.as_os_str().to_string_lossy())).collect();
        let system = FolderSystem::new(path);
        let scope = Scope {
            system: &system,
            at: &at,
            folder: true,
            above: &above,
            shadow_copy: false,
            places: self.unpacking.places,
            source,
        };
        let mut search = finder::search(&scope, &mut self.discovery.ledger);
        for wanted in &search.wanted {
            let folder = search.tree.folders.get_mut(&wanted.folder);
            if let Some(file) = folder.and_then(|folder| folder.files.get_mut(&wanted.name)) {
                file.file = File::on_disk(system.path(wanted.node));
            }
        }
        for (names, folder) in &mut search.tree.folders {
            // The volume may reach above the folder that was named.
            if folder.hibernation.is_none() {
                let mut config = real.to_owned();
                config.extend(names.iter().map(Name::as_os_str));
                folder.hibernation = arguments::hibernation_of(&config);
            }
        }
        self.discovery.ledger.end(source, Outcome::Read, Vouched::Unprotected);
        let containers: Vec<(Nested, PathBuf)> = search
            .nested
            .drain(..)
            .map(|nested| {
                let path = system.path(nested.entry.node);
                (nested, path)
            })
            .collect();
        let mut installations = self.containers(&mut search.tree, &at, source, containers);
        installations.extend(self.examine(&search.tree, Some(source)));
        sort(&mut installations);
        if installations.iter().all(|one| one.hives.is_empty()) && self.discovery.ledger.gaps().len() == before {
            self.nothing_came(source);
        }
        installations
    }

    /// Opens the containers in a folder. What was compressed file by file belongs to the folder as its files do.
    fn containers(
        &mut self,
        tree: &mut FoundTree,
        root: &Locator,
        source: SourceId,
        containers: Vec<(Nested, PathBuf)>,
    ) -> Vec<Installation> {
        let mut opened = Vec::new();
        for (nested, path) in containers {
            let mut at = root.clone();
            at.base.extend(nested.folder.iter().chain([&nested.entry.name]).map(Name::as_os_str));
            let Some(mut container) = self.open(&path, at, nested.kind, Vec::new(), Some(source)) else { continue };
            self.discovery.ledger.read(source);
            let folder = tree.folders.get_mut(&nested.folder);
            let singles = std::mem::take(&mut container.opened.singles);
            if let Some(folder) = folder {
                for (name, file) in singles {
                    opener::insert_beside(&mut folder.files, name, file);
                }
            }
            opened.push(container);
        }
        let mut installations = Vec::new();
        for container in without_parents(opened, &mut self.discovery.ledger) {
            installations.extend(self.container(container));
        }
        installations
    }

    /// What came of a container, as installations.
    fn container(&mut self, container: Container) -> Vec<Installation> {
        let Opened { trees, ledger, shadow_copies, files, touched, .. } = container.opened;
        let first = self.discovery.ledger.append(ledger);
        self.discovery.shadow_copies.extend(shadow_copies);
        self.discovery.containers.extend(files.into_iter().chain(touched));
        let examine = |tree: FoundTree| {
            let source = tree.source.map(|source| source.behind(first));
            self.examine(&tree, source)
        };
        trees.into_iter().flat_map(examine).collect()
    }

    /// Opens a container, in a worker where this program has one.
    fn open(
        &mut self,
        path: &Path,
        at: Locator,
        kind: Kind,
        wanted: Vec<Step>,
        of: Option<SourceId>,
    ) -> Option<Container> {
        self.discovery.containers.push(path.to_owned());
        let size = fs::metadata(path).map_or(0, |file| file.len());
        self.budget.grow(size);
        let refused = |run: &mut Self, problem: Problem| {
            let problem = Problem { path: Some(at.to_string()), ..problem };
            run.discovery.ledger.refuse_in(of, &kind.to_string(), problem, true);
        };
        let spent = self.begun.elapsed().as_secs();
        let left = self.budget.left(Cost::Seconds).saturating_sub(spent);
        for (cost, left) in [(Cost::Seconds, left), (Cost::Sources, self.budget.left(Cost::Sources))] {
            if left == 0 {
                let problem = self.budget.exceeded(cost);
                refused(self, problem);
                return None;
            }
        }
        // One of those in a folder is not named.
        let named = of.is_none() && wanted.is_empty();
        let job =
            Job { at: at.clone(), kind, wanted, named, unpacking: self.unpacking.clone(), budget: self.budget.clone() };
        let opened = if worker::is_isolated() {
            let whole = if self.unpacking.verify_image { size } else { size.min(4 << 30) };
            let seconds = worker::seconds_for(whole).min(left);
            worker::ask::<Job, Opened>(path, &job, seconds).and_then(|(mut opened, reply)| {
                let cut = || io::Error::other("the answer of its reader is cut off; please report it");
                opened.tie(&reply).ok_or_else(cut).map(|()| opened)
            })
        } else {
            std::panic::catch_unwind(|| containers::open(path, job, None)).map_err(|_| io::Error::other(worker::DEFECT))
        };
        match opened {
            Ok(opened) => {
                self.budget = opened.budget.clone();
                Some(Container { path: path.to_owned(), at, opened })
            }
            Err(error) => {
                let problem = match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                        let (told, advice) = directory::explain(&error);
                        Problem::new("a container that can be read", told)
                            .code(Code::Unreadable)
                            .advise(directory::within_a_sentence(advice))
                    }
                    _ => Problem::new("a container that can be read", error.to_string())
                        .code(Code::ReaderFailed)
                        .advise("unpack or mount it by other means, and name what comes out"),
                };
                refused(self, problem);
                None
            }
        }
    }

    /// A file that was named, with the others of its folder that were.
    fn file(&mut self, first: &Path, others: Vec<PathBuf>, known: &mut BTreeSet<PathBuf>) -> Vec<Installation> {
        let mut installations = Vec::new();
        let mut tree = FoundTree::default();
        let mut files = Vec::new();
        for path in std::iter::once(first.to_owned()).chain(others.into_iter().filter(|path| path != first)) {
            if path != first && !fs::canonicalize(&path).is_ok_and(|real| known.insert(real)) {
                continue;
            }
            let head = folder_system::head_of(&path).ok().map(|head| content::of(&head, &name_of(&path)));
            if let Some(Content::Container(kind)) = head {
                let before = self.discovery.ledger.gaps().len();
                let at = Locator::of(&path);
                let Some(container) = self.open(&path, at.clone(), kind, Vec::new(), None) else { continue };
                let singles = container.opened.singles.clone();
                let mut found = self.container(container);
                if singles.is_empty() {
                    sort(&mut found);
                    if found.iter().all(|one| one.hives.is_empty()) && self.discovery.ledger.gaps().len() == before {
                        let source = self.discovery.ledger.begin(at.to_string(), "file");
                        self.nothing_came(source);
                    }
                    installations.extend(found);
                } else {
                    let folder = arguments::folder_of(&path);
                    let found = tree.folders.entry(Vec::new()).or_insert(folder);
                    for (name, file) in singles {
                        opener::insert_beside(&mut found.files, name, file);
                    }
                }
            } else {
                files.push(path);
            }
        }
        let before = self.discovery.ledger.gaps().len();
        if !files.is_empty() {
            let folder = tree.folders.remove(&Vec::new()).unwrap_or_else(|| arguments::folder_of(first));
            tree.folders.insert(Vec::new(), arguments::named(&files, folder));
        }
        let found = self.examine(&tree, None);
        if found.iter().all(|one| one.hives.is_empty()) && self.discovery.ledger.gaps().len() == before {
            for path in files {
                let source = self.discovery.ledger.begin(locator(&path), "file");
                self.nothing_came(source);
            }
        }
        installations.extend(found);
        sort(&mut installations);
        installations
    }

    /// An argument whose name was typed as it is printed.
    fn unescaped(&mut self, path: &Path, known: &mut BTreeSet<PathBuf>) -> Vec<Installation> {
        match fs::canonicalize(path) {
            Ok(real) if real.is_dir() => self.folder(path, &real),
            Ok(real) => {
                known.insert(real);
                self.file(path, Vec::new(), known)
            }
            Err(error) => {
                let (told, advice) = directory::explain(&error);
                let source = self.discovery.ledger.begin(locator(path), "file");
                let problem = Problem::new("evidence that can be read", told).code(Code::Unreadable);
                self.discovery.ledger.refuse(source, problem.advise(directory::within_a_sentence(advice)), true);
                Vec::new()
            }
        }
    }

    /// A place in a container that was named.
    fn named(&mut self, at: &Locator) -> Vec<Installation> {
        let head = folder_system::head_of(&at.base).ok().map(|head| content::of(&head, &name_of(&at.base)));
        let nothing = |run: &mut Self, told: &str| {
            let source = run.discovery.ledger.begin(at.to_string(), "file");
            let problem = Problem::new("something at this place", told.to_owned()).code(Code::NothingFound);
            run.discovery.ledger.refuse(source, problem.advise("`hivemend find` lists what is there"), true);
            Vec::new()
        };
        let Some(Content::Container(kind)) = head else {
            return nothing(self, "a file that is no archive and no disk image");
        };
        let before = self.discovery.ledger.gaps().len();
        let base = Locator::of(&at.base);
        let Some(container) = self.open(&at.base, base, kind, at.steps.clone(), None) else { return Vec::new() };
        let there = container.opened.found;
        let singles = container.opened.singles.clone();
        let mut found = self.container(container);
        if !singles.is_empty() {
            let mut folder = arguments::folder_of(&at.base);
            folder.named = true;
            for (name, file) in singles {
                opener::insert_beside(&mut folder.files, name, file);
            }
            let tree = FoundTree { folders: BTreeMap::from([(Vec::new(), folder)]), ..FoundTree::default() };
            found.extend(self.examine(&tree, None));
        }
        sort(&mut found);
        if !there {
            return nothing(self, "nothing of that name");
        }
        if found.iter().all(|one| one.hives.is_empty()) && self.discovery.ledger.gaps().len() == before {
            return nothing(self, "no hive");
        }
        found
    }

    /// The installations of a tree, as far as the budget goes.
    fn examine(&mut self, tree: &FoundTree, source: Option<SourceId>) -> Vec<Installation> {
        let mut installations = Vec::new();
        for folder in tree.folders.values().filter(|folder| !folder.files.is_empty()) {
            if let Err(problem) = self.budget.spend(Cost::Sources, folder.files.len() as u64) {
                let problem = Problem { path: Some(folder.locator.clone()), ..problem };
                self.discovery.ledger.refuse_in(source, "folder", problem, true);
                continue;
            }
            let found = folder::examine(folder, tree.origin.as_ref(), self.map, source, &mut self.discovery.ledger);
            installations.extend(found);
        }
        installations
    }

    /// Keeps the installations of an argument, as far as the budget goes.
    fn keep(&mut self, found: Vec<Installation>) {
        let mut dropped = 0_usize;
        let mut problem = None;
        for installation in found {
            match self.budget.spend(Cost::Installations, 1) {
                Ok(()) => self.discovery.installations.push(installation),
                Err(limit) => {
                    dropped = dropped.saturating_add(1);
                    problem.get_or_insert((installation.evidence, limit));
                }
            }
        }
        if let Some((at, limit)) = problem {
            let source = self.discovery.ledger.begin(at, "installation");
            let problem = Problem { found: format!("{dropped} more, which were not examined"), ..limit };
            self.discovery.ledger.refuse(source, problem, true);
        }
    }

    /// An argument of which nothing came is a problem, whatever its neighbours are.
    fn nothing_came(&mut self, source: SourceId) {
        let files = self.discovery.ledger.get(source).map_or(0, |source| source.members.seen);
        let found = match files {
            0 => "no hive in it".to_owned(),
            1 => "1 file, which is no hive".to_owned(),
            files => format!("{files} files, none of them a hive"),
        };
        let problem = Problem::new("a SOFTWARE or SYSTEM hive, or something that holds one", found);
        let advice = "name a mounted Windows volume, a folder of copied hives, an image, an archive or a hive";
        self.discovery.ledger.refuse(source, problem.code(Code::NothingFound).advise(advice), true);
    }

    fn finish(mut self) -> Discovery {
        let discovery = &mut self.discovery;
        let ids = installation_id::assign(discovery.installations.iter().map(|one| one.evidence.as_str()));
        for (installation, id) in discovery.installations.iter_mut().zip(ids) {
            installation.id = id;
        }
        // The tenth after the ninth.
        discovery.shadow_copies.sort_by_cached_key(|copy| {
            let (volume, number) = copy.path.rsplit_once("!vss").unwrap_or((&copy.path, ""));
            (volume.to_owned(), number.parse::<usize>().ok())
        });
        discovery.shadow_copies.dedup();
        discovery.containers.sort();
        discovery.containers.dedup();
        self.discovery
    }
}

/// By evidence, then by generation.
fn sort(installations: &mut [Installation]) {
    let first = |installation: &Installation| installation.hives.first().map(|hive| hive.locator.clone());
    installations.sort_by_cached_key(|one| (one.evidence.clone(), one.generation, first(one)));
}

/// Images that are the parents of others beside them are older states of those: only the newest is the machine.
fn without_parents(containers: Vec<Container>, ledger: &mut Ledger) -> Vec<Container> {
    let mut parts: BTreeMap<PathBuf, String> = BTreeMap::new();
    for container in &containers {
        for part in &container.opened.files {
            if let Ok(real) = fs::canonicalize(part) {
                parts.insert(real, container.at.to_string());
            }
        }
    }
    let mut left = Vec::new();
    for mut container in containers {
        let whole = fs::canonicalize(&container.path).ok().and_then(|real| parts.get(&real));
        match whole.filter(|whole| **whole != container.at.to_string()) {
            Some(whole) => {
                let at = container.at.to_string();
                container.opened.ledger.withdraw(&at, &format!("a part or an older state of {whole}"));
                ledger.append(container.opened.ledger);
            }
            None => left.push(container),
        }
    }
    left
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
