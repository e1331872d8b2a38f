//! Bytes that can be read again from the start: a file, a member in memory, or a stream that is decompressed.

use std::io::{self, BufRead, Read};

use crate::evidence::block::Blocks;
use crate::evidence::file_system::Vouched;

/// A reader that knows, at its end, whether its checksums held.
pub trait Checked: Read + Send {
    /// Returns what the checksums say of everything read so far; of the whole stream once it was read to its end.
    fn vouched(&self) -> Vouched;
}

/// Bytes that can be read again from the start.
pub trait Source: Send + Sync {
    /// Starts reading at the first byte.
    ///
    /// # Errors
    /// Why it cannot be read: a stream's header is damaged.
    fn open(&self) -> io::Result<Box<dyn Checked>>;

    /// Returns the bytes by position, where they can be had without reading all before them.
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

/// Nothing protects plain bytes.
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

/// Bytes that the system is asked for at a time.
const BUFFER: usize = 64 << 10;

/// A buffered reader that counts what was taken from it.
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

    /// Returns the bytes taken so far: the position of the next one.
    pub(super) fn at(&self) -> u64 {
        self.taken
    }

    /// Returns up to `count` bytes (of 64 KiB at most) without taking them; fewer only at the end.
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

    /// Takes exactly `N` bytes.
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

/// Reads what is left, throws it away, and returns how much it was.
pub(super) fn drain(reader: &mut dyn Read) -> io::Result<u64> {
    // Most that are drained are at their end.
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
