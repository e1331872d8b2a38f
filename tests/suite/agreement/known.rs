//! The known differences between readers, and their reasons.

use std::borrow::Cow;
use std::fmt;

/// What comparing with another reader came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The same keys, times, values, types and data.
    Same,
    /// It gives up.
    Refuses,
    /// Keys and values that only we have, and only they.
    Differs { ours: usize, theirs: usize },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("same"),
            Self::Refuses => f.write_str("refuses"),
            Self::Differs { ours, theirs } => write!(f, "differs ({ours} only here, {theirs} only there)"),
        }
    }
}

/// libregf reads strings up to their first NUL and gives them one, and shows fewer than four bytes of data inside a
/// value as zeros (its Python module, 20201007): what is left to compare then is the type and the length, or the text.
pub(crate) fn shown_by_libregf(data_type: u32, data: &[u8]) -> Cow<'_, [u8]> {
    match (data_type, data.len()) {
        (1 | 2, _) => {
            let units = data.as_chunks::<2>().0;
            let end = units.iter().position(|unit| *unit == [0, 0]).unwrap_or(units.len());
            Cow::Borrowed(units[..end].as_flattened())
        }
        (_, length @ 1..4) => Cow::Owned(vec![0; length]),
        _ => Cow::Borrowed(data),
    }
}

/// notatin keeps four bytes of a REG_DWORD, and eight of a REG_QWORD, however many there are.
pub(super) fn shown_by_notatin(data_type: u32, data: &[u8]) -> Cow<'_, [u8]> {
    let kept = match data_type {
        4 | 5 => 4,
        11 => 8,
        _ => usize::MAX,
    };
    Cow::Borrowed(data.get(..kept).unwrap_or(data))
}

/// A known difference.
pub(super) struct Known {
    pub(super) hive: &'static str,
    pub(super) reader: &'static str,
    pub(super) outcome: Outcome,
    pub(super) why: &'static str,
}

/// Every known difference.
pub(super) const KNOWN: &[Known] = &[
    refuses("xp-damaged/SYSTEM", "hivex", BINS),
    refuses("xp-damaged/SYSTEM", "libregf", BINS),
    differs(
        "xp-damaged/SYSTEM",
        "notatin",
        0,
        9,
        "lists values whose data cannot be read, without data; here they are lost",
    ),
    refuses("yarp-set/BadBaseBlockHive/BadBaseBlockHive", "hivex", CHECKSUM),
    refuses("yarp-set/BadBaseBlockHive/BadBaseBlockHive", "libregf", CHECKSUM),
    refuses("yarp-set/hives/EffectiveSizeHive", "hivex", CHECKSUM),
    refuses("yarp-set/hives/EffectiveSizeHive", "libregf", CHECKSUM),
    differs(
        "yarp-set/hives/EffectiveSizeHive",
        "notatin",
        0,
        5001,
        "reads past the end of the hive bins that the base block declares",
    ),
    refuses("yarp-set/hives/GarbageHive", "hivex", CHECKSUM),
    refuses("yarp-set/hives/GarbageHive", "libregf", CHECKSUM),
    refuses("yarp-set/hives/DeletedDataHiveTruncated", "hivex", "a list of values is behind the end of the hive bins"),
    refuses("yarp-set/hives/TruncatedDirtyHive", "hivex", TRUNCATED),
    refuses("yarp-set/hives/TruncatedDirtyHive", "libregf", TRUNCATED),
    refuses("yarp-set/hives/TruncatedNameHive", "hivex", NAME),
    refuses("yarp-set/hives/TruncatedNameHive", "libregf", NAME),
    differs(
        "yarp-set/hives/TruncatedNameHive",
        "notatin",
        0,
        1,
        "takes what is behind the cell of a key for the rest of its name",
    ),
    refuses("yarp-set/hives/TruncatedPairHive", "hivex", SURROGATE),
    refuses("yarp-set/hives/TruncatedPairHive", "libregf", SURROGATE),
    refuses("yarp-set/hives/TruncatedPairHive2", "hivex", SURROGATE),
    refuses("yarp-set/hives/TruncatedPairHive2", "libregf", SURROGATE),
    differs(
        "yarp-set/hives/CompHive",
        "libregf",
        2,
        2,
        "takes names of one byte a letter for Windows code page 1252; they are Latin-1",
    ),
    differs("win7-sp1-x86/SOFTWARE", "libregf", 1, 1, ODD),
    differs("win7-sp1-x86/SYSTEM", "libregf", 12, 12, ODD),
    differs("xp-sp3-x86/system", "libregf", 10, 10, ODD),
    differs("xp-sp3-x86-m57/SYSTEM", "libregf", 2, 2, ODD),
    differs("win10-1709-x64-dirty-with-logs/SYSTEM", "libregf", 1, 1, "reads a string without NUL past its end"),
];

const BINS: &str = "gives up at the first hive bin that is damaged";
const CHECKSUM: &str = "the checksum of the base block is wrong";
const TRUNCATED: &str = "the file is truncated";
const NAME: &str = "gives up at a name that is longer than its cell";
const SURROGATE: &str = "gives up at a name with an unpaired surrogate";
const ODD: &str = "reads strings of an odd number of bytes past their end";

const fn refuses(hive: &'static str, reader: &'static str, why: &'static str) -> Known {
    Known { hive, reader, outcome: Outcome::Refuses, why }
}

const fn differs(hive: &'static str, reader: &'static str, ours: usize, theirs: usize, why: &'static str) -> Known {
    Known { hive, reader, outcome: Outcome::Differs { ours, theirs }, why }
}
