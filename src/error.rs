//! Errors that stop a run, and problems of evidence: where, what was expected, what was found, what to do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Why a run or a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("{path}: cannot be read: {source}. {advice}")]
    Read {
        /// The path as the user named it.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// A result could not be written.
    #[error("{path}: cannot be written: {source}. Check the disk and the rights, or name another place")]
    Write {
        /// The path as the user named it.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// An output path lies inside the evidence.
    #[error(
        "{}: lies inside the evidence {}; evidence is never written to. Name a path outside of it",
        output.display(), evidence.display()
    )]
    OutputInsideEvidence {
        /// The output path.
        output: PathBuf,
        /// The evidence that contains it.
        evidence: PathBuf,
    },
    /// An output must not or cannot be written to this path.
    #[error("{option} {}: expected {expected}, found {found}. {advice}", path.display())]
    Output {
        /// The option that names the output.
        option: &'static str,
        /// The path as the user named it.
        path: PathBuf,
        /// The expected state of the path.
        expected: String,
        /// The actual state of the path.
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
        /// What was found instead.
        looked_at: String,
    },
    /// The hive does not contain the key.
    #[error("{hive}: there is no key {key}: {told}")]
    NoKey {
        /// The hive as the user named it.
        hive: String,
        /// The key as the user named it.
        key: String,
        /// The part of the path that exists, and what the hive contains instead of the rest.
        told: String,
    },
    /// An option's value is not valid.
    #[error("{option}: invalid value {found:?}. {expected}")]
    Usage {
        /// The option.
        option: &'static str,
        /// The value that was given.
        found: String,
        /// The values that are accepted.
        expected: String,
    },
    /// A refused request, with the reason and what to do.
    #[error("refused: {reason}. {advice}")]
    Refused {
        /// The reason.
        reason: String,
        /// What to do.
        advice: String,
    },
    /// An error of a worker, in full.
    #[error("{0}")]
    Told(String),
    /// A baseline file does not follow the grammar.
    #[error("baseline {baseline}: {message}")]
    Baseline {
        /// The baseline's id or path.
        baseline: String,
        /// The error and its place.
        message: String,
    },
}

/// The kind of a gap or problem. The names are stable, for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// An argument contains no hive.
    NothingFound,
    /// The operating system cannot read a file or folder.
    Unreadable,
    /// A format that is recognised and not supported.
    UnsupportedFormat,
    /// Encrypted data, and no matching key or password.
    Encrypted,
    /// A later part of an archive or image whose first part is missing.
    FirstPartMissing,
    /// A damaged or truncated container, volume, or member.
    Damaged,
    /// A checksum that did not match or could not be compared.
    Unverified,
    /// A link or a junction that was not followed.
    LinkNotFollowed,
    /// A file whose bytes Windows keeps elsewhere: deduplicated, compressed by WOF, in a cloud.
    KeptElsewhere,
    /// A file that is named or placed like a hive and is not a hive.
    NotAHive,
    /// A limit of the run or of a format stopped the search.
    Limit,
    /// The reader of a container failed.
    ReaderFailed,
    /// This machine has no sandbox for the reader of a container.
    NoSandbox,
    /// The run ended before this item was examined.
    Unfinished,
    /// Partition tables that contradict each other or the disk.
    PartitionTable,
    /// SOFTWARE or SYSTEM is missing from its pair.
    HiveMissing,
    /// A dirty hive whose logs were not replayed.
    HiveDirty,
    /// A hive with damage in the parts that were read.
    HiveDamaged,
    /// Hives that cannot be paired with certainty.
    HivesUnpaired,
    /// A Windows that has no baseline or cannot be detected.
    WindowsUnknown,
    /// A Windows with contradicting marks, or with a build that is not in the list.
    WindowsUncertain,
    /// SOFTWARE and SYSTEM cannot come from one machine.
    HivesContradict,
    /// SYSTEM does not contain the control set to judge, or the one that the next start would use.
    ControlSetMissing,
    /// Only older generations exist, and they were not judged.
    OnlyOlderGenerations,
    /// A value that an expectation covers cannot be read.
    FindingUnreadable,
    /// An expectation that depends on an unknown fact.
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// The kind of the gap.
    pub code: Code,
    /// The source, hive or installation, as reports name it.
    pub at: String,
    /// What is missing, in a sentence.
    pub reason: String,
    /// What to do.
    #[serde(default)]
    pub advice: Option<String>,
}

impl Gap {
    /// Returns a gap with the advice that its code has.
    pub fn new(code: Code, at: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { code, at: at.into(), reason: reason.into(), advice: code.advice().map(str::to_owned) }
    }

    /// Returns the gap with this advice instead, if there is any.
    #[must_use]
    pub fn advise(self, advice: Option<String>) -> Self {
        Self { advice: advice.or(self.advice), ..self }
    }
}

impl Code {
    /// Returns what to do about a gap of this kind, if nothing else says more.
    fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::HiveMissing => "copy it from the same machine into the same folder",
            Self::HiveDirty => "copy its transaction logs (.LOG, .LOG1, .LOG2) beside it",
            Self::HiveDamaged | Self::FindingUnreadable => "take another copy, or compare with an older generation",
            Self::HivesContradict => "audit each hive by itself",
            Self::WindowsUncertain => "name the Windows with --os if you know it",
            Self::WindowsUnknown => "see `hivemend baseline list`; --baseline names one of your own",
            Self::OnlyOlderGenerations => "judge them with --generations all",
            Self::FactUnknown => "audit SOFTWARE and SYSTEM together",
            _ => return None,
        })
    }
}

/// Something unexpected in the evidence. The report contains it, and the run continues.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The file or folder, unless the context of the problem already names it.
    pub path: Option<String>,
    /// The offset in bytes from the start of the file.
    pub offset: Option<u64>,
    /// The expected state.
    pub expected: String,
    /// The actual state.
    pub found: String,
    /// What to do, if anything can be done.
    pub advice: Option<String>,
    /// The kind of the problem, if it concerns a source.
    pub code: Option<Code>,
}

impl Problem {
    /// Creates a problem of something that the context names.
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: None, offset: None, expected: expected.into(), found: found.into(), advice: None, code: None }
    }

    /// Sets the kind of the problem.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Creates a problem at a place in a hive file, `offset` bytes from the file's start.
    pub fn at(offset: u64, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { offset: Some(offset), ..Self::new(expected, found) }
    }

    /// Creates a problem of a whole file or folder.
    pub fn of(path: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::new(expected, found) }
    }

    /// Sets what to do about the problem.
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
