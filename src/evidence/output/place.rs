//! The destination of one output: an existing stream, or a file that is new or replaced.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType, Stat};

use super::held::Held;
use super::identity::{Identity, kind};
use super::inputs::Protected;
use super::part::Part;
use super::precious;
use super::refusal::{ANOTHER, refuse, told};
use super::stream::{descriptor, fill, open_node, opened, stream, writable_node};
use crate::error::Error;
use crate::evidence::directory::resolve;

/// A checked output.
#[derive(Debug)]
pub(super) struct Place {
    /// The option that names the output.
    pub(super) option: &'static str,
    /// The path as the user named it.
    pub(super) shown: PathBuf,
    pub(super) goal: Goal,
}

/// The kind of an output.
#[derive(Debug)]
pub(super) enum Goal {
    /// Standard output.
    Stdout(BorrowedFd<'static>),
    /// A descriptor that was open at the program's start.
    Open(File),
    /// A character device or a pipe, which is opened when the output is ready.
    Node(Held, OsString, Stat),
    /// A file: new, or a replacement.
    File(Held, OsString, Option<Stat>),
}

impl Place {
    /// Returns standard output, the destination if no output is named.
    pub(super) fn stdout(option: &'static str, stdout: BorrowedFd<'static>) -> Self {
        Self { option, shown: PathBuf::from("-"), goal: Goal::Stdout(stdout) }
    }

    /// Checks the path that the user named; `-` is standard output.
    pub(super) fn at(
        option: &'static str,
        path: &Path,
        stdout: BorrowedFd<'static>,
        protected: &Protected,
        overwrite: bool,
    ) -> Result<Self, Error> {
        let place = |goal| Self { option, shown: path.to_owned(), goal };
        if path.as_os_str() == "-" {
            return Ok(Self::stdout(option, stdout));
        }
        let open = descriptor(path);
        if open == Some(1) {
            return Ok(place(Goal::Stdout(stdout)));
        }
        if let Some(number) = open {
            return Ok(place(Goal::Open(opened(option, path, number)?)));
        }
        let is_folder = matches!(path.as_os_str().as_encoded_bytes(), [] | [.., b'/']);
        let real = resolve(path);
        let name = real.file_name().filter(|_| !is_folder && path.file_name().is_some());
        let (Some(name), Some(folder)) = (name, real.parent()) else {
            return Err(refuse(option, path, "the name of a file", "that of a folder", "Add a file name"));
        };
        let folder = Held::open(folder).map_err(|error| no_folder(option, path, folder, &error))?;
        let failed = |source| Error::Write { path: path.display().to_string(), source };
        let found = folder.look(name).map_err(failed)?;
        if let Some(stat) = found.as_ref().filter(|stat| kind(stat) == FileType::CharacterDevice) {
            writable_node(option, path, &folder, name)?;
            return Ok(place(Goal::Node(folder, name.to_owned(), *stat)));
        }
        protected.allow_path(path)?;
        protected.allow_folder(path, &folder)?;
        let link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        match found {
            Some(stat) if kind(&stat) == FileType::Fifo => {
                writable_node(option, path, &folder, name)?;
                return Ok(place(Goal::Node(folder, name.to_owned(), stat)));
            }
            Some(stat) => replaceable(option, path, &folder, name, &stat, protected)?,
            None => {}
        }
        if !overwrite && (link || found.is_some()) {
            let found = match (link, found.is_some()) {
                (false, _) => "an existing file".to_owned(),
                (true, true) => format!("a symbolic link to {}, which exists already", real.display()),
                (true, false) => format!("a symbolic link that leads to {}", real.display()),
            };
            return Err(refuse(option, path, "a new file", found, "Name another file, or replace it with --overwrite"));
        }
        folder.writable().map_err(|error| {
            let advice = "Name a file in a folder that you may write to";
            let found = format!("{}: {}", folder.path().display(), told(&error));
            refuse(option, path, "a folder in which files can be created", found, advice)
        })?;
        Ok(place(Goal::File(folder, name.to_owned(), found)))
    }

    /// Returns the existing file that the output would change; `None` for a new file or a character device, which can
    /// be shared.
    pub(super) fn existing(&self) -> Option<Stat> {
        let stat = match &self.goal {
            Goal::Stdout(stdout) => rustix::fs::fstat(stdout).ok(),
            Goal::Open(file) => rustix::fs::fstat(file).ok(),
            Goal::Node(_, _, stat) => Some(*stat),
            Goal::File(_, _, old) => *old,
        };
        stat.filter(|stat| kind(stat) != FileType::CharacterDevice)
    }

