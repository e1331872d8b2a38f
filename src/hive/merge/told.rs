//! The result of a merge, and why a merge stops.

use crate::error::Problem;
use crate::hive::cell::BIG_DATA_SEGMENT;
use crate::hive::tree::Hindrance;
use crate::registry::RegistryValue;

/// The result of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The key's path from the hive's root, in the hive's spelling.
    pub key: String,
    /// Whether the key was created. For a deletion, whether the key existed.
    pub changed: bool,
    /// The first value that Windows finds by each name of the step before it. Names are in UTF-16 units.
    pub before: Vec<(Vec<u16>, RegistryValue)>,
    /// The value that Windows finds by each name after the step.
    pub after: Vec<(Vec<u16>, RegistryValue)>,
    /// Changes to values that the step does not name, or that Windows cannot read afterwards.
    pub harm: Vec<Harm>,
}

/// An unrequested change that hivexregedit makes to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Writes more data into one cell than Windows of this format stores in one.
    OneCell {
        /// The value's name.
        name: String,
        /// The bytes of its data.
        size: usize,
    },
    /// Cuts the name of a value that stays at a NUL.
    Renamed {
        /// The value's name.
        name: String,
    },
    /// Removes a value whose name equals another's to hivexregedit.
    Removed {
        /// The value's name.
        name: String,
    },
    /// Stores a second value with the same name. Windows reads the first.
    SecondValue {
        /// The name.
        name: String,
    },
    /// Creates a second key with the name of another in different letter case.
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
    /// hivexregedit does not create parents.
    #[error("the parent key {} is missing, and hivexregedit does not create it", .0.escape_debug())]
    MissingParent(String),
    /// The key to delete is the root of the hive.
    #[error("hivexregedit does not delete the root of a hive")]
    Root,
    /// A key without a name.
    #[error("hivexregedit creates no key without a name")]
    NoName,
    /// The path does not name the key, but the key exists.
    #[error("hivexregedit does not find the key by this path, and cannot create it because it exists")]
    Exists,
    /// hivex cannot store the name.
    #[error("the name \"{}\" is not UTF-8", .0.escape_debug())]
    NotUtf8(String),
    /// hivex cannot write this many bytes at once.
    #[error("hivexregedit does not write the {size} bytes of the value \"{}\"", name.escape_debug())]
    TooLong {
        /// The value's name.
        name: String,
        /// The bytes of its data.
        size: usize,
    },
    /// An obstacle beside the data to change.
    #[error("{0}")]
    Hindered(String),
    /// The hive is damaged here, so the effect of hivexregedit is unknown.
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

/// Why and where a file stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The line of the step.
    pub line: usize,
    /// The reason, in a sentence without a full stop.
    pub reason: String,
    /// Whether the hive is damaged here, so that the effect is unknown.
    pub unreadable: bool,
}
