//! A folder of this machine as a file system: a mounted image, or a plain tree of copied evidence.
//!
//! Links are not followed, except the folder itself. Devices, sockets and pipes are never opened; neither are files of
//! 0 bytes, such as the files of /proc. Names are the system's own bytes.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, open, statat};

use super::block::{Blocks, FileBlocks};
use super::content::{BlockContent, head};
use super::directory::explain;
use super::file_system::{Content, Each, Entry, EntryKind, FileSystem, Head, Node, Obstacle, ROOT};
use super::locator::Name;
use crate::progress::{self, Task};
use crate::registry::FileTime;

/// A folder of this machine.
pub struct FolderSystem {
    root: PathBuf,
    met: Mutex<Met>,
}

/// The files and folders so far: sixteen bytes and a name for each.
#[derive(Default)]
struct Met {
    /// All names, one behind another.
    names: Vec<u8>,
    /// The item at index 0 is node 1.
    items: Vec<Item>,
    /// The items of each listed folder; several ranges if some entries appeared later.
    listed: HashMap<u32, Vec<Range<usize>>>,
}

#[derive(Clone, Copy)]
struct Item {
    /// The containing folder: 0 for the root.
    parent: u32,
    length: u16,
    /// The start of the name in `names`, in bytes.
    start: usize,
}

impl Met {
    fn item(&self, node: Node) -> Option<Item> {
        let place = usize::try_from(node.0).ok()?.checked_sub(1)?;
        self.items.get(place).copied()
    }

    fn name(&self, item: Item) -> &[u8] {
        self.names.get(item.start..item.start.saturating_add(usize::from(item.length))).unwrap_or_default()
    }

    /// Returns the nodes of these names in a folder, in order; the same name has the same node every time.
    fn nodes(&mut self, folder: u32, names: &[Vec<u8>]) -> Option<Vec<Node>> {
        let before = self.listed.get(&folder).into_iter().flatten().cloned().flatten();
        let known: HashMap<Vec<u8>, usize> =
            before.filter_map(|place| Some((self.name(*self.items.get(place)?).to_vec(), place))).collect();
        let first = self.items.len();
        let mut nodes = Vec::with_capacity(names.len());
        for name in names {
            let place = if let Some(place) = known.get(name) {
                *place
            } else {
                let start = self.names.len();
                self.names.extend_from_slice(name);
                self.items.push(Item { parent: folder, length: u16::try_from(name.len()).ok()?, start });
                self.items.len().checked_sub(1)?
            };
            nodes.push(Node(u64::from(u32::try_from(place).ok()?.checked_add(1)?)));
        }
        if first < self.items.len() {
            self.listed.entry(folder).or_default().push(first..self.items.len());
        }
        Some(nodes)
    }
}

/// Reads the beginning of a file that the user named. A link is followed, because the user named it. A file without a
/// size is not opened, such as a file of /proc.
///
/// # Errors
/// The operating system's error for the file; a file that is not a regular one.
pub fn head_of(path: &Path) -> io::Result<Head> {
    if path.metadata()?.len() == 0 {
        return Ok(Head::default());
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    head(&FileBlocks::of(File::from(open(path, flags, Mode::empty())?))?)
}

impl FolderSystem {
    /// Returns a folder, and reads nothing yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), met: Mutex::default() }
    }

    fn met(&self) -> MutexGuard<'_, Met> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the path of a file or folder: the root's path as the user named it, and the names below.
    pub fn path(&self, node: Node) -> PathBuf {
        let met = self.met();
        let (mut names, mut at) = (Vec::new(), node);
        while let Some(item) = met.item(at) {
            names.push(met.name(item));
            at = Node(item.parent.into());
        }
        names.iter().rev().fold(self.root.clone(), |path, name| path.join(OsStr::from_bytes(name)))
    }

    /// Opens a regular file, and refuses anything else that has replaced it meanwhile.
    fn regular(&self, file: Node) -> io::Result<FileBlocks> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        FileBlocks::of(File::from(open(self.path(file), flags, Mode::empty())?))
    }

    /// Returns the bytes of a file; no bytes for a file without a size.
    fn data(&self, file: Node) -> io::Result<Blocks> {
        let metadata = self.path(file).symlink_metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("no regular file"));
        }
        if metadata.len() == 0 { Ok(Arc::new(Vec::new())) } else { Ok(Arc::new(self.regular(file)?)) }
    }

    /// Passes the entries of a folder to `each`, and returns the first error if the folder cannot be read to its end.
    fn entries(&self, folder: Node, path: &Path, each: Each<'_>) -> io::Result<()> {
        let follow = if folder == ROOT { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC | follow;
        let handle = open(path, flags, Mode::empty())?;
        let (mut names, mut failed) = (Vec::new(), None);
        for entry in Dir::read_from(&handle)? {
            match entry {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Ok(entry) => names.push(entry.file_name().to_bytes().to_vec()),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        names.sort_unstable();
        progress::step(Task::Searching, || path.display().to_string(), names.len() as u64);
        let nodes = u32::try_from(folder.0).ok().and_then(|folder| self.met().nodes(folder, &names));
        let nodes = nodes.ok_or_else(|| io::Error::other("more files than can be counted"))?;
        for (name, node) in names.into_iter().zip(nodes) {
            let met = match statat(&handle, OsStr::from_bytes(&name), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => {
                    let kind = match FileType::from_raw_mode(stat.st_mode) {
                        FileType::RegularFile => EntryKind::File,
                        FileType::Directory => EntryKind::Folder,
                        FileType::Symlink => EntryKind::Link,
                        _ => EntryKind::Other,
                    };
                    let size =
                        if kind == EntryKind::File { u64::try_from(stat.st_size).unwrap_or_default() } else { 0 };
                    let modified = u32::try_from(stat.st_mtime).ok().map(|seconds| {
                        FileTime(FileTime::from_unix_seconds(seconds).0.saturating_add(stat.st_mtime_nsec / 100))
                    });
                    Ok(Entry { node, parent: folder, name: Name::new(name), kind, size, modified })
                }
                Err(error) => Err(Obstacle { folder, name: Some(Name::new(name)), why: explain(&error.into()).0 }),
            };
            if each(met).is_break() {
                return Ok(());
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

impl FileSystem for FolderSystem {
    fn list(&self, folder: Node, each: Each<'_>) {
        let path = self.path(folder);
        // The error is the last item.
        if let Err(error) = self.entries(folder, &path, &mut *each) {
            let _ = each(Err(Obstacle { folder, name: None, why: explain(&error).0 }));
        }
    }

    fn head(&self, file: Node) -> io::Result<Head> {
        head(&*self.data(file)?)
    }

    fn open(&self, file: Node) -> io::Result<Box<dyn Content + '_>> {
        Ok(Box::new(BlockContent::new(self.data(file)?)))
    }

    fn blocks(&self, file: Node) -> Option<Blocks> {
        self.data(file).ok()
    }
}
