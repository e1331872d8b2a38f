//! Damaged, contradictory, and odd partition tables (B11, B18).

use hivemend::evidence::volume::{Scheme, VolumeKind};

use super::{Bench, MIB, ORDINARY_SHOWN, ordinary, places, same, shown, told};

#[test]
fn a_gpt_holds_without_a_protective_mbr() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    let mut odd = bench.read(0, 512);
    odd[446] = 0x81;
    let mut code = vec![0; 512];
    code[..3].copy_from_slice(&[0xeb, 0x63, 0x90]);
    let mut signed = code.clone();
    signed[510..].copy_from_slice(&[0x55, 0xaa]);
    // A blank sector, the code of a boot loader with and without the mark, another status.
    for (first, fact) in [
        (vec![0; 512], "no protective MBR"),
        (code, "no protective MBR"),
        (signed, "no protective MBR"),
        (odd, "status byte 0x81"),
    ] {
        bench.write(0, &first);
        let table = bench.table();
        assert_eq!(shown(&table), ORDINARY_SHOWN, "{fact}");
        assert!(told(&table).is_empty(), "{:?}", told(&table));
        assert!(table.facts.len() == 1 && table.facts[0].contains(fact), "{:?}", table.facts);
    }
}

#[test]
fn a_damaged_gpt_is_replaced_by_its_backup_and_then_by_what_is_found() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    let end = 80 * MIB;
    bench.write(512 + 60, b"x");
    let table = bench.table();
    assert_eq!(shown(&table), ORDINARY_SHOWN);
    let problems = told(&table);
    assert!(problems.len() == 1 && problems[0].contains("its backup at the end"), "{problems:?}");
    // Lost altogether.
    bench.fill(512, 0, 33 * 512);
    let table = bench.table();
    assert_eq!(shown(&table), ORDINARY_SHOWN);
    assert_eq!(told(&table).len(), 1);
    // Only the protective MBR is left.
    bench.fill(end - 33 * 512, 0, 33 * 512);
    let table = bench.table();
    let found = [
        "o1048576 1048576+37748736 FAT, recovered",
        "o55574528 55574528+12582912 NTFS, recovered",
        "o68157440 68157440+12582912 NTFS, recovered",
    ];
    assert_eq!(shown(&table), found);
    assert!(told(&table)[0].contains("the GPT that the MBR announces"), "{:?}", told(&table));
    // Not even that.
    bench.write(0, &[0; 512]);
    assert_eq!(shown(&bench.table()), found);
}

#[test]
fn entries_of_a_gpt_with_wrong_checksums_are_read_as_they_lie() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    // One entry is gone from both tables; its volume is found.
    bench.write(1024 + 2 * 128, &[0; 128]);
    bench.write(80 * MIB - 33 * 512 + 2 * 128, &[0; 128]);
    let table = bench.table();
    let expected = [
        "p1 1048576+37748736 FAT",
        "p2 38797312+16777216 the Microsoft reserved partition",
        "p3 68157440+12582912 NTFS",
        "o55574528 55574528+12582912 NTFS, recovered",
    ];
    assert_eq!(shown(&table), expected);
    assert!(told(&table)[0].contains("no sound backup"), "{:?}", told(&table));
}

