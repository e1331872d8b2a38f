//! gzip streams: every member, with its CRC-32 and its size compared. RFC 1952.

use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::refused::damaged;
use super::source::{Checked, Input};
use crate::evidence::file_system::Vouched;

/// Decompresses all members of a gzip file.
pub(super) struct Gzip<R> {
    input: Input<R>,
    inflate: Decompress,
    crc: Crc,
    /// The checksum of the header itself, while the header is read.
    header: Crc,
    state: State,
    vouched: Vouched,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Within,
    Ended,
}

impl<R: Read> Gzip<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            input: Input::new(inner),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            header: Crc::new(),
            state: State::Before,
            vouched: Vouched::Unprotected,
        }
    }

    fn header_bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let bytes = self.input.take_array::<N>()?;
        self.header.update(&bytes);
        Ok(bytes)
    }

    /// Skips a text in the header up to its NUL. The text may have any length, and is not kept.
    fn text(&mut self) -> io::Result<()> {
        loop {
            if self.header_bytes::<1>()? == [0] {
                return Ok(());
            }
        }
    }

    /// Reads a member's header, section 2.3; the two bytes of the signature are already checked.
    fn member(&mut self) -> io::Result<()> {
        let at = self.input.at();
        self.header.reset();
        let [_, _, method, flags, ..] = self.header_bytes::<10>()?;
        if method != 8 || flags & 0xe0 != 0 {
            return Err(damaged(format!("the gzip header at {at:#x} has method {method} and flags {flags:#04x}")));
        }
        if flags & 4 != 0 {
            let size = u16::from_le_bytes(self.header_bytes()?);
            for _ in 0..size {
                self.header_bytes::<1>()?;
            }
        }
        for text in [8, 16] {
            if flags & text != 0 {
                self.text()?;
            }
        }
        if flags & 2 != 0 {
            let found = self.header.sum();
            let told = u16::from_le_bytes(self.input.take_array()?);
            if u32::from(told) != found & 0xffff {
                return Err(damaged(format!("the checksum of the gzip header at {at:#x} does not match")));
            }
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.state = State::Within;
        Ok(())
    }

    /// Compares a member's trailer.
    fn trailer(&mut self) -> io::Result<()> {
        let at = self.input.at();
        let crc = u32::from_le_bytes(self.input.take_array()?);
        let size = u32::from_le_bytes(self.input.take_array()?);
        if crc != self.crc.sum() {
            let found = self.crc.sum();
            return Err(damaged(format!(
                "the CRC-32 at {at:#x} does not match: {crc:08x} stored, {found:08x} computed"
            )));
        }
        if size != self.crc.amount() {
            let found = self.crc.amount();
            return Err(damaged(format!(
                "the size at {at:#x} does not match: {size} stored, {found} bytes decompressed"
            )));
        }
        self.vouched = Vouched::by("CRC-32 (gzip)");
        Ok(())
    }

    /// Decides what follows a member: another member, the end, zeros, which tapes add and gzip ignores, or other bytes.
    fn between(&mut self, first: bool) -> io::Result<()> {
        let at = self.input.at();
        if first || self.input.peek(2)? == [0x1f, 0x8b] {
            return self.member();
        }
        self.state = State::Ended;
        loop {
            let rest = self.input.fill_buf()?;
            if rest.is_empty() {
                return Ok(());
            }
            if rest.iter().any(|byte| *byte != 0) {
                self.vouched =
                    Vouched::Unverified(format!("bytes after the end of the gzip data, at {at:#x}, are not gzip"));
                return Ok(());
            }
            let count = rest.len();
            self.input.consume(count);
        }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Before => {
                    let first = self.input.at() == 0;
                    self.between(first)?;
                }
                State::Ended => return Ok(0),
                State::Within if buffer.is_empty() => return Ok(0),
                State::Within => {
                    let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
                    let at = self.input.at();
                    let input = self.input.fill_buf()?;
                    let cut = input.is_empty();
                    let status = self.inflate.decompress(input, buffer, FlushDecompress::None);
                    let status =
                        status.map_err(|_| damaged(format!("the compressed data near {at:#x} are damaged")))?;
                    let read = self.inflate.total_in().saturating_sub(read);
                    let written = usize::try_from(self.inflate.total_out().saturating_sub(written)).unwrap_or(0);
                    self.input.consume(usize::try_from(read).unwrap_or(0));
                    self.crc.update(buffer.get(..written).unwrap_or_default());
                    if status == Status::StreamEnd {
                        self.trailer()?;
                        self.state = State::Before;
                    } else if cut && written == 0 {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            format!("the gzip data end too early, at {at:#x}"),
                        ));
                    }
                    if written > 0 {
                        return Ok(written);
                    }
                }
            }
        }
    }
}

impl<R: Read + Send> Checked for Gzip<R> {
    fn vouched(&self) -> Vouched {
        self.vouched.clone()
    }
}
