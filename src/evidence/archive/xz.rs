//! xz files: every stream and block with its check, the index, the footer and the padding.
//! <https://tukaani.org/xz/xz-file-format.txt>

use std::io::{self, BufRead, Read};

use lzma_rust2::XzReader;

use super::refused::{Cause, Refused, damaged};
use super::source::{Checked, Input};
use crate::evidence::file_system::Vouched;

/// Memory for a block's dictionary, in KiB; `xz -9` needs 64 MiB.
const MOST_MEMORY_KIB: u32 = 256 << 10;
/// A stream's first bytes.
const STREAM: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];

/// Decompresses all streams of an xz file.
pub(super) struct Xz<R: Read> {
    state: State<R>,
    vouched: Option<Vouched>,
    trailing: Option<String>,
}

enum State<R: Read> {
    Between(Input<R>),
    Within(Box<XzReader<Input<R>>>),
    Ended,
}

impl<R: Read> Xz<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { state: State::Between(Input::new(inner)), vouched: None, trailing: None }
    }

    /// Decides what follows: a stream, padding, the end, or other bytes.
    fn between(&mut self, mut input: Input<R>) -> io::Result<State<R>> {
        let at = input.at();
        let first = at == 0;
        if !first {
            // Stream padding is zeros, a multiple of four bytes, section 2.2.
            while input.peek(4)? == [0; 4] {
                input.consume(4);
            }
        }
        let header = input.peek(8)?;
        if header.is_empty() && !first {
            return Ok(State::Ended);
        }
        if !header.starts_with(&STREAM) {
            if first {
                return Err(damaged("it does not begin with an xz stream"));
            }
            self.trailing = Some(format!("bytes after the end of the xz data, at {at:#x}, are not xz"));
            return Ok(State::Ended);
        }
        let check = match header.get(7) {
            Some(0) => Vouched::Unprotected,
            Some(1) => Vouched::by("CRC-32 (xz)"),
            Some(4) => Vouched::by("CRC-64 (xz)"),
            Some(10) => Vouched::by("SHA-256 (xz)"),
            Some(id) => {
                let reason = format!("the xz stream at {at:#x} has a check of the unknown type {id}");
                return Err(Refused::new(Cause::Unsupported, reason, "decompress it by hand: xz -d").into());
            }
            None => return Err(cut(at)),
        };
        self.vouched = Some(match (self.vouched.take(), check) {
            (Some(Vouched::Unprotected), _) | (_, Vouched::Unprotected) => Vouched::Unprotected,
            (Some(Vouched::Verified(earlier)), _) => Vouched::Verified(earlier),
            (_, check) => check,
        });
        Ok(State::Within(Box::new(XzReader::new_mem_limit(input, false, MOST_MEMORY_KIB))))
    }
}

fn cut(at: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the xz data end too early, at {at:#x}"))
}

fn refusal(error: &io::Error, at: u64) -> io::Error {
    let (cause, reason, advice) = match error.kind() {
        io::ErrorKind::UnexpectedEof => return cut(at),
        io::ErrorKind::OutOfMemory => {
            (Cause::Limit, "need more than 256 MiB of memory", "decompress it by hand: xz -d")
        }
        io::ErrorKind::Unsupported => {
            (Cause::Unsupported, "use a filter that is not supported", "decompress it by hand: xz -d")
        }
        _ => return damaged(format!("the xz data near {at:#x} are damaged, or a check in them does not match")),
    };
    Refused::new(cause, format!("the xz data near {at:#x} {reason}"), advice).into()
}

impl<R: Read> Read for Xz<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            self.state = match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(input) => self.between(input)?,
                State::Within(mut stream) => match stream.read(buffer) {
                    Ok(0) => State::Between(stream.into_inner()),
                    Ok(count) => {
                        self.state = State::Within(stream);
                        return Ok(count);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                        self.state = State::Within(stream);
                        return Err(error);
                    }
                    Err(error) => {
                        let refusal = refusal(&error, stream.inner().at());
                        self.trailing = Some(refusal.to_string());
                        return Err(refusal);
                    }
                },
            };
        }
        Ok(0)
    }
}

impl<R: Read + Send> Checked for Xz<R> {
    fn vouched(&self) -> Vouched {
        match &self.trailing {
            Some(why) => Vouched::Unverified(why.clone()),
            None => self.vouched.clone().unwrap_or(Vouched::Unprotected),
        }
    }
}
