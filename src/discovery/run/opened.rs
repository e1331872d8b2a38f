//! How a run opens folders and containers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Container, Run, sort, without_parents};
use crate::discovery::containers::{self, Job, Opened};
use crate::discovery::finder::{self, Nested, Scope};
use crate::discovery::found::FoundTree;
use crate::discovery::{Installation, arguments, layout, opener};
use crate::error::{Code, Problem};
use crate::evidence::budget::Cost;
use crate::evidence::directory;
use crate::evidence::file::File;
use crate::evidence::file_system::Vouched;
use crate::evidence::folder::FolderSystem;
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Outcome, SourceId};
use crate::evidence::locator::{Locator, Name, Step};
use crate::evidence::worker;
use crate::progress::{self, Task};

impl Run<'_> {
    /// Examines a folder of this machine, with everything below it.
    pub(super) fn folder(&mut self, path: &Path, real: &Path) -> Vec<Installation> {
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
            // The volume's root may be above the folder that the user named.
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

    /// Opens the containers in a folder. A file that was compressed by itself belongs to the folder like the others.
    pub(super) fn containers(
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

    /// Returns the installations of a container.
    pub(super) fn container(&mut self, container: Container) -> Vec<Installation> {
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

    /// Opens a container, in a worker if this program has one.
    pub(super) fn open(
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
        // The user did not name a container that a folder contains.
        let named = of.is_none() && wanted.is_empty();
        let job =
            Job { at: at.clone(), kind, wanted, named, unpacking: self.unpacking.clone(), budget: self.budget.clone() };
        progress::step(Task::Reading, || at.to_string(), 1);
        let opened = if worker::is_isolated() {
            let whole = if self.unpacking.verify_image { size } else { size.min(4 << 30) };
            let seconds = worker::seconds_for(whole).min(left);
            worker::ask::<Job, Opened>(path, &job, seconds).and_then(|(mut opened, reply)| {
                let cut = || io::Error::other("the reply of its reader is truncated; please report it");
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
                        .advise("unpack or mount it with another program, and name the result"),
                };
                refused(self, problem);
                None
            }
        }
    }
}
