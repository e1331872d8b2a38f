//! A walk through all folders of a volume that may be damaged: each is read once, and all of them together are no longer
//! than the volume.

use std::collections::HashSet;

use super::told::Told;
use crate::evidence::file_system::{Each, Node};

/// Walks from `root` on. `list` passes on what is in a folder, and counts the folder's bytes down.
pub(super) fn walk(root: Node, size: u64, each: Each<'_>, mut list: impl FnMut(Node, &mut Told<'_>, &mut u64)) {
    let mut pending = vec![root];
    let mut seen = HashSet::from([root]);
    let mut left = size;
    let mut told = Told::new(each);
    while let Some(folder) = pending.pop().filter(|_| !told.is_over()) {
        list(folder, &mut told, &mut left);
        pending.extend(told.folders().into_iter().filter(|folder| seen.insert(*folder)));
    }
    told.finish(root);
}
