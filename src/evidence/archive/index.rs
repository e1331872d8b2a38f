//! The tree of the paths of an archive's members: built in one pass, in time linear in the bytes of the names.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::ops::ControlFlow;

use super::limits::Limits;
use crate::evidence::file_system::{Case, Each, Entry, EntryKind, Node, ROOT};
use crate::evidence::locator::Name;
use crate::registry::FileTime;

/// The most folders that the names of one archive may create. A name of 64 KiB can create 32,000.
const MOST_FOLDERS: usize = 1_000_000;

/// An archive's facts about a member, without its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) kind: EntryKind,
    pub(super) size: u64,
    pub(super) modified: Option<FileTime>,
}

/// An entry, and its member; a folder may have none.
struct Stored {
    entry: Entry,
    member: Option<u32>,
}

/// A tree that grows member by member.
pub(super) struct Growing {
    entries: Vec<Stored>,
    /// The folders by their parent and name.
    folders: HashMap<(u32, Vec<u8>), u32>,
    /// The path of the last member's folder, and its number: most members are beside the one before.
    last: (Vec<u8>, u32),
    names: usize,
    members: usize,
    made: usize,
    limits: Limits,
    defects: Vec<String>,
}

impl Growing {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            entries: Vec::new(),
            folders: HashMap::new(),
            last: (Vec::new(), 0),
            names: 0,
            members: 0,
            made: 0,
            limits,
            defects: Vec::new(),
        }
    }

    /// Returns whether a limit is reached, and records it the first time.
    fn is_full(&mut self, more: usize) -> bool {
        let Limits { members, names, .. } = self.limits;
        let why = if self.members >= members {
            format!("the archive has more than {members} members")
        } else if self.names.saturating_add(more) > names {
            format!("the names of the members have more than {names} bytes in all")
        } else if self.made > MOST_FOLDERS {
            format!("the members are in more than {MOST_FOLDERS} folders")
        } else {
            return false;
        };
        if self.defects.is_empty() {
            self.defects.push(format!("{why}; members from number {} on are not read", self.members.saturating_add(1)));
        }
        true
    }

    /// Adds a member with this path, split at each `separator`, and returns whether there was room. Empty parts and `.`
    /// are left out; `..` is a name like any other, so that no path leaves the tree.
    pub(super) fn add(&mut self, path: &[u8], separator: u8, facts: Facts, member: u32) -> bool {
        if self.is_full(path.len()) {
            return false;
        }
        self.members = self.members.saturating_add(1);
        self.names = self.names.saturating_add(path.len());
        let is_part = |part: &&[u8]| !part.is_empty() && *part != b".";
        let end = path.iter().rposition(|byte| *byte != separator).map_or(0, |at| at.saturating_add(1));
        let path = path.get(..end).unwrap_or_default();
        let start = path.iter().rposition(|byte| *byte == separator).map_or(0, |at| at.saturating_add(1));
        let (folder, name) = path.split_at_checked(start).unwrap_or_default();
        let mut parent = 0;
        if folder == self.last.0.as_slice() {
            parent = self.last.1;
        } else {
            for part in folder.split(|byte| *byte == separator).filter(is_part) {
                parent = self.folder(parent, part);
            }
            self.last = (folder.to_vec(), parent);
        }
        if !is_part(&name) {
            // The root itself, as `tar -C folder .` writes it; any other member needs a name.
            if facts.kind == EntryKind::Folder {
                return true;
            }
            self.push(parent, name, facts, Some(member));
        } else if facts.kind == EntryKind::Folder {
            let at = self.folder(parent, name);
            if let Some(stored) = usize::try_from(at).ok().and_then(|at| self.entries.get_mut(at.checked_sub(1)?)) {
                stored.entry.modified = facts.modified.or(stored.entry.modified);
                stored.member = Some(member);
            }
        } else {
            self.push(parent, name, facts, Some(member));
        }
        true
    }

    /// Adds an entry, and returns its number; the root is 0.
    fn push(&mut self, parent: u32, name: &[u8], facts: Facts, member: Option<u32>) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX).saturating_add(1);
        let Facts { kind, size, modified } = facts;
        let (node, parent) = (Node(number.into()), Node(parent.into()));
        self.entries
            .push(Stored { entry: Entry { node, parent, name: Name::new(name), kind, size, modified }, member });
        number
    }

    /// Returns the folder of this name, and creates it if needed.
    fn folder(&mut self, parent: u32, name: &[u8]) -> u32 {
        match self.folders.entry((parent, name.to_vec())) {
            Slot::Occupied(slot) => return *slot.get(),
            Slot::Vacant(slot) => {
                let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX).saturating_add(1);
                slot.insert(number);
            }
        }
        self.made = self.made.saturating_add(1);
        self.push(parent, name, Facts { kind: EntryKind::Folder, size: 0, modified: None }, None)
    }

    /// Finishes the tree, and returns the defects: what a limit cut off.
    pub(super) fn finish(self) -> (Index, Vec<String>) {
        let mut index = Index { entries: self.entries, first: Vec::new(), children: Vec::new() };
        index.sort();
        (index, self.defects)
    }
}

