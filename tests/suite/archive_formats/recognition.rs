//! Recognition of a file by its beginning, its end, and its name.

use hivemend::evidence::archive::container::Kind;
use hivemend::evidence::archive::stream::Codec;
use hivemend::evidence::file_system::{HEAD, Head};
use hivemend::evidence::format::{Format, first_part, is_named_like_one, of, unpacks_itself};

use super::Bench;

fn head(bytes: &[u8]) -> Head {
    let end = if bytes.len() >= 512 { bytes[bytes.len() - 512..].to_vec() } else { Vec::new() };
    Head { bytes: bytes[..bytes.len().min(HEAD)].to_vec(), at_bins: [0; 4], end, size: bytes.len() as u64 }
}

fn what(bytes: &[u8], name: &str) -> String {
    match of(&head(bytes), name) {
        None => "nothing".to_owned(),
        Some(Format::Archive(kind)) => kind.to_string(),
        Some(Format::Image) => "image".to_owned(),
        Some(Format::Refused(row)) => {
            assert!(!row.advice.is_empty() && !row.advice.ends_with('.'));
            row.what.to_owned()
        }
    }
}

fn padded(start: &[u8]) -> Vec<u8> {
    let mut bytes = start.to_vec();
    bytes.resize(2048, 0);
    bytes
}

