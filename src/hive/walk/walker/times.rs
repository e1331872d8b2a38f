//! Detects impossible times: missing ones, those before the first Windows NT, those that are not a date, and those
//! after the last write to the hive.

use super::{Frame, Met, named};
use crate::error::Problem;
use crate::hive::Hive;
use crate::hive::cell::{RawKey, in_file};
use crate::hive::times::{ADVICE, OddTime, OwnTime};
use crate::registry::FileTime;

/// The times of the keys, compared with that of the hive.
pub(super) struct Times {
    own: OwnTime,
    /// The time of the hive, according to its base block.
    hive: FileTime,
    none: Keys,
    early: Keys,
    no_date: Keys,
    later: Keys,
    earliest: FileTime,
    latest: FileTime,
}

/// Keys of one kind: their number, and the first.
#[derive(Default)]
struct Keys {
    count: u64,
    first: Option<(u64, String)>,
}

impl Keys {
    fn add(&mut self, frames: &[Frame<'_>], key: &RawKey<'_>) {
        self.count = self.count.saturating_add(1);
        self.first.get_or_insert_with(|| (in_file(key.offset), named(frames, key)));
    }
}

impl Times {
    pub(super) fn of(hive: &Hive) -> Self {
        Self {
            own: OwnTime::of(hive),
            hive: hive.base_block().last_written,
            none: Keys::default(),
            early: Keys::default(),
            no_date: Keys::default(),
            later: Keys::default(),
            earliest: FileTime(u64::MAX),
            latest: FileTime(0),
        }
    }

    pub(super) fn look(&mut self, frames: &[Frame<'_>], key: &RawKey<'_>) {
        match self.own.judge(key.last_written) {
            None => {}
            Some(OddTime::Missing) => self.none.add(frames, key),
            Some(OddTime::BeforeWindowsNt) => {
                self.early.add(frames, key);
                self.earliest = self.earliest.min(key.last_written);
            }
            Some(OddTime::NoDate(_)) => self.no_date.add(frames, key),
            Some(OddTime::AfterHive(_)) => {
                self.later.add(frames, key);
                self.latest = self.latest.max(key.last_written);
            }
        }
    }

    /// Adds one problem for all keys of a kind. If one key has such a time, many have.
    pub(super) fn tell(&mut self, met: &mut Met) {
        if let Some((offset, key)) = self.none.first.take() {
            let found = format!("none (0) in {}, the first of them {key}", keys(self.none.count));
            met.note(Problem::at(offset, "a time of last write in every key", found));
        }
        if let Some((offset, key)) = self.early.first.take() {
            let (count, earliest) = (self.early.count, self.earliest);
            let found = format!("{}, the earliest at {earliest}, the first in the hive {key}", keys(count));
            met.note(Problem::at(offset, "no key written before the first Windows NT (1993)", found));
        }
        if let Some((offset, key)) = self.no_date.first.take() {
            let found = format!("{}, the first in the hive {key}", keys(self.no_date.count));
            met.note(Problem::at(offset, "no key written after the year 9999", found));
        }
        if let Some((offset, key)) = self.later.first.take() {
            let (count, latest) = (self.later.count, self.latest);
            let expected = format!("no key written after the hive's own last write, {}", self.hive);
            let found = format!("{}, the latest at {latest}, the first in the hive {key}", keys(count));
            met.note(Problem::at(offset, expected, found).advise(ADVICE));
        }
    }
}

fn keys(count: u64) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}
