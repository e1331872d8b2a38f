//! What is on the public samples, against tools that read partitions and NTFS by other code.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::disk;
use hivemend::evidence::filesystem::{self, Entry};
use hivemend::evidence::volume::{self, Table, Volume};

use super::samples::{bytes, sample};

/// The output of a tool; nothing where it is not installed.
fn output(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new(program).args(arguments).env("PATH", path).env("LC_ALL", "C").current_dir(folder).output();
    let Ok(output) = output else {
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The volumes of a sample.
fn volumes(folder: &Path, name: &str) -> Option<(Blocks, Vec<Volume>)> {
    let disk = disk::open(&sample(folder, name)?).unwrap_or_else(|problem| panic!("{problem}"));
    let Table { volumes, problems, .. } =
        volume::volumes(&disk.blocks, name).unwrap_or_else(|problem| panic!("{problem}"));
    assert!(problems.is_empty(), "{name}: {problems:?}");
    Some((disk.blocks, volumes))
}

#[test]
fn sample_partition_tables_are_what_fdisk_lists() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sector) in [
        ("gpt-512-3p.raw", 512),
        ("mbr-512-p1e2.bin", 512),
        ("mbr-4096-p1e1.bin", 4096),
        ("imageformat_mmls_1.E01", 512),
        ("multi_partition_image.vmdk", 512),
        ("ntfs-dynamic.vhd", 512),
    ] {
        let Some((disk, volumes)) = volumes(folder.path(), name) else { return };
        fs::write(folder.path().join("disk"), bytes(&disk)).unwrap();
        let size = sector.to_string();
        let arguments = ["-b", &size, "-l", "-o", "Start,Sectors,Type", "disk"];
        let Some(listed) = output("fdisk", &arguments, folder.path()) else { return };
        let expected: Vec<(u64, u64)> = listed
            .lines()
            .filter(|row| {
                row.trim_start().starts_with(|letter: char| letter.is_ascii_digit()) && !row.contains("Extended")
            })
            .map(|row| {
                let mut numbers = row.split_whitespace().map(|word| word.parse::<u64>().unwrap_or_default() * sector);
                (numbers.next().unwrap(), numbers.next().unwrap())
            })
            .collect();
        let found: Vec<(u64, u64)> = volumes.iter().map(|volume| (volume.start, volume.blocks.size())).collect();
        assert!(!expected.is_empty(), "{name}: {listed}");
        assert_eq!(found, expected, "{name}");
    }
}

/// Every file below a folder.
fn files(mut folder: Entry, path: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let (children, problems) = folder.children();
    assert!(problems.is_empty(), "{path}: {problems:?}");
    for child in children {
        let inside = format!("{path}{}", child.name());
        // What the file system keeps for itself.
        if path.is_empty() && inside.starts_with('$') {
            continue;
        }
        if child.is_folder() {
            files(child, &format!("{inside}/"), found);
        } else if !child.is_link() {
            let mut bytes = Vec::new();
            child.stream().unwrap().read_to_end(&mut bytes).unwrap_or_else(|error| panic!("{inside}: {error}"));
            found.insert(inside, bytes);
        }
    }
}

/// Every file below a folder of the system.
fn unpacked(folder: &Path, path: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let inside = format!("{path}{}", entry.file_name().into_string().unwrap());
        if entry.path().is_symlink() {
            continue;
        }
        if entry.path().is_dir() {
            // What 7z found beside files.
            if !matches!(inside.as_str(), "[SYSTEM]" | "[DELETED]" | "[LOST]" | "[UNKNOWN]") {
                unpacked(&entry.path(), &format!("{inside}/"), found);
            }
        } else if !inside.contains(':') {
            found.insert(inside, fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn sample_ntfs_volumes_are_what_7z_unpacks() {
    let folder = tempfile::tempdir().unwrap();
    let mut most = 0;
    for name in [
        "ntfs3_attrlist.raw",
        "windows_volume.qcow2",
        "partition_image.E01",
        "imageformat_mmls_1.E01",
        "multi_partition_image.vmdk",
        "vss.raw",
        "ntfs-fixed.vhd",
        "ntfs-dynamic.vhdx",
    ] {
        let Some((_, volumes)) = volumes(folder.path(), name) else { return };
        for volume in volumes {
            fs::write(folder.path().join("volume.ntfs"), bytes(&volume.blocks)).unwrap();
            if output("7z", &["x", "-y", "-tNTFS", "-oout", "volume.ntfs"], folder.path()).is_none() {
                return;
            }
            let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
            unpacked(&folder.path().join("out"), "", &mut expected);
            let system = filesystem::open(&volume.blocks).unwrap().unwrap();
            files(system.root().unwrap(), "", &mut found);
            let place = format!("{name}!{}", volume.name);
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{place}");
            for (name, bytes) in &found {
                let differs = bytes.iter().zip(&expected[name]).position(|(ours, theirs)| ours != theirs);
                assert_eq!((differs, bytes.len()), (None, expected[name].len()), "{place}: {name}");
            }
            most = most.max(found.len());
            fs::remove_dir_all(folder.path().join("out")).unwrap();
        }
    }
    assert!(most > 50, "{most} files at most");
}
