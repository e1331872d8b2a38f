//! The entries of a file system that the finder keeps, the paths of its folders, and unreadable folders.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::{DEEPEST, Finder, Folder, FolderPath, MOST_KEPT};
use crate::discovery::{hibernation, layout, name};
use crate::error::{Code, Problem};
use crate::evidence::file_system::{Case, Entry, EntryKind, Node, Obstacle};
use crate::evidence::format::is_named_like_one;
use crate::evidence::locator::{Locator, Name};

impl Finder<'_> {
    /// Returns whether this is a user's file: NTFS' own files are in the root, with a dollar sign before their names.
    pub(super) fn counts(&self, entry: &Entry) -> bool {
        entry.kind == EntryKind::File && !(entry.parent == self.root && entry.name.as_bytes().starts_with(b"$"))
    }

    /// Keeps an entry that matters in any place.
    pub(super) fn meet(&mut self, entry: &Entry) {
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
                format!("more than {MOST_KEPT} links, containers and files of such names; this one was skipped");
            let problem = Problem::new("files that are named like hives", found).code(Code::Limit);
            let problem = problem.advise("name the folders that hold the hives");
            self.ledger.refuse_member(self.scope.source, "file", problem, true);
        } else if keep {
            self.ledger.pass(self.scope.source, "link or container beyond the limit");
        }
    }

    pub(super) fn list(&mut self, folder: Node) -> Vec<Entry> {
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

    pub(super) fn obstacle(&mut self, met: Obstacle) {
        if !self.obstacles.insert((met.folder, met.name.clone())) {
            return;
        }
        let names = self.path(met.folder).map(|path| path.names).unwrap_or_default();
        let names: Vec<Name> = names.into_iter().chain(met.name).collect();
        let problem = Problem::of(self.locator(&names).to_string(), "a folder that can be read", met.why);
        let advice = if problem.found == "permission denied" {
            "run hivemend as a user who may read it, or copy the hives to a place that you may read"
        } else {
            "copy its content with another program, and name the copy"
        };
        let problem = problem.code(Code::Unreadable).advise(advice);
        self.ledger.refuse_member(self.scope.source, "folder", problem, true);
    }

    /// Returns the volume of a Windows folder's `config`; the root, if the volume is above the root.
    pub(super) fn volume_of_config(&self, config: Node) -> Option<Node> {
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

    /// Returns whether the name of a folder, or of one of the two above it, is the end of a place.
    pub(super) fn can_be_place(&self, node: Node) -> bool {
        self.ancestors(node).take(3).filter_map(|node| self.folders.get(&node)).any(|folder| {
            let part = layout::part(&folder.name.to_text());
            ["config", "regback", "repair", "snapshot", "erdnt"].contains(&part.as_str())
        })
    }

    /// Returns a folder and the folders above it, up to the root.
    pub(super) fn ancestors(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        let next =
            |node: &Node| if *node == self.root { None } else { self.folders.get(node).map(|folder| folder.parent) };
        std::iter::successors(Some(node), next).take(DEEPEST)
    }

    /// Returns the path of a folder; `None` if it does not lead to the root.
    pub(super) fn path(&mut self, node: Node) -> Option<FolderPath> {
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

    pub(super) fn hibernation(&mut self, path: &FolderPath) -> Option<hibernation::Hibernation> {
        let all: Vec<String> = path.parts.clone();
        let above = layout::volume_of(&all)?;
        let volume = path.names.get(..above)?;
        let node = if self.scanned {
            *self.asleep().get(volume)?
        } else {
            // Only a part of the volume is searched, and the file may not be in it.
            let mut folder = self.root;
            for name in volume {
                folder = self.scope.system.look_up(folder, name, Case::Sensitive).ok()?.first()?.node;
            }
            let name = Name::from(hibernation::NAME);
            self.scope.system.look_up(folder, &name, Case::Insensitive).ok()?.first()?.node
        };
        Some(hibernation::of(self.scope.system.head(node).ok().as_ref()))
    }

    /// Returns the hibernation files that the scan found, by the names of their folders. Made once: there may be
    /// thousands of volumes in a folder.
    fn asleep(&mut self) -> &HashMap<Vec<Name>, Node> {
        if self.asleep.is_none() {
            let sleeping: Vec<(Node, Node)> = self.sleeping.iter().map(|(folder, file)| (*folder, *file)).collect();
            let named = sleeping.into_iter().filter_map(|(folder, file)| Some((self.path(folder)?.names, file)));
            self.asleep = Some(named.collect());
        }
        self.asleep.get_or_insert_default()
    }

    pub(super) fn locator(&self, names: &[Name]) -> Locator {
        if !self.scope.folder {
            return self.scope.at.inside(names);
        }
        let mut at = self.scope.at.clone();
        at.base.extend(names.iter().map(Name::as_os_str));
        at
    }

    pub(super) fn locator_of(&self, path: &FolderPath, entry: &Entry) -> Locator {
        let names: Vec<Name> = path.names.iter().chain([&entry.name]).cloned().collect();
        self.locator(&names)
    }
}
