//! Bytes that can be read again from the start: a file, a member in memory, or a decompressed stream.

use std::io::{self, BufRead, Read};

use crate::evidence::block::Blocks;
use crate::evidence::file_system::Vouched;

/// A reader that knows at its end whether its checksums match.
pub trait Checked: Read + Send {
    /// Returns the result of the checksums of everything read so far; after the end, of the whole stream.
    fn vouched(&self) -> Vouched;
}

/// Bytes that can be read again from the start.
pub trait Source: Send + Sync {
    /// Starts reading at the first byte.
    ///
    /// # Errors
    /// Why the bytes are unreadable, such as a damaged header of a stream.
    fn open(&self) -> io::Result<Box<dyn Checked>>;

    /// Returns the bytes by position, if a read needs none of the bytes before it.
    fn blocks(&self) -> Option<Blocks>;
}

/// Reads blocks from a position on, in order.
pub struct Sequential {
    blocks: Blocks,
    at: u64,
}

impl Sequential {
    /// Starts at the byte `at`.
    pub fn new(blocks: Blocks, at: u64) -> Self {
        Self { blocks, at }
    }
}

impl Read for Sequential {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.blocks.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

/// Plain bytes have no checksum.
impl Checked for Sequential {
    fn vouched(&self) -> Vouched {
        Vouched::Unprotected
    }
}

/// Plain bytes.
impl Source for Blocks {
    fn open(&self) -> io::Result<Box<dyn Checked>> {
        Ok(Box::new(Sequential::new(Self::clone(self), 0)))
    }

    fn blocks(&self) -> Option<Blocks> {
        Some(Self::clone(self))
    }
}

/// Bytes to request from the system at a time.
const BUFFER: usize = 64 << 10;

/// A buffered reader that counts the consumed bytes.
pub(super) struct Input<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    taken: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, buffer: vec![0; BUFFER], start: 0, end: 0, taken: 0 }
    }

    /// Returns the number of consumed bytes: the position of the next one.
    pub(super) fn at(&self) -> u64 {
        self.taken
    }

    /// Returns up to `count` bytes (at most 64 KiB) without consuming them; fewer only at the end.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end.saturating_sub(self.start) < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
            while self.end < count.min(BUFFER) {
                let free = self.buffer.get_mut(self.end..).unwrap_or_default();
                match self.inner.read(free) {
                    Ok(0) => break,
                    Ok(count) => self.end = self.end.saturating_add(count),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let end = self.end.min(self.start.saturating_add(count));
        Ok(self.buffer.get(self.start..end).unwrap_or_default())
    }

    /// Consumes exactly `N` bytes.
    pub(super) fn take_array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.fill_buf()?;
        let count = rest.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.peek(1)?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.end.saturating_sub(self.start));
        self.start = self.start.saturating_add(count);
        self.taken = self.taken.saturating_add(count as u64);
    }
}

/// Reads and discards the rest, and returns its number of bytes.
pub(super) fn drain(reader: &mut dyn Read) -> io::Result<u64> {
    // Most readers are already at their end.
    let mut buffer = [0; 8 << 10];
    let mut size = 0_u64;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => size = size.saturating_add(count as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
