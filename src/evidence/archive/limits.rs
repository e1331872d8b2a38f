//! How much of an archive is read.

/// Limits that an archive is read within. What a limit cut off is told in the file system's defects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Members.
    pub members: usize,
    /// Bytes of all names together, and so the number of folders that names make.
    pub names: usize,
    /// Bytes that the first pass over a compressed stream decompresses.
    pub unpacked: u64,
}

/// Members of one archive. A collection of a whole machine has some ten thousand.
const MOST_MEMBERS: usize = 1_000_000;
/// Bytes of all names of one archive.
const MOST_NAMES: usize = 256 << 20;
/// Bytes that a stream is decompressed to: a disk of 1 TiB.
const MOST_UNPACKED: u64 = 1 << 40;

impl Default for Limits {
    fn default() -> Self {
        Self { members: MOST_MEMBERS, names: MOST_NAMES, unpacked: MOST_UNPACKED }
    }
}
