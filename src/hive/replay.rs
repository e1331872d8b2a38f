//! Replays transaction logs: selects the logs with changes that a dirty hive lacks, and applies these in memory.
//!
//! M. Suhanov, "Windows registry file format specification", sections "Format of transaction log files" to "Multiple
//! transaction log files". Where the specification leaves a choice, the one that applies less is chosen:
//!
//! * If logs exist in both formats, those of the new format come first. The old format is used only if they contain
//!   nothing.
//! * A log belongs to another hive if both base blocks name different files or different resource managers. Machines of
//!   one kind give SYSTEM the same file name, but every hive has its own resource manager. A damaged base block of the
//!   primary file cannot contradict. Then the time in it, or in the first bin, ties a log of the old format to the
//!   hive; a log of the new format is tied only by its place.
//! * A log of the old format, which has no hashes, is applied whole or not at all.
//! * A damaged base block is replaced only if pages of that log can be applied too.

use serde::{Deserialize, Serialize};

use super::base_block::{self, BaseBlock};
use super::transaction_log::{Log, LogFormat, LogState, Page, later};
use crate::error::Problem;
use crate::evidence::Bytes;
use crate::registry::{FileTime, same_text};

mod apply;
mod newer;
mod writes;

pub use writes::{LogEntry, LogPart};
pub(super) use writes::{Sectors, Writes};

/// The result of a replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The format of the logs.
    pub log_format: LogFormat,
    /// The names of the applied logs, in order.
    pub logs_used: Vec<String>,
    /// Applied entries of the new format. A log of the old format counts as one.
    pub entries_applied: u64,
    /// The first entry's sequence number. For the old format, that of the log.
    pub first_sequence: u32,
    /// The last entry's sequence number.
    pub last_sequence: u32,
    /// The number of pages as the logs count them: references in the new format, pieces of 512 bytes in the old format.
    /// A page that several entries write counts several times.
    pub pages_written: u64,
}

/// The result for one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOutcome {
    /// Its format, if it can be detected.
    pub format: Option<LogFormat>,
    /// Its relation to the hive.
    pub state: LogState,
    /// Its problems, or why it was not applied. Each names the log. Offsets count from the log's start.
    pub problems: Vec<Problem>,
}

/// The result for all logs beside a hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One result for each log, in the given order.
    pub logs: Vec<LogOutcome>,
    /// The replay; `None` if the hive is clean or no log contains missing changes.
    pub replay: Option<Replay>,
    /// The source of the bytes of the hive.
    pub(super) writes: Writes,
}

/// A log that may be applied.
struct Candidate<'l> {
    /// Its index among the given logs.
    index: usize,
    name: &'l str,
    log: Log<'l>,
}

/// Replays the logs, each with its name in reports, on the bytes of a primary file. Changes bytes only if the hive is
/// dirty and a log that belongs to it is sound.
pub fn replay(primary: &mut Bytes, logs: &[(&str, &[u8])]) -> Outcome {
    let base_block = BaseBlock::read(primary).ok();
    let dirty = base_block.as_ref().is_none_or(BaseBlock::is_dirty);
    let (mut logs, mut candidates) = look_at(logs, dirty);
    if dirty {
        primary.whole();
    }
    if !dirty {
        if let Some(ours) = &base_block {
            newer::tell(ours, primary, &candidates, &mut logs);
        }
        return Outcome { logs, replay: None, writes: Writes::default() };
    }
    let sound = base_block.as_ref().filter(|base_block| base_block.checksum_valid());
    let written = base_block.as_ref().map(|base_block| base_block.last_written);
    let first_bin = first_bin_time(primary).filter(|_| sound.is_none());
    let hive = Primary { base_block: sound, written: [written, first_bin] };
    let mut passed_over = Vec::new();
    candidates.retain(|candidate| match hive.refuses(&candidate.log) {
        None => true,
        Some((state, problem)) => {
            if let Some(log) = logs.get_mut(candidate.index) {
                log.state = state;
            }
            passed_over.push((candidate.index, candidate.name, state, problem));
            false
        }
    });
    let (new, old): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| candidate.log.format == LogFormat::New);
    let mut writes = Writes::default();
    let mut replay = apply::new_format(primary, hive.base_block, new, &mut logs, &mut writes);
    if replay.is_none() {
        replay = apply::old_format(primary, hive.base_block, old, &mut logs, &mut writes);
    }
    for (index, name, state, problem) in passed_over {
        // Windows always leaves one of two logs older. It is reported only if nothing was replayed, as the reason.
        if state != LogState::Stale || replay.is_none() {
            tell(&mut logs, index, name, problem);
        }
    }
    Outcome { logs, replay, writes }
}

/// Checks each log by itself, and returns those that may be applied to a dirty hive.
fn look_at<'l>(logs: &[(&'l str, &'l [u8])], dirty: bool) -> (Vec<LogOutcome>, Vec<Candidate<'l>>) {
    let mut outcomes = Vec::with_capacity(logs.len());
    let mut candidates = Vec::new();
    for (index, (name, bytes)) in logs.iter().enumerate() {
        outcomes.push(match Log::read(bytes) {
            Ok(Some(log)) => {
                let state = if dirty { LogState::NotReplayed } else { LogState::Stale };
                let format = Some(log.format);
                candidates.push(Candidate { index, name, log });
                LogOutcome { format, state, problems: Vec::new() }
            }
            Ok(None) => LogOutcome { format: None, state: LogState::Stale, problems: Vec::new() },
            Err((format, problem)) => {
                let problems = vec![Problem { path: Some((*name).to_owned()), ..problem }];
                LogOutcome { format, state: LogState::Invalid, problems }
            }
        });
    }
    (outcomes, candidates)
}

