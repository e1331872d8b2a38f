//! The places of a file system that the user named.

use std::collections::HashSet;

use super::{Finder, Folder, FolderPath};
use crate::discovery::layout::{self, Place};
use crate::discovery::name;
use crate::evidence::file_system::{Case, Entry, EntryKind, Node, Obstacle};
use crate::evidence::locator::Name;

impl Finder<'_> {
    /// Searches a file or a folder that the user named, with the files that belong to it.
    pub(super) fn named(&mut self, names: &[Name]) {
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
                let place = self.place(&folder);
                let found = self.found_folder(&folder, Place { known: false, ..place }, true, true);
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
        // Everything below is searched like a tree of its own, but the path to it still decides the kinds of places.
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
}
