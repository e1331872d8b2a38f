//! A descent: many keys of one tree, one after the other, each from the last one that its path shares with the key before.

use super::{Key, Tree};
use crate::error::Problem;

/// The keys on the path to the key that was looked up last, below the root.
pub struct Descent<'t, 'h> {
    root: Result<Key<'t, 'h>, Problem>,
    /// Each key with its name in the path.
    path: Vec<(String, Key<'t, 'h>)>,
}

impl<'t, 'h> Descent<'t, 'h> {
    /// Returns a descent that begins at the root.
    pub fn new(tree: &'t Tree<'h>) -> Self {
        Self { root: tree.root(), path: Vec::new() }
    }

    /// Returns the same as [`Tree::key`]. Keys that lie together should be looked up one after the other.
    ///
    /// # Errors
    /// Returns the same errors as [`Tree::key`].
    pub fn key(&mut self, path: &str) -> Result<Option<&Key<'t, 'h>>, Problem> {
        let root = self.root.as_ref().map_err(Problem::clone)?;
        let names = || path.split('\\').filter(|name| !name.is_empty());
        let shared = names().zip(&self.path).take_while(|(name, (known, _))| name == known).count();
        self.path.truncate(shared);
        for name in names().skip(shared) {
            let above = self.path.last().map_or(root, |(_, key)| key);
            let Some(key) = above.subkey(name)? else { return Ok(None) };
            self.path.push((name.to_owned(), key));
        }
        Ok(Some(self.path.last().map_or(root, |(_, key)| key)))
    }
}
