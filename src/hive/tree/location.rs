//! The location of a key and a value in the file, and whether the bytes there came from the file or from a log.

use std::cell::OnceCell;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Key, NamedValue, Tree};
use crate::hive::cell::{NIL, RawValue, in_file};
use crate::hive::replay::{LogEntry, Sectors};

/// A cell's size precedes its content.
const CELL_SIZE: u64 = 4;
/// The bytes of a key node before its name.
const KEY_NODE: u64 = 76;
/// The bytes of a value's record before its name.
const VALUE: u64 = 20;
/// The offset in the record of data of up to 4 bytes.
const RESIDENT_DATA: u64 = 8;

/// A location in bytes from the start of the primary file, base block included. A cell's location is that of its
/// content: at `nk` and `vk` the file has these two letters. (Problems name the cell, 4 bytes before.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The key node.
    pub nk: Option<u64>,
    /// The value's record.
    pub vk: Option<u64>,
    /// The first byte of the value's data; 8 bytes into the record if they are stored there. `None` if the value has no
    /// data or they cannot be read.
    pub data: Option<u64>,
    /// The start of each segment. Data of more than 16,344 bytes may be in segments of that length, of which the last
    /// is shorter. `None` if the data are in one piece.
    pub segments: Option<Vec<u64>>,
    /// The log that the bytes came from.
    pub written_by: WrittenBy,
    /// Whether a part lies past the end of the primary file, because logs made the hive longer. Then the offset is that
    /// in the recovered hive.
    pub past_end: bool,
}

/// The last log entry that wrote any byte of each part; `None` if all bytes are the primary file's. For a key node and
/// a record the bytes up to the end of the name count, for data all bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenBy {
    /// The key node.
    pub nk: Option<LogEntry>,
    /// The value's record.
    pub vk: Option<LogEntry>,
    /// The value's data.
    pub data: Option<LogEntry>,
}

/// The last writers, sorted when they are first needed.
pub(super) type Writers<'h> = OnceCell<Sectors<'h>>;

impl Tree<'_> {
    fn last_writer(&self, ranges: &[Range<u64>]) -> Option<LogEntry> {
        self.writers.get_or_init(|| self.hive.writes.by_sector()).last_writer(ranges)
    }

    fn is_past_end(&self, ranges: &[Range<u64>]) -> bool {
        ranges.iter().any(|range| range.end > self.hive.size_as_it_lies)
    }
}

impl<'h> Key<'_, 'h> {
    /// Returns the location of the key node.
    pub fn location(&self) -> Location {
        if self.raw.offset == NIL {
            // An edit created it, so it has no location.
            return Location::default();
        }
        let ranges = [cell_range(self.raw.offset, KEY_NODE.saturating_add(self.raw.name.bytes() as u64))];
        Location {
            nk: begin(&ranges),
            written_by: WrittenBy { nk: self.tree.last_writer(&ranges), ..WrittenBy::default() },
            past_end: self.tree.is_past_end(&ranges),
            ..Location::default()
        }
    }

    /// Returns the locations of the key node and of a value of this key.
    pub fn location_of(&self, value: &NamedValue) -> Location {
        self.with_value(self.tree.cells.value(value.offset).ok().as_ref())
    }

    /// Returns the locations of the key node and of the first value with this name, even if its data cannot be read.
    /// Only that of the key node if no such value is found.
    pub fn location_of_named(&self, name: &str) -> Location {
        self.with_value(self.raw_value(name).ok().flatten().map(|(_, value)| value).as_ref())
    }

    fn with_value(&self, value: Option<&RawValue<'h>>) -> Location {
        let mut location = self.location();
        let Some(value) = value else { return location };
        let record = [cell_range(value.offset, VALUE.saturating_add(value.name.bytes() as u64))];
        location.vk = begin(&record);
        location.written_by.vk = self.tree.last_writer(&record);
        let data = self.data_ranges(value);
        location.data = begin(&data);
        location.written_by.data = self.tree.last_writer(&data);
        location.segments = (data.len() > 1).then(|| data.iter().map(|range| range.start).collect());
        location.past_end |= self.tree.is_past_end(&record) || self.tree.is_past_end(&data);
        location
    }

    /// Returns the pieces of the data; empty if the data are missing or cannot be read.
    fn data_ranges(&self, value: &RawValue<'h>) -> Vec<Range<u64>> {
        let Ok(pieces) = self.tree.cells.data_pieces(value) else { return Vec::new() };
        let resident = |length: u64| {
            let start = in_file(value.offset).saturating_add(CELL_SIZE).saturating_add(RESIDENT_DATA);
            start..start.saturating_add(length)
        };
        let range = |(cell, length): (Option<u32>, usize)| match cell {
            Some(cell) => cell_range(cell, length as u64),
            None => resident(length as u64),
        };
        pieces.into_iter().filter(|(_, length)| *length > 0).map(range).collect()
    }
}

/// Returns the file range of the first `length` bytes of a cell's content.
fn cell_range(offset: u32, length: u64) -> Range<u64> {
    let start = in_file(offset).saturating_add(CELL_SIZE);
    start..start.saturating_add(length)
}

fn begin(ranges: &[Range<u64>]) -> Option<u64> {
    ranges.first().map(|range| range.start)
}
