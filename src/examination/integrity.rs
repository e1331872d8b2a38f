//! What is said of a hive's file beside what stands in its keys: integrity, logs, sums.

use std::path::PathBuf;

use rayon::prelude::*;

use super::Options;
use crate::discovery::{FoundHive, Installation};
use crate::error::Problem;
use crate::evidence::{Bytes, sha256};
use crate::hive::walk::{self, Coverage};
use crate::hive::{self, Hive, State, Tree, transaction_log};
use crate::report::{HiveReport, Integrity, LogReport};

/// A hive that was found, and what opening it came to.
pub(super) struct Opened<'a> {
    pub(super) found: &'a FoundHive,
    pub(super) hive: Result<Hive, Problem>,
}

pub(super) fn open(found: &FoundHive, map: bool) -> Opened<'_> {
    let hive = Hive::open(&found.path, map)
        .unwrap_or_else(|error| Err(Problem::of(&found.locator, "a file that can be read", error.to_string())));
    Opened { found, hive }
}

pub(super) type Sums = (Option<String>, Vec<Option<String>>);

/// The sums of each hive and of its logs. A file that cannot be read has none; opening it has already said so.
pub(super) fn hash(installation: &Installation, wanted: bool) -> Vec<Sums> {
    let sum = |path: &PathBuf| sha256(path).ok().map(|(sum, _)| sum).filter(|_| wanted);
    if !wanted {
        return installation.hives.iter().map(|hive| (None, vec![None; hive.logs.len()])).collect();
    }
    installation
        .hives
        .par_iter()
        .map(|hive| (sum(&hive.path), hive.logs.iter().map(|log| sum(&log.path)).collect()))
        .collect()
}

/// What is said of a hive beside what stands in it. The tree's problems are those met until now.
pub(super) fn describe(opened: &Opened<'_>, tree: Option<&Tree<'_>>, options: &Options) -> HiveReport {
    let mut problems = Vec::new();
    let base_block = match &opened.hive {
        Ok(hive) => Some(hive.base_block()),
        Err(problem) => {
            problems.push(problem.clone());
            None
        }
    };
    let dirty = base_block.is_some_and(hive::BaseBlock::is_dirty);
    let mut logs = Vec::new();
    for log in &opened.found.logs {
        let (format, state) = match Bytes::open(&log.path, options.map) {
            Ok(bytes) => {
                let (format, state, problem) = transaction_log::classify(&bytes, dirty);
                problems.extend(problem.map(|problem| Problem { path: Some(log.locator.clone()), ..problem }));
                (format, state)
            }
            Err(error) => {
                problems.push(Problem::of(&log.locator, "a transaction log that can be read", error.to_string()));
                (None, transaction_log::LogState::Invalid)
            }
        };
        logs.push(LogReport { path: log.locator.clone(), size: log.size, sha256: None, format, state });
    }
    let mut state = State::Clean;
    if let (Some(base_block), Some(tree)) = (base_block, tree) {
        let size = opened.hive.as_ref().map_or(0, Hive::size);
        let damage = [base_block.problems(size), tree.problems()].concat();
        if !damage.is_empty() {
            state = State::Damaged;
        }
        problems.extend(damage);
        if dirty {
            state = State::Dirty;
            problems.push(why_dirty(base_block, &logs));
        }
    } else {
        state = State::Damaged;
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
        format_version: base_block.map(|base_block| format!("{}.{}", base_block.major, base_block.minor)),
        last_written: base_block.map(|base_block| base_block.last_written),
        container: None,
        integrity: Integrity {
            state,
            primary_sequence: base_block.map(|base_block| base_block.primary_sequence),
            secondary_sequence: base_block.map(|base_block| base_block.secondary_sequence),
            checksum_valid: base_block.map(hive::BaseBlock::checksum_valid),
            logs,
            replay: None,
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

fn why_dirty(base_block: &hive::BaseBlock, logs: &[LogReport]) -> Problem {
    let found = if base_block.checksum_valid() {
        format!("{} and {}", base_block.primary_sequence, base_block.secondary_sequence)
    } else {
        "a wrong checksum".to_owned()
    };
    let usable = logs.iter().any(|log| log.state == transaction_log::LogState::NotReplayed);
    Problem::at(4, "equal sequence numbers and a right checksum (a clean hive)", found).advise(if usable {
        "its transaction logs were not replayed: what they hold is missing here"
    } else {
        "its transaction logs (.LOG, .LOG1, .LOG2) are not beside it: copy them along, or take the verdicts as those of an older state"
    })
}
