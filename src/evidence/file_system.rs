//! One lazy file system for every holder of files: a folder of this machine, an archive, a volume of a disk image, a
//! shadow copy. The search for hives uses this trait and does not know which holder it reads.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::block::Blocks;
use super::locator::Name;
use crate::registry::FileTime;

/// Bytes at a file's start that identify its format: a hive's base block and the head of its first bin, or a disk's
/// first sectors of either size.
pub const HEAD: usize = 4104;
/// The start of a hive's bins, in bytes from the file's start.
pub const BINS: u64 = 4096;

/// The number of a file or folder in its file system. [`FileSystem::root`] is the root folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u64);

/// The kind of a folder's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file with bytes of its own.
    File,
    /// A symbolic link, a junction or a mount point. Never followed.
    Link,
    /// A file whose bytes Windows keeps elsewhere, by its reparse tag: deduplicated, compressed by WOF, in a cloud.
    /// <https://learn.microsoft.com/openspecs/windows_protocols/ms-fscc/c8e77b37-3909-4fe6-a4ea-2b9d423b1ee4>
    Elsewhere(u32),
    /// A device, a pipe, a socket, or a member of an unsupported type.
    Other,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number by which the file system finds it.
    pub node: Node,
    /// The folder that contains it.
    pub parent: Node,
    /// The name: one part of a path.
    pub name: Name,
    /// The kind of entry.
    pub kind: EntryKind,
    /// Size of a file in bytes; 0 for others.
    pub size: u64,
    /// The time of the last write, if the file system stores it.
    pub modified: Option<FileTime>,
}

/// A folder or an entry that is unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The unreadable folder, or the folder of the unreadable entry.
    pub folder: Node,
    /// The name of an unreadable entry, if the name is readable.
    pub name: Option<Name>,
    /// The reason, in words.
    pub why: String,
}

/// Receives entries one by one and returns whether more are wanted.
pub type Each<'e> = &'e mut dyn FnMut(Result<Entry, Obstacle>) -> ControlFlow<()>;

/// Whether the comparison of names respects letter case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Byte for byte.
    Sensitive,
    /// As Windows does.
    Insensitive,
}

impl Case {
    /// Returns whether two names are the same.
    pub fn is_same(self, a: &Name, b: &Name) -> bool {
        match self {
            Self::Sensitive => a == b,
            Self::Insensitive => a.is_same(b),
        }
    }
}

/// The beginning of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The first [`HEAD`] bytes, or all of a shorter file.
    pub bytes: Vec<u8>,
    /// Four bytes at [`BINS`]; zeros if the file is shorter.
    pub at_bins: [u8; 4],
    /// The last 512 bytes, if reading them is cheap: some formats are recognised only by their end.
    pub end: Vec<u8>,
    /// The file's size in bytes.
    pub size: u64,
}

/// Whether a checksum proves bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vouched {
    /// A checksum of the container covers the bytes and matches; its name: `CRC-32`, `SHA-256 (xz)`.
    Verified(Cow<'static, str>),
    /// No checksum covers the bytes.
    #[default]
    Unprotected,
    /// A checksum exists, but does not match or could not be computed; the reason.
    Unverified(String),
}

/// The bytes of a file, in order.
pub trait Content: Read {
    /// Reads the rest and returns whether the checksum of the bytes matches.
    fn finish(&mut self) -> Vouched;
}

/// Receives the content of one file after another; the number is the file's index in the list of requested files.
pub type EachContent<'e> = &'e mut dyn FnMut(usize, io::Result<&mut dyn Content>) -> ControlFlow<()>;

/// The root folder of a file system that does not number its files.
pub const ROOT: Node = Node(0);

/// A file system, read lazily.
pub trait FileSystem: Send + Sync {
    /// Returns the root folder.
    fn root(&self) -> Node {
        ROOT
    }

