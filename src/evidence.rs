//! Evidence: read-only bytes of files on this machine and inside containers.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::{Deref, Range};
use std::path::Path;

pub mod archive;
pub mod block;
pub mod budget;
pub mod content;
pub mod deadline;
pub mod directory;
#[cfg(feature = "images")]
pub mod disk;
pub mod file;
pub mod file_system;
#[cfg(feature = "images")]
pub mod file_systems;
pub mod folder;
pub mod format;
pub mod hash;
pub mod kind;
pub mod ledger;
pub mod listed;
pub mod local;
pub mod locator;
mod mappable;
mod mapped;
pub mod output;
pub mod paths;
#[cfg(feature = "images")]
pub mod volume;
pub mod worker;

pub mod conversation;

use block::FileBlocks;
use content::{Salvaged, salvage};
use file::Unpacked;
pub use hash::{is_sha256, sha256, sha256_of};
use mappable::is_mappable;
pub use mapped::Mapped;

/// A hive has up to 2 GiB of bins, and so does a log. A longer file or an endless pipe is neither, and is not read into
/// memory.
const MOST_READ: u64 = 4 << 30;

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "more than 4 GiB, too large for a hive or a log")
}

/// The smallest file that is mapped. Reading a smaller one costs less.
pub(crate) const SMALLEST_MAPPED: u64 = 256 << 10;

/// The bytes of a file that cannot be read.
#[derive(Clone, Copy)]
pub enum Holes<'b> {
    /// In these ranges, in order.
    Known(&'b [Range<u64>]),
    /// In a mapped file. Each piece is asked for when it is needed first.
    Mapped(&'b Mapped),
}

impl Holes<'_> {
    /// Returns whether one of `length` bytes from `start` of the file cannot be read.
    pub fn touch(self, start: u64, length: u64) -> bool {
        match self {
            Self::Known([]) => false,
            Self::Known(ranges) => {
                let next = ranges.partition_point(|range| range.end <= start);
                ranges.get(next).is_some_and(|range| range.start < start.saturating_add(length))
            }
            Self::Mapped(map) => map.has_unread(start, length),
        }
    }
}

/// The bytes of one file of the evidence.
pub enum Bytes {
    /// Mapped privately: a page is read on first access, and a change in memory never reaches the file.
    Mapped(Mapped),
    /// Read whole: the file is not a regular one, is small, or cannot be mapped.
    Read(Vec<u8>),
    /// Read as far as the file system can read the file.
    Salvaged(Salvaged),
    /// Unpacked from a container.
    Unpacked(Unpacked),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) | Self::Salvaged(Salvaged { bytes, .. }) => bytes,
            Self::Unpacked(bytes) => bytes.as_ref(),
        }
    }
}

impl Bytes {
    /// Opens a file for reading. With `map`, a large regular file is mapped if it is on a file system of this machine's
    /// own; everything else is read into memory. An unreadable sector costs its range of the file and nothing else; see
    /// [`Bytes::unread`].
    ///
    /// # Errors
    /// The operating system's error for the file; a file of more than 4 GiB that is to be read.
    pub fn open(path: &Path, map: bool) -> io::Result<Self> {
        let file = local::open(path)?;
        let regular = local::regular_size(&file)?;
        if map
            && let Some(size @ SMALLEST_MAPPED..) = regular
            && is_mappable(&file)
        {
            // A file that cannot be mapped may still be readable.
            if let Ok(map) = Mapped::new(&file, size) {
                return Ok(Self::Mapped(map));
            }
        }
        if regular.is_some_and(|size| size > MOST_READ) {
            return Err(too_long());
        }
        // Replaying logs lengthens a hive; without spare room all its bytes would be copied once more. Memory that is
        // reserved and never written costs nothing, if there is much of it.
        let size = usize::try_from(regular.unwrap_or(0)).unwrap_or(0);
        let spare = if size as u64 >= SMALLEST_MAPPED { size / 2 } else { 0 };
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size.saturating_add(spare).saturating_add(1)).map_err(io::Error::from)?;
        match (&file).take(MOST_READ.saturating_add(1)).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > MOST_READ => Err(too_long()),
            Ok(_) => Ok(Self::Read(bytes)),
            Err(error) if regular.is_some() => {
                drop(bytes);
                let salvaged = salvage(&FileBlocks::of(file)?, MOST_READ)?;
                // Without its first sector a file is nothing that can be recognised.
                if salvaged.bad.first().is_none_or(|bad| bad.start == 0) {
                    Err(error)
                } else {
                    Ok(Self::Salvaged(salvaged))
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the ranges that could not be read so far, in order. In memory there are zeros in their place; in a map
    /// nothing is, and they must not be read.
    pub fn unread(&self) -> Cow<'_, [Range<u64>]> {
        match self {
            Self::Salvaged(salvaged) => Cow::Borrowed(&salvaged.bad),
            Self::Mapped(map) => Cow::Owned(map.unread()),
            Self::Read(_) | Self::Unpacked(_) => Cow::Borrowed(&[]),
        }
    }

    /// Returns what tells of any byte whether it could be read.
    pub fn holes(&self) -> Holes<'_> {
        match self {
            Self::Salvaged(salvaged) => Holes::Known(&salvaged.bad),
            Self::Mapped(map) => Holes::Mapped(map),
            Self::Read(_) | Self::Unpacked(_) => Holes::Known(&[]),
        }
    }

