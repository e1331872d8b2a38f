//! The records of a conversion: which parts of a volume are encrypted, while Windows 8 and later encrypt or decrypt it.
//!
//! Windows keeps them on a volume until the conversion is complete, and marks such a volume with a GUID of its own in
//! the boot sector (`EOW_INFORMATION_OFFSET_GUID`). No document describes them; this is how dissect.fve and keramics
//! read them.

use super::bytes::{crc32, le64s};
use crate::error::Problem;
use crate::evidence::block::Blocks;
use crate::evidence::disk::field::{bytes, le16, le32, le64};

/// The most bytes of all bitmaps of a volume: a bit stands for two megabytes or more, so these cover 256 terabytes.
const MOST_BITMAP_BYTES: usize = 16 << 20;
/// The most bytes of sectors to compare in the logs of a conversion.
const MOST_LOG_BYTES: usize = 64 << 20;
/// The most chunks of one lookup.
const LOOK_AHEAD: u64 = 64;

/// The state of some bytes of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Physical {
    Encrypted,
    Plain,
    /// Unknown; the reason.
    Unclear(&'static str),
}

/// The records of a conversion.
#[derive(Debug)]
pub(super) struct Conversion {
    /// The regions, in the order of the volume.
    regions: Vec<Region>,
    /// The places of the records themselves, start and size in bytes: Windows shows zeros there.
    pub(super) books: Vec<(u64, u64)>,
}

/// A part of a volume with its own bitmap.
#[derive(Debug)]
struct Region {
    start: u64,
    end: u64,
    /// Bytes of the volume per bit.
    chunk: u64,
    /// Whether each chunk is encrypted, or why that is unknown.
    encrypted: Result<Bitmap, &'static str>,
    /// A chunk that is half converted, by the log.
    torn: Option<u64>,
}

/// Bits, bit 0 of a byte first.
#[derive(Debug)]
struct Bitmap {
    bytes: Vec<u8>,
    bits: u64,
    /// The higher of two counts.
    sequence: u64,
}

/// How many bytes of hostile records may still be read.
struct Budget {
    bitmaps: usize,
    logs: usize,
}

/// The header of the records.
struct Header {
    chunk: u64,
    log_size: u64,
    maps: Vec<u64>,
    size: u64,
}

/// Reads the records at `places`; `encrypting`: the conversion is an encryption.
///
/// # Errors
/// No copy is valid, or the records contradict themselves.
pub(super) fn read(volume: &Blocks, places: [u64; 2], sector: u64, encrypting: bool) -> Result<Conversion, Problem> {
    let Some(header) = places.iter().find_map(|place| header(volume, *place, sector)) else {
        let found = "no sound ones, neither there nor where the copy should be";
        return Err(Problem::at(places[0], "the records of a conversion (\"FVE-EOW\")", found));
    };
    let rounded = |size: u64| size.div_ceil(sector).saturating_mul(sector);
    let mut books: Vec<(u64, u64)> = places.iter().map(|place| (*place, rounded(header.size))).collect();
    let mut left = Budget { bitmaps: MOST_BITMAP_BYTES, logs: MOST_LOG_BYTES };
    let mut regions = Vec::new();
    for map in &header.maps {
        let Some((region, size, log)) = region(volume, *map, &header, sector, encrypting, &mut left) else { continue };
        books.push((*map, rounded(size)));
        if log != 0 {
            books.push((log, rounded(header.log_size)));
        }
        regions.push(region);
    }
    regions.sort_by_key(|region| region.start);
    if let Some((_, next)) = regions.iter().zip(regions.iter().skip(1)).find(|(one, next)| one.end > next.start) {
        let found = format!("two that both have the byte at {:#x}", next.start);
        return Err(Problem::at(places[0], "regions of a conversion that do not overlap", found));
    }
    Ok(Conversion { regions, books })
}

/// Reads bytes, or fewer at the end of the volume.
fn read_some(volume: &Blocks, at: u64, most: usize) -> Option<Vec<u8>> {
    let left = usize::try_from(volume.size().saturating_sub(at)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; most.min(left)];
    volume.read_exact_at(&mut bytes, at).ok()?;
    Some(bytes)
}

/// Returns whether the CRC-32 at `at` matches `data`, with zeros in place of its own four bytes.
fn is_sound(data: &[u8], at: usize) -> Option<bool> {
    let after = at.checked_add(4)?;
    Some(le32(data, at)? == crc32(&[data.get(..at)?, &[0; 4], data.get(after..)?]))
}

fn header(volume: &Blocks, place: u64, sector: u64) -> Option<Header> {
    let data = read_some(volume, place, 0x1_0000)?;
    let size = usize::from(le16(&data, 10)?);
    let data = data.get(..size)?;
    let right = data.starts_with(b"FVE-EOW\0") && le16(data, 8)? == 56 && is_sound(data, 36)?;
    let (chunk, log_size) = (u64::from(le32(data, 20)?), u64::from(le32(data, 24)?));
    let maps: Vec<u64> = data.get(56..)?.chunks_exact(8).filter_map(|chunk| le64(chunk, 0)).collect();
    let named = le64s::<2>(data, 40)?.contains(&place) && u64::from(le32(data, 32)?) == maps.len() as u64;
    let fits = chunk != 0 && chunk.is_multiple_of(sector);
    (right && named && fits).then_some(Header { chunk, log_size, maps, size: size as u64 })
}

