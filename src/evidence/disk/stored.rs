//! Hashes of the disk that an image stores, and their verification.

use std::fmt;
use std::io;

use md5::Md5;
use sha1::Sha1;
use sha2::Digest;

use super::Disk;
use crate::evidence::block::Blocks;
use crate::progress::{self, Task};
use crate::registry::hex;

/// Bytes hashed at a time.
const AT_A_TIME: usize = 1 << 20;

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
        })
    }
}

/// A hash of the whole disk, as the image's maker stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHash {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The hash, in lower-case hexadecimal digits.
    pub hex: String,
}

/// A stored hash and the computed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The hash in the image.
    pub stored: StoredHash,
    /// The hash of the disk's bytes.
    pub found: String,
}

impl Checked {
    /// Returns whether both hashes are the same.
    pub fn agrees(&self) -> bool {
        self.stored.hex == self.found
    }
}

impl Disk {
    /// Reads the whole disk and compares it with every hash that the image stores; empty if the image stores none.
    ///
    /// # Errors
    /// The disk cannot be read to its end.
    pub fn verify(&self) -> io::Result<Vec<Checked>> {
        if self.stored.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.files.first().map(|path| path.display().to_string()).unwrap_or_default();
        let (md5, sha1) = hash(&self.blocks, &path)?;
        let check = |stored: &StoredHash| {
            let found = if stored.algorithm == Algorithm::Md5 { &md5 } else { &sha1 };
            Checked { stored: stored.clone(), found: found.clone() }
        };
        Ok(self.stored.iter().map(check).collect())
    }
}

/// Returns the MD5 and the SHA-1 of all bytes of the image at `path`.
fn hash(blocks: &Blocks, path: &str) -> io::Result<(String, String)> {
    let (mut md5, mut sha1) = (Md5::new(), Sha1::new());
    let mut buffer = vec![0; AT_A_TIME];
    let mut offset = 0_u64;
    while offset < blocks.size() {
        let count = match blocks.read_at(&mut buffer, offset) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the disk ends at {offset:#x}"))),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let read = buffer.get(..count).unwrap_or_default();
        progress::step(Task::Verifying, || path.to_owned(), count as u64);
        md5.update(read);
        sha1.update(read);
        offset = offset.saturating_add(count as u64);
    }
    Ok((hex(&md5.finalize()), hex(&sha1.finalize())))
}
