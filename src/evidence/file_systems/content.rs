//! The bytes of a file of a volume, one after the other, from bytes by position.

use std::io::{self, Read};

use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::file_system::{BINS, Content, HEAD, Head, Vouched};

/// Bytes that are read ahead, where whoever reads asks for fewer: runs of clusters are read whole, not by clusters.
const AHEAD: usize = 1 << 20;

/// A file's bytes with a cursor.
pub struct BlockContent {
    blocks: Blocks,
    /// Where the next byte to be read ahead is.
    at: u64,
    ahead: Vec<u8>,
    /// How many of those were given.
    given: usize,
}

impl BlockContent {
    /// The bytes from the first one on.
    pub fn new(blocks: Blocks) -> Self {
        Self { blocks, at: 0, ahead: Vec::new(), given: 0 }
    }

    /// Fills a buffer as far as there are bytes, and goes on behind them. What comes before a place that cannot be read
    /// is given; asked again, that place is an error.
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

/// No file system of a volume has a checksum of a file's bytes.
impl Content for BlockContent {
    fn finish(&mut self) -> Vouched {
        Vouched::Unprotected
    }
}

/// Reads the beginning of a file, and its end.
///
/// # Errors
/// What cannot be read of its first [`HEAD`] bytes; what lies behind them can be missing.
pub fn head(blocks: &dyn BlockRead) -> io::Result<Head> {
    let size = blocks.size();
    let part = |start: u64, most: u64| {
        let mut bytes = vec![0; usize::try_from(size.saturating_sub(start).min(most)).unwrap_or_default()];
        blocks.read_exact_at(&mut bytes, start).map(|()| bytes)
    };
    let wanted = BINS.saturating_add(4);
    let mut bytes = match part(0, wanted) {
        Ok(bytes) => bytes,
        Err(_) => part(0, HEAD as u64)?,
    };
    let place = usize::try_from(BINS).unwrap_or(usize::MAX);
    let at_bins = bytes.get(place..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    let end = match bytes.len().checked_sub(512).and_then(|start| bytes.get(start..)) {
        Some(end) if bytes.len() as u64 == size => end.to_vec(),
        _ => part(size.saturating_sub(512), 512).unwrap_or_default(),
    };
    bytes.truncate(HEAD);
    Ok(Head { bytes, at_bins, end, size })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// 3 MiB, of which one byte cannot be read.
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
            let count = if offset < bad { buffer.len().min((bad - offset) as usize) } else { buffer.len() };
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
        assert_eq!((long.bytes.len(), &long.at_bins, long.end.len(), long.size), (1024, b"hbin", 512, 9000));
        assert_eq!(head(&Vec::new()).unwrap(), Head::default());
    }
}
