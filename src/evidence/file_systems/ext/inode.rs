//! An inode: the kind of file, and the place of its bytes.
//!
//! <https://docs.kernel.org/filesystems/ext4/inodes.html>

use std::io;

use crate::evidence::disk::field::{le16, le32};
use crate::evidence::file_system::EntryKind;
use crate::evidence::file_systems::wrong::bad;
use crate::registry::FileTime;

const COMPRESSED: u32 = 0x4;
const ENCRYPTED: u32 = 0x800;
const EXTENTS: u32 = 0x8_0000;
const INLINE: u32 = 0x1000_0000;
/// The first bytes of the attributes in an inode.
const MAGIC: u32 = 0xea02_0000;

/// The place of an inode's bytes.
pub(super) enum Place {
    /// In the inode.
    Inline(Vec<u8>),
    /// In runs, by a tree of extents.
    Extents,
    /// In single blocks, by a map.
    Map,
}

/// An inode.
pub(super) struct Inode(Vec<u8>);

impl Inode {
    /// Returns an inode of these bytes, of which there must be at least 128.
    pub(super) fn read(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    fn flags(&self) -> u32 {
        le32(&self.0, 32).unwrap_or_default()
    }

    /// Returns whether no file uses the inode.
    pub(super) fn is_free(&self) -> bool {
        le16(&self.0, 0) == Some(0) || le16(&self.0, 26) == Some(0)
    }

    /// Returns whether the file's bytes are in the inode.
    pub(super) fn is_inline(&self) -> bool {
        self.flags() & INLINE != 0
    }

    pub(super) fn kind(&self) -> EntryKind {
        match le16(&self.0, 0).unwrap_or_default() >> 12 {
            4 => EntryKind::Folder,
            8 => EntryKind::File,
            10 => EntryKind::Link,
            _ => EntryKind::Other,
        }
    }

    /// Returns the size of the file in bytes.
    pub(super) fn size(&self) -> u64 {
        let high = u64::from(le32(&self.0, 108).unwrap_or_default()) << 32;
        high | u64::from(le32(&self.0, 4).unwrap_or_default())
    }

    /// Returns the time of the last write.
    pub(super) fn modified(&self) -> Option<FileTime> {
        let seconds = FileTime::from_unix_seconds(le32(&self.0, 16)?);
        // In a long inode, the upper thirty bits are nanoseconds, and the lower two extend the seconds.
        let has_more = le16(&self.0, 128).is_some_and(|more| more >= 12);
        let extra = le32(&self.0, 136).filter(|_| has_more).unwrap_or_default();
        let epochs = u64::from(extra & 3).saturating_mul(1 << 32).saturating_mul(10_000_000);
        Some(FileTime(seconds.0.saturating_add(epochs).saturating_add(u64::from(extra >> 2) / 100)))
    }

    /// Returns the sixty bytes that locate the file's bytes.
    pub(super) fn block(&self) -> &[u8] {
        self.0.get(40..100).unwrap_or_default()
    }

    /// Returns the place of the file's bytes.
    ///
    /// # Errors
    /// The bytes are encrypted, or some of them are not found.
    pub(super) fn place(&self) -> io::Result<Place> {
        if self.flags() & (ENCRYPTED | COMPRESSED) != 0 {
            return Err(io::Error::other("ext4 encrypts or compresses it, which is not supported"));
        }
        if !self.is_inline() {
            return Ok(if self.flags() & EXTENTS == 0 { Place::Map } else { Place::Extents });
        }
        let size = usize::try_from(self.size()).unwrap_or(usize::MAX);
        let mut bytes = self.block().to_vec();
        if size > bytes.len() {
            bytes.extend_from_slice(self.more().unwrap_or_default());
        }
        if size > bytes.len() {
            return Err(bad(format!("a size of {size} bytes, but {} in its inode", bytes.len())));
        }
        bytes.truncate(size);
        Ok(Place::Inline(bytes))
    }

    /// Returns the value of the attribute `system.data`, which continues the sixty bytes.
    fn more(&self) -> Option<&[u8]> {
        let start = 128_usize.checked_add(usize::from(le16(&self.0, 128)?))?;
        let attributes = self.0.get(start..)?;
        if le32(attributes, 0)? != MAGIC {
            return None;
        }
        let attributes = attributes.get(4..)?;
        let mut entry = attributes;
        while le32(entry, 0)? != 0 {
            let letters = usize::from(*entry.first()?);
            let name = entry.get(16..16_usize.checked_add(letters)?)?;
            // 7 is `system.`; offsets of values start at the first entry.
            if *entry.get(1)? == 7 && name == b"data" {
                let at = usize::from(le16(entry, 2)?);
                return attributes.get(at..at.checked_add(usize::try_from(le32(entry, 8)?).ok()?)?);
            }
            entry = entry.get(16_usize.checked_add(letters.checked_next_multiple_of(4)?)?..)?;
        }
        None
    }
}
