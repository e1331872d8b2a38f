//! The limits for reading an archive.

/// The limits for reading an archive. The file system's defects report everything that a limit cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of members.
    pub members: usize,
    /// Bytes of all names together, which also limits the number of folders.
    pub names: usize,
    /// Bytes that the first pass over a compressed stream decompresses.
    pub unpacked: u64,
}

/// The most members of one archive. A collection of a whole machine has some ten thousand.
const MOST_MEMBERS: usize = 1_000_000;
/// The most bytes of all names of one archive.
const MOST_NAMES: usize = 256 << 20;
/// The most bytes that a stream is decompressed to: a disk of 1 TiB.
const MOST_UNPACKED: u64 = 1 << 40;

impl Default for Limits {
    fn default() -> Self {
        Self { members: MOST_MEMBERS, names: MOST_NAMES, unpacked: MOST_UNPACKED }
    }
}
