//! Bytes by position: a file, a disk inside an image, a volume inside a disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::local;

/// Bytes that are read by position, without a cursor. There is no way to write.
pub trait BlockRead: Send + Sync {
    /// Returns the number of bytes.
    fn size(&self) -> u64;

    /// Reads some of the bytes from `offset` on and returns their number: at least one if `buffer` is not empty and
    /// `offset` is below the size; 0 at the end and past it.
    ///
    /// # Errors
    /// The bytes are unreadable or known to be wrong. Unreadable bytes are never replaced by zeros.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// As [`Self::read_at`]; [`io::ErrorKind::UnexpectedEof`] if the bytes end first.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(ends_early(offset, buffer.len())),
                Ok(count) => {
                    buffer = buffer.get_mut(count..).unwrap_or_default();
                    offset = offset.saturating_add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns how many bytes from `offset` on are known to be zeros without reading them: a hole of a file, or blocks
    /// that an image does not store. 0 if unknown.
    fn zeros(&self, _offset: u64) -> u64 {
        0
    }
}

/// Shared bytes: a clone is cheap, and a volume keeps its disk alive.
pub type Blocks = Arc<dyn BlockRead>;

fn ends_early(offset: u64, wanted: usize) -> io::Error {
    let found = format!("expected {wanted} bytes at {offset:#x}, but the data end there");
    io::Error::new(io::ErrorKind::UnexpectedEof, found)
}

/// A file of this machine.
#[derive(Debug)]
pub struct FileBlocks {
    file: File,
    size: u64,
}

impl FileBlocks {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// The operating system's error for the file; a file that is not a regular one.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(local::open(path)?)
    }

    /// Wraps an open file.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of(file: File) -> io::Result<Self> {
        let size = local::regular_size(&file)?.ok_or_else(|| io::Error::other("no regular file"))?;
        Ok(Self { file, size })
    }
}

impl BlockRead for FileBlocks {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        // The system refuses an offset above the size of the largest possible file.
        if offset >= self.size { Ok(0) } else { self.file.read_at(buffer, offset) }
    }

    fn zeros(&self, offset: u64) -> u64 {
        if offset >= self.size {
            return 0;
        }
        let left = self.size.saturating_sub(offset);
        // All reads are by position, so moving the file's cursor is harmless.
        match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(data) => data.saturating_sub(offset).min(left),
            Err(Errno::NXIO) => left,
            Err(_) => 0,
        }
    }
}

/// Bytes in memory.
impl<T: AsRef<[u8]> + Send + Sync> BlockRead for T {
    fn size(&self) -> u64 {
        self.as_ref().len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.as_ref().get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// A part of other bytes.
#[derive(Clone)]
pub struct Part {
    whole: Blocks,
    start: u64,
    size: u64,
}

impl Part {
    /// Returns the `size` bytes from `start` on, or fewer if `whole` ends first.
    pub fn new(whole: Blocks, start: u64, size: u64) -> Self {
        let size = size.min(whole.size().saturating_sub(start));
        Self { whole, start, size }
    }
}

impl BlockRead for Part {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        match buffer.get_mut(..count) {
            Some(buffer) if count > 0 => self.whole.read_at(buffer, self.start.saturating_add(offset)),
            _ => Ok(0),
        }
    }

    fn zeros(&self, offset: u64) -> u64 {
        self.whole.zeros(self.start.saturating_add(offset)).min(self.size.saturating_sub(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_known_to_be_zeros() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 20).unwrap();
        file.write_at(&[1; 4096], 512 << 10).unwrap();
        let file: Blocks = Arc::new(FileBlocks::of(file).unwrap());
        // A file system without holes reports none.
        assert!([0, 512 << 10].contains(&file.zeros(0)), "{}", file.zeros(0));
        assert_eq!((file.zeros(512 << 10), file.zeros(1 << 20)), (0, 0));
        if file.zeros(0) > 0 {
            let part = Part::new(Arc::clone(&file), 1000, 5000);
            assert_eq!((part.zeros(0), part.zeros(4000), part.zeros(5000)), (5000, 1000, 0));
            assert_eq!(file.zeros(600 << 10), 424 << 10);
        }
    }

    #[test]
    fn a_part_ends_where_it_ends_and_where_the_whole_does() {
        let whole: Blocks = Arc::new((0..100).collect::<Vec<u8>>());
        let part = Part::new(Arc::clone(&whole), 90, 5);
        let mut buffer = [0; 8];
        assert_eq!(
            (part.size(), part.read_at(&mut buffer, 2).unwrap(), buffer[..3].to_vec()),
            (5, 3, vec![92, 93, 94])
        );
        assert_eq!(part.read_at(&mut buffer, 5).unwrap(), 0);
        assert_eq!(part.read_at(&mut buffer, u64::MAX).unwrap(), 0);
        let error = part.read_exact_at(&mut buffer, 0).unwrap_err();
        assert_eq!(error.to_string(), "expected 3 bytes at 0x5, but the data end there");
        assert_eq!((Part::new(Arc::clone(&whole), 90, 50).size(), Part::new(whole, 900, 5).size()), (10, 0));
    }
}