/// An MBR that names partitions wins over a GPT of an earlier use.
#[test]
fn a_stale_gpt_does_not_beat_a_valid_mbr() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    let (first, last) = (bench.read(512, 33 * 512), bench.read(80 * MIB - 33 * 512, 33 * 512));
    assert!(bench.disk(80 * MIB, "label: dos\nsize=12MiB, type=7\nstart=20MiB, size=36MiB, type=c\n"));
    bench.put("ntfs", MIB);
    bench.put("fat", 20 * MIB);
    bench.write(512, &first);
    bench.write(80 * MIB - 33 * 512, &last);
    let table = bench.table();
    let mut expected = vec!["p1 1048576+12582912 NTFS", "p2 20971520+37748736 FAT"];
    assert_eq!(shown(&table), expected);
    assert_eq!((table.scheme, places(&table)), (Scheme::Mbr, bench.dumped()));
    assert!(told(&table).is_empty(), "{:?}", told(&table));
    assert!(table.facts.len() == 1 && table.facts[0].contains("from an earlier use"), "{:?}", table.facts);
    // A volume that only the GPT has is read, too.
    bench.put("ntfs", 65 * MIB);
    expected.push("o68157440 68157440+12582912 NTFS, recovered");
    let table = bench.table();
    assert_eq!(shown(&table), expected);
    assert!(table.facts.iter().any(|fact| fact.contains("o68157440")), "{:?}", table.facts);
    // The backup of a GPT alone is as stale.
    bench.fill(512, 0, 33 * 512);
    assert_eq!(shown(&bench.table())[..2], expected[..2]);
    // An MBR that leads nowhere does not hold.
    assert!(ordinary(&bench));
    let (first, last) = (bench.read(512, 33 * 512), bench.read(80 * MIB - 33 * 512, 33 * 512));
    bench.write(0, &[0; 512]);
    let mut wrong = bench.read(0, 512);
    (wrong[450], wrong[455], wrong[459]) = (7, 0x77, 1);
    wrong[510..].copy_from_slice(&[0x55, 0xaa]);
    for (at, bytes) in [(0, wrong), (512, first), (80 * MIB - 33 * 512, last)] {
        bench.write(at, &bytes);
    }
    bench.write(0x7700 * 512, &[0x5a; 512]);
    let table = bench.table();
    assert_eq!(shown(&table), ORDINARY_SHOWN);
    assert!(table.facts[0].contains("does not announce the GPT"), "{:?}", table.facts);
}

#[test]
fn a_hybrid_mbr_adds_to_its_gpt() {
    let bench = Bench::new();
    if !ordinary(&bench) || bench.shell("sgdisk -h 3 disk >/dev/null").is_none() {
        return;
    }
    let table = bench.table();
    assert_eq!((shown(&table), table.scheme), (ORDINARY_SHOWN.map(str::to_owned).to_vec(), Scheme::Gpt));
    // A partition that the GPT does not have.
    assert!(bench.disk(80 * MIB, "label: gpt\nstart=1MiB, size=36MiB\n"));
    bench.put("fat", MIB);
    bench.put("ntfs", 50 * MIB);
    let mut first = bench.read(0, 512);
    first[462 + 4] = 7;
    first[462 + 8..462 + 12].copy_from_slice(&(50_u32 * 2048).to_le_bytes());
    first[462 + 12..462 + 16].copy_from_slice(&(12_u32 * 2048).to_le_bytes());
    bench.write(0, &first);
    let table = bench.table();
    assert_eq!(shown(&table), ["p1 1048576+37748736 FAT", "p2 52428800+12582912 NTFS"]);
    assert_eq!(table.scheme, Scheme::Hybrid);
    assert!(table.facts[0].contains("names 1 more partitions"), "{:?}", table.facts);
    assert!(told(&table).is_empty(), "{:?}", told(&table));
}

#[test]
fn an_odd_status_byte_of_an_mbr_is_told() {
    let bench = Bench::new();
    if !bench.volumes() || !bench.disk(80 * MIB, "label: dos\nsize=12MiB, type=7, bootable\nsize=36MiB, type=c\n") {
        return;
    }
    bench.put("ntfs", MIB);
    bench.put("fat", 13 * MIB);
    for statuses in [[0x81, 0], [0x81, 0x81], [0x7f, 0xff]] {
        bench.write(446, &statuses[..1]);
        bench.write(462, &statuses[1..]);
        let table = bench.table();
        assert_eq!(shown(&table), ["p1 1048576+12582912 NTFS", "p2 13631488+37748736 FAT"]);
        assert_eq!(places(&table), bench.dumped());
        assert!(told(&table).is_empty() && table.facts[0].contains("status byte"), "{:?}", table.facts);
    }
}

#[test]
fn one_bad_partition_leaves_the_others() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    // The byte of B18 in FAT32, each other byte of the boot sectors, and whole sectors of noise.
    for (place, start) in [(0, MIB), (2, 53 * MIB)] {
        let first = bench.read(start, 512);
        for at in 0..90 {
            for value in [0, 8, 0x7f, 0xff] {
                let mut wrong = first.clone();
                wrong[at] = value;
                bench.write(start, &wrong);
                let table = bench.table();
                let lines = shown(&table);
                assert_eq!(lines.len(), 4, "byte {at} = {value}: {lines:?}");
                for other in (0..4).filter(|other| *other != place) {
                    assert_eq!(lines[other], ORDINARY_SHOWN[other], "byte {at} = {value}");
                }
                assert!(table.volumes[place].kind.is_readable(), "byte {at} = {value}: {lines:?}");
            }
        }
        bench.write(start, &first);
    }
}

