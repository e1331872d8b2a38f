//! The program with odd disks: it finds the hives, and reports what is missing.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use serde_json::Value;

use crate::command_line::Desk;
use crate::images::{audited, evidence, fat, ntfs, plain, put, shell};

const MIB: u64 = 1 << 20;

fn write(desk: &Desk, name: &str, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(desk.path(name)).unwrap().write_all_at(bytes, at).unwrap();
}

/// A disk of 120 MiB with a GPT, and the volume in the first partition.
fn disk(desk: &Desk, name: &str, script: &str) -> bool {
    let made = shell(
        desk,
        &format!(
            "command -v sfdisk >/dev/null || exit 127; truncate -s 120M {name} && printf '{script}' | sfdisk -q {name}"
        ),
    );
    if made {
        put(desk, "volume", name, MIB);
    }
    made
}

fn problems(report: &Value) -> Vec<String> {
    report["problems"].as_array().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn a_raw_disk_with_a_gpt_and_a_blank_first_sector_is_a_disk() {
    let desk = evidence();
    let plain = plain(&desk);
    if !ntfs(&desk, "volume", "") || !disk(&desk, "disk", "label: gpt\\nsize=64MiB\\n") {
        return;
    }
    write(&desk, "disk", 0, &[0; 512]);
    assert_eq!(audited(&desk, "disk", "disk!p1"), plain);
    // In a folder, too.
    fs::create_dir(desk.path("folder")).unwrap();
    fs::rename(desk.path("disk"), desk.path("folder/disk")).unwrap();
    let (code, report) = audited(&desk, "folder", "folder/disk!p1");
    assert_eq!((code, &report["installations"]), (plain.0, &plain.1["installations"]));
}

#[test]
fn a_volume_without_a_table_has_a_locator() {
    let desk = evidence();
    let (_, plain) = plain(&desk);
    if !ntfs(&desk, "volume", "") || !disk(&desk, "disk", "label: gpt\\nsize=64MiB\\n") {
        return;
    }
    write(&desk, "disk", 0, &vec![0; 34 * 512]);
    write(&desk, "disk", 120 * MIB - 34 * 512, &vec![0; 34 * 512]);
    // Its boot sector is lost, too.
    write(&desk, "disk", MIB, &[0; 512]);
    // Nothing tells what this is but its name.
    fs::rename(desk.path("disk"), desk.path("disk.raw")).unwrap();
    let (code, report) = audited(&desk, "disk.raw", "disk.raw!o1048576");
    assert_eq!((code, &report["installations"]), (Some(3), &plain["installations"]));
    let problems = problems(&report);
    assert!(
        problems.iter().any(|problem| problem.contains("none, and 1 volumes by their boot sectors")),
        "{problems:?}"
    );
    assert!(problems.iter().any(|problem| problem.contains("was read by the backup")), "{problems:?}");
    let place = "disk.raw!o1048576!WINDOWS/system32/config/SOFTWARE";
    let report: Value = serde_json::from_slice(&desk.run(&["find", place, "--format", "json"]).stdout).unwrap();
    assert_eq!(report["installations"][0]["hives"].as_array().unwrap().len(), 1);
}

#[test]
fn a_second_volume_counts() {
    let desk = evidence();
    let plain = plain(&desk);
    let script = "label: gpt\\nsize=64MiB\\nsize=16MiB, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\\nsize=30MiB\\n";
    if !ntfs(&desk, "volume", "") || !disk(&desk, "disk", script) || !fat(&desk, "efi", 12) {
        return;
    }
    // Empty, and an EFI partition.
    assert_eq!(audited(&desk, "disk", "disk!p1"), plain);
    for (at, bytes, what) in [
        (3, &b"ReFS\0\0\0\0"[..], "ReFS"),
        (32, b"NXSB", "an APFS container"),
        (536, b"LVM2 001", "data of no known kind"),
        (512, b"LABELONE", "a physical volume of LVM"),
        (0, &[0x77; 512], "data of no known kind"),
    ] {
        write(&desk, "disk", 81 * MIB, &[0; 1024]);
        write(&desk, "disk", 81 * MIB + at, bytes);
        let (code, report) = audited(&desk, "disk", "disk!p1");
        let problems = problems(&report);
        assert_eq!((code, problems.len()), (Some(3), 1), "{what}: {problems:?}");
        assert!(problems[0].contains("disk!p3") && problems[0].contains(what), "{problems:?}");
        assert_eq!(report["installations"], plain.1["installations"], "{what}");
    }
}

/// The $Boot of a volume and a collected MBR are no images of disks (B16).
#[test]
fn first_sectors_of_volumes_are_no_images() {
    let desk = Desk::with(&["windows-10"]);
    fs::rename(desk.path("evidence/windows-10"), desk.path("img")).unwrap();
    // All of a volume without a Windows is looked at.
    let hives: Vec<_> = walkdir::WalkDir::new(desk.path("img")).into_iter().map(Result::unwrap).collect();
    fs::create_dir(desk.path("flat")).unwrap();
    for entry in hives.iter().filter(|entry| entry.file_type().is_file()) {
        fs::copy(entry.path(), desk.path("flat").join(entry.file_name())).unwrap();
    }
    fs::remove_dir_all(desk.path("img")).unwrap();
    fs::create_dir(desk.path("img")).unwrap();
    fs::rename(desk.path("flat"), desk.path("img/hives")).unwrap();
    let (code, report) = audited(&desk, "img", "");
    assert_eq!(code, Some(0), "{report}");
    if !ntfs(&desk, "volume", "") || !disk(&desk, "disk", "label: gpt\\nsize=64MiB\\n") {
        return;
    }
    let (code, report) = audited(&desk, "volume", "volume");
    assert_eq!((code, problems(&report).len()), (Some(0), 0), "{:?}", problems(&report));
    // Collected beside hives.
    let first = fs::read(desk.path("volume")).unwrap();
    fs::write(desk.path("img/$Boot"), &first[..8192]).unwrap();
    let mbr = fs::read(desk.path("disk")).unwrap();
    fs::write(desk.path("img/MBR.bin"), &mbr[..512]).unwrap();
    let (code, report) = audited(&desk, "img", "");
    assert_eq!((code, problems(&report).len()), (Some(0), 0), "{:?}", problems(&report));
    if shell(&desk, "command -v zip >/dev/null || exit 127; zip -qr img.zip img") {
        let (code, report) = audited(&desk, "img.zip", "img.zip");
        assert_eq!((code, problems(&report).len()), (Some(0), 0), "{:?}", problems(&report));
    }
}
