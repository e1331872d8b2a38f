//! The inputs of a run. None of them is ever written.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};

use super::held::Held;
use super::identity::{Identity, kind};
use crate::error::Error;
use crate::evidence::directory::{container_of, contains};

/// The inputs that the user named.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The evidence: folders with all their content, and files.
    pub evidence: Vec<PathBuf>,
    /// Other files: patches, passwords.
    pub files: Vec<PathBuf>,
}

/// The inputs that exist, by identity.
#[derive(Debug, Default)]
pub(super) struct Protected {
    evidence: Vec<PathBuf>,
    /// Folders of the evidence.
    folders: BTreeMap<Identity, PathBuf>,
    /// Files that the run reads.
    files: BTreeMap<Identity, PathBuf>,
}

impl Protected {
    /// Collects the inputs that the user named.
    pub(super) fn new(inputs: &Inputs) -> Self {
        let mut protected = Self { evidence: inputs.evidence.clone(), ..Self::default() };
        for path in inputs.evidence.iter().chain(&inputs.files) {
            let real = container_of(path).unwrap_or_else(|| path.clone());
            let Ok(stat) = rustix::fs::stat(&real) else { continue };
            let Some(identity) = Identity::of(&stat) else { continue };
            match kind(&stat) {
                FileType::Directory => protected.folders.insert(identity, path.clone()),
                // A character device is not a file of the evidence, and can be shared.
                FileType::CharacterDevice => None,
                _ => protected.files.insert(identity, path.clone()),
            };
        }
        protected
    }

    /// Adds every file that was opened, and the folders of the evidence above it, which may be mounted elsewhere too.
    pub(super) fn add<'p>(&mut self, opened: impl Iterator<Item = &'p Path>) {
        let mut folders = BTreeSet::new();
        for path in opened {
            if let Some(identity) = Identity::at(path) {
                self.files.entry(identity).or_insert_with(|| path.to_owned());
            }
            let Some(root) = self.evidence.iter().find(|root| path != root.as_path() && path.starts_with(root)) else {
                continue;
            };
            // If a folder was added before, so were the folders above it.
            for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
                if !folders.insert(folder.to_owned()) {
                    break;
                }
            }
        }
        for folder in folders {
            if folder.is_dir()
                && let Some(identity) = Identity::at(&folder)
            {
                self.folders.entry(identity).or_insert(folder);
            }
        }
    }

    /// Refuses an output whose path lies in the evidence.
    pub(super) fn allow_path(&self, output: &Path) -> Result<(), Error> {
        let evidence = contains(&self.evidence, output).or_else(|| self.part_of_image(output));
        match evidence {
            Some(evidence) => Err(Error::OutputInsideEvidence { output: output.to_owned(), evidence }),
            None => Ok(()),
        }
    }

    /// Refuses an output in this folder if the folder is one of the evidence, or lies in one.
    pub(super) fn allow_folder(&self, output: &Path, folder: &Held) -> Result<(), Error> {
        let failed = |source| Error::Write { path: output.display().to_string(), source };
        let lineage = folder.lineage().map_err(failed)?;
        match lineage.iter().find_map(|identity| self.folders.get(identity)) {
            Some(evidence) => {
                Err(Error::OutputInsideEvidence { output: output.to_owned(), evidence: evidence.clone() })
            }
            None => Ok(()),
        }
    }

    /// Returns the path of the input that is this file.
    pub(super) fn is_input(&self, stat: &Stat) -> Option<&Path> {
        self.files.get(&Identity::of(stat)?).map(PathBuf::as_path)
    }

    /// Returns the image of which the output's name is a later part: `x.E02` would be read as a part of `x.E01`.
    fn part_of_image(&self, output: &Path) -> Option<PathBuf> {
        let place = |path: &Path| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some((Identity::at(folder)?, path.file_stem()?.to_ascii_lowercase(), numbering(path.extension()?)?))
        };
        let output = place(output)?;
        let image = |path: &&PathBuf| path.is_file() && place(path).is_some_and(|image| image == output);
        self.evidence.iter().find(image).cloned()
    }
}

/// Returns how the parts of an image with this extension are numbered.
fn numbering(extension: &OsStr) -> Option<char> {
    let extension = extension.to_str()?.to_ascii_lowercase();
    match extension.as_bytes() {
        [a, b, c] if [a, b, c].iter().all(|byte| byte.is_ascii_digit()) => Some('0'),
        [first @ (b'e' | b's' | b'l'), b, c] if b.is_ascii_digit() && c.is_ascii_digit() => Some(char::from(*first)),
        _ => None,
    }
}
