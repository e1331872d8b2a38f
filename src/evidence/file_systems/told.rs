//! Passes entries and obstacles on to the caller, and counts the obstacles.

use std::ops::ControlFlow;

use crate::evidence::file_system::{Each, Entry, EntryKind, Node, Obstacle};
use crate::evidence::locator::Name;

/// Obstacles of one listing that are reported one by one; the others are only counted.
const MOST_OBSTACLES: usize = 100;

/// The receiver of entries, with the state of a listing.
pub(super) struct Told<'e> {
    each: Each<'e>,
    /// The folders among the entries that were passed on, for a walk.
    folders: Vec<Node>,
    on: ControlFlow<()>,
    obstacles: usize,
}

impl<'e> Told<'e> {
    pub(super) fn new(each: Each<'e>) -> Self {
        Self { each, folders: Vec::new(), on: ControlFlow::Continue(()), obstacles: 0 }
    }

    /// Returns the folders that were passed on since the last call.
    pub(super) fn folders(&mut self) -> Vec<Node> {
        std::mem::take(&mut self.folders)
    }

    /// Returns whether the caller wants nothing more.
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

    /// Reports how many obstacles were not passed on.
    pub(super) fn finish(self, folder: Node) {
        let more = self.obstacles.saturating_sub(MOST_OBSTACLES);
        if more > 0 && self.on.is_continue() {
            let why = format!("{more} more entries cannot be read");
            // This is the last item.
            let _ = (self.each)(Err(Obstacle { folder, name: None, why }));
        }
    }
}
