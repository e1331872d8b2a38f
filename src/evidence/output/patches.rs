//! The folder of patches: it contains one folder for each installation, which is written whole or not at all.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::held::Held;
use super::identity::{Identity, kind};
use super::inputs::Protected;
use super::leftover::Leftover;
use super::part::{Part, rename_to_new};
use super::place::replaceable;
use super::refusal::{refuse, told};
use crate::error::Error;
use crate::evidence::directory::resolve;

/// Every file that a patch may contain. Only a folder without any other file is a folder of a patch.
const OURS: [&str; 13] = [
    "SOFTWARE.reg",
    "SYSTEM.reg",
    "SOFTWARE.rollback.reg",
    "SYSTEM.rollback.reg",
    "patch.reg",
    "rollback.reg",
    "plan.json",
    "IMPORT.txt",
    "winre.cmd",
    "winre-SOFTWARE.reg",
    "winre-SYSTEM.reg",
    "winre-SOFTWARE.rollback.reg",
    "winre-SYSTEM.rollback.reg",
];

/// The mode of a new folder; the user's umask restricts it.
const MODE: Mode = Mode::from_raw_mode(0o777);
const OPTION: &str = "--patch";

/// The checked folder, which may not exist yet.
#[derive(Debug)]
pub(super) struct Patches {
    shown: PathBuf,
    /// The last existing folder of the path.
    base: Held,
    /// The folders to create in it.
    missing: Vec<OsString>,
    overwrite: bool,
}

impl Patches {
    /// Checks the path that the user named.
    pub(super) fn at(path: &Path, protected: &Protected, overwrite: bool) -> Result<Self, Error> {
        protected.allow_path(path)?;
        let mut missing = Vec::new();
        let mut real = resolve(path);
        let base = loop {
            let error = match Held::open(&real) {
                Ok(base) => break base,
                Err(error) => error,
            };
            let Some(name) = real.file_name().filter(|_| error.kind() == io::ErrorKind::NotFound) else {
                let found = format!("{}: {}", real.display(), told(&error));
                return Err(refuse(OPTION, path, "a folder, or a name that is free", found, "Name another folder"));
            };
            missing.push(name.to_owned());
            real.pop();
        };
        missing.reverse();
        let patches = Self { shown: path.to_owned(), base, missing, overwrite };
        patches.allow(protected)?;
        patches.base.writable().map_err(|error| {
            let found = format!("{}: {}", patches.base.path().display(), told(&error));
            let advice = "Name a folder that you may write to";
            refuse(OPTION, path, "a folder in which files can be created", found, advice)
        })?;
        Ok(patches)
    }

    /// Returns the path of the folder, existing or not; links are resolved.
    pub(super) fn real(&self) -> PathBuf {
        self.missing.iter().fold(self.base.path().to_owned(), |path, name| path.join(name))
    }

    /// Returns the folder, if it exists.
    pub(super) fn folder(&self) -> Option<&Held> {
        self.missing.is_empty().then_some(&self.base)
    }

    /// Refuses the folder if it lies in the evidence.
    pub(super) fn allow(&self, protected: &Protected) -> Result<(), Error> {
        protected.allow_folder(&self.shown, &self.base)
    }

