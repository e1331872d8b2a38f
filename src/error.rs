//! What can stop a run, and what can be wrong with evidence: where, what was expected, what was found, what to do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Why a run, or one command of it, could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("{path}: cannot be read: {source}. {advice}")]
    Read {
        /// The path as the user named it.
        path: String,
        /// What the system said.
        source: std::io::Error,
        /// What to do about it.
        advice: &'static str,
    },
    /// A result could not be written.
    #[error("{path}: cannot be written: {source}. Check the disk and the rights, or name another place")]
    Write {
        /// The path as the user named it.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Output would have changed the evidence.
    #[error(
        "{}: lies inside the evidence {}; evidence is never written to. Name a path outside of it",
        output.display(), evidence.display()
    )]
    OutputInsideEvidence {
        /// Where the output was to go.
        output: PathBuf,
        /// The evidence that contains it.
        evidence: PathBuf,
    },
    /// An output must not be written there, or cannot be.
    #[error("{option} {}: expected {expected}, found {found}. {advice}", path.display())]
    Output {
        /// The option that asked for it.
        option: &'static str,
        /// The path as the user named it.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        advice: String,
    },
    /// Nothing under the evidence is a SOFTWARE or SYSTEM hive.
    #[error(
        "{evidence}: no SOFTWARE or SYSTEM hive was found here ({looked_at}). \
         Name a mounted Windows volume, a folder of copied hives, or a hive"
    )]
    NoHive {
        /// The evidence as the user named it.
        evidence: String,
        /// What was there instead.
        looked_at: String,
    },
    /// A key is not in the hive.
    #[error("{hive}: there is no key {key}: {told}")]
    NoKey {
        /// The hive as the user named it.
        hive: String,
        /// The key as the user named it.
        key: String,
        /// How far the path goes, and what there is in its place.
        told: String,
    },
    /// An option's value is not one that there is.
    #[error("{option}: invalid value {found:?}. {expected}")]
    Usage {
        /// The option.
        option: &'static str,
        /// What was given.
        found: String,
        /// What would be accepted.
        expected: String,
    },
    /// A request that is turned down, with the reason and what to do.
    #[error("refused: {reason}. {advice}")]
    Refused {
        /// Why.
        reason: String,
        /// What to do.
        advice: String,
    },
    /// A baseline file does not say what the grammar allows.
    #[error("baseline {baseline}: {message}")]
    Baseline {
        /// The baseline's id or path.
        baseline: String,
        /// What is wrong, and where.
        message: String,
    },
}

/// What kind of gap or problem something is; stable, for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// Nothing came of an argument: no hive is in it.
    NothingFound,
    /// The system cannot read a file or folder.
    Unreadable,
    /// A format that is known and not read.
    UnsupportedFormat,
    /// Encrypted, and no key or password that fits.
    Encrypted,
    /// A later part of an archive or image, whose first part is missing.
    FirstPartMissing,
    /// A container, a volume or a member that is damaged or cut off.
    Damaged,
    /// A checksum failed, or could not be compared.
    Unverified,
    /// A link or a junction that was not followed.
    LinkNotFollowed,
    /// A file whose bytes Windows keeps elsewhere: deduplicated, compressed by WOF, in a cloud.
    KeptElsewhere,
    /// A file at the place or of the name of a hive that is none.
    NotAHive,
    /// A limit of the run or of a format stopped the search.
    Limit,
    /// The reader of a container failed.
    ReaderFailed,
    /// The run ended before this was looked at.
    Unfinished,
    /// Partition tables that contradict each other or the disk.
    PartitionTable,
    /// SOFTWARE or SYSTEM is missing from its pair.
    HiveMissing,
    /// A dirty hive whose logs were not replayed.
    HiveDirty,
    /// A hive that is damaged where it was read.
    HiveDamaged,
    /// Hives of which nobody can tell which belong together.
    HivesUnpaired,
    /// A Windows that has no baseline, or that cannot be told.
    WindowsUnknown,
    /// A Windows that the marks do not agree on, or whose build is not in the list.
    WindowsUncertain,
    /// SOFTWARE and SYSTEM cannot be of one machine.
    HivesContradict,
    /// The control set that is to be judged, or that the next start would use, is not in SYSTEM.
    ControlSetMissing,
    /// Only older generations are there, which were not judged.
    OnlyOlderGenerations,
    /// A value that an expectation is about cannot be read.
    FindingUnreadable,
    /// An expectation that depends on a fact that is not known.
    FactUnknown,
    /// A file of the evidence changed while it was examined.
    EvidenceChanged,
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// Something that makes a report incomplete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Which kind of gap.
    pub code: Code,
    /// The source, hive or installation, as reports name it.
    pub at: String,
    /// What is missing, in a sentence.
    pub reason: String,
}

/// A fact about evidence that is not as it should be. It stands in the report; it does not stop the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The file or folder, where the problem does not stand under one already.
    pub path: Option<String>,
    /// Where in the file, in bytes from its start.
    pub offset: Option<u64>,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What to do, where something can be done.
    pub advice: Option<String>,
    /// Which kind of problem, where it is one of a source.
    pub code: Option<Code>,
}

impl Problem {
    /// A problem of something that the context names.
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: None, offset: None, expected: expected.into(), found: found.into(), advice: None, code: None }
    }

    /// The same, of this kind.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// A problem at a place in a hive file, `offset` bytes from the file's start.
    pub fn at(offset: u64, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { offset: Some(offset), ..Self::new(expected, found) }
    }

    /// A problem with a whole file or folder.
    pub fn of(path: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::new(expected, found) }
    }

    /// The same, and what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        if let Some(offset) = self.offset {
            write!(f, "at {offset:#x}: ")?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_what_was_expected_what_was_found_and_what_to_do() {
        let problem = Problem::at(0x1000, "a hive bin (hbin)", "\"xxxx\"").advise("copy the hive again");
        insta::assert_snapshot!(problem, @r#"at 0x1000: expected a hive bin (hbin), found "xxxx"; copy the hive again"#);
    }

    #[test]
    fn errors_say_what_to_do() {
        insta::assert_snapshot!(
            Error::NoHive { evidence: "case".into(), looked_at: "3 files".into() },
            @"case: no SOFTWARE or SYSTEM hive was found here (3 files). Name a mounted Windows volume, a folder of copied hives, or a hive"
        );
    }
}