/// The tree of an archive's members, in the order of the archive.
pub(super) struct Index {
    entries: Vec<Stored>,
    /// The start of each folder's children in `children`, and the end of the last.
    first: Vec<u32>,
    children: Vec<u32>,
}

impl Index {
    /// Sorts the entries by folder in the archive's order: counts them first, then places them.
    fn sort(&mut self) {
        let mut first = vec![0_u32; self.entries.len().saturating_add(2)];
        let parent = |stored: &Stored| usize::try_from(stored.entry.parent.0).unwrap_or(0);
        for stored in &self.entries {
            if let Some(count) = first.get_mut(parent(stored).saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for count in &mut first {
            sum = sum.saturating_add(*count);
            *count = sum;
        }
        let mut next = first.clone();
        let mut children = vec![0_u32; self.entries.len()];
        for (at, stored) in (0_u32..).zip(&self.entries) {
            if let Some(place) = next.get_mut(parent(stored)) {
                if let Some(child) = usize::try_from(*place).ok().and_then(|place| children.get_mut(place)) {
                    *child = at;
                }
                *place = place.saturating_add(1);
            }
        }
        (self.first, self.children) = (first, children);
    }

    fn stored(&self, node: Node) -> Option<&Stored> {
        self.entries.get(usize::try_from(node.0.checked_sub(1)?).ok()?)
    }

    /// Returns the entries of a folder; none for a node of another kind.
    fn within(&self, folder: Node) -> impl Iterator<Item = &Stored> {
        let at =
            |node: u64| Some(*self.first.get(usize::try_from(node).ok()?)?).and_then(|at| usize::try_from(at).ok());
        let range = at(folder.0).zip(at(folder.0.saturating_add(1)));
        let children = range.and_then(|(start, end)| self.children.get(start..end)).unwrap_or_default();
        children.iter().filter_map(|at| self.entries.get(usize::try_from(*at).ok()?))
    }

    /// Passes on the entries of a folder.
    pub(super) fn list(&self, folder: Node, each: Each<'_>) {
        for stored in self.within(folder) {
            if each(Ok(stored.entry.clone())).is_break() {
                return;
            }
        }
    }

    /// Passes on all entries, in the order of the archive.
    pub(super) fn scan(&self, each: Each<'_>) {
        for stored in &self.entries {
            if let ControlFlow::Break(()) = each(Ok(stored.entry.clone())) {
                return;
            }
        }
    }

    /// Returns the entries of a folder with this name.
    pub(super) fn look_up(&self, folder: Node, name: &Name, case: Case) -> Vec<Entry> {
        let is = |found: &Name| found == name || (case == Case::Insensitive && found.is_same(name));
        self.within(folder).filter(|stored| is(&stored.entry.name)).map(|stored| stored.entry.clone()).collect()
    }

    /// Returns the entry of a node.
    pub(super) fn entry(&self, node: Node) -> Option<&Entry> {
        self.stored(node).map(|stored| &stored.entry)
    }

    /// Returns the number of a node's member.
    pub(super) fn member(&self, node: Node) -> Option<usize> {
        usize::try_from(self.stored(node)?.member?).ok()
    }

    /// Iterates over each entry, to correct it, with its member's number.
    pub(super) fn each_mut(&mut self) -> impl Iterator<Item = (&mut Entry, Option<u32>)> {
        self.entries.iter_mut().map(|stored| (&mut stored.entry, stored.member))
    }

    /// Returns the entry of a node, to correct it.
    pub(super) fn entry_mut(&mut self, node: Node) -> Option<&mut Entry> {
        let at = usize::try_from(node.0.checked_sub(1)?).ok()?;
        self.entries.get_mut(at).map(|stored| &mut stored.entry)
    }

    /// Returns all entries, in the order of the archive.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|stored| &stored.entry)
    }

    /// Returns a table of all files by folder and name, the last file of each name; for the few archives that need it.
    pub(super) fn files(&self) -> HashMap<(Node, &[u8]), Node> {
        let files = self.entries.iter().filter(|stored| stored.entry.kind != EntryKind::Folder);
        files.map(|stored| ((stored.entry.parent, stored.entry.name.as_bytes()), stored.entry.node)).collect()
    }

    /// Returns a table of all folders by folder and name.
    pub(super) fn folders(&self) -> HashMap<(Node, &[u8]), Node> {
        let folders = self.entries.iter().filter(|stored| stored.entry.kind == EntryKind::Folder);
        folders.map(|stored| ((stored.entry.parent, stored.entry.name.as_bytes()), stored.entry.node)).collect()
    }
}

/// Follows a path through tables of folders and files; splits it like [`Growing::add`].
pub(super) fn follow(
    folders: &HashMap<(Node, &[u8]), Node>,
    files: &HashMap<(Node, &[u8]), Node>,
    path: &[u8],
) -> Option<Node> {
    let mut parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").peekable();
    let mut at = ROOT;
    while let Some(part) = parts.next() {
        let table = if parts.peek().is_some() { folders } else { files };
        at = *table.get(&(at, part))?;
    }
    (at != ROOT).then_some(at)
}
