//! Trees of files: a folder of the system, or what an archive holds. Whoever looks for hives asks a tree, and does not
//! know which it is.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::directory::{self, Entry, Obstacle};
use super::{Bytes, sha256, sha256_of};
use crate::error::Problem;
use crate::registry::FileTime;

/// So many bytes of a file tell what it is: most in the first 512, a disk with sectors of 4,096 bytes by what follows its
/// first one.
pub const LOOK: usize = 4100;
/// Where a hive's bins begin, should its first page be lost.
pub const BINS: usize = 4096;

/// The bytes of a file that was unpacked; cheap to pass on.
#[derive(Clone)]
pub struct Unpacked {
    /// What several files may lie in.
    whole: Arc<Bytes>,
    range: Range<usize>,
}

impl Unpacked {
    /// A part of what a worker sent; `None` where it is none.
    pub(super) fn part(whole: &Arc<Bytes>, range: Range<usize>) -> Option<Self> {
        whole.get(range.clone())?;
        Some(Self { whole: Arc::clone(whole), range })
    }

    /// Bytes that a worker has put at this place of what it sends; to itself they are lost.
    pub(super) fn sent(range: Range<usize>) -> Self {
        Self { whole: Arc::new(Bytes::Read(Vec::new())), range }
    }

    /// Where they lie in what they are a part of.
    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

impl From<Vec<u8>> for Unpacked {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { whole: Arc::new(Bytes::Read(bytes)), range }
    }
}

impl Default for Unpacked {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl AsRef<[u8]> for Unpacked {
    fn as_ref(&self) -> &[u8] {
        self.whole.get(self.range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Unpacked {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Unpacked {}

impl fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.range.len())
    }
}

/// A file of the evidence: one of the system, or one that was unpacked from such a one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The file of the system: this one, or the container that it is in.
    pub path: PathBuf,
    unpacked: Option<Unpacked>,
}

impl File {
    /// A file of the system.
    pub fn on_disk(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), unpacked: None }
    }

    /// One that was unpacked from the container at `path`.
    pub fn within(path: impl Into<PathBuf>, unpacked: Unpacked) -> Self {
        Self { path: path.into(), unpacked: Some(unpacked) }
    }

    /// Its bytes; for `map` see [`Bytes::open`].
    ///
    /// # Errors
    /// What the system says of the file.
    pub fn open(&self, map: bool) -> io::Result<Bytes> {
        match &self.unpacked {
            Some(unpacked) => Ok(Bytes::Unpacked(unpacked.clone())),
            None => Bytes::open(&self.path, map),
        }
    }

    /// Its SHA-256: of its own bytes, not of its container's.
    ///
    /// # Errors
    /// What the system says of the file.
    pub fn sha256(&self) -> io::Result<String> {
        match &self.unpacked {
            Some(unpacked) => Ok(sha256_of(unpacked.as_ref())),
            None => sha256(&self.path).map(|(sum, _)| sum),
        }
    }

    /// Bytes; 0 where the system does not tell.
    pub fn size(&self) -> u64 {
        match &self.unpacked {
            Some(unpacked) => unpacked.as_ref().len() as u64,
            None => fs::metadata(&self.path).map_or(0, |metadata| metadata.len()),
        }
    }
}

/// The beginning of a file.
#[derive(Debug, Default)]
pub struct Beginning {
    /// The first [`LOOK`] bytes, or all that there are.
    pub bytes: Vec<u8>,
    /// Four bytes at [`BINS`], where there are so many.
    pub at_bins: [u8; 4],
    /// Bytes of the whole file.
    pub size: u64,
}

/// A tree of files. Paths are as `walk` gives them.
pub trait Tree: Sync {
    /// Everything in it, in an order that does not depend on the system: folders before what is in them.
    fn walk<'t>(&'t self, root: &'t Path) -> Box<dyn Iterator<Item = Result<Entry, Obstacle>> + 't>;

    /// The names of the files in a folder, sorted.
    ///
    /// # Errors
    /// What the system says of the folder.
    fn files_in(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// The beginning of a file.
    ///
    /// # Errors
    /// What the system says of the file.
    fn look(&self, file: &Path) -> io::Result<Beginning>;

    /// A file by its path.
    fn file(&self, path: &Path) -> File;

    /// What a file was taken out of; `None` where it is a file of the system.
    fn origin(&self, file: &Path) -> Option<Origin>;

    /// Whether it is a volume as it was when a shadow copy was made.
    fn is_shadow_copy(&self) -> bool {
        false
    }

    /// How reports name a path in it.
    fn locator(&self, path: &Path) -> String;
}

/// The folders and files of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Tree for Disk {
    fn walk<'t>(&'t self, root: &'t Path) -> Box<dyn Iterator<Item = Result<Entry, Obstacle>> + 't> {
        Box::new(directory::walk(root))
    }

