//! The common structure of most image formats: a map from places of the disk to places of a file, to compressed pieces,
//! or to a parent disk.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use rayon::prelude::*;

use super::kept::Kept;
use crate::evidence::block::{BlockRead, Blocks};

/// Bytes of pieces that are decompressed ahead; fewer than are kept.
const MOST_PREPARED: usize = 2 << 20;

/// The content of a disk from some place on.
pub(super) enum Run {
    /// This many zeros.
    Zeros(u64),
    /// This many bytes at the same place of the parent disk.
    Below(u64),
    /// `length` bytes of a file, from `at` on.
    Stored { file: Blocks, at: u64, length: u64 },
    /// The rest of a compressed piece, from byte `within` of its decompressed bytes on.
    Piece { number: u64, within: usize },
}

/// How a format locates its bytes.
pub(super) trait Map: Send + Sync {
    /// Returns the number of bytes of the disk.
    fn size(&self) -> u64;

    /// Returns the run from `offset` on, which is below the size. A run is never empty.
    ///
    /// # Errors
    /// The image's tables are unreadable or known to be wrong.
    fn run(&self, offset: u64) -> io::Result<Run>;

    /// Returns the number of bytes of a decompressed piece, if the format has pieces; pieces start at its multiples.
    fn piece(&self) -> Option<u64> {
        None
    }

    /// Decompresses the piece of a run.
    ///
    /// # Errors
    /// The piece is unreadable, or does not decompress to the expected bytes.
    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        Err(io::Error::other(format!("piece {number} is not packed")))
    }
}

/// A disk that is read through its map.
pub(super) struct Mapped<M> {
    map: M,
    below: Option<Blocks>,
    pieces: Kept,
}

impl<M: Map> Mapped<M> {
    /// Returns the disk of a map; `below` is the parent disk of a differencing image.
    pub(super) fn new(map: M, below: Option<Blocks>) -> Self {
        Self { map, below, pieces: Kept::default() }
    }

    /// Decompresses in parallel the pieces that a long read needs. The read itself reports errors.
    fn prepare(&self, length: usize, offset: u64) {
        let piece = self.map.piece().and_then(|piece| usize::try_from(piece).ok());
        let Some(piece) = piece.filter(|piece| (1..length).contains(piece)) else { return };
        let end = offset.saturating_add(length as u64).min(self.map.size());
        let first = offset.saturating_sub(offset.checked_rem(piece as u64).unwrap_or_default());
        let numbers: Vec<u64> = (first..end)
            .step_by(piece)
            .take(MOST_PREPARED.checked_div(piece).unwrap_or_default())
            .filter_map(|place| match self.map.run(place) {
                Ok(Run::Piece { number, .. }) => Some(number),
                _ => None,
            })
            .collect();
        if numbers.len() > 1 {
            numbers.par_iter().for_each(|number| drop(self.pieces.get(*number, || self.map.unpack(*number))));
        }
    }

    /// Fills the beginning of `buffer` from one run and returns the number of bytes.
    fn fill(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.map.size().saturating_sub(offset);
        let cut = |length: u64| usize::try_from(length.min(left)).unwrap_or(usize::MAX).min(buffer.len());
        match self.map.run(offset)? {
            Run::Zeros(length) => {
                let count = cut(length);
                buffer.get_mut(..count).unwrap_or_default().fill(0);
                Ok(count)
            }
            Run::Below(length) => {
                let count = cut(length);
                let below = self.below.as_ref().ok_or_else(|| io::Error::other("the parent disk is missing"))?;
                // A parent may be smaller than its child; the child has zeros past the parent's end.
                let there = usize::try_from(below.size().saturating_sub(offset)).unwrap_or(usize::MAX).min(count);
                below.read_exact_at(buffer.get_mut(..there).unwrap_or_default(), offset)?;
                buffer.get_mut(there..count).unwrap_or_default().fill(0);
                Ok(count)
            }
            Run::Stored { file, at, length } => {
                let count = cut(length);
                file.read_exact_at(buffer.get_mut(..count).unwrap_or_default(), at)?;
                Ok(count)
            }
            Run::Piece { number, within } => {
                let piece = self.pieces.get(number, || self.map.unpack(number))?;
                let rest = piece.get(within..).unwrap_or_default();
                let count = cut(rest.len() as u64);
                if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
                    to.copy_from_slice(from);
                }
                Ok(count)
            }
        }
    }
}

impl<M: Map> BlockRead for Mapped<M> {
    fn size(&self) -> u64 {
        self.map.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0_usize;
        self.prepare(buffer.len(), offset);
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let place = offset.saturating_add(done as u64);
            if place >= self.map.size() {
                break;
            }
            match self.fill(rest, place) {
                Ok(0) => return Err(io::Error::other(format!("nothing is known of the disk at {place:#x}"))),
                Ok(count) => done = done.saturating_add(count),
                // The bytes before the error are valid; the next read returns the error.
                Err(_) if done > 0 => break,
                Err(error) => return Err(io::Error::new(error.kind(), format!("the disk at {place:#x}: {error}"))),
            }
        }
        Ok(done)
    }

    fn zeros(&self, offset: u64) -> u64 {
        let left = self.map.size().saturating_sub(offset);
        match (left > 0).then(|| self.map.run(offset)) {
            Some(Ok(Run::Zeros(length))) => length.min(left),
            Some(Ok(Run::Below(length))) => {
                self.below.as_ref().map_or(0, |below| below.zeros(offset)).min(length).min(left)
            }
            _ => 0,
        }
    }
}

/// Returns an error for bytes of an image that are known to be wrong.
pub(super) fn bad(found: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, found.into())
}

/// Decompresses a deflate stream, with zlib's header and checksum or without, to at most `most` bytes. Bytes after its
/// end are ignored.
///
/// # Errors
/// The stream is damaged, has no end, or decompresses to more bytes.
pub(super) fn inflate(packed: &[u8], most: usize, zlib: bool) -> io::Result<Vec<u8>> {
    let mut stream = Decompress::new(zlib);
    // One more byte, so that a stream of more bytes does not seem to fit.
    let mut unpacked = Vec::with_capacity(most.saturating_add(1));
    let status = stream
        .decompress_vec(packed, &mut unpacked, FlushDecompress::Finish)
        .map_err(|error| bad(error.to_string()))?;
    match status {
        Status::StreamEnd if unpacked.len() <= most => Ok(unpacked),
        Status::StreamEnd => Err(bad("more bytes than expected when unpacked")),
        _ => Err(bad("a packed piece that does not end")),
    }
}
