//! Our bytes as the streams that keramics' file systems read.

use std::io::SeekFrom;
use std::sync::{Arc, RwLock};

use keramics_core::{DataStream, DataStreamReference, ErrorTrace};

use crate::evidence::block::Blocks;

/// The same bytes with a cursor, which starts at 0.
pub fn stream(blocks: Blocks) -> DataStreamReference {
    Arc::new(RwLock::new(Stream { blocks, cursor: 0 }))
}

struct Stream {
    blocks: Blocks,
    cursor: u64,
}

impl DataStream for Stream {
    fn get_offset(&mut self) -> Result<u64, ErrorTrace> {
        Ok(self.cursor)
    }

    fn get_size(&mut self) -> Result<u64, ErrorTrace> {
        Ok(self.blocks.size())
    }

    /// Fills the buffer as far as there are bytes: keramics' `read_exact` asks only once.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorTrace> {
        let left = usize::try_from(self.blocks.size().saturating_sub(self.cursor)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        match self.blocks.read_exact_at(buffer, self.cursor) {
            Ok(()) => {
                self.cursor = self.cursor.saturating_add(count as u64);
                Ok(count)
            }
            Err(error) => Err(ErrorTrace::new(format!("{count} bytes at {:#x} cannot be read: {error}", self.cursor))),
        }
    }

    fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorTrace> {
        let place = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(by) => self.cursor.checked_add_signed(by),
            SeekFrom::End(by) => self.blocks.size().checked_add_signed(by),
        };
        self.cursor = place.ok_or_else(|| ErrorTrace::new(format!("there is no place {to:?}")))?;
        Ok(self.cursor)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::evidence::block::BlockRead;

    /// Gives few bytes at a time, and none from 90 on.
    struct Slow;

    impl BlockRead for Slow {
        fn size(&self) -> u64 {
            100
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            if offset >= 90 {
                return Err(io::Error::other("a bad sector"));
            }
            let count = buffer.len().min(7);
            buffer[..count].fill(u8::try_from(offset).unwrap());
            Ok(count)
        }
    }

    #[test]
    fn a_stream_reads_whole_ends_where_the_bytes_end_and_passes_errors_on() {
        let stream = stream(Arc::new((0..100).collect::<Vec<u8>>()));
        let mut stream = stream.write().unwrap();
        let mut buffer = [0; 30];
        assert_eq!((stream.get_size().unwrap(), stream.seek(SeekFrom::End(-20)).unwrap()), (100, 80));
        assert_eq!((stream.read(&mut buffer).unwrap(), buffer[0], buffer[19], buffer[20]), (20, 80, 99, 0));
        assert_eq!((stream.read(&mut buffer).unwrap(), stream.get_offset().unwrap()), (0, 100));
        assert!(stream.read_exact_at_position(&mut buffer, SeekFrom::Start(71)).is_err());
        assert!(stream.seek(SeekFrom::Current(-1000)).is_err());
        assert_eq!(stream.seek(SeekFrom::Start(5)).unwrap(), 5);
        assert_eq!(
            (stream.seek(SeekFrom::Current(-2)).unwrap(), stream.seek(SeekFrom::Start(1 << 40)).unwrap()),
            (3, 1 << 40)
        );
        assert_eq!(stream.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn bytes_that_come_slowly_come_whole_and_bad_ones_do_not_come() {
        let stream = stream(Arc::new(Slow));
        let mut stream = stream.write().unwrap();
        let mut buffer = [0; 20];
        assert_eq!(stream.read(&mut buffer).unwrap(), 20);
        assert_eq!((buffer[0], buffer[6], buffer[7], buffer[19]), (0, 0, 7, 14));
        let error = stream.read_at_position(&mut buffer, SeekFrom::Start(80)).unwrap_err();
        assert_eq!(error.to_string(), "#0 20 bytes at 0x50 cannot be read: a bad sector");
    }
}
