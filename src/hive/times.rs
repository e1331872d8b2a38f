//! Detects impossible times of last write of a key: one rule for findings and for a walk of the whole hive.
//!
//! In hives of Windows 2000 to 8 the base block has the time of the last write. Windows sets that time when it writes
//! the hive, after the keys were changed. In no healthy hive of ours is a key later (XP, Windows 7: the latest key is
//! 0.06 to 5 seconds earlier), nor in one that was recovered from logs of the old format. Windows 8.1 and 10 do not
//! update that time: it is years older than most keys (8.1), or 0 (10). There it is not compared with the keys.

use std::fmt;

use super::Hive;
use super::base_block::BaseBlock;
use crate::registry::FileTime;

/// The release date of Windows NT 3.1, the first: 1993-07-27. No key was written before.
/// <https://learn.microsoft.com/lifecycle/products/windows-nt-31>
const FIRST_NT: FileTime = FileTime(123_882_048_000_000_000);

/// The advice on a key that is later than its hive.
pub(super) const ADVICE: &str = "either the clock was set back, or Windows (8.1 or later) did not update the hive's \
                                 own time: do not rely on one of the two times alone";

/// The time of the hive's own last write, if its Windows maintains one.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnTime(Option<FileTime>);

/// What is wrong with a key's time of last write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddTime {
    /// The time is 0, so there is none.
    Missing,
    /// The time is earlier than the first Windows NT.
    BeforeWindowsNt,
    /// The time is past the year 9999.
    NoDate(FileTime),
    /// The time is later than the given time of the hive's own last write.
    AfterHive(FileTime),
}

impl OwnTime {
    /// Returns the time in the base block, unless the hive shows that its Windows does not maintain it.
    pub(super) fn of(hive: &Hive) -> Self {
        let base_block: &BaseBlock = hive.base_block();
        let time = base_block.last_written;
        // Reorganizing a hive writes it. Logs of the new format come only from a Windows that does not maintain the
        // time.
        let kept = base_block.checksum_valid()
            && time.0 != 0
            && base_block.last_reorganized <= time
            && !hive.writes.of_new_format();
        Self(kept.then_some(time))
    }

    /// Returns what is wrong with this time of a key.
    pub(super) fn judge(self, key: FileTime) -> Option<OddTime> {
        if key.0 == 0 {
            Some(OddTime::Missing)
        } else if key < FIRST_NT {
            Some(OddTime::BeforeWindowsNt)
        } else if !key.is_date() {
            Some(OddTime::NoDate(key))
        } else {
            self.0.filter(|hive| key > *hive).map(OddTime::AfterHive)
        }
    }
}

impl fmt::Display for OddTime {
    /// Writes what is wrong with the key's time. The times of its values are unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the key has no time of last write (0)"),
            Self::BeforeWindowsNt => {
                write!(f, "the key's time is earlier than the first Windows NT, {FIRST_NT}: it was set, or is damaged")
            }
            Self::NoDate(time) => write!(f, "the key's time is past the year 9999 ({time}): it was set, or is damaged"),
            Self::AfterHive(hive) => {
                write!(f, "the key's time is later than that of the hive's own last write, {hive}: {ADVICE}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_odd_from_the_first_interval_on() {
        let first: FileTime = "1993-07-27T00:00:00Z".parse().unwrap();
        assert_eq!(first, FIRST_NT);
        let hive = FileTime(FIRST_NT.0 + 1000);
        let odd = |time: u64| OwnTime(Some(hive)).judge(FileTime(time));
        assert_eq!((odd(0), odd(1)), (Some(OddTime::Missing), Some(OddTime::BeforeWindowsNt)));
        assert_eq!((odd(first.0 - 1), odd(first.0)), (Some(OddTime::BeforeWindowsNt), None));
        assert_eq!((odd(hive.0), odd(hive.0 + 1)), (None, Some(OddTime::AfterHive(hive))));
        assert_eq!(odd(u64::MAX), Some(OddTime::NoDate(FileTime(u64::MAX))));
        assert_eq!(OwnTime(None).judge(FileTime(hive.0 + 1)), None);
    }
}
