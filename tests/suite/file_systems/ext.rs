//! ext2, ext3, and ext4, compared with e2fsprogs, which writes them, and The Sleuth Kit, which reads them.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::file_system::{Case, EntryKind};
use hivemend::evidence::file_systems;
use hivemend::evidence::locator::Name;

use super::{Counting, flip, noise, of_folder, opened, sample_tree, scanned, small_tree, system_of, tool, tree};

fn made(folder: &Path, files: &str, mib: u64, arguments: &[&str]) -> Option<PathBuf> {
    let path = folder.join("volume.ext");
    fs::File::create(&path).unwrap().set_len(mib << 20).unwrap();
    tool(folder, &[&["mke2fs", "-q", "-F", "-d", files], arguments, &["volume.ext"]].concat())?;
    Some(path)
}

#[test]
fn a_tree_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    sample_tree(&files);
    fs::hard_link(files.join("tiny.txt"), files.join("Windows/linked.txt")).unwrap();
    std::os::unix::fs::symlink("tiny.txt", files.join("link")).unwrap();
    // Extents by the hundred, and blocks behind three levels of a map.
    let holes = fs::File::create(files.join("holes")).unwrap();
    for place in 0..600_u64 {
        holes.write_all_at(&noise(place, 100), place * 8192).unwrap();
    }
    let far = fs::File::create(files.join("far")).unwrap();
    far.write_all_at(b"beginning", 0).unwrap();
    far.write_all_at(b"end", 70 << 20).unwrap();
    far.set_len((70 << 20) + 5000).unwrap();
    for (name, size) in [("in its inode", 50), ("in its inode, and an attribute", 100), ("not in its inode", 200)] {
        fs::write(files.join(name), noise(9, size)).unwrap();
    }
    for arguments in [
        &["-t", "ext2", "-b", "1024"][..],
        &["-t", "ext2", "-b", "4096", "-I", "128"],
        &["-t", "ext3", "-b", "1024"],
        &["-t", "ext4", "-b", "4096"],
        &["-t", "ext4", "-b", "1024", "-O", "64bit,metadata_csum"],
        &["-t", "ext4", "-O", "inline_data", "-I", "256"],
        &["-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"],
        &["-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode,^flex_bg,^64bit"],
        &["-t", "ext4", "-O", "bigalloc", "-C", "16384"],
    ] {
        let Some(volume) = made(folder.path(), "files", 160, arguments) else { return };
        let mut found = tree(opened(&volume).as_ref());
        assert!(found.remove(&vec![Name::from("lost+found")]).is_some());
        let mut expected = of_folder(&files);
        if arguments.contains(&"inline_data") {
            // mke2fs itself makes it shorter, as debugfs says: it ends in a hole.
            found.remove(&vec![Name::from("far")]);
            expected.remove(&vec![Name::from("far")]);
        }
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{arguments:?}");
        for (path, shown) in &expected {
            assert_eq!(&found[path], shown, "{arguments:?}: {path:?}");
        }
        // And what debugfs takes out of it is the same.
        if tool(folder.path(), &["debugfs", "-R", "dump /Windows/System32/config/SYSTEM out", "volume.ext"]).is_some() {
            let dumped = fs::read(folder.path().join("out")).unwrap();
            assert!(dumped == fs::read(files.join("Windows/System32/config/SYSTEM")).unwrap());
        }
    }
}

#[test]
fn large_files_are_read_in_few_reads() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    fs::write(folder.path().join("files/SOFTWARE"), noise(1, 20_000_000)).unwrap();
    for kind in ["ext2", "ext4"] {
        let Some(volume) = made(folder.path(), "files", 64, &["-t", kind, "-b", "4096"]) else { return };
        let counting = Counting::new(fs::read(volume).unwrap());
        let system = system_of(Arc::clone(&counting) as Blocks);
        let found = system.look_up(system.root(), &Name::from("SOFTWARE"), Case::Sensitive).unwrap();
        assert_eq!(std::io::copy(&mut system.open(found[0].node).unwrap(), &mut std::io::sink()).unwrap(), 20_000_000);
        let reads = counting.reads();
        assert!(reads <= 60, "{kind}: {reads} reads");
    }
}

#[test]
fn what_is_not_read_is_refused_and_a_journal_with_changes_is_a_defect() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    fs::write(folder.path().join("files/SYSTEM"), noise(1, 5000)).unwrap();
    let Some(volume) = made(folder.path(), "files", 8, &["-t", "ext4", "-O", "^metadata_csum"]) else { return };
    let sound = fs::read(&volume).unwrap();
    let with = |feature: u8, at: usize| {
        let mut bytes = sound.clone();
        bytes[1024 + at] |= feature;
        Arc::new(bytes) as Blocks
    };
    let defects = file_systems::open(&with(4, 96)).unwrap().unwrap().defects();
    assert!(defects[0].contains("journal") && defects[0].contains("e2fsck"), "{defects:?}");
    for (feature, at, why) in [(1, 96, "unsupported features: 0x1"), (8, 96, "journal"), (0x10, 97, "0x1000")] {
        let error = file_systems::open(&with(feature, at)).err().unwrap();
        assert!(error.contains(why), "{error}");
    }
    // What ext4 encrypts.
    let system = opened(&volume);
    let node = system.look_up(system.root(), &Name::from("SYSTEM"), Case::Sensitive).unwrap()[0].node;
    let Some(text) = tool(folder.path(), &["debugfs", "-R", "imap SYSTEM", "volume.ext"]) else { return };
    let (block, offset) =
        text.split_once("at block ").and_then(|(_, rest)| rest.trim().split_once(", offset 0x")).unwrap();
    let (block, offset): (usize, _) = (block.parse().unwrap(), usize::from_str_radix(offset, 16).unwrap());
    let block_size = 1024 << sound[1024 + 24];
    let mut encrypted = sound.clone();
    encrypted[block * block_size + offset + 33] |= 8;
    let error = system_of(Arc::new(encrypted)).open(node).err().unwrap().to_string();
    assert!(error.contains("encrypts"), "{error}");
    // Times are what stat prints.
    let (entries, _) = scanned(system.as_ref());
    let entry = entries.iter().find(|entry| entry.node == node).unwrap();
    assert_eq!(entry.kind, EntryKind::File);
    let modified = fs::metadata(folder.path().join("files/SYSTEM")).unwrap().modified().unwrap();
    let seconds = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(entry.modified.unwrap().0 / 10_000_000 - 11_644_473_600, seconds);
}

#[test]
fn flipped_bytes_end_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    small_tree(&files, 60, 300_000);
    for arguments in
        [&["-t", "ext2", "-b", "1024"][..], &["-t", "ext4", "-b", "1024", "-O", "inline_data,^has_journal"]]
    {
        let Some(volume) = made(folder.path(), "files", 2, arguments) else { return };
        flip(&fs::read(volume).unwrap(), 300, 7);
    }
}
