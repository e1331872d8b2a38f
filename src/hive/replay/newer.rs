//! Detects logs with changes that a supposedly clean hive lacks: it is an older copy, or its sequence numbers were set.
//!
//! If both sequence numbers are equal, Windows reads no log, and neither does this program, but it reports that changes
//! are missing. After an entry has been applied, both sequence numbers are at least its own: msuhanov, "Windows
//! registry file format specification", "Log entries". So the hive lacks an entry with its own number or a later one if
//! the pages of the entry are not in it, byte for byte.

use super::{Candidate, LogOutcome, of_another_hive};
use crate::error::Problem;
use crate::evidence::Bytes;
use crate::hive::base_block::{self, BaseBlock};
use crate::hive::transaction_log::new_format::entry_at;
use crate::hive::transaction_log::{Log, LogFormat, LogState, Page, later};

/// The most entries that are checked. A real log has several hundred.
const MOST_ENTRIES: usize = 65_536;

/// Marks the logs that are newer than the hive, each with a problem.
pub(super) fn tell(ours: &BaseBlock, primary: &Bytes, candidates: &[Candidate<'_>], logs: &mut [LogOutcome]) {
    for Candidate { index, name, log } in candidates {
        let Some(sequence) = lacking(ours, primary, log) else { continue };
        let expected = format!("no entry that is newer than the clean hive (number {})", ours.primary_sequence);
        let advice = "Windows uses a clean hive as it is and ignores this log; the hive is an older copy, or its \
                      sequence numbers were set";
        let problem = Problem::at(4, expected, format!("entry {sequence}, which the hive lacks")).advise(advice);
        if let Some(outcome) = logs.get_mut(*index) {
            outcome.state = LogState::NotReplayed;
            outcome.problems.push(Problem { path: Some((*name).to_owned()), ..problem });
        }
    }
}

/// Returns the number of the first entry that the hive lacks.
fn lacking(ours: &BaseBlock, primary: &Bytes, log: &Log<'_>) -> Option<u32> {
    let its = &log.base_block;
    if its.primary_sequence != its.secondary_sequence || of_another_hive(ours, its).is_some() {
        return None;
    }
    if log.format == LogFormat::Old {
        return later(its.primary_sequence, ours.primary_sequence).then_some(its.primary_sequence);
    }
    let (mut at, mut number) = (log.second_sector(), its.primary_sequence);
    for _ in 0..MOST_ENTRIES {
        let entry = entry_at(log.bytes, at, number).ok()?;
        if !later(ours.primary_sequence, number) && entry.pages.iter().any(|page| !stands_in(primary, page)) {
            return Some(number);
        }
        (at, number) = (entry.end, number.wrapping_add(1));
    }
    None
}

/// Returns whether the hive has a page. Of bytes that cannot be read nothing is said.
fn stands_in(primary: &Bytes, page: &Page<'_>) -> bool {
    let start = usize::try_from(page.offset).unwrap_or(usize::MAX).saturating_add(base_block::SIZE);
    if primary.holes().touch(start as u64, page.bytes.len() as u64) {
        return true;
    }
    primary.get(start..).is_some_and(|rest| rest.starts_with(page.bytes))
}
