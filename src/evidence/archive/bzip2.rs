//! bzip2 files: every stream; the decoder compares the CRC of each block and of each stream.

use std::io::{self, BufRead, Read};

use bzip2::{Decompress, Status};

use super::refused::damaged;
use super::source::{Checked, Input};
use crate::evidence::file_system::Vouched;

/// Decompresses all streams of a bzip2 file.
pub(super) struct Bzip2<R> {
    input: Input<R>,
    /// The current stream.
    stream: Option<Decompress>,
    ended: bool,
    vouched: Vouched,
}

impl<R: Read> Bzip2<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            input: Input::new(inner),
            stream: Some(Decompress::new(false)),
            ended: false,
            vouched: Vouched::Unprotected,
        }
    }

    /// Decides what follows a stream: another stream, the end, or other bytes.
    fn between(&mut self) -> io::Result<()> {
        let at = self.input.at();
        let next = self.input.peek(4)?;
        if matches!(next, [b'B', b'Z', b'h', b'1'..=b'9']) {
            self.stream = Some(Decompress::new(false));
            return Ok(());
        }
        if !next.is_empty() {
            self.vouched =
                Vouched::Unverified(format!("bytes after the end of the bzip2 data, at {at:#x}, are not bzip2"));
        }
        self.ended = true;
        Ok(())
    }
}

impl<R: Read> Read for Bzip2<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let Some(stream) = &mut self.stream else {
                self.between()?;
                continue;
            };
            let at = self.input.at();
            let (read, written) = (stream.total_in(), stream.total_out());
            let input = self.input.fill_buf()?;
            let cut = input.is_empty();
            let status = stream.decompress(input, buffer);
            let status = status.map_err(|_| {
                damaged(format!("the bzip2 data are damaged near {at:#x}, or a CRC in them does not match"))
            })?;
            let read = stream.total_in().saturating_sub(read);
            let written = usize::try_from(stream.total_out().saturating_sub(written)).unwrap_or(0);
            self.input.consume(usize::try_from(read).unwrap_or(0));
            if status == Status::StreamEnd {
                self.stream = None;
                self.vouched = Vouched::by("CRC-32 (bzip2)");
            } else if cut && written == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the bzip2 data end too early, at {at:#x}"),
                ));
            }
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

impl<R: Read + Send> Checked for Bzip2<R> {
    fn vouched(&self) -> Vouched {
        self.vouched.clone()
    }
}