#[test]
fn what_is_known_by_its_first_bytes() {
    for (start, name, expected) in [
        (&b"ADSEGMENTEDFILE\0"[..], "a.ad1", "an AD1 image of files"),
        (b"LVF\x09\x0d\x0a\xff\0\x01\x01\0", "a.L01", "an L01 or Lx01 image of files, not of a disk"),
        (b"LEF2\x0d\x0a\x81\0", "a.Lx01", "an L01 or Lx01 image of files, not of a disk"),
        (b"EVF2\x0d\x0a\x81\0", "a.Ex01", "an Ex01 image"),
        (b"EVF\x09\x0d\x0a\xff\0\x01\x02\0\0\0", "a.E02", "a later segment of an E01 image"),
        (b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0", "a.E01", "image"),
        (b"AFF10\x0d\x0a\0", "a.aff", "an AFF image"),
        (b"Rar!\x1a\x07\0", "a", "a RAR archive"),
        (b"Rar!\x1a\x07\x01\0", "a.rar", "a RAR archive"),
        (b"MSCF\0\0\0\0", "a.cab", "a cabinet (CAB)"),
        (b"MSWIM\0\0\0", "a.esd", "a WIM or ESD image"),
        (b"TAPE\0\0\0\0", "a.bkf", "a Windows backup (NTBackup, .bkf)"),
        (b"hsqs", "a", "a SquashFS file system"),
        (b"LUKS\xba\xbe", "a", "a LUKS volume, which is encrypted"),
        (b"PK\x07\x08PK\x03\x04", "a.z01", "the first part of a split zip archive"),
        (b"WithoutFreeSpace", "a.hds", "a Parallels disk"),
        (b"\x1f\x9d\x90", "a.Z", "a file of compress (.Z)"),
        (b"\xfe\xef\x01", "a.gho", "a Norton Ghost image"),
        (b"\x01\x02", "a.vbk", "a Veeam backup"),
        (b"\x01\x02", "a.TIBX", "an Acronis backup"),
        (b"KDMV", "a.vmdk", "image"),
        (b"\x28\xb5\x2f\xfd", "a", "zstd"),
        (b"\x50\x2a\x4d\x18", "a", "zstd"),
        (b"\x1f\x8b\x08", "a", "gzip"),
        (b"BZh91AY&SY", "a", "bzip2"),
        (b"regf", "a.iso", "nothing"),
        (b"plain text", "a", "nothing"),
    ] {
        assert_eq!(what(&padded(start), name), expected, "{name}: {start:?}");
    }
    for name in ["a.vbk", "a.tib", "a.iso", "a.wim", "a.esd", "a.L01", "a.lzma", "a.gho", "a.Z", "a.bkf"] {
        assert_eq!(what(&b"TAPE is text, line after line\n".repeat(100), name), "nothing", "{name}");
    }
    assert_eq!(what(b"", "a.rar"), "nothing");
}

#[test]
fn what_is_known_by_its_last_bytes_or_its_name() {
    let mut image = vec![0; 40_000];
    assert_eq!(
        (what(&image, "a.ISO").as_str(), what(&image, "a.raw").as_str()),
        ("an ISO or UDF image of a disc", "nothing")
    );
    let end = image.len() - 512;
    image[end..end + 4].copy_from_slice(b"koly");
    assert_eq!(what(&image, "a"), "a DMG image");
    image[end..end + 8].copy_from_slice(b"conectix");
    assert_eq!(what(&image, "a"), "image");
    let mut program = padded(b"MZ");
    assert_eq!(what(&program, "a.exe"), "nothing");
    program.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(what(&program, "a.exe"), "zip");
}

#[test]
fn an_aff4_image_is_no_zip_archive() {
    for name in ["container.description", "information.turtle", "SYSTEM"] {
        let bench = Bench::new();
        bench.write(name, b"aff4://x");
        if bench.run("zip", &["-q0", "a.zip", name]) {
            let expected = if name == "SYSTEM" { "zip" } else { "an AFF4 image" };
            assert_eq!(what(&bench.read("a.zip"), "a.aff4"), expected);
        }
    }
}

#[test]
fn what_other_programs_write_is_recognised() {
    let bench = Bench::with_files();
    let hive = "in/Windows/System32/config/SYSTEM";
    for (program, arguments, name, expected) in [
        ("lz4", &["-q", "-k", hive, "a.lz4"][..], "a.lz4", "an LZ4 file"),
        ("lz4", &["-q", "-l", "-f", hive, "a.lz4"], "a.lz4", "an LZ4 file"),
        ("sh", &["-c", "xz --format=lzma -c in/empty > a.lzma"], "a.lzma", "an LZMA file (.lzma)"),
        (
            "sh",
            &["-c", "xz --format=lzma -9e -c in/Windows/System32/config/SYSTEM > a.lzma"],
            "a.lzma",
            "an LZMA file (.lzma)",
        ),
        ("ar", &["rc", "a.a", hive], "a.a", "an ar archive"),
        ("bsdtar", &["--format=cpio", "-cf", "a.cpio", "in"], "a.cpio", "a cpio archive"),
        ("bsdtar", &["--format=newc", "-cf", "a.cpio", "in"], "a.cpio", "a cpio archive"),
        ("bsdtar", &["--format=bin", "-cf", "a.cpio", "in"], "a.cpio", "a cpio archive"),
        ("bsdtar", &["--format=7zip", "-cf", "a.7z", "in"], "a.7z", "7z"),
        ("bsdtar", &["--format=iso9660", "-cf", "a.iso", "in"], "a.iso", "an ISO or UDF image of a disc"),
        ("tar", &["--format=v7", "-cf", "a.v7", "in"], "a.v7", "tar"),
        ("tar", &["-V", "label", "-cf", "a.tar", "in"], "a.tar", "tar"),
    ] {
        if program == "bsdtar"
            && arguments[0] == "--format=bin"
            && !bench.output(program, arguments).is_some_and(|made| made.status.success())
        {
            continue;
        }
        if bench.run(program, arguments) {
            let bytes = bench.read(name);
            // Small samples end within 512 bytes.
            assert_eq!(what(&bytes, name), expected, "{program} {arguments:?}");
        }
    }
    assert_eq!(Kind::of(b"BZh9\x17\x72\x45\x38\x50\x90"), Some(Kind::Stream(Codec::Bzip2)));
    assert_eq!(Kind::of(b"BZh9 is a text"), None);
}

#[test]
fn a_program_that_unpacks_itself_is_found() {
    let bench = Bench::with_files();
    if !super::zip_archives::seven(&bench, &["a", "a.7z", "in"]) {
        return;
    }
    for (before, archive, found) in [
        (70_000, bench.read("a.7z"), Some("7z")),
        (65_533, bench.read("a.7z"), Some("7z")),
        (3, b"Rar!\x1a\x07\x01\0 and more".to_vec(), Some("rar")),
        (3, b"Rar! and more".to_vec(), None),
    ] {
        let bytes = [vec![b'M'; before], archive].concat();
        let place = unpacks_itself(&(std::sync::Arc::new(bytes) as _)).unwrap();
        let kind = place.map(|(format, at)| {
            assert_eq!(at, before as u64);
            match format {
                Format::Archive(kind) => kind.to_string(),
                Format::Refused(row) => row.extensions[0].to_owned(),
                Format::Image => unreachable!(),
            }
        });
        assert_eq!(kind.as_deref(), found);
    }
}

#[test]
fn later_parts_name_their_first() {
    for (name, first) in [
        ("disk.E02", "disk.E01"),
        ("disk.e99", "disk.e01"),
        ("disk.Ex02", "disk.Ex01"),
        ("disk.s03", "disk.s01"),
        ("f.L02", "f.L01"),
        ("f.ad2", "f.ad1"),
        ("disk.002", "disk.001"),
        ("a.7z.002", "a.7z.001"),
        ("a.zip.010", "a.zip.001"),
        ("a.z01", "a.zip"),
        ("a.Z17", "a.zip"),
        ("a.part2.rar", "a.part1.rar"),
        ("a.part02.rar", "a.part01.rar"),
        ("a.r00", "a.rar"),
        ("disk-flat.vmdk", "disk.vmdk"),
        ("disk-s002.vmdk", "disk.vmdk"),
        ("my-disk-f001.vmdk", "my-disk.vmdk"),
        ("install2.swm", "install.swm"),
    ] {
        assert_eq!(first_part(name).as_deref(), Some(first), "{name}");
        assert!(is_named_like_one(name));
    }
    for name in [
        "a.wim",
        "a.esd",
        "a.L01",
        "a.hds",
        "a.txt",
        "a.E01",
        "a.001",
        "a.exe",
        "a.EXE",
        "a.zip",
        "a.rar",
        "a.part1.rar",
        "report.2023",
        "disk.vmdk",
        "disk-000001.vmdk",
        "SYSTEM",
        ".002",
        "a.e1",
        "a.\u{fc}02",
        "part2.rar",
    ] {
        assert_eq!(first_part(name), None, "{name}");
    }
    for name in ["a.ZIP", "a.tar.gz", "a.rar", "a.vhdx", "a.wim"] {
        assert!(is_named_like_one(name), "{name}");
    }
    assert!(!is_named_like_one("SYSTEM") && !is_named_like_one("a.txt"));
}
