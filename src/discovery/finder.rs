//! Which files of a file system are worth opening, whatever the file system is.
//!
//! It is scanned once, by names alone. On a volume the places where Windows and tools keep hives are then looked into,
//! and files elsewhere whose names suggest a hive. A plain tree, as people copy hives to, may hold them under any name:
//! there the first bytes of each file decide, nearest to the root first, of up to [`HEADS`] files; then names do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use super::content::{self, Content};
use super::found::{FoundFile, FoundFolder, FoundTree};
use super::layout::{self, Place};
use super::unreadable::unreadable;
use super::{Generation, hibernation, name};
use crate::error::{Code, Problem};
use crate::evidence::file::File;
use crate::evidence::file_system::{Case, Entry, EntryKind, FileSystem, Node, Obstacle, Vouched};
use crate::evidence::format::{Format, first_part, is_named_like_one, unpacks_itself};
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, SourceId};
use crate::evidence::locator::{Locator, Name};

/// Files of plain folders whose first bytes are read, in one tree.
const HEADS: usize = 50_000;
/// Folders within folders.
const DEEPEST: usize = 256;
/// Links and the like that are looked at one by one.
const MOST_KEPT: usize = 100_000;

/// What is searched, and how.
pub(super) struct Scope<'a> {
    /// The file system.
    pub(super) system: &'a dyn FileSystem,
    /// Where it is.
    pub(super) at: &'a Locator,
    /// Whether it is a folder of this machine, whose files have no `!` before them.
    pub(super) folder: bool,
    /// The [`layout::part`]s of the path to its root, for a folder of this machine.
    pub(super) above: &'a [String],
    /// Whether it is a volume as it was when a shadow copy was made.
    pub(super) shadow_copy: bool,
    /// Look only into the places where Windows keeps hives, on a volume.
    pub(super) places: bool,
    /// The file system's entry in the ledger.
    pub(super) source: SourceId,
}

/// A container in the file system, to be opened next.
pub(super) struct Nested {
    /// The folder that it is in.
    pub(super) folder: Vec<Name>,
    /// The file.
    pub(super) entry: Entry,
    /// What its first bytes say.
    pub(super) kind: Kind,
    /// Whether the user named it.
    pub(super) named: bool,
}

/// A file whose bytes are wanted.
pub(super) struct Wanted {
    /// The folder that it is in.
    pub(super) folder: Vec<Name>,
    /// Its name.
    pub(super) name: Name,
    /// What to ask the file system for.
    pub(super) node: Node,
}

/// What a search found.
#[derive(Default)]
pub(super) struct Search {
    /// The folders and files.
    pub(super) tree: FoundTree,
    /// Files whose bytes are wanted, in the order of their paths.
    pub(super) wanted: Vec<Wanted>,
    /// Containers, in the order of their paths.
    pub(super) nested: Vec<Nested>,
    /// Whether there was anything at a place that was named.
    pub(super) named: bool,
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

/// Searches what was named of a file system: a folder with all that is below it, or a file with what belongs to it.
pub(super) fn search_named(scope: &Scope<'_>, names: &[Name], ledger: &mut Ledger) -> Search {
    let mut finder = Finder::new(scope, ledger);
    finder.named(names);
    finder.into_search()
}

/// A folder as the scan met it.
struct Folder {
    parent: Node,
    name: Name,
}

/// A folder whose path is known.
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
    /// Files, links and the like that are looked at wherever they lie.
    kept: HashMap<Node, Vec<Entry>>,
    kept_count: usize,
    /// Folders that hold a hibernation file, and the file.
    sleeping: HashMap<Node, Node>,
    /// The root folder.
    root: Node,
    paths: HashMap<Node, Option<FolderPath>>,
    obstacles: HashSet<(Node, Option<Name>)>,
    heads: usize,
    by_name: u64,
    /// Whether only the places are searched: then there was no scan that counted.
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

    /// Whether the root lies inside of a Windows folder: then it is a part of a volume.
    fn above_is_volume(&self) -> bool {
        let above = self.scope.above;
        let windows = |tail: &[&str]| {
            above.len() > tail.len() && above.iter().rev().zip(tail.iter().rev()).all(|(part, wanted)| part == wanted)
        };
        windows(&["system32", "config"]) || windows(&["config", "regback"])
    }

