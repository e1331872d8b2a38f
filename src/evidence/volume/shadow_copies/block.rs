//! The blocks of VSS' own records: 16 KiB each, with a header of 128 bytes, chained by offset.

use std::collections::BTreeSet;

use super::super::guid::Guid;
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// Bytes of a block, both of saved blocks and of VSS' own records.
pub(super) const BLOCK: u64 = 0x4000;
/// Bytes of the header of each record block.
pub(super) const HEADER: usize = 0x80;
/// The most blocks in one chain: enough descriptors for 128 GiB saved in one shadow copy, and enough bits for 32 TiB of
/// volume. The largest volume with clusters of 4 KiB, as a system volume has, has 16 TiB.
const MOST_IN_CHAIN: usize = 1 << 14;

/// The first bytes of every record block: {3808876b-c176-4e48-b7ae-04046e6cc752}, in the order of the disk.
pub(super) const IDENTIFIER: Guid =
    Guid([0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52]);

/// Returns the number at `at`; 0 past the end, which no caller requests: blocks are whole.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

/// As [`u32_at`].
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

/// The content of a record block; the number is the record type in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Volume = 1,
    Catalog = 2,
    BlockList = 3,
    Store = 4,
    Ranges = 5,
    Bitmap = 6,
}

impl Record {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Volume => "the VSS volume header",
            Self::Catalog => "a block of the catalog of shadow copies",
            Self::BlockList => "a block of a shadow copy's list of saved blocks",
            Self::Store => "the header of a shadow copy",
            Self::Ranges => "a block of a shadow copy's list of ranges",
            Self::Bitmap => "a block of a shadow copy's bitmap",
        }
    }

    /// Checks the common fields of every record header; `offset` is the place of `header` on the volume, in bytes.
    ///
    /// # Errors
    /// Which field is wrong.
    pub(super) fn check(self, header: &[u8], offset: u64) -> Result<(), Problem> {
        let wrong = |found| Err(damaged(offset, self.name(), found));
        let (identifier, version, record) =
            (Guid::at(header, 0).unwrap_or_default(), u32_at(header, 16), u32_at(header, 20));
        if identifier != IDENTIFIER {
            return wrong(format!("the identifier {identifier}"));
        }
        if !(1..=2).contains(&version) {
            return wrong(format!("version {version}; 1 and 2 are known"));
        }
        if record != self as u32 {
            return wrong(format!("record type {record}"));
        }
        // The volume header has its own offset first; other headers have their offset in their file before it.
        let own = u64_at(header, if self == Self::Volume { 24 } else { 32 });
        if own == offset { Ok(()) } else { wrong(format!("a block that claims to lie at {own:#x}")) }
    }
}

/// Returns a problem of the records, with advice.
pub(super) fn damaged(offset: u64, expected: impl Into<String>, found: impl Into<String>) -> Problem {
    Problem::at(offset, expected, found)
        .advise("the shadow copies may be damaged, or the image incomplete; compare with vshadowmount")
}

/// Reads the record block at `offset` of the volume, in bytes.
///
/// # Errors
/// The block is unreadable, or no such block.
pub(super) fn read(volume: &Blocks, offset: u64, record: Record) -> Result<Vec<u8>, Problem> {
    if !offset.is_multiple_of(BLOCK) {
        return Err(damaged(offset, record.name(), "an offset that is no multiple of 16 KiB"));
    }
    let mut bytes = vec![0; 0x4000];
    match volume.read_exact_at(&mut bytes, offset) {
        Ok(()) => record.check(&bytes, offset).map(|()| bytes),
        Err(error) => Err(damaged(offset, record.name(), format!("an unreadable block: {error}"))),
    }
}

/// Reads a chain of blocks from `first` on, 0 for no chain, and passes the offset and the bytes of each block to
/// `each`. `each` returns whether to go on.
///
/// # Errors
/// A block is unreadable, the chain has a loop, or is too long; the error of `each`.
pub(super) fn chain(
    volume: &Blocks,
    first: u64,
    record: Record,
    mut each: impl FnMut(u64, &[u8]) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    let (mut seen, mut offset) = (BTreeSet::new(), first);
    while offset != 0 {
        if !seen.insert(offset) {
            return Err(damaged(offset, record.name(), "a block that its chain contains already"));
        }
        if seen.len() > MOST_IN_CHAIN {
            return Err(damaged(offset, format!("a chain of at most {MOST_IN_CHAIN} blocks"), "a longer one"));
        }
        let bytes = read(volume, offset, record)?;
        if !each(offset, &bytes)? {
            break;
        }
        offset = u64_at(&bytes, 40);
    }
    Ok(())
}

/// Iterates over the entries of a record block, each with its offset on the volume in bytes.
pub(super) fn entries<const SIZE: usize>(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8; SIZE])> {
    let (entries, _) = bytes.get(HEADER..).unwrap_or_default().as_chunks::<SIZE>();
    let start = offset.saturating_add(HEADER as u64);
    (0_u64..).zip(entries).map(move |(i, entry)| (start.saturating_add(i.saturating_mul(SIZE as u64)), entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_printed_as_windows_prints_it() {
        assert_eq!(IDENTIFIER.to_string(), "3808876b-c176-4e48-b7ae-04046e6cc752");
    }
}
