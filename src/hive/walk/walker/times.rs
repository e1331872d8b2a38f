//! Times that cannot be: none at all, and those after the hive was last written.

use super::{Frame, Met, named};
use crate::error::Problem;
use crate::hive::cell::{RawKey, in_file};
use crate::registry::FileTime;

/// The times of the keys, held against that of the hive.
pub(super) struct Times {
    hive: FileTime,
    none: Keys,
    later: Keys,
    latest: FileTime,
}

/// Keys of a kind: how many, and the first.
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
    /// The hive's own time, as its base block has it.
    pub(super) fn of(hive: FileTime) -> Self {
        Self { hive, none: Keys::default(), later: Keys::default(), latest: hive }
    }

    pub(super) fn look(&mut self, frames: &[Frame<'_>], key: &RawKey<'_>) {
        if key.last_written.0 == 0 {
            self.none.add(frames, key);
        } else if key.last_written > self.hive && self.hive.0 != 0 {
            self.later.add(frames, key);
            self.latest = self.latest.max(key.last_written);
        }
    }

    /// One problem for all keys of a kind: where one key has such a time, many have.
    pub(super) fn tell(&mut self, met: &mut Met) {
        if let Some((offset, key)) = self.none.first.take() {
            let found = format!("none (0) in {}, the first of them {key}", keys(self.none.count));
            met.note(Problem::at(offset, "a time of last write in every key", found));
        }
        if let Some((offset, key)) = self.later.first.take() {
            let (count, latest) = (self.later.count, self.latest);
            let expected = format!("no key written after the hive's own last write, {}", self.hive);
            let found = format!("{}, the latest at {latest}, the first in the hive {key}", keys(count));
            met.note(Problem::at(offset, expected, found).advise(
                "a clock that was set back, or a Windows (8.1) that leaves the hive's own time as it was: \
                 do not rest on either time alone",
            ));
        }
    }
}

fn keys(count: u64) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}
