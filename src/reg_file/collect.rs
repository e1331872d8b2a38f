//! Collects everything that a reader finds.

use super::diagnostic::Diagnostic;
use super::document::{Comment, Document, Entry, Operation};
use super::encoding::Encoding;
use super::importer::Importer;
use super::merge::{Merge, Step};
use super::reading::{Reading, Version};
use super::sink::{Sink, Text};

/// The contents of a file so far.
#[derive(Default)]
pub(super) struct Collected {
    effect: Document,
    diagnostics: Vec<Diagnostic>,
    written: Vec<(usize, Vec<u8>)>,
    merge: Merge,
}

impl Collected {
    /// Returns the contents as one importer reads them.
    pub(super) fn finish(mut self, importer: Importer, encoding: Encoding, version: Option<Version>) -> Reading {
        self.diagnostics.sort_by_key(|found| (found.line, found.column));
        Reading {
            importer,
            encoding,
            version,
            effect: self.effect,
            diagnostics: self.diagnostics,
            written: self.written,
            merge: (importer == Importer::Hivexregedit).then_some(self.merge),
        }
    }
}

impl Sink for Collected {
    fn diagnostic(&mut self, found: Diagnostic, _line: Option<Text<'_>>) {
        self.diagnostics.push(found);
    }

    fn operation(&mut self, line: usize, operation: Operation, written: Option<Vec<u8>>) {
        self.written.extend(written.map(|written| (self.effect.operations.len(), written)));
        self.effect.operations.push(Entry { line, operation });
    }

    fn comment(&mut self, line: usize, text: &[u16]) {
        self.effect.comments.push(Comment { line, text: text.to_vec(), before: self.effect.operations.len() });
    }

    fn step(&mut self, step: Step) {
        self.merge.steps.push(step);
    }

    fn stop(&mut self, found: Diagnostic) {
        self.merge.stop = Some(found);
        self.effect.operations.clear();
        self.effect.comments.retain(|comment| comment.before == 0);
    }
}
