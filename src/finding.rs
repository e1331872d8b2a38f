//! Findings: the result of an expectation, how much it matters, and how well the expectation is confirmed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use crate::hive::{Location, WrittenBy};
use crate::registry::{DataType, Decoded, FileTime, RegistryValue, Role, bytes_of_hex, hex};

/// How well an expectation is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Carried over from a related Windows.
    Inferred,
    /// One source, or one machine.
    SingleSource,
    /// Microsoft's own text, two independent sources, or two real machines.
    Confirmed,
}

/// How much a deviation matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The owner's choice, an inert leftover, or a known addition of a third party. Never fails a run.
    Info,
    /// Deviates with unknown effect.
    Low,
    /// Explains the failure that the article describes.
    Medium,
    /// Decides which code runs.
    High,
    /// Loads code from outside the folders of system files.
    Critical,
}

/// The result of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The data are as expected.
    Conforms,
    /// The data or the type differ.
    Deviates,
    /// Expected, and absent.
    Absent,
    /// Present, and should not exist.
    Unexpected,
    /// The data could not be read, so the result is unknown.
    Unreadable,
    /// Not judged, and why.
    NotAssessed(Reason),
}

/// The word for a [`Verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants of `Verdict`")]
pub enum VerdictKind {
    Conforms,
    Deviates,
    Absent,
    Unexpected,
    Unreadable,
    NotAssessed,
}

impl VerdictKind {
    /// Returns the word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Deviates => "deviates",
            Self::Absent => "absent",
            Self::Unexpected => "unexpected",
            Self::Unreadable => "unreadable",
            Self::NotAssessed => "not-assessed",
        }
    }
}

impl Verdict {
    /// Returns the word for the verdict.
    pub fn kind(self) -> VerdictKind {
        match self {
            Self::Conforms => VerdictKind::Conforms,
            Self::Deviates => VerdictKind::Deviates,
            Self::Absent => VerdictKind::Absent,
            Self::Unexpected => VerdictKind::Unexpected,
            Self::Unreadable => VerdictKind::Unreadable,
            Self::NotAssessed(_) => VerdictKind::NotAssessed,
        }
    }

    /// Returns why something was not judged.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::NotAssessed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// A verdict as reports have it: in two members of a finding. By itself a verdict is not written: see [`Verdict::kind`].
mod told_verdict {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Reason, Verdict, VerdictKind};

    #[derive(Serialize, Deserialize)]
    struct Told {
        verdict: VerdictKind,
        reason: Option<Reason>,
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a field by reference")]
    pub(super) fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
        Told { verdict: verdict.kind(), reason: verdict.reason() }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
        let told = Told::deserialize(deserializer)?;
        Ok(match (told.verdict, told.reason) {
            (VerdictKind::NotAssessed, Some(reason)) => Verdict::NotAssessed(reason),
            (VerdictKind::NotAssessed, None) => {
                return Err(D::Error::custom("a verdict of `not-assessed` needs a `reason`"));
            }
            (_, Some(_)) => {
                return Err(D::Error::custom("a `reason` stands beside a verdict other than `not-assessed`"));
            }
            (VerdictKind::Conforms, None) => Verdict::Conforms,
            (VerdictKind::Deviates, None) => Verdict::Deviates,
            (VerdictKind::Absent, None) => Verdict::Absent,
            (VerdictKind::Unexpected, None) => Verdict::Unexpected,
            (VerdictKind::Unreadable, None) => Verdict::Unreadable,
        })
    }
}

/// Why something was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Hives never contain the data.
    RunTime,
    /// The data are shown and not judged.
    Informational,
    /// The setup of this Windows is not finished.
    SetupPhase,
    /// The hive that contains the data is missing.
    HiveMissing,
    /// The expectation depends on an unknown fact about this Windows.
    OsUnknown,
}

/// A value as reports show it: its type, and its data if they can be shown without hiding anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Datum {
    /// The type's name.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The decoded data.
    pub data: Option<Decoded>,
}

impl Datum {
    /// Returns the data as a string, see [`RegistryValue::to_text`].
    pub fn to_text(&self) -> String {
        RegistryValue::encoded(self.data_type, self.data.as_ref()).to_text()
    }
}

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

/// An observed value: its decoded data and its raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedDatum {
    /// The decoded data.
    pub datum: Datum,
    /// The raw bytes.
    pub raw: Vec<u8>,
}

impl ObservedDatum {
    /// Returns the type and the data.
    pub fn value(&self) -> RegistryValue {
        RegistryValue { data_type: self.datum.data_type, bytes: self.raw.clone() }
    }
}

/// Serialises `data` with the JSON type of its registry type. `text` is always a string, `strings` always a list of
/// strings; `raw` has the bytes in lower-case hexadecimal.
impl Serialize for ObservedDatum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let value = self.value();
        let mut written = serializer.serialize_struct("ObservedDatum", 5)?;
        written.serialize_field("type", &self.datum.data_type)?;
        written.serialize_field("data", &self.datum.data)?;
        written.serialize_field("text", &value.to_text())?;
        written.serialize_field("strings", &value.to_strings())?;
        written.serialize_field("raw", &hex(&self.raw))?;
        written.end()
    }
}

/// Reads the form that [`ObservedDatum`] is written in. Only its bytes are trusted, and they are decoded again.
impl<'de> Deserialize<'de> for ObservedDatum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            #[serde(rename = "type")]
            data_type: DataType,
            raw: String,
        }
        let Written { data_type, raw } = Written::deserialize(deserializer)?;
        let bytes = bytes_of_hex(&raw)
            .ok_or_else(|| serde::de::Error::custom("`raw` is not bytes in lower-case hexadecimal"))?;
        Ok(Self::from(&RegistryValue { data_type, bytes }))
    }
}

