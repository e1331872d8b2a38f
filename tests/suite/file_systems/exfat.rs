//! exFAT, compared with exfatprogs, which formats it, and The Sleuth Kit, which reads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::file_system::{Case, FileSystem, Node};
use hivemend::evidence::file_systems;
use hivemend::evidence::locator::Name;

use super::ntfs::listed;
use super::{
    Counting, bytes_of, exercised, flip, noise, of_folder, opened, sample_tree, scanned, small_tree, system_of, tool,
    tree,
};
use crate::exfat::Volume;

/// A volume of so many MiB with the files of a folder.
fn copied(folder: &Path, files: &Path, mib: u64, arguments: &[&str]) -> Option<PathBuf> {
    let path = folder.join("volume.exfat");
    fs::File::create(&path).unwrap().set_len(mib << 20).unwrap();
    tool(folder, &[&["mkfs.exfat"], arguments, &["volume.exfat"]].concat())?;
    let bytes = Volume::formatted(fs::read(&path).unwrap()).copy(files);
    fs::write(&path, bytes).unwrap();
    Some(path)
}

#[test]
fn a_tree_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    sample_tree(&files);
    let expected = of_folder(&files);
    for arguments in [&["-c", "4096"][..], &["-c", "32768"], &["-c", "131072"]] {
        let Some(volume) = copied(folder.path(), &files, 256, arguments) else { return };
        assert_eq!(tree(opened(&volume).as_ref()), expected, "{arguments:?}");
        let Some(text) = tool(folder.path(), &["fls", "-r", "-p", "volume.exfat"]) else { return };
        let paths: Vec<String> =
            expected.keys().map(|path| path.iter().map(Name::to_text).collect::<Vec<_>>().join("/")).collect();
        let listed = listed(&text);
        let listed: Vec<&String> = listed.keys().collect();
        assert_eq!(paths.iter().collect::<Vec<_>>(), listed, "{arguments:?}");
    }
}

/// Changes the set of a file, and makes its checksum right.
fn changed(bytes: &mut [u8], node: Node, change: impl FnOnce(&mut [u8])) {
    let at = usize::try_from(node.0).unwrap() * 32;
    let length = 32 * (1 + usize::from(bytes[at + 1]));
    let set = &mut bytes[at..at + length];
    change(set);
    let sum = set
        .iter()
        .enumerate()
        .filter(|(at, _)| !matches!(at, 2 | 3))
        .fold(0_u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)));
    set[2..4].copy_from_slice(&sum.to_le_bytes());
}

fn named(system: &dyn FileSystem, name: &str) -> Node {
    system.look_up(system.root(), &Name::from(name), Case::Insensitive).unwrap()[0].node
}

