//! The files with the lines, the runs in them, and the lines that were not read.

use super::machine::Place;
use crate::report::{ReportOptions, Tool};

/// A file with lines of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFile {
    /// Its path as the user named it; `stdin` for standard input.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its lines, without empty ones.
    pub lines: u64,
    /// The runs that begin in it.
    pub runs: usize,
}

/// One run of the program.
#[derive(Clone, Debug)]
pub struct LineRun {
    /// Its first line.
    pub place: Place,
    /// Its last line so far.
    pub last: u64,
    /// The program; `None` if the first record of the run is missing.
    pub tool: Option<Tool>,
    /// The options; `None` if the first record of the run is missing.
    pub options: Option<ReportOptions>,
    /// Whether its last record, the summary, is there.
    pub has_summary: bool,
    /// The machines in it.
    pub machines: usize,
    /// The installations of older generations in it.
    pub older: usize,
    /// Records of kinds that this program does not know.
    pub unknown: usize,
}

impl LineRun {
    /// Returns whether its first and its last record are there.
    pub fn is_whole(&self) -> bool {
        self.has_summary && self.tool.is_some()
    }
}

/// A line that was not read, or a record that contradicts others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line.
    pub place: Place,
    /// What is wrong, and what that means.
    pub reason: String,
}
