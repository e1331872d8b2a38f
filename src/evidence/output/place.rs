//! Where one output goes: a stream that is written into, or a file that is new or replaced.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, Stat};

use super::held::Held;
use super::identity::{Identity, kind};
use super::inputs::Protected;
use super::part::Part;
use super::precious;
use crate::error::Error;
use crate::evidence::directory::resolve;

/// An output, checked.
#[derive(Debug)]
pub(super) struct Place {
    /// The option that asked for it.
    pub(super) option: &'static str,
    /// The path as the user named it.
    pub(super) shown: PathBuf,
    pub(super) goal: Goal,
}

/// What an output is.
#[derive(Debug)]
pub(super) enum Goal {
    /// Standard output.
    Stdout(BorrowedFd<'static>),
    /// Something that was open when the program was started.
    Open(File),
    /// A character device or a pipe, which is opened when there is something to write.
    Node(Held, OsString, Stat),
    /// A file: new, or one that is replaced.
    File(Held, OsString, Option<Stat>),
}

/// A refusal, with all that there is to say.
pub(super) fn refuse(
    option: &'static str,
    path: &Path,
    expected: impl Into<String>,
    found: impl Into<String>,
    advice: impl Into<String>,
) -> Error {
    Error::Output {
        option,
        path: path.to_owned(),
        expected: expected.into(),
        found: found.into(),
        advice: advice.into(),
    }
}

pub(super) const ANOTHER: &str = "Name another file";

impl Place {
    /// Standard output, which is written to where nothing is named.
    pub(super) fn stdout(option: &'static str, stdout: BorrowedFd<'static>) -> Self {
        Self { option, shown: PathBuf::from("-"), goal: Goal::Stdout(stdout) }
    }

    /// What is named: `-` is standard output.
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
                (false, _) => "one that is already there".to_owned(),
                (true, true) => format!("a symbolic link to {}, which is already there", real.display()),
                (true, false) => format!("a symbolic link that leads to {}", real.display()),
            };
            return Err(refuse(option, path, "a new file", found, "Name another file, or replace it with --overwrite"));
        }
        folder.writable().map_err(|error| {
            let advice = "Name a file in a folder that you may write to";
            let found = format!("{}: {}", folder.path().display(), told(&error));
            refuse(option, path, "a folder in which files can be made", found, advice)
        })?;
        Ok(place(Goal::File(folder, name.to_owned(), found)))
    }

    /// What is there already and would be changed; `None` for what is new. Character devices can be shared.
    pub(super) fn existing(&self) -> Option<Stat> {
        let stat = match &self.goal {
            Goal::Stdout(stdout) => rustix::fs::fstat(stdout).ok(),
            Goal::Open(file) => rustix::fs::fstat(file).ok(),
            Goal::Node(_, _, stat) => Some(*stat),
            Goal::File(_, _, old) => *old,
        };
        stat.filter(|stat| kind(stat) != FileType::CharacterDevice)
    }

    /// Refuses it where it turned out to be, or to lie in, what is read.
    pub(super) fn allow(&self, protected: &Protected) -> Result<(), Error> {
        if let Some(input) = self.existing().and_then(|stat| protected.is_input(&stat).map(Path::to_owned)) {
            return Err(is_input(self.option, &self.shown, &input));
        }
        match &self.goal {
            Goal::File(folder, ..) => protected.allow_folder(&self.shown, folder),
            _ => Ok(()),
        }
    }

    /// Writes it: a file whole or not at all.
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
        // Once more: meanwhile somebody may have put something else in its place.
        self.allow(protected)?;
        if !folder.is_in_place() {
            let found = "another one than when the run began";
            let expected = format!("the folder {} as it was", folder.path().display());
            return Err(refuse(self.option, &self.shown, expected, found, "Nothing was written; run it again"));
        }
        let now = folder.look(name).map_err(failed)?;
        let moved = |found: &str| refuse(self.option, &self.shown, "what was there before", found, ANOTHER);
        match (old, now) {
            // New; or what was to be replaced is gone.
            (_, None) => part.place(&folder.shared(), name).map_err(failed),
            (Some(old), Some(now)) if Identity::of(old) == Identity::of(&now) => {
                replaceable(self.option, &self.shown, folder, name, &now, protected)?;
                part.replace(&folder.shared(), name).map_err(failed)
            }
            (_, Some(_)) => Err(moved("a file that came there meanwhile")),
        }
    }
}

