//! Hashes of files and of bytes in memory.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use clap::ValueEnum;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::local;
use crate::progress::{self, Task};
use crate::registry::hex;

/// Bytes hashed at a time: small enough to stay in a core's own cache, large enough that reading costs little.
const AT_A_TIME: usize = 64 << 10;

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Algorithm {
    /// SHA-256, which is always computed
    Sha256,
    /// MD5, for comparison with older records
    Md5,
    /// SHA-1, for comparison with older records
    Sha1,
}

impl Algorithm {
    /// All algorithms, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Md5, Self::Sha1];

    /// Returns the name as options and reports in JSON write it: `sha256`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
        })
    }
}

/// The hashes to compute of a file: SHA-256, and others on request. SHA-256 is not optional, because patches are tied
/// to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    /// Compute MD5 too.
    pub md5: bool,
    /// Compute SHA-1 too.
    pub sha1: bool,
}

impl FromIterator<Algorithm> for Hashes {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        let mut hashes = Self::default();
        for algorithm in algorithms {
            match algorithm {
                Algorithm::Sha256 => {}
                Algorithm::Md5 => hashes.md5 = true,
                Algorithm::Sha1 => hashes.sha1 = true,
            }
        }
        hashes
    }
}

/// The hashes of one file, in lower-case hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// SHA-256.
    pub sha256: String,
    /// MD5, if requested.
    pub md5: Option<String>,
    /// SHA-1, if requested.
    pub sha1: Option<String>,
}

/// Returns the hashes of a file that exist, each with its algorithm, in the order of reports.
pub fn named<'s>(
    sha256: Option<&'s str>,
    md5: Option<&'s str>,
    sha1: Option<&'s str>,
) -> impl Iterator<Item = (Algorithm, &'s str)> {
    Algorithm::ALL.into_iter().zip([sha256, md5, sha1]).filter_map(|(algorithm, sum)| Some((algorithm, sum?)))
}

/// Computes all requested hashes in one pass.
struct Digests {
    sha256: Sha256,
    md5: Option<Md5>,
    sha1: Option<Sha1>,
}

impl Digests {
    fn new(hashes: Hashes) -> Self {
        Self { sha256: Sha256::new(), md5: hashes.md5.then(Md5::new), sha1: hashes.sha1.then(Sha1::new) }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.md5.iter_mut().for_each(|md5| md5.update(bytes));
        self.sha1.iter_mut().for_each(|sha1| sha1.update(bytes));
    }

    fn finish(self) -> Sums {
        Sums {
            sha256: hex(&self.sha256.finalize()),
            md5: self.md5.map(|md5| hex(&md5.finalize())),
            sha1: self.sha1.map(|sha1| hex(&sha1.finalize())),
        }
    }
}

/// Returns the hashes of a file and its size in bytes.
///
/// The file is read once, and in pieces, not through the map, so that hashing a large hive does not keep it in memory.
///
/// # Errors
/// The operating system's error for the file.
pub fn sums(path: &Path, hashes: Hashes) -> io::Result<(Sums, u64)> {
    let mut file = local::open(path)?;
    let mut digests = Digests::new(hashes);
    let mut buffer = vec![0; AT_A_TIME];
    let mut size = 0_u64;
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok((digests.finish(), size)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digests.update(buffer.get(..count).unwrap_or_default());
        progress::step(Task::Hashing, || path.display().to_string(), count as u64);
        size = size.saturating_add(count as u64);
    }
}

/// Returns the hashes of bytes in memory.
pub fn sums_of(bytes: &[u8], hashes: Hashes) -> Sums {
    let mut digests = Digests::new(hashes);
    bytes.chunks(AT_A_TIME).for_each(|piece| digests.update(piece));
    digests.finish()
}

/// Returns the SHA-256 of a file and its size in bytes; see [`sums`].
///
/// # Errors
/// The operating system's error for the file.
pub fn sha256(path: &Path) -> io::Result<(String, u64)> {
    sums(path, Hashes::default()).map(|(sums, size)| (sums.sha256, size))
}

/// Returns the SHA-256 of bytes in memory.
pub fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns whether a text is a SHA-256 as [`sha256_of`] writes it, in any letter case.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_bytes_have_the_same_hashes_and_sha256_is_always_one_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("SYSTEM");
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(2 * AT_A_TIME + 5).collect();
        std::fs::write(&path, &bytes).unwrap();
        for wanted in [&[][..], &[Algorithm::Sha256], &[Algorithm::Md5], &[Algorithm::Sha1], &Algorithm::ALL] {
            let hashes: Hashes = wanted.iter().copied().collect();
            let (of_file, size) = sums(&path, hashes).unwrap();
            assert_eq!((size, &of_file), (bytes.len() as u64, &sums_of(&bytes, hashes)));
            assert_eq!(of_file.sha256, sha256_of(&bytes));
            assert_eq!(of_file.md5.is_some(), wanted.contains(&Algorithm::Md5));
            assert_eq!(of_file.sha1.is_some(), wanted.contains(&Algorithm::Sha1));
        }
    }

    /// The values of RFC 1321 and FIPS 180.
    #[test]
    fn the_hashes_of_three_letters_are_those_of_the_standards() {
        let sums = sums_of(b"abc", Hashes { md5: true, sha1: true });
        assert_eq!(sums.md5.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(sums.sha1.as_deref(), Some("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert_eq!(sums.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
