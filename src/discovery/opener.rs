//! Takes what matters out of one file system, and puts the containers in it on the worklist.

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
use crate::error::{Code, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::block::{Blocks, FileBlocks};
use crate::evidence::file::{File, Origin, Snapshot, Unpacked};
use crate::evidence::file_system::{FileSystem, Node, Vouched};
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, Outcome, SourceId};
use crate::evidence::locator::{Locator, Name, Step};

/// A container that is to be opened.
pub(super) struct Item {
    pub(super) at: Locator,
    pub(super) kind: Kind,
    /// Its bytes; `None` for the file of this machine that the job is about.
    pub(super) bytes: Option<Blocks>,
    pub(super) depth: usize,
    /// What of it is wanted.
    pub(super) wanted: Vec<Step>,
    /// Whether somebody vouches for its bytes.
    pub(super) vouched: Vouched,
    /// Whether the user named it.
    pub(super) named: bool,
    /// The tree, and the folder in it, that it lies in.
    pub(super) beside: Option<(usize, Vec<Name>)>,
}

/// A worker's work: opens containers one after the other.
pub(super) struct Opener {
    pub(super) path: PathBuf,
    pub(super) unpacking: Unpacking,
    pub(super) ledger: Ledger,
    pub(super) trees: Vec<FoundTree>,
    pub(super) singles: Vec<(Name, FoundFile)>,
    pub(super) shadow_copies: Vec<Snapshot>,
    pub(super) files: Vec<PathBuf>,
    /// Every file of this machine that was opened, also of images that cannot be opened.
    pub(super) touched: Vec<PathBuf>,
    pub(super) found: bool,
    /// Containers yet to be opened, the next one last.
    pub(super) pending: Vec<Item>,
    pub(super) store: Store,
}

impl Opener {
    /// The file of this machine that the job is about, or one that was taken out.
    pub(super) fn blocks(&self, item: &Item) -> io::Result<Blocks> {
        match &item.bytes {
            Some(bytes) => Ok(Blocks::clone(bytes)),
            None => Ok(Arc::new(FileBlocks::open(&self.path)?)),
        }
    }

    /// The file of this machine that the job is about.
    #[cfg(feature = "images")]
    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Searches a file system, and takes out what is worth opening.
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
        if !rest.is_empty() {
            // Only the container on the way is wanted.
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

    /// The content of a single compressed file lies in the folder of that file.
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
                // It lies beside nothing, or was named and nothing else of its folder.
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
        // What an archive has a checksum of is read through once, although it could be read by position.
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

    /// Takes the bytes of hives and logs out of a file system.
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
        // What never came cannot be read, either.
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
        // Where nothing was to be read, an empty file is one.
        for file in tree.folders.values_mut().flat_map(|folder| folder.files.values_mut()) {
            if file.file.path.as_os_str().is_empty() {
                file.file = File::within(path, Unpacked::default());
            }
        }
    }
}

/// Reads a file to its end for the checksum that covers it.
fn read_through(system: &dyn FileSystem, file: Node) -> Result<Vouched, Problem> {
    let mut content = system.open(file).map_err(|error| unreadable(&error))?;
    io::copy(&mut content, &mut io::sink()).map_err(|error| unreadable(&error))?;
    Ok(content.finish())
}

/// Puts a file that came out of a compressed one into its folder; where its name is taken, under that of the container.
pub(super) fn insert_beside(files: &mut BTreeMap<Name, FoundFile>, name: Name, file: FoundFile) {
    if let Entry::Vacant(place) = files.entry(name) {
        place.insert(file);
        return;
    }
    let container = file.locator.rsplit('!').nth(1).unwrap_or_default();
    let own = Name::from(container.rsplit('/').next().unwrap_or_default());
    files.entry(own).or_insert(file);
}
