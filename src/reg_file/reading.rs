//! The result of reading a `.reg` file as one importer does.

use super::code_page::CodePage;
use super::diagnostic::{Diagnostic, Rejection, Severity, Verdict};
use super::document::{Document, Entry, Operation};
use super::encoding::Encoding;
use super::importer::Importer;
use super::merge::{Merge, Step};

/// The version in the header of a `.reg` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `REGEDIT4`: Windows 95, 98 and NT 4.0, 8-bit text.
    Regedit4,
    /// `Windows Registry Editor Version 5.00`: Windows 2000 and later, UTF-16.
    Regedit5,
}

impl Version {
    /// Returns the header line.
    pub fn header(self) -> &'static str {
        match self {
            Self::Regedit4 => "REGEDIT4",
            Self::Regedit5 => "Windows Registry Editor Version 5.00",
        }
    }
}

/// Everything that was read from a `.reg` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The importer whose grammar was used.
    pub importer: Importer,
    /// The encoding of the file.
    pub encoding: Encoding,
    /// The version in its header; `None` if regedit would not import it. hivexregedit needs no header.
    pub version: Option<Version>,
    /// What the importer does with the file, in its order, with all silent drops. If [`Reading::is_established`] is
    /// false, this is the best guess. An importer that stops at an error and has then done nothing has no operations
    /// here, only comments.
    pub effect: Document,
    /// The diagnostics, in the order of the lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The bytes that the text states, for operations of the effect where regedit stores different ones.
    pub(super) written: Vec<(usize, Vec<u8>)>,
    /// The steps of hivexregedit, if it is the importer. Their result depends on the hive.
    pub(crate) merge: Option<Merge>,
}

impl Reading {
    /// Returns the strict reader's verdict.
    pub fn verdict(&self) -> Verdict {
        match self.diagnostics.iter().map(|found| found.code.severity()).max() {
            None => Verdict::Accept,
            Some(Severity::Warning) => Verdict::Warn,
            Some(Severity::Error) => Verdict::Reject,
        }
    }

    /// Returns whether the importer's behaviour is known for everything in the file: for regedit from observation on
    /// Windows, for hivexregedit from its source.
    pub fn is_established(&self) -> bool {
        self.importer == Importer::Hivexregedit || self.diagnostics.iter().all(|found| found.code.is_established())
    }

    /// Returns the steps of hivexregedit, if it is the importer.
    pub(crate) fn steps(&self) -> &[Step] {
        self.merge.as_ref().map_or(&[], |merge| &merge.steps)
    }

    /// Returns where and why an importer stops, if it has then done nothing.
    pub fn stop(&self) -> Option<&Diagnostic> {
        self.merge.as_ref()?.stop.as_ref()
    }

    /// Returns what the text states, byte for byte. Unlike [`Reading::effect`], this excludes what regedit adds.
    ///
    /// # Errors
    /// Returns an error if the verdict is [`Verdict::Reject`], because such a text is not reliable.
    pub fn into_document(self) -> Result<Document, Rejection> {
        if self.verdict() == Verdict::Reject {
            return Err(Rejection { diagnostics: self.diagnostics });
        }
        let mut document = self.effect;
        for (index, written) in self.written {
            if let Some(Entry { operation: Operation::SetValue { bytes, .. }, .. }) = document.operations.get_mut(index)
            {
                *bytes = written;
            }
        }
        Ok(document)
    }
}

/// Facts about the import that a `.reg` file does not contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The importer whose grammar is used.
    pub importer: Importer,
    /// The ANSI code page of the importing machine, used for 8-bit text. If it is unknown, windows-1252 is used, and
    /// everything that depends on it gets a diagnostic.
    pub code_page: Option<CodePage>,
}
