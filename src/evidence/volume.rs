//! The volumes of a disk: what its partition table lists, or the disk itself where it is one volume.
//!
//! MBR with extended partitions and GPT with its backup, in sectors of 512 and 4,096 bytes. What of a table can be read
//! counts: a partition behind the end of a truncated image is told of, and the others are read.

use std::cmp::Reverse;
use std::io;
use std::sync::Arc;

use super::block::{Blocks, Part};
use crate::error::Problem;

pub mod bitlocker;
mod gpt;
mod mbr;
pub mod shadow_copies;

/// Sectors are of so many bytes.
const SECTORS: [u64; 2] = [512, 4096];
/// A table with more partitions than this is none.
const MOST: usize = 1024;

/// A volume.
#[derive(Clone)]
pub struct Volume {
    /// Its place among the partitions of the disk, from 1; `None` for a disk that is one volume.
    pub number: Option<usize>,
    /// Where it begins, in bytes from the disk's start.
    pub start: u64,
    /// Its bytes.
    pub blocks: Blocks,
}

/// A partition as a table has it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Partition {
    start: u64,
    size: u64,
}

/// The volumes of a disk, in the order of its table, and what is wrong with that, `path` being the disk's name.
///
/// # Errors
/// Where the disk cannot be read, or has neither a partition table nor a file system at its beginning.
pub fn volumes(disk: &Blocks, path: &str) -> Result<(Vec<Volume>, Vec<Problem>), Problem> {
    let first =
        beginning(disk, 0).map_err(|error| Problem::of(path, "a first sector that can be read", error.to_string()))?;
    let mut problems = Vec::new();
    if is_file_system(&first) {
        return Ok((vec![Volume { number: None, start: 0, blocks: Arc::clone(disk) }], problems));
    }
    let mut partitions = None;
    for sector in SECTORS {
        match gpt::read(disk, sector) {
            gpt::Table::Sound(found) => partitions = Some(found),
            gpt::Table::Backup(found) => {
                partitions = Some(found);
                let problem = Problem::of(path, "a sound GPT at the beginning of the disk", "a damaged one");
                problems.push(problem.advise("its backup at the end of the disk was read; compare both"));
            }
            gpt::Table::Damaged(found) => {
                partitions = Some(found);
                let problem =
                    Problem::of(path, "a GPT with the checksums that it holds", "others, and no sound backup");
                problems.push(problem.advise("its partitions were read as they lie; copy the disk again"));
            }
            gpt::Table::None => {}
        }
        if partitions.is_some() {
            break;
        }
    }
    if partitions.is_none() {
        // The table is the same for both sizes of sectors: that of which more partitions begin with a file system counts,
        // or else more tables of extended partitions are where it says.
        let readings = SECTORS.map(|sector| mbr::read(disk, sector));
        let fits = |table: &mbr::Table| {
            let is_volume = |one: &&Partition| beginning(disk, one.start).is_ok_and(|first| is_file_system(&first));
            (table.partitions.iter().filter(is_volume).count(), Reverse(table.problems.len()))
        };
        let [small, large] = readings;
        let (small_fits, large_fits) = (small.as_ref().map(fits), large.as_ref().map(fits));
        if let Some(table) = if large_fits > small_fits { large } else { small } {
            problems
                .extend(table.problems.into_iter().map(|problem| Problem { path: Some(path.to_owned()), ..problem }));
            partitions = Some(table.partitions);
        }
    }
    let Some(partitions) = partitions else {
        let expected = "a partition table (MBR, GPT), or a volume with NTFS, FAT or exFAT";
        return Err(Problem::of(path, expected, "neither").advise("check that the image is whole and not encrypted"));
    };
    let mut volumes = Vec::new();
    for (place, Partition { start, size }) in partitions.into_iter().enumerate() {
        let number = place.saturating_add(1);
        let end = start.saturating_add(size);
        if end > disk.size() {
            let found = format!("its end at {end}, and the end of the image at {}", disk.size());
            problems.push(
                Problem::of(format!("{path}!p{number}"), "a partition within the image", found)
                    .advise("copy the disk again: this image is truncated"),
            );
        }
        if start < disk.size() {
            let blocks: Blocks = Arc::new(Part::new(Arc::clone(disk), start, size));
            volumes.push(Volume { number: Some(number), start, blocks });
        }
    }
    Ok((volumes, problems))
}