    /// The parts of the names of the folders in a folder.
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

    /// Goes down the ways to the places from a volume's root.
    fn places(&mut self) {
        self.by_places = true;
        self.ledger.note(self.scope.source, "only the places where Windows keeps hives were looked into (--places)");
        let ways = layout::ways();
        let mut pending: Vec<(Node, Vec<&[&str]>)> = vec![(self.root, ways.iter().map(Vec::as_slice).collect())];
        let mut visited = BTreeSet::new();
        while let Some((folder, ways)) = pending.pop() {
            visited.insert(folder);
            // Names are looked up where that will do: System32 has ten thousand.
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

    /// Scans everything, then looks where it may matter.
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
            ControlFlow::Continue(())
        });
        self.ledger.seen(self.scope.source, files);
        self.look_where_it_matters(volume);
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
        // On a volume only what can be a place, or holds what was kept, needs its path.
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

    /// Looks into folders, nearest to the root first, so that a limit cuts off what is deepest.
    fn look_into(&mut self, nodes: &[Node], plain: impl Fn(Node) -> bool) {
        let mut folders: Vec<(Node, FolderPath)> =
            nodes.iter().filter_map(|node| Some((*node, self.path(*node)?))).collect();
        folders.sort_by(|(_, a), (_, b)| (a.names.len(), &a.names).cmp(&(b.names.len(), &b.names)));
        for (node, path) in folders {
            self.folder(node, &path, plain(node));
        }
    }

