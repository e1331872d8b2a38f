//! The contents of the public samples, compared with independent tools that read partitions and NTFS.

use std::fs;
use std::path::Path;
use std::process::Command;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::disk;
use hivemend::evidence::volume::{self, Table, Volume};

use super::samples::{bytes, sample};
use crate::harness;

/// The output of a tool; nothing where it is not installed.
fn output(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new(program).args(arguments).env("PATH", path).env("LC_ALL", "C").current_dir(folder).output();
    let Ok(output) = output else {
        harness::lacks_program(program);
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