/// The first 512 bytes from a place on.
fn beginning(disk: &Blocks, start: u64) -> io::Result<[u8; 512]> {
    let mut sector = [0; 512];
    disk.read_exact_at(&mut sector, start).map(|()| sector)
}

/// Whether this is the boot sector of a file system that is read. A partition table stands where none of these is.
pub(super) fn is_file_system(sector: &[u8]) -> bool {
    let has = |at: usize, text: &[u8]| sector.get(at..).is_some_and(|rest| rest.starts_with(text));
    has(3, b"NTFS    ") || has(3, b"EXFAT   ") || has(3, b"-FVE-FS-") || is_fat(sector)
}

/// FAT says its name, or at least has the fields of one: its bytes in a sector, its reserved sectors and its tables.
fn is_fat(sector: &[u8]) -> bool {
    let byte = |at: usize| sector.get(at).copied().unwrap_or_default();
    let word = |at: usize| u16::from_le_bytes([byte(at), byte(at.saturating_add(1))]);
    let jumps = matches!(byte(0), 0xeb | 0xe9);
    jumps
        && matches!(word(11), 512 | 1024 | 2048 | 4096)
        && byte(13).is_power_of_two()
        && word(14) > 0
        && matches!(byte(16), 1 | 2)
        && byte(21) >= 0xf0
}

