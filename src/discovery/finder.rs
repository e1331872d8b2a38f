//! Which files of a file system are worth opening, in any file system.
//!
//! The file system is scanned once, by names alone. On a volume, the places where Windows and tools keep hives are then
//! searched, and files elsewhere with names like hives. A plain tree of copied hives may hold them under any name:
//! there the first bytes of each file decide, nearest to the root first, for up to [`HEADS`] files; then names do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use super::found::{FoundFolder, FoundTree};
use super::layout::{self, Place};
use super::{Generation, hibernation};
use crate::evidence::deadline::Deadline;
use crate::evidence::file_system::{Case, Entry, EntryKind, FileSystem, Node, Obstacle};
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, SourceId};
use crate::evidence::locator::{Locator, Name};

mod entries;
mod met;
mod named;

/// The most files in plain folders of one tree whose first bytes are read.
const HEADS: usize = 50_000;
/// The most folders within folders.
const DEEPEST: usize = 256;
/// The most links, containers and hive-like files that are handled one by one.
const MOST_KEPT: usize = 100_000;

/// The file system to search, and the way of searching.
pub(super) struct Scope<'a> {
    /// The file system.
    pub(super) system: &'a dyn FileSystem,
    /// The place of the file system.
    pub(super) at: &'a Locator,
    /// Whether it is a folder of this machine: no `!` precedes its files' names.
    pub(super) folder: bool,
    /// The [`layout::part`]s of the path to its root, for a folder of this machine.
    pub(super) above: &'a [String],
    /// Whether it is a volume in the state of a shadow copy.
    pub(super) shadow_copy: bool,
    /// Whether to search only the places where Windows keeps hives; on a volume.
    pub(super) places: bool,
    /// Whether logs are wanted without a hive beside them, too.
    pub(super) logs: bool,
    /// The end of the run.
    pub(super) deadline: Deadline,
    /// The file system's entry in the ledger.
    pub(super) source: SourceId,
}

/// A container in the file system that is opened next.
pub(super) struct Nested {
    /// The names of the folders above it.
    pub(super) folder: Vec<Name>,
    /// The file.
    pub(super) entry: Entry,
    /// The kind of container, by its first bytes.
    pub(super) kind: Kind,
    /// Whether the user named it.
    pub(super) named: bool,
}

/// A file whose bytes are needed.
pub(super) struct Wanted {
    /// The names of the folders above it.
    pub(super) folder: Vec<Name>,
    /// The file's name.
    pub(super) name: Name,
    /// The file's node in the file system.
    pub(super) node: Node,
}

/// The result of a search.
#[derive(Default)]
pub(super) struct Search {
    /// The folders and files.
    pub(super) tree: FoundTree,
    /// Files whose bytes are needed, in the order of their paths.
    pub(super) wanted: Vec<Wanted>,
    /// Containers, in the order of their paths.
    pub(super) nested: Vec<Nested>,
    /// Whether the place that the user named exists.
    pub(super) named: bool,
    /// Whether the run was over before everything was searched.
    pub(super) late: bool,
}

/// Searches a whole file system.
pub(super) fn search(scope: &Scope<'_>, ledger: &mut Ledger) -> Search {
    let mut finder = Finder::new(scope, ledger);
    let top = finder.names_of(scope.system.root());
    let volume = finder.above_is_volume() || layout::is_volume(&top, true);
    if scope.places && volume {
        finder.places();
    } else {
        finder.everything(volume);
    }
    finder.into_search()
}

/// Searches the place that the user named: a folder and everything below, or a file and what belongs to it.
pub(super) fn search_named(scope: &Scope<'_>, names: &[Name], ledger: &mut Ledger) -> Search {
    let mut finder = Finder::new(scope, ledger);
    finder.named(names);
    finder.into_search()
}

/// A folder of the scan.
struct Folder {
    parent: Node,
    name: Name,
}

/// A folder with a known path.
#[derive(Clone)]
struct FolderPath {
    names: Vec<Name>,
    /// The [`layout::part`] of each name.
    parts: Vec<String>,
}

