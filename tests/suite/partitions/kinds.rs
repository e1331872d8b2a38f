//! The kind of a volume, compared with the tools that made it.

use std::fs;

use hivemend::evidence::volume::{VolumeKind, file_system_of};

use super::{Bench, MIB, shown, told};
use crate::harness;

/// A line that writes bytes into a volume.
fn signed(at: u64, text: &str) -> String {
    format!("printf '{text}' | dd conv=notrunc status=none bs=1 seek={at} of=")
}

/// Each second volume of a disk is read, refused by name, or known to hold no files (B3).
#[test]
fn every_second_volume_is_something() {
    let bench = Bench::new();
    if !bench.volumes() {
        return;
    }
    let by_hand = [
        (signed(3, "ReFS\\0\\0\\0\\0"), "ReFS", 7),
        (signed(32, "NXSB"), "an APFS container", 7),
        (signed(536, "LVM2 001") + "volume && " + &signed(512, "LABELONE"), "a physical volume of LVM", 0x8e),
        (signed(4096, "\\374\\116\\053\\251"), "a member of a Linux RAID", 0xfd),
        (signed(0, "SPACEDB "), "a disk of a Storage Spaces pool", 7),
        (signed(1024, "H+\\0\\004"), "HFS+", 0xaf),
        (signed(300_000, "x"), "no known file system", 7),
        (signed(300_000, "x"), "a volume of a dynamic disk (LDM)", 0x42),
        (signed(300_000, "x"), "Linux swap space", 0x82),
        ("true ".to_owned(), "an empty volume", 7),
    ];
    let made = [
        ("mkswap", "Linux swap space", 0x82),
        ("mkfs.xfs -q -f", "XFS", 0x83),
        ("mkfs.btrfs -q -f", "Btrfs", 0x83),
        ("mkfs.f2fs -q -f", "F2FS", 0x83),
        ("mkfs.jfs -q", "JFS", 0x83),
        ("mkfs.nilfs2 -q -f", "NILFS2", 0x83),
        ("mkreiserfs -q -f -f", "ReiserFS", 0x83),
        ("mkudffs", "an optical disc's file system (ISO 9660 or UDF)", 7),
        ("printf x | cryptsetup luksFormat -q --pbkdf pbkdf2 --iter-time 1", "a LUKS volume, which is encrypted", 0x83),
        ("mkdir -p e && rm -f volume && genisoimage -quiet e >", "an optical disc's file system (ISO 9660 or UDF)", 7),
        ("mkdir -p e && mksquashfs e -quiet -noappend >/dev/null; mksquashfs e", "SquashFS", 0x83),
        ("mkfs.ext2 -q -F", "ext2, ext3 or ext4", 0x83),
        ("mkfs.ext4 -q -F -b 1024", "ext2, ext3 or ext4", 0x83),
        ("mkfs.fat -F 12", "FAT", 1),
        ("mkfs.fat -F 16", "FAT", 6),
        ("mkfs.fat -F 32 -S 4096", "FAT", 12),
        ("mkfs.exfat", "exFAT", 7),
        ("mkntfs -q -F -Q -s 4096", "NTFS", 7),
        ("mkntfs -q -F -Q -c 65536", "NTFS", 7),
    ];
    let made = made.into_iter().map(|(command, words, kind)| (format!("{command} "), words, kind));
    let mut seen = 0;
    for (command, words, kind) in by_hand.into_iter().chain(made) {
        let size = if words == "XFS" { 320 } else { 130 };
        bench.blank("volume", size * MIB);
        // Each tool is a need of its own: the others are compared.
        let command = if command.contains("mksquashfs") {
            "mkdir -p e && mksquashfs e volume -quiet -noappend".to_owned()
        } else {
            format!("{command}volume")
        };
        if bench.shell(&format!("({command}) >/dev/null 2>said || {{ code=$?; cat said >&2; exit $code; }}")).is_none()
        {
            continue;
        }
        seen += 1;
        let script = format!("label: dos\nsize=12MiB, type=7\nsize={size}MiB, type={kind:x}\n");
        assert!(bench.disk((size + 20) * MIB, &script));
        bench.put("ntfs", MIB);
        bench.put("volume", 13 * MIB);
        let table = bench.table();
        let expected = ["p1 1048576+12582912 NTFS".to_owned(), format!("p2 13631488+{} {words}", size * MIB)];
        assert_eq!(shown(&table), expected, "{command}");
        assert!(told(&table).is_empty(), "{command}: {:?}", told(&table));
        if kind != 0x42 && kind != 0x82 {
            assert_eq!(file_system_of(&table.volumes[1].blocks), table.volumes[1].kind, "{command}");
        }
        match table.volumes[1].kind {
            VolumeKind::Refused { advice, .. } => assert!(!advice.is_empty(), "{command}"),
            VolumeKind::Unknown => assert!(command.contains("300000"), "{command}"),
            VolumeKind::Irrelevant(what) => assert!(what.contains("swap") || what.contains("empty"), "{command}"),
            kind => assert!(kind.is_readable(), "{command}"),
        }
    }
    assert!(seen > 14, "{seen}");
}

