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
    #[error("{option}: {found:?} is not known. {expected}")]
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
}

impl Problem {
    /// A problem at a place in a hive file, `offset` bytes from the file's start.
    pub fn at(offset: u64, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: None, offset: Some(offset), expected: expected.into(), found: found.into(), advice: None }
    }

    /// A problem with a whole file or folder.
    pub fn of(path: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: Some(path.into()), offset: None, expected: expected.into(), found: found.into(), advice: None }
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
