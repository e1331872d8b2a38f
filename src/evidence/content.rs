//! The bytes of a file in order, read by position; and salvage of a file with bad sectors.

use std::io::{self, Read};
use std::ops::Range;

use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::file_system::{BINS, Content, HEAD, Head, Vouched};

/// Bytes to read ahead when the caller asks for fewer: a run of clusters is read whole, not cluster by cluster.
const AHEAD: usize = 1 << 20;

/// A file's bytes with a cursor.
pub struct BlockContent {
    blocks: Blocks,
    /// The position of the next byte to read ahead.
    at: u64,
    ahead: Vec<u8>,
    /// How many of the bytes in `ahead` were returned.
    given: usize,
}

impl BlockContent {
    /// Starts at the first byte.
    pub fn new(blocks: Blocks) -> Self {
        Self { blocks, at: 0, ahead: Vec::new(), given: 0 }
    }

    /// Fills a buffer and moves on; fewer bytes only at the end or before an unreadable place. The next call at an
    /// unreadable place is an error.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0_usize;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.blocks.read_at(rest, self.at) {
                Ok(0) => break,
                Ok(count) => {
                    done = done.saturating_add(count);
                    self.at = self.at.saturating_add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if done > 0 => break,
                Err(error) => return Err(error),
            }
        }
        if done == 0 && !buffer.is_empty() && self.at < self.blocks.size() {
            let missing = format!("{} bytes less than its size says", self.blocks.size().saturating_sub(self.at));
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, missing));
        }
        Ok(done)
    }
}

impl Read for BlockContent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.get(self.given..).is_none_or(<[u8]>::is_empty) {
            if buffer.len() >= AHEAD {
                return self.fill(buffer);
            }
            let left = usize::try_from(self.blocks.size().saturating_sub(self.at)).unwrap_or(usize::MAX);
            let mut ahead = std::mem::take(&mut self.ahead);
            ahead.resize(left.min(AHEAD), 0);
            self.given = 0;
            let filled = self.fill(&mut ahead);
            ahead.truncate(*filled.as_ref().unwrap_or(&0));
            self.ahead = ahead;
            filled?;
        }
        let from = self.ahead.get(self.given..).unwrap_or_default();
        let count = buffer.len().min(from.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), from.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given = self.given.saturating_add(count);
        Ok(count)
    }
}

/// No file system that is read by position stores a checksum of a file's bytes.
impl Content for BlockContent {
    fn finish(&mut self) -> Vouched {
        Vouched::Unprotected
    }
}

/// Reads the beginning of a file and its end.
///
/// # Errors
/// The first 512 bytes are unreadable. Unreadable bytes behind them are left out.
pub fn head(blocks: &dyn BlockRead) -> io::Result<Head> {
    let size = blocks.size();
    let part = |start: u64, most: u64| {
        let mut bytes = vec![0; usize::try_from(size.saturating_sub(start).min(most)).unwrap_or_default()];
        blocks.read_exact_at(&mut bytes, start).map(|()| bytes)
    };
    let bytes = match part(0, HEAD as u64) {
        Ok(bytes) => bytes,
        // Behind the first sector is a bad one.
        Err(_) => part(0, 512)?,
    };
    let place = usize::try_from(BINS).unwrap_or(usize::MAX);
    let at_bins = bytes.get(place..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    let end = match bytes.len().checked_sub(512).and_then(|start| bytes.get(start..)) {
        Some(end) if bytes.len() as u64 == size => end.to_vec(),
        _ => part(size.saturating_sub(512), 512).unwrap_or_default(),
    };
    Ok(Head { bytes, at_bins, end, size })
}

/// Bytes per attempt after a larger read failed: a sector of a modern disk, and a page of this machine.
const STEP: usize = 4096;

/// The readable bytes of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// The file's bytes, with zeros in place of the unreadable ones.
    pub bytes: Vec<u8>,
    /// Ranges of unreadable bytes, in order, in bytes from the file's start.
    pub bad: Vec<Range<u64>>,
    /// The kind of the first read error.
    pub why: Option<io::ErrorKind>,
}

