//! Disks in images: their bytes are those that were put in, whichever program wrote the image.

mod ewf_sets;
mod file_systems;
mod samples;

pub(crate) use samples::sample;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::damage::Seeded;
use crate::harness;
use hivemend::evidence::block::Blocks;
use hivemend::evidence::disk::{self, Algorithm, Disk, Kind};

/// A disk of about 10 MiB, which no chunk size divides: a partition table, then patches of zeros, of text that packs well,
/// and of noise that does not.
fn media() -> Vec<u8> {
    let mut random = Seeded(0x9e37_79b9_7f4a_7c15);
    let size = (10 << 20) + 3 * 512;
    let mut media = Vec::with_capacity(size);
    while media.len() < size {
        let length = 512 * (1 + random.below(400));
        match random.below(4) {
            0 | 1 => media.resize(media.len() + length, 0),
            2 => (0..length / 16).for_each(|line| media.extend(format!("{line:15x}\n").into_bytes())),
            _ => (0..length / 8).for_each(|_| media.extend(random.next().to_le_bytes())),
        }
    }
    media.truncate(size);
    let (first, count) = (2048_u32, u32::try_from(size / 512).unwrap() - 2048);
    media[..512].fill(0x90);
    media[446..510].fill(0);
    media[450] = 7;
    media[454..458].copy_from_slice(&first.to_le_bytes());
    media[458..462].copy_from_slice(&count.to_le_bytes());
    media[510..512].copy_from_slice(&[0x55, 0xaa]);
    media
}

/// A folder with the disk in `disk.raw`.
struct Bench {
    folder: tempfile::TempDir,
    media: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let (folder, media) = (tempfile::tempdir().unwrap(), media());
        fs::write(folder.path().join("disk.raw"), &media).unwrap();
        Self { folder, media }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a tool in the folder; whether it is installed.
    fn run(&self, line: &str) -> bool {
        run(self.folder.path(), line)
    }

    /// The image holds the disk.
    fn holds(&self, name: &str, kind: Kind) -> Disk {
        let disk = open(&self.path(name));
        assert_eq!(disk.kind, kind, "{name}");
        same(&disk.blocks, &self.media, name);
        disk
    }
}

