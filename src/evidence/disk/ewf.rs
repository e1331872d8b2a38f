//! Expert Witness images (`.E01`, `.E02` ...), as libewf's format document describes them.
//!
//! The disk is divided into chunks. Each chunk is compressed separately and has a checksum; tables in the segments
//! locate the chunks. Tables are read on demand: the tables of a large disk would not fit into memory.

use std::io;
use std::sync::Arc;

use super::beside::Beside;
use super::ewf_segment::{Segment, Table};
use super::ewf_volume::{Volume, adler32};
use super::field::le32;
use super::kept::Kept;
use super::map::{Map, Mapped, Run, bad, inflate};
use super::named::extension;
use super::stored::StoredHash;
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// The low 31 bits of a table's entry: the start of the chunk.
const PLACE: u32 = 0x7fff_ffff;
/// Beyond this offset, an entry has 32 bits of place and its chunk is not compressed (EnCase 6.7: segments over 2 GiB).
const OVERFLOW: u64 = 0x7fff_ffff;
/// A flag in our own tables: the chunk is compressed.
const PACKED: u64 = 1 << 63;

struct Ewf {
    volume: Volume,
    tables: Vec<Table>,
    /// Recently read tables, by their index in `tables`.
    kept: Kept,
}

/// Opens an E01 image from its first segment.
pub(super) fn open(
    beside: &mut Beside,
    name: &str,
    first: Blocks,
    stored: &mut Vec<StoredHash>,
) -> Result<Blocks, Problem> {
    let start = extension(name).to_owned();
    let stem = name.strip_suffix(start.as_str()).unwrap_or_default().to_owned();
    let (mut volume, mut tables, mut chunks): (Option<Volume>, _, _) = (None, Vec::new(), 0_u64);
    // The segment that first describes the disk, and the segments that may be from another acquisition.
    let (mut sayer, mut unnamed) = (String::new(), Vec::new());
    let (mut file, mut number, mut current) = (first, 1_u16, name.to_owned());
    loop {
        let segment = Segment::read(&file, number).map_err(|error| {
            beside.problem("a sound E01 image", format!("in {current}: {error}")).advise(
                "compare the file with its original; ewfverify and ewfexport (libewf) report more and can repair some \
                 images",
            )
        })?;
        volume = match (volume, segment.volume) {
            (None, said) => {
                sayer.clone_from(&current);
                said
            }
            (Some(before), None) => Some(before),
            (Some(before), Some(said)) => Some(before.with(said).map_err(|(wanted, found)| {
                beside
                    .problem(
                        format!("segments of one acquisition: {wanted}, as in {sayer}"),
                        format!("{found} in {current}"),
                    )
                    .advise("keep only the segments of this acquisition in the folder")
            })?),
        };
        if !segment.volume.is_some_and(|said| said.identified()) {
            unnamed.push(current.clone());
        }
        for table in segment.tables {
            let first = chunks;
            chunks = chunks.saturating_add(u64::from(table.count));
            tables.push(Table { first, ..table });
        }
        stored.extend(segment.stored.into_iter().filter(|hash| !stored.contains(hash)).collect::<Vec<_>>());
        if let Some((acquisition, _)) = segment.header {
            beside.acquired(acquisition);
        }
        if segment.bad_sectors > 0 {
            let fact = format!("{current}: {} sectors could not be read when the image was made", segment.bad_sectors);
            beside.fact(fact);
        }
        if segment.last {
            break;
        }
        number = number.saturating_add(1);
        let name = segment_extension(&start, number).map(|extension| format!("{stem}{extension}"));
        let next = match &name {
            Some(name) => beside.segment(name)?,
            None => None,
        };
        let (Some(next), Some(name)) = (next, name.clone()) else {
            let name = name.unwrap_or_else(|| format!("number {number}"));
            let problem = beside.problem(format!("the segment {name} beside it"), "no such file");
            return Err(problem.advise("put every segment of the image beside the first one"));
        };
        (file, current) = (next, name);
    }
    let Some(volume) = volume else {
        return Err(beside.problem("a description of the disk (volume section)", "none"));
    };
    let needed = volume.chunks().map_err(|(needed, found)| {
        beside
            .problem(format!("{needed} chunks of {} bytes, by the size of the disk", volume.chunk), format!("{found}"))
    })?;
    if chunks != needed {
        let found = format!("{chunks} chunks in {number} segments");
        let problem = beside.problem(format!("{needed} chunks of {} bytes", volume.chunk), found);
        return Err(problem.advise("put every segment of the image beside the first one, and none of another image"));
    }
    told_of_set(beside, &unnamed, number);
    if let Some(name) = segment_extension(&start, number.saturating_add(1)).map(|end| format!("{stem}{end}"))
        && matches!(beside.segment(&name), Ok(Some(_)))
    {
        beside.fact(format!("{name} was not read: {current} is the last segment of this image"));
    }
    Ok(Arc::new(Mapped::new(Ewf { volume, tables, kept: Kept::default() }, None)))
}