/// Checks each log beside a hive by itself, without replaying.
pub fn look(logs: &[(&str, &[u8])], hive_is_dirty: bool) -> Outcome {
    Outcome { logs: look_at(logs, hive_is_dirty).0, replay: None, writes: Writes::default() }
}

fn tell(logs: &mut [LogOutcome], index: usize, name: &str, problem: Problem) {
    if let Some(log) = logs.get_mut(index) {
        log.problems.push(Problem { path: Some(name.to_owned()), ..problem });
    }
}

/// What is known about the primary file before replay.
struct Primary<'p> {
    /// The base block, if its checksum is correct.
    base_block: Option<&'p BaseBlock>,
    /// When it was last written, according to its base block, even if damaged, and, if that is damaged, to its first
    /// bin. After an interrupted write the base block has the log's time, but the bin may still have the old one.
    written: [Option<FileTime>; 2],
}

impl Primary<'_> {
    /// Returns why a log must not be applied, and its state then.
    fn refuses(&self, log: &Log<'_>) -> Option<(LogState, Problem)> {
        let its = &log.base_block;
        if its.primary_sequence != its.secondary_sequence {
            let found = format!("{} and {}", its.primary_sequence, its.secondary_sequence);
            let expected = "equal sequence numbers (a log that was written to its end)";
            return Some((LogState::Invalid, Problem::at(4, expected, found)));
        }
        if let Some(ours) = self.base_block
            && let Some(problem) = of_another_hive(ours, its)
        {
            return Some((LogState::Foreign, problem));
        }
        match log.format {
            LogFormat::Old => {
                let time = |time: &FileTime| time.to_string();
                let times: Vec<String> = self.written.iter().flatten().map(time).collect();
                let problem = || {
                    let expected = format!("the time of the hive's last write, {}", times.join(" or "));
                    Problem::at(12, expected, its.last_written.to_string())
                };
                (!self.written.contains(&Some(its.last_written))).then(|| (LogState::Stale, problem()))
            }
            LogFormat::New => {
                let secondary = self.base_block?.secondary_sequence;
                let found = format!("a log that begins with {}", its.primary_sequence);
                let problem = || Problem::at(4, format!("a log that begins with entry {secondary} or later"), found);
                later(secondary, its.primary_sequence).then(|| (LogState::Stale, problem()))
            }
        }
    }
}

/// Returns why a log's base block belongs to another hive.
fn of_another_hive(ours: &BaseBlock, its: &BaseBlock) -> Option<Problem> {
    let named = !ours.file_name.is_empty() && !its.file_name.is_empty();
    if named && !same_text(&ours.file_name, &its.file_name) {
        return Some(Problem::at(48, format!("a log of the hive {}", ours.file_name), its.file_name.clone()));
    }
    let identified = [ours, its].iter().all(|base_block| base_block.resource_manager != [0; 16]);
    (identified && ours.resource_manager != its.resource_manager).then(|| {
        let expected = format!("a log of the hive's resource manager, {}", hex(ours));
        Problem::at(112, expected, hex(its))
    })
}

fn hex(base_block: &BaseBlock) -> String {
    crate::registry::hex(&base_block.resource_manager)
}

/// Returns when the hive was last written according to the header of its first bin.
fn first_bin_time(primary: &[u8]) -> Option<FileTime> {
    let bin = primary.get(base_block::SIZE..)?.first_chunk::<32>()?;
    let time = bin.get(20..28)?.first_chunk().map(|time| FileTime(u64::from_le_bytes(*time)))?;
    bin.starts_with(b"hbin").then_some(time)
}

/// The primary file while pages are written into it.
struct Target<'b> {
    bytes: &'b mut Bytes,
    /// The end that pages may reach, in bytes from the file's start.
    limit: usize,
}

impl<'b> Target<'b> {
    /// Creates the target. Logs contain the bins that a hive grows by completely, so the hive can grow by no more than
    /// the logs' size. A few bytes that claim a page two gigabytes away cannot fill the memory.
    fn new(bytes: &'b mut Bytes, logs: &[Candidate<'_>]) -> Self {
        let held = logs.iter().fold(0_usize, |sum, candidate| sum.saturating_add(candidate.log.bytes.len()));
        let limit = bytes.len().max(base_block::SIZE).saturating_add(held);
        Self { bytes, limit }
    }

    /// Writes all pages or none.
    ///
    /// # Errors
    /// Returns a problem if a page lies too far beyond the end of the hive.
    fn write(&mut self, pages: &[Page<'_>]) -> Result<(), Problem> {
        let start =
            |page: &Page<'_>| usize::try_from(page.offset).unwrap_or(usize::MAX).saturating_add(base_block::SIZE);
        let end = pages.iter().map(|page| start(page).saturating_add(page.bytes.len())).max().unwrap_or(0);
        if end > self.limit {
            let expected =
                format!("pages that end within {} bytes: the hive, and as much more as the logs hold", self.limit);
            return Err(Problem::at(0, expected, format!("a page that ends at {end}")));
        }
        self.bytes.lengthen(end);
        let bytes = self.bytes.in_memory();
        for page in pages {
            let at = start(page);
            if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..page.bytes.len())) {
                place.copy_from_slice(page.bytes);
            }
        }
        Ok(())
    }
}
