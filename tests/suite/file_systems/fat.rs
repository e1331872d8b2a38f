//! FAT12, FAT16, and FAT32, compared with dosfstools and mtools, which write them, and The Sleuth Kit, a reader.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::file_system::{Case, EntryKind, FileSystem, Node};
use hivemend::evidence::file_systems;
use hivemend::evidence::locator::Name;

use super::ntfs::listed;
use super::{
    Counting, by_path, bytes_of, exercised, flip, noise, of_folder, opened, sample_tree, scanned, small_tree,
    system_of, tool, tree,
};

/// An empty volume of so many KiB.
fn formatted(folder: &Path, kib: u64, arguments: &[&str]) -> Option<PathBuf> {
    let path = folder.join("volume.fat");
    fs::File::create(&path).unwrap().set_len(kib << 10).unwrap();
    tool(folder, &[&["mkfs.fat"], arguments, &["volume.fat"]].concat())?;
    Some(path)
}

/// A volume that mtools copied a folder to.
fn copied(folder: &Path, files: &Path, kib: u64, arguments: &[&str]) -> Option<PathBuf> {
    let path = formatted(folder, kib, arguments)?;
    for entry in fs::read_dir(files).unwrap().map(Result::unwrap) {
        let from = entry.path();
        tool(folder, &["mcopy", "-s", "-Q", "-i", "volume.fat", from.to_str()?, "::/"])?;
    }
    tool(folder, &["fsck.fat", "-n", "volume.fat"])?;
    Some(path)
}

const EACH: [(u64, &[&str]); 3] =
    [(15_000, &["-F", "12", "-s", "8"]), (40_000, &["-F", "16", "-s", "4"]), (40_000, &["-F", "32", "-s", "1"])];

#[test]
fn a_tree_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    sample_tree(&files);
    fs::create_dir(files.join("lower.dir")).unwrap();
    fs::write(files.join("lower.dir/UPPER.TXT"), "x").unwrap();
    let expected = of_folder(&files);
    for (kib, arguments) in EACH {
        let Some(volume) = copied(folder.path(), &files, kib, arguments) else { return };
        // A label and what was deleted are no files.
        if tool(folder.path(), &["mlabel", "-i", "volume.fat", "::EVIDENCE"]).is_some() {
            fs::write(folder.path().join("gone"), "gone").unwrap();
            tool(folder.path(), &["mcopy", "-i", "volume.fat", "gone", "::/a name that is gone.txt"]);
            tool(folder.path(), &["mdel", "-i", "volume.fat", "::/a name that is gone.txt"]);
        }
        let system = opened(&volume);
        assert_eq!(tree(system.as_ref()), expected, "{arguments:?}");
        let Some(text) = tool(folder.path(), &["fls", "-r", "-p", "volume.fat"]) else { return };
        let paths: Vec<String> =
            expected.keys().map(|path| path.iter().map(Name::to_text).collect::<Vec<_>>().join("/")).collect();
        let listed: BTreeMap<String, u64> = listed(&text);
        let listed: Vec<&String> = listed.keys().filter(|path| !path.contains("(Volume Label Entry)")).collect();
        assert_eq!(paths.iter().collect::<Vec<_>>(), listed, "{arguments:?}");
    }
}

#[test]
fn a_large_file_is_read_in_few_reads_and_a_scattered_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let Some(volume) = formatted(folder.path(), 100_000, &["-F", "32", "-s", "2"]) else { return };
    let large = noise(3, 54_000_000);
    fs::write(folder.path().join("SOFTWARE"), &large).unwrap();
    if tool(folder.path(), &["mcopy", "-Q", "-i", "volume.fat", "SOFTWARE", "::/"]).is_none() {
        return;
    }
    let counting = Counting::new(fs::read(&volume).unwrap());
    let system = system_of(Arc::clone(&counting) as Blocks);
    let found = system.look_up(system.root(), &Name::from("software"), Case::Insensitive).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut system.open(found[0].node).unwrap(), &mut bytes).unwrap();
    assert!(bytes == large);
    let reads = counting.reads();
    assert!(reads <= 100, "{reads} reads for {} bytes", large.len());

    // Between files of which every second one is deleted.
    let fillers = folder.path().join("fillers");
    fs::create_dir(&fillers).unwrap();
    for number in 0..200 {
        fs::write(fillers.join(format!("F{number}")), noise(number, 3000)).unwrap();
    }
    let Some(volume) = formatted(folder.path(), 1440, &["-F", "12", "-s", "2"]) else { return };
    tool(folder.path(), &["mcopy", "-s", "-Q", "-i", "volume.fat", "fillers", "::/"]);
    for number in (0..200).step_by(2) {
        tool(folder.path(), &["mdel", "-i", "volume.fat", &format!("::/fillers/F{number}")]);
    }
    let scattered = noise(4, 900_000);
    fs::write(folder.path().join("SYSTEM"), &scattered).unwrap();
    tool(folder.path(), &["mcopy", "-Q", "-i", "volume.fat", "SYSTEM", "::/"]);
    let system = opened(&volume);
    let found = system.look_up(system.root(), &Name::from("SYSTEM"), Case::Sensitive).unwrap();
    assert!(bytes_of(system.as_ref(), found[0].node).unwrap() == scattered);
    assert_eq!(scanned(system.as_ref()).0.len(), 102);
}

/// Where an entry is on the volume.
fn place(node: Node) -> usize {
    usize::try_from(node.0).unwrap() * 32
}

