//! A mapped file of which no byte is read before it is known that it can be read.
//!
//! A page that the disk cannot give, or that another process cut off, ends the process (SIGBUS) when it is read through
//! a map. `MADV_POPULATE_READ` (Linux 5.14, madvise(2)) gives an error instead. So each piece of the file is asked for
//! once, before anything in it is read, and a page that cannot be had is a range that could not be read.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use memmap2::{Advice, MmapMut, MmapOptions};

/// The bytes that are asked for at once: as many as Linux maps around a page that is missing, so that asking costs no more
/// time and memory than reading.
const PIECE: usize = 64 << 10;

/// Nothing is known of a piece.
const UNKNOWN: u8 = 0;
/// All of a piece can be read.
const READY: u8 = 1;
/// A page of a piece cannot be read.
const HOLED: u8 = 2;

/// A file, mapped privately: a change in memory never reaches it.
pub struct Mapped {
    map: MmapMut,
    pieces: Box<[AtomicU8]>,
    /// The pages that cannot be read, in bytes from the start of the file, in order.
    unread: Mutex<Vec<Range<u64>>>,
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

impl DerefMut for Mapped {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.map
    }
}

impl Mapped {
    /// Maps a file of `size` bytes copy-on-write.
    ///
    /// # Errors
    /// Returns an error if the file cannot be mapped, or if its beginning cannot be read or asked for (before Linux
    /// 5.14). It may still be readable.
    pub(super) fn new(file: &File, size: u64) -> io::Result<Self> {
        let size = usize::try_from(size).map_err(io::Error::other)?;
        let map = map_privately(file, size)?;
        let pieces = (0..size.div_ceil(PIECE)).map(|_| AtomicU8::new(UNKNOWN)).collect();
        let mapped = Self { map, pieces, unread: Mutex::default() };
        mapped.ask(0, PIECE.min(size))?;
        if let Some(piece) = mapped.pieces.first() {
            piece.store(READY, Ordering::Relaxed);
        }
        Ok(mapped)
    }

    /// Returns whether one of these bytes cannot be read. Bytes behind the end of the file are no bytes of it.
    pub(super) fn has_unread(&self, start: u64, length: u64) -> bool {
        let end = start.saturating_add(length).min(self.map.len() as u64);
        if start >= end {
            return false;
        }
        let place = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX) / PIECE;
        let pieces = place(start)..=place(end.saturating_sub(1));
        let mut holed = false;
        for number in pieces {
            let Some(piece) = self.pieces.get(number) else { break };
            let mut state = piece.load(Ordering::Relaxed);
            if state == UNKNOWN {
                state = if self.is_whole(number) { READY } else { HOLED };
                piece.store(state, Ordering::Relaxed);
            }
            holed |= state == HOLED;
        }
        holed && {
            let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
            let next = unread.partition_point(|range| range.end <= start);
            unread.get(next).is_some_and(|range| range.start < end)
        }
    }

    /// Returns the pages that cannot be read, as far as they were asked for.
    pub(super) fn unread(&self) -> Vec<Range<u64>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for a piece, and page by page if that fails. Returns whether all of it can be read.
    fn is_whole(&self, number: usize) -> bool {
        let start = number.saturating_mul(PIECE);
        let end = start.saturating_add(PIECE).min(self.map.len());
        if self.ask(start, end.saturating_sub(start)).is_ok() {
            return true;
        }
        let page = rustix::param::page_size();
        let mut lost: Vec<Range<u64>> = Vec::new();
        for at in (start..end).step_by(page.max(1)) {
            let until = at.saturating_add(page).min(end);
            if self.ask(at, until.saturating_sub(at)).is_ok() {
                continue;
            }
            let (at, until) = (at as u64, until as u64);
            match lost.last_mut() {
                Some(before) if before.end == at => before.end = until,
                _ => lost.push(at..until),
            }
        }
        let whole = lost.is_empty();
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        unread.extend(lost);
        // Two threads may have asked for the same piece.
        unread.sort_unstable_by_key(|range| (range.start, range.end));
        unread.dedup();
        whole
    }

    fn ask(&self, start: usize, length: usize) -> io::Result<()> {
        self.map.advise_range(Advice::PopulateRead, start, length)
    }
}

#[expect(unsafe_code, reason = "the one unsafe line of the project")]
fn map_privately(file: &File, size: usize) -> io::Result<MmapMut> {
    // SAFETY: the map is private and this program never writes evidence. If another process truncates the file after a
    // piece of it was asked for, reading past its new end kills this process with SIGBUS, which is no memory error. If
    // another process writes the file, bytes change under us, and checked reading survives that. `--no-mmap` is for
    // evidence that others write.
    unsafe { MmapOptions::new().len(size).map_copy(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(pieces: usize) -> (File, Mapped) {
        let file = tempfile::tempfile().unwrap();
        let size = (pieces * PIECE + 100) as u64;
        file.set_len(size).unwrap();
        let mapped = Mapped::new(&file, size).unwrap();
        (file, mapped)
    }

    /// Reading these bytes through the map would end the process.
    #[test]
    fn what_was_cut_off_before_it_was_asked_for_is_a_range_that_could_not_be_read() {
        let (file, mapped) = mapped(4);
        let (cut, end) = ((PIECE + 8192) as u64, mapped.len() as u64);
        file.set_len(cut).unwrap();
        assert!(!mapped.has_unread(0, PIECE as u64));
        assert!(!mapped.has_unread(cut - 4096, 4096));
        let lost = mapped.unread();
        assert_eq!(lost.iter().map(|range| (range.start, range.end)).collect::<Vec<_>>(), [(cut, 2 * PIECE as u64)]);
        assert!(mapped.has_unread(cut - 4, 8));
        assert!(mapped.has_unread(0, u64::MAX));
        assert_eq!(mapped.unread().first().map(|range| range.start), Some(cut));
        assert_eq!(mapped.unread().last().map(|range| range.end), Some(end));
        assert!(!mapped.has_unread(end, 10));
    }

    #[test]
    fn a_file_that_can_be_read_has_no_such_range() {
        let (_file, mapped) = mapped(2);
        assert!(!mapped.has_unread(0, u64::MAX));
        assert_eq!(mapped.unread(), []);
        assert!(mapped.iter().all(|byte| *byte == 0));
    }
}
