//! Transaction logs: what lies beside a hive, and whether it matters.
//!
//! M. Suhanov, "Windows registry file format specification", section "Format of transaction log files".

use serde::Serialize;

use super::base_block::BaseBlock;
use crate::error::Problem;

/// The two formats of transaction logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A vector of dirty sectors, then those sectors; Windows 2000 to 7.
    Old,
    /// Entries with hashes; Windows 8.1 and later.
    New,
}

/// What a log is to its hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogState {
    /// Its changes were applied in memory.
    Used,
    /// The hive is clean, so that nothing in the log is missing from it; or the log is empty.
    Stale,
    /// Its base block is not one.
    Invalid,
    /// It belongs to another hive.
    Foreign,
    /// The hive is dirty, and the log was left alone.
    NotReplayed,
}

/// Looks at the start of a log file beside a hive: its format, what it is to the hive, and what is wrong with it.
pub fn classify(log: &[u8], hive_is_dirty: bool) -> (Option<LogFormat>, LogState, Option<Problem>) {
    // Windows empties a log, or fills it with zeros, when it is done with it.
    if log.iter().take(512).all(|byte| *byte == 0) {
        return (None, LogState::Stale, None);
    }
    let base_block = match BaseBlock::read(log) {
        Ok(base_block) => base_block,
        Err(problem) => return (None, LogState::Invalid, Some(problem)),
    };
    let format = match base_block.file_type {
        1 | 2 => LogFormat::Old,
        6 => LogFormat::New,
        other => {
            let problem = Problem::at(28, "file type 1, 2 or 6 (a transaction log)", format!("file type {other}"));
            return (None, LogState::Invalid, Some(problem));
        }
    };
    if !base_block.checksum_valid() {
        let problem = Problem::at(
            508,
            format!("checksum {:#010x}", base_block.checksum_computed),
            format!("{:#010x}", base_block.checksum_stored),
        );
        return (Some(format), LogState::Invalid, Some(problem));
    }
    (Some(format), if hive_is_dirty { LogState::NotReplayed } else { LogState::Stale }, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_log_says_nothing_and_a_text_file_is_no_log() {
        assert_eq!(classify(&[], true).1, LogState::Stale);
        assert_eq!(classify(&[0; 1024], true).1, LogState::Stale);
        assert_eq!(classify(&[b'x'; 1024], false).1, LogState::Invalid);
    }
}
