//! A file that is being written: without a name if the file system can do that, otherwise under a temporary name.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, RenameFlags, Stat, Uid};
use rustix::io::Errno;

use super::leftover::Leftover;

/// The mode of a new file; the user's umask restricts it.
const MODE: Mode = Mode::from_raw_mode(0o666);
/// The mode of a file that replaces another, until it has that file's mode: nobody else reads it meanwhile.
const PRIVATE: Mode = Mode::from_raw_mode(0o600);

/// A file that is being written.
pub(super) struct Part {
    file: File,
    /// `None`: the file has no name yet, and disappears with the process.
    named: Option<Leftover>,
}

impl Part {
    /// Creates a part in a folder. If it replaces `old`, it gets that file's mode and, if permitted, its owner.
    pub(super) fn create(folder: &Arc<OwnedFd>, old: Option<&Stat>) -> io::Result<Self> {
        let mode = if old.is_some() { PRIVATE } else { MODE };
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        // Any failure leads to the second way: if no file can be created at all, its error is the clearer one.
        let part = if let Ok(file) = rustix::fs::openat(folder, ".", flags | OFlags::TMPFILE, mode) {
            Self { file: file.into(), named: None }
        } else {
            let (named, file) = named(folder, mode)?;
            Self { file, named: Some(named) }
        };
        if let Some(old) = old {
            part.succeed(old)?;
        }
        Ok(part)
    }

    /// Returns the file to write to.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Copies the mode of a file, and its owner and group if the system permits it.
    fn succeed(&self, old: &Stat) -> io::Result<()> {
        let mut mode = old.st_mode & 0o777;
        let own = rustix::fs::fstat(&self.file)?;
        let owner = (own.st_uid != old.st_uid).then(|| Uid::from_raw(old.st_uid));
        let group = (own.st_gid != old.st_gid).then(|| Gid::from_raw(old.st_gid));
        if group.is_some() && rustix::fs::fchown(&self.file, None, group).is_err() {
            // The file keeps another group, which may do no more than everybody may.
            mode = (mode & 0o707) | ((mode & 0o007) << 3 & mode);
        }
        // On a file system without modes this fails harmlessly. The mode comes first: only the owner may set it.
        let _ = rustix::fs::fchmod(&self.file, Mode::from_raw_mode(mode));
        if owner.is_some() {
            let _ = rustix::fs::fchown(&self.file, owner, None);
        }
        Ok(())
    }

    /// Gives the file its final name, which must not exist.
    pub(super) fn place(self, folder: &Arc<OwnedFd>, name: &OsStr) -> io::Result<()> {
        match self.named {
            None => match link(&self.file, folder.as_fd(), name) {
                Ok(()) => Ok(()),
                Err(Errno::EXIST) => Err(Errno::EXIST.into()),
                // This file system cannot link a file without a name.
                Err(_) => rename_to_new(copied(&self.file, folder)?, folder.as_fd(), name),
            },
            Some(named) => rename_to_new(named, folder.as_fd(), name),
        }
    }

    /// Gives the file the name of an existing file, and replaces that file.
    pub(super) fn replace(self, folder: &Arc<OwnedFd>, name: &OsStr) -> io::Result<()> {
        let named = match self.named {
            Some(named) => named,
            // A rename needs a name, so the file gets a temporary one.
            None => match Leftover::make(folder, |folder, name| link(&self.file, folder, name)) {
                Ok((named, ())) => named,
                Err(_) => copied(&self.file, folder)?,
            },
        };
        rustix::fs::renameat(named.folder(), named.name(), folder, name)?;
        named.keep();
        Ok(())
    }
}

/// Creates a file under a temporary name.
fn named(folder: &Arc<OwnedFd>, mode: Mode) -> io::Result<(Leftover, File)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let (named, file) = Leftover::make(folder, |folder, name| rustix::fs::openat(folder, name, flags, mode))?;
    Ok((named, file.into()))
}

