//! The identity of a file or folder, under any name: the device and the file's number on it.

use std::path::Path;

use rustix::fs::{FileType, Stat};

/// A file's identity in its file system: hard links, links and other spellings of a path do not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    device: u64,
    node: u64,
}

impl Identity {
    /// Returns the identity in `stat`; `None` if the file system numbers nothing: some in user space report 0.
    pub(super) fn of(stat: &Stat) -> Option<Self> {
        (stat.st_ino != 0).then_some(Self { device: stat.st_dev, node: stat.st_ino })
    }

    /// Returns the identity at the end of a path, with links followed; `None` if nothing exists there.
    pub(super) fn at(path: &Path) -> Option<Self> {
        rustix::fs::stat(path).ok().and_then(|stat| Self::of(&stat))
    }
}

/// Returns the kind of a file.
pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}