/// The only entry in the root.
fn only(system: &dyn FileSystem) -> Node {
    let (entries, obstacles) = scanned(system);
    assert_eq!(obstacles, []);
    entries.iter().find(|entry| entry.parent == system.root()).unwrap().node
}

#[test]
fn a_folder_with_a_letter_of_the_code_page_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let Some(volume) = formatted(folder.path(), 1440, &["-F", "12"]) else { return };
    fs::write(folder.path().join("SYSTEM"), "hive").unwrap();
    if tool(folder.path(), &["mmd", "-i", "volume.fat", "::/GRXN"]).is_none() {
        return;
    }
    tool(folder.path(), &["mcopy", "-i", "volume.fat", "SYSTEM", "::/GRXN/"]);
    let mut bytes = fs::read(&volume).unwrap();
    let at = place(only(opened(&volume).as_ref()));
    assert_eq!(&bytes[at..at + 11], b"GRXN       ");
    bytes[at + 2] = 0x81;
    let system = system_of(Arc::new(bytes));
    let (entries, _) = scanned(system.as_ref());
    let paths: Vec<String> = by_path(system.as_ref(), entries)
        .into_keys()
        .map(|path| path.iter().map(ToString::to_string).collect::<Vec<_>>().join("/"))
        .collect();
    assert_eq!(paths, ["GRüN", "GRüN/SYSTEM"]);
}

#[test]
fn chains_that_break_off_or_come_back_and_wrong_boot_sectors_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(volume) = formatted(folder.path(), 40_000, &["-F", "32", "-s", "1"]) else { return };
    let content = noise(1, 100_000);
    fs::write(folder.path().join("SYSTEM"), &content).unwrap();
    if tool(folder.path(), &["mcopy", "-i", "volume.fat", "SYSTEM", "::/"]).is_none() {
        return;
    }
    let sound = fs::read(&volume).unwrap();
    let node = only(opened(&volume).as_ref());
    let at = place(node);
    let first = usize::from(u16::from_le_bytes([sound[at + 26], sound[at + 27]]));
    let reserved = usize::from(u16::from_le_bytes([sound[14], sound[15]])) * 512;
    let entry = reserved + (first + 10) * 4;
    let with = |value: u32| {
        let mut bytes = sound.clone();
        bytes[entry..entry + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    for (value, why) in [
        (0x0fff_ffff, "a size of 100000 bytes, but clusters for 5632"),
        (0, "0x0 comes after"),
        (u32::try_from(first).unwrap() + 2, "comes back"),
        (0x0fff_fff7, "0xffffff7 comes after"),
    ] {
        let error = system_of(Arc::new(with(value))).open(node).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
    // The second table is the one that counts.
    let mut second = with(0x0fff_ffff);
    second[40] = 0x81;
    assert!(bytes_of(system_of(Arc::new(second)).as_ref(), node).unwrap() == content);
    // A sector that cannot be read: what comes before it does come.
    let cluster = sound.windows(32).position(|window| window == &content[50_176..50_208]).unwrap() as u64;
    let bad = Counting { bytes: sound.clone(), reads: 0.into(), bad: cluster..cluster + 512 };
    let error = bytes_of(system_of(Arc::new(bad)).as_ref(), node).unwrap_err().to_string();
    assert!(error.contains("of the volume cannot be read: Input/output error"), "{error}");

    // Fields of the boot sector, each set to what made a reader panic.
    for at in 11..48 {
        for value in [0, 1, 8, 0x7f, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] = value;
            exercised(bytes);
        }
    }
    let refused = |at: usize, value: &[u8]| {
        let mut bytes = sound.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        file_systems::open(&(Arc::new(bytes) as Blocks)).err().unwrap()
    };
    assert!(refused(36, &[0; 4]).contains("FAT boot sector"), "{}", refused(36, &[0; 4]));
    assert!(refused(32, &[8, 0, 0, 0]).contains("8 sectors, of which"), "{}", refused(32, &[8, 0, 0, 0]));
    assert!(refused(36, &[1, 0, 0, 0]).contains("a file allocation table of 128 entries"));
    assert!(refused(44, &[0; 4]).contains("root folder"));
}

#[test]
fn folders_that_hold_themselves_end() {
    let folder = tempfile::tempdir().unwrap();
    let Some(volume) = formatted(folder.path(), 1440, &["-F", "12"]) else { return };
    if tool(folder.path(), &["mmd", "-i", "volume.fat", "::/A", "::/A/B"]).is_none() {
        return;
    }
    let mut bytes = fs::read(&volume).unwrap();
    let system = opened(&volume);
    let (entries, _) = scanned(system.as_ref());
    let [a, b] =
        ["A", "B"].map(|name| place(entries.iter().find(|entry| entry.name == Name::from(name)).unwrap().node));
    let first = [bytes[a + 26], bytes[a + 27]];
    bytes[b + 26..b + 28].copy_from_slice(&first);
    let (entries, _) = scanned(system_of(Arc::new(bytes)).as_ref());
    assert!(entries.iter().all(|entry| entry.kind == EntryKind::Folder) && entries.len() < 10, "{entries:?}");
}

#[test]
fn flipped_bytes_end_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    small_tree(&files, 30, 30_000);
    for (kib, arguments, runs) in [(1440, &["-F", "12"][..], 400), (40_000, &["-F", "32", "-s", "1"], 60)] {
        let Some(volume) = copied(folder.path(), &files, kib, arguments) else { return };
        flip(&fs::read(volume).unwrap(), runs, 7);
    }
}
