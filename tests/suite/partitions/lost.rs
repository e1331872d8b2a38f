//! Volumes that no partition table contains.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::volume::{VolumeKind, volumes};

use super::{Bench, MIB, ORDINARY_SHOWN, ordinary, same, shown, told};

#[test]
fn the_volumes_of_a_disk_without_its_table_are_found() {
    let bench = Bench::new();
    if !bench.volumes() {
        return;
    }
    bench.blank("disk", 100 * MIB);
    // On no boundary but that of sectors.
    let at = [("ntfs", 512 * 63), ("fat", 15 * MIB), ("exfat", 52 * MIB + 512), ("ext", 70 * MIB + 1024)];
    for (volume, start) in at {
        bench.put(volume, start);
    }
    let table = bench.table();
    let expected = [
        "o32256 32256+12582912 NTFS, recovered",
        "o15728640 15728640+37748736 FAT, recovered",
        "o54526464 54526464+12582912 exFAT, recovered",
        "o73401344 73401344+8388608 ext2, ext3 or ext4, recovered",
    ];
    assert_eq!(shown(&table), expected);
    for (volume, (name, _)) in table.volumes.iter().zip(at) {
        same(&bench, &volume.blocks, name);
    }
    let problems = told(&table);
    assert!(problems.len() == 1 && problems[0].contains("found none, and 4 volumes"), "{problems:?}");
    // Where the first sectors are lost, the backups lead to them; ext has none that is looked for.
    for (_, start) in at {
        bench.write(start, &[0xd1; 512]);
    }
    let table = bench.table();
    assert_eq!(shown(&table), expected);
    for (volume, (name, _)) in table.volumes.iter().zip(at) {
        if name != "ext" {
            same(&bench, &volume.blocks, name);
        }
    }
    assert_eq!(told(&table).len(), 4, "{:?}", told(&table));
}

#[test]
fn a_partition_whose_boot_sector_was_erased_is_read_by_its_backup() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    for (place, start, name) in [(0, 1, "fat"), (2, 53, "ntfs"), (3, 65, "ntfs")] {
        let first = bench.read(start * MIB, 512);
        for lost in [[0; 512], [0x5a; 512]] {
            bench.write(start * MIB, &lost);
            let table = bench.table();
            let mut expected = ORDINARY_SHOWN.map(str::to_owned);
            expected[place].push_str(", recovered");
            assert_eq!(shown(&table), expected, "{name}");
            same(&bench, &table.volumes[place].blocks, name);
            let problems = told(&table);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(&format!("disk!p{}: ", place + 1)), "{problems:?}");
            assert!(problems[0].contains("was read by the backup"), "{problems:?}");
        }
        // The name is still there, and a number is wrong.
        let mut wrong = first.clone();
        wrong[11..13].copy_from_slice(&[0, 0]);
        bench.write(start * MIB, &wrong);
        assert!(bench.table().volumes[place].recovered, "{name}");
        if name == "ntfs" {
            let mut wrong = first.clone();
            wrong[48..64].fill(0x77);
            bench.write(start * MIB, &wrong);
            same(&bench, &bench.table().volumes[place].blocks, name);
        }
        bench.write(start * MIB, &first);
    }
    // Both are lost: what is not known is not taken for empty.
    bench.write(53 * MIB, &[0x5a; 512]);
    bench.write(65 * MIB - 512, &[0x5a; 512]);
    let table = bench.table();
    assert_eq!(shown(&table)[2], "p3 55574528+12582912 no known file system");
    bench.write(53 * MIB, &[0; 512]);
    assert_eq!(bench.table().volumes[2].kind, VolumeKind::Unknown);
    // A volume of one image is no other.
    fs::copy(bench.path("ntfs"), bench.path("disk")).unwrap();
    bench.write(0, &[0; 512]);
    let table = bench.table();
    assert_eq!(shown(&table), [" 0+12582912 NTFS, recovered"]);
    same(&bench, &table.volumes[0].blocks, "ntfs");
}

#[test]
fn a_volume_smaller_than_its_partition_is_recovered_in_its_place() {
    let bench = Bench::new();
    if !bench.volumes() || !bench.disk(60 * MIB, "label: dos\nsize=30MiB, type=7\nsize=10MiB, type=7\n") {
        return;
    }
    bench.put("ntfs", MIB);
    bench.write(MIB, &[0xd1; 512]);
    let table = bench.table();
    assert_eq!(shown(&table)[0], "p1 1048576+31457280 NTFS, recovered");
    same(&bench, &table.volumes[0].blocks, "ntfs");
    // The table is wrong: the volume begins elsewhere.
    bench.fill(MIB, 0xd1, 2 << 20);
    bench.put("ntfs", 3 * MIB);
    bench.fill(15 * MIB, 0, 16 << 20);
    assert!(bench.disk(60 * MIB, "label: dos\nstart=4096, size=24576, type=7\n"));
    bench.put("ntfs", 3 * MIB);
    bench.fill(2 * MIB, 0xd1, 1 << 20);
    let table = bench.table();
    let expected = [
        "p1 2097152+12582912 a partition whose volume begins elsewhere, where it was read",
        "o3145728 3145728+12582912 NTFS, recovered",
    ];
    assert_eq!(shown(&table), expected);
    assert!(told(&table)[0].contains("a volume at byte 3145728"), "{:?}", told(&table));
}

