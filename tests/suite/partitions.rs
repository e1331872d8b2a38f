//! Partition tables, and volumes without one, made with sfdisk, sgdisk, and the tools that format volumes. They are
//! compared with the lists of sfdisk and The Sleuth Kit.

mod damaged;
mod hostile;
mod kinds;
mod lost;
mod program;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use hivemend::evidence::block::{Blocks, FileBlocks};
use hivemend::evidence::volume::{Scheme, Table, VolumeKind, volumes};

use crate::harness;

const MIB: u64 = 1 << 20;

/// A folder in which disks are made.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a shell command prints; nothing where one of its tools is not installed.
    fn shell(&self, command: &str) -> Option<String> {
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let output = Command::new("sh")
            .args(["-c", command])
            .env("PATH", path)
            .env("LC_ALL", "C")
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(127) {
            harness::lacks_some_program(command, &output.stderr);
            return None;
        }
        assert!(output.status.success(), "{command}: {said}");
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Makes a volume; whether its tool is installed.
    fn format(&self, name: &str, size: u64, command: &str) -> bool {
        self.blank(name, size);
        self.shell(&format!("{command} {name} >/dev/null 2>&1")).is_some()
    }

    /// The volumes that most tests need: `ntfs` and `exfat` of 12 MiB, `fat` (FAT32) of 36, `ext` of 8.
    fn volumes(&self) -> bool {
        self.format("ntfs", 12 * MIB, "mkntfs -q -F -Q -c 4096")
            && self.format("fat", 36 * MIB, "mkfs.fat -F 32 -s 1")
            && self.format("exfat", 12 * MIB, "mkfs.exfat")
            && self.format("ext", 8 * MIB, "mkfs.ext4 -q -F")
    }

    fn blank(&self, name: &str, size: u64) {
        File::create(self.path(name)).unwrap().set_len(size).unwrap();
    }

    /// Makes a disk of so many bytes with the table that sfdisk makes of a script.
    fn disk(&self, size: u64, script: &str) -> bool {
        self.blank("disk", size);
        fs::write(self.path("script"), script).unwrap();
        self.shell("sfdisk -q --no-reread --no-tell-kernel disk <script").is_some()
    }

    /// Puts a volume into the disk at a place.
    fn put(&self, volume: &str, at: u64) {
        self.write(at, &fs::read(self.path(volume)).unwrap());
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        OpenOptions::new().write(true).open(self.path("disk")).unwrap().write_all_at(bytes, at).unwrap();
    }

    fn fill(&self, at: u64, byte: u8, length: usize) {
        self.write(at, &vec![byte; length]);
    }

    fn read(&self, at: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        File::open(self.path("disk")).unwrap().read_exact_at(&mut bytes, at).unwrap();
        bytes
    }

    fn blocks(&self) -> Blocks {
        Arc::new(FileBlocks::open(&self.path("disk")).unwrap())
    }

    /// What the disk holds.
    fn table(&self) -> Table {
        volumes(&self.blocks(), "disk").unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// Where sfdisk has the partitions, in bytes.
    fn dumped(&self) -> Vec<(u64, u64)> {
        let text = self.shell("sfdisk -d disk").unwrap();
        let number = |row: &str, name: &str| {
            row.split(name).nth(1)?.trim_start_matches([' ', '=']).split(',').next()?.trim().parse::<u64>().ok()
        };
        text.lines()
            .filter(|row| row.starts_with("disk") && !row.contains("type=f") && !row.contains("type=5"))
            .filter_map(|row| Some((number(row, "start")? * 512, number(row, "size")? * 512)))
            .collect()
    }

    /// Where mmls has them; nothing where it is not installed.
    fn by_the_sleuth_kit(&self) -> Option<Vec<(u64, u64)>> {
        let text = self.shell("command -v mmls >/dev/null || exit 127; mmls -a disk")?;
        let rows = text.lines().filter(|row| !row.contains("Extended") && !row.contains("Meta"));
        let numbers = rows.filter_map(|row| {
            let mut words = row.split_whitespace().skip(2).map(|word| word.parse::<u64>().ok());
            let (first, _, count) = (words.next()??, words.next()??, words.next()??);
            Some((first * 512, count * 512))
        });
        Some(numbers.collect())
    }
}

/// Each volume in a line: name, start and size, what it is.
fn shown(table: &Table) -> Vec<String> {
    let line = |volume: &hivemend::evidence::volume::Volume| {
        let recovered = if volume.recovered { ", recovered" } else { "" };
        format!("{} {}+{} {}{recovered}", volume.name, volume.start, volume.size, volume.kind.words())
    };
    table.volumes.iter().map(line).collect()
}

fn places(table: &Table) -> Vec<(u64, u64)> {
    table.volumes.iter().map(|volume| (volume.start, volume.size)).collect()
}

fn told(table: &Table) -> Vec<String> {
    table.problems.iter().map(ToString::to_string).collect()
}

/// All bytes of a volume are those of the file of which it was made.
fn same(bench: &Bench, blocks: &Blocks, volume: &str) {
    let expected = fs::read(bench.path(volume)).unwrap();
    let mut bytes = vec![0; expected.len()];
    blocks.read_exact_at(&mut bytes, 0).unwrap();
    assert!(bytes == expected, "{volume}");
}

const ORDINARY: &str = "label: gpt\n\
    start=2048, size=73728, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=\"EFI system partition\"\n\
    size=32768, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\n\
    size=24576, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n\
    size=24576, type=DE94BBA4-06D1-4D40-A16A-BFD50179D6AC\n";

/// A disk as Windows makes it; whether the tools are installed.
fn ordinary(bench: &Bench) -> bool {
    if !bench.volumes() || !bench.disk(80 * MIB, ORDINARY) {
        return false;
    }
    for (volume, at) in [("fat", 1), ("ntfs", 53), ("ntfs", 65)] {
        bench.put(volume, at * MIB);
    }
    true
}

const ORDINARY_SHOWN: [&str; 4] = [
    "p1 1048576+37748736 FAT",
    "p2 38797312+16777216 the Microsoft reserved partition",
    "p3 55574528+12582912 NTFS",
    "p4 68157440+12582912 NTFS",
];

#[test]
fn an_ordinary_disk_of_windows_has_no_problem() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    let table = bench.table();
    assert_eq!(shown(&table), ORDINARY_SHOWN);
    assert_eq!((table.scheme, table.sector), (Scheme::Gpt, 512));
    assert!(told(&table).is_empty() && table.facts.is_empty() && table.unsearched.is_empty(), "{:?}", told(&table));
    assert!(matches!(table.volumes[1].kind, VolumeKind::Irrelevant(_)));
    let labels: Vec<&str> = table.volumes.iter().map(|volume| volume.label.as_str()).collect();
    assert_eq!(labels, ["EFI system", "Microsoft reserved", "Microsoft basic data", "Windows recovery"]);
    assert_eq!(places(&table), bench.dumped());
    if let Some(listed) = bench.by_the_sleuth_kit() {
        assert_eq!(places(&table), listed);
    }
}