#[test]
fn what_a_gpt_says_counts_where_the_content_does_not() {
    let bench = Bench::new();
    for (guid, words) in [
        ("E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "the Microsoft reserved partition"),
        ("21686148-6449-6E6F-744E-656564454649", "a BIOS boot partition: the code of a boot loader"),
        ("5808C8AA-7E8F-42E0-85D2-E1E90434CFB3", "the metadata of a dynamic disk (LDM)"),
        ("AF9B60A0-1431-4F62-BC68-3311714A69AD", "a volume of a dynamic disk (LDM)"),
        ("E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D", "a disk of a Storage Spaces pool"),
        ("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "no known file system"),
        ("01234567-89AB-CDEF-0123-456789ABCDEF", "no known file system"),
    ] {
        if !bench.disk(8 * MIB, &format!("label: gpt\nsize=3MiB, type={guid}\n")) {
            return;
        }
        bench.write(MIB + 5000, b"data");
        assert_eq!(shown(&bench.table()), [format!("p1 1048576+3145728 {words}")], "{guid}");
        // Whoever hides a volume behind a type hides nothing.
        if guid.starts_with('E') && bench.format("small", 3 * MIB, "mkntfs -q -F -Q") {
            bench.put("small", MIB);
            assert_eq!(shown(&bench.table()), ["p1 1048576+3145728 NTFS"], "{guid}");
        }
    }
    let label = &bench.table().volumes[0].label;
    assert_eq!(label, "01234567-89AB-CDEF-0123-456789ABCDEF");
}

/// B12, and what Windows 7 and later write.
#[test]
fn bitlocker_is_known_in_each_of_its_forms() {
    let bench = Bench::new();
    if !bench.volumes() || !bench.disk(60 * MIB, "label: dos\nsize=36MiB, type=c\nsize=12MiB, type=7\n") {
        return;
    }
    bench.put("fat", MIB);
    bench.put("ntfs", 37 * MIB);
    assert_eq!(shown(&bench.table())[0], "p1 1048576+37748736 FAT");
    let to_go = [0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01];
    bench.write(MIB + 0x1a8, &to_go);
    let table = bench.table();
    assert_eq!(table.volumes[0].kind, VolumeKind::BitLocker);
    assert_eq!(table.volumes[1].kind, VolumeKind::Ntfs);
    let Some(images) = harness::folder("HIVEMEND_IMAGES") else { return };
    for name in ["aes-xts_128", "aes_256_diffuser", "aes_128_diffuser", "suspended", "decrypted"] {
        let packed = images.join(format!("bitlocker/{name}.bin.gz"));
        let Ok(packed) = fs::File::open(packed) else { continue };
        let mut bytes = Vec::new();
        std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut bytes).unwrap();
        bytes.resize(65_994_752, 0);
        fs::write(bench.path("bitlocker"), &bytes).unwrap();
        assert!(bench.disk(80 * MIB, "label: gpt\nsize=64450KiB\n"));
        bench.put("bitlocker", MIB);
        assert_eq!(bench.table().volumes[0].kind, VolumeKind::BitLocker, "{name}");
        // It is found without a table, too, with the size that it states.
        bench.write(0, &vec![0; 1 << 20]);
        bench.fill(80 * MIB - 40 * 512, 0, 40 * 512);
        let table = bench.table();
        let size = if name == "decrypted" { 50_966_528 + 65_536 } else { 65_994_752 };
        let expected = format!("o1048576 1048576+{size} a volume that BitLocker encrypts, recovered");
        assert_eq!(shown(&table), [expected], "{name}");
    }
}