    /// Refuses an installation whose folder exists, unless it is a folder of a patch and may be replaced.
    pub(super) fn admit<'n>(&self, names: impl Iterator<Item = &'n str>, protected: &Protected) -> Result<(), Error> {
        let Some(folder) = self.folder() else { return Ok(()) };
        for name in names {
            self.old(folder, name, protected)?;
        }
        Ok(())
    }

    /// Returns an installation's existing folder, which will be replaced; `None` if it does not exist.
    fn old(&self, folder: &Held, name: &str, protected: &Protected) -> Result<Option<Stat>, Error> {
        let path = self.shown.join(name);
        let failed = |source| Error::Write { path: path.display().to_string(), source };
        let Some(stat) = folder.look(OsStr::new(name)).map_err(failed)? else { return Ok(None) };
        let refused = |found: String, advice: &str| refuse(OPTION, &path, "a new folder", found, advice);
        if kind(&stat) != FileType::Directory {
            return Err(refused("something that exists already".to_owned(), "Name another folder"));
        }
        if !self.overwrite {
            let advice = "Name a new folder, or replace the older files with --overwrite";
            return Err(refused("an existing folder".to_owned(), advice));
        }
        let inner = folder.inner(OsStr::new(name)).map_err(failed)?;
        for file in list(&inner).map_err(failed)? {
            let shown = path.join(&file);
            if !OURS.iter().any(|ours| file == *ours) {
                let found = format!("a folder with {}, which is not a file of a patch", shown.display());
                return Err(refused(found, "Move it elsewhere, or name another folder"));
            }
            if let Some(stat) = inner.look(&file).map_err(failed)? {
                replaceable(OPTION, &shown, &inner, &file, &stat, protected)?;
            }
        }
        Ok(Some(stat))
    }

    /// Writes the folder of an installation, whole or not at all.
    pub(super) fn write(
        &self,
        name: &str,
        files: &[(String, Vec<u8>)],
        protected: &Protected,
    ) -> Result<PathBuf, Error> {
        let path = self.shown.join(name);
        let failed = |source| Error::Write { path: path.display().to_string(), source };
        self.allow(protected)?;
        if !self.base.is_in_place() {
            let expected = format!("the folder {} as it was", self.base.path().display());
            let found = "another one than when the run began";
            return Err(refuse(OPTION, &path, expected, found, "Nothing was written; run it again"));
        }
        let (folder, made) = self.make().map_err(failed)?;
        protected.allow_folder(&path, &folder)?;
        let old = self.old(&folder, name, protected)?;
        write_folder(&folder, name, files, old.as_ref()).map_err(failed)?;
        made.into_iter().for_each(Leftover::keep);
        Ok(path)
    }

    /// Opens the folder, and creates it if needed. Also returns the created folders, which stay only if a file follows.
    fn make(&self) -> io::Result<(Held, Vec<Leftover>)> {
        let mut made = Vec::new();
        let mut folder = self.base.clone();
        for name in &self.missing {
            match Leftover::make_named(&folder.shared(), name, |folder, name| rustix::fs::mkdirat(folder, name, MODE)) {
                // The innermost folder is removed first.
                Ok((leftover, ())) => made.insert(0, leftover),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            folder = folder.inner(name)?;
        }
        Ok((folder, made))
    }
}

/// Returns the names in a folder.
fn list(folder: &Held) -> io::Result<Vec<OsString>> {
    use std::os::unix::ffi::OsStrExt;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = rustix::fs::openat(folder, ".", flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&open)? {
        let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Writes the files, then creates their folder, and renames it last.
fn write_folder(parent: &Held, name: &str, files: &[(String, Vec<u8>)], old: Option<&Stat>) -> io::Result<()> {
    let shared = parent.shared();
    let mut parts = Vec::new();
    for (name, bytes) in files {
        let part = Part::create(&shared, None)?;
        let mut file = part.file();
        file.write_all(bytes)?;
        file.sync_all()?;
        parts.push((name, part));
    }
    let (place, ()) = Leftover::make(&shared, |folder, name| rustix::fs::mkdirat(folder, name, MODE))?;
    let folder = parent.inner(place.name())?;
    for (name, part) in parts {
        part.place(&folder.shared(), OsStr::new(name))?;
    }
    let Some(old) = old else { return rename_to_new(place, shared_fd(&shared), OsStr::new(name)) };
    rustix::fs::chmodat(parent, place.name(), Mode::from_raw_mode(old.st_mode & 0o777), AtFlags::empty())?;
    exchange(parent, place, OsStr::new(name), old)
}

fn shared_fd(folder: &std::sync::Arc<std::os::fd::OwnedFd>) -> std::os::fd::BorrowedFd<'_> {
    std::os::fd::AsFd::as_fd(folder)
}

/// Replaces a folder by another, and removes the old one.
fn exchange(parent: &Held, place: Leftover, name: &OsStr, old: &Stat) -> io::Result<()> {
    let moved = match rustix::fs::renameat_with(parent, place.name(), parent, name, RenameFlags::EXCHANGE) {
        Ok(()) => place.name().to_owned(),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            let mut aside = place.name().to_owned();
            aside.push("-old");
            rustix::fs::renameat(parent, name, parent, &aside)?;
            if let Err(error) = rustix::fs::renameat(parent, place.name(), parent, name) {
                // Undo the first rename.
                let _ = rustix::fs::renameat(parent, &aside, parent, name);
                return Err(error.into());
            }
            aside
        }
        Err(error) => return Err(error.into()),
    };
    // The temporary name now belongs to the old folder, which is not ours to remove without a check.
    place.keep();
    let aside = parent.inner(&moved)?;
    let is_old = Identity::of(&rustix::fs::fstat(&aside)?) == Identity::of(old);
    for ours in OURS.iter().filter(|_| is_old) {
        let _ = rustix::fs::unlinkat(&aside, *ours, AtFlags::empty());
    }
    rustix::fs::unlinkat(parent, &moved, AtFlags::REMOVEDIR).map_err(|error| {
        let found = parent.path().join(&moved);
        io::Error::other(format!("the previous content is not empty and is now in {} ({error})", found.display()))
    })
}
