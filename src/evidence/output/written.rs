//! The list of the outputs of a run, with size and hash of the bytes as they were written.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::registry::hex;

/// One output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The path as the user named it; `-` for standard output.
    pub path: String,
    /// The size in bytes; `null` if the reader of a stream stopped early.
    pub size: Option<u64>,
    /// The SHA-256 of the bytes.
    pub sha256: Option<String>,
}

/// The outputs of a run, in the order of writing.
#[derive(Debug, Default)]
pub(super) struct List(Mutex<Vec<Written>>);

impl List {
    pub(super) fn add(&self, path: &Path, sum: Option<(u64, String)>) {
        let (size, sha256) = sum.unzip();
        let written = Written { path: path.display().to_string(), size, sha256 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(written);
    }

    pub(super) fn all(&self) -> Vec<Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A writer that hashes the bytes that pass through it.
pub(super) struct Hashing<'w> {
    writer: &'w mut dyn Write,
    state: Sha256,
    size: u64,
}

impl<'w> Hashing<'w> {
    pub(super) fn new(writer: &'w mut dyn Write) -> Self {
        Self { writer, state: Sha256::new(), size: 0 }
    }

    /// Returns the size in bytes and the hash of all written bytes.
    pub(super) fn sum(self) -> (u64, String) {
        (self.size, hex(&self.state.finalize()))
    }
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.writer.write(bytes)?;
        self.state.update(bytes.get(..taken).unwrap_or(bytes));
        self.size = self.size.saturating_add(taken as u64);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::sha256_of;

    #[test]
    fn what_is_hashed_is_what_was_taken() {
        /// Accepts three bytes at a time.
        struct Slow(Vec<u8>);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let taken = bytes.len().min(3);
                self.0.extend_from_slice(&bytes[..taken]);
                Ok(taken)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut slow = Slow(Vec::new());
        let mut hashing = Hashing::new(&mut slow);
        hashing.write_all(b"seven bytes or more").unwrap();
        assert_eq!(hashing.sum(), (19, sha256_of(b"seven bytes or more")));
        assert_eq!(slow.0, b"seven bytes or more");
    }
}