/// A disk's image in a file of a volume is no volume of the disk.
#[test]
fn what_lies_in_a_volume_is_none() {
    let bench = Bench::new();
    if !bench.format("ntfs", 40 * MIB, "mkntfs -q -F -Q") || !bench.format("inner", 4 * MIB, "mkfs.fat -F 12") {
        return;
    }
    if bench.shell("command -v ntfscp >/dev/null || exit 127; ntfscp -q -f ntfs inner inner.img").is_none() {
        return;
    }
    let volume = fs::read(bench.path("ntfs")).unwrap();
    let inner = fs::read(bench.path("inner")).unwrap();
    assert!(volume.chunks(512).any(|sector| sector == &inner[..512]), "the inner image is in pieces");
    bench.blank("disk", 60 * MIB);
    bench.put("ntfs", 5 * MIB);
    let expected = ["o5242880 5242880+41943040 NTFS, recovered"];
    assert_eq!(shown(&bench.table()), expected);
    bench.write(5 * MIB, &[0xd1; 512]);
    assert_eq!(shown(&bench.table()), expected);
    // Nor is it one in a partition that was erased.
    assert!(bench.disk(60 * MIB, "label: dos\nstart=10240, size=81920, type=7\n"));
    bench.put("ntfs", 5 * MIB);
    bench.write(5 * MIB, &[0xd1; 512]);
    assert_eq!(shown(&bench.table()), ["p1 5242880+41943040 NTFS, recovered"]);
}

#[test]
fn beside_partitions_that_hold_a_large_gap_is_searched_and_that_is_no_problem() {
    let bench = Bench::new();
    if !bench.volumes() || !bench.disk(100 * MIB, "label: gpt\nsize=12MiB\nstart=60MiB, size=36MiB\n") {
        return;
    }
    bench.put("ntfs", MIB);
    bench.put("fat", 60 * MIB);
    bench.put("exfat", 30 * MIB);
    let table = bench.table();
    let expected =
        ["p1 1048576+12582912 NTFS", "p2 62914560+37748736 FAT", "o31457280 31457280+12582912 exFAT, recovered"];
    assert_eq!(shown(&table), expected);
    assert!(told(&table).is_empty(), "{:?}", told(&table));
    assert!(table.facts.iter().any(|fact| fact.contains("o31457280 (exFAT) is in no partition")), "{:?}", table.facts);
    // What does not lead to a volume is none: the $MFT, the table, the place.
    bench.fill(30 * MIB + 24 * 512, 0, 12 << 20);
    assert_eq!(shown(&bench.table()).len(), 2);
    bench.put("ntfs", 49 * MIB);
    bench.put("fat", 60 * MIB);
    assert_eq!(shown(&bench.table()), expected[..2], "it does not fit");
}

#[test]
fn holes_cost_nothing() {
    let bench = Bench::new();
    if !bench.volumes() {
        return;
    }
    bench.blank("disk", 300 << 30);
    bench.put("ntfs", 200 << 30);
    let start = Instant::now();
    let table = bench.table();
    let passed = start.elapsed();
    assert_eq!(shown(&table), ["o214748364800 214748364800+12582912 NTFS, recovered"]);
    assert!(table.unsearched.is_empty() && passed.as_secs() < 20, "{passed:?}");
}

/// Bytes that are not zero, and a volume in them.
struct Full(Vec<u8>, u64);

impl hivemend::evidence::block::BlockRead for Full {
    fn size(&self) -> u64 {
        1 << 40
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.size().saturating_sub(offset)).unwrap());
        buffer[..count].fill(0xaa);
        let (from, to) = (offset.max(self.1), (offset + count as u64).min(self.1 + self.0.len() as u64));
        if from < to {
            let place = |at: u64, start: u64| usize::try_from(at - start).unwrap();
            let part = &self.0[place(from, self.1)..place(to, self.1)];
            buffer[place(from, offset)..place(to, offset)].copy_from_slice(part);
        }
        Ok(count)
    }
}

#[test]
fn a_search_ends_and_says_what_it_left_out() {
    let bench = Bench::new();
    if !bench.volumes() {
        return;
    }
    // Behind what is searched sector by sector, where Windows has partitions.
    let volume = fs::read(bench.path("ntfs")).unwrap();
    let full: Blocks = Arc::new(Full(volume, (5 << 30) + 7 * MIB));
    let table = volumes(&full, "disk").unwrap();
    assert_eq!(shown(&table), ["o5376049152 5376049152+12582912 NTFS, recovered"]);
    assert_eq!(table.unsearched.len(), 1);
    let problems = told(&table);
    assert!(problems.iter().any(|problem| problem.contains("bytes left out")), "{problems:?}");
}
