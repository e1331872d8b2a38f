//! What an expectation accepts.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Datum;
use crate::registry::{Decoded, RegistryValue};

/// What an expectation accepts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ToldExpected")]
pub enum Expected {
    /// The key exists.
    Key,
    /// The value or the key does not exist.
    Absent,
    /// One of these data.
    OneOf(Vec<Datum>),
    /// A list with these entries, in any order and beside others.
    Contains(Vec<String>),
    /// One of these data, in the form of another value.
    SameAs {
        /// The accepted data.
        accepted: Vec<Datum>,
        /// The id of the other value's row: `bits/ImagePath`.
        other: String,
    },
    /// A rule that no data express, such as a file in Windows' own folders. The finding's `why` states it.
    Rule,
    /// Nothing: the data are shown and not judged, or a step is left to the administrator.
    Nothing,
}

impl Expected {
    /// Returns the accepted data as values; a list that others may stand in too is one of them.
    pub fn data(&self) -> Cow<'_, [Datum]> {
        match self {
            Self::OneOf(accepted) | Self::SameAs { accepted, .. } => Cow::Borrowed(accepted),
            Self::Contains(entries) => Cow::Owned(vec![Datum::from(&RegistryValue::list(entries))]),
            Self::Key | Self::Absent | Self::Rule | Self::Nothing => Cow::Borrowed(&[]),
        }
    }
}

/// The word for an [`Expected`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expectation {
    Key,
    Absent,
    OneOf,
    Contains,
    SameAs,
    Rule,
    Nothing,
}

/// Serialises an expectation as three members of a finding: the kind, the accepted data, and the other value.
impl Serialize for Expected {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let (kind, same_as) = match self {
            Self::Key => (Expectation::Key, None),
            Self::Absent => (Expectation::Absent, None),
            Self::OneOf(_) => (Expectation::OneOf, None),
            Self::Contains(_) => (Expectation::Contains, None),
            Self::SameAs { other, .. } => (Expectation::SameAs, Some(other)),
            Self::Rule => (Expectation::Rule, None),
            Self::Nothing => (Expectation::Nothing, None),
        };
        let mut written = serializer.serialize_struct("Expected", 3)?;
        written.serialize_field("expectation", &kind)?;
        written.serialize_field("expected", &self.data())?;
        written.serialize_field("same_as", &same_as)?;
        written.end()
    }
}

/// The form that [`Expected`] is written in. Reports of version 0.1.0 have only the data.
#[derive(Deserialize)]
struct ToldExpected {
    #[serde(default)]
    expectation: Option<Expectation>,
    expected: Vec<Datum>,
    #[serde(default)]
    same_as: Option<String>,
}

impl TryFrom<ToldExpected> for Expected {
    type Error = &'static str;

    fn try_from(told: ToldExpected) -> Result<Self, Self::Error> {
        let accepted = told.expected;
        let before = if accepted.is_empty() { Expectation::Nothing } else { Expectation::OneOf };
        Ok(match (told.expectation.unwrap_or(before), told.same_as) {
            (Expectation::Key, None) => Self::Key,
            (Expectation::Absent, None) => Self::Absent,
            (Expectation::OneOf, None) => Self::OneOf(accepted),
            (Expectation::Contains, None) => match accepted.into_iter().next().and_then(|datum| datum.data) {
                Some(Decoded::List(entries)) => Self::Contains(entries),
                _ => return Err("an expectation of `contains` needs one list in `expected`"),
            },
            (Expectation::SameAs, Some(other)) => Self::SameAs { accepted, other },
            (Expectation::Rule, None) => Self::Rule,
            (Expectation::Nothing, None) => Self::Nothing,
            _ => return Err("`same_as` stands beside an `expectation` of `same-as`, and only there"),
        })
    }
}
