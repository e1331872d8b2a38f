//! Destinations that are written directly: devices, pipes, and descriptors that were open at the program's start.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, Stat};

use super::held::Held;
use super::identity::kind;
use super::refusal::{ANOTHER, refuse, told};
use crate::error::Error;

/// Checks that the user may write to a device or pipe.
pub(super) fn writable_node(option: &'static str, path: &Path, folder: &Held, name: &OsStr) -> Result<(), Error> {
    rustix::fs::accessat(folder, name, Access::WRITE_OK, AtFlags::empty()).map_err(|error| {
        let advice = "Name one that you may write to";
        refuse(option, path, "a device or pipe that can be written to", told(&error.into()), advice)
    })
}

/// Opens a device or pipe; waits for the reader of a pipe.
pub(super) fn open_node(folder: &Held, name: &OsStr, expected: &Stat) -> io::Result<File> {
    // If the path is a file by now, these flags neither create nor truncate it.
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    let of = |stat: &Stat| (kind(stat), stat.st_dev, stat.st_ino, stat.st_rdev);
    if of(&stat) == of(expected) {
        Ok(file.into())
    } else {
        Err(io::Error::other("something else has replaced it meanwhile"))
    }
}

/// Writes into a stream. A reader that stops early is no error.
pub(super) fn stream(file: io::Result<File>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match fill(&file?, write) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Writes through a buffer.
pub(super) fn fill(file: &File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    let done = write(&mut out).and_then(|()| out.flush());
    // Without this, dropping the buffer would write the rest again.
    let _ = out.into_parts();
    done
}

/// The number of links that Linux follows in one path.
const LINKS: usize = 40;

/// Returns the number of the descriptor that a path names: `/dev/stdout`, `/dev/fd/3` and links to them.
pub(super) fn descriptor(path: &Path) -> Option<u32> {
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

/// Opens the file behind an open descriptor again. A file is appended to, because somebody else wrote its content.
pub(super) fn opened(option: &'static str, path: &Path, number: u32) -> Result<File, Error> {
    let expected = "something that can be written to";
    let refused = |found: &str| refuse(option, path, expected, found, ANOTHER);
    let modes = fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
    let modes = modes.map_err(|error| refused(&format!("no open descriptor of that number ({})", told(&error))))?;
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