/// Reads the map of a region, and returns it with the map's size in bytes and the place of its log. `None` if the map
/// is damaged; then nothing is known of its region.
fn region(
    volume: &Blocks,
    place: u64,
    header: &Header,
    sector: u64,
    encrypting: bool,
    left: &mut Budget,
) -> Option<(Region, u64, u64)> {
    let first = read_some(volume, place, 60)?;
    let size = usize::try_from(le32(&first, 12)?).ok()?;
    let (start, length, log) = (le64(&first, 20)?, le64(&first, 28)?, le64(&first, 36)?);
    let records = [44, 48].map(|at| le32(&first, at).and_then(|record| usize::try_from(record).ok()));
    let right = first.starts_with(b"FVE-EOWBM\0") && le16(&first, 10)? == 60;
    (right && size <= left.bitmaps && start.is_multiple_of(sector)).then_some(())?;
    left.bitmaps = left.bitmaps.saturating_sub(size);
    let map = read_some(volume, place, size)?;
    (map.len() == size && is_sound(map.get(..records[0]?)?, 56)?).then_some(())?;
    let sound = records.iter().flatten().filter_map(|record| self::record(map.get(*record..)?));
    let encrypted = sound.max_by_key(|bitmap| bitmap.sequence).ok_or("its bitmap is damaged");
    let mut region = Region { start, end: start.checked_add(length)?, chunk: header.chunk, encrypted, torn: None };
    if encrypting && log != 0 {
        region.torn = torn(volume, &region, log, header.log_size, &mut left.logs);
    }
    Some((region, size as u64, log))
}

/// Reads a bitmap; `None` if it is damaged.
fn record(data: &[u8]) -> Option<Bitmap> {
    let data = data.get(..usize::try_from(le32(data, 12)?).ok()?)?;
    let right = data.starts_with(b"FVE-EOWBR\0") && le16(data, 10)? == 36 && is_sound(data, 32)?;
    let (bits, sequence) = (le32(data, 16)?, le64(data, 20)?);
    let bytes = data.get(36..)?.get(..usize::try_from(bits.div_ceil(8)).ok()?)?.to_vec();
    right.then_some(Bitmap { bytes, bits: u64::from(bits), sequence })
}

/// Finds the chunk that Windows was encrypting when the volume was last used: its bit marks it as plain, but the
/// encrypted sectors in the log are already in place.
fn torn(volume: &Blocks, region: &Region, log: u64, size: u64, left: &mut usize) -> Option<u64> {
    let header = read_some(volume, log, 512)?;
    let (count, step) = (u64::from(le16(&header, 12)?), u64::from(le32(&header, 30)?));
    (bytes(&header, 0)? == *b"OLRDHEVF2\0" && step > 1024 && size >= 512).then_some(())?;
    let most = size.saturating_sub(512).checked_div(step).unwrap_or_default();
    for number in 0..count.min(most) {
        let place = log.saturating_add(512).saturating_add(number.saturating_mul(step));
        let entry = read_some(volume, place, 512)?;
        let (sequence, length) = (le32(&entry, 4)?, usize::try_from(le32(&entry, 20)?).ok()?);
        if sequence == 0 || length as u64 > step.saturating_sub(1024) || length > *left {
            continue;
        }
        *left = left.saturating_sub(length);
        let logged = read_some(volume, place.saturating_add(512), length)?;
        if logged.iter().all(|byte| *byte == 0) || le32(&entry, 24)? != crc32(&[&logged]) {
            continue;
        }
        // Readers differ on the base of this offset.
        let offsets = [le64(&entry, 8)?, le64(&entry, 12)?];
        for at in offsets.into_iter().flat_map(|offset| [offset, region.start.saturating_add(offset)]) {
            let chunk = at.checked_sub(region.start).and_then(|within| within.checked_div(region.chunk));
            let plain = at < region.end && region.bit(chunk.unwrap_or(u64::MAX)) == Some(false);
            if plain && read_some(volume, at, length).is_some_and(|there| there == logged) {
                return chunk;
            }
        }
    }
    None
}

impl Region {
    /// Returns whether a chunk is encrypted; `None` if it has no bit.
    fn bit(&self, chunk: u64) -> Option<bool> {
        let bitmap = self.encrypted.as_ref().ok().filter(|bitmap| chunk < bitmap.bits)?;
        let byte = bitmap.bytes.get(usize::try_from(chunk / 8).ok()?)?;
        Some(byte >> (chunk % 8) & 1 == 1)
    }

    fn chunk(&self, chunk: u64) -> Physical {
        if self.torn == Some(chunk) {
            return Physical::Unclear("Windows was encrypting it when the volume was last used");
        }
        match (&self.encrypted, self.bit(chunk)) {
            (Err(why), _) => Physical::Unclear(why),
            (_, Some(true)) => Physical::Encrypted,
            (_, Some(false)) => Physical::Plain,
            _ => Physical::Unclear("its bitmap ends before this place"),
        }
    }
}

impl Conversion {
    /// Returns the state of the byte at `offset` of the volume, and how many bytes from there on share it.
    pub(super) fn at(&self, offset: u64) -> (Physical, u64) {
        let next = self.regions.partition_point(|region| region.start <= offset);
        let region = next.checked_sub(1).and_then(|place| self.regions.get(place)).filter(|one| offset < one.end);
        let Some(region) = region else {
            let end = self.regions.get(next).map_or(u64::MAX, |region| region.start);
            return (Physical::Unclear("no sound map of the conversion covers it"), end.saturating_sub(offset));
        };
        let within = offset.saturating_sub(region.start);
        let first = within.checked_div(region.chunk).unwrap_or_default();
        let kind = region.chunk(first);
        let same = (1..LOOK_AHEAD).take_while(|on| region.chunk(first.saturating_add(*on)) == kind).count() as u64;
        let last = first.saturating_add(same).saturating_add(1).saturating_mul(region.chunk);
        let end = region.start.saturating_add(last).min(region.end);
        (kind, end.saturating_sub(offset))
    }
}