#[test]
fn every_table_is_what_sfdisk_and_the_sleuth_kit_list() {
    let bench = Bench::new();
    let mut many = "label: gpt\ntable-length: 200\n".to_owned();
    (0..150).for_each(|_| many.push_str("size=1MiB\n"));
    let mut logical = "label: dos\nsize=2MiB, type=7\ntype=f\n".to_owned();
    (0..40).for_each(|_| logical.push_str("size=1MiB, type=b\n"));
    for script in [
        "label: dos\nsize=10MiB, type=7, bootable\nsize=5MiB, type=27\nstart=40MiB, type=c\n",
        "label: dos\nsize=8MiB, type=7\nsize=20MiB, type=f\nsize=10MiB, type=ef\nsize=5MiB, type=7\nsize=3MiB, type=83\n",
        "label: dos\nstart=63, size=16002, type=6\nstart=16128, size=8001, type=5\nstart=16191, size=4000, type=6\n",
        "label: gpt\nfirst-lba: 40\nstart=40, size=100\nsize=1MiB\nstart=50MiB\n",
        &logical,
        &many,
    ] {
        if !bench.disk(200 * MIB, script) {
            return;
        }
        let table = bench.table();
        assert_eq!(places(&table), bench.dumped(), "{script}");
        if let Some(listed) = bench.by_the_sleuth_kit() {
            // In the order of their places, and mmls knows no table of more than 128 entries.
            let mut found = places(&table);
            found.sort_unstable();
            if found.len() < 128 {
                assert_eq!(found, listed, "{script}");
            }
        }
        assert!(told(&table).is_empty(), "{script}: {:?}", told(&table));
        assert!(
            table.volumes.iter().all(|volume| volume.kind == VolumeKind::Irrelevant("an empty volume")),
            "{script}"
        );
    }
}