/// Reports the segments that could not be compared with the others. A segment whose identifier is missing or zero may
/// be from another acquisition of a disk of the same size.
fn told_of_set(beside: &mut Beside, unnamed: &[String], segments: u16) {
    let Some(first) = unnamed.first().filter(|_| segments > 1) else { return };
    let which = match unnamed.len() {
        1 => format!("{first} has"),
        count if count == usize::from(segments) => "the segments have".to_owned(),
        count => format!("{first} and {} more segments have", count.saturating_sub(1)),
    };
    let fact = format!(
        "{which} no set identifier: only names, segment numbers and the numbers of chunks and sectors were compared; \
         --verify-image compares the whole"
    );
    beside.fact(fact);
}

/// Returns the extension of a segment: `E01` to `E99`, then `EAA` to `EZZ`, `FAA` and on; letter case as in the first.
fn segment_extension(first: &str, number: u16) -> Option<String> {
    let lower = match first {
        "E01" => false,
        "e01" => true,
        _ => return None,
    };
    let extension = match number.checked_sub(100) {
        None => format!("E{number:02}"),
        Some(over) => {
            let over = u32::from(over);
            let letter = |by: u32| char::from_u32(u32::from('A').checked_add(by)?).filter(char::is_ascii_uppercase);
            let leading = letter((over / 676).checked_add(4)?)?;
            format!("{leading}{}{}", letter(over / 26 % 26)?, letter(over % 26)?)
        }
    };
    Some(if lower { extension.to_ascii_lowercase() } else { extension })
}

impl Ewf {
    /// Returns a chunk's file, its start there, the most bytes that it may have, and whether it is compressed.
    fn place(&self, number: u64) -> io::Result<(&Blocks, u64, u64, bool)> {
        let after = self.tables.partition_point(|table| table.first <= number);
        let index = after.checked_sub(1).ok_or_else(|| bad("no chunk table"))?;
        let table = self.tables.get(index).ok_or_else(|| bad("no chunk table"))?;
        let entries = self.kept.get(index as u64, || table_entries(table))?;
        let at = usize::try_from(number.saturating_sub(table.first)).unwrap_or(usize::MAX).saturating_mul(8);
        let entry = |at| super::field::le64(&entries, at).ok_or_else(|| bad(format!("no entry for chunk {number}")));
        let (this, next) = (entry(at)?, entry(at.saturating_add(8))?);
        let (start, end) = (this & !PACKED, next & !PACKED);
        match end.checked_sub(start) {
            Some(length) if length > 0 => Ok((&table.file, start, length, this & PACKED != 0)),
            _ => Err(bad(format!("chunk {number} from {start:#x} to {end:#x} of its segment"))),
        }
    }
}