    fn folder(&mut self, node: Node, path: &FolderPath, plain: bool) {
        let mut place = layout::place(&[self.scope.above, &path.parts].concat());
        if self.scope.shadow_copy {
            place.generation = Generation::ShadowCopy;
        }
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

    /// Decides of each entry of a folder.
    fn take(&mut self, path: &FolderPath, mut folder: FoundFolder, entries: &[Entry], evidence: bool) {
        let mut logs = Vec::new();
        let mut hives = false;
        let names: BTreeSet<String> = entries.iter().map(|entry| entry.name.to_text()).collect();
        for entry in entries {
            let text = entry.name.to_text();
            let hive_like = name::fits(&text) || name::is_hive_in_container(&text);
            match entry.kind {
                EntryKind::Folder => {}
                EntryKind::Link => self.link(path, entry, evidence, hive_like),
                EntryKind::Elsewhere(tag) => self.elsewhere(path, entry, tag, hive_like),
                EntryKind::Other if hive_like && evidence => {
                    let problem =
                        Problem::new("a regular file", "a device, a pipe, or a member of a type that is not read");
                    self.refuse(path, entry, "file", problem.code(Code::NotAHive), true);
                }
                EntryKind::Other => {
                    self.ledger.pass(self.scope.source, "device, pipe or member of a type that is not read");
                }
                EntryKind::File if !evidence && !hive_like && !folder.named => {
                    let word = name::container(&text).unwrap_or("container");
                    self.ledger.pass(self.scope.source, format!("{word} outside the places of Windows"));
                }
                EntryKind::File => {
                    let found = self.file(path, &folder, entry, &text, evidence, &names);
                    match found {
                        Some(found) if found.content == Content::Log || name::is_log(&text) => {
                            logs.push((entry, found));
                        }
                        Some(found) => {
                            hives |= found.content == Content::Hive;
                            self.insert(path, &mut folder, entry, found);
                        }
                        None => {}
                    }
                }
            }
        }
        for (entry, found) in logs {
            // Without a hive beside it a log is of no use; where the user named it, it is told. What was compressed by
            // itself lies beside others.
            if hives || folder.named || self.scope.system.is_single() {
                self.insert(path, &mut folder, entry, found);
            } else if found.content == Content::Log {
                self.ledger.pass(self.scope.source, "transaction log without a hive beside it");
            }
        }
        self.search.tree.folders.insert(path.names.clone(), folder);
    }

    fn insert(&mut self, path: &FolderPath, folder: &mut FoundFolder, entry: &Entry, found: FoundFile) {
        if folder.files.contains_key(&entry.name) {
            let problem =
                Problem::new("one file of this name", "a second one in the same folder, which was not looked at");
            return self.refuse(path, entry, "file", problem.code(Code::Damaged).advise("unpack it by hand"), true);
        }
        let readable = found.unreadable.is_none();
        if readable && (matches!(found.content, Content::Hive | Content::Log) || name::is_log(&entry.name.to_text())) {
            let folder = path.names.clone();
            self.search.wanted.push(Wanted { folder, name: entry.name.clone(), node: entry.node });
        }
        folder.files.insert(entry.name.clone(), found);
    }

    /// What a file is, where it can matter.
    fn file(
        &mut self,
        path: &FolderPath,
        folder: &FoundFolder,
        entry: &Entry,
        text: &str,
        evidence: bool,
        beside: &BTreeSet<String>,
    ) -> Option<FoundFile> {
        let hive_like = name::fits(text) || name::is_hive_in_container(text);
        // A known place and the user's own naming always count; in plain folders there is a limit.
        if !folder.place.known && !folder.named && !hive_like {
            match self.heads.checked_sub(1) {
                Some(left) => self.heads = left,
                None if !is_named_like_one(text) => {
                    self.by_name = self.by_name.saturating_add(1);
                    return None;
                }
                None => {}
            }
        }
        let locator = self.locator_of(path, entry);
        let mut found = FoundFile {
            locator: locator.to_string(),
            content: Content::Empty,
            file: File::on_disk(""),
            size: entry.size,
            vouched: Vouched::Unprotected,
            origin: None,
            named: folder.named,
            unreadable: None,
        };
        let head = match self.scope.system.head(entry.node) {
            Ok(head) => head,
            Err(error) => {
                found.unreadable = Some(unreadable(&error));
                // What has no name of a hive, in a place of none, is only counted.
                if evidence || hive_like {
                    return Some(found);
                }
                self.ledger.pass(self.scope.source, "file that cannot be read, outside the places of Windows");
                return None;
            }
        };
        found.size = head.size;
        found.content = content::of(&head, text);
        let opened = evidence || folder.named || name::is_hive_in_container(text);
        match &found.content {
            Content::Container(kind) => {
                self.container(path, entry, text, *kind, folder.named, opened, beside);
                None
            }
            Content::Refused { what, advice } => {
                self.refused(path, entry, text, what, advice, opened, beside);
                None
            }
            content if evidence && !folder.named && content.may_be_part() && Self::is_orphan(text, beside) => {
                self.first_part_missing(path, entry, text);
                None
            }
            Content::Program if opened && self.unpacks_itself(path, entry) => None,
            Content::Hive | Content::Log => Some(found),
            Content::Empty | Content::Unclear(_) | Content::Other(_) | Content::Text(_) | Content::Program => {
                (folder.named || name::role(text).is_some() || name::is_log(text)).then_some(found)
            }
        }
    }

    /// A container: opened where people put evidence, else counted.
    #[allow(clippy::too_many_arguments, reason = "all of it decides")]
    fn container(
        &mut self,
        path: &FolderPath,
        entry: &Entry,
        text: &str,
        kind: Kind,
        named: bool,
        opened: bool,
        beside: &BTreeSet<String>,
    ) {
        let source = self.scope.source;
        // What NTFS keeps its books in begins like a disk: $Boot, $MFTMirr.
        if kind.is_image() && text.starts_with('$') && !named {
            return self.ledger.pass(source, "file of the file system's own");
        }
        if kind.is_image() && !named && first_part(text).is_some() {
            if Self::is_orphan(text, beside) && opened {
                return self.first_part_missing(path, entry, text);
            }
            return self.ledger.pass(source, "part of an image beside it");
        }
        if opened {
            let folder = path.names.clone();
            self.search.nested.push(Nested { folder, entry: entry.clone(), kind, named });
        } else {
            let word = name::container(text).unwrap_or("container");
            self.ledger.pass(source, format!("{word} outside the places of Windows"));
        }
    }

    /// A format that is known and not read.
    #[allow(clippy::too_many_arguments, reason = "all of it decides")]
    fn refused(
        &mut self,
        path: &FolderPath,
        entry: &Entry,
        text: &str,
        what: &str,
        advice: &str,
        opened: bool,
        beside: &BTreeSet<String>,
    ) {
        let source = self.scope.source;
        // Only what the content says is a later segment is one: `.esd` could be the name of one.
        let segment = what.contains("later segment");
        if segment && first_part(text).is_some_and(|first| is_there(beside, &first)) {
            return self.ledger.pass(source, "part of an image beside it");
        }
        if !opened {
            return self.ledger.pass(source, format!("{what} outside the places of Windows"));
        }
        if segment {
            return self.first_part_missing(path, entry, text);
        }
        let problem = Problem::new("a format that is read", what.to_owned()).advise(advice.to_owned());
        self.refuse(path, entry, "container", problem.code(Code::UnsupportedFormat), true);
    }

    /// Whether a program is one that unpacks an archive in it; that is told.
    fn unpacks_itself(&mut self, path: &FolderPath, entry: &Entry) -> bool {
        let Some(program) = self.scope.system.blocks(entry.node) else { return false };
        let what = match unpacks_itself(&program) {
            Ok(Some((Format::Refused(row), _))) => row.what,
            Ok(Some(_)) => "a 7z archive",
            Ok(None) | Err(_) => return false,
        };
        let problem = Problem::new("a format that is read", format!("a program that unpacks {what}"));
        let problem = problem.code(Code::UnsupportedFormat).advise("unpack it: 7z x FILE");
        self.refuse(path, entry, "container", problem, true);
        true
    }

    /// Whether a file has the name of a later part, and the first is not beside it.
    fn is_orphan(text: &str, beside: &BTreeSet<String>) -> bool {
        first_part(text).is_some_and(|first| !is_there(beside, &first))
    }

    fn first_part_missing(&mut self, path: &FolderPath, entry: &Entry, text: &str) {
        let first = first_part(text).unwrap_or_else(|| "the first part".to_owned());
        let problem =
            Problem::new("the first part of the image or archive", format!("a later part; {first} is missing"));
        let problem =
            problem.code(Code::FirstPartMissing).advise("put all parts into one folder, and name the first one");
        self.refuse(path, entry, "container", problem, true);
    }

    fn link(&mut self, path: &FolderPath, entry: &Entry, evidence: bool, hive_like: bool) {
        let text = entry.name.to_text();
        let mut parts = path.parts.clone();
        parts.push(layout::part(&text));
        // In a plain folder a link without an extension may lead to a folder.
        let may_hold = hive_like || is_named_like_one(&text) || !text.contains('.');
        if hive_like || layout::is_on_the_way(&parts) || (evidence && may_hold) {
            let problem =
                Problem::new("a file or a folder", "a link, which was not followed").code(Code::LinkNotFollowed);
            let problem = problem.advise("name what it leads to, if that is evidence");
            self.refuse(path, entry, "link", problem, true);
        } else {
            self.ledger.pass(self.scope.source, "link that was not followed");
        }
    }

    fn elsewhere(&mut self, path: &FolderPath, entry: &Entry, tag: u32, hive_like: bool) {
        if !hive_like {
            return self.ledger.pass(self.scope.source, "file whose bytes are kept elsewhere");
        }
        let (what, advice) = match tag {
            0x8000_0013 => (
                "a deduplicated file: its bytes lie in the chunk store of the volume",
                "copy it on a Windows Server with Data Deduplication, or mount the volume with ntfs-3g and its dedup plugin",
            ),
            0x8000_0017 => (
                "a file that WOF compresses (compact /exe)",
                "mount the volume with ntfs-3g and its system compression plugin, and copy the file",
            ),
            _ => ("a file whose bytes are kept elsewhere", "copy it with the system that wrote it"),
        };
        let problem = Problem::new("a file with bytes of its own", format!("{what} (reparse tag {tag:#010x})"));
        self.refuse(path, entry, "file", problem.code(Code::KeptElsewhere).advise(advice), true);
    }

    fn refuse(&mut self, path: &FolderPath, entry: &Entry, kind: &str, problem: Problem, gap: bool) {
        let locator = self.locator_of(path, entry).to_string();
        self.ledger.refuse_member(self.scope.source, kind, Problem { path: Some(locator), ..problem }, gap);
    }

    /// Whether it is a user's file: NTFS keeps its own books in files of the root, whose names begin with a dollar sign.
    fn counts(&self, entry: &Entry) -> bool {
        entry.kind == EntryKind::File && !(entry.parent == self.root && entry.name.as_bytes().starts_with(b"$"))
    }

    /// Keeps what matters of an entry, wherever it lies.
    fn meet(&mut self, entry: &Entry) {
        if entry.kind == EntryKind::Folder {
            self.folders.insert(entry.node, Folder { parent: entry.parent, name: entry.name.clone() });
            return;
        }
        let text = entry.name.to_text();
        if entry.kind == EntryKind::File && hibernation::is_named(&text) {
            self.sleeping.insert(entry.parent, entry.node);
        }
        let hive_like = name::fits(&text) || name::is_hive_in_container(&text);
        let keep = entry.kind == EntryKind::Link || hive_like || is_named_like_one(&text);
        if keep && self.kept_count < MOST_KEPT {
            self.kept_count = self.kept_count.saturating_add(1);
            self.kept.entry(entry.parent).or_default().push(entry.clone());
        } else if hive_like {
            let found =
                format!("more than {MOST_KEPT} links, containers and files of such names; this one was not looked at");
            let problem = Problem::new("files that are named like hives", found).code(Code::Limit);
            let problem = problem.advise("name the folders that hold the hives");
            self.ledger.refuse_member(self.scope.source, "file", problem, true);
        } else if keep {
            self.ledger.pass(self.scope.source, "link or container beyond the limit");
        }
    }

    fn list(&mut self, folder: Node) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut obstacles = Vec::new();
        self.scope.system.list(folder, &mut |met| {
            match met {
                Ok(entry) => entries.push(entry),
                Err(obstacle) => obstacles.push(obstacle),
            }
            ControlFlow::Continue(())
        });
        for obstacle in obstacles {
            self.obstacle(obstacle);
        }
        entries
    }