    /// Makes sure that all bytes can be read one after the other: a map with ranges that cannot be read becomes bytes
    /// in memory, with zeros in these places.
    pub fn whole(&mut self) {
        let Self::Mapped(map) = self else { return };
        if !map.has_unread(0, u64::MAX) {
            return;
        }
        let bad = map.unread();
        let mut bytes = vec![0; map.len()];
        let mut start = 0;
        for range in bad.iter().cloned().chain(std::iter::once(map.len() as u64..map.len() as u64)) {
            let good = start..usize::try_from(range.start).unwrap_or(usize::MAX);
            if let (Some(to), Some(from)) = (bytes.get_mut(good.clone()), map.get(good)) {
                to.copy_from_slice(from);
            }
            start = usize::try_from(range.end).unwrap_or(usize::MAX);
        }
        *self = Self::Salvaged(Salvaged { bytes, bad, why: None });
    }

    /// Returns the bytes in memory for changes there. The file never changes: the map is private, so the system copies
    /// each page on the first write.
    pub fn in_memory(&mut self) -> &mut [u8] {
        if let Self::Unpacked(bytes) = self {
            *self = Self::Read(bytes.as_ref().to_vec());
        }
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) | Self::Salvaged(Salvaged { bytes, .. }) => bytes,
            Self::Unpacked(_) => &mut [],
        }
    }

    /// Appends zeros in memory until there are `length` bytes. A map cannot grow, so its bytes are copied first.
    pub fn lengthen(&mut self, length: usize) {
        if length <= self.len() {
            return;
        }
        if !matches!(self, Self::Read(_) | Self::Salvaged(_)) {
            let mut bytes = Vec::with_capacity(length);
            bytes.extend_from_slice(self);
            *self = Self::Read(bytes);
        }
        if let Self::Read(bytes) | Self::Salvaged(Salvaged { bytes, .. }) = self {
            bytes.resize(length, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_for_a_hive_is_not_read_into_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(MOST_READ + 1).unwrap();
        let error = Bytes::open(file.path(), false).err().unwrap();
        assert_eq!(error.to_string(), "more than 4 GiB, too large for a hive or a log");
        assert!(Bytes::open(file.path(), true).is_ok());
    }

    #[test]
    fn a_salvaged_file_knows_its_gaps_and_grows_like_any_other() {
        let bad = vec![0..1, 4096..5000];
        let mut bytes = Bytes::Salvaged(Salvaged { bytes: vec![7; 5000], bad: bad.clone(), why: None });
        bytes.in_memory()[0] = 8;
        bytes.lengthen(9000);
        assert_eq!((bytes.len(), bytes[0], bytes[8999], bytes.unread()), (9000, 8, 0, bad.into()));
    }

    #[test]
    fn what_is_changed_or_added_in_memory_never_reaches_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("SYSTEM");
        let size = usize::try_from(SMALLEST_MAPPED).unwrap();
        std::fs::write(&path, vec![7; size]).unwrap();
        for map in [true, false] {
            let mut bytes = Bytes::open(&path, map).unwrap();
            assert_eq!(matches!(bytes, Bytes::Mapped(_)), map);
            bytes.whole();
            bytes.in_memory()[4999] = 8;
            bytes.lengthen(4000);
            assert_eq!(bytes.len(), size);
            bytes.lengthen(size + 4000);
            assert_eq!((bytes.len(), bytes[0], bytes[4999], bytes[size + 3999]), (size + 4000, 7, 8, 0));
        }
        assert_eq!(std::fs::read(&path).unwrap(), vec![7; size]);
    }
}
