//! A file of the evidence: a file of this machine, or one that was extracted from a container into memory.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hash::{Hashes, Sums, sums, sums_of};
use super::{Bytes, local};
use crate::error::Problem;
use crate::progress::{self, Task};
use crate::registry::FileTime;

/// The bytes of a file that was extracted from a container. A clone is cheap.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Range<usize>", into = "Range<usize>")]
pub struct Unpacked {
    /// The bytes that contain this file, and may contain others.
    whole: Arc<Bytes>,
    range: Range<usize>,
}

/// A worker sends how long a file is. Its bytes stay in the worker.
impl From<Range<usize>> for Unpacked {
    fn from(range: Range<usize>) -> Self {
        Self { whole: Arc::new(Bytes::Read(Vec::new())), range }
    }
}

impl From<Unpacked> for Range<usize> {
    fn from(unpacked: Unpacked) -> Self {
        unpacked.range
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

/// A file of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The path on this machine: of the file, or of the container that it is in.
    #[serde(with = "crate::evidence::paths")]
    pub path: PathBuf,
    unpacked: Option<Unpacked>,
    /// Why the bytes that came out of a container are lost.
    lost: Option<String>,
    /// The bytes of a small file of this machine, while several look at them: what is judged is what is hashed.
    #[serde(skip)]
    held: Option<Unpacked>,
}

impl File {
    /// Returns a file of this machine.
    pub fn on_disk(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), unpacked: None, lost: None, held: None }
    }

    /// Returns a file that was extracted from the container at `path`.
    pub fn within(path: impl Into<PathBuf>, unpacked: Unpacked) -> Self {
        Self { path: path.into(), unpacked: Some(unpacked), lost: None, held: None }
    }

    /// Gives up the bytes that came out of a container, for this reason. A file of this machine stays as it is.
    pub fn lose(&mut self, reason: &str) {
        if self.unpacked.is_some() {
            self.lost = Some(reason.to_owned());
        }
    }

    /// Holds the bytes of a file of this machine until [`File::release`].
    pub(crate) fn hold(&mut self, bytes: Vec<u8>) {
        self.held = Some(Unpacked::from(bytes));
    }

    /// Releases the bytes of a file of this machine. It is read again when it is needed.
    pub(crate) fn release(&mut self) {
        self.held = None;
    }

    /// Returns the bytes in memory, if they are there.
    fn in_memory(&self) -> Option<&Unpacked> {
        self.unpacked.as_ref().or(self.held.as_ref())
    }

    fn is_kept(&self) -> io::Result<()> {
        self.lost.as_ref().map_or(Ok(()), |reason| Err(io::Error::other(reason.clone())))
    }

    /// Opens the file's bytes; see [`Bytes::open`] for `map`.
    ///
    /// # Errors
    /// The operating system's error for the file.
    pub fn open(&self, map: bool) -> io::Result<Bytes> {
        self.is_kept()?;
        match self.in_memory() {
            Some(unpacked) => Ok(Bytes::Unpacked(unpacked.clone())),
            None => Bytes::open(&self.path, map),
        }
    }

    /// Returns the hashes of the file's own bytes, not of its container's.
    ///
    /// # Errors
    /// The operating system's error for the file.
    pub fn sums(&self, hashes: Hashes) -> io::Result<Sums> {
        self.is_kept()?;
        match self.in_memory() {
            Some(bytes) if self.unpacked.is_none() => {
                progress::step(Task::Hashing, || self.path.display().to_string(), bytes.as_ref().len() as u64);
                Ok(sums_of(bytes.as_ref(), hashes))
            }
            Some(unpacked) => Ok(sums_of(unpacked.as_ref(), hashes)),
            None => sums(&self.path, hashes).map(|(sums, _)| sums),
        }
    }

    /// Returns the SHA-256 of the file's own bytes, not of its container's.
    ///
    /// # Errors
    /// The operating system's error for the file.
    pub fn sha256(&self) -> io::Result<String> {
        self.sums(Hashes::default()).map(|sums| sums.sha256)
    }

    /// Returns the size in bytes; 0 if the system cannot report it.
    pub fn size(&self) -> u64 {
        match &self.unpacked {
            Some(unpacked) => unpacked.as_ref().len() as u64,
            None => local::size(&self.path),
        }
    }
}

/// The container that a file was extracted from; the innermost of nested ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The container's format in a word: `zip`, `E01`.
    pub format: String,
    /// In a disk image: the number of the partition, from 1; `None` if the disk is one volume.
    pub partition: Option<u64>,
    /// In a disk image: the start of the volume, in bytes from the disk's start.
    pub offset: Option<u64>,
    /// A hash of the whole disk that the image stores, as `md5:` or `sha1:` and hexadecimal digits.
    pub stored_hash: Option<String>,
    /// Whether that hash was computed and matches; `null` if the image stores none.
    pub verified: Option<bool>,
    /// In a disk image: other facts, in sentences: sectors that were unreadable when the image was made, other states
    /// of the disk that the image stores.
    pub facts: Vec<String>,
    /// In a disk image: the facts of the case in its header.
    pub acquisition: Option<Acquisition>,
}

/// The facts of the case in an image's header, as its maker wrote them. Nobody has checked them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acquisition {
    /// The case number.
    pub case_number: Option<String>,
    /// The number of the exhibit.
    pub evidence_number: Option<String>,
    /// The description of the exhibit.
    pub description: Option<String>,
    /// The name of the person who made the image.
    pub examiner: Option<String>,
    /// Other notes.
    pub notes: Option<String>,
    /// When the image was made, by the clock of the machine that made it.
    pub acquired: Option<String>,
    /// The version of the program that made the image.
    pub software: Option<String>,
    /// The system that the program ran on.
    pub system: Option<String>,
}

/// A shadow copy that a volume lists, or the volume itself if its list is unreadable.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name in reports. A path after its number is a path in the shadow copy.
    pub path: String,
    /// When the shadow copy was made.
    pub created: Option<FileTime>,
    /// The GUID by which Windows identifies the shadow copy.
    pub id: Option<String>,
    /// Whether Windows has deleted the shadow copy and keeps it only because older ones need it.
    pub deleted: bool,
    /// Whether its files were searched.
    pub read: bool,
    /// Why the search of its files failed; why its GUID or the list is unreadable.
    pub problem: Option<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_container_can_be_lost_and_those_of_this_machine_cannot() {
        let mut file = File::within("a.zip", Unpacked::from(b"regf".to_vec()));
        assert_eq!(&*file.open(true).unwrap(), b"regf");
        file.lose("its reader crashed");
        assert_eq!(file.open(true).err().unwrap().to_string(), "its reader crashed");
        assert_eq!(file.sha256().unwrap_err().to_string(), "its reader crashed");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("SYSTEM"), b"regf").unwrap();
        let mut file = File::on_disk(folder.path().join("SYSTEM"));
        file.lose("its reader crashed");
        assert_eq!(&*file.open(false).unwrap(), b"regf");
    }
}