    fn obstacle(&mut self, met: Obstacle) {
        if !self.obstacles.insert((met.folder, met.name.clone())) {
            return;
        }
        let names = self.path(met.folder).map(|path| path.names).unwrap_or_default();
        let names: Vec<Name> = names.into_iter().chain(met.name).collect();
        let problem = Problem::of(self.locator(&names).to_string(), "a folder that can be read", met.why);
        let advice = if problem.found == "permission denied" {
            "run hivemend as a user who may read it, or copy the hives to a place that you may read"
        } else {
            "copy what is in it by other means, and name the copy"
        };
        let problem = problem.code(Code::Unreadable).advise(advice);
        self.ledger.refuse_member(self.scope.source, "folder", problem, true);
    }

    /// A file or a folder that was named, and what belongs to it.
    fn named(&mut self, names: &[Name]) {
        let mut folder = FolderPath { names: Vec::new(), parts: Vec::new() };
        let mut node = self.root;
        for (at, name) in names.iter().enumerate() {
            let exact = self.scope.system.look_up(node, name, Case::Sensitive);
            let found = match exact {
                Ok(found) if found.is_empty() => self.scope.system.look_up(node, name, Case::Insensitive),
                other => other,
            };
            let entry = match found {
                Ok(found) => found.into_iter().next(),
                Err(why) => return self.obstacle(Obstacle { folder: node, name: Some(name.clone()), why }),
            };
            let Some(entry) = entry else { return };
            if entry.kind == EntryKind::Folder {
                folder.names.push(entry.name.clone());
                folder.parts.push(layout::part(&entry.name.to_text()));
                self.folders.insert(entry.node, Folder { parent: entry.parent, name: entry.name.clone() });
                self.paths.insert(entry.node, Some(folder.clone()));
                node = entry.node;
            } else if at.saturating_add(1) == names.len() {
                self.search.named = true;
                let entries: Vec<Entry> = self.list(node);
                let place = Place { generation: Generation::Copy, known: false, ..layout::place(&folder.parts) };
                let found = self.found_folder(&folder, place, true, true);
                let text = entry.name.to_text();
                let wanted = |other: &Entry| other.node == entry.node || name::is_log_of(&other.name.to_text(), &text);
                let entries: Vec<Entry> = entries.into_iter().filter(wanted).collect();
                self.ledger.seen(self.scope.source, entries.len() as u64);
                return self.take(&folder, found, &entries, true);
            } else {
                return;
            }
        }
        self.search.named = true;
        // What is below, as if it stood alone: the path to it counts for what kind of places there are.
        let mut pending = vec![node];
        let mut seen = HashSet::from([node]);
        let mut files = 0_u64;
        while let Some(folder) = pending.pop() {
            for entry in self.list(folder) {
                files = files.saturating_add(u64::from(entry.kind == EntryKind::File));
                self.meet(&entry);
                if entry.kind == EntryKind::Folder && seen.insert(entry.node) {
                    pending.push(entry.node);
                }
            }
        }
        self.ledger.seen(self.scope.source, files);
        let top = self.names_of(node);
        let volume = layout::is_volume(&top, true);
        let windows = folder.parts.iter().any(|part| part == "system32");
        let nodes: Vec<Node> = seen.into_iter().collect();
        self.look_into(&nodes, |_| !volume && !windows);
    }

