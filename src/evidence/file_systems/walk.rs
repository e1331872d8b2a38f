//! File systems that keep a folder's entries in the folder, so that only a walk finds all files. The volume may be
//! damaged: each folder is read once, and all folders together may be no longer than the volume.

use std::collections::HashSet;
use std::io;

use super::told::Told;
use crate::evidence::block::Blocks;
use crate::evidence::content::{BlockContent, head};
use crate::evidence::file_system::{Content, Each, FileSystem, Head, Node, ROOT};

/// The parts that each such file system implements; the rest of [`FileSystem`] follows from them.
pub(super) trait ByFolder: Send + Sync {
    /// Returns the root folder.
    fn root(&self) -> Node {
        ROOT
    }

    /// Returns the volume's size in bytes.
    fn size(&self) -> u64;

    /// Passes on the entries of a folder; `left` counts the folder's bytes down.
    fn list_within(&self, folder: Node, told: &mut Told<'_>, left: &mut u64) -> io::Result<()>;

    /// Returns the bytes of a file.
    fn data(&self, file: Node) -> io::Result<Blocks>;

    /// Returns the defects of the file system itself, in sentences.
    fn defects(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Passes on the entries of a folder, and the error if the folder cannot be read whole.
fn list(system: &impl ByFolder, folder: Node, told: &mut Told<'_>, left: &mut u64) {
    if let Err(error) = system.list_within(folder, told, left) {
        told.obstacle(folder, None, error.to_string());
    }
}

impl<T: ByFolder> FileSystem for T {
    fn root(&self) -> Node {
        ByFolder::root(self)
    }

    fn list(&self, folder: Node, each: Each<'_>) {
        let mut told = Told::new(each);
        list(self, folder, &mut told, &mut { u64::MAX });
        told.finish(folder);
    }

    fn scan(&self, each: Each<'_>) {
        let root = ByFolder::root(self);
        let mut pending = vec![root];
        let mut seen = HashSet::from([root]);
        let mut left = self.size();
        let mut told = Told::new(each);
        while let Some(folder) = pending.pop().filter(|_| !told.is_over()) {
            list(self, folder, &mut told, &mut left);
            pending.extend(told.folders().into_iter().filter(|folder| seen.insert(*folder)));
        }
        told.finish(root);
    }

    fn head(&self, file: Node) -> io::Result<Head> {
        head(&*self.data(file)?)
    }

    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>> {
        Ok(Box::new(BlockContent::new(self.data(file)?)))
    }

    fn blocks(&self, file: Node) -> Option<Blocks> {
        self.data(file).ok()
    }

    fn defects(&self) -> Vec<String> {
        ByFolder::defects(self)
    }
}
