//! Verdicts: the result of an expectation, or why there is none.

use serde::{Deserialize, Serialize};

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
pub(super) mod told_verdict {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Reason, Verdict, VerdictKind};

    #[derive(Serialize, Deserialize)]
    struct Told {
        verdict: VerdictKind,
        reason: Option<Reason>,
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a field by reference")]
    pub(in crate::finding) fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
        Told { verdict: verdict.kind(), reason: verdict.reason() }.serialize(serializer)
    }

    pub(in crate::finding) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
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