    /// Refuses the output if it is an input or lies in one.
    pub(super) fn allow(&self, protected: &Protected) -> Result<(), Error> {
        if let Some(input) = self.existing().and_then(|stat| protected.is_input(&stat).map(Path::to_owned)) {
            return Err(is_input(self.option, &self.shown, &input));
        }
        match &self.goal {
            Goal::File(folder, ..) => protected.allow_folder(&self.shown, folder),
            _ => Ok(()),
        }
    }

    /// Writes the output; a file is written whole or not at all.
    pub(super) fn write(
        &self,
        protected: &Protected,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let failed = |source| Error::Write { path: self.shown.display().to_string(), source };
        match &self.goal {
            Goal::Stdout(stdout) => stream(rustix::io::dup(stdout).map_err(io::Error::from).map(File::from), write),
            Goal::Open(file) => stream(file.try_clone(), write),
            Goal::Node(folder, name, stat) => stream(open_node(folder, name, stat), write),
            Goal::File(folder, name, old) => return self.file(folder, name, old.as_ref(), protected, write),
        }
        .map_err(failed)
    }

    fn file(
        &self,
        folder: &Held,
        name: &OsStr,
        old: Option<&Stat>,
        protected: &Protected,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let failed = |source| Error::Write { path: self.shown.display().to_string(), source };
        self.allow(protected)?;
        let part = Part::create(&folder.shared(), old).map_err(failed)?;
        fill(part.file(), write).and_then(|()| part.file().sync_all()).map_err(failed)?;
        // Check again: meanwhile somebody may have replaced a file or folder of the path.
        self.allow(protected)?;
        if !folder.is_in_place() {
            let found = "another one than when the run began";
            let expected = format!("the folder {} as it was", folder.path().display());
            return Err(refuse(self.option, &self.shown, expected, found, "Nothing was written; run it again"));
        }
        let now = folder.look(name).map_err(failed)?;
        let moved = |found: &str| refuse(self.option, &self.shown, "the previous file", found, ANOTHER);
        match (old, now) {
            // The file is new, or the file that it replaces has disappeared.
            (_, None) => part.place(&folder.shared(), name).map_err(failed),
            (Some(old), Some(now)) if Identity::of(old) == Identity::of(&now) => {
                replaceable(self.option, &self.shown, folder, name, &now, protected)?;
                part.replace(&folder.shared(), name).map_err(failed)
            }
            (_, Some(_)) => Err(moved("a file that was created meanwhile")),
        }
    }
}

/// Refuses a file that must not be replaced, even with `--overwrite`.
pub(super) fn replaceable(
    option: &'static str,
    path: &Path,
    folder: &Held,
    name: &OsStr,
    stat: &Stat,
    protected: &Protected,
) -> Result<(), Error> {
    let what = match kind(stat) {
        FileType::RegularFile => None,
        FileType::Directory => Some("a folder"),
        FileType::BlockDevice => Some("a block device, which may hold a disk"),
        FileType::Socket => Some("a socket"),
        FileType::Symlink => Some("a symbolic link that leads in a circle"),
        _ => Some("something else"),
    };
    if let Some(what) = what {
        return Err(refuse(option, path, "a file, a character device or a pipe", what, ANOTHER));
    }
    if let Some(input) = protected.is_input(stat) {
        return Err(is_input(option, path, input));
    }
    let expected = "a file that may be replaced";
    if let Err(error) = rustix::fs::accessat(folder, name, Access::WRITE_OK, AtFlags::empty()) {
        return Err(refuse(option, path, expected, told(&error.into()), ANOTHER));
    }
    match precious::looks_like(folder, name, stat) {
        Ok(None) => Ok(()),
        Ok(Some(what)) => {
            let advice = "Evidence is never written to, not even with --overwrite. Name another file";
            Err(refuse(option, path, expected, what, advice))
        }
        Err(error) => {
            let found = format!("one that cannot be read: {}", told(&error));
            Err(refuse(option, path, expected, found, "It may be evidence. Name another file"))
        }
    }
}

fn is_input(option: &'static str, path: &Path, input: &Path) -> Error {
    let found = format!("{}, which is read in this run", input.display());
    refuse(option, path, "a file that is not read", found, "Evidence is never written to. Name another file")
}

fn no_folder(option: &'static str, path: &Path, folder: &Path, error: &io::Error) -> Error {
    let found = format!("{}: {}", folder.display(), told(error));
    refuse(option, path, "an existing folder", found, "Create the folder first, or name another")
}
