//! Sparse files: the bytes that an archive stores, with zeros for the holes between them.

use std::io::{self, Read};

use crate::evidence::block::{BlockRead, Blocks};

/// A range of a sparse file; an archive stores the bytes of all ranges one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The start of the range in the file, in bytes.
    pub(super) offset: u64,
    /// The size of the range in bytes.
    pub(super) size: u64,
    /// The start of its bytes among the stored bytes.
    pub(super) stored: u64,
}

/// The checked ranges of a sparse file: in order, without overlaps, within the file, and as many bytes as are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Map {
    extents: Vec<Extent>,
}

impl Map {
    /// Creates a map of `(offset, size)` pairs for a file of `size` bytes, of which the archive stores `stored`.
    pub(super) fn new(pairs: &[(u64, u64)], size: u64, stored: u64) -> Result<Self, String> {
        let mut extents = Vec::new();
        let (mut end, mut sum) = (0_u64, 0_u64);
        for (offset, length) in pairs.iter().copied() {
            let next = offset.checked_add(length).filter(|next| offset >= end && *next <= size);
            end = next.ok_or_else(|| {
                format!("its map of sparse ranges has {length} bytes at {offset:#x}, in a file of {size} bytes, behind {end:#x}")
            })?;
            if length > 0 {
                extents.push(Extent { offset, size: length, stored: sum });
            }
            sum = sum.saturating_add(length);
        }
        if sum != stored {
            return Err(format!("its map of sparse ranges has {sum} bytes, but the archive {stored}"));
        }
        Ok(Self { extents })
    }

    /// Returns the number of ranges.
    pub(super) fn len(&self) -> usize {
        self.extents.len()
    }

    /// Returns the range at or behind `at`, from there on: its place, its size, and the place of its bytes.
    fn next(&self, at: u64) -> Option<Extent> {
        let place = self.extents.partition_point(|extent| extent.offset.saturating_add(extent.size) <= at);
        let extent = *self.extents.get(place)?;
        let skipped = at.saturating_sub(extent.offset);
        Some(Extent {
            offset: extent.offset.saturating_add(skipped),
            size: extent.size.saturating_sub(skipped),
            stored: extent.stored.saturating_add(skipped),
        })
    }
}

/// Reads a sparse file from a stream of its stored bytes.
pub(super) struct Expanded<'m, R> {
    inner: R,
    /// `None` if all bytes are stored.
    map: Option<&'m Map>,
    size: u64,
    at: u64,
}

impl<'m, R: Read> Expanded<'m, R> {
    /// Reads a file of `size` bytes, all of which must exist.
    pub(super) fn new(inner: R, map: Option<&'m Map>, size: u64) -> Self {
        Self { inner, map, size, at: 0 }
    }

    /// Returns the stream of the stored bytes.
    pub(super) fn inner_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    fn next(&self) -> Option<Extent> {
        let Some(map) = self.map else {
            let left = self.size.checked_sub(self.at).filter(|left| *left > 0)?;
            return Some(Extent { offset: self.at, size: left, stored: self.at });
        };
        map.next(self.at)
    }
}

/// Returns how many of `wanted` bytes are before `end`.
fn up_to(wanted: usize, at: u64, end: u64) -> usize {
    wanted.min(usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX))
}

impl<R: Read> Read for Expanded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let extent = self.next();
        let hole = extent.map_or(self.size, |extent| extent.offset);
        let count = if self.at < hole {
            let count = up_to(buffer.len(), self.at, hole);
            buffer.get_mut(..count).unwrap_or_default().fill(0);
            count
        } else if let Some(extent) = extent {
            let count = up_to(buffer.len(), 0, extent.size);
            let count = self.inner.read(buffer.get_mut(..count).unwrap_or_default())?;
            if count == 0 && !buffer.is_empty() {
                let why = format!("the archive ends within the file, at {:#x} of {:#x}", self.at, self.size);
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
            }
            count
        } else {
            0
        };
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

/// The bytes of a sparse file by position.
pub(super) struct ExpandedBlocks {
    pub(super) stored: Blocks,
    pub(super) map: Map,
    pub(super) size: u64,
}

impl BlockRead for ExpandedBlocks {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let extent = self.map.next(offset);
        let hole = extent.map_or(self.size, |extent| extent.offset);
        if offset < hole {
            let count = up_to(buffer.len(), offset, hole);
            buffer.get_mut(..count).unwrap_or_default().fill(0);
            return Ok(count);
        }
        let Some(extent) = extent else { return Ok(0) };
        let count = up_to(buffer.len(), 0, extent.size);
        match self.stored.read_at(buffer.get_mut(..count).unwrap_or_default(), extent.stored)? {
            0 if count > 0 => {
                let why = format!("the archive ends within the file, at {offset:#x} of {:#x}", self.size);
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, why))
            }
            count => Ok(count),
        }
    }
}
