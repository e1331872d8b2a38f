//! What was read from a `.reg` file, as one importer reads it.

use super::code_page::CodePage;
use super::diagnostic::{Diagnostic, Rejection, Severity, Verdict};
use super::document::{Document, Entry, Operation};
use super::encoding::Encoding;
use super::importer::Importer;
use super::merge::{Merge, Step};

/// The version that a `.reg` file's header claims.
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
    /// Whose grammar it was read by.
    pub importer: Importer,
    /// How the file is encoded.
    pub encoding: Encoding,
    /// What its header says; `None` if regedit would not import it. hivexregedit asks for no header.
    pub version: Option<Version>,
    /// What the importer does with the file, in the order in which it does it, silent drops and all. Where
    /// [`Reading::is_established`] is false, this is the best guess. An importer that stops at an error and has then
    /// done nothing has no operations here, only comments.
    pub effect: Document,
    /// What is wrong, in the order of the lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The bytes that the text spells, for operations of the effect where regedit stores others.
    pub(super) written: Vec<(usize, Vec<u8>)>,
    /// What hivexregedit does step by step, where it is the importer: what comes of it depends on the hive.
    pub(crate) merge: Option<Merge>,
}

impl Reading {
    /// Returns the strict reader's judgement.
    pub fn verdict(&self) -> Verdict {
        match self.diagnostics.iter().map(|found| found.code.severity()).max() {
            None => Verdict::Accept,
            Some(Severity::Warning) => Verdict::Warn,
            Some(Severity::Error) => Verdict::Reject,
        }
    }

    /// Returns whether there is evidence of what the importer does with everything in the file: of regedit what was
    /// seen on Windows, of hivexregedit its source.
    pub fn is_established(&self) -> bool {
        self.importer == Importer::Hivexregedit || self.diagnostics.iter().all(|found| found.code.is_established())
    }

    /// Returns what hivexregedit does step by step, where it is the importer.
    pub(crate) fn steps(&self) -> &[Step] {
        self.merge.as_ref().map_or(&[], |merge| &merge.steps)
    }

    /// Returns where an importer stops that then has done nothing, and why.
    pub fn stop(&self) -> Option<&Diagnostic> {
        self.merge.as_ref()?.stop.as_ref()
    }

    /// Returns what the text says, byte for byte; unlike [`Reading::effect`], without what regedit adds to it.
    ///
    /// # Errors
    /// Returns an error if the verdict is [`Verdict::Reject`]: what such a text says is nothing to rely on.
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

/// What a `.reg` file does not tell about who is to import it, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Whose grammar counts.
    pub importer: Importer,
    /// The ANSI code page of the importing machine, which 8-bit text is read in. Where it is not known, windows-1252 is
    /// taken, and everything that depends on it is remarked upon.
    pub code_page: Option<CodePage>,
}
