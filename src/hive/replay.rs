//! Replaying transaction logs: which of those beside a dirty hive hold what is missing from it, and putting that in
//! its place in memory.
//!
//! M. Suhanov, "Windows registry file format specification", sections "Format of transaction log files" to "Multiple
//! transaction log files". What the specification leaves open is decided for the side of applying less:
//!
//! * Of logs in both formats, those of the new one come first; the old one has its turn where they hold nothing.
//! * A log is another hive's where both base blocks name a file, or a resource manager, and not the same. Machines of
//!   one kind name SYSTEM alike, but no two give a hive the same resource manager. A primary file whose base block is
//!   damaged cannot contradict: then the time in it, or in the first bin, ties a log of the old format to it, and
//!   nothing but its place one of the new.
//! * A log of the old format, which has no hashes, is applied whole or not at all.
//! * A damaged base block is replaced only where pages of that log can be applied too.

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

/// What was replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The format of the logs.
    pub log_format: LogFormat,
    /// Their names, in the order in which they were applied.
    pub logs_used: Vec<String>,
    /// Entries of the new format; a log of the old one counts as one.
    pub entries_applied: u64,
    /// The first entry's sequence number; that of the log in the old format.
    pub first_sequence: u32,
    /// The last entry's sequence number.
    pub last_sequence: u32,
    /// Pages as the logs count them: references in the new format, pieces of 512 bytes in the old one. A page that
    /// several entries write counts several times.
    pub pages_written: u64,
}

/// What became of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOutcome {
    /// Its format, where that can be told.
    pub format: Option<LogFormat>,
    /// What it is to the hive.
    pub state: LogState,
    /// What is wrong with it, or why it was left alone. Each names the log; offsets count from the log's start.
    pub problems: Vec<Problem>,
}

/// What became of the logs beside a hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One for each log, in the order in which they were given.
    pub logs: Vec<LogOutcome>,
    /// What was replayed; nothing where the hive is clean, or no log holds what is missing.
    pub replay: Option<Replay>,
    /// Which bytes came from where.
    pub(super) writes: Writes,
}

/// A log that may be applied.
struct Candidate<'l> {
    /// Its place among the logs that were given.
    index: usize,
    name: &'l str,
    log: Log<'l>,
}

/// Replays the logs, each with the name that reports have for it, over the bytes of a primary file. Bytes change only
/// where the hive is dirty and a log that belongs to it is sound.
pub fn replay(primary: &mut Bytes, logs: &[(&str, &[u8])]) -> Outcome {
    let base_block = BaseBlock::read(primary).ok();
    let dirty = base_block.as_ref().is_none_or(BaseBlock::is_dirty);
    let (mut logs, mut candidates) = look_at(logs, dirty);
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
        // That one of two logs is older is how Windows works; where nothing at all was replayed it explains why.
        if state != LogState::Stale || replay.is_none() {
            tell(&mut logs, index, name, problem);
        }
    }
    Outcome { logs, replay, writes }
}

/// Returns what each log is by itself, and those of them that may be applied to a dirty hive.
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

/// Returns what each log beside a hive is by itself; nothing is replayed.
pub fn look(logs: &[(&str, &[u8])], hive_is_dirty: bool) -> Outcome {
    Outcome { logs: look_at(logs, hive_is_dirty).0, replay: None, writes: Writes::default() }
}

fn tell(logs: &mut [LogOutcome], index: usize, name: &str, problem: Problem) {
    if let Some(log) = logs.get_mut(index) {
        log.problems.push(Problem { path: Some(name.to_owned()), ..problem });
    }
}

/// What is known of the primary file before anything is replayed.
struct Primary<'p> {
    /// The base block, where its checksum is right.
    base_block: Option<&'p BaseBlock>,
    /// When it was last written: by its base block, damaged or not, and by its first bin where that one is damaged.
    /// Of a write that was cut short the base block bears the time that the log has, and the bin may not yet.
    written: [Option<FileTime>; 2],
}

impl Primary<'_> {
    /// Returns why a log is not to be applied, and what it is then.
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

/// Returns how a log's base block tells that it is another hive's.
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

/// When the hive was last written, as the header of its first bin has it.
fn first_bin_time(primary: &[u8]) -> Option<FileTime> {
    let bin = primary.get(base_block::SIZE..)?.first_chunk::<32>()?;
    let time = bin.get(20..28)?.first_chunk().map(|time| FileTime(u64::from_le_bytes(*time)))?;
    bin.starts_with(b"hbin").then_some(time)
}

/// The primary file while pages are written into it.
struct Target<'b> {
    bytes: &'b mut Bytes,
    /// The end that the pages may reach, in bytes from the file's start.
    limit: usize,
}

impl<'b> Target<'b> {
    /// Returns the bins that a hive grows by stand in its logs whole. So it can grow by no more than the logs hold, and
    /// a few bytes that claim a page two gigabytes away cannot make it fill the memory.
    fn new(bytes: &'b mut Bytes, logs: &[Candidate<'_>]) -> Self {
        let held = logs.iter().fold(0_usize, |sum, candidate| sum.saturating_add(candidate.log.bytes.len()));
        let limit = bytes.len().max(base_block::SIZE).saturating_add(held);
        Self { bytes, limit }
    }

    /// Writes all of the pages, or none.
    ///
    /// # Errors
    /// A page that lies too far behind the end of the hive.
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