    /// Passes the entries of a folder to `each`, in any order. A folder that cannot be read whole is an obstacle, and
    /// its readable entries are passed on as well.
    fn list(&self, folder: Node, each: Each<'_>);

    /// Passes every entry to `each` once, in any order: the entries of the root and of each folder below. The default
    /// walks the folders; a file system that has all entries in one place overrides it.
    fn scan(&self, each: Each<'_>) {
        let mut pending = vec![self.root()];
        let mut seen = std::collections::HashSet::from([self.root()]);
        let mut on = ControlFlow::Continue(());
        while let (Some(folder), ControlFlow::Continue(())) = (pending.pop(), on) {
            self.list(folder, &mut |entry| {
                // A folder that contains itself would make the walk endless.
                if let Ok(entry) = &entry
                    && entry.kind == EntryKind::Folder
                    && seen.insert(entry.node)
                {
                    pending.push(entry.node);
                }
                on = each(entry);
                on
            });
        }
    }

    /// Returns all entries of a folder that have this name; several may differ in letter case.
    ///
    /// # Errors
    /// The folder is unreadable, and no entry was found.
    fn look_up(&self, folder: Node, name: &Name, case: Case) -> Result<Vec<Entry>, String> {
        let mut found = Vec::new();
        let mut obstacle = None;
        self.list(folder, &mut |entry| {
            match entry {
                Ok(entry) if case.is_same(&entry.name, name) => found.push(entry),
                Ok(_) => {}
                Err(met) => obstacle = Some(met.why),
            }
            ControlFlow::Continue(())
        });
        match obstacle {
            Some(why) if found.is_empty() => Err(why),
            _ => Ok(found),
        }
    }

    /// Returns the beginning of a file.
    ///
    /// # Errors
    /// The file is unreadable.
    fn head(&self, file: Node) -> io::Result<Head>;

    /// Opens the bytes of a file.
    ///
    /// # Errors
    /// The bytes are unreadable: encrypted, or compressed by an unsupported method.
    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>>;

    /// Passes the bytes of several files to `each`, in the file system's own order. For an archive of one stream, any
    /// other order starts again from the beginning for each file.
    fn read_each(&self, files: &[Node], each: EachContent<'_>) {
        for (at, file) in files.iter().enumerate() {
            let on = match self.open(*file) {
                Ok(mut content) => each(at, Ok(content.as_mut())),
                Err(error) => each(at, Err(error)),
            };
            if on.is_break() {
                return;
            }
        }
    }

    /// Returns the bytes of a file by position, if a read needs none of the bytes before it.
    fn blocks(&self, _file: Node) -> Option<Blocks> {
        None
    }

    /// Returns whether this is the content of a single compressed file, which belongs into the folder of that file.
    fn is_single(&self) -> bool {
        false
    }

    /// Returns whether a check of the whole file system holds, once it was read to its end: the checksum of a
    /// compressed stream around an archive, the end mark of an archive. [`Content::finish`] has each file's own check.
    fn vouched(&self) -> Vouched {
        Vouched::Unprotected
    }

    /// Returns the defects of the file system itself, in sentences: a missing end, bytes behind the end, members that
    /// contradict the directory, a cut by a limit. Each is a gap.
    fn defects(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Vouched {
    /// Returns that the checksum of this name matches.
    pub const fn by(name: &'static str) -> Self {
        Self::Verified(Cow::Borrowed(name))
    }

    /// Combines the checks of two layers, the outer and the inner: a failed check wins, then one that matches.
    #[must_use]
    pub fn and(self, inner: Self) -> Self {
        match (self, inner) {
            (Self::Unverified(why), _) | (_, Self::Unverified(why)) => Self::Unverified(why),
            (_, Self::Verified(by)) | (Self::Verified(by), _) => Self::Verified(by),
            (Self::Unprotected, Self::Unprotected) => Self::Unprotected,
        }
    }
}

/// Reads the beginning of a file from its content.
///
/// # Errors
/// The reader's error.
pub fn head_of(content: &mut dyn Read, size: u64) -> io::Result<Head> {
    let mut bytes = Vec::new();
    content.take(HEAD as u64).read_to_end(&mut bytes)?;
    let start = usize::try_from(BINS).unwrap_or(usize::MAX);
    let at_bins = bytes.get(start..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    // The end of so small a file is within these bytes.
    let whole = bytes.len() as u64 == size;
    let end =
        if whole { bytes.get(bytes.len().saturating_sub(512)..).unwrap_or_default().to_vec() } else { Vec::new() };
    bytes.truncate(HEAD);
    Ok(Head { bytes, at_bins, end, size })
}
