//! The facts about a hive file apart from its keys: integrity, logs, checksums.

use rayon::prelude::*;

use super::Options;
use crate::discovery::{FoundHive, Installation};
use crate::error::Problem;
use crate::evidence::Bytes;
use crate::evidence::file::File;
use crate::evidence::hash::{Hashes, Sums};
use crate::hive::transaction_log::{LogFormat, LogState};
use crate::hive::walk::{self, Coverage};
use crate::hive::{self, BaseBlock, Hive, HiveFile, Replay, State, Tree};
use crate::report::{HiveReport, Integrity, LogReport};

/// A hive that was found, and the result of opening it.
pub(crate) struct Opened<'a> {
    pub(crate) found: &'a FoundHive,
    /// The hive, with its logs replayed if they were.
    pub(crate) hive: Result<Hive, Problem>,
    pub(super) replay: Option<Replay>,
    logs: Vec<LogReport>,
    /// The problems of the logs.
    problems: Vec<Problem>,
    /// Whether the other log of the pair is missing. Its contents are lost even if a log was replayed.
    lacks_a_log: bool,
    /// Whether the hive claims to be clean although one of its own logs is newer.
    has_newer_log: bool,
}

/// Opens a hive. If it is dirty and `options` allow it, replays the logs beside it.
pub(crate) fn open<'a>(found: &'a FoundHive, options: &Options) -> Opened<'a> {
    let file = file(found, options);
    let mut problems = Vec::new();
    let files: Vec<Result<Bytes, Problem>> = found
        .logs
        .iter()
        .map(|log| {
            let unreadable = |why: String| Problem::of(&log.locator, "a transaction log that can be read", why);
            match &log.unreadable {
                Some(why) => Err(unreadable(why.clone())),
                None => match log.file.open(options.map) {
                    Ok(mut bytes) => {
                        bytes.whole();
                        if bytes.unread().is_empty() {
                            Ok(bytes)
                        } else {
                            Err(unreadable("bytes that cannot be read".to_owned()))
                        }
                    }
                    Err(error) => Err(unreadable(error.to_string())),
                },
            }
        })
        .collect();
    let bytes = files.iter().map(|file| file.as_deref().unwrap_or_default());
    let logs: Vec<(&str, &[u8])> = found.logs.iter().map(|log| log.locator.as_str()).zip(bytes).collect();
    // Without the unreadable log, the result would differ from that of Windows.
    let replayed = match file {
        Ok(file) if options.replay && files.iter().all(Result::is_ok) => {
            hive::guarded(|| file.replay(&logs)).map_err(|problem| {
                problems.push(problem);
                as_it_lies(found, options)
            })
        }
        file => Err(file.map(HiveFile::as_it_lies)),
    };
    let (mut hive, outcome) = match replayed {
        Ok((hive, outcome)) => (Ok(hive), outcome),
        Err(hive) => {
            let dirty = hive.as_ref().is_ok_and(|hive| hive.base_block().is_dirty());
            let outcome = hive::replay::look(&logs, dirty);
            (hive, outcome)
        }
    };
    if let (true, Ok(hive)) = (options.check, &mut hive) {
        hive.read_whole();
    }
    let mut reports = Vec::with_capacity(logs.len());
    for ((log, file), outcome) in found.logs.iter().zip(&files).zip(outcome.logs) {
        let state = if file.is_ok() { outcome.state } else { LogState::Invalid };
        problems.extend(outcome.problems);
        reports.push(LogReport {
            path: log.locator.clone(),
            size: log.size,
            sha256: None,
            md5: None,
            sha1: None,
            format: outcome.format,
            state,
        });
    }
    problems.extend(files.into_iter().filter_map(Result::err));
    let was_dirty = hive.as_ref().is_ok_and(|hive| hive.base_block_as_it_lies().is_dirty());
    let has_newer_log = !was_dirty && reports.iter().any(|log| log.state == LogState::NotReplayed);
    let missing = missing_log(&reports).filter(|_| was_dirty);
    let lacks_a_log = missing.is_some();
    if let Some(missing) = missing {
        let expected = "the other log of the pair: Windows writes to both in turn";
        problems.push(Problem::of(&missing.path, expected, "no such file").advise(
            "copy this log too, even if it is empty; until then its changes are missing here, and a key that is not \
             found may be in it",
        ));
        reports.push(missing);
    }
    Opened { found, hive, replay: outcome.replay, logs: reports, problems, lacks_a_log, has_newer_log }
}

