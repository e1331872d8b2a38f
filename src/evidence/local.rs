//! Files of this machine: the only place that opens evidence and what a container needs beside it.
//!
//! A worker cannot open files. It asks the process that started it, which passes descriptors; see [`super::worker`].

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// A request of a worker to the process that started it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// A file of the evidence.
    File(#[serde(with = "super::paths")] PathBuf),
    /// A file in the folder of an image, by its name there.
    Beside {
        /// The folder.
        #[serde(with = "super::paths")]
        folder: PathBuf,
        /// The name, one component.
        name: String,
    },
    /// The names in the folder of an image.
    Names(#[serde(with = "super::paths")] PathBuf),
}

/// What a request gets.
#[derive(Debug)]
pub enum Passed {
    /// A file, open for reading.
    File(File),
    /// The names in a folder. Names that are not Unicode are left out.
    Names(Vec<String>),
}

type Broker = Box<dyn Fn(&Request) -> io::Result<Passed> + Send + Sync>;

static BROKER: OnceLock<Broker> = OnceLock::new();

/// Has another process open all files from now on.
pub(super) fn through(broker: impl Fn(&Request) -> io::Result<Passed> + Send + Sync + 'static) {
    let _ = BROKER.set(Box::new(broker));
}

/// Opens a file for reading. A link is followed.
///
/// # Errors
/// The operating system's error for the file.
pub fn open(path: &Path) -> io::Result<File> {
    match BROKER.get() {
        None => File::open(path),
        Some(broker) => file(broker(&Request::File(path.to_owned()))?),
    }
}

/// Opens a regular file in a folder. A link is not followed.
///
/// # Errors
/// The operating system's error for the file; a name that is no single component, or that is no regular file.
pub fn open_beside(folder: &Path, name: &str) -> io::Result<File> {
    match BROKER.get() {
        None => open_beneath(hold(folder)?, name),
        Some(broker) => file(broker(&Request::Beside { folder: folder.to_owned(), name: name.to_owned() })?),
    }
}

/// Returns the names in a folder that are Unicode.
///
/// # Errors
/// The operating system's error for the folder.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    match BROKER.get() {
        None => names_in(hold(folder)?),
        Some(broker) => match broker(&Request::Names(folder.to_owned()))? {
            Passed::Names(names) => Ok(names),
            Passed::File(_) => Err(unexpected()),
        },
    }
}

/// Returns the size of a file in bytes; 0 if it is no regular file, or the system cannot report it.
pub fn size(path: &Path) -> u64 {
    match BROKER.get() {
        None => std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map_or(0, |metadata| metadata.len()),
        Some(_) => open(path).and_then(|file| regular_size(&file)).ok().flatten().unwrap_or_default(),
    }
}

/// Returns the size of an open file in bytes; `None` if it is no regular file.
///
/// # Errors
/// The operating system's error.
pub fn regular_size(file: &File) -> io::Result<Option<u64>> {
    // The library's own way looks at paths too, which a worker may not.
    let stat = fstat(file)?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    Ok(is_file.then(|| u64::try_from(stat.st_size).unwrap_or_default()))
}

/// Holds a folder, so that files are opened in it whatever its path becomes.
///
/// # Errors
/// The operating system's error for the folder.
pub(super) fn hold(folder: &Path) -> io::Result<OwnedFd> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    Ok(openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Opens a regular file in a held folder, without following a link and without waiting for a pipe.
///
/// # Errors
/// The operating system's error for the file; a name that is no single component, or that is no regular file.
pub(super) fn open_beneath(folder: impl AsFd, name: &str) -> io::Result<File> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no name of a file in this folder"));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let opened = match openat2(&folder, OsStr::new(name), flags, Mode::empty(), resolve) {
        // Before Linux 5.6. With one component and no link the older call does the same.
        Err(Errno::NOSYS | Errno::PERM) => openat(&folder, OsStr::new(name), flags, Mode::empty())?,
        opened => opened?,
    };
    only_regular(File::from(opened))
}

/// Opens a regular file by its path, without waiting for a pipe. A link is followed.
///
/// # Errors
/// The operating system's error for the file; a file that is no regular one.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    only_regular(File::from(openat(CWD, path, flags, Mode::empty())?))
}

/// Returns the names in a held folder that are Unicode.
///
/// # Errors
/// The operating system's error for the folder.
pub(super) fn names_in(folder: impl AsFd) -> io::Result<Vec<String>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(folder, ".", flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().to_str()
            && !matches!(name, "." | "..")
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn only_regular(file: File) -> io::Result<File> {
    match regular_size(&file)? {
        Some(_) => Ok(file),
        None => Err(io::Error::other("no regular file")),
    }
}

fn file(passed: Passed) -> io::Result<File> {
    match passed {
        Passed::File(file) => Ok(file),
        Passed::Names(_) => Err(unexpected()),
    }
}

fn unexpected() -> io::Error {
    io::Error::other("another answer than the one that was asked for; please report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_in_the_held_folder_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("extent"), "extent").unwrap();
        std::fs::create_dir(place("folder")).unwrap();
        std::os::unix::fs::symlink(place("extent"), place("link")).unwrap();
        rustix::fs::mknodat(CWD, place("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(regular_size(&open_beside(folder.path(), "extent").unwrap()).unwrap(), Some(6));
        for wrong in
            ["folder", "link", "pipe", "none", "", ".", "..", "../extent", "folder/../extent", "a\0b", "/etc/passwd"]
        {
            assert!(open_beside(folder.path(), wrong).is_err(), "{wrong:?}");
        }
        let mut found = names(folder.path()).unwrap();
        found.sort();
        assert_eq!(found, ["extent", "folder", "link", "pipe"]);
        // A folder that was held stays the same folder.
        let held = hold(folder.path()).unwrap();
        let away = folder.path().with_extension("away");
        std::fs::rename(folder.path(), &away).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path()).unwrap();
        assert!(open_beneath(&held, "extent").is_ok() && open_beneath(&held, "passwd").is_err());
        std::fs::remove_file(folder.path()).unwrap();
        std::fs::rename(&away, folder.path()).unwrap();
    }
}
