//! A set of entries: a file or folder, the place of its bytes, and its name (sections 7.4, 7.6 and 7.7).

use jiff::civil;
use jiff::tz::Offset;

use crate::evidence::disk::field::{le16, le32, le64};
use crate::evidence::locator::Name;
use crate::registry::FileTime;

/// The first entry of a file's set.
pub(super) const FILE: u8 = 0x85;
const STREAM: u8 = 0xc0;
const NAME: u8 = 0xc1;
const ENTRY: usize = 32;

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) name: Name,
    pub(super) is_folder: bool,
    /// Its first cluster.
    pub(super) first: u64,
    /// Whether its clusters are consecutive, without a chain.
    pub(super) is_contiguous: bool,
    /// The size in bytes (DataLength).
    pub(super) size: u64,
    /// Bytes that were written (ValidDataLength); the rest is zeros.
    pub(super) valid: u64,
    pub(super) modified: Option<FileTime>,
}

/// Returns the number of bytes of the set that this entry begins; `None` if it begins no set.
pub(super) fn length(first: &[u8]) -> Option<usize> {
    let [FILE, secondary, ..] = *first else { return None };
    Some(usize::from(secondary).saturating_add(1).saturating_mul(ENTRY))
}

/// Returns the name in a set, as far as the set contains it.
pub(super) fn name(set: &[u8]) -> Option<Name> {
    let (entries, _) = set.as_chunks::<ENTRY>();
    let stream = entries.get(1).filter(|stream| stream.first() == Some(&STREAM))?;
    let letters = usize::from(*stream.get(3)?);
    let units: Vec<u16> = entries
        .iter()
        .skip(2)
        .filter(|entry| entry.first() == Some(&NAME))
        .flat_map(|entry| entry.get(2..).unwrap_or_default().as_chunks::<2>().0)
        .map(|unit| u16::from_le_bytes(*unit))
        .take(letters)
        .collect();
    (!units.is_empty() && units.len() == letters).then(|| Name::from_utf16(units))
}

impl Set {
    /// Reads a whole set.
    ///
    /// # Errors
    /// Another checksum, or a wrong value.
    pub(super) fn read(set: &[u8]) -> Result<Self, &'static str> {
        let sum = set
            .iter()
            .enumerate()
            .filter(|(at, _)| !matches!(at, 2 | 3))
            .fold(0_u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)));
        if le16(set, 2) != Some(sum) {
            return Err("a set of entries with a wrong checksum");
        }
        let wrong = "a set of entries without a stream or a name";
        let name = name(set).ok_or(wrong)?;
        let stream = set.get(ENTRY..).unwrap_or_default();
        let size = le64(stream, 24).ok_or(wrong)?;
        let valid = le64(stream, 8).ok_or(wrong)?;
        if valid > size {
            return Err("a set of entries with more valid bytes than its size");
        }
        let flags = stream.get(1).copied().unwrap_or_default();
        Ok(Self {
            name,
            is_folder: le16(set, 4).ok_or(wrong)? & 0x10 != 0,
            first: u64::from(le32(stream, 20).ok_or(wrong)?),
            is_contiguous: flags & 2 != 0,
            size,
            valid,
            modified: modified(set),
        })
    }
}

/// Returns the time of the last write, if the clock's time zone is known (section 7.4.8 to 7.4.10).
fn modified(set: &[u8]) -> Option<FileTime> {
    let stamp = le32(set, 12)?;
    let part = |shift: u32, bits: u32| i8::try_from(stamp >> shift & (1_u32 << bits).saturating_sub(1)).ok();
    let zone = *set.get(23)?;
    if zone & 0x80 == 0 {
        return None;
    }
    // Seven bits with a sign, in quarters of an hour.
    let quarters = i32::from(i8::from_le_bytes([zone << 1]) >> 1);
    let year = i16::try_from(stamp >> 25).ok()?.checked_add(1980)?;
    let at = civil::DateTime::new(
        year,
        part(21, 4)?,
        part(16, 5)?,
        part(11, 5)?,
        part(5, 6)?,
        part(0, 5)?.checked_mul(2)?,
        0,
    );
    let offset = Offset::from_seconds(quarters.checked_mul(900)?).ok()?;
    let seconds = offset.to_timestamp(at.ok()?).ok()?.as_second();
    let whole = FileTime::from_unix_seconds(u32::try_from(seconds).ok()?);
    let hundredths = u64::from(*set.get(21)?).min(199);
    Some(FileTime(whole.0.saturating_add(hundredths.saturating_mul(100_000))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_where_the_zone_is_known() {
        let mut set = [0; 32];
        // 2010-07-02 13:14:16.5
        let stamp = 30_u32 << 25 | 7 << 21 | 2 << 16 | 13 << 11 | 14 << 5 | 8;
        set[12..16].copy_from_slice(&stamp.to_le_bytes());
        set[21] = 50;
        assert_eq!(modified(&set), None);
        let at = |zone| {
            let mut set = set;
            set[23] = zone;
            modified(&set).and_then(FileTime::to_rfc3339).unwrap()
        };
        assert_eq!(at(0x80), "2010-07-02T13:14:16.5000000Z");
        // Two hours ahead of UTC, and five hours behind.
        assert_eq!(at(0x88), "2010-07-02T11:14:16.5000000Z");
        assert_eq!(at(0x80 | (0x7f & 0xec)), "2010-07-02T18:14:16.5000000Z");
        set[12..16].fill(0xff);
        set[23] = 0x80;
        assert_eq!(modified(&set), None);
    }
}