#[test]
fn partitions_over_each_other_are_told_and_each_region_is_read_once() {
    let bench = Bench::new();
    if !bench.volumes() || !bench.disk(80 * MIB, "label: dos\nsize=12MiB, type=7\nsize=36MiB, type=c\n") {
        return;
    }
    bench.put("ntfs", MIB);
    bench.put("fat", 13 * MIB);
    let entries = bench.read(446, 64);
    bench.write(446 + 32, &entries[..16]);
    let mut over = entries[..16].to_vec();
    over[12..16].copy_from_slice(&(20_u32 * 2048).to_le_bytes());
    bench.write(446 + 48, &over);
    let table = bench.table();
    let expected = [
        "p1 1048576+12582912 NTFS",
        "p2 13631488+37748736 FAT",
        "p3 1048576+12582912 a region that another partition names, too",
        "p4 1048576+20971520 NTFS",
    ];
    assert_eq!(shown(&table), expected);
    let problems = told(&table);
    assert!(problems.len() == 1 && problems[0].contains("p1 and p4 over each other"), "{problems:?}");
}

#[test]
fn partitions_of_no_size_and_beyond_the_end_are_told_by_name() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    // MBR: no sectors.
    assert!(bench.disk(80 * MIB, "label: dos\nsize=12MiB, type=7\nsize=36MiB, type=c\nsize=12MiB, type=7\n"));
    bench.put("ntfs", MIB);
    bench.put("fat", 13 * MIB);
    bench.put("ntfs", 49 * MIB);
    bench.write(462 + 12, &[0; 4]);
    assert_eq!(bench.table().volumes.len(), 3, "the volume is found without its partition");
    // The image ends in the third partition, and then before it.
    let image = std::fs::OpenOptions::new().write(true).open(bench.path("disk")).unwrap();
    image.set_len(55 * MIB).unwrap();
    let table = bench.table();
    assert_eq!(shown(&table)[1], "p2 51380224+12582912 NTFS");
    assert_eq!(table.volumes[1].blocks.size(), 6 * MIB);
    assert!(told(&table).iter().any(|problem| problem.contains("disk!p2: expected a partition within the image")));
    image.set_len(45 * MIB).unwrap();
    let table = bench.table();
    assert_eq!(shown(&table)[1], "p2 51380224+12582912 a partition beyond the end of the image");
    assert!(matches!(table.volumes[1].kind, VolumeKind::Refused { .. }));
    // A truncated disk without its table: the end of the volume is missing.
    image.set_len(10 * MIB).unwrap();
    bench.write(0, &[0; 512]);
    let table = bench.table();
    assert_eq!(shown(&table), ["o1048576 1048576+12582912 NTFS, recovered"]);
    assert!(told(&table).iter().any(|problem| problem.contains("a volume within the image")), "{:?}", told(&table));
}

/// sfdisk writes no table of sectors of 4,096 bytes to a file: its numbers are the same in other places.
#[test]
fn a_gpt_of_large_sectors_is_read_with_and_without_its_protective_mbr() {
    let bench = Bench::new();
    if !bench.format("ntfs", 12 * MIB, "mkntfs -q -F -Q -s 4096")
        || !bench.disk(10 * MIB, "label: gpt\nfirst-lba: 256\nstart=256, size=3072\n")
    {
        return;
    }
    let sectors = |count: u64| count * 4096;
    let (mbr, mut header, entries) = (bench.read(0, 512), bench.read(512, 512), bench.read(1024, 32 * 512));
    let backup = bench.read(10 * MIB - 512, 512);
    bench.blank("disk", sectors(10 * MIB / 512));
    header.resize(4096, 0);
    bench.write(0, &mbr);
    bench.write(sectors(1), &header);
    bench.write(sectors(2), &entries);
    bench.write(sectors(10 * MIB / 512 - 1), &backup);
    bench.write(sectors(10 * MIB / 512 - 33), &entries);
    bench.put("ntfs", sectors(256));
    let expected = ["p1 1048576+12582912 NTFS"];
    let table = bench.table();
    assert_eq!((shown(&table), table.sector), (expected.map(str::to_owned).to_vec(), 4096));
    same(&bench, &table.volumes[0].blocks, "ntfs");
    assert!(told(&table).is_empty() && table.facts.is_empty());
    bench.write(0, &[0; 512]);
    assert_eq!(shown(&bench.table()), expected);
    bench.write(sectors(1), &[0; 4096]);
    assert_eq!((shown(&bench.table()), told(&bench.table()).len()), (expected.map(str::to_owned).to_vec(), 1));
    bench.write(sectors(256), &[0; 4096]);
    let table = bench.table();
    assert_eq!(shown(&table), ["p1 1048576+12582912 NTFS, recovered"]);
    same(&bench, &table.volumes[0].blocks, "ntfs");
}