/// Reads a whole file in steps of 4 KiB around unreadable places.
///
/// # Errors
/// The file has more than `most` bytes, or memory is too small for it.
pub fn salvage(blocks: &dyn BlockRead, most: u64) -> io::Result<Salvaged> {
    let size = blocks.size();
    if size > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} bytes, more than {most}")));
    }
    let mut salvaged = Salvaged::default();
    let length = usize::try_from(size).map_err(io::Error::other)?;
    salvaged.bytes.try_reserve_exact(length)?;
    salvaged.bytes.resize(length, 0);
    let mut at = 0_u64;
    for piece in salvaged.bytes.chunks_mut(AHEAD) {
        if blocks.read_exact_at(piece, at).is_err() {
            let mut place = at;
            for step in piece.chunks_mut(STEP) {
                let end = place.saturating_add(step.len() as u64);
                if let Err(error) = blocks.read_exact_at(step, place) {
                    step.fill(0);
                    salvaged.why = salvaged.why.or(Some(error.kind()));
                    match salvaged.bad.last_mut() {
                        Some(last) if last.end == place => last.end = end,
                        _ => salvaged.bad.push(place..end),
                    }
                }
                place = end;
            }
        }
        at = at.saturating_add(piece.len() as u64);
    }
    Ok(salvaged)
}

/// Fills the buffer until it is full or the reader ends, and returns the number of bytes.
///
/// # Errors
/// The reader's error.
pub(crate) fn fill(reader: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// 3 MiB with one unreadable byte.
    struct Bad(AtomicUsize);

    impl BlockRead for Bad {
        fn size(&self) -> u64 {
            3 << 20
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let bad = (2 << 20) + 5;
            if offset == bad {
                return Err(io::Error::other("a bad sector"));
            }
            let left = usize::try_from(bad.saturating_sub(offset)).unwrap();
            let count = if offset < bad { buffer.len().min(left) } else { buffer.len() };
            buffer[..count].fill(1);
            Ok(count)
        }
    }

    #[test]
    fn small_reads_are_few_below_and_what_cannot_be_read_is_an_error_in_its_place() {
        let bad = Arc::new(Bad(AtomicUsize::new(0)));
        let mut content = BlockContent::new(Arc::clone(&bad) as Blocks);
        let (mut buffer, mut read) = ([0; 1000], 0);
        let error = loop {
            match content.read(&mut buffer) {
                Ok(count) => read += count,
                Err(error) => break error,
            }
            assert!(read < 3 << 20);
        };
        assert_eq!((read, error.to_string().as_str()), ((2 << 20) + 5, "a bad sector"));
        assert!(bad.0.load(Ordering::Relaxed) < 8);
    }

    #[test]
    fn the_head_of_a_short_file_is_the_file() {
        let short = head(&vec![7_u8; 600]).unwrap();
        assert_eq!((short.bytes.len(), short.at_bins, short.end.len(), short.size), (600, [0; 4], 512, 600));
        let mut long = vec![1_u8; 9000];
        long[4096..4100].copy_from_slice(b"hbin");
        let long = head(&long).unwrap();
        assert_eq!((long.bytes.len(), &long.at_bins, long.end.len(), long.size), (HEAD, b"hbin", 512, 9000));
        assert_eq!(head(&Vec::new()).unwrap(), Head::default());
    }

    #[test]
    fn what_can_be_read_around_a_bad_sector_is_read() {
        let salvaged = salvage(&Bad(AtomicUsize::new(0)), 4 << 20).unwrap();
        let start = 2_usize << 20;
        assert_eq!(salvaged.bad.first(), Some(&(start as u64..start as u64 + 4096)));
        assert_eq!(salvaged.bad.len(), 1);
        assert_eq!(salvaged.bytes.len(), 3 << 20);
        assert!(salvaged.bytes[..start].iter().chain(&salvaged.bytes[start + 4096..]).all(|byte| *byte == 1));
        assert!(salvaged.bytes[start..start + 4096].iter().all(|byte| *byte == 0));
        assert!(salvage(&Bad(AtomicUsize::new(0)), 1 << 20).is_err());
    }
}
