//! One segment file of an Expert Witness image: its sections.

use std::io;

use super::field::{bytes, le16, le32, le64};
use super::map::bad;
use super::stored::{Algorithm, StoredHash};
use crate::evidence::block::Blocks;
use crate::registry::hex;

/// Bytes of a section's header.
const HEADER: u64 = 76;
/// Bytes of a chunk. EnCase writes 32 KiB; ewfacquire up to 16 MiB.
const LARGEST_CHUNK: u64 = 64 << 20;
/// Chunks of one table: a table with so many takes 32 MiB when it is read.
const LARGEST_TABLE: u32 = 4 << 20;
/// Sections of one segment.
const MOST_SECTIONS: usize = 100_000;

/// What the disk is like.
#[derive(Clone, Copy)]
pub(super) struct Volume {
    /// Bytes of a chunk.
    pub(super) chunk: u64,
    /// Bytes of the disk.
    pub(super) size: u64,
}

impl Volume {
    pub(super) fn chunks(&self) -> u64 {
        self.size.div_ceil(self.chunk.max(1))
    }
}

/// Where the table of some chunks is.
pub(super) struct Table {
    pub(super) file: Blocks,
    /// The number of its first chunk.
    pub(super) first: u64,
    /// Where its entries start in the file.
    pub(super) at: u64,
    /// Where those of its copy do.
    pub(super) copy: Option<u64>,
    pub(super) count: u32,
    /// What places are counted from.
    pub(super) base: u64,
    /// Where the last chunk ends at the latest.
    pub(super) end: u64,
}

/// What a segment file says.
pub(super) struct Segment {
    pub(super) volume: Option<Volume>,
    pub(super) tables: Vec<Table>,
    pub(super) stored: Vec<StoredHash>,
    /// Sectors that could not be read when the image was made.
    pub(super) bad_sectors: u64,
    /// Whether no segment follows.
    pub(super) last: bool,
}

impl Segment {
    /// Reads the sections of the segment that should have this number.
    pub(super) fn read(file: &Blocks, number: u16) -> io::Result<Self> {
        let header = part(file, 0, 13)?;
        if !header.starts_with(b"EVF\x09\x0d\x0a\xff\0") {
            return Err(bad("no Expert Witness segment"));
        }
        let found = le16(&header, 9).unwrap_or_default();
        if found != number {
            return Err(bad(format!("segment {found}, {number} expected")));
        }
        let (volume, tables, stored) = (None, Vec::new(), Vec::new());
        let mut segment = Self { volume, tables, stored, bad_sectors: 0, last: false };
        let (mut at, mut sectors_end) = (13, None);
        for _ in 0..MOST_SECTIONS {
            let header = part(file, at, 76).map_err(|error| bad(format!("no section at {at:#x}: {error}")))?;
            sum_of(&header, 72).ok_or_else(|| bad(format!("section at {at:#x}: wrong checksum")))?;
            let next = le64(&header, 16).unwrap_or_default();
            let kind: Vec<u8> = header.iter().take(16).take_while(|letter| **letter != 0).copied().collect();
            match kind.as_slice() {
                b"done" => {
                    segment.last = true;
                    return Ok(segment);
                }
                b"next" => return Ok(segment),
                _ if next <= at || next > file.size() => {
                    return Err(bad(format!("section at {at:#x}: the next one would be at {next:#x}")));
                }
                b"sectors" => sectors_end = Some(next),
                b"table" => segment.table(file, at, sectors_end.unwrap_or(next))?,
                b"table2" => segment.second(file, at),
                _ => segment.other(&kind, &body(file, at, next)?)?,
            }
            at = next;
        }
        Err(bad("too many sections"))
    }

    /// A table of chunks.
    fn table(&mut self, file: &Blocks, at: u64, end: u64) -> io::Result<()> {
        let body = at.saturating_add(HEADER);
        let header = part(file, body, 24)?;
        sum_of(&header, 20).ok_or_else(|| bad(format!("table at {at:#x}: wrong checksum")))?;
        let count = le32(&header, 0).unwrap_or_default();
        if count > LARGEST_TABLE {
            return Err(bad(format!("table at {at:#x}: {count} chunks")));
        }
        let (file, base) = (Blocks::clone(file), le64(&header, 8).unwrap_or_default());
        if count > 0 {
            self.tables.push(Table { file, first: 0, at: body.saturating_add(24), copy: None, count, base, end });
        }
        Ok(())
    }

