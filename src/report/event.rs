//! A finding as an event: a time, the meaning of that time, and a sentence.

use super::InstallationReport;
use super::escape::escape;
use super::table::data;
use crate::finding::{Finding, Verdict};
use crate::registry::FileTime;

/// The place of a finding on a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    /// `None` if neither its key nor its hive has a time.
    pub(super) time: Option<FileTime>,
    /// The meaning of the time.
    pub(super) of: &'static str,
}

/// plaso's description for events without a time.
pub(super) const NO_TIME: &str = "Not a time";

impl When {
    /// Returns the time of the last write to the key, because values have no time. Without a key, because it is missing
    /// or unreadable, returns the time of the last write to the hive.
    pub(super) fn of(installation: &InstallationReport, finding: &Finding) -> Self {
        // A time that the report marks as impossible is used anyway, because the evidence contains it.
        if let Some(time) = finding.key_date() {
            return Self { time: Some(time), of: "Registry key last written" };
        }
        let hive = installation.hive_of(finding).and_then(|hive| hive.last_written);
        match hive.filter(|time| time.is_date()) {
            Some(time) => Self { time: Some(time), of: "Hive last written; the key has no time" },
            None => Self { time: None, of: NO_TIME },
        }
    }
}

/// Returns a sentence:
/// `service-bits/Start deviates (high): expected 3 or 2, observed 4. Disabled (4): Windows cannot start BITS.`
pub(super) fn sentence(finding: &Finding) -> String {
    let of_severity =
        if finding.is_deviation() { format!(" ({})", super::table::word(&finding.severity)) } else { String::new() };
    let compared = match finding.verdict {
        Verdict::NotAssessed(_) if finding.observed.is_none() => String::new(),
        Verdict::NotAssessed(_) => format!(": observed {}", data::observed(finding)),
        _ => format!(": expected {}, observed {}", data::expected(finding), data::observed(finding)),
    };
    let why = escape(&finding.why);
    let text = format!("{}{of_severity} {}{compared}. {why}", escape(&finding.id), finding.verdict.kind().as_str());
    text.replace('\n', " ")
}

/// Returns microseconds since 1970, as in Timesketch; negative before 1970.
pub(super) fn microseconds(time: FileTime) -> i64 {
    /// The microseconds from 1601 to 1970.
    const EPOCH: i64 = 11_644_473_600_000_000;
    i64::try_from(time.0 / 10).unwrap_or(i64::MAX).saturating_sub(EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_count_from_1970() {
        assert_eq!(microseconds(FileTime::from_unix_seconds(0)), 0);
        assert_eq!(microseconds("2012-03-19T06:27:11.1234567Z".parse().unwrap()), 1_332_138_431_123_456);
        assert!(microseconds(FileTime(0)) < 0);
    }
}
