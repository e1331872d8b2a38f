//! Applies logs that belong to the hive, in their order, as far as they are sound.

use super::{Candidate, LogOutcome, LogPart, Replay, Target, Writes, tell};
use crate::error::Problem;
use crate::evidence::Bytes;
use crate::hive::base_block::{self, BaseBlock};
use crate::hive::transaction_log::new_format::{Entry, Stop, entry_at};
use crate::hive::transaction_log::old_format::{self, check_bins, dirty_pages};
use crate::hive::transaction_log::{LogFormat, LogState, later};

/// Applies logs of the new format. `base_block` is the hive's if it is intact. Otherwise only the latest log is used,
/// and its base block replaces that of the hive.
pub(super) fn new_format(
    primary: &mut Bytes,
    base_block: Option<&BaseBlock>,
    mut candidates: Vec<Candidate<'_>>,
    logs: &mut [LogOutcome],
    writes: &mut Writes,
) -> Option<Replay> {
    if let Some(base_block) = base_block {
        // The distance ahead of the hive gives the order in which the logs were written, even after a wrap-around.
        let ahead = |one: &Candidate<'_>| begins_with(one).wrapping_sub(base_block.secondary_sequence);
        candidates.sort_by_key(|one| (ahead(one), rank(one.name)));
    } else {
        candidates = latest(candidates).into_iter().collect();
    }
    let mut target = Target::new(primary, &candidates);
    let mut replay: Option<Replay> = None;
    let mut last: Option<(u32, u32)> = None;
    let mut next: Option<u32> = None;
    for candidate in &candidates {
        let first = begins_with(candidate);
        if let Some(next) = next.filter(|next| *next != first) {
            let problem = Problem::at(4, format!("a log that goes on with entry {next}"), format!("entry {first}"));
            tell(logs, candidate.index, candidate.name, problem);
            continue;
        }
        let mut at = candidate.log.second_sector();
        let mut expected = first;
        let stop = loop {
            let entry = match entry_at(candidate.log.bytes, at, expected) {
                Ok(entry) => entry,
                Err(stop) => break stop,
            };
            if let Err(problem) = target.write(&entry.pages) {
                break Stop::Unsound(Problem { offset: Some(at as u64), ..problem });
            }
            writes.note(candidate.name, candidate.log.bytes, LogPart::Entry, entry.sequence, &entry.pages);
            last = Some((entry.data_size, entry.flags));
            count(&mut replay, &entry, candidate.name);
            at = entry.end;
            expected = expected.wrapping_add(1);
        };
        next = Some(expected);
        let applied = expected != first;
        if let Some(log) = logs.get_mut(candidate.index) {
            log.state = if applied { LogState::Used } else { LogState::Invalid };
        }
        match stop {
            Stop::Unsound(problem) => tell(logs, candidate.index, candidate.name, problem),
            Stop::End if !applied => {
                let problem = Problem::at(at as u64, format!("log entry {first} (HvLE)"), "no such entry");
                tell(logs, candidate.index, candidate.name, problem);
            }
            Stop::End => {}
        }
    }
    let (data_size, flags) = last?;
    let replay = replay?;
    let recovered = candidates.first().filter(|_| base_block.is_none());
    finish(primary, recovered, replay.last_sequence, data_size, Some(flags));
    Some(replay)
}

fn count(replay: &mut Option<Replay>, entry: &Entry<'_>, name: &str) {
    let replay = replay.get_or_insert_with(|| Replay {
        log_format: LogFormat::New,
        logs_used: Vec::new(),
        entries_applied: 0,
        first_sequence: entry.sequence,
        last_sequence: entry.sequence,
        pages_written: 0,
    });
    if replay.logs_used.last().is_none_or(|last| last != name) {
        replay.logs_used.push(name.to_owned());
    }
    replay.entries_applied = replay.entries_applied.saturating_add(1);
    replay.last_sequence = entry.sequence;
    replay.pages_written = replay.pages_written.saturating_add(entry.pages.len() as u64);
}

/// Applies a log of the old format: the first sound one, in Windows' order.
pub(super) fn old_format(
    primary: &mut Bytes,
    base_block: Option<&BaseBlock>,
    mut candidates: Vec<Candidate<'_>>,
    logs: &mut [LogOutcome],
    writes: &mut Writes,
) -> Option<Replay> {
    candidates.sort_by_key(|candidate| rank(candidate.name));
    for candidate in &candidates {
        let log = &candidate.log;
        let data_size = log.base_block.data_size;
        let applied = dirty_pages(log.bytes, log.second_sector(), data_size).and_then(|pages| {
            check_bins(primary, data_size, &pages)?;
            Target::new(primary, &candidates).write(&pages)?;
            writes.note(candidate.name, log.bytes, LogPart::DirtyVector, begins_with(candidate), &pages);
            Ok(pages.iter().fold(0_usize, |sum, page| sum.saturating_add(page.bytes.len())))
        });
        let state = if applied.is_ok() { LogState::Used } else { LogState::Invalid };
        if let Some(log) = logs.get_mut(candidate.index) {
            log.state = state;
        }
        match applied {
            Err(problem) => tell(logs, candidate.index, candidate.name, problem),
            Ok(bytes) => {
                let sequence = begins_with(candidate);
                let recovered = Some(candidate).filter(|_| base_block.is_none());
                finish(primary, recovered, sequence, data_size, None);
                return Some(Replay {
                    log_format: LogFormat::Old,
                    logs_used: vec![candidate.name.to_owned()],
                    entries_applied: 1,
                    first_sequence: sequence,
                    last_sequence: sequence,
                    pages_written: (bytes / old_format::PAGE) as u64,
                });
            }
        }
    }
    None
}

/// Writes the base block of a clean hive. If the hive's own is damaged, the log's replaces it first.
fn finish(primary: &mut Bytes, recovered: Option<&Candidate<'_>>, sequence: u32, data_size: u32, flags: Option<u32>) {
    let bytes = primary.in_memory();
    if let Some(its) = recovered.and_then(|candidate| candidate.log.bytes.first_chunk::<512>())
        && let Some(place) = bytes.first_chunk_mut::<512>()
    {
        *place = *its;
    }
    base_block::settle(bytes, sequence, data_size, flags);
}

fn begins_with(candidate: &Candidate<'_>) -> u32 {
    candidate.log.base_block.primary_sequence
}

/// Returns the log with the latest sequence number.
fn latest(candidates: Vec<Candidate<'_>>) -> Option<Candidate<'_>> {
    candidates.into_iter().reduce(|a, b| if later(begins_with(&b), begins_with(&a)) { b } else { a })
}

/// Windows reads `.LOG1` first, then `.LOG2`. If these exist, `.LOG` serves only older programs.
fn rank(name: &str) -> u8 {
    match name.bytes().last() {
        Some(b'1') => 0,
        Some(b'2') => 1,
        _ => 2,
    }
}
