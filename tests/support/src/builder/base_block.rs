//! The base block: the first 4096 bytes of a hive, the first 512 of a transaction log.

use super::PAGE;
use super::names::utf16le;

/// The bytes that the checksum covers. The checksum follows them.
const CHECKSUMMED: usize = 508;

/// The kind of a file that begins with a base block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// A hive.
    Primary = 0,
    /// A transaction log of the old format (`DIRT`), Windows XP and later.
    OldLog = 1,
    /// A transaction log of the new format (`HvLE`), Windows 8.1 and later.
    NewLog = 6,
}

/// The fields of a base block that a test can choose.
#[derive(Debug, Clone)]
pub struct BaseBlock {
    /// The primary sequence number.
    pub primary_sequence: u32,
    /// The secondary sequence number.
    pub secondary_sequence: u32,
    /// 100 ns since 1601.
    pub last_written: u64,
    /// The minor version of the format.
    pub minor: u32,
    /// The kind of the file.
    pub file_type: FileType,
    /// The offset of the root key's cell, from the start of the hive bins.
    pub root_cell: u32,
    /// The size of all hive bins.
    pub hive_bins_size: u32,
    /// The file name. Its last 31 units are kept.
    pub file_name: Vec<u16>,
    /// The checksum, if it should be wrong.
    pub checksum: Option<u32>,
}

impl BaseBlock {
    /// Returns the whole block. A log contains its first 512 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut block = vec![0; PAGE];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"regf");
        put(4, &self.primary_sequence.to_le_bytes());
        put(8, &self.secondary_sequence.to_le_bytes());
        put(12, &self.last_written.to_le_bytes());
        put(20, &1_u32.to_le_bytes()); // major version
        put(24, &self.minor.to_le_bytes());
        put(28, &(self.file_type as u32).to_le_bytes());
        put(32, &1_u32.to_le_bytes()); // file format: direct memory load
        put(36, &self.root_cell.to_le_bytes());
        put(40, &self.hive_bins_size.to_le_bytes());
        put(44, &1_u32.to_le_bytes()); // clustering factor: sectors of 512 bytes
        let kept = self.file_name.len().saturating_sub(31);
        put(48, &utf16le(&self.file_name[kept..]));
        match self.checksum {
            Some(checksum) => put(CHECKSUMMED, &checksum.to_le_bytes()),
            None => fix_checksum(&mut block),
        }
        block
    }
}

/// Returns the correct checksum of a base block: its words XORed, except that Windows never writes 0 or -1.
pub fn checksum(block: &[u8]) -> u32 {
    let (words, _) = block[..CHECKSUMMED].as_chunks::<4>();
    match words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// Corrects the checksum of a hive or log after a change to its base block.
pub fn fix_checksum(file: &mut [u8]) {
    let sum = checksum(file);
    file[CHECKSUMMED..CHECKSUMMED + 4].copy_from_slice(&sum.to_le_bytes());
}
