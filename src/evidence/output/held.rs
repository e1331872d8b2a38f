//! A folder that is held by a descriptor: it stays this folder, even if its path changes.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, Stat};

use super::identity::Identity;

/// The most folders above one another: more than a path can name.
const DEEPEST: usize = 4096;

/// Flags to open a folder for work in it, not for listing.
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A held folder.
#[derive(Clone, Debug)]
pub(super) struct Held {
    folder: Arc<OwnedFd>,
    /// The path at opening; links are resolved.
    path: PathBuf,
}

impl Held {
    /// Opens a folder.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let folder = rustix::fs::open(path, FOLDER, Mode::empty())?;
        Ok(Self { folder: Arc::new(folder), path: path.to_owned() })
    }

    /// Opens a folder in this one; a link is an error.
    pub(super) fn inner(&self, name: &OsStr) -> io::Result<Self> {
        let folder = rustix::fs::openat(&self.folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self { folder: Arc::new(folder), path: self.path.join(name) })
    }

    /// Returns the folder's descriptor, to keep.
    pub(super) fn shared(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.folder)
    }

    /// Returns the path at opening.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the metadata of a name in the folder without following links; `None` if the name does not exist.
    pub(super) fn look(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks that the user may create files in the folder.
    pub(super) fn writable(&self) -> io::Result<()> {
        use rustix::fs::Access;
        Ok(rustix::fs::accessat(&self.folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())?)
    }

    /// Returns whether the path still leads to this folder.
    pub(super) fn is_in_place(&self) -> bool {
        let own = rustix::fs::fstat(&self.folder).ok();
        own.and_then(|stat| Identity::of(&stat)).is_none_or(|own| Identity::at(&self.path) == Some(own))
    }

    /// Returns this folder and every folder above it, by descriptor and not by path.
    pub(super) fn lineage(&self) -> io::Result<Vec<Identity>> {
        let mut lineage = Vec::new();
        let mut stat = rustix::fs::fstat(&self.folder)?;
        let mut above: Option<OwnedFd> = None;
        for _ in 0..DEEPEST {
            lineage.extend(Identity::of(&stat));
            let here = above.as_ref().map_or(self.folder.as_fd(), AsFd::as_fd);
            let next = rustix::fs::openat(here, "..", FOLDER, Mode::empty())?;
            let next_stat = rustix::fs::fstat(&next)?;
            // The root's parent is the root.
            if (next_stat.st_dev, next_stat.st_ino) == (stat.st_dev, stat.st_ino) {
                break;
            }
            (above, stat) = (Some(next), next_stat);
        }
        Ok(lineage)
    }
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}