/// Returns the missing one of two logs of the new format. Windows 8.1 and later writes to `LOG1` and `LOG2`
/// alternately, and needs both to recover a hive. An empty log is not missing. msuhanov, "Windows registry file format
/// specification", "Multiple transaction log files".
fn missing_log(logs: &[LogReport]) -> Option<LogReport> {
    if !logs.iter().any(|log| log.format == Some(LogFormat::New)) {
        return None;
    }
    let number = |log: &LogReport, number: char| {
        let start = log.path.rfind(['/', '!']).map_or(0, |at| at.saturating_add(1));
        let name = log.path.get(start..)?.to_ascii_uppercase();
        let at = name.rfind(&format!("LOG{number}"))?;
        Some(start.saturating_add(at).saturating_add("LOG".len()))
    };
    let one = |wanted| logs.iter().find_map(|log| Some((log, number(log, wanted)?)));
    let (log, at, other) = match (one('1'), one('2')) {
        (Some((log, at)), None) => (log, at, "2"),
        (None, Some((log, at))) => (log, at, "1"),
        _ => return None,
    };
    let mut path = log.path.clone();
    path.replace_range(at..at.checked_add(1)?, other);
    Some(LogReport { path, size: 0, sha256: None, md5: None, sha1: None, format: None, state: LogState::Missing })
}

impl Opened<'_> {
    /// Returns whether the last changes to the hive may be missing.
    pub(crate) fn is_dirty(&self) -> bool {
        self.lacks_a_log || self.has_newer_log || self.hive.as_ref().is_ok_and(|hive| hive.base_block().is_dirty())
    }

    /// Returns the problems of the hive as a whole: of its logs, of its base block, and why it is dirty if it is.
    pub(crate) fn doubts(&self, options: &Options) -> Vec<Problem> {
        let mut doubts = self.problems.clone();
        if let Ok(hive) = &self.hive {
            doubts.extend(hive.problems());
            doubts.extend(hive.base_block().is_dirty().then(|| why_dirty(hive.base_block(), &self.logs, options)));
        }
        doubts.sort();
        doubts.dedup();
        doubts
    }
}

/// Returns the hive from the primary file alone, without its logs.
pub(super) fn as_it_lies(found: &FoundHive, options: &Options) -> Result<Hive, Problem> {
    file(found, options).map(HiveFile::as_it_lies)
}

fn file(found: &FoundHive, options: &Options) -> Result<HiveFile, Problem> {
    match found.file.open(options.map) {
        Ok(bytes) => Hive::from_bytes(bytes),
        Err(error) => Err(Problem::of(&found.locator, "a file that can be read", error.to_string())),
    }
}

/// Below so many bytes, hashing takes less time than waking another thread for it.
const FEW_BYTES: u64 = 512 << 10;

/// Returns whether the files of an installation are hashed in a moment.
pub(super) fn is_hashed_soon(installation: &Installation) -> bool {
    let sizes = installation
        .hives
        .iter()
        .flat_map(|hive| std::iter::once(hive.size).chain(hive.logs.iter().map(|log| log.size)));
    sizes.fold(0, u64::saturating_add) < FEW_BYTES
}

