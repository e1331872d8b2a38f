//! The bytes of members of 7z archives, as the decoder returns them from a block, and the refusals for its errors.

use std::io::{self, Read};

use flate2::Crc;
use sevenz_rust2::Error;

use super::refused::{Cause, Refused};
use super::source::drain;
use crate::evidence::file_system::{Content, Vouched};

/// Memory for the directory before it is decoded, in KiB: some 400,000 members.
pub(super) const MOST_DIRECTORY_KIB: usize = 64 << 10;
/// Memory for a dictionary, in KiB. 7-Zip's strongest setting needs 64 MiB, `-md=256m` more.
pub(super) const MOST_MEMORY_KIB: usize = 300 << 10;

/// Turns a decoder's error into a refusal; `password`: a password was given.
pub(super) fn refusal(error: &Error, password: bool) -> Refused {
    let by_hand = "unpack it by hand: 7z x";
    match error {
        Error::PasswordRequired => Refused::encrypted(false),
        Error::MaybeBadPassword(_) if password => Refused::new(
            Cause::Encrypted,
            "it is damaged, or the password is wrong",
            "check the password (--password-file)",
        ),
        Error::MaybeBadPassword(error) | Error::Io(error, _) | Error::FileOpen(error, _) => {
            Refused::of(error).cloned().unwrap_or_else(|| Refused::damaged("its data are damaged"))
        }
        Error::UnsupportedCompressionMethod(method) => {
            let reason = format!("it is compressed by the method {method}, which is not supported");
            Refused::new(Cause::Unsupported, reason, by_hand)
        }
        Error::MaxMemLimited { actaul_kb, max_kb } => {
            let reason = format!("it needs {actaul_kb} KiB of memory; {max_kb} are allowed");
            Refused::new(Cause::Limit, reason, by_hand)
        }
        Error::Unsupported(_) | Error::ExternalUnsupported | Error::UnsupportedVersion { .. } => {
            Refused::new(Cause::Unsupported, "it is of a kind of 7z that is not supported", by_hand)
        }
        Error::ChecksumVerificationFailed | Error::NextHeaderCrcMismatch => {
            Refused::damaged("the CRC-32 of its directory does not match")
        }
        Error::Other(why) => Refused::damaged(format!("it is damaged: {why}")),
        _ => Refused::damaged("its directory is damaged"),
    }
}

/// A member without bytes.
pub(super) struct Empty;

impl Read for Empty {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

/// The directory states that the member has no bytes, and the directory's CRC-32 matches.
impl Content for Empty {
    fn finish(&mut self) -> Vouched {
        Vouched::by("CRC-32 (7z)")
    }
}

/// A member's bytes in order, from its block.
pub(super) struct Member<'r> {
    pub(super) inner: &'r mut dyn Read,
    pub(super) computed: Crc,
    pub(super) crc: Option<u64>,
    pub(super) left: u64,
    pub(super) failed: Option<Refused>,
    pub(super) password: bool,
}

impl Read for Member<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone().into());
        }
        let failed = match self.inner.read(buffer) {
            Ok(0) if self.left > 0 && !buffer.is_empty() => {
                Refused::damaged(format!("it decompresses to {} bytes less than the archive says", self.left))
            }
            Ok(count) => {
                self.computed.update(buffer.get(..count).unwrap_or_default());
                self.left = self.left.saturating_sub(count as u64);
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) if self.password => refusal(&Error::MaybeBadPassword(error), true),
            Err(error) => Refused::of(&error)
                .cloned()
                .unwrap_or_else(|| Refused::damaged("its data are damaged, or its CRC-32 does not match")),
        };
        self.failed = Some(failed.clone());
        Err(failed.into())
    }
}

impl Content for Member<'_> {
    fn finish(&mut self) -> Vouched {
        // The member has stored any error.
        let _ = drain(self);
        if let Some(failed) = &self.failed {
            return Vouched::Unverified(failed.reason.clone());
        }
        let found = self.computed.sum();
        match self.crc {
            Some(crc) if crc != u64::from(found) => {
                Vouched::Unverified(format!("its CRC-32 does not match: {crc:08x} stored, {found:08x} computed"))
            }
            Some(_) => Vouched::by("CRC-32 (7z)"),
            None => Vouched::Unprotected,
        }
    }
}

/// A member that was decompressed into memory.
pub(super) struct Kept {
    pub(super) bytes: io::Cursor<Vec<u8>>,
    pub(super) vouched: Vouched,
}

impl Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl Content for Kept {
    fn finish(&mut self) -> Vouched {
        self.vouched.clone()
    }
}
