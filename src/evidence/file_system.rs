//! One lazy file system, whatever holds it: a folder of this machine, an archive, a volume of a disk image, a shadow
//! copy. Who looks for hives asks this trait, and does not know which it is.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::block::Blocks;
use super::locator::Name;
use crate::registry::FileTime;

/// So many bytes of a file show what it is: a hive's base block and its first bin, a disk's first sectors with either
/// sector size.
pub const HEAD: usize = 4104;
/// Where a hive's bins begin, in bytes from the file's start.
pub const BINS: u64 = 4096;

/// A file or folder of one file system, as that file system numbers it. [`FileSystem::root`] is the root folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u64);

/// What an entry of a folder is.
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
    /// A device, a pipe, a socket, or a member of a type that is not read.
    Other,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What to ask for it by.
    pub node: Node,
    /// The folder that it is in.
    pub parent: Node,
    /// Its name, one part of a path.
    pub name: Name,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file; 0 for others.
    pub size: u64,
    /// When it was last written to, where the file system says so.
    pub modified: Option<FileTime>,
}

/// A folder or an entry that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The folder in which it is, or which it is.
    pub folder: Node,
    /// Its name, where it is an entry of that folder and has a name that can be read.
    pub name: Option<Name>,
    /// Why, in words.
    pub why: String,
}

/// Takes entries as they come, and says whether more are wanted.
pub type Each<'e> = &'e mut dyn FnMut(Result<Entry, Obstacle>) -> ControlFlow<()>;

/// Whether names are compared with their letter case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Byte for byte.
    Sensitive,
    /// As Windows does.
    Insensitive,
}

impl Case {
    /// Whether two names are the same.
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
    /// The first [`HEAD`] bytes, or all that there are.
    pub bytes: Vec<u8>,
    /// Four bytes at [`BINS`], where there are so many; zeros otherwise.
    pub at_bins: [u8; 4],
    /// The last 512 bytes, where they can be had at no cost; some formats are known only by their end.
    pub end: Vec<u8>,
    /// Bytes of the whole file.
    pub size: u64,
}

/// Whether somebody vouches for bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vouched {
    /// A checksum of the container covers them, and it holds; its name: `CRC-32`, `SHA-256 (xz)`.
    Verified(Cow<'static, str>),
    /// Nothing protects them.
    #[default]
    Unprotected,
    /// A check exists, and failed or could not be made; why.
    Unverified(String),
}

/// The bytes of a file, one after the other.
pub trait Content: Read {
    /// Reads what is left, and says whether the checksum that covers the bytes holds.
    fn finish(&mut self) -> Vouched;
}

/// Takes one file's content after the other; the number is its place in the list that was asked for.
pub type EachContent<'e> = &'e mut dyn FnMut(usize, io::Result<&mut dyn Content>) -> ControlFlow<()>;

/// The root folder of a file system that numbers nothing by itself.
pub const ROOT: Node = Node(0);

/// A file system, read lazily.
pub trait FileSystem: Send + Sync {
    /// The root folder.
    fn root(&self) -> Node {
        ROOT
    }

    /// Passes on what is in a folder, in any order. A folder that cannot be read whole is an obstacle, and what can be
    /// read of it comes.
    fn list(&self, folder: Node, each: Each<'_>);

    /// Everything once, in any order: what is in the root and in each folder below. The default walks through the
    /// folders; a file system that has all entries in one place reads that.
    fn scan(&self, each: Each<'_>) {
        let mut pending = vec![self.root()];
        let mut seen = std::collections::HashSet::from([self.root()]);
        let mut on = ControlFlow::Continue(());
        while let (Some(folder), ControlFlow::Continue(())) = (pending.pop(), on) {
            self.list(folder, &mut |entry| {
                // A folder that holds itself would have no end.
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

    /// All entries of a folder that have this name: without letter case there can be several.
    ///
    /// # Errors
    /// Why the folder cannot be read, where none was found.
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

    /// The beginning of a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn head(&self, file: Node) -> io::Result<Head>;

    /// The bytes of a file.
    ///
    /// # Errors
    /// Why they cannot be read: encrypted, compressed by a method that is not read.
    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>>;

    /// The bytes of several files, in the order in which the file system has them, which for an archive of one stream is
    /// the only one that does not begin anew for each.
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

    /// The bytes of a file by position, where they can be had without reading all before them.
    fn blocks(&self, _file: Node) -> Option<Blocks> {
        None
    }

    /// Whether it is the content of a single compressed file, which belongs where that file lies.
    fn is_single(&self) -> bool {
        false
    }

    /// Whether the whole file system is vouched for, once it has been read to its end: the checksum of a compressed
    /// stream that an archive lies in, an end that an archive should have. Each file's own is in [`Content::finish`].
    fn vouched(&self) -> Vouched {
        Vouched::Unprotected
    }

    /// What is to be said of the file system itself, in sentences: a missing end, bytes behind it, members that contradict
    /// the directory, what a limit cut off. Each is a gap.
    fn defects(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Vouched {
    /// Verified by a checksum of this name.
    pub const fn by(name: &'static str) -> Self {
        Self::Verified(Cow::Borrowed(name))
    }

    /// What two layers come to, the outer one and the one in it: a check that failed counts, then one that held.
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
/// What the reader says.
pub fn head_of(content: &mut dyn Read, size: u64) -> io::Result<Head> {
    let mut bytes = Vec::new();
    content.take(HEAD as u64).read_to_end(&mut bytes)?;
    let start = usize::try_from(BINS).unwrap_or(usize::MAX);
    let at_bins = bytes.get(start..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    // A file that is that small ends within it.
    let whole = bytes.len() as u64 == size;
    let end =
        if whole { bytes.get(bytes.len().saturating_sub(512)..).unwrap_or_default().to_vec() } else { Vec::new() };
    bytes.truncate(HEAD);
    Ok(Head { bytes, at_bins, end, size })
}
