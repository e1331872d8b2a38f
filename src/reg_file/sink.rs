//! The receiver of what a reader finds in a `.reg` file.

use super::diagnostic::Diagnostic;
use super::document::Operation;
use super::merge::Step;

/// The text of the line that a diagnostic concerns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'t> {
    /// UTF-16 units, as regedit reads them.
    Units(&'t [u16]),
    /// Bytes, as hivexregedit reads them. The line end may be included.
    Bytes(&'t [u8]),
}

/// Receives the contents of a `.reg` file statement by statement, so that a reader need not keep them.
///
/// Diagnostics of one statement may come out of order: one for its first line may follow those for its other lines.
pub(crate) trait Sink {
    /// Receives a diagnostic with its line. There is no line if the importer reads no text.
    fn diagnostic(&mut self, found: Diagnostic, line: Option<Text<'_>>);

    /// Receives an operation and its line. `written` has the bytes that the text states, if regedit stores others.
    fn operation(&mut self, line: usize, operation: Operation, written: Option<Vec<u8>>);

    /// Receives a comment on a line of its own.
    fn comment(&mut self, _line: usize, _text: &[u16]) {}

    /// Receives a step of hivexregedit, after its operations.
    fn step(&mut self, _step: Step) {}

    /// Learns that the importer stops, and that nothing of the file is kept.
    fn stop(&mut self, _found: Diagnostic) {}

    /// Returns whether the operations and steps of hivexregedit are wanted. It applies a section as a whole, so that
    /// they take the memory of a section.
    fn wants_operations(&self) -> bool {
        true
    }
}
