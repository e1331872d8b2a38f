//! Transaction logs: the contents of one log file by itself. `replay.rs` decides how it relates to the hive.
//!
//! M. Suhanov, "Windows registry file format specification", section "Format of transaction log files".

use serde::{Deserialize, Serialize};

use super::base_block::BaseBlock;
use crate::error::Problem;

mod marvin32;
pub(super) mod new_format;
pub(super) mod old_format;

/// More bytes than the bins of a hive can have: the top bit of a cell's offset marks volatile storage.
const MAX_DATA_SIZE: u32 = 1 << 31;
/// The largest sector of any known log, in units of 512 bytes.
const MAX_CLUSTERING: u32 = 8;

/// The two formats of transaction logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A vector of dirty sectors, then those sectors. Windows 2000 to 8.
    Old,
    /// Entries with hashes. Windows 8.1 and later.
    New,
}

/// The relation of a log to its hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogState {
    /// Its changes were applied in memory.
    Used,
    /// It is empty, the hive is clean, or the log is of an earlier write: the hive lacks nothing from it.
    Stale,
    /// It is not a log, was not written whole, or its first entry is damaged.
    Invalid,
    /// It belongs to another hive.
    Foreign,
    /// The log contains changes that the hive lacks, and was not applied: replay was not possible, or the hive claims
    /// to be clean.
    NotReplayed,
    /// The log is missing, although the other log of the pair exists.
    Missing,
}

/// Bytes that a log writes into the hive bins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'l> {
    /// Their offset, in bytes from the first hive bin.
    pub(super) offset: u32,
    /// The bytes.
    pub(super) bytes: &'l [u8],
}

/// A log whose base block has a correct checksum. The rest of the log is not checked yet.
#[derive(Clone, Debug)]
pub(super) struct Log<'l> {
    pub(super) format: LogFormat,
    pub(super) base_block: BaseBlock,
    pub(super) bytes: &'l [u8],
}

impl<'l> Log<'l> {
    /// Reads the base block of a log. Returns `None` if Windows emptied the log or filled it with zeros.
    ///
    /// # Errors
    /// Returns why this is not a log, with its format if it can be detected.
    pub(super) fn read(bytes: &'l [u8]) -> Result<Option<Self>, (Option<LogFormat>, Problem)> {
        if bytes.iter().take(512).all(|byte| *byte == 0) {
            return Ok(None);
        }
        let base_block = BaseBlock::read(bytes).map_err(|problem| (None, problem))?;
        let format = match base_block.file_type {
            1 | 2 => LogFormat::Old,
            6 => LogFormat::New,
            other => {
                let problem = Problem::at(28, "file type 1, 2 or 6 (a transaction log)", format!("file type {other}"));
                return Err((None, problem));
            }
        };
        if !base_block.checksum_valid() {
            let expected = format!("checksum {:#010x}", base_block.checksum_computed);
            let problem = Problem::at(508, expected, format!("{:#010x}", base_block.checksum_stored));
            return Err((Some(format), problem));
        }
        Ok(Some(Self { format, base_block, bytes }))
    }

    /// Returns the offset of the second sector: 512 bytes, or more on disks with larger sectors.
    pub(super) fn second_sector(&self) -> usize {
        let mark: &[u8] = match self.format {
            LogFormat::Old => b"DIRT",
            LogFormat::New => b"HvLE",
        };
        let sectors = self.base_block.clustering.clamp(1, MAX_CLUSTERING);
        let larger = usize::try_from(sectors).unwrap_or(1).saturating_mul(512);
        let is_there = |at: usize| self.bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
        if !is_there(512) && is_there(larger) { larger } else { 512 }
    }
}

/// Returns whether sequence number `a` is later than `b`. The numbers wrap around, so a number is later if it is less
/// than half the range ahead.
pub(super) fn later(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 1 << 31
}

fn dword(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_log_says_nothing_and_a_text_file_is_no_log() {
        assert!(matches!(Log::read(&[]), Ok(None)));
        assert!(matches!(Log::read(&[0; 1024]), Ok(None)));
        assert!(matches!(Log::read(&[b'x'; 1024]), Err((None, _))));
    }

    #[test]
    fn sequence_numbers_wrap_around() {
        assert!(later(2, 1) && !later(1, 2) && !later(7, 7));
        assert!(later(0, u32::MAX) && !later(u32::MAX, 0));
    }
}
