//! What hivexregedit does with a file, step by step.
//!
//! Its module compares and cuts names as bytes before it knows the hive. The result of a step depends on the contents
//! of the hive: whether a parent exists, and which values have a name that it treats as the same.

use super::diagnostic::Diagnostic;

/// The steps of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merge {
    /// The steps in order. If the file stops, those before the stop.
    pub(crate) steps: Vec<Step>,
    /// Where and why hivexregedit stops. Then nothing of the file is kept.
    pub(crate) stop: Option<Diagnostic>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Merges a key and its values.
    Section(Section),
    /// Deletes a key with everything below it.
    Delete {
        /// The line of the file.
        line: usize,
        /// The path between the brackets.
        path: Vec<u8>,
    },
}

/// A key line and the values below it, applied together at the end of the section. First all named values are deleted,
/// including those to set, and then each new value is added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    /// The line of the key.
    pub(crate) line: usize,
    /// The path between the brackets.
    pub(crate) path: Vec<u8>,
    /// Names of values to be deleted, each with its line.
    pub(crate) deletes: Vec<(usize, Vec<u8>)>,
    /// Values to be set.
    pub(crate) sets: Vec<SetValue>,
}

/// A value to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetValue {
    /// The line of the file.
    pub(crate) line: usize,
    /// The name without its escapes.
    pub(crate) name: Vec<u8>,
    /// The registry's type number.
    pub(crate) data_type: u32,
    /// The data as stored.
    pub(crate) bytes: Vec<u8>,
}

impl Section {
    /// Returns the names of all values in the section.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        let deletes = self.deletes.iter().map(|(_, name)| name.as_slice());
        deletes.chain(self.sets.iter().map(|set| set.name.as_slice()))
    }
}

impl Step {
    /// Returns the line where the step begins.
    pub(crate) fn line(&self) -> usize {
        match self {
            Self::Section(section) => section.line,
            Self::Delete { line, .. } => *line,
        }
    }

    /// Returns the path between the brackets.
    pub(crate) fn path(&self) -> &[u8] {
        match self {
            Self::Section(section) => &section.path,
            Self::Delete { path, .. } => path,
        }
    }
}
