//! Findings: what an expectation came to, how much it matters, and how sure it is.

use serde::{Deserialize, Serialize};

pub use crate::hive::{Location, WrittenBy};
use crate::registry::{DataType, Decoded, FileTime, RegistryValue, Role, bytes_of_hex, hex};

/// How sure an expectation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Carried over from a kindred Windows.
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
    /// The owner's choice, an inert leftover, a known addition of a third party. Never fails a run.
    Info,
    /// Differs; what it does is not known.
    Low,
    /// Explains the failure that the article describes.
    Medium,
    /// Decides which code runs.
    High,
    /// Code is loaded from where no system file lives.
    Critical,
}

/// What an expectation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Conforms,
    /// Other data, or another type.
    Deviates,
    /// Expected, and not there.
    Absent,
    /// There, and should not be.
    Unexpected,
    /// Could not be read: nobody knows.
    Unreadable,
    /// Not judged, for the [`Reason`] given.
    NotAssessed,
}

impl Verdict {
    /// Returns the word that reports have for it.
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

/// Why something was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Hives never hold it.
    RunTime,
    /// Shown, and judged by nobody.
    Informational,
    /// The hive is of a Windows whose setup is not finished.
    SetupPhase,
    /// The hive that would tell is not there.
    HiveMissing,
    /// Whether this is expected depends on a fact about this Windows that is not known.
    OsUnknown,
}

/// A value as reports show it: the type, and the data where it can be told without hiding anything.
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

/// A value as it was observed: what it says, and its raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedDatum {
    /// What it says.
    pub datum: Datum,
    /// The bytes.
    pub raw: Vec<u8>,
}

impl ObservedDatum {
    /// Type and data.
    pub fn value(&self) -> RegistryValue {
        RegistryValue { data_type: self.datum.data_type, bytes: self.raw.clone() }
    }
}

/// `data` has the JSON type of its registry type; `text` is always a string, `strings` always a list of strings; `raw`
/// has the bytes in lower-case hexadecimal.
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

/// What [`ObservedDatum`] is written as. The bytes alone are believed: what they say is decoded from them again.
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

/// What would put a value right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Remediation {
    /// Write this value.
    Set {
        /// What to write.
        #[serde(flatten)]
        datum: Datum,
        /// The same with its bytes.
        #[serde(skip)]
        value: RegistryValue,
    },
    /// Delete the value.
    DeleteValue,
}

/// What [`Remediation`] is written as. Its bytes are encoded again from what they say; data that say nothing come back
/// empty, so that a patch is made from evidence, never from a report.
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

/// Who says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub title: String,
    /// Where it can be read.
    pub url: Option<String>,
}

/// Which view of a dirty hive a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// The primary file as it lies.
    Primary,
    /// With the transaction logs replayed.
    Replayed,
    /// The two differ in the verdict.
    BothDiffer,
}

/// What one expectation came to in one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Key id, `/`, value name; unique per installation and control set.
    pub id: String,
    /// What it came to.
    pub verdict: Verdict,
    /// How much it matters.
    pub severity: Severity,
    /// How sure the expectation is.
    pub grade: Grade,
    /// Why it was not judged.
    pub reason: Option<Reason>,
    /// Why data in another form than the expected one conform.
    pub note: Option<String>,
    /// The id of the finding that this one follows from. Counts and the exit code take causes only.
    pub cause: Option<String>,
    /// What to do by hand.
    pub advice: Option<String>,
    /// The hive.
    pub hive: Option<Role>,
    /// The control set, in SYSTEM.
    pub control_set: Option<u32>,
    /// The key's path in the hive.
    pub key: Option<String>,
    /// The value's name.
    pub value: Option<String>,
    /// The value's name in the hive's own letter case, where it is there.
    #[serde(skip)]
    pub stored_name: Option<String>,
    /// What would be accepted; empty where the value should not be there.
    pub expected: Vec<Datum>,
    /// What is there.
    pub observed: Option<ObservedDatum>,
    /// When the key was last written. It says nothing of when this value was.
    pub key_last_written: Option<FileTime>,
    /// Why that time cannot be right, where it cannot.
    pub key_last_written_note: Option<String>,
    /// Which view of the hive this rests on.
    pub view: View,
    /// What the other view came to, where the two differ.
    pub other_view: Option<serde_json::Value>,
    /// Keys that deviate in the same way in the control set that Windows falls back to: `ControlSet003\Services\BITS`.
    pub also_in: Vec<String>,
    /// Where it lies in the file, where that was asked for and its key is there.
    pub location: Option<Location>,
    /// Why it matters, and what was concluded.
    pub why: String,
    /// Who says so.
    pub source: Source,
    /// ATT&CK techniques that this may point at.
    pub attack: Vec<String>,
    /// What would put it right.
    pub remediation: Option<Remediation>,
}

impl Finding {
    /// Returns whether this says that something is not as it should be.
    pub fn is_deviation(&self) -> bool {
        matches!(self.verdict, Verdict::Deviates | Verdict::Absent | Verdict::Unexpected)
    }

    /// Returns the key's full path as it is in a running Windows,
    /// `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\BITS`; `None` where the finding is about no key.
    pub fn full_key(&self) -> Option<String> {
        Some(format!(r"HKEY_LOCAL_MACHINE\{}\{}", self.hive?, self.key.as_deref()?))
    }

    /// Returns what would be accepted, alternatives with ` | ` between them; `(absent)` where nothing should be there.
    /// In full, for other programs.
    pub fn expected_text(&self) -> String {
        if self.verdict == Verdict::Unexpected && self.expected.is_empty() {
            return "(absent)".to_owned();
        }
        self.expected.iter().map(Datum::to_text).collect::<Vec<_>>().join(" | ")
    }

    /// Returns whether this is a deviation that follows from no other: what counts, severities and exit codes are made
    /// of.
    pub fn is_cause(&self) -> bool {
        self.is_deviation() && self.cause.is_none()
    }

    /// Returns whether this is a cause that a patch is for by itself: those of severity `info` are patched only where
    /// they are named.
    pub fn is_to_mend(&self) -> bool {
        self.is_cause() && self.severity > Severity::Info
    }

    /// When the key was last written, where that can be written as a date.
    pub fn key_date(&self) -> Option<FileTime> {
        self.key_last_written.filter(|time| time.is_date())
    }

    /// Returns the id of the key or step that this is of: the id up to the name of a value or subkey.
    pub fn row(&self) -> &str {
        self.id.split(['/', '\\']).next().unwrap_or_default()
    }

    /// Returns whether something that should have been judged could not be.
    pub fn is_gap(&self) -> bool {
        self.verdict == Verdict::Unreadable || matches!(self.reason, Some(Reason::HiveMissing | Reason::OsUnknown))
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