struct Finder<'a> {
    scope: &'a Scope<'a>,
    ledger: &'a mut Ledger,
    search: Search,
    folders: HashMap<Node, Folder>,
    /// Links, containers and files with names like hives, which are handled in any place; by folder.
    kept: HashMap<Node, Vec<Entry>>,
    kept_count: usize,
    /// The hibernation file of each folder that contains one.
    sleeping: HashMap<Node, Node>,
    /// The same by the names of the folder, after a scan.
    asleep: Option<HashMap<Vec<Name>, Node>>,
    /// Whether a scan has found everything.
    scanned: bool,
    /// The root folder.
    root: Node,
    paths: HashMap<Node, Option<FolderPath>>,
    obstacles: HashSet<(Node, Option<Name>)>,
    heads: usize,
    by_name: u64,
    /// Whether only the places are searched: then no scan has counted the files.
    by_places: bool,
}

impl<'a> Finder<'a> {
    fn new(scope: &'a Scope<'a>, ledger: &'a mut Ledger) -> Self {
        let root = FolderPath { names: Vec::new(), parts: Vec::new() };
        Self {
            scope,
            ledger,
            search: Search::default(),
            folders: HashMap::new(),
            kept: HashMap::new(),
            kept_count: 0,
            sleeping: HashMap::new(),
            asleep: None,
            scanned: false,
            paths: HashMap::from([(scope.system.root(), Some(root))]),
            root: scope.system.root(),
            obstacles: HashSet::new(),
            heads: HEADS,
            by_name: 0,
            by_places: false,
        }
    }

    fn into_search(mut self) -> Search {
        if self.by_name > 0 {
            let told = format!(
                "{} files were judged by their names alone, because more than {HEADS} are in plain folders",
                self.by_name
            );
            self.ledger.note(self.scope.source, told);
        }
        let key = |wanted: &Wanted| (wanted.folder.clone(), wanted.name.clone());
        self.search.wanted.sort_by_cached_key(key);
        self.search.nested.sort_by_cached_key(|nested| (nested.folder.clone(), nested.entry.name.clone()));
        self.search
    }

    /// Returns whether the root lies in a Windows folder, and so is a part of a volume.
    fn above_is_volume(&self) -> bool {
        let above = self.scope.above;
        let windows = |tail: &[&str]| {
            above.len() > tail.len() && above.iter().rev().zip(tail.iter().rev()).all(|(part, wanted)| part == wanted)
        };
        windows(&["system32", "config"]) || windows(&["config", "regback"])
    }

    /// Returns the [`layout::part`] of the name of each folder and link in a folder.
    fn names_of(&mut self, folder: Node) -> Vec<String> {
        let mut names = Vec::new();
        self.scope.system.list(folder, &mut |entry| {
            if let Ok(entry) = entry
                && matches!(entry.kind, EntryKind::Folder | EntryKind::Link)
            {
                names.push(layout::part(&entry.name.to_text()));
            }
            ControlFlow::Continue(())
        });
        names
    }

    /// Searches the places, from the root of a volume down.
    fn places(&mut self) {
        self.by_places = true;
        self.ledger.note(self.scope.source, "only the places where Windows keeps hives were searched (--places)");
        let ways = layout::ways();
        let mut pending: Vec<(Node, Vec<&[&str]>)> = vec![(self.root, ways.iter().map(Vec::as_slice).collect())];
        let mut visited = BTreeSet::new();
        while let Some((folder, ways)) = pending.pop() {
            if self.is_late() {
                return;
            }
            visited.insert(folder);
            // Names are looked up if no pattern needs a list: System32 has ten thousand entries.
            let mut firsts: Vec<&str> = ways.iter().filter_map(|way| way.first().copied()).collect();
            firsts.sort_unstable();
            firsts.dedup();
            let entries = if firsts.iter().any(|first| first.ends_with('*')) {
                self.list(folder)
            } else {
                let mut entries = Vec::new();
                for first in firsts {
                    match self.scope.system.look_up(folder, &Name::from(first), Case::Insensitive) {
                        Ok(found) => entries.extend(found),
                        Err(why) => self.obstacle(Obstacle { folder, name: Some(Name::from(first)), why }),
                    }
                }
                entries
            };
            for entry in entries {
                if entry.kind != EntryKind::File || hibernation::is_named(&entry.name.to_text()) {
                    self.meet(&entry);
                }
                let part = layout::part(&entry.name.to_text());
                let on: Vec<&[&str]> = ways
                    .iter()
                    .filter_map(|way| way.split_first())
                    .filter(|(first, _)| layout::fits(&part, first))
                    .map(|(_, rest)| rest)
                    .collect();
                if entry.kind == EntryKind::Folder && !on.is_empty() {
                    pending.push((entry.node, on.into_iter().filter(|way| !way.is_empty()).collect()));
                }
            }
        }
        let nodes: Vec<Node> = visited.into_iter().collect();
        self.look_into(&nodes, |_| false);
    }

