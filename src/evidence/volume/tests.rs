use std::sync::Arc;

use super::{Table, VolumeKind, volumes};
use crate::evidence::block::Blocks;

/// Returns a disk of 8 MiB with boot sectors of NTFS at these places.
fn disk(starts: &[usize]) -> Vec<u8> {
    let mut disk = vec![0; 8 << 20];
    for start in starts {
        disk[start + 3..start + 11].copy_from_slice(b"NTFS    ");
    }
    disk
}

/// Writes an entry of an MBR, in sectors.
fn entry(disk: &mut [u8], table: usize, place: usize, kind: u8, start: u32, count: u32) {
    let at = table + 446 + 16 * place;
    disk[at + 4] = kind;
    disk[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
    disk[at + 12..at + 16].copy_from_slice(&count.to_le_bytes());
    disk[table + 510..table + 512].copy_from_slice(&[0x55, 0xaa]);
}

/// Name, start and size of a volume.
type Shown = (String, u64, u64);

fn table(disk: Vec<u8>) -> Table {
    volumes(&(Arc::new(disk) as Blocks), "disk").unwrap()
}

fn read(disk: Vec<u8>) -> (Vec<Shown>, Vec<String>) {
    let Table { volumes, problems, .. } = table(disk);
    let volumes = volumes.iter().map(|one| (one.name.to_string(), one.start, one.blocks.size())).collect();
    (volumes, problems.iter().map(ToString::to_string).collect())
}

fn shown(name: &str, start: u64, size: u64) -> Shown {
    (name.to_owned(), start, size)
}

#[test]
fn a_volume_without_a_table_is_one_volume() {
    assert_eq!(read(disk(&[0])), (vec![shown("", 0, 8 << 20)], vec![]));
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
    // The next table's offset starts at the beginning of the extended partition.
    entry(&mut bytes, first, 1, 5, 1000, 500);
    let second = 2024 * 512;
    entry(&mut bytes, second, 0, 11, 10, 20);
    let expected = vec![
        shown("p1", 64 * 512, 64 * 512),
        shown("p2", (1024 + 64) * 512, 100 * 512),
        shown("p3", (2024 + 10) * 512, 20 * 512),
    ];
    assert_eq!(read(bytes.clone()), (expected.clone(), vec![]));
    entry(&mut bytes, second, 1, 5, 0, 500);
    let (volumes, problems) = read(bytes);
    assert_eq!(volumes, expected);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("a loop"), "{problems:?}");
}

#[test]
fn sectors_of_4096_bytes_are_known_by_what_the_partitions_begin_with() {
    let mut bytes = disk(&[64 * 4096]);
    entry(&mut bytes, 0, 0, 7, 64, 128);
    assert_eq!(read(bytes).0, [shown("p1", 64 * 4096, 128 * 4096)]);
}

#[test]
fn a_truncated_image_keeps_the_partitions_that_it_has() {
    let mut bytes = disk(&[]);
    entry(&mut bytes, 0, 0, 7, 64, 1 << 20);
    entry(&mut bytes, 0, 1, 5, 1 << 21, 64);
    entry(&mut bytes, 0, 3, 7, 1 << 22, 64);
    let Table { volumes, problems, .. } = table(bytes);
    let found: Vec<_> = volumes.iter().map(|one| (one.name.to_string(), one.start, one.blocks.size())).collect();
    assert_eq!(found, [shown("p1", 64 * 512, (8 << 20) - 64 * 512), shown("p2", (1 << 22) * 512, 0)]);
    assert!(matches!(volumes[1].kind, VolumeKind::Refused { what, .. } if what.contains("beyond the end")));
    // The truncated partition, and the lost table of the extended one.
    assert_eq!(problems.len(), 2, "{problems:?}");
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Returns both tables of a GPT with two partitions.
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
        let expected = vec![shown("p1", 40 * size, 40 * size), shown("p2", 100 * size, 32 * size)];
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
