//! Findings: the result of an expectation, how much it matters, and how well the expectation is confirmed.

use serde::{Deserialize, Serialize};

mod datum;
mod expected;
mod verdict;

pub use crate::hive::{Location, WrittenBy};
use crate::registry::{FileTime, RegistryValue, Role};
pub use datum::{Datum, ObservedDatum};
pub use expected::Expected;
use verdict::told_verdict;
pub use verdict::{Reason, Verdict, VerdictKind};

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