/// Copies the bytes of a file to a temporary name.
fn copied(mut file: &File, folder: &Arc<OwnedFd>) -> io::Result<Leftover> {
    let mode = rustix::fs::fstat(file)?.st_mode & 0o777;
    let (named, mut copy) = named(folder, PRIVATE)?;
    io::Seek::rewind(&mut file)?;
    io::copy(&mut file, &mut copy)?;
    let _ = rustix::fs::fchmod(&copy, Mode::from_raw_mode(mode));
    copy.sync_all()?;
    Ok(named)
}

/// Gives a nameless file a name. If the right for the first way is missing, the second way needs `/proc`.
fn link(file: &File, folder: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<()> {
    match rustix::fs::linkat(file, "", folder, name, AtFlags::EMPTY_PATH) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(Errno::EXIST),
        Err(_) => {
            let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
            rustix::fs::linkat(CWD, itself.as_str(), folder, name, AtFlags::SYMLINK_FOLLOW)
        }
    }
}

/// Renames a file or folder to a name that does not exist, by the first way that the file system supports.
pub(super) fn rename_to_new(named: Leftover, folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match rustix::fs::renameat_with(named.folder(), named.name(), folder, name, RenameFlags::NOREPLACE) {
        Ok(()) => {
            named.keep();
            return Ok(());
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        Err(error) => return Err(error.into()),
    }
    match rustix::fs::linkat(named.folder(), named.name(), folder, name, AtFlags::empty()) {
        // Dropping `named` removes the temporary name.
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => return Err(Errno::EXIST.into()),
        Err(_) => {}
    }
    // The system never renames a folder onto a file, nor onto a folder that is not empty.
    let stat = rustix::fs::statat(named.folder(), named.name(), AtFlags::SYMLINK_NOFOLLOW)?;
    if super::identity::kind(&stat) != rustix::fs::FileType::Directory {
        // An empty file reserves the name first.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        rustix::fs::openat(folder, name, flags, PRIVATE)?;
    }
    rustix::fs::renameat(named.folder(), named.name(), folder, name)?;
    named.keep();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::Path;

    /// Returns two parts with the same bytes: one without a name, one with a temporary name.
    fn parts(folder: &Arc<OwnedFd>) -> [Part; 2] {
        let (name, file) = named(folder, MODE).unwrap();
        [Part::create(folder, None).unwrap(), Part { file, named: Some(name) }].map(|part| {
            part.file().write_all(b"new").unwrap();
            part
        })
    }

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn with_a_name_and_without_one_a_part_becomes_a_file_and_nothing_else_is_left() {
        let place = tempfile::tempdir().unwrap();
        let folder = Arc::new(OwnedFd::from(File::open(place.path()).unwrap()));
        let file = place.path().join("x");
        for round in 0..2 {
            let part = parts(&folder).into_iter().nth(round).unwrap();
            part.place(&folder, OsStr::new("x")).unwrap();
            assert_eq!((std::fs::read(&file).unwrap(), names(place.path())), (b"new".to_vec(), vec!["x".to_owned()]));
            std::fs::write(&file, "old").unwrap();
            let part = parts(&folder).into_iter().nth(round).unwrap();
            let error = part.place(&folder, OsStr::new("x")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!((std::fs::read(&file).unwrap(), names(place.path())), (b"old".to_vec(), vec!["x".to_owned()]));
            let part = parts(&folder).into_iter().nth(round).unwrap();
            part.replace(&folder, OsStr::new("x")).unwrap();
            assert_eq!((std::fs::read(&file).unwrap(), names(place.path())), (b"new".to_vec(), vec!["x".to_owned()]));
            std::fs::remove_file(&file).unwrap();
        }
        drop(parts(&folder));
        let named = copied(parts(&folder)[0].file(), &folder).unwrap();
        rename_to_new(named, folder.as_fd(), OsStr::new("y")).unwrap();
        assert_eq!(names(place.path()), ["y"]);
    }
}
