//! What a merge comes to, and why it stops.

use crate::error::Problem;
use crate::hive::cell::BIG_DATA_SEGMENT;
use crate::hive::tree::Hindrance;
use crate::registry::RegistryValue;

/// What one step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The key's path from the hive's root, as it is spelled there.
    pub key: String,
    /// Whether the key was made; where it was to be deleted, whether it was there.
    pub changed: bool,
    /// What Windows finds before by each name of the step: the first value that has it. Names in UTF-16 units.
    pub before: Vec<(Vec<u16>, RegistryValue)>,
    /// What it finds then.
    pub after: Vec<(Vec<u16>, RegistryValue)>,
    /// What becomes of values that the step does not name, or that Windows then cannot read.
    pub harm: Vec<Harm>,
}

/// Something that hivexregedit does to a value, and that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Harm {
    /// More data than Windows of this format keeps in one cell are written into one.
    OneCell {
        /// The value's name.
        name: String,
        /// Bytes of its data.
        size: usize,
    },
    /// The name of a value that stays is cut at a NUL.
    Renamed {
        /// The value's name.
        name: String,
    },
    /// A value goes whose name looks like another's to hivexregedit.
    Removed {
        /// The value's name.
        name: String,
    },
    /// A second value of a name is stored; Windows reads the first.
    SecondValue {
        /// The name.
        name: String,
    },
    /// A second key of a name is made beside one that has it in other letter case.
    SecondKey {
        /// The name.
        name: String,
    },
}

impl std::fmt::Display for Harm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::OneCell { name, .. }
        | Self::Renamed { name }
        | Self::Removed { name }
        | Self::SecondValue { name }
        | Self::SecondKey { name }) = self;
        let name = name.escape_debug();
        match self {
            Self::OneCell { size, .. } => write!(
                f,
                "hivexregedit writes the {size} bytes of the value \"{name}\" into one cell, and Windows reads at most \
                 {BIG_DATA_SEGMENT} there"
            ),
            Self::Renamed { .. } => write!(f, "hivexregedit cuts the name of the value \"{name}\" at its NUL"),
            Self::Removed { .. } => write!(f, "hivexregedit removes the value \"{name}\" as well"),
            Self::SecondValue { .. } => {
                write!(f, "hivexregedit stores a second value \"{name}\", and Windows reads the first")
            }
            Self::SecondKey { .. } => {
                write!(f, "hivexregedit creates a second key \"{name}\" beside the existing one")
            }
        }
    }
}

/// Why hivexregedit stops at a step. Then nothing of the file is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// It makes no parents.
    #[error("the parent key {} is missing, and hivexregedit does not create it", .0.escape_debug())]
    MissingParent(String),
    /// The key that is to be deleted is the root of the hive.
    #[error("hivexregedit does not delete the root of a hive")]
    Root,
    /// A key without a name.
    #[error("hivexregedit creates no key without a name")]
    NoName,
    /// The path is not that of the key, and yet the key is there.
    #[error("hivexregedit does not find the key by this path, and cannot create it because it exists")]
    Exists,
    /// hivex cannot store the name.
    #[error("the name \"{}\" is not UTF-8", .0.escape_debug())]
    NotUtf8(String),
    /// hivex does not write so much at once.
    #[error("hivexregedit does not write the {size} bytes of the value \"{}\"", name.escape_debug())]
    TooLong {
        /// The value's name.
        name: String,
        /// Bytes of its data.
        size: usize,
    },
    /// Something that stands beside what is to be changed.
    #[error("{0}")]
    Hindered(String),
    /// The hive is damaged there: what hivexregedit would do is not known.
    #[error("{0}")]
    Unreadable(Problem),
}

impl From<Hindrance> for Stop {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Unreadable(problem) => Self::Unreadable(problem),
            other => Self::Hindered(other.to_string()),
        }
    }
}

/// Why a file stops, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The line.
    pub line: usize,
    /// The reason, in a sentence without a full stop.
    pub reason: String,
    /// Whether the hive is damaged there, so that nobody knows.
    pub unreadable: bool,
}
