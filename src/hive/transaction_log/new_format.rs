//! The new format, Windows 8.1 and later: a sequence of entries, each with its sequence number, two hashes, and the
//! pages that it writes.
//!
//! M. Suhanov, "Windows registry file format specification", section "Log entries". Bytes from the entry's start: 0
//! `HvLE`, 4 size, 8 flags, 12 sequence number, 16 size of the hive bins, 20 count of pages, 24 hash over 40 to the
//! end, 32 hash over 0 to 32, 40 references to pages (offset from the first hive bin, size), then the pages.

use super::marvin32::marvin32;
use super::{MAX_DATA_SIZE, Page, dword, later};
use crate::error::Problem;

/// An entry's header, before the references to pages.
const HEADER: usize = 40;
/// One reference to a page.
const REFERENCE: usize = 8;
/// Entries begin and pages are aligned at multiples of this many bytes.
const SECTOR: u32 = 512;

/// One entry that was checked completely.
#[derive(Debug)]
pub(in crate::hive) struct Entry<'l> {
    /// Its number. After the entry is applied, both sequence numbers of the base block have this value.
    pub(in crate::hive) sequence: u32,
    /// The base block's flags.
    pub(in crate::hive) flags: u32,
    /// Bytes of hive bins after the entry is applied.
    pub(in crate::hive) data_size: u32,
    /// The pages that it writes.
    pub(in crate::hive) pages: Vec<Page<'l>>,
    /// The offset of the next entry, in bytes from the log's start.
    pub(in crate::hive) end: usize,
}

/// Why no further entry follows.
#[derive(Debug)]
pub(in crate::hive) enum Stop {
    /// The log ends here, or only remains of an older log follow.
    End,
    /// Data follow, but not the entry that should be here.
    Unsound(Problem),
}

/// Returns the entry at offset `at`, which must have the number `expected`. Verifies the hashes before all else.
pub(in crate::hive) fn entry_at(log: &[u8], at: usize, expected: u32) -> Result<Entry<'_>, Stop> {
    let rest = log.get(at..).unwrap_or_default();
    let fail = |offset: usize, what: String, found: String| {
        Err(Stop::Unsound(Problem::at(at.saturating_add(offset) as u64, what, found)))
    };
    if rest.iter().take(4).all(|byte| *byte == 0) {
        return Err(Stop::End);
    }
    if !rest.starts_with(b"HvLE") {
        let found = rest.get(..4).unwrap_or(rest);
        return fail(0, format!("log entry {expected} (HvLE)"), format!("\"{}\"", found.escape_ascii()));
    }
    let field = |offset: usize| dword(rest, offset).unwrap_or(0);
    let (stored_size, sequence, data_size) = (field(4), field(12), field(16));
    let size = usize::try_from(stored_size).unwrap_or(usize::MAX);
    let Some(entry) = rest.get(..size).filter(|_| size > HEADER && stored_size.is_multiple_of(SECTOR)) else {
        let left = rest.len();
        return fail(
            4,
            format!("a log entry of a multiple of {SECTOR} bytes, {left} at most"),
            format!("{size} bytes"),
        );
    };
    let header = entry.get(..32).unwrap_or_default();
    let content = entry.get(HEADER..).unwrap_or_default();
    if marvin32(header) != qword(entry, 32) {
        return fail(32, "the hash of the entry's header (Hash-2)".to_owned(), format!("{:#018x}", qword(entry, 32)));
    }
    if sequence != expected {
        // When a log is restarted, the old entries are not erased.
        return if later(sequence, expected) {
            fail(12, format!("log entry {expected}"), format!("log entry {sequence}: those between are missing"))
        } else {
            Err(Stop::End)
        };
    }
    if marvin32(content) != qword(entry, 24) {
        return fail(24, "the hash of the entry's pages (Hash-1)".to_owned(), format!("{:#018x}", qword(entry, 24)));
    }
    if data_size == 0 || !data_size.is_multiple_of(4096) || data_size > MAX_DATA_SIZE {
        let what = format!("hive bins of a multiple of 4096 bytes, {MAX_DATA_SIZE} at most");
        return fail(16, what, format!("{data_size} bytes"));
    }
    let count = usize::try_from(field(20)).unwrap_or(usize::MAX);
    let Some((references, mut data)) = content.split_at_checked(count.saturating_mul(REFERENCE)) else {
        return fail(20, format!("references to {count} pages"), format!("{} bytes in the entry", content.len()));
    };
    let mut pages = Vec::with_capacity(count);
    for (index, reference) in references.as_chunks::<REFERENCE>().0.iter().enumerate() {
        let (offset, length) = (dword(reference, 0).unwrap_or(0), dword(reference, 4).unwrap_or(0));
        let taken = usize::try_from(length).ok().and_then(|length| data.split_at_checked(length));
        let sound = length > 0
            && offset.is_multiple_of(SECTOR)
            && length.is_multiple_of(SECTOR)
            && offset.checked_add(length).is_some_and(|end| end <= data_size);
        match taken {
            Some((bytes, others)) if sound => {
                pages.push(Page { offset, bytes });
                data = others;
            }
            _ => {
                let place = HEADER.saturating_add(index.saturating_mul(REFERENCE));
                return fail(
                    place,
                    format!("a page of whole sectors within {data_size} bytes of hive bins, and in this entry"),
                    format!("a page of {length} bytes for {offset:#x}"),
                );
            }
        }
    }
    Ok(Entry { sequence, flags: field(8), data_size, pages, end: at.saturating_add(size) })
}

fn qword(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u64::from_le_bytes(*chunk))
}
