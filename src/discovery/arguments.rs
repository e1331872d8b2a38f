//! The evidence as the user named it: folders, single files, and places inside containers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::content;
use super::found::{FoundFile, FoundFolder};
use super::hibernation::{self, Hibernation};
use super::layout::{self, Place};
use super::name;
use super::unreadable::unreadable;
use crate::evidence::directory::{files_in, listable};
use crate::evidence::file::File;
use crate::evidence::file_system::Vouched;
use crate::evidence::folder;
use crate::evidence::locator::{Locator, Name};

/// An argument, by its kind.
pub(super) enum Argument {
    /// A folder, and its canonical path.
    Folder { path: PathBuf, real: PathBuf },
    /// A folder inside another argument's folder.
    Within { path: PathBuf, outer: PathBuf },
    /// A file, and its canonical path.
    File { path: PathBuf, real: PathBuf },
    /// A device, a pipe or a socket.
    Other { path: PathBuf },
    /// A path that does not exist, or that the user may not read.
    Missing { path: PathBuf, error: io::Error },
}

/// Sorts the arguments by kind, in their order; a folder inside another one is a part of it.
pub(super) fn sort(evidence: &[PathBuf]) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let mut folders: Vec<(PathBuf, PathBuf)> = Vec::new();
    for path in evidence {
        let path = path.clone();
        arguments.push(match fs::canonicalize(&path).and_then(|real| Ok((fs::metadata(&real)?.file_type(), real))) {
            Ok((kind, real)) if kind.is_dir() => {
                folders.push((path.clone(), real.clone()));
                Argument::Folder { path, real }
            }
            Ok((kind, real)) if kind.is_file() => Argument::File { path, real },
            Ok(_) => Argument::Other { path },
            Err(error) => Argument::Missing { path, error },
        });
    }
    let mut at = 0_usize;
    for argument in &mut arguments {
        let Argument::Folder { path, real } = argument else { continue };
        let outer = folders
            .iter()
            .enumerate()
            .find(|(other, (_, outer))| real.starts_with(outer) && (real != outer || *other < at));
        if let Some((_, (outer, _))) = outer {
            *argument = Argument::Within { path: std::mem::take(path), outer: outer.clone() };
        }
        at = at.saturating_add(1);
    }
    arguments
}

/// Returns the folder for files that the user named one by one. A hive that the user named is judged in any place.
pub(super) fn folder_of(file: &Path) -> FoundFolder {
    let parent = file.parent().map(Path::to_owned).unwrap_or_default();
    let real = fs::canonicalize(listable(&parent)).unwrap_or_else(|_| parent.clone());
    let parts: Vec<String> = real.components().map(|part| layout::part(&part.as_os_str().to_string_lossy())).collect();
    let place = Place { known: false, ..layout::place(&parts) };
    FoundFolder {
        locator: Locator::of(parent).to_string(),
        place,
        any_role: true,
        named: true,
        files: BTreeMap::new(),
        hibernation: hibernation_of(&real),
    }
}

/// Returns the state of the hibernation file of the volume whose `Windows/System32/config` is this folder of this
/// machine; `None` if the file does not exist, or for any other folder.
pub(super) fn hibernation_of(config: &Path) -> Option<Hibernation> {
    let parts: Vec<String> =
        config.components().map(|part| layout::part(&part.as_os_str().to_string_lossy())).collect();
    layout::volume_of(&parts)?;
    // config, System32, Windows, and the volume. A link is no file here: it may lead out of the evidence.
    let volume = config.ancestors().nth(3)?;
    let is_named = |name: &OsString| hibernation::is_named(&name.to_string_lossy());
    let name = files_in(volume).ok()?.into_iter().find(is_named)?;
    Some(hibernation::of(folder::head_of(&volume.join(name)).ok().as_ref()))
}

/// Adds files that the user named one by one to their folder, with the logs beside them.
pub(super) fn named(files: &[PathBuf], mut folder: FoundFolder) -> FoundFolder {
    let names = files.iter().filter_map(|path| path.file_name()).map(|name| Name::from(name).to_string());
    let hives: BTreeSet<String> = names.flat_map(|name| name::log_keys(&name).collect::<Vec<_>>()).collect();
    for path in files {
        if let Some(name) = path.file_name() {
            folder.files.insert(Name::from(name), found(path, true));
        }
    }
    let Some(parent) = files.first().and_then(|path| path.parent()) else { return folder };
    for name in files_in(parent).unwrap_or_default() {
        let text = Name::from(name.as_os_str()).to_string();
        let key = Name::from(name.as_os_str());
        let of_one = name::hive_of(&text).is_some_and(|hive| hives.contains(&hive));
        if of_one && !folder.files.contains_key(&key) {
            folder.files.insert(key, found(&parent.join(&name), false));
        }
    }
    folder
}

/// Returns the name of a file, which helps to recognise its content.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn found(path: &Path, named: bool) -> FoundFile {
    let head = folder::head_of(path);
    let unreadable = head.as_ref().err().map(unreadable);
    let head = head.unwrap_or_default();
    FoundFile {
        locator: Locator::of(path).to_string(),
        content: content::of(&head, &name_of(path)),
        file: File::on_disk(path),
        size: head.size,
        vouched: Vouched::Unprotected,
        origin: None,
        named,
        unreadable,
    }
}