/// A little-endian number of 32 bits in a table; 0 behind its end.
fn dword(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The same of 64 bits.
fn qword(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk of 8 MiB with boot sectors of NTFS at these places.
    fn disk(starts: &[usize]) -> Vec<u8> {
        let mut disk = vec![0; 8 << 20];
        for start in starts {
            disk[start + 3..start + 11].copy_from_slice(b"NTFS    ");
        }
        disk
    }

    /// An entry of an MBR, in sectors.
    fn entry(disk: &mut [u8], table: usize, place: usize, kind: u8, start: u32, count: u32) {
        let at = table + 446 + 16 * place;
        disk[at + 4] = kind;
        disk[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        disk[at + 12..at + 16].copy_from_slice(&count.to_le_bytes());
        disk[table + 510..table + 512].copy_from_slice(&[0x55, 0xaa]);
    }

    /// Number, start and size of a volume.
    type Shown = (Option<usize>, u64, u64);

    fn read(disk: Vec<u8>) -> (Vec<Shown>, Vec<String>) {
        let disk: Blocks = Arc::new(disk);
        let (volumes, problems) = volumes(&disk, "disk").unwrap();
        let volumes = volumes.iter().map(|one| (one.number, one.start, one.blocks.size())).collect();
        (volumes, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_volume_without_a_table_is_one_volume() {
        assert_eq!(read(disk(&[0])), (vec![(None, 0, 8 << 20)], vec![]));
        let nothing: Blocks = Arc::new(vec![0_u8; 4096]);
        assert!(volumes(&nothing, "disk").err().unwrap().to_string().contains("found neither"));
        assert!(volumes(&(Arc::new(vec![0_u8; 5]) as Blocks), "disk").is_err());
    }

    #[test]
    fn extended_partitions_are_followed_and_a_loop_of_them_ends() {
        let mut bytes = disk(&[]);
        entry(&mut bytes, 0, 0, 7, 64, 64);
        entry(&mut bytes, 0, 2, 5, 1024, 4096);
        let first = 1024 * 512;
        entry(&mut bytes, first, 0, 7, 64, 100);
        // The next is counted from the beginning of the extended partition.
        entry(&mut bytes, first, 1, 5, 1000, 500);
        let second = 2024 * 512;
        entry(&mut bytes, second, 0, 11, 10, 20);
        let expected = vec![
            (Some(1), 64 * 512, 64 * 512),
            (Some(2), (1024 + 64) * 512, 100 * 512),
            (Some(3), (2024 + 10) * 512, 20 * 512),
        ];
        assert_eq!(read(bytes.clone()), (expected.clone(), vec![]));
        entry(&mut bytes, second, 1, 5, 0, 500);
        let (volumes, problems) = read(bytes);
        assert_eq!(volumes, expected);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("comes back"), "{problems:?}");
    }

    #[test]
    fn sectors_of_4096_bytes_are_known_by_what_the_partitions_begin_with() {
        let mut bytes = disk(&[64 * 4096]);
        entry(&mut bytes, 0, 0, 7, 64, 128);
        assert_eq!(read(bytes).0, [(Some(1), 64 * 4096, 128 * 4096)]);
    }

    #[test]
    fn a_truncated_image_keeps_the_partitions_that_it_has() {
        let mut bytes = disk(&[]);
        entry(&mut bytes, 0, 0, 7, 64, 1 << 20);
        entry(&mut bytes, 0, 1, 5, 1 << 21, 64);
        entry(&mut bytes, 0, 3, 7, 1 << 22, 64);
        let (volumes, problems) = read(bytes);
        assert_eq!(volumes, [(Some(1), 64 * 512, (8 << 20) - 64 * 512)]);
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    }

    /// Both tables of a GPT with two partitions.
    fn gpt(sector: usize) -> Vec<u8> {
        let mut bytes = disk(&[]);
        entry(&mut bytes, 0, 0, 0xee, 1, u32::MAX);
        let last = bytes.len() / sector - 1;
        let mut entries = vec![0; 4 * 128];
        for (place, (first, end)) in [(0, (40_u64, 79_u64)), (2, (100, 131))] {
            entries[place * 128..place * 128 + 16].fill(7);
            entries[place * 128 + 32..place * 128 + 40].copy_from_slice(&first.to_le_bytes());
            entries[place * 128 + 40..place * 128 + 48].copy_from_slice(&end.to_le_bytes());
        }
        for (header_at, entries_at) in [(1, 2), (last, last - 1)] {
            let mut header = vec![0; 92];
            header[..8].copy_from_slice(b"EFI PART");
            header[8..12].copy_from_slice(&0x1_0000_u32.to_le_bytes());
            header[12..16].copy_from_slice(&92_u32.to_le_bytes());
            header[24..32].copy_from_slice(&(header_at as u64).to_le_bytes());
            header[72..80].copy_from_slice(&(entries_at as u64).to_le_bytes());
            header[80..84].copy_from_slice(&4_u32.to_le_bytes());
            header[84..88].copy_from_slice(&128_u32.to_le_bytes());
            header[88..92].copy_from_slice(&crc(&entries).to_le_bytes());
            let sum = crc(&header);
            header[16..20].copy_from_slice(&sum.to_le_bytes());
            bytes[header_at * sector..header_at * sector + 92].copy_from_slice(&header);
            bytes[entries_at * sector..entries_at * sector + 512].copy_from_slice(&entries);
        }
        bytes
    }

    #[test]
    fn a_gpt_is_read_its_backup_where_it_is_damaged_and_what_is_left_where_both_are() {
        for sector in [512_usize, 4096] {
            let size = sector as u64;
            let expected = vec![(Some(1), 40 * size, 40 * size), (Some(2), 100 * size, 32 * size)];
            let sound = gpt(sector);
            assert_eq!(read(sound.clone()), (expected.clone(), vec![]), "{sector}");
            let mut damaged = sound.clone();
            damaged[sector + 60] ^= 1;
            let (volumes, problems) = read(damaged.clone());
            assert_eq!((volumes, problems.len()), (expected.clone(), 1), "{sector}");
            assert!(problems[0].contains("its backup"), "{problems:?}");
            let truncated = damaged.len() - 8 * sector;
            damaged.truncate(truncated);
            let (volumes, problems) = read(damaged);
            assert_eq!((volumes, problems.len()), (expected, 1), "{sector}");
            assert!(problems[0].contains("no sound backup"), "{problems:?}");
        }
    }
}