    fn files_in(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        directory::files_in(folder)
    }

    /// Files of no bytes are not opened: those of `/proc` and `/sys` say that they have none.
    fn look(&self, path: &Path) -> io::Result<Beginning> {
        let size = fs::metadata(path)?.len();
        let mut beginning = Beginning { size, ..Beginning::default() };
        if size > 0 {
            let mut file = fs::File::open(path)?;
            file.by_ref().take(LOOK as u64).read_to_end(&mut beginning.bytes)?;
            if size > BINS as u64 && !beginning.bytes.starts_with(b"regf") {
                file.seek(SeekFrom::Start(BINS as u64))?;
                file.read_exact(&mut beginning.at_bins)?;
            }
        }
        Ok(beginning)
    }

    fn file(&self, path: &Path) -> File {
        File::on_disk(path)
    }

    fn origin(&self, _: &Path) -> Option<Origin> {
        None
    }

    fn locator(&self, path: &Path) -> String {
        directory::locator(path)
    }
}

/// What was unpacked from a container, by its path inside.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// How reports name the container.
    pub locator: String,
    /// Whether this is a volume as it was when a shadow copy was made.
    pub shadow_copy: bool,
    /// The files.
    pub files: BTreeMap<PathBuf, Member>,
}

/// A file that was unpacked.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its bytes.
    pub bytes: Unpacked,
    /// The file of the system that it comes from.
    pub path: PathBuf,
    /// How reports name it, where that is not after its container.
    pub locator: Option<String>,
    /// What it was taken out of.
    pub origin: Origin,
}

/// The container that a file was taken out of: of several within each other, the innermost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its format, in a word: `zip`, `E01`.
    pub format: String,
    /// Of a disk image: which of the disk's partitions, from 1; `None` where the disk is one volume.
    pub partition: Option<u64>,
    /// Of a disk image: where that begins, in bytes from the disk's start.
    pub offset: Option<u64>,
    /// A hash of the whole disk that the image holds, as `md5:` or `sha1:` and hexadecimal digits.
    pub stored_hash: Option<String>,
    /// Of a disk image: what else is to be known of it, in sentences: sectors that could not be read when it was made,
    /// states of the disk that it holds beside this one.
    pub facts: Vec<String>,
}

impl Container {
    fn folders(&self) -> BTreeSet<PathBuf> {
        let folders = self.files.keys().flat_map(|file| file.ancestors().skip(1).map(Path::to_owned));
        folders.chain([PathBuf::new()]).collect()
    }
}

/// A shadow copy that a volume lists, or the volume where its list cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Snapshot {
    /// How reports name it; what stands behind its number is a path in it.
    pub path: String,
    /// When it was made.
    pub created: Option<FileTime>,
    /// Its GUID, by which Windows knows it.
    pub id: Option<String>,
    /// Whether Windows has deleted it, and keeps it for those before it only.
    pub deleted: bool,
    /// Whether its files were looked at.
    pub read: bool,
    /// Why not, where that was tried; why its GUID, or the list, cannot be read.
    pub problem: Option<Problem>,
}

impl Tree for Container {
    fn walk<'t>(&'t self, _: &'t Path) -> Box<dyn Iterator<Item = Result<Entry, Obstacle>> + 't> {
        let folders = self.folders().into_iter().map(Entry::Folder);
        Box::new(folders.chain(self.files.keys().cloned().map(Entry::File)).map(Ok))
    }

    fn files_in(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let inside = self.files.keys().filter(|file| file.parent() == Some(folder));
        Ok(inside.filter_map(|file| Some(file.file_name()?.to_owned())).collect())
    }

    fn look(&self, file: &Path) -> io::Result<Beginning> {
        let bytes = self.files.get(file).map(|member| member.bytes.as_ref()).unwrap_or_default();
        let at_bins = bytes.get(BINS..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        let first = bytes.get(..LOOK).unwrap_or(bytes).to_vec();
        Ok(Beginning { bytes: first, at_bins, size: bytes.len() as u64 })
    }

    fn file(&self, path: &Path) -> File {
        let member = self.files.get(path);
        let within = member.map(|member| File::within(&member.path, member.bytes.clone()));
        within.unwrap_or_else(|| File::within(path, Unpacked::default()))
    }

    fn is_shadow_copy(&self) -> bool {
        self.shadow_copy
    }

    fn origin(&self, file: &Path) -> Option<Origin> {
        self.files.get(file).map(|member| member.origin.clone())
    }

    fn locator(&self, path: &Path) -> String {
        if path.as_os_str().is_empty() {
            return self.locator.clone();
        }
        if let Some(own) = self.files.get(path).and_then(|member| member.locator.clone()) {
            return own;
        }
        format!("{}!{}", self.locator, directory::locator(path))
    }
}
