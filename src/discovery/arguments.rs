//! The evidence as the user named it: folders, single files, and places inside containers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::content;
use super::found::{FoundFile, FoundFolder};
use super::hibernation::{self, Hibernation};
use super::layout::{self, Place};
use super::name;
use super::unreadable::unreadable;
use crate::error::Error;
use crate::evidence::directory::{self, files_in, listable, locator};
use crate::evidence::file::File;
use crate::evidence::file_system::Vouched;
use crate::evidence::folder;
use crate::evidence::locator::{Locator, Name};

/// One piece of evidence: where it is, and what else the user states about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// A folder, a file, or a place in a container as reports print it.
    #[serde(with = "crate::evidence::paths")]
    pub path: PathBuf,
    /// Where the file was on its machine. Its folder and its name decide which files belong together, what each is, and
    /// which generation; `path` may be any name that a store gave it.
    #[serde(with = "crate::evidence::paths::many")]
    pub original_path: Option<PathBuf>,
    /// The user's name for the machine or the exhibit. Files with different labels never belong together.
    pub label: Option<String>,
}

impl From<&PathBuf> for Evidence {
    fn from(path: &PathBuf) -> Self {
        Self { path: path.clone(), ..Self::default() }
    }
}

impl AsRef<Path> for Evidence {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Evidence {
    /// Returns where the file was on its machine; its path if nothing else is known.
    pub(super) fn original(&self) -> &Path {
        self.original_path.as_deref().unwrap_or(&self.path)
    }
}

/// An argument, by its kind.
pub(super) enum Argument {
    /// A folder, and its canonical path.
    Folder { evidence: Evidence, real: PathBuf },
    /// A folder inside the folder of another argument, or the same one; a file that another argument names with another
    /// label.
    Within { evidence: Evidence, outer: Evidence },
    /// A file, its canonical path, and whether it is in a folder that the user named too.
    File { evidence: Evidence, real: PathBuf, within: bool },
    /// A device, a pipe or a socket.
    Other { evidence: Evidence },
    /// A path that does not exist, or that the user may not read.
    Missing { evidence: Evidence, error: io::Error },
}

impl Argument {
    /// Returns the user's name for the machine or the exhibit.
    pub(super) fn label(&self) -> Option<&String> {
        match self {
            Self::Folder { evidence, .. }
            | Self::Within { evidence, .. }
            | Self::File { evidence, .. }
            | Self::Other { evidence }
            | Self::Missing { evidence, .. } => evidence.label.as_ref(),
        }
    }
}

/// Checks that there is anything to go on with, before any work.
///
/// # Errors
/// The only evidence is missing or unreadable.
pub fn readable(evidence: &[Evidence]) -> Result<(), Error> {
    let [only] = evidence else { return Ok(()) };
    match fs::canonicalize(&only.path).and_then(fs::metadata) {
        Err(source) if Locator::parse(only.path.as_os_str()).is_none() => {
            let (_, advice) = directory::explain(&source);
            Err(Error::Read { path: locator(&only.path), source, advice })
        }
        _ => Ok(()),
    }
}

/// Sorts the arguments by kind, in their order; a folder inside another one is a part of it.
pub(super) fn sort(evidence: &[Evidence]) -> Vec<Argument> {
    let mut arguments = Vec::new();
    // The first argument that names each folder.
    let mut folders: HashMap<PathBuf, (usize, Evidence)> = HashMap::new();
    for evidence in evidence.iter().cloned() {
        let path = &evidence.path;
        arguments.push(match fs::canonicalize(path).and_then(|real| Ok((fs::metadata(&real)?.file_type(), real))) {
            Ok((kind, real)) if kind.is_dir() => {
                folders.entry(real.clone()).or_insert_with(|| (arguments.len(), evidence.clone()));
                Argument::Folder { evidence, real }
            }
            Ok((kind, real)) if kind.is_file() => Argument::File { evidence, real, within: false },
            Ok(_) => Argument::Other { evidence },
            Err(error) => Argument::Missing { evidence, error },
        });
    }
    // The first argument that names each file.
    let mut files: HashMap<PathBuf, Evidence> = HashMap::new();
    for (at, argument) in arguments.iter_mut().enumerate() {
        match argument {
            Argument::Folder { evidence, real } => {
                let is_itself = |first: &usize, folder: &Path| folder == real && *first == at;
                let outer = real.ancestors().find_map(|folder| {
                    folders.get(folder).filter(|(first, _)| !is_itself(first, folder)).map(|(_, outer)| outer.clone())
                });
                if let Some(outer) = outer {
                    *argument = Argument::Within { evidence: std::mem::take(evidence), outer };
                }
            }
            Argument::File { evidence, real, within } => {
                *within = real.ancestors().skip(1).any(|folder| folders.contains_key(folder));
                let first = files.entry(real.clone()).or_insert_with(|| evidence.clone());
                if first.label != evidence.label {
                    *argument = Argument::Within { evidence: std::mem::take(evidence), outer: first.clone() };
                }
            }
            _ => {}
        }
    }
    arguments
}

/// Returns the folder for files that the user named one by one. A hive that the user named is judged in any place.
pub(super) fn folder_of(file: &Evidence) -> FoundFolder {
    let parent = file.original().parent().map(Path::to_owned).unwrap_or_default();
    let parts = |path: &Path| -> Vec<String> {
        path.components().map(|part| layout::part(&part.as_os_str().to_string_lossy())).collect()
    };
    let (place, named, hibernation) = if file.original_path.is_some() {
        // The folder is another machine's: here it has nothing but the listed files.
        (layout::place(&parts(&parent)), false, None)
    } else {
        let real = fs::canonicalize(listable(&parent)).unwrap_or_else(|_| parent.clone());
        (layout::place(&parts(&real)), true, hibernation_of(&real))
    };
    // The same path on two machines is two places.
    let machine = file.label.as_deref().filter(|_| file.original_path.is_some()).map(Path::new);
    FoundFolder {
        locator: Locator::of(machine.unwrap_or(Path::new("")).join(parent)).to_string(),
        place: Place { known: place.known && !named, ..place },
        any_role: true,
        named,
        files: BTreeMap::new(),
        hibernation,
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

/// Adds files that the user named one by one to their folder, with the logs beside them. Files whose original names are
/// the same get numbers: nobody can tell which of them belongs to which other.
pub(super) fn named(files: &[Evidence], mut folder: FoundFolder) -> FoundFolder {
    let mut by_name: BTreeMap<Name, Vec<&Evidence>> = BTreeMap::new();
    for evidence in files {
        if let Some(name) = evidence.original().file_name() {
            by_name.entry(Name::from(name)).or_default().push(evidence);
        }
    }
    let hives: BTreeSet<String> =
        by_name.keys().flat_map(|name| name::log_keys(&name.to_string()).collect::<Vec<_>>()).collect();
    for (name, files) in by_name {
        if let [only] = files.as_slice() {
            folder.files.insert(name, found(only, true));
            continue;
        }
        for (number, evidence) in (1_usize..).zip(files) {
            let numbered = [name.as_bytes(), format!(" ({number})").as_bytes()].concat();
            folder.files.insert(Name::new(numbered), found(evidence, true));
        }
    }
    let first = files.first().filter(|first| first.original_path.is_none());
    let Some(parent) = first.and_then(|first| first.path.parent()) else { return folder };
    for name in files_in(parent).unwrap_or_default() {
        let text = Name::from(name.as_os_str()).to_string();
        let key = Name::from(name.as_os_str());
        let of_one = name::hive_of(&text).is_some_and(|hive| hives.contains(&hive));
        if of_one && !folder.files.contains_key(&key) {
            folder.files.insert(key, found(&Evidence::from(&parent.join(&name)), false));
        }
    }
    folder
}

/// Returns the name of a file, which helps to recognise its content.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn found(evidence: &Evidence, named: bool) -> Box<FoundFile> {
    let path = &evidence.path;
    let head = folder::head_of(path);
    let unreadable = head.as_ref().err().map(unreadable);
    let head = head.unwrap_or_default();
    Box::new(FoundFile {
        locator: Locator::of(path).to_string(),
        content: content::of(&head, &name_of(evidence.original())),
        file: File::on_disk(path),
        size: head.size,
        vouched: Vouched::Unprotected,
        origin: None,
        is_lent: false,
        // A log that the user listed is no hive that is missing.
        named: named && !(evidence.original_path.is_some() && name::is_log(&name_of(evidence.original()))),
        unreadable,
    })
}