    /// The volume that a folder `config` is on, where it is that of a Windows; the root where it would lie above that.
    fn volume_of_config(&self, config: Node) -> Option<Node> {
        let mut ancestors = self.ancestors(config).skip(1);
        let system32 = ancestors.next()?;
        let inside = |node: Node, wanted: &str| {
            self.folders.get(&node).is_some_and(|folder| layout::part(&folder.name.to_text()) == wanted)
        };
        if system32 == self.root {
            return self.scope.above.last().is_some_and(|part| part == "system32").then_some(self.root);
        }
        if !inside(system32, "system32") {
            return None;
        }
        Some(ancestors.nth(1).unwrap_or(self.root))
    }

    /// Whether a folder's name, or one of the two above it, is the end of a place.
    fn can_be_place(&self, node: Node) -> bool {
        self.ancestors(node).take(3).filter_map(|node| self.folders.get(&node)).any(|folder| {
            let part = layout::part(&folder.name.to_text());
            ["config", "regback", "repair", "snapshot", "erdnt"].contains(&part.as_str())
        })
    }

    /// A folder and those that it is in, up to the root.
    fn ancestors(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        let next =
            |node: &Node| if *node == self.root { None } else { self.folders.get(node).map(|folder| folder.parent) };
        std::iter::successors(Some(node), next).take(DEEPEST)
    }

