//! Opens files for a worker: those of its part of the evidence, and what an image needs in its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::evidence::local::{self, Passed, Request};

/// Called with each file of this machine before a byte of it is read.
pub type Witness<'w> = &'w (dyn Fn(&Path) + Sync);

/// What a worker may have opened.
#[derive(Default)]
pub struct Broker<'w> {
    files: BTreeSet<PathBuf>,
    /// The folders of images, held since they were allowed.
    folders: BTreeMap<PathBuf, io::Result<OwnedFd>>,
    witness: Option<Witness<'w>>,
}

impl<'w> Broker<'w> {
    /// Returns a broker that opens nothing, and calls this witness.
    pub fn new(witness: Option<Witness<'w>>) -> Self {
        Self { witness, ..Self::default() }
    }

    /// Allows a file.
    pub fn allow(&mut self, file: &Path) {
        self.files.insert(file.to_owned());
    }

    /// Allows the regular files in the folder of an image, by their names there.
    pub fn allow_beside(&mut self, image: &Path) {
        let folder = image.parent().map(Path::to_owned).unwrap_or_default();
        self.folders.entry(folder).or_insert_with_key(|folder| local::hold(folder));
    }

    /// Answers a request.
    ///
    /// # Errors
    /// The operating system's error; a file or a folder that is not allowed.
    pub(in crate::evidence) fn answer(&self, request: &Request) -> io::Result<Passed> {
        match request {
            Request::File(path) => {
                if !self.files.contains(path) {
                    return Err(refused());
                }
                self.see(path);
                local::open_regular(path).map(Passed::File)
            }
            Request::Beside { folder, name } => {
                let held = self.held(folder)?;
                // Opened before the witness hashes it: no other file is hashed for this name.
                let file = local::open_beneath(held, name)?;
                self.see(&folder.join(name));
                Ok(Passed::File(file))
            }
            Request::Names(folder) => local::names_in(self.held(folder)?).map(Passed::Names),
        }
    }

    fn held(&self, folder: &Path) -> io::Result<&OwnedFd> {
        match self.folders.get(folder) {
            Some(Ok(held)) => Ok(held),
            Some(Err(error)) => Err(io::Error::new(error.kind(), error.to_string())),
            None => Err(refused()),
        }
    }

    fn see(&self, path: &Path) {
        if let Some(witness) = self.witness {
            witness(path);
        }
    }
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "not a part of this evidence")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn only_what_belongs_to_the_evidence_is_opened_and_a_witness_sees_it_first() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for name in ["a.E01", "a.E02", "SYSTEM", "other"] {
            std::fs::write(place(name), name).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", place("a.E03")).unwrap();
        let seen = Mutex::new(Vec::new());
        let witness = |path: &Path| seen.lock().unwrap().push(path.to_owned());
        let mut broker = Broker::new(Some(&witness));
        broker.allow(&place("SYSTEM"));
        broker.allow(&place("a.E01"));
        broker.allow_beside(&place("a.E01"));
        let file = |path: PathBuf| broker.answer(&Request::File(path));
        let beside = |folder: &Path, name: &str| {
            broker.answer(&Request::Beside { folder: folder.to_owned(), name: name.to_owned() })
        };
        assert!(file(place("SYSTEM")).is_ok() && file(place("a.E01")).is_ok());
        assert!(file(place("other")).is_err() && file("/etc/passwd".into()).is_err());
        assert!(beside(folder.path(), "a.E02").is_ok());
        assert!(beside(folder.path(), "a.E03").is_err(), "a link");
        assert!(beside(Path::new("/etc"), "passwd").is_err());
        assert!(broker.answer(&Request::Names(folder.path().to_owned())).is_ok());
        assert!(broker.answer(&Request::Names("/etc".into())).is_err());
        assert_eq!(*seen.lock().unwrap(), [place("SYSTEM"), place("a.E01"), place("a.E02")]);
    }
}