fn run(folder: &Path, line: &str) -> bool {
    let mut words = line.split(' ');
    let program = words.next().unwrap();
    let Ok(output) = Command::new(program).args(words).current_dir(folder).output() else {
        harness::lacks_program(program);
        return false;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
    true
}

fn open(path: &Path) -> Disk {
    disk::open(path).unwrap_or_else(|problem| panic!("{problem}"))
}

fn refused(path: &Path) -> String {
    match disk::open(path) {
        Ok(disk) => panic!("{} was opened as {}", path.display(), disk.kind),
        Err(problem) => problem.to_string(),
    }
}

/// Whole, and in pieces of any length from anywhere.
fn same(blocks: &Blocks, media: &[u8], name: &str) {
    assert_eq!(blocks.size(), media.len() as u64, "{name}");
    let mut bytes = vec![0xee; media.len()];
    blocks.read_exact_at(&mut bytes, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
    if let Some(at) = bytes.iter().zip(media).position(|(found, expected)| found != expected) {
        panic!("{name}: {:#x} at {at:#x}, expected {:#x}", bytes[at], media[at]);
    }
    let mut random = Seeded(7);
    for _ in 0..300 {
        let start = random.below(media.len());
        let length = random.below(200_000).min(media.len() - start);
        let bytes = &mut bytes[..length];
        bytes.fill(0xee);
        blocks.read_exact_at(bytes, start as u64).unwrap_or_else(|error| panic!("{name} at {start:#x}: {error}"));
        assert!(*bytes == media[start..start + length], "{name}: {length} bytes at {start:#x}");
    }
    let mut byte = [0];
    assert_eq!(blocks.read_at(&mut byte, media.len() as u64).unwrap(), 0, "{name}");
    assert_eq!(blocks.read_at(&mut byte, u64::MAX).unwrap(), 0, "{name}");
}

#[test]
fn raw_and_split_images_hold_the_disk() {
    let bench = Bench::new();
    bench.holds("disk.raw", Kind::Raw);
    fs::copy(bench.path("disk.raw"), bench.path("DISK")).unwrap();
    bench.holds("DISK", Kind::Raw);
    for (line, first, parts) in [
        ("split -b 1000000 -d -a 3 --numeric-suffixes=1 disk.raw one.", "one.001", 11),
        ("split -b 700001 -d -a 3 disk.raw zero.", "zero.000", 15),
        ("split -b 100000 disk.raw letters.", "letters.aa", 105),
    ] {
        assert!(bench.run(line));
        let disk = bench.holds(first, Kind::SplitRaw);
        assert_eq!((disk.files.len(), disk.files[0].clone()), (parts, bench.path(first)));
    }
    fs::remove_file(bench.path("one.005")).unwrap();
    assert!(refused(&bench.path("one.001")).contains("one.005, found only one.006 and later"));
    fs::remove_file(bench.path("letters.ea")).unwrap();
    assert!(refused(&bench.path("letters.aa")).contains("as the disk's own tables say"));
}

#[test]
fn an_e01_image_holds_the_disk_and_its_hashes() {
    let bench = Bench::new();
    let mut made = 0;
    for (name, options) in [
        ("fast", "-f encase6 -c deflate:fast"),
        ("best", "-f encase6 -c deflate:best -S 1048576"),
        ("none", "-f encase6 -c none -S 1048576"),
        ("empty", "-f encase6 -c deflate:empty-block -b 1024"),
        ("one", "-f encase1 -c deflate:best"),
        ("five", "-f encase5 -c deflate:fast -b 16"),
        ("linen", "-f linen6 -c deflate:fast"),
        ("ftk", "-f ftk -c deflate:fast"),
        ("ewfx", "-f ewfx -c deflate:fast"),
    ] {
        if !bench.run(&format!("ewfacquire -u -q -d sha1 {options} -t {name} disk.raw")) {
            return;
        }
        let file = if bench.path(&format!("{name}.e01")).exists() { "e01" } else { "E01" };
        let disk = bench.holds(&format!("{name}.{file}"), Kind::Ewf);
        let checked = disk.verify().unwrap();
        assert!(checked.iter().any(|hash| hash.stored.algorithm == Algorithm::Md5), "{name}");
        assert!(checked.iter().all(|hash| hash.agrees() && hash.found.len() >= 32), "{name}: {checked:?}");
        made += usize::from(disk.files.len() > 3);
    }
    assert_eq!(made, 2, "images of several segments");
    let disk = open(&bench.path("best.E01"));
    assert!(disk.stored.iter().any(|hash| hash.algorithm == Algorithm::Sha1));
    // A segment less.
    fs::rename(bench.path("none.E03"), bench.path("other")).unwrap();
    assert!(refused(&bench.path("none.E01")).contains("none.E03"));
    assert!(refused(&bench.path("none.E02")).contains("name the first segment"));
    fs::copy(bench.path("none.E04"), bench.path("none.E03")).unwrap();
    assert!(refused(&bench.path("none.E01")).contains("segment 4 of its image, 3 expected"));
    fs::rename(bench.path("other"), bench.path("none.E03")).unwrap();
    // A byte of the disk changed in the image is never given out, packed or not.
    for name in ["none.E02", "fast.E01"] {
        let mut bytes = fs::read(bench.path(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(bench.path(name), bytes).unwrap();
        let disk = open(&bench.path(&name.replace("02", "01")));
        let mut all = vec![0; bench.media.len()];
        let error = disk.blocks.read_exact_at(&mut all, 0).unwrap_err().to_string();
        assert!(error.contains("chunk"), "{name}: {error}");
        assert!(disk.verify().is_err(), "{name}");
    }
}

/// An image with a byte changed or cut short is refused, or fails, or holds the disk; nothing panics or hangs.
fn mutated(bench: &Bench, names: &[&str], checked: bool) {
    let mut random = Seeded(99);
    for name in names {
        let good = fs::read(bench.path(name)).unwrap();
        let mut failed = 0;
        for round in 0..24 {
            let mut bytes = good.clone();
            match round % 4 {
                0 => bytes.truncate(random.below(good.len())),
                // Headers and tables are mostly at the start.
                1 | 2 => (0..3)
                    .for_each(|_| bytes[random.below(good.len().min(4096))] = u8::try_from(random.below(256)).unwrap()),
                _ => (0..3).for_each(|_| bytes[random.below(good.len())] ^= 1 << random.below(8)),
            }
            fs::write(bench.path(name), &bytes).unwrap();
            let path = bench.path(name);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let disk = disk::open(&path).ok()?;
                // What the header says of the size may be anything.
                let mut all = vec![0; usize::try_from(disk.blocks.size().min(12 << 20)).unwrap()];
                disk.blocks.read_exact_at(&mut all, 0).ok()?;
                Some((disk.blocks.size(), all))
            }));
            let opened = outcome.unwrap_or_else(|_| panic!("{name}, round {round}: panicked"));
            if checked && opened.as_ref().is_some_and(|(size, _)| *size == bench.media.len() as u64) {
                assert!(opened.as_ref().unwrap().1 == bench.media, "{name}, round {round}: other bytes, and no error");
            }
            failed += usize::from(opened.is_none());
        }
        fs::write(bench.path(name), &good).unwrap();
        assert!(failed > 0, "{name}: {failed}");
    }
}

#[test]
fn a_damaged_e01_image_never_gives_other_bytes() {
    let bench = Bench::new();
    if bench.run("ewfacquire -u -q -f encase6 -c deflate:fast -t e disk.raw") {
        mutated(&bench, &["e.E01"], true);
    }
}

/// How qemu-img writes images: the name, what makes it of `disk.raw`, and what it is.
const WRITTEN: [(&str, &str, Kind); 18] = [
    ("sparse.vmdk", "-O vmdk -o subformat=monolithicSparse", Kind::Vmdk),
    ("flat.vmdk", "-O vmdk -o subformat=monolithicFlat", Kind::Vmdk),
    ("parts.vmdk", "-O vmdk -o subformat=twoGbMaxExtentSparse", Kind::Vmdk),
    ("flats.vmdk", "-O vmdk -o subformat=twoGbMaxExtentFlat", Kind::Vmdk),
    ("stream.vmdk", "-O vmdk -o subformat=streamOptimized", Kind::Vmdk),
    ("zeroed.vmdk", "-O vmdk -o subformat=monolithicSparse,zeroed_grain=on", Kind::Vmdk),
    ("dynamic.vhd", "-O vpc -o subformat=dynamic,force_size=on", Kind::Vhd),
    ("fixed.vhd", "-O vpc -o subformat=fixed,force_size=on", Kind::Vhd),
    ("dynamic.vdi", "-O vdi", Kind::Vdi),
    ("static.vdi", "-O vdi -o static=on", Kind::Vdi),
    ("dynamic.vhdx", "-O vhdx -o subformat=dynamic", Kind::Vhdx),
    ("fixed.vhdx", "-O vhdx -o subformat=fixed,block_size=8M", Kind::Vhdx),
    ("two.qcow2", "-O qcow2 -o compat=0.10", Kind::Qcow2),
    ("three.qcow2", "-O qcow2 -o compat=1.1,cluster_size=4096", Kind::Qcow2),
    ("two-packed.qcow2", "-c -O qcow2 -o compat=0.10", Kind::Qcow2),
    ("packed.qcow2", "-c -O qcow2 -o cluster_size=2M", Kind::Qcow2),
    ("zstd.qcow2", "-c -O qcow2 -o compression_type=zstd", Kind::Qcow2),
    ("small.qcow2", "-c -O qcow2 -o cluster_size=512", Kind::Qcow2),
];

#[test]
fn whatever_qemu_img_writes_holds_the_disk() {
    let bench = Bench::new();
    for (name, options, kind) in WRITTEN {
        if !bench.run(&format!("qemu-img convert -f raw {options} disk.raw {name}")) {
            return;
        }
        bench.holds(name, kind);
    }
    let disk = open(&bench.path("flats.vmdk"));
    assert_eq!(disk.files, [bench.path("flats.vmdk"), bench.path("flats-f001.vmdk")]);
    // Without force_size the disk is rounded up to whole cylinders.
    assert!(bench.run("qemu-img convert -f raw -O vpc disk.raw round.vhd"));
    assert!(bench.run("qemu-img convert -f vpc -O raw round.vhd round.raw"));
    same(&open(&bench.path("round.vhd")).blocks, &fs::read(bench.path("round.raw")).unwrap(), "round.vhd");
}

#[test]
fn damaged_images_are_told_or_hold_something() {
    let bench = Bench::new();
    for (name, options, _) in WRITTEN {
        if !bench.run(&format!("qemu-img convert -f raw {options} disk.raw {name}")) {
            return;
        }
        if !matches!(name, "small.qcow2" | "three.qcow2" | "zeroed.vmdk" | "two.qcow2" | "fixed.vhdx" | "static.vdi") {
            mutated(&bench, &[name], false);
        }
    }
}

/// Makes an image on another one, writes into it, and reads it, to the depth that the test says.
fn chain(bench: &Bench, base: &str, child: &str, make: &str, kind: Kind) {
    assert!(bench.run(&format!("qemu-img create -q {make} {base} {child}")));
    let format = if kind == Kind::Vmdk { "vmdk" } else { "qcow2" };
    for write in ["write -P 0x5a 1M 70001", "write -P 0x11 5000000 3", "write -z 3M 600K", "write -P 7 10484000 1000"] {
        let output =
            Command::new("qemu-io").args(["-f", format, "-c", write, child]).current_dir(bench.path("")).output();
        assert!(output.unwrap().status.success(), "{write}");
    }
    assert!(bench.run(&format!("qemu-img convert -f {format} -O raw {child} {child}.raw")));
    let expected = fs::read(bench.path(&format!("{child}.raw"))).unwrap();
    assert!(expected != bench.media, "{child}: nothing was written");
    let disk = open(&bench.path(child));
    assert_eq!(disk.kind, kind);
    same(&disk.blocks, &expected, child);
    assert_eq!(disk.files[1], bench.path(base), "{child}");
}

#[test]
fn images_on_images_hold_what_both_hold() {
    let bench = Bench::new();
    if !bench.run("qemu-img convert -f raw -O vmdk disk.raw base.vmdk") {
        return;
    }
    assert!(bench.run("qemu-img convert -f raw -O qcow2 disk.raw base.qcow2"));
    chain(&bench, "base.vmdk", "child.vmdk", "-f vmdk -F vmdk -b", Kind::Vmdk);
    chain(&bench, "child.vmdk", "grandchild.vmdk", "-f vmdk -F vmdk -b", Kind::Vmdk);
    chain(&bench, "disk.raw", "on-raw.qcow2", "-f qcow2 -F raw -b", Kind::Qcow2);
    chain(&bench, "base.qcow2", "child.qcow2", "-f qcow2 -F qcow2 -b", Kind::Qcow2);
    chain(&bench, "child.qcow2", "grandchild.qcow2", "-f qcow2 -F qcow2 -o compat=0.10 -b", Kind::Qcow2);
    // A child that is larger than its parent has zeros past the parent's end.
    assert!(bench.run("qemu-img create -q -f qcow2 -F raw -b disk.raw larger.qcow2 12M"));
    let mut larger = bench.media.clone();
    larger.resize(12 << 20, 0);
    same(&open(&bench.path("larger.qcow2")).blocks, &larger, "larger.qcow2");
    // A raw backing file that looks like an image is raw all the same.
    assert!(bench.run("qemu-img create -q -f qcow2 -F raw -b base.qcow2 of-bytes.qcow2"));
    let bytes = fs::read(bench.path("base.qcow2")).unwrap();
    same(&open(&bench.path("of-bytes.qcow2")).blocks, &bytes, "of-bytes.qcow2");
    // Not the parent that it was made on; then none at all; then a circle.
    assert!(bench.run("qemu-img convert -f raw -O vmdk disk.raw other.vmdk"));
    let good = fs::read(bench.path("base.vmdk")).unwrap();
    fs::copy(bench.path("other.vmdk"), bench.path("base.vmdk")).unwrap();
    assert!(refused(&bench.path("child.vmdk")).contains("expected its parent with the identifier"));
    fs::remove_file(bench.path("base.vmdk")).unwrap();
    let said = refused(&bench.path("grandchild.vmdk"));
    assert!(said.contains("child.vmdk: expected the parent \"base.vmdk\" beside it, found no such file"), "{said}");
    fs::write(bench.path("base.vmdk"), good).unwrap();
    assert!(bench.run("qemu-img rebase -u -f qcow2 -F qcow2 -b grandchild.qcow2 child.qcow2"));
    assert!(refused(&bench.path("grandchild.qcow2")).contains("again: the chain is a loop"));
    assert!(bench.run("qemu-img rebase -u -f qcow2 -F raw -b /etc/passwd child.qcow2"));
    assert!(refused(&bench.path("child.qcow2")).contains("\"passwd\" beside it (the image says \"/etc/passwd\")"));
    // A parent that was named by another way, now beside it.
    assert!(bench.run("qemu-img rebase -u -f qcow2 -F qcow2 -b /elsewhere/base.qcow2 child.qcow2"));
    let disk = open(&bench.path("child.qcow2"));
    assert!(disk.facts[0].contains("\"base.qcow2\" beside it was used"), "{:?}", disk.facts);
}

#[test]
fn large_disks_are_read_far_out() {
    let bench = Bench::new();
    for (name, options) in [
        ("far.vhdx", "-f vhdx -o block_size=1M"),
        ("far.qcow2", "-f qcow2"),
        ("far.vmdk", "-f vmdk"),
        ("parts.vmdk", "-f vmdk -o subformat=twoGbMaxExtentSparse"),
        ("far.vdi", "-f vdi"),
        ("far.vhd", "-f vpc -o force_size=on"),
    ] {
        for gib in [9_u64, 200] {
            if !bench.run(&format!("qemu-img create -q {options} {name} {gib}G")) {
                return;
            }
            let format = options.split(' ').nth(1).unwrap();
            // Before and after the first 4 GiB, and close to the end.
            let places = [0, (4 << 30) - 512, (4 << 30) + (5 << 20), (gib << 30) - 4096];
            let writes: Vec<String> =
                (1..).zip(places).map(|(byte, at)| format!("write -P {byte} {at} 4096")).collect();
            let arguments = writes.iter().flat_map(|write| ["-c", write]);
            let mut program = Command::new("qemu-io");
            program.args(["-f", format]).args(arguments).arg(name).current_dir(bench.path(""));
            assert!(program.output().unwrap().status.success(), "{name}");
            let disk = open(&bench.path(name));
            assert_eq!(disk.blocks.size(), gib << 30, "{name}");
            for (byte, at) in (1..).zip(places) {
                let start = at.saturating_sub(4096);
                let mut bytes = vec![0xee; usize::try_from((at + 8192).min(gib << 30) - start).unwrap()];
                disk.blocks.read_exact_at(&mut bytes, start).unwrap();
                let (before, rest) = bytes.split_at(usize::try_from(at - start).unwrap());
                let zeros = before.iter().chain(&rest[4096..]).all(|found| *found == 0);
                assert!(zeros && rest[..4096] == [byte; 4096], "{name}, {gib} GiB, {at:#x}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_rightly_is_refused_by_name() {
    let bench = Bench::new();
    let encrypted =
        "-f qcow2 --object secret,id=s,data=abc -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10";
    for (name, options, said) in [
        ("subclusters.qcow2", "-f qcow2 -o extended_l2=on", "one with subclusters (extended_l2)"),
        ("outside.qcow2", "-f qcow2 -o data_file=data,data_file_raw=on", "one with its data in another file"),
        ("encrypted.qcow2", encrypted, "an encrypted one"),
        ("one.qcow", "-f qcow", "a QCOW image of version 1"),
        ("parallels.hdd", "-f parallels", "a Parallels disk"),
        ("some.qed", "-f qed", "a QED image"),
    ] {
        if !bench.run(&format!("qemu-img create -q {options} {name} 10M")) {
            return;
        }
        let problem = refused(&bench.path(name));
        assert!(problem.contains(said) && problem.contains("qemu-img convert"), "{name}: {problem}");
    }
    // Marked as corrupt.
    assert!(bench.run("qemu-img create -q -f qcow2 corrupt.qcow2 10M"));
    let mut bytes = fs::read(bench.path("corrupt.qcow2")).unwrap();
    bytes[79] |= 2;
    fs::write(bench.path("corrupt.qcow2"), bytes).unwrap();
    assert!(refused(&bench.path("corrupt.qcow2")).contains("one marked as corrupt"));
    // A log that is not empty.
    assert!(bench.run("qemu-img create -q -f vhdx dirty.vhdx 10M"));
    let mut bytes = fs::read(bench.path("dirty.vhdx")).unwrap();
    for header in [64 << 10, 128 << 10] {
        let header = &mut bytes[header..header + 4096];
        header[48] = 1;
        header[4..8].fill(0);
        let sum = !header.iter().fold(!0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ if sum & 1 == 0 { 0 } else { 0x82f6_3b78 })
        });
        header[4..8].copy_from_slice(&sum.to_le_bytes());
    }
    fs::write(bench.path("dirty.vhdx"), bytes).unwrap();
    assert!(refused(&bench.path("dirty.vhdx")).contains("changes that are only in its log"));
    // One extent of a VMDK, and one that is missing.
    assert!(bench.run("qemu-img convert -f raw -O vmdk -o subformat=twoGbMaxExtentSparse disk.raw parts.vmdk"));
    assert!(refused(&bench.path("parts-s001.vmdk")).contains("name the descriptor"));
    fs::remove_file(bench.path("parts-s001.vmdk")).unwrap();
    assert!(
        refused(&bench.path("parts.vmdk")).contains("the extent \"parts-s001.vmdk\" beside it, found no such file")
    );
    std::os::unix::fs::symlink(bench.path("disk.raw"), bench.path("parts-s001.vmdk")).unwrap();
    assert!(refused(&bench.path("parts.vmdk")).contains("links are not followed"));
}