/// Reads a table: the start of each chunk, with [`PACKED`], and at last the end of the last chunk.
fn table_entries(table: &Table) -> io::Result<Vec<u8>> {
    let length = usize::try_from(table.count).unwrap_or(usize::MAX).saturating_mul(4);
    let mut read = Err(bad("a chunk table that cannot be read"));
    // The second table is a copy of the first.
    for at in [Some(table.at), table.copy].into_iter().flatten() {
        let mut bytes = vec![0; length.saturating_add(4)];
        read = table.file.read_exact_at(&mut bytes, at).and_then(|()| {
            let (entries, sum) = bytes.split_at(length);
            let sum = le32(sum, 0).unwrap_or_default();
            let found = adler32(entries);
            if sum == found {
                Ok(entries.to_vec())
            } else {
                Err(bad(format!("chunk table at {at:#x}: wrong checksum")))
            }
        });
        if read.is_ok() {
            break;
        }
    }
    let entries = read?;
    let mut places = Vec::with_capacity(length.saturating_mul(2).saturating_add(8));
    let mut over = false;
    let numbers: Vec<u32> = entries.chunks_exact(4).filter_map(|entry| le32(entry, 0)).collect();
    for (index, number) in numbers.iter().enumerate() {
        let (packed, place) = if over { (0, *number) } else { (u64::from(*number > PLACE) << 63, *number & PLACE) };
        let start = u64::from(place).checked_add(table.base).filter(|start| *start < PACKED);
        places.extend((start.ok_or_else(|| bad("a chunk past the end of the segment"))? | packed).to_le_bytes());
        let next = numbers.get(index.saturating_add(1)).copied().unwrap_or_default();
        let end = if next & PLACE > place { next & PLACE } else { next };
        over |= u64::from(end) > OVERFLOW;
    }
    places.extend(table.end.to_le_bytes());
    Ok(places)
}

impl Map for Ewf {
    fn size(&self) -> u64 {
        self.volume.size
    }

    fn run(&self, offset: u64) -> io::Result<Run> {
        let number = offset.checked_div(self.volume.chunk).ok_or_else(|| bad("chunks of 0 bytes"))?;
        let within = offset.checked_rem(self.volume.chunk).unwrap_or_default();
        Ok(Run::Piece { number, within: usize::try_from(within).map_err(io::Error::other)? })
    }

    fn piece(&self) -> Option<u64> {
        Some(self.volume.chunk)
    }

    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        let (file, start, length, packed) = self.place(number)?;
        let before = number.saturating_mul(self.volume.chunk);
        let chunk = usize::try_from(self.volume.chunk).map_err(io::Error::other)?;
        // The last chunk may be shorter, or padded.
        let wanted = usize::try_from(self.volume.size.saturating_sub(before)).unwrap_or(usize::MAX).min(chunk);
        // Incompressible data becomes a little longer; bytes after the last chunk do not belong to it.
        let most = chunk.saturating_add(chunk / 8).saturating_add(4096);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, start)?;
        let wrong = |found: &str| bad(format!("chunk {number} at {start:#x} of its segment: {found}"));
        if packed {
            let mut unpacked = inflate(&bytes, chunk, true).map_err(|error| wrong(&error.to_string()))?;
            if unpacked.len() < wanted {
                return Err(wrong(&format!("{} bytes unpacked, {wanted} expected", unpacked.len())));
            }
            unpacked.truncate(wanted);
            return Ok(unpacked);
        }
        for end in [chunk, wanted] {
            let sum = le32(&bytes, end);
            if sum.is_some() && sum == bytes.get(..end).map(adler32) {
                bytes.truncate(wanted);
                return Ok(bytes);
            }
        }
        Err(wrong("its checksum is wrong"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_as_encase_names_them() {
        let name = |number| segment_extension("E01", number).unwrap_or_default();
        let numbers = [2, 99, 100, 125, 126, 775, 776, 14971, 14972];
        assert_eq!(numbers.map(name), ["E02", "E99", "EAA", "EAZ", "EBA", "EZZ", "FAA", "ZZZ", ""]);
        assert_eq!((segment_extension("e01", 100).as_deref(), segment_extension("img", 2)), (Some("eaa"), None));
    }

    #[test]
    fn entries_past_two_gib_have_no_mark_and_a_copy_stands_in_for_a_broken_table() {
        let numbers = [0x8000_0010_u32, 0x7fff_fff0, 0x8000_7ff0, 0x8001_0000];
        let entries: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let whole = [&entries[..], &adler32(&entries).to_le_bytes()].concat();
        let file: Blocks = Arc::new([&[0; 20][..], &whole].concat());
        let table = Table { file, first: 0, at: 0, copy: Some(20), count: 4, base: 0, end: 0x8002_0000 };
        let places = table_entries(&table).unwrap();
        let places: Vec<u64> = places.chunks(8).map(|place| u64::from_le_bytes(place.try_into().unwrap())).collect();
        assert_eq!(places, [PACKED | 0x10, 0x7fff_fff0, 0x8000_7ff0, 0x8001_0000, 0x8002_0000]);
        assert!(table_entries(&Table { copy: None, ..table }).is_err());
    }
}