#[test]
fn the_size_is_the_data_length_and_behind_the_valid_part_are_zeros() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    let content = noise(1, 20_000);
    fs::write(files.join("SYSTEM.LOG1"), &content).unwrap();
    fs::write(files.join("two"), noise(2, 20_000)).unwrap();
    let Some(volume) = copied(folder.path(), &files, 8, &["-c", "4096"]) else { return };
    let sound = fs::read(&volume).unwrap();
    let system = opened(&volume);
    let node = named(system.as_ref(), "system.log1");
    let (all, _) = scanned(system.as_ref());
    assert_eq!(all.len(), 2);

    let mut short = sound.clone();
    changed(&mut short, node, |set| set[40..48].copy_from_slice(&5000_u64.to_le_bytes()));
    let system = system_of(Arc::new(short));
    let (entries, _) = scanned(system.as_ref());
    assert!(entries.iter().any(|entry| entry.node == node && entry.size == 20_000));
    let read = bytes_of(system.as_ref(), node).unwrap();
    assert!(read.len() == 20_000 && read[..5000] == content[..5000] && read[5000..].iter().all(|byte| *byte == 0));

    // More written than there is, and a set that another checksum is for.
    let mut wrong = sound.clone();
    changed(&mut wrong, node, |set| set[40..48].copy_from_slice(&50_000_u64.to_le_bytes()));
    let mut torn = sound.clone();
    torn[usize::try_from(node.0).unwrap() * 32 + 56] ^= 1;
    for (bytes, why) in [(wrong, "more valid bytes"), (torn, "checksum")] {
        let system = system_of(Arc::new(bytes));
        let (entries, obstacles) = scanned(system.as_ref());
        assert_eq!((entries.len(), obstacles.len()), (1, 1));
        assert!(
            obstacles[0].why.contains(why) && obstacles[0].name == Some(Name::from("SYSTEM.LOG1")),
            "{obstacles:?}"
        );
        assert!(system.open(node).err().unwrap().to_string().contains(why));
    }
    // Fewer clusters than bytes: the chain is one cluster, and so are the clusters that follow each other.
    let mut long = sound.clone();
    changed(&mut long, node, |set| set[56..64].copy_from_slice(&40_000_u64.to_le_bytes()));
    let error = system_of(Arc::new(long)).open(node).err().unwrap().to_string();
    assert_eq!(error, "a size of 40000 bytes, but clusters for 20480");
    let mut long = sound.clone();
    changed(&mut long, node, |set| {
        set[33] |= 2;
        set[56..64].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    });
    assert!(system_of(Arc::new(long)).open(node).err().unwrap().to_string().contains("where the volume has"));
}

#[test]
fn a_damaged_boot_region_is_read_from_its_backup_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("SYSTEM"), noise(1, 5000)).unwrap();
    let Some(volume) = copied(folder.path(), &files, 8, &["-c", "4096"]) else { return };
    let mut bytes = fs::read(&volume).unwrap();
    bytes[92] ^= 1;
    let system = system_of(Arc::new(bytes.clone()));
    assert!(system.defects()[0].contains("its backup was read"), "{:?}", system.defects());
    assert_eq!(bytes_of(system.as_ref(), named(system.as_ref(), "SYSTEM")).unwrap(), noise(1, 5000));
    bytes[12 * 512 + 92] ^= 1;
    let error = file_systems::open(&(Arc::new(bytes.clone()) as Blocks)).err().unwrap();
    assert!(error.contains("checksum") && error.contains("its backup"), "{error}");
}

#[test]
fn files_in_one_piece_are_read_in_few_reads() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir_all(files.join("folder")).unwrap();
    fs::write(files.join("SOFTWARE"), noise(1, 20_000_000)).unwrap();
    let Some(volume) = copied(folder.path(), &files, 64, &["-c", "4096"]) else { return };
    let mut bytes = fs::read(&volume).unwrap();
    let node = named(opened(&volume).as_ref(), "SOFTWARE");
    // The test's writer scatters files; here its clusters shall follow each other, whatever is in them.
    changed(&mut bytes, node, |set| set[33] |= 2);
    let counting = Counting::new(bytes);
    let system = system_of(Arc::clone(&counting) as Blocks);
    counting.reads();
    let read = std::io::copy(&mut system.open(node).unwrap(), &mut std::io::sink()).unwrap();
    let reads = counting.reads();
    assert!(read == 20_000_000 && reads <= 40, "{reads} reads for {read} bytes");
}

#[test]
fn flipped_bytes_end_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    small_tree(&files, 30, 30_000);
    let Some(volume) = copied(folder.path(), &files, 4, &["-c", "4096"]) else { return };
    let sound = fs::read(volume).unwrap();
    flip(&sound, 300, 7);
    // Behind the checksums, too.
    let system = system_of(Arc::new(sound.clone()));
    let (entries, _) = scanned(system.as_ref());
    for run in 0..200 {
        let mut bytes = sound.clone();
        let random = noise(run, 16);
        let entry = &entries[usize::from(random[0]) % entries.len()];
        changed(&mut bytes, entry.node, |set| {
            let at = 4 + usize::from(random[1]) % (set.len() - 4);
            set[at] = random[2];
        });
        exercised(bytes);
    }
}
