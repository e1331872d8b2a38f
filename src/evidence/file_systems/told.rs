//! Entries and obstacles on their way to whoever asked, the obstacles counted.

use std::ops::ControlFlow;

use crate::evidence::file_system::{Each, Entry, EntryKind, Node, Obstacle};
use crate::evidence::locator::Name;

/// So many obstacles of one listing are told one by one; of the others, how many there are.
const MOST_OBSTACLES: usize = 100;

/// What was passed on.
pub(super) struct Told<'e> {
    each: Each<'e>,
    /// The folders among what was passed on, for whoever walks on.
    folders: Vec<Node>,
    on: ControlFlow<()>,
    obstacles: usize,
}

impl<'e> Told<'e> {
    pub(super) fn new(each: Each<'e>) -> Self {
        Self { each, folders: Vec::new(), on: ControlFlow::Continue(()), obstacles: 0 }
    }

    /// The folders among what was passed on since this was asked last.
    pub(super) fn folders(&mut self) -> Vec<Node> {
        std::mem::take(&mut self.folders)
    }

    /// Whether nothing more is wanted.
    pub(super) fn is_over(&self) -> bool {
        self.on.is_break()
    }

    pub(super) fn entry(&mut self, entry: Entry) {
        if self.on.is_continue() {
            if entry.kind == EntryKind::Folder {
                self.folders.push(entry.node);
            }
            self.on = (self.each)(Ok(entry));
        }
    }

    pub(super) fn obstacle(&mut self, folder: Node, name: Option<Name>, why: impl Into<String>) {
        self.obstacles = self.obstacles.saturating_add(1);
        if self.on.is_continue() && self.obstacles <= MOST_OBSTACLES {
            self.on = (self.each)(Err(Obstacle { folder, name, why: why.into() }));
        }
    }

    /// Says how many obstacles were not passed on.
    pub(super) fn finish(self, folder: Node) {
        let more = self.obstacles.saturating_sub(MOST_OBSTACLES);
        if more > 0 && self.on.is_continue() {
            let why = format!("{more} more entries cannot be read");
            // Nothing comes after it.
            let _ = (self.each)(Err(Obstacle { folder, name: None, why }));
        }
    }
}