    /// Scans everything, then searches the folders that matter.
    fn everything(&mut self, volume: bool) {
        let system = self.scope.system;
        let mut files = 0_u64;
        system.scan(&mut |met| {
            match met {
                Ok(entry) => {
                    files = files.saturating_add(u64::from(self.counts(&entry)));
                    self.meet(&entry);
                }
                Err(obstacle) => self.obstacle(obstacle),
            }
            if self.is_late() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.scanned = true;
        self.ledger.seen(self.scope.source, files);
        if !self.search.late {
            self.look_where_it_matters(volume);
        }
    }

    fn look_where_it_matters(&mut self, volume: bool) {
        let mut roots: HashSet<Node> = HashSet::new();
        if volume {
            roots.insert(self.root);
        }
        let all: Vec<Node> = self.folders.keys().copied().collect();
        if !volume {
            for node in &all {
                let Some(folder) = self.folders.get(node) else { continue };
                let part = layout::part(&folder.name.to_text());
                if layout::is_volume(std::slice::from_ref(&part), false) {
                    roots.insert(folder.parent);
                } else if part == "config"
                    && let Some(root) = self.volume_of_config(*node)
                {
                    roots.insert(root);
                }
            }
        }
        // On a volume, only a folder that may be a place or has kept entries needs a path.
        let mut nodes: Vec<Node> = if volume {
            let mut nodes: BTreeSet<Node> = all.into_iter().filter(|node| self.can_be_place(*node)).collect();
            nodes.extend(self.kept.keys().copied());
            nodes.insert(self.root);
            nodes.into_iter().collect()
        } else {
            all.into_iter().chain([self.root]).collect()
        };
        nodes.sort_unstable();
        let within: HashMap<Node, bool> =
            nodes.iter().map(|node| (*node, self.ancestors(*node).any(|ancestor| roots.contains(&ancestor)))).collect();
        self.look_into(&nodes, |node| !within.get(&node).copied().unwrap_or(true));
    }

    /// Searches folders, nearest to the root first, so that a limit cuts off the deepest ones.
    fn look_into(&mut self, nodes: &[Node], plain: impl Fn(Node) -> bool) {
        let mut folders: Vec<(Node, FolderPath)> =
            nodes.iter().filter_map(|node| Some((*node, self.path(*node)?))).collect();
        folders.sort_by(|(_, a), (_, b)| (a.names.len(), &a.names).cmp(&(b.names.len(), &b.names)));
        for (node, path) in folders {
            if self.is_late() {
                return;
            }
            self.folder(node, &path, plain(node));
        }
    }

    /// Returns whether the run is over.
    fn is_late(&mut self) -> bool {
        self.search.late |= self.scope.deadline.is_over();
        self.search.late
    }

    fn folder(&mut self, node: Node, path: &FolderPath, plain: bool) {
        let place = self.place(path);
        let mut entries = self.kept.remove(&node).unwrap_or_default();
        if place.known || plain {
            entries = self.list(node);
            if self.by_places {
                let files = entries.iter().filter(|entry| entry.kind == EntryKind::File).count();
                self.ledger.seen(self.scope.source, files as u64);
            }
        }
        entries.sort_by(|a, b| (&a.name, a.node).cmp(&(&b.name, b.node)));
        let folder = self.found_folder(path, place, plain, false);
        self.take(path, folder, &entries, place.known || plain);
    }

    /// Returns the kind of place of a folder; every place in a shadow copy has the shadow copy's generation.
    fn place(&self, path: &FolderPath) -> Place {
        let place = layout::place(&[self.scope.above, &path.parts].concat());
        if self.scope.shadow_copy { Place { generation: Generation::ShadowCopy, ..place } } else { place }
    }

    fn found_folder(&mut self, path: &FolderPath, place: Place, plain: bool, named: bool) -> FoundFolder {
        FoundFolder {
            locator: self.locator(&path.names).to_string(),
            place,
            any_role: place.known || plain,
            named,
            files: BTreeMap::new(),
            hibernation: self.hibernation(path),
        }
    }
}