/// Refuses what must not be replaced, whatever the user says.
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
    match precious::looks_like(folder, name, stat) {
        Ok(None) => Ok(()),
        Ok(Some(what)) => {
            let advice = "Evidence is never written to, with --overwrite neither. Name another file";
            Err(refuse(option, path, expected, what, advice))
        }
        Err(error) => {
            let found = format!("one that cannot be read: {}", told(&error));
            Err(refuse(option, path, expected, found, "Nobody can tell whether it is evidence. Name another file"))
        }
    }
}

fn is_input(option: &'static str, path: &Path, input: &Path) -> Error {
    let found = format!("{}, which is read in this run", input.display());
    refuse(option, path, "a file that is not read", found, "Evidence is never written to. Name another file")
}

fn no_folder(option: &'static str, path: &Path, folder: &Path, error: &io::Error) -> Error {
    let found = format!("{}: {}", folder.display(), told(error));
    refuse(option, path, "a folder that is there", found, "Make the folder first, or name another")
}

/// What the system said, in words.
pub(super) fn told(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "nothing of that name".to_owned(),
        io::ErrorKind::NotADirectory => "no folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "a file system that is read-only".to_owned(),
        _ => error.to_string(),
    }
}

fn writable_node(option: &'static str, path: &Path, folder: &Held, name: &OsStr) -> Result<(), Error> {
    rustix::fs::accessat(folder, name, Access::WRITE_OK, AtFlags::empty()).map_err(|error| {
        let advice = "Name one that you may write to";
        refuse(option, path, "a device or pipe that can be written to", told(&error.into()), advice)
    })
}

/// Opens a device or pipe: waits for the reader of a pipe.
fn open_node(folder: &Held, name: &OsStr, expected: &Stat) -> io::Result<File> {
    // Neither made nor emptied, should it be a file by now.
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    let of = |stat: &Stat| (kind(stat), stat.st_dev, stat.st_ino, stat.st_rdev);
    if of(&stat) == of(expected) {
        Ok(file.into())
    } else {
        Err(io::Error::other("something else has taken its place meanwhile"))
    }
}

/// Writes into a stream. Its reader may have had enough: that is no error.
fn stream(file: io::Result<File>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match fill(&file?, write) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn fill(file: &File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    let done = write(&mut out).and_then(|()| out.flush());
    // What could not be written is not tried again on dropping.
    let _ = out.into_parts();
    done
}

/// As many links as Linux follows.
const LINKS: usize = 40;

/// The number of the descriptor that a path is: `/dev/stdout`, `/dev/fd/3` and links to them.
fn descriptor(path: &Path) -> Option<u32> {
    let own = fs::canonicalize("/proc/self/fd").ok()?;
    let mut path = std::path::absolute(path).ok()?;
    for _ in 0..LINKS {
        let folder = fs::canonicalize(path.parent()?).ok()?;
        let name = path.file_name()?;
        if folder == own {
            return name.to_str()?.parse().ok();
        }
        path = folder.join(fs::read_link(folder.join(name)).ok()?);
    }
    None
}

/// Opens once more what is open under a number. A file is added to: what is in it was written by somebody else.
fn opened(option: &'static str, path: &Path, number: u32) -> Result<File, Error> {
    let expected = "what can be written to";
    let refused = |found: &str| refuse(option, path, expected, found, ANOTHER);
    let modes = fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
    let modes = modes.map_err(|error| refused(&format!("nothing open of that number ({})", told(&error))))?;
    let flags = modes.lines().find_map(|line| line.strip_prefix("flags:"));
    let writes = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).is_some_and(|flags| flags & 3 != 0);
    if !writes {
        return Err(refused("something that is open for reading only"));
    }
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(format!("/proc/self/fd/{number}"), flags, Mode::empty());
    let file = File::from(file.map_err(|error| refused(&told(&error.into())))?);
    let stat = rustix::fs::fstat(file.as_fd()).map_err(|error| refused(&told(&error.into())))?;
    match kind(&stat) {
        FileType::CharacterDevice | FileType::Fifo | FileType::RegularFile => Ok(file),
        _ => Err(refused("neither a file, a character device nor a pipe")),
    }
}
