//! Which files of a tree are worth opening.
//!
//! A mounted volume holds a million files, so it is walked once and by names alone. On a volume (a folder that holds
//! a Windows, with all that is below it) the places where Windows and tools keep hives are then looked into, and
//! files elsewhere whose names suggest a hive. A plain folder, as people copy hives to, may hold them under any name:
//! there each file is looked at, in folders of up to [`FOLDER`] files, nearest to the top first, and [`TREE`] files in
//! all.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::layout::{self, Place};
use super::{Generation, name};
use crate::error::Problem;
use crate::evidence::directory::{self, Entry, Obstacle};
use crate::evidence::tree::Tree;

/// A folder with more files than this is no folder of copied hives.
const FOLDER: usize = 1_000;
/// So many files are looked at in plain folders of one tree.
const TREE: usize = 50_000;

/// A folder, and the files in it that are worth opening.
#[derive(Debug)]
pub(super) struct Folder {
    /// The folder as the user named the evidence.
    pub(super) path: PathBuf,
    /// What kind of place it is.
    pub(super) place: Place,
    /// Whether hives of any role count; otherwise SOFTWARE and SYSTEM do.
    pub(super) any_role: bool,
    /// Whether the user named these files, and not the folder.
    pub(super) named: bool,
    /// The names of the files.
    pub(super) files: BTreeSet<OsString>,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Folders by path, each with at least one file.
    pub(super) folders: Vec<Folder>,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
    /// How much there was, for saying where nothing was found.
    pub(super) seen: Seen,
}

/// How many folders and files there were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) folders: usize,
    pub(super) files: usize,
}

/// Searches the tree at `root`, whose real path is `real`.
pub(super) fn search(tree: &dyn Tree, root: &Path, real: &Path) -> Found {
    let mut found = Found::default();
    let mut all = Vec::new();
    let mut volumes = BTreeSet::new();
    let mut by_name: BTreeMap<PathBuf, BTreeSet<OsString>> = BTreeMap::new();
    for entry in tree.walk(real) {
        match entry {
            Ok(Entry::Folder(folder)) => {
                found.seen.folders = found.seen.folders.saturating_add(1);
                if let Some(volume) = layout::volume_of(&folder) {
                    volumes.insert(if volume.starts_with(real) { volume.to_owned() } else { real.to_owned() });
                }
                all.push(folder);
            }
            Ok(Entry::File(file)) => {
                found.seen.files = found.seen.files.saturating_add(1);
                if let (Some(folder), Some(name)) = (file.parent(), file.file_name())
                    && name::fits(&name.to_string_lossy())
                {
                    by_name.entry(folder.to_owned()).or_default().insert(name.to_owned());
                }
            }
            Err(Obstacle { path, source }) => {
                let path = named(root, real, &path);
                found.problems.push(directory::unreadable(&path, "a folder that can be read", &source));
            }
        }
    }
    // Nearest to the top first, so that a limit cuts off what is deepest.
    all.sort_by_cached_key(|folder| (folder.components().count(), folder.clone()));
    let mut left = TREE;
    let mut passed_over = 0_usize;
    for folder in all {
        let mut place = layout::place(&folder);
        if tree.is_shadow_copy() {
            place.generation = Generation::ShadowCopy;
        }
        let plain = !folder.ancestors().any(|ancestor| volumes.contains(ancestor));
        let mut files = by_name.remove(&folder).unwrap_or_default();
        if place.known || plain {
            // A folder that cannot be listed was an obstacle of the walk already.
            let listed = tree.files_in(&folder).unwrap_or_default();
            if listed.len() > FOLDER {
                // By name, then.
            } else if place.known || listed.len() <= left {
                left = left.saturating_sub(if place.known { 0 } else { listed.len() });
                files.extend(listed);
            } else {
                passed_over = passed_over.saturating_add(listed.len());
            }
        }
        if !files.is_empty() {
            let path = named(root, real, &folder);
            found.folders.push(Folder { path, place, any_role: place.known || plain, named: false, files });
        }
    }
    if passed_over > 0 {
        let expected = format!("a Windows volume, or a folder with up to {TREE} files");
        let told = format!("{passed_over} files more, which were judged by their names alone");
        let problem = Problem::of(tree.locator(root), expected, told);
        found.problems.push(problem.advise("name the folders that hold the hives"));
    }
    found.folders.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A path in the tree as the user named the tree.
fn named(root: &Path, real: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(real) {
        Ok(rest) if !rest.as_os_str().is_empty() => root.join(rest),
        _ => root.to_owned(),
    }
}
