//! Gathers what the page says of one file, in bounded memory.

use super::listing::{Listed, Lister};
use super::remark::{Remark, Remarks};
use crate::reg_file::{Diagnostic, Encoding, Importer, Operation, Severity, Sink, Text, Verdict, Version};

/// What one importer does with a file.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) importer: Importer,
    pub(super) encoding: Encoding,
    /// The version in the header; `None` if regedit would not import the file.
    pub(super) version: Option<Version>,
    pub(super) verdict: Verdict,
    /// Whether the importer's behaviour is known for everything in the file.
    pub(super) is_established: bool,
    /// The number of operations.
    pub(super) operations: usize,
    /// The line of the last operation.
    pub(super) last_line: usize,
    /// The first operations.
    pub(super) listed: Vec<Listed>,
}

/// Receives what an importer does with a file, and keeps what is shown.
pub(super) struct Gatherer {
    importer: Importer,
    /// Whether operations are listed.
    lists: bool,
    remarks: Remarks,
    operations: usize,
    last_line: usize,
    lister: Lister,
}

impl Gatherer {
    pub(super) fn new(importer: Importer, lists: bool) -> Self {
        let (remarks, lister) = (Remarks::default(), Lister::default());
        Self { importer, lists, remarks, operations: 0, last_line: 0, lister }
    }

    /// Returns what is shown of the file.
    pub(super) fn finish(self, encoding: Encoding, version: Option<Version>) -> (Summary, Vec<Remark>) {
        let verdict = match self.remarks.worst {
            None => Verdict::Accept,
            Some(Severity::Warning) => Verdict::Warn,
            Some(Severity::Error) => Verdict::Reject,
        };
        let is_established = self.importer == Importer::Hivexregedit || !self.remarks.has_guesses;
        let summary = Summary {
            importer: self.importer,
            encoding,
            version,
            verdict,
            is_established,
            operations: self.operations,
            last_line: self.last_line,
            listed: self.lister.listed,
        };
        (summary, self.remarks.finish())
    }
}

impl Sink for Gatherer {
    fn diagnostic(&mut self, found: Diagnostic, line: Option<Text<'_>>) {
        self.remarks.add(found, line);
    }

    fn operation(&mut self, line: usize, operation: Operation, _written: Option<Vec<u8>>) {
        self.operations = self.operations.saturating_add(1);
        self.last_line = line;
        if self.lists {
            self.lister.add(line, operation);
        }
    }

    fn stop(&mut self, _found: Diagnostic) {
        (self.operations, self.last_line, self.lister) = (0, 0, Lister::default());
    }

    fn wants_operations(&self) -> bool {
        self.lists
    }
}
