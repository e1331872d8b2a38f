//! The sections of one segment file of an Expert Witness image.

use std::io;

use super::ewf_header;
use super::ewf_volume::{Volume, sum_of};
use super::field::{bytes, le16, le32, le64};
use super::map::bad;
use super::stored::{Algorithm, StoredHash};
use crate::evidence::block::Blocks;
use crate::evidence::file::Acquisition;
use crate::registry::hex;

/// Bytes of a section's header.
const HEADER: u64 = 76;
/// The most chunks of one table: reading such a table needs 32 MiB.
const LARGEST_TABLE: u32 = 4 << 20;
/// The most sections of one segment.
const MOST_SECTIONS: usize = 100_000;

/// The place of the table of some chunks.
pub(super) struct Table {
    pub(super) file: Blocks,
    /// The number of its first chunk.
    pub(super) first: u64,
    /// The start of the entries, in bytes from the file's start.
    pub(super) at: u64,
    /// The start of the copy's entries, in bytes from the file's start.
    pub(super) copy: Option<u64>,
    pub(super) count: u32,
    /// The base of the entries' offsets, in bytes from the file's start.
    pub(super) base: u64,
    /// The latest possible end of the last chunk.
    pub(super) end: u64,
}

/// The content of a segment file.
pub(super) struct Segment {
    /// The description of the disk: in sections `volume` or `disk` of the first segment, and in `data` of all others.
    pub(super) volume: Option<Volume>,
    pub(super) tables: Vec<Table>,
    pub(super) stored: Vec<StoredHash>,
    /// Sectors that were unreadable when the image was made.
    pub(super) bad_sectors: u64,
    /// The facts of the case in its header, and whether the header has the newer form.
    pub(super) header: Option<(Acquisition, bool)>,
    /// Whether this is the last segment.
    pub(super) last: bool,
}

impl Segment {
    /// Reads the sections of the segment with this expected number.
    pub(super) fn read(file: &Blocks, number: u16) -> io::Result<Self> {
        let header = part(file, 0, 13)?;
        if !header.starts_with(b"EVF\x09\x0d\x0a\xff\0") {
            return Err(bad("not an Expert Witness segment"));
        }
        let found = le16(&header, 9).unwrap_or_default();
        if found != number {
            return Err(bad(format!("the file says that it is segment {found} of its image, {number} expected")));
        }
        let (volume, tables, stored) = (None, Vec::new(), Vec::new());
        let mut segment = Self { volume, tables, stored, bad_sectors: 0, header: None, last: false };
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

    /// Reads a table of chunks.
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

    /// Reads the copy of the previous table, if the copy is valid and has the same chunks.
    fn second(&mut self, file: &Blocks, at: u64) {
        let body = at.saturating_add(HEADER);
        let Ok(header) = part(file, body, 24) else { return };
        let count = sum_of(&header, 20).and(le32(&header, 0));
        if let Some(table) = self.tables.last_mut().filter(|table| Some(table.count) == count) {
            table.copy = Some(body.saturating_add(24));
        }
    }

    /// Reads a section with small content.
    fn other(&mut self, kind: &[u8], body: &[u8]) -> io::Result<()> {
        match kind {
            b"volume" | b"disk" | b"data" => {
                let volume = Volume::read(kind, body)?;
                self.volume = Some(match self.volume.take() {
                    None => volume,
                    Some(before) => before.with(volume).map_err(|(wanted, found)| {
                        bad(format!("its own sections contradict each other: {found}, {wanted} expected"))
                    })?,
                });
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
            // Each form exists once or twice; the newer form includes the time zone and every letter.
            b"header" | b"header2" if !self.header.as_ref().is_some_and(|(_, newer)| *newer) => {
                let newer = kind == b"header2";
                if let Some(acquisition) = ewf_header::read(body, newer) {
                    self.header = Some((acquisition, newer));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps a hash; a hash of zeros was not computed.
    fn hash<const N: usize>(&mut self, algorithm: Algorithm, hash: Option<[u8; N]>) {
        if let Some(hash) = hash.filter(|hash| hash.iter().any(|byte| *byte != 0)) {
            let stored = StoredHash { algorithm, hex: hex(&hash) };
            if !self.stored.contains(&stored) {
                self.stored.push(stored);
            }
        }
    }
}

/// Returns the part of a section's content that is used.
fn body(file: &Blocks, at: u64, next: u64) -> io::Result<Vec<u8>> {
    let start = at.saturating_add(HEADER);
    part(file, start, usize::try_from(next.saturating_sub(start).min(1 << 20)).unwrap_or_default())
}

fn part(file: &Blocks, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).map(|()| bytes)
}
