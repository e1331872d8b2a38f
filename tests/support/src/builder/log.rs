//! Transaction logs in the form that Windows writes: both formats, from the difference between two states of a hive.

use super::base_block::{BaseBlock, FileType};
use super::{Hive, PAGE};

/// Pages to write: their offsets from the start of the hive bins, and their bytes.
pub type Pages = Vec<(u32, Vec<u8>)>;

/// Returns the pages in which two states of a hive differ, 4,096 bytes each as Windows logs them, and the pages that
/// only the second has.
pub fn changed_pages(before: &[u8], after: &[u8]) -> Pages {
    let pages = after[PAGE..].chunks(PAGE).enumerate();
    pages
        .filter(|(index, page)| before.get((index + 1) * PAGE..(index + 2) * PAGE) != Some(page))
        .map(|(index, page)| (u32::try_from(index * PAGE).expect("a small hive"), page.to_vec()))
        .collect()
}

/// An entry of a log of the new format.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub sequence: u32,
    /// The flags of the base block.
    pub flags: u32,
    /// The size of all hive bins after the entry is applied.
    pub hive_bins_size: u32,
    /// The pages that it writes.
    pub pages: Pages,
}

impl Entry {
    /// Returns the entry that changes one state of a hive to another.
    pub fn between(sequence: u32, before: &[u8], after: &[u8]) -> Self {
        let hive_bins_size = u32::try_from(after.len() - PAGE).expect("a small hive");
        Self { sequence, flags: 0, hive_bins_size, pages: changed_pages(before, after) }
    }

    /// Returns the entry in its stored form, with correct hashes.
    pub fn encode(&self) -> Vec<u8> {
        let mut entry = vec![0; 40];
        for (offset, page) in &self.pages {
            entry.extend(offset.to_le_bytes());
            entry.extend(u32::try_from(page.len()).expect("a small page").to_le_bytes());
        }
        for (_, page) in &self.pages {
            entry.extend(page);
        }
        entry.resize(entry.len().next_multiple_of(512), 0);
        entry[..4].copy_from_slice(b"HvLE");
        let size = u32::try_from(entry.len()).expect("a small entry");
        let count = u32::try_from(self.pages.len()).expect("few pages");
        for (at, word) in [(4, size), (8, self.flags), (12, self.sequence), (16, self.hive_bins_size), (20, count)] {
            entry[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        rehash(&mut entry);
        entry
    }
}

/// Corrects both hashes of an entry.
pub fn rehash(entry: &mut [u8]) {
    let pages = marvin32(&entry[40..]);
    entry[24..32].copy_from_slice(&pages.to_le_bytes());
    let header = marvin32(&entry[..32]);
    entry[32..40].copy_from_slice(&header.to_le_bytes());
}

/// Returns a log of the new format. Its base block has the number of its first entry, or `sequence` if it has no
/// entries.
pub fn new_format(base_block: &BaseBlock, sequence: u32, entries: &[Entry]) -> Vec<u8> {
    let mut log = first_sector(base_block, sequence, FileType::NewLog);
    for entry in entries {
        log.extend(entry.encode());
    }
    log
}

/// Returns a log of the old format, with pages of a multiple of 512 bytes in the order of their offsets.
pub fn old_format(base_block: &BaseBlock, sequence: u32, pages: &Pages) -> Vec<u8> {
    let mut log = first_sector(base_block, sequence, FileType::OldLog);
    let mut bits = vec![0_u8; base_block.hive_bins_size as usize / 512 / 8];
    for (offset, page) in pages {
        for sector in 0..page.len() / 512 {
            let bit = *offset as usize / 512 + sector;
            bits[bit / 8] |= 1 << (bit % 8);
        }
    }
    log.extend(b"DIRT");
    log.extend(bits);
    log.resize(log.len().next_multiple_of(512), 0);
    for (_, page) in pages {
        log.extend(page);
    }
    log
}

/// Returns the files of a hive during its change from `before` to `after`. SYSTEM has a log of the new format, and
/// SOFTWARE one of the old format. No Windows combines them, but tests need both.
pub fn interrupted(role: &str, before: &Hive, after: &Hive) -> Vec<(String, Vec<u8>)> {
    let (old, new) = (before.to_bytes(), after.to_bytes());
    if old == new {
        return vec![(role.to_owned(), old)];
    }
    let sequence = before.secondary_sequence;
    let dirty = Hive { primary_sequence: sequence.wrapping_add(1), ..before.clone() };
    let base_block = after.base_block(u32::try_from(new.len() - PAGE).expect("a small hive"));
    let (name, log) = if role == "SYSTEM" {
        (format!("{role}.LOG1"), new_format(&base_block, sequence, &[Entry::between(sequence, &old, &new)]))
    } else {
        let base_block = BaseBlock { last_written: before.last_written, ..base_block };
        (format!("{role}.LOG"), old_format(&base_block, sequence, &changed_pages(&old, &new)))
    };
    let mut files = vec![(role.to_owned(), dirty.to_bytes()), (name, log)];
    if role == "SYSTEM" {
        // The other log of the pair is still empty.
        files.push((format!("{role}.LOG2"), Vec::new()));
    }
    files
}

fn first_sector(base_block: &BaseBlock, sequence: u32, file_type: FileType) -> Vec<u8> {
    let (primary_sequence, secondary_sequence) = (sequence, sequence);
    let base_block = BaseBlock { primary_sequence, secondary_sequence, file_type, ..base_block.clone() };
    let mut sector = base_block.encode();
    sector.truncate(512);
    sector
}

/// Returns the hash of log entries. This implementation is independent of hivemend's; real logs have confirmed both.
pub fn marvin32(bytes: &[u8]) -> u64 {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(4), 0);
    padded.extend([0; 4]);
    let (mut low, mut high) = (0x7A4E_55C5_u32, 0x82EF_4D88_u32);
    for word in padded.chunks(4) {
        low = low.wrapping_add(u32::from_le_bytes(word.try_into().expect("four bytes")));
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    }
    u64::from(high) << 32 | u64::from(low)
}