    /// The copy of the table before it, where it is sound and looks like it.
    fn second(&mut self, file: &Blocks, at: u64) {
        let body = at.saturating_add(HEADER);
        let Ok(header) = part(file, body, 24) else { return };
        let count = sum_of(&header, 20).and(le32(&header, 0));
        if let Some(table) = self.tables.last_mut().filter(|table| Some(table.count) == count) {
            table.copy = Some(body.saturating_add(24));
        }
    }

    /// A section whose content is small.
    fn other(&mut self, kind: &[u8], body: &[u8]) -> io::Result<()> {
        match kind {
            b"volume" | b"disk" => {
                if body.len() < 1052 {
                    return Err(bad("a volume section of the kind that SMART writes (S01)"));
                }
                sum_of(body, 1048).ok_or_else(|| bad("volume section: wrong checksum"))?;
                let (sectors, sector) = (le32(body, 8).unwrap_or_default(), le32(body, 12).unwrap_or_default());
                let count = le64(body, 16).unwrap_or_default();
                let chunk = u64::from(sectors).saturating_mul(u64::from(sector));
                let size = count.checked_mul(u64::from(sector)).filter(|_| (1..=LARGEST_CHUNK).contains(&chunk));
                let size = size.ok_or_else(|| bad(format!("{count} sectors of {sector} bytes, {sectors} a chunk")))?;
                self.volume.get_or_insert(Volume { chunk, size });
            }
            b"hash" if sum_of(body, 32).is_some() => self.hash(Algorithm::Md5, bytes::<16>(body, 0)),
            b"digest" if sum_of(body, 76).is_some() => {
                self.hash(Algorithm::Md5, bytes::<16>(body, 0));
                self.hash(Algorithm::Sha1, bytes::<20>(body, 16));
            }
            b"hash" | b"digest" => return Err(bad("the stored hash: wrong checksum")),
            b"error2" => {
                let count = usize::try_from(le32(body, 0).unwrap_or_default()).unwrap_or_default();
                let entries = body.get(520..).unwrap_or_default().chunks_exact(8).take(count);
                let sectors = entries
                    .filter_map(|entry| le32(entry, 4))
                    .fold(0_u64, |sum, count| sum.saturating_add(count.into()));
                self.bad_sectors = self.bad_sectors.saturating_add(sectors);
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps a hash; one of zeros was not made.
    fn hash<const N: usize>(&mut self, algorithm: Algorithm, hash: Option<[u8; N]>) {
        if let Some(hash) = hash.filter(|hash| hash.iter().any(|byte| *byte != 0)) {
            let stored = StoredHash { algorithm, hex: hex(&hash) };
            if !self.stored.contains(&stored) {
                self.stored.push(stored);
            }
        }
    }
}

/// The content of a section, as far as anything of it is used.
fn body(file: &Blocks, at: u64, next: u64) -> io::Result<Vec<u8>> {
    let start = at.saturating_add(HEADER);
    part(file, start, usize::try_from(next.saturating_sub(start).min(1 << 20)).unwrap_or_default())
}

fn part(file: &Blocks, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).map(|()| bytes)
}

/// Whether the checksum at `at` is that of the bytes before it.
fn sum_of(data: &[u8], at: usize) -> Option<()> {
    (le32(data, at)? == adler32(data.get(..at)?)).then_some(())
}

/// Adler-32 (RFC 1950).
pub(super) fn adler32(data: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    // So many bytes cannot take the sums past 32 bits.
    for part in data.chunks(5552) {
        for byte in part {
            low = low.wrapping_add(u32::from(*byte));
            high = high.wrapping_add(low);
        }
        low %= 65521;
        high %= 65521;
    }
    (high << 16) | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adler32_is_that_of_the_rfc() {
        assert_eq!((adler32(b""), adler32(b"Wikipedia")), (1, 0x11e6_0398));
        assert_eq!(adler32(&vec![0xff; 1 << 20]), {
            let low = (1_u64 + 255 * (1 << 20)) % 65521;
            let high = (0..1_u64 << 20).fold(0, |sum, at| (sum + 1 + 255 * (at + 1)) % 65521);
            u32::try_from(high << 16 | low).unwrap()
        });
    }
}
