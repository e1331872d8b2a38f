//! Extracts the relevant files of one file system, and puts the containers in it on the worklist.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::finder::{self, Nested, Scope, Search};
use super::found::{FoundFile, FoundTree};
use super::store::{Spooled, Store};
use super::unreadable::unreadable;
use super::watch::Watch;
use crate::error::{Code, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::block::{Blocks, FileBlocks};
use crate::evidence::deadline::Deadline;
use crate::evidence::file::{File, Origin, Snapshot, Unpacked};
use crate::evidence::file_system::{FileSystem, Node, Vouched};
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, Outcome, SourceId};
use crate::evidence::listed::Listed;
use crate::evidence::locator::{Locator, Name, Step};

/// A container to open.
pub(super) struct Item {
    pub(super) at: Locator,
    pub(super) kind: Kind,
    /// Its bytes; `None` for the job's own file of this machine.
    pub(super) bytes: Option<Blocks>,
    pub(super) depth: usize,
    /// The wanted part of the container.
    pub(super) wanted: Vec<Step>,
    /// Whether a checksum proves its bytes.
    pub(super) vouched: Vouched,
    /// Whether the user named it.
    pub(super) named: bool,
    /// The tree, and the folder in it, that contain this container.
    pub(super) beside: Option<(usize, Vec<Name>)>,
}

/// The work of a worker: opens containers one by one.
pub(super) struct Opener<'w> {
    pub(super) watch: Watch<'w>,
    pub(super) path: PathBuf,
    pub(super) unpacking: Unpacking,
    pub(super) deadline: Deadline,
    /// Whether only logs without a hive are wanted.
    pub(super) for_logs: bool,
    pub(super) ledger: Ledger,
    pub(super) trees: Vec<FoundTree>,
    pub(super) singles: Vec<(Name, Box<FoundFile>)>,
    pub(super) shadow_copies: Vec<Snapshot>,
    pub(super) files: Vec<PathBuf>,
    /// Every file of this machine that was opened, including those of images that could not be opened.
    pub(super) touched: Vec<PathBuf>,
    pub(super) found: bool,
    /// Containers to open; the next one is last.
    pub(super) pending: Vec<Item>,
    pub(super) store: Store,
    /// The name that the job's own file had on its machine, if the user states it.
    pub(super) original_name: Option<String>,
    /// Files that lay beside the job's own file on its machine, and that the user listed.
    #[cfg_attr(not(feature = "images"), expect(dead_code, reason = "only images need files beside them"))]
    pub(super) listed: Listed,
}

