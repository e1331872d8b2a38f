//! Zstandard files: every frame, with content checksums compared; skippable frames are skipped. RFC 8878, section 3.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::refused::{Cause, Refused, damaged};
use super::source::{Checked, Input};
use crate::evidence::file_system::Vouched;

/// The most bytes that a frame may refer back to; `zstd -d` allows as much.
const MOST_WINDOW: u64 = 128 << 20;
/// A frame's first bytes.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Decompresses all frames of a Zstandard file.
pub(super) struct Zstd<R> {
    input: Input<R>,
    decoder: FrameDecoder,
    within: bool,
    ended: bool,
    /// Bytes of the current frame that were passed on.
    written: u64,
    frames: u64,
    /// Frames with a content checksum.
    protected: u64,
    trailing: Option<String>,
    /// Why the rest of the frame is unreadable, kept until the bytes before it are passed on.
    failed: Option<io::Error>,
    /// The decompressed size in the frame's header, if the header has one.
    size: Option<u64>,
}

impl<R: Read> Zstd<R> {
    pub(super) fn new(inner: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MOST_WINDOW);
        Self {
            input: Input::new(inner),
            decoder,
            within: false,
            ended: false,
            written: 0,
            frames: 0,
            protected: 0,
            trailing: None,
            failed: None,
            size: None,
        }
    }

    /// Decides what follows: a frame, a skippable frame, the end, or other bytes.
    fn between(&mut self) -> io::Result<()> {
        let at = self.input.at();
        let next = self.input.peek(5)?;
        match next {
            [] if self.frames > 0 => self.ended = true,
            [] => return Err(damaged("there is no Zstandard frame in it")),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                let [_, _, _, _, size @ ..] = self.input.take_array::<8>()?;
                let size = u64::from(u32::from_le_bytes(size));
                let skipped = io::copy(&mut self.input.by_ref().take(size), &mut io::sink())?;
                if skipped < size {
                    return Err(cut(self.input.at()));
                }
            }
            [a, b, c, d, descriptor] if [*a, *b, *c, *d] == FRAME => {
                // The header has a size with any flag except 0, and always with a single segment.
                let sized = descriptor & 0xe0 != 0;
                self.decoder.reset(&mut self.input).map_err(|error| refusal(&error, at))?;
                self.size = sized.then(|| self.decoder.content_size());
                self.within = true;
                self.written = 0;
            }
            _ if self.frames > 0 => {
                self.ended = true;
                self.trailing =
                    Some(format!("bytes after the end of the Zstandard data, at {at:#x}, are not Zstandard"));
            }
            _ => return Err(damaged(format!("at {at:#x} there is no Zstandard frame"))),
        }
        Ok(())
    }

    /// Compares a frame's size and checksum at its end.
    fn end_of_frame(&mut self) -> io::Result<()> {
        let at = self.input.at();
        self.within = false;
        self.frames = self.frames.saturating_add(1);
        if let Some(size) = self.size.filter(|size| *size != self.written) {
            let written = self.written;
            return Err(damaged(format!(
                "the Zstandard frame that ends at {at:#x} gives {written} bytes where its header says {size}"
            )));
        }
        if let Some(stored) = self.decoder.get_checksum_from_data() {
            if self.decoder.get_calculated_checksum() != Some(stored) {
                return Err(damaged(format!(
                    "the content checksum of the Zstandard frame that ends at {at:#x} does not match"
                )));
            }
            self.protected = self.protected.saturating_add(1);
        }
        Ok(())
    }
}

fn cut(at: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the Zstandard data end too early, at {at:#x}"))
}

fn refusal(error: &FrameDecoderError, at: u64) -> io::Error {
    let (reason, advice) = match error {
        FrameDecoderError::DictNotProvided { dict_id } => (
            format!("the Zstandard frame at {at:#x} needs the dictionary {dict_id}"),
            "decompress it by hand: zstd -d -D DICTIONARY IN.zst",
        ),
        FrameDecoderError::WindowSizeTooBig { requested, max } => (
            format!("the Zstandard frame at {at:#x} needs {requested} bytes of memory; {max} are allowed"),
            "decompress it by hand: zstd -d --long=31 IN.zst",
        ),
        _ => return damaged(format!("the Zstandard data near {at:#x} are damaged")),
    };
    Refused::new(Cause::Unsupported, reason, advice).into()
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            if !self.within {
                self.between()?;
                continue;
            }
            while self.failed.is_none() && !self.decoder.is_finished() && self.decoder.can_collect() == 0 {
                let at = self.input.at();
                let wanted = BlockDecodingStrategy::UptoBytes(buffer.len());
                if let Err(error) = self.decoder.decode_blocks(&mut self.input, wanted) {
                    let early = self.input.fill_buf()?.is_empty();
                    self.failed = Some(if early { cut(self.input.at()) } else { refusal(&error, at) });
                    // The decoder keeps up to 8 MiB for later blocks until the frame ends. An empty last block and an
                    // unused checksum end the frame here; if that fails, the kept bytes are lost.
                    let _ = self.decoder.decode_blocks([1, 0, 0, 0, 0, 0, 0].as_slice(), BlockDecodingStrategy::All);
                    break;
                }
            }
            let count = self.decoder.read(buffer)?;
            self.written = self.written.saturating_add(count as u64);
            if count > 0 {
                return Ok(count);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            self.end_of_frame()?;
        }
        Ok(0)
    }
}

impl<R: Read + Send> Checked for Zstd<R> {
    fn vouched(&self) -> Vouched {
        match &self.trailing {
            Some(why) => Vouched::Unverified(why.clone()),
            // One frame without a checksum makes the whole unprotected, even if others have one.
            None if self.frames > 0 && self.protected == self.frames => Vouched::by("XXH64 (Zstandard)"),
            None => Vouched::Unprotected,
        }
    }
}
