//! Which file or folder something is, whatever it is called: the device and the number that it has there.

use std::path::Path;

use rustix::fs::{FileType, Stat};

/// What a file system calls a file: hard links, links and other spellings of a path do not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    device: u64,
    node: u64,
}

impl Identity {
    /// What `stat` says; `None` where the file system numbers nothing: some in user space have 0 for all.
    pub(super) fn of(stat: &Stat) -> Option<Self> {
        (stat.st_ino != 0).then_some(Self { device: stat.st_dev, node: stat.st_ino })
    }

    /// Of what a path leads to, links followed; `None` where there is nothing.
    pub(super) fn at(path: &Path) -> Option<Self> {
        rustix::fs::stat(path).ok().and_then(|stat| Self::of(&stat))
    }
}

/// The kind of a file.
pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}
