//! The types of the registry: names, data types, value data, file times, key paths.
//!
//! Names and strings are UTF-16 units here, not `String`. A registry may contain unpaired surrogates, and two names
//! that differ only in them are different.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

mod data;
pub(crate) mod look_alikes;
mod name;
pub(crate) mod unseen;
mod upcase;

pub use data::{DataType, Decoded, RegistryValue};
pub(crate) use data::{bytes_of_hex, hex};
pub use name::Name;

/// Returns the uppercase of one UTF-16 unit in the Windows registry (`RtlUpcaseUnicodeChar`).
///
/// Windows writes this table to every NTFS volume as `$UpCase`. It folds fewer letters than Unicode.
pub fn upcase(unit: u16) -> u16 {
    // Nearly every name is ASCII, which needs no search.
    if unit < 0x80 {
        return if (0x61..=0x7a).contains(&unit) { unit & !0x20 } else { unit };
    }
    let after = upcase::RUNS.partition_point(|&(first, ..)| first <= unit);
    match after.checked_sub(1).and_then(|i| upcase::RUNS.get(i)) {
        Some(&(first, last, step, add)) if unit <= last && unit.wrapping_sub(first).is_multiple_of(step) => {
            unit.wrapping_add(add)
        }
        _ => unit,
    }
}

/// Returns whether two names are the same to Windows: compared unit by unit, without case.
pub fn same_name(a: impl IntoIterator<Item = u16>, b: impl IntoIterator<Item = u16>) -> bool {
    a.into_iter().map(upcase).eq(b.into_iter().map(upcase))
}

/// Returns whether two well-formed strings are the same name, as [`same_name`] does.
pub fn same_text(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    same_name(a.encode_utf16(), b.encode_utf16())
}

/// Returns a sum of a name that names which are the same to Windows share, beginning with another sum (FNV-1a over the
/// uppercase UTF-16 units).
pub(crate) fn fold(sum: u64, name: &str) -> u64 {
    let add = |sum: u64, unit: u16| (sum ^ u64::from(upcase(unit))).wrapping_mul(0x0100_0000_01b3);
    let end = |sum: u64| add(sum, 0);
    if name.is_ascii() {
        return end(name.bytes().map(u16::from).fold(sum, add));
    }
    end(name.encode_utf16().fold(sum, add))
}

/// A point in time as Windows counts it: 100 ns intervals since 1601-01-01 00:00 UTC (FILETIME).
///
/// <https://learn.microsoft.com/windows/win32/api/minwinbase/ns-minwinbase-filetime>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(pub u64);

/// Intervals of 100 ns in a second.
const INTERVALS_PER_SECOND: u64 = 10_000_000;
/// Seconds from 1601-01-01 to 1970-01-01.
const EPOCH_DIFFERENCE_IN_SECONDS: i64 = 11_644_473_600;

impl FileTime {
    /// Returns the time of a Unix clock, given in whole seconds since 1970.
    pub fn from_unix_seconds(seconds: u32) -> Self {
        let since_1601 = u64::from(seconds).saturating_add(EPOCH_DIFFERENCE_IN_SECONDS.unsigned_abs());
        Self(since_1601.saturating_mul(INTERVALS_PER_SECOND))
    }

    /// Returns whether the time can be written as a date: not 0, which means "never", and not past the year 9999.
    pub fn is_date(self) -> bool {
        self.to_rfc3339().is_some()
    }

    /// Returns the time as RFC 3339 in UTC with seven decimals; `None` past the year 9999, and for 0, "never".
    pub fn to_rfc3339(self) -> Option<String> {
        if self.0 == 0 {
            return None;
        }
        let seconds = i64::try_from(self.0 / INTERVALS_PER_SECOND).ok()?.checked_sub(EPOCH_DIFFERENCE_IN_SECONDS)?;
        let nanoseconds = i32::try_from((self.0 % INTERVALS_PER_SECOND).saturating_mul(100)).ok()?;
        let timestamp = Timestamp::new(seconds, nanoseconds).ok()?;
        let mut text = String::with_capacity(28);
        DateTimePrinter::new().precision(Some(7)).print_timestamp(&timestamp, &mut text).ok()?;
        Some(text)
    }
}