    /// The path of a folder; `None` where it leads to no root.
    fn path(&mut self, node: Node) -> Option<FolderPath> {
        let mut way = Vec::new();
        let mut at = node;
        let mut path = loop {
            if let Some(known) = self.paths.get(&at) {
                break known.clone();
            }
            if way.len() >= DEEPEST {
                break None;
            }
            let Some(folder) = self.folders.get(&at) else { break None };
            way.push((at, folder.name.clone()));
            at = folder.parent;
        };
        for (node, name) in way.into_iter().rev() {
            if let Some(path) = &mut path {
                path.parts.push(layout::part(&name.to_text()));
                path.names.push(name);
            }
            self.paths.insert(node, path.clone());
        }
        path
    }

    fn hibernation(&mut self, path: &FolderPath) -> Option<hibernation::Hibernation> {
        let all: Vec<String> = path.parts.clone();
        let above = layout::volume_of(&all)?;
        let volume = path.names.get(..above)?;
        let node = self
            .sleeping
            .iter()
            .find(|(folder, _)| self.paths.get(folder).and_then(Option::as_ref).is_some_and(|one| one.names == volume))
            .map(|(_, file)| *file);
        let node = if let Some(node) = node {
            node
        } else {
            // Not met where only a part of the volume is searched.
            let mut folder = self.root;
            for name in volume {
                folder = self.scope.system.look_up(folder, name, Case::Sensitive).ok()?.first()?.node;
            }
            let name = Name::from(hibernation::NAME);
            self.scope.system.look_up(folder, &name, Case::Insensitive).ok()?.first()?.node
        };
        Some(hibernation::of(self.scope.system.head(node).ok().as_ref()))
    }

    fn locator(&self, names: &[Name]) -> Locator {
        if !self.scope.folder {
            return self.scope.at.inside(names);
        }
        let mut at = self.scope.at.clone();
        at.base.extend(names.iter().map(Name::as_os_str));
        at
    }

    fn locator_of(&self, path: &FolderPath, entry: &Entry) -> Locator {
        let names: Vec<Name> = path.names.iter().chain([&entry.name]).cloned().collect();
        self.locator(&names)
    }
}

fn is_there(names: &BTreeSet<String>, wanted: &str) -> bool {
    names.contains(wanted) || names.iter().any(|name| name.eq_ignore_ascii_case(wanted))
}