impl Opener<'_> {
    /// Returns the bytes of an extracted container, or of the job's own file of this machine.
    pub(super) fn blocks(&self, item: &Item) -> io::Result<Blocks> {
        match &item.bytes {
            Some(bytes) => Ok(Blocks::clone(bytes)),
            None => Ok(Arc::new(FileBlocks::open(&self.path)?)),
        }
    }

    /// Returns the path of the job's own file of this machine.
    #[cfg(feature = "images")]
    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Searches a file system, and extracts the files that are worth opening.
    pub(super) fn file_system(
        &mut self,
        system: &dyn FileSystem,
        item: &Item,
        source: SourceId,
        origin: &Origin,
        shadow_copy: bool,
        single: bool,
    ) {
        let scope = Scope {
            system,
            at: &item.at,
            folder: false,
            above: &[],
            shadow_copy,
            places: self.unpacking.places,
            logs: self.for_logs,
            deadline: self.deadline,
            source,
        };
        let (first, rest) = match item.wanted.split_first() {
            Some((Step::Path(names), rest)) => (Some(names), rest),
            Some(_) => {
                let told = Outcome::Irrelevant("not the place that was named".to_owned());
                return self.ledger.end(source, told, Vouched::Unprotected);
            }
            None => (None, item.wanted.as_slice()),
        };
        let mut search = match first {
            None => {
                self.found = true;
                finder::search(&scope, &mut self.ledger)
            }
            Some(names) => finder::search_named(&scope, names, &mut self.ledger),
        };
        if search.late {
            return self.ledger.refuse(source, self.deadline.problem(), true);
        }
        if !rest.is_empty() {
            // Only the container on the path to the wanted place is needed.
            search.wanted.clear();
            search.tree = FoundTree::default();
            search.nested.retain(|nested| nested.named);
        } else if search.named {
            self.found = true;
        }
        for defect in system.defects() {
            let at = item.at.to_string();
            let problem = Problem::of(at, format!("{} without defects", origin.format), defect).code(Code::Damaged);
            let problem = problem.advise("compare it with its original, and copy it again");
            self.ledger.refuse_member(source, &origin.format, problem, true);
        }
        let vouched = item.vouched.clone().and(system.vouched());
        self.take_out(system, &mut search, &vouched);
        self.ledger.end(source, Outcome::Read, if single { Vouched::Unprotected } else { vouched.clone() });
        let Search { mut tree, nested, .. } = search;
        tree.origin = Some(origin.clone());
        tree.source = Some(source);
        if single {
            return self.single(tree, nested, system, item, source, rest, &vouched);
        }
        let index = self.trees.len();
        self.trees.push(tree);
        let beside = nested.iter().map(|nested| Some((index, nested.folder.clone()))).collect();
        self.nested(nested, beside, system, item, source, rest, &vouched);
    }

    /// Puts the content of a single compressed file into the folder of that file.
    #[allow(clippy::too_many_arguments, reason = "what came of the file system, and where it lies")]
    fn single(
        &mut self,
        tree: FoundTree,
        nested: Vec<Nested>,
        system: &dyn FileSystem,
        item: &Item,
        source: SourceId,
        rest: &[Step],
        vouched: &Vouched,
    ) {
        let origin = tree.origin;
        for (name, mut file) in tree.folders.into_values().flat_map(|folder| folder.files) {
            file.origin.clone_from(&origin);
            file.named |= item.named;
            let folder =
                item.beside.as_ref().and_then(|(tree, folder)| self.trees.get_mut(*tree)?.folders.get_mut(folder));
            match folder {
                Some(folder) => insert_beside(&mut folder.files, name, file),
                // No tree has its folder, or the user named it and nothing else of its folder.
                None => self.singles.push((name, file)),
            }
        }
        let beside = nested.iter().map(|_| item.beside.clone()).collect();
        self.nested(nested, beside, system, item, source, rest, vouched);
    }

    /// Puts the containers of a file system on the worklist.
    #[allow(clippy::too_many_arguments, reason = "what came of the file system, and where it lies")]
    fn nested(
        &mut self,
        nested: Vec<Nested>,
        beside: Vec<Option<(usize, Vec<Name>)>>,
        system: &dyn FileSystem,
        item: &Item,
        source: SourceId,
        rest: &[Step],
        vouched: &Vouched,
    ) {
        // A container with a checksum in an archive is read once to its end, although it can be read by position.
        let in_place = |nested: &Nested| match item.kind {
            Kind::Archive(_) => system
                .blocks(nested.entry.node)
                .map(|blocks| read_through(system, nested.entry.node).map(|own| (blocks, own))),
            #[cfg(feature = "images")]
            Kind::Image => system.blocks(nested.entry.node).map(|blocks| Ok((blocks, Vouched::Unprotected))),
        };
        let mut all: Vec<Option<Spooled>> = nested.iter().map(in_place).collect();
        let apart: Vec<usize> =
            all.iter().enumerate().filter(|(_, blocks)| blocks.is_none()).map(|(at, _)| at).collect();
        let files: Vec<(Node, u64)> = apart
            .iter()
            .filter_map(|at| nested.get(*at))
            .map(|nested| (nested.entry.node, nested.entry.size))
            .collect();
        for (at, spooled) in apart.iter().zip(self.store.spool(system, &files)) {
            if let Some(place) = all.get_mut(*at) {
                *place = Some(spooled);
            }
        }
        let mut items = Vec::new();
        for ((nested, beside), spooled) in nested.into_iter().zip(beside).zip(all.into_iter().flatten()) {
            let names: Vec<Name> = nested.folder.iter().chain([&nested.entry.name]).cloned().collect();
            let at = item.at.inside(&names);
            match spooled {
                Ok((blocks, own)) => {
                    self.ledger.read(source);
                    items.push(Item {
                        at,
                        kind: nested.kind,
                        bytes: Some(blocks),
                        depth: item.depth.saturating_add(1),
                        wanted: if nested.named { rest.to_vec() } else { Vec::new() },
                        vouched: vouched.clone().and(own),
                        named: nested.named && rest.is_empty(),
                        beside,
                    });
                }
                Err(problem) => {
                    let problem = Problem { path: Some(at.to_string()), ..problem };
                    self.ledger.refuse_member(source, &nested.kind.to_string(), problem, true);
                }
            }
        }
        self.pending.extend(items.into_iter().rev());
    }

    /// Extracts the bytes of hives and logs from a file system.
    fn take_out(&mut self, system: &dyn FileSystem, search: &mut Search, vouched: &Vouched) {
        let nodes: Vec<_> = search.wanted.iter().map(|wanted| wanted.node).collect();
        let Search { tree, wanted, .. } = search;
        let (store, path) = (&mut self.store, &self.path);
        system.read_each(&nodes, &mut |at, content| {
            let file =
                wanted.get(at).and_then(|wanted| tree.folders.get_mut(&wanted.folder)?.files.get_mut(&wanted.name));
            let Some(file) = file else { return ControlFlow::Continue(()) };
            let taken = match content {
                Ok(content) => store.take(content, file.size).map(|unpacked| (unpacked, content.finish())),
                Err(error) => Err(unreadable(&error)),
            };
            match taken {
                Ok((unpacked, own)) => {
                    file.file = File::within(path, unpacked);
                    file.vouched = vouched.clone().and(own);
                }
                Err(problem) => file.unreadable = Some(problem),
            }
            ControlFlow::Continue(())
        });
        // A file that the file system never passed on is unreadable too.
        for wanted in wanted.iter() {
            let file = tree.folders.get_mut(&wanted.folder).and_then(|folder| folder.files.get_mut(&wanted.name));
            if let Some(file) = file
                && file.size > 0
                && file.unreadable.is_none()
                && file.file.path.as_os_str().is_empty()
            {
                file.unreadable = Some(Problem::new("bytes that can be read", "no bytes").code(Code::Unreadable));
            }
        }
        // If no bytes were wanted, the file is empty.
        for file in tree.folders.values_mut().flat_map(|folder| folder.files.values_mut()) {
            if file.file.path.as_os_str().is_empty() {
                file.file = File::within(path, Unpacked::default());
            }
        }
    }
}

/// Reads a file to its end to check its checksum.
fn read_through(system: &dyn FileSystem, file: Node) -> Result<Vouched, Problem> {
    let mut content = system.open(file).map_err(|error| unreadable(&error))?;
    io::copy(&mut content, &mut io::sink()).map_err(|error| unreadable(&error))?;
    Ok(content.finish())
}

/// Puts an extracted file into the folder of its container; if its name exists there, under the container's name.
pub(super) fn insert_beside(files: &mut BTreeMap<Name, Box<FoundFile>>, name: Name, file: Box<FoundFile>) {
    if let Entry::Vacant(place) = files.entry(name) {
        place.insert(file);
        return;
    }
    let container = file.locator.rsplit('!').nth(1).unwrap_or_default();
    let own = Name::from(container.rsplit('/').next().unwrap_or_default());
    files.entry(own).or_insert(file);
}
