//! What makes the lines incomplete, in sentences.

use super::Fleet;
use super::machine::Place;
use super::source::LineRun;
use crate::report::table::{count, grouped};

impl Fleet {
    /// Returns what makes the lines incomplete: runs without an end, files without a record, lines that were not read.
    /// The text is not escaped.
    pub fn what_is_missing(&self) -> Vec<String> {
        let empty = self.files.iter().filter(|file| file.runs == 0);
        let mut told: Vec<String> =
            empty.map(|file| format!("{}: truncated: the file has no record at all", file.path)).collect();
        let runs = self.runs.iter().filter(|run| !run.is_whole());
        told.extend(runs.map(|run| format!("{}: {}", self.place(run.place), what_lacks(run))));
        told.extend(self.unread.iter().map(|unread| format!("{}: {}", self.place(unread.place), unread.reason)));
        if self.more_unread > 0 {
            told.push(format!("{} that were not read", count(self.more_unread, "more line")));
        }
        told
    }

    /// Returns a line of a file as `shard-3.jsonl, line 12`.
    pub fn place(&self, place: Place) -> String {
        let file = self.files.get(place.file).map_or("", |file| &file.path);
        format!("{file}, line {}", grouped(place.line))
    }
}

fn what_lacks(run: &LineRun) -> String {
    let lacks = match (run.tool.is_some(), run.has_summary) {
        (true, _) => "truncated: the run that begins here has no summary",
        (false, true) => "the first record of the run is missing",
        (false, false) => "truncated: the first record of the run and its summary are missing",
    };
    format!("{lacks}; {} read until line {}", count(run.machines, "machine"), grouped(run.last))
}
