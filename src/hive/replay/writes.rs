//! Records which bytes of a recovered hive came from which part of which log. Replay notes a few words for each page;
//! only look-ups cost more.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::hive::base_block;
use crate::hive::transaction_log::Page;

/// Pages begin and end at multiples of this many bytes, also in the file.
const SECTOR: u64 = 512;

/// The log entry that wrote bytes of a hive in memory during replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The log's name in the report.
    pub log: String,
    /// The part of the log.
    pub part: LogPart,
    /// The entry's sequence number. For the old format, that of the log.
    pub sequence: u32,
    /// The offset of the first requested byte in the log, in bytes from the log's start. `None` if the entry wrote
    /// others of the requested bytes but not the first.
    pub offset: Option<u64>,
}

/// The part of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogPart {
    /// An entry of the new format.
    Entry,
    /// The dirty vector of the old format with its pages. A log has one.
    DirtyVector,
}

/// All writes, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::hive) struct Writes {
    logs: Vec<String>,
    entries: Vec<Written>,
    pages: Vec<WrittenPage>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    /// The index in `Writes::logs`.
    log: usize,
    part: LogPart,
    sequence: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct WrittenPage {
    /// The written range, in bytes from the hive file's start.
    place: Range<u64>,
    /// The offset of the bytes in the log.
    from: u64,
    /// The index in `Writes::entries`.
    entry: usize,
}

impl Writes {
    /// Records written pages. `log` is the whole log that contains their bytes.
    pub(super) fn note(&mut self, name: &str, log: &[u8], part: LogPart, sequence: u32, pages: &[Page<'_>]) {
        if self.logs.last().is_none_or(|last| last != name) {
            self.logs.push(name.to_owned());
        }
        let entry = self.entries.len();
        self.entries.push(Written { log: self.logs.len().saturating_sub(1), part, sequence });
        let start = log.as_ptr().addr();
        self.pages.extend(pages.iter().map(|page| {
            let place = u64::from(page.offset).saturating_add(base_block::SIZE as u64);
            WrittenPage {
                place: place..place.saturating_add(page.bytes.len() as u64),
                from: page.bytes.as_ptr().addr().saturating_sub(start) as u64,
                entry,
            }
        }));
    }

    /// Returns whether logs of the new format were replayed.
    pub(in crate::hive) fn of_new_format(&self) -> bool {
        self.entries.iter().any(|entry| entry.part == LogPart::Entry)
    }

    /// Returns the last write to each sector.
    pub(in crate::hive) fn by_sector(&self) -> Sectors<'_> {
        let mut last: Vec<(u64, usize)> = Vec::new();
        for (index, page) in self.pages.iter().enumerate() {
            last.extend((page.place.start / SECTOR..page.place.end.div_ceil(SECTOR)).map(|sector| (sector, index)));
        }
        last.sort_unstable();
        // Of several writes to one sector, the last counts.
        last.reverse();
        last.dedup_by_key(|(sector, _)| *sector);
        last.reverse();
        Sectors { writes: self, last }
    }
}

/// The last write to each written sector, for look-ups. At most one element for each 512 bytes of the logs.
pub(in crate::hive) struct Sectors<'w> {
    writes: &'w Writes,
    /// The sector's number in the file, and the index in `Writes::pages` of the last write to it; sorted.
    last: Vec<(u64, usize)>,
}

impl Sectors<'_> {
    /// Returns the last entry that wrote any byte of these ranges of the file; `None` if all bytes are the primary
    /// file's. [`LogEntry::offset`] refers to the start of the first range.
    pub(in crate::hive) fn last_writer(&self, ranges: &[Range<u64>]) -> Option<LogEntry> {
        let of = |range: &Range<u64>| {
            let first = self.last.partition_point(|(sector, _)| *sector < range.start / SECTOR);
            let end = self.last.partition_point(|(sector, _)| *sector < range.end.div_ceil(SECTOR));
            self.last.get(first..end).unwrap_or_default().iter().map(|(_, page)| *page).max()
        };
        let entry = self.writes.pages.get(ranges.iter().filter_map(of).max()?)?.entry;
        let written = self.writes.entries.get(entry)?;
        let start = ranges.first()?.start;
        let first = of(&(start..start.saturating_add(1))).and_then(|page| self.writes.pages.get(page));
        let offset = first
            .filter(|page| page.entry == entry)
            .map(|page| page.from.saturating_add(start.saturating_sub(page.place.start)));
        let log = self.writes.logs.get(written.log)?.clone();
        Some(LogEntry { log, part: written.part, sequence: written.sequence, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the log, the entry, and the offset of the last write to the first range and to the others.
    fn last(writes: &Writes, first: Range<u64>, others: &[Range<u64>]) -> Option<(String, u32, Option<u64>)> {
        let ranges = [&[first], others].concat();
        let entry = writes.by_sector().last_writer(&ranges)?;
        assert_eq!(entry.part, LogPart::Entry);
        Some((entry.log, entry.sequence, entry.offset))
    }

    #[test]
    fn the_last_entry_that_wrote_a_byte_is_named() {
        let log = vec![0; 4096];
        let page = |offset, from: usize, length: usize| Page { offset, bytes: &log[from..from + length] };
        let mut writes = Writes::default();
        assert_eq!(last(&writes, 4096..9000, &[]), None);
        writes.note("A.LOG1", &log, LogPart::Entry, 7, &[page(0, 1024, 1024), page(4096, 2048, 512)]);
        writes.note("A.LOG1", &log, LogPart::Entry, 8, &[page(512, 3072, 512)]);
        writes.note("A.LOG2", &log, LogPart::Entry, 9, &[page(8192, 512, 512)]);
        let by = |log: &str, sequence, offset| Some((log.to_owned(), sequence, offset));
        let only = |range| last(&writes, range, &[]);
        // At 512 bytes after the base block, entry 8 overwrites entry 7.
        assert_eq!(only(4096..4608), by("A.LOG1", 7, Some(1024)));
        assert_eq!(only(4700..4701), by("A.LOG1", 8, Some(3072 + 92)));
        assert_eq!(only(4600..4609), by("A.LOG1", 8, None));
        assert_eq!(only(5120..8192), None);
        assert_eq!(only(8191..8193), by("A.LOG1", 7, None));
        let [first, second] = [8192..8200, 12_288..12_299];
        assert_eq!(last(&writes, first.clone(), std::slice::from_ref(&second)), by("A.LOG2", 9, None));
        assert_eq!(last(&writes, second, &[first]), by("A.LOG2", 9, Some(512)));
        assert_eq!(last(&writes, 0..4096, &[Range { start: 12_800, end: 99_999 }]), None);
    }
}