/// The volume of a dynamic disk that is whole is read; one that goes on elsewhere is refused by name.
#[test]
fn a_dynamic_disk_gives_the_volumes_that_are_whole() {
    let bench = Bench::new();
    if !bench.volumes() || !bench.disk(80 * MIB, "label: dos\nstart=1MiB, size=70MiB, type=42\n") {
        return;
    }
    bench.put("ntfs", MIB);
    bench.put("fat", 20 * MIB);
    let table = bench.table();
    assert_eq!(shown(&table), ["p1 1048576+73400320 NTFS", "o20971520 20971520+37748736 FAT, recovered"]);
    assert!(bench.disk(80 * MIB, "label: dos\nstart=1MiB, size=10MiB, type=42\n"));
    bench.put("ntfs", MIB);
    assert_eq!(shown(&bench.table())[0], "p1 1048576+10485760 a volume of a dynamic disk (LDM)");
    // No other partition is smaller than its file system.
    bench.write(446 + 4, &[7]);
    let table = bench.table();
    assert_eq!(shown(&table), ["p1 1048576+10485760 NTFS"]);
    same(&bench, &table.volumes[0].blocks, "ntfs");
    assert!(told(&table)[0].contains("a partition as large as its file system, 12582912 bytes"), "{:?}", told(&table));
}

#[test]
fn a_file_system_in_the_first_sector_and_a_table_there_are_both_read() {
    let bench = Bench::new();
    if !bench.volumes() || !bench.disk(80 * MIB, "label: dos\nstart=50MiB, size=12MiB, type=7\n") {
        return;
    }
    let table = bench.read(446, 66);
    bench.put("fat", 0);
    bench.write(446, &table);
    assert_eq!(shown(&bench.table()), [" 0+83886080 FAT"]);
    bench.put("ntfs", 50 * MIB);
    let table = bench.table();
    assert_eq!(shown(&table), [" 0+83886080 FAT", "p1 52428800+12582912 NTFS"]);
    assert!(table.facts[0].contains("has a partition table, too"), "{:?}", table.facts);
    // An ext volume of an earlier use leaves the first sector to the table.
    assert!(bench.format("ext", 8 * MIB, "mkfs.ext4 -q -F"));
    assert!(bench.disk(80 * MIB, "label: dos\nstart=50MiB, size=12MiB, type=7\n"));
    let table = bench.read(0, 512);
    bench.put("ext", 0);
    bench.write(0, &table);
    bench.put("ntfs", 50 * MIB);
    assert_eq!(shown(&bench.table())[0], "p1 52428800+12582912 NTFS");
}

/// The texts of a boot sector stand where a table would.
#[test]
fn a_damaged_volume_without_a_table_is_no_table() {
    let bench = Bench::new();
    if !bench.format("fat", 36 * MIB, "mkfs.fat -F 32 -s 1") || !bench.format("disk", 36 * MIB, "mkfs.fat -F 32 -s 1") {
        return;
    }
    let mut text = *b"\0isk error.\0Press any key to restart.\0NTLDR is missing.\0\0\0\0\0\0\0\0";
    bench.write(446, &text);
    // Both copies of the table of clusters are lost.
    bench.fill(32 * 512, 0, 2 << 20);
    assert_eq!(shown(&bench.table()), [" 0+37748736 FAT"]);
    text[1..].fill(0);
    bench.write(446, &text);
    assert_eq!(shown(&bench.table()), [" 0+37748736 FAT"]);
}
