//! One run over the evidence: its arguments in their order, each with its result.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::arguments::{self, Argument, name_of};
use super::containers::Opened;
use super::content::{self, Content};
use super::found::FoundTree;
use super::{Discovery, Installation, folder, installation_id, opener};
use crate::error::{Code, Error, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::budget::{Budget, Cost};
use crate::evidence::directory::{self, locator};
use crate::evidence::file_system::Vouched;
use crate::evidence::folder as folder_system;
use crate::evidence::ledger::{Ledger, Outcome, SourceId};
use crate::evidence::locator::Locator;

mod opened;

/// One run over the evidence.
pub(super) struct Run<'u> {
    map: bool,
    unpacking: &'u Unpacking,
    discovery: Discovery,
    budget: Budget,
    begun: Instant,
}

/// The result of a container, and its place.
struct Container {
    path: PathBuf,
    at: Locator,
    opened: Opened,
}

impl<'u> Run<'u> {
    pub(super) fn new(evidence: &[PathBuf], map: bool, unpacking: &'u Unpacking) -> Self {
        let size = |path: &PathBuf| fs::metadata(path).ok().filter(fs::Metadata::is_file).map_or(0, |file| file.len());
        let budget = Budget::of(unpacking.limits, evidence.iter().map(size).fold(0, u64::saturating_add));
        Self { map, unpacking, discovery: Discovery::default(), budget, begun: Instant::now() }
    }

    pub(super) fn run(mut self, evidence: &[PathBuf]) -> Result<Discovery, Error> {
        let arguments = arguments::sort(evidence);
        let mut known: BTreeSet<PathBuf> = BTreeSet::new();
        let mut named: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for argument in &arguments {
            if let Argument::File { path, real } = argument {
                let folder = real.parent().map(Path::to_owned).unwrap_or_default();
                named.entry(folder).or_default().push(path.clone());
            }
        }
        // Folders first: a hive in one of them is found there, with everything that belongs to it.
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
                    let advice = "mount the volume read-only and name its folder, or copy its output to a file";
                    self.discovery.ledger.refuse(source, problem.advise(directory::within_a_sentence(advice)), true);
                }
                Argument::Missing { path, error } => {
                    if let Some(at) = Locator::parse(path.as_os_str()).filter(|at| !at.steps.is_empty()) {
                        *found = self.named(&at);
                        continue;
                    }
                    if let Some(at) = Locator::parse(path.as_os_str()) {
                        // With its escapes resolved, the path exists.
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

    /// Examines a file that the user named, with the other named files of its folder.
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

    /// Examines an argument whose name the user typed as reports print it.
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

    /// Examines a place in a container that the user named.
    fn named(&mut self, at: &Locator) -> Vec<Installation> {
        let head = folder_system::head_of(&at.base).ok().map(|head| content::of(&head, &name_of(&at.base)));
        let nothing = |run: &mut Self, told: &str| {
            let source = run.discovery.ledger.begin(at.to_string(), "file");
            let problem = Problem::new("something at this place", told.to_owned()).code(Code::NothingFound);
            run.discovery.ledger.refuse(source, problem.advise("`hivemend find` lists what is there"), true);
            Vec::new()
        };
        let Some(Content::Container(kind)) = head else {
            return nothing(self, "a file that is neither an archive nor a disk image");
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

    /// Returns the installations of a tree, until the budget ends.
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

    /// Keeps the installations of an argument, until the budget ends.
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

    /// Reports an argument without a result, whatever the other arguments contain.
    fn nothing_came(&mut self, source: SourceId) {
        let files = self.discovery.ledger.get(source).map_or(0, |source| source.members.seen);
        let found = match files {
            0 => "no hive in it".to_owned(),
            1 => "1 file, which is not a hive".to_owned(),
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
        // By number: the tenth follows the ninth.
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

/// Sorts by evidence, then by generation.
fn sort(installations: &mut [Installation]) {
    let first = |installation: &Installation| installation.hives.first().map(|hive| hive.locator.clone());
    installations.sort_by_cached_key(|one| (one.evidence.clone(), one.generation, first(one)));
}

/// Removes images that are parents of others beside them: a parent is an older state of the machine.
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
