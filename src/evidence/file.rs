//! A file of the evidence: one of this machine, or one that was taken out of a container into memory.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Bytes, sha256, sha256_of};
use crate::error::Problem;
use crate::registry::FileTime;

/// The bytes of a file that was taken out of a container; cheap to pass on.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Range<usize>", into = "Range<usize>")]
pub struct Unpacked {
    /// What several files may lie in.
    whole: Arc<Bytes>,
    range: Range<usize>,
}

impl Unpacked {
    /// A range of a worker's reply. The worker keeps no copy: to itself the bytes are lost.
    pub fn sent(range: Range<usize>) -> Self {
        Self { whole: Arc::new(Bytes::Read(Vec::new())), range }
    }

    /// Ties the range to the reply that it is of; `None` where the reply is shorter.
    #[must_use]
    pub fn tie(&mut self, whole: &Arc<Bytes>) -> Option<()> {
        whole.get(self.range.clone())?;
        self.whole = Arc::clone(whole);
        Some(())
    }
}

impl From<Range<usize>> for Unpacked {
    fn from(range: Range<usize>) -> Self {
        Self::sent(range)
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
    /// The file of this machine: this one, or the container that it is in.
    pub path: PathBuf,
    unpacked: Option<Unpacked>,
}

impl File {
    /// A file of this machine.
    pub fn on_disk(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), unpacked: None }
    }

    /// One that was taken out of the container at `path`.
    pub fn within(path: impl Into<PathBuf>, unpacked: Unpacked) -> Self {
        Self { path: path.into(), unpacked: Some(unpacked) }
    }

    /// Ties bytes that a worker sent to its reply; `None` where the reply is shorter.
    #[must_use]
    pub fn tie(&mut self, whole: &Arc<Bytes>) -> Option<()> {
        self.unpacked.as_mut().map_or(Some(()), |unpacked| unpacked.tie(whole))
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

    /// Bytes; 0 where the system does not say.
    pub fn size(&self) -> u64 {
        match &self.unpacked {
            Some(unpacked) => unpacked.as_ref().len() as u64,
            None => fs::metadata(&self.path).map_or(0, |metadata| metadata.len()),
        }
    }
}

/// The container that a file was taken out of: of several within each other, the innermost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its format, in a word: `zip`, `E01`.
    pub format: String,
    /// Of a disk image: which of the disk's partitions, from 1; `None` where the disk is one volume.
    pub partition: Option<u64>,
    /// Of a disk image: where the volume begins, in bytes from the disk's start.
    pub offset: Option<u64>,
    /// A hash of the whole disk that the image holds, as `md5:` or `sha1:` and hexadecimal digits.
    pub stored_hash: Option<String>,
    /// Whether that hash was computed and is the same; `null` where there is none.
    pub verified: Option<bool>,
    /// Of a disk image: what else is to be known of it, in sentences: sectors that could not be read when it was made,
    /// states of the disk that it holds beside this one.
    pub facts: Vec<String>,
    /// Of a disk image: what whoever made it wrote into its header.
    pub acquisition: Option<Acquisition>,
}

/// What whoever made an image wrote into its header about the case. Nobody has checked it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acquisition {
    /// The number of the case.
    pub case_number: Option<String>,
    /// The number of the exhibit.
    pub evidence_number: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Who made the image.
    pub examiner: Option<String>,
    /// Anything else.
    pub notes: Option<String>,
    /// When the image was made, by the clock of the machine that made it.
    pub acquired: Option<String>,
    /// The version of the program that made it.
    pub software: Option<String>,
    /// The system that the program ran on.
    pub system: Option<String>,
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