/// Returns the hashes of each hive and of its logs. A file that cannot be read has none; opening it reported the error.
pub(super) fn hash(installation: &Installation, wanted: Option<Hashes>) -> Vec<(Option<Sums>, Vec<Option<Sums>>)> {
    let Some(hashes) = wanted else { return Vec::new() };
    let sums = |file: &File| file.sums(hashes).ok();
    let of = |hive: &FoundHive| (sums(&hive.file), hive.logs.iter().map(|log| sums(&log.file)).collect());
    if is_hashed_soon(installation) {
        installation.hives.iter().map(of).collect()
    } else {
        installation.hives.par_iter().map(of).collect()
    }
}

/// Describes a hive apart from the contents of its keys. The tree's problems are those found so far. Sequence numbers
/// and checksum are the file's; all else is that of the hive that was read.
pub(super) fn describe(opened: &Opened<'_>, tree: Option<&Tree<'_>>, options: &Options) -> HiveReport {
    let mut problems = opened.problems.clone();
    let hive = match &opened.hive {
        Ok(hive) => Some(hive),
        Err(problem) => {
            problems.push(problem.clone());
            None
        }
    };
    let base_block = hive.map(Hive::base_block);
    let as_it_lies = hive.map(Hive::base_block_as_it_lies);
    let mut state = State::Damaged;
    if let (Some(hive), Some(tree)) = (hive, tree) {
        let base_block = hive.base_block();
        let damage = [hive.problems(), tree.problems()].concat();
        state = match &opened.replay {
            _ if opened.is_dirty() => State::Dirty,
            _ if !damage.is_empty() => State::Damaged,
            Some(_) => State::Recovered,
            None => State::Clean,
        };
        problems.extend(damage);
        if base_block.is_dirty() {
            problems.push(why_dirty(base_block, &opened.logs, options));
        }
    }
    let coverage = opened.hive.as_ref().ok().filter(|_| options.check).and_then(|hive| check(hive, &mut problems));
    if options.check && !coverage.as_ref().is_some_and(|coverage| coverage.complete) {
        state = State::Damaged;
    }
    problems.sort();
    problems.dedup();
    HiveReport {
        role: opened.found.role,
        path: opened.found.locator.clone(),
        size: opened.found.size,
        sha256: None,
        md5: None,
        sha1: None,
        format_version: base_block.map(|base_block| format!("{}.{}", base_block.major, base_block.minor)),
        last_written: base_block.map(|base_block| base_block.last_written),
        container: opened.found.container.clone(),
        source_integrity: (&opened.found.vouched).into(),
        integrity: Integrity {
            state,
            primary_sequence: as_it_lies.map(|base_block| base_block.primary_sequence),
            secondary_sequence: as_it_lies.map(|base_block| base_block.secondary_sequence),
            checksum_valid: as_it_lies.map(BaseBlock::checksum_valid),
            logs: opened.logs.clone(),
            replay: opened.replay.clone(),
            coverage,
            problems,
        },
    }
}

/// Walks a whole hive.
fn check(hive: &Hive, problems: &mut Vec<Problem>) -> Option<Coverage> {
    match hive::guarded(|| walk::check(hive, &mut ())) {
        Ok((coverage, met)) => {
            problems.extend(met);
            Some(coverage)
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

fn why_dirty(base_block: &BaseBlock, logs: &[LogReport], options: &Options) -> Problem {
    let found = if base_block.checksum_valid() {
        format!("{} and {}", base_block.primary_sequence, base_block.secondary_sequence)
    } else {
        "a wrong checksum".to_owned()
    };
    let usable = logs.iter().any(|log| log.state == LogState::NotReplayed);
    Problem::at(4, "equal sequence numbers and a correct checksum (a clean hive)", found).advise(if logs.is_empty() {
        "its transaction logs (.LOG, .LOG1, .LOG2) are missing: copy them too, or treat the verdicts as those of an \
         older state"
    } else if usable && !options.replay {
        "its transaction logs were not replayed: their changes are missing here"
    } else {
        "no transaction log beside it could be replayed: copy them again, or treat the verdicts as those of an older \
         state"
    })
}