/// The change that would correct a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Remediation {
    /// Write this datum.
    Set {
        /// The datum to write.
        #[serde(flatten)]
        datum: Datum,
        /// The same datum with its bytes.
        #[serde(skip)]
        value: RegistryValue,
    },
    /// Delete the value.
    DeleteValue,
}

/// Reads the form that [`Remediation`] is written in. The bytes are encoded again from the decoded data. Without
/// decoded data they are empty, so a patch is made from evidence, never from a report.
impl<'de> Deserialize<'de> for Remediation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(tag = "action", rename_all = "kebab-case")]
        enum Written {
            Set(Datum),
            DeleteValue,
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::DeleteValue => Self::DeleteValue,
            Written::Set(datum) => {
                let value = RegistryValue::encoded(datum.data_type, datum.data.as_ref());
                Self::Set { datum, value }
            }
        })
    }
}

/// The source of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The title of the source.
    pub title: String,
    /// Its address.
    pub url: Option<String>,
}

/// The view of a dirty hive that a verdict is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// The primary file alone.
    Primary,
    /// With the transaction logs replayed.
    Replayed,
    /// The verdicts of the two views differ.
    BothDiffer,
}

/// The result of one expectation in one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Key id, `/`, value name; unique per installation and control set.
    pub id: String,
    /// The result, with the reason if it was not judged.
    #[serde(flatten, with = "told_verdict")]
    pub verdict: Verdict,
    /// How much it matters.
    pub severity: Severity,
    /// How well the expectation is confirmed.
    pub grade: Grade,
    /// Why data in another form than the expected one conform.
    pub note: Option<String>,
    /// The id of the finding that caused this one. Only causes count for totals and the exit code.
    pub cause: Option<String>,
    /// What to do by hand.
    pub advice: Option<String>,
    /// The hive.
    pub hive: Option<Role>,
    /// The control set, for a key of SYSTEM.
    pub control_set: Option<u32>,
    /// The key's path in the hive.
    pub key: Option<String>,
    /// The value's name.
    pub value: Option<String>,
    /// The value's name in the hive's own letter case, if the value exists.
    #[serde(skip)]
    pub stored_name: Option<String>,
    /// What would be accepted.
    #[serde(flatten)]
    pub expected: Expected,
    /// The observed data.
    pub observed: Option<ObservedDatum>,
    /// When the key was last written. This is not the time of the value.
    pub key_last_written: Option<FileTime>,
    /// Why that time cannot be right, if it cannot.
    pub key_last_written_note: Option<String>,
    /// The view of the hive that the verdict is based on.
    pub view: View,
    /// The result in the other view, if the two differ.
    pub other_view: Option<serde_json::Value>,
    /// Keys that deviate in the same way in the control set that Windows falls back to: `ControlSet003\Services\BITS`.
    pub also_in: Vec<String>,
    /// The location in the file, if requested and if the key exists.
    pub location: Option<Location>,
    /// Why it matters, and what was concluded.
    pub why: String,
    /// The source.
    pub source: Source,
    /// ATT&CK techniques that the finding may indicate.
    pub attack: Vec<String>,
    /// The change that would correct the deviation.
    pub remediation: Option<Remediation>,
}

impl Finding {
    /// Returns whether the finding reports a deviation.
    pub fn is_deviation(&self) -> bool {
        matches!(self.verdict, Verdict::Deviates | Verdict::Absent | Verdict::Unexpected)
    }

    /// Returns the key's full path in a running Windows, `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\BITS`;
    /// `None` if the finding has no key.
    pub fn full_key(&self) -> Option<String> {
        Some(format!(r"HKEY_LOCAL_MACHINE\{}\{}", self.hive?, self.key.as_deref()?))
    }

    /// Returns the accepted data in full, for other programs. Alternatives are separated by ` | `; `(absent)` if
    /// nothing should exist, and `(the key)` if the key should.
    pub fn expected_text(&self) -> String {
        match &self.expected {
            Expected::Absent => "(absent)".to_owned(),
            Expected::Key => "(the key)".to_owned(),
            expected => expected.data().iter().map(Datum::to_text).collect::<Vec<_>>().join(" | "),
        }
    }

    /// Returns whether this is a deviation that no other finding caused. Only these count for totals, severities, and
    /// exit codes.
    pub fn is_cause(&self) -> bool {
        self.is_deviation() && self.cause.is_none()
    }

    /// Returns whether this is a cause that a patch corrects without being asked. Causes of severity `info` are patched
    /// only if they are named.
    pub fn is_to_mend(&self) -> bool {
        self.is_cause() && self.severity > Severity::Info
    }

    /// Returns when the key was last written, if that can be written as a date.
    pub fn key_date(&self) -> Option<FileTime> {
        self.key_last_written.filter(|time| time.is_date())
    }

    /// Returns the id of the key or step that the finding belongs to: the id without the name of a value or subkey.
    pub fn row(&self) -> &str {
        self.id.split(['/', '\\']).next().unwrap_or_default()
    }

    /// Returns whether this should have been judged and could not be.
    pub fn is_gap(&self) -> bool {
        matches!(self.verdict, Verdict::Unreadable | Verdict::NotAssessed(Reason::HiveMissing | Reason::OsUnknown))
    }
}

impl From<&RegistryValue> for Datum {
    fn from(value: &RegistryValue) -> Self {
        Self { data_type: value.data_type, data: value.decoded() }
    }
}

impl From<&RegistryValue> for ObservedDatum {
    fn from(value: &RegistryValue) -> Self {
        Self { datum: value.into(), raw: value.bytes.clone() }
    }
}
