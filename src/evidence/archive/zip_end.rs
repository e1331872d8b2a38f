//! The end of a ZIP archive, which locates its directory. APPNOTE.TXT, sections 4.3.14 to 4.3.16.

use super::field::{le16, le32, le64};
use super::refused::{Cause, Refused};
use super::told::Told;
use crate::evidence::block::Blocks;

/// Bytes of the end record, without its comment and with the longest one.
const RECORD: usize = 22;
const MOST_RECORD: u64 = 22 + 65_535;

/// The end of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The directory's first byte from the file's start, and its size in bytes.
    pub(super) directory: u64,
    pub(super) size: u64,
    pub(super) members: u64,
    /// Whether the number of members has only 16 bits.
    pub(super) is_16_bit: bool,
    /// Bytes before the archive: of a program that extracts it.
    pub(super) before: u64,
}

/// Finds the end: the record that reaches to the file's last byte, or else the last one that fits.
pub(super) fn find(blocks: &Blocks, told: &mut Told) -> Result<End, Refused> {
    let size = blocks.size();
    let start = size.saturating_sub(MOST_RECORD);
    let mut tail = vec![0; usize::try_from(size.saturating_sub(start)).unwrap_or(0)];
    blocks.read_exact_at(&mut tail, start).map_err(|error| Refused::from_error(&error))?;
    let mut found = None;
    for at in (0..tail.len().saturating_sub(RECORD).saturating_add(1)).rev() {
        let record = tail.get(at..).unwrap_or_default();
        if record.len() < RECORD || !record.starts_with(b"PK\x05\x06") {
            continue;
        }
        let rest = record.len().checked_sub(RECORD.saturating_add(le16(record, 20).into()));
        match rest {
            Some(0) => {
                found = Some((at, 0));
                break;
            }
            Some(rest) if found.is_none() => found = Some((at, rest)),
            _ => {}
        }
    }
    let Some((at, rest)) = found else {
        return Err(Refused::new(
            Cause::Damaged,
            "it has no end record: the archive is truncated",
            "copy the archive again, or rebuild it: zip -FF IN.zip --out OUT.zip",
        ));
    };
    if rest > 0 {
        told.tell(format!("there are {rest} bytes after the archive's end"));
    }
    let record = tail.get(at..).unwrap_or_default();
    let end = end(blocks, record, start.saturating_add(at as u64))?;
    let mut first = [0; 2];
    if end.before > 0 && blocks.read_exact_at(&mut first, 0).is_ok() && !matches!(&first, b"MZ" | b"\x7fE" | b"#!") {
        told.tell(format!("there are {} bytes before the archive, which are not a program", end.before));
    }
    Ok(end)
}

/// Reads the end record at `place`, and the 64-bit record before it.
fn end(blocks: &Blocks, record: &[u8], place: u64) -> Result<End, Refused> {
    let mut members = u64::from(le16(record, 10));
    let (mut size, mut offset) = (u64::from(le32(record, 12)), u64::from(le32(record, 16)));
    let (mut disks, mut is_16_bit) = ((le16(record, 4), le16(record, 6)), true);
    let mut behind = place;
    let mut locator = [0; 20];
    let wide = place.checked_sub(20).is_some_and(|at| blocks.read_exact_at(&mut locator, at).is_ok());
    if wide && locator.starts_with(b"PK\x06\x07") {
        // A program before the archive moves the record; then the record ends just before the locator.
        let told = le64(&locator, 8);
        let mut wide = [0; 56];
        let is =
            |at: u64, wide: &mut [u8; 56]| blocks.read_exact_at(wide, at).is_ok() && wide.starts_with(b"PK\x06\x06");
        let at = [Some(told), place.checked_sub(76)].into_iter().flatten().find(|at| is(*at, &mut wide));
        let Some(at) = at else { return Err(Refused::damaged("its end record of 64 bits is missing")) };
        (members, size, offset) = (le64(&wide, 32), le64(&wide, 40), le64(&wide, 48));
        (disks, is_16_bit, behind) = ((0, 0), false, at);
        if le32(&locator, 16) > 1 || le32(&wide, 16) != 0 {
            return Err(split());
        }
    }
    if disks != (0, 0) {
        return Err(split());
    }
    let directory = behind.checked_sub(size);
    let placed = directory.and_then(|directory| Some((directory, directory.checked_sub(offset)?)));
    let Some((directory, before)) = placed else {
        return Err(Refused::damaged(format!(
            "its directory of {size} bytes at {offset:#x} does not fit before its end record at {place:#x}"
        )));
    };
    Ok(End { directory, size, members, is_16_bit, before })
}

/// Creates the refusal of a split archive.
fn split() -> Refused {
    Refused::new(
        Cause::Unsupported,
        "it is one part of a split zip archive",
        "join the parts: zip -s 0 IN.zip --out OUT.zip",
    )
}