impl FromStr for FileTime {
    type Err = jiff::Error;

    /// Reads RFC 3339 with a precision of 100 ns. Times before 1601 become 0.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let timestamp: Timestamp = text.parse()?;
        let since_1601 = timestamp
            .as_nanosecond()
            .saturating_div(100)
            .saturating_add(i128::from(EPOCH_DIFFERENCE_IN_SECONDS).saturating_mul(i128::from(INTERVALS_PER_SECOND)));
        Ok(Self(u64::try_from(since_1601).unwrap_or(0)))
    }
}

impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_rfc3339() {
            Some(text) => f.write_str(&text),
            None => write!(f, "FILETIME {:#018x}", self.0),
        }
    }
}

impl serde::Serialize for FileTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_rfc3339().serialize(serializer)
    }
}

/// Reads the form that [`FileTime`] is written in.
impl<'de> serde::Deserialize<'de> for FileTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The part of the registry that a hive contains. Only the first two are audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the hives' own names")]
pub enum Role {
    Software,
    System,
    Ntuser,
    UsrClass,
    Sam,
    Security,
    Default,
    Components,
    Drivers,
    Bcd,
    Amcache,
    Unknown,
}

impl Role {
    /// Returns the hive's name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Software => "SOFTWARE",
            Self::System => "SYSTEM",
            Self::Ntuser => "NTUSER",
            Self::UsrClass => "USRCLASS",
            Self::Sam => "SAM",
            Self::Security => "SECURITY",
            Self::Default => "DEFAULT",
            Self::Components => "COMPONENTS",
            Self::Drivers => "DRIVERS",
            Self::Bcd => "BCD",
            Self::Amcache => "AMCACHE",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads the form that [`Role`] is written in.
impl<'de> serde::Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const ALL: [Role; 12] = [
            Role::Software,
            Role::System,
            Role::Ntuser,
            Role::UsrClass,
            Role::Sam,
            Role::Security,
            Role::Default,
            Role::Components,
            Role::Drivers,
            Role::Bcd,
            Role::Amcache,
            Role::Unknown,
        ];
        let name = String::deserialize(deserializer)?;
        let found = ALL.into_iter().find(|role| role.as_str() == name);
        found.ok_or_else(|| serde::de::Error::custom(format!("{name:?} is no hive")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_the_table_of_windows() {
        assert!(same_text("DllName", "DLLNAME"));
        assert!(same_text("grüße", "GRÜßE"));
        assert!(same_text("ÿ", "Ÿ"));
        // Windows folds neither of these letters, so these names are decoys, not other spellings.
        assert!(!same_text("NOT\u{131}FY", "NOTIFY"));
        assert!(!same_text("\u{17f}ens", "SENS"));
        assert!(!same_name([0xd800], [0xd801]));
    }

    #[test]
    fn the_whole_table_is_idempotent_and_runs_are_sorted() {
        assert!(upcase::RUNS.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert_eq!((0..=u16::MAX).filter(|&unit| upcase(unit) != unit).count(), 973);
    }

    #[test]
    fn file_times_keep_all_seven_decimals() {
        let time: FileTime = "2012-07-23T01:02:50.5622517Z".parse().unwrap();
        assert_eq!(time.to_string(), "2012-07-23T01:02:50.5622517Z");
        assert_eq!(FileTime::from_unix_seconds(0).to_string(), "1970-01-01T00:00:00.0000000Z");
        assert_eq!(FileTime(0).to_rfc3339(), None);
        assert_eq!(FileTime(u64::MAX).to_string(), "FILETIME 0xffffffffffffffff");
    }
}
