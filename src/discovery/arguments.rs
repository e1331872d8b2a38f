//! The evidence as the user named it: folders, and single files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Generation;
use super::layout::{self, Place};
use super::search::Folder;
use crate::error::Problem;
use crate::evidence::directory::{listable, locator};

/// The evidence as it was typed, by what it is.
#[derive(Default)]
pub(super) struct Arguments {
    /// Folders as typed, and where they really are; none lies in another.
    pub(super) folders: Vec<(PathBuf, PathBuf)>,
    pub(super) files: Vec<PathBuf>,
    pub(super) missing: Vec<(PathBuf, io::Error)>,
    pub(super) problems: Vec<Problem>,
}

impl Arguments {
    /// Sorts the evidence; a folder within another is part of that one.
    pub(super) fn sort(evidence: &[PathBuf]) -> Self {
        let mut arguments = Self::default();
        let mut folders = Vec::new();
        for path in evidence {
            match fs::canonicalize(path).and_then(|real| Ok((fs::metadata(&real)?.file_type(), real))) {
                Ok((kind, real)) if kind.is_dir() => folders.push((path.clone(), real)),
                Ok((kind, _)) if kind.is_file() => arguments.files.push(path.clone()),
                Ok(_) => arguments.problems.push(
                    Problem::of(locator(path), "a folder or a file", "a device, a pipe or a socket")
                        .advise("mount the volume read-only and name its folder, or copy what comes out to a file"),
                ),
                Err(source) => arguments.missing.push((path.clone(), source)),
            }
        }
        for (at, (path, real)) in folders.iter().enumerate() {
            let inside = |(other_at, (_, other)): (usize, &(PathBuf, PathBuf))| {
                real.starts_with(other) && (real != other || other_at < at)
            };
            if !folders.iter().enumerate().any(inside) {
                arguments.folders.push((path.clone(), real.clone()));
            }
        }
        arguments
    }
}

/// Files that were named one by one, by the folders that they are in, without those that are `known`.
pub(super) fn named(files: Vec<PathBuf>, mut known: BTreeSet<PathBuf>) -> Vec<Folder> {
    let mut folders: BTreeMap<PathBuf, Folder> = BTreeMap::new();
    for file in files {
        let new = fs::canonicalize(&file).is_ok_and(|real| known.insert(real));
        let (Some(name), Some(parent), true) = (file.file_name(), file.parent(), new) else { continue };
        let real = fs::canonicalize(listable(parent)).unwrap_or_else(|_| parent.to_owned());
        // Whoever names a hive wants it judged, wherever it lies.
        let place = Place { generation: Generation::Copy, known: false, ..layout::place(&real) };
        let (path, files) = (parent.to_owned(), BTreeSet::new());
        let folder = folders.entry(real).or_insert(Folder { path, place, any_role: true, named: true, files });
        folder.files.insert(name.to_owned());
    }
    folders.into_values().collect()
}

/// A file in a container that was named, as its folder.
pub(super) fn named_in_container(file: &Path) -> Option<Folder> {
    let (parent, name) = (file.parent()?, file.file_name()?);
    let place = Place { generation: Generation::Copy, known: false, ..layout::place(parent) };
    let files = BTreeSet::from([name.to_owned()]);
    Some(Folder { path: parent.to_owned(), place, any_role: true, named: true, files })
}
