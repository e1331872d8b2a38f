//! NTFS, compared with wimlib and ntfs-3g, which write it, and The Sleuth Kit and 7z, which read it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::file_system::{Case, EntryKind, FileSystem};
use hivemend::evidence::locator::Name;
use hivemend::evidence::{disk, volume};

use super::{Counting, bytes_of, flip, noise, of_folder, opened, sample_tree, scanned, system_of, tool, tree};
use crate::disk_images::sample;
use crate::harness;

/// An empty volume.
pub(super) fn formatted(folder: &Path, name: &str, size: u64, arguments: &[&str]) -> Option<PathBuf> {
    let path = folder.join(name);
    fs::File::create(&path).unwrap().set_len(size).unwrap();
    tool(folder, &[&["mkntfs", "-q", "-Q", "-F"], arguments, &[name]].concat())?;
    Some(path)
}

/// A volume with the sample tree, as wimlib writes it, and the tree.
fn applied(folder: &Path, arguments: &[&str]) -> Option<(PathBuf, PathBuf)> {
    let files = folder.join("files");
    if !files.exists() {
        fs::create_dir(&files).unwrap();
        sample_tree(&files);
        fs::hard_link(files.join("tiny.txt"), files.join("Windows/linked.txt")).unwrap();
        std::os::unix::fs::symlink("tiny.txt", files.join("link")).unwrap();
        tool(folder, &["wimcapture", "--quiet", "--compress=none", "files", "files.wim"])?;
    }
    let path = formatted(folder, "volume.ntfs", 32 << 20, arguments)?;
    tool(folder, &["wimapply", "--quiet", "files.wim", "1", "volume.ntfs"])?;
    Some((path, files))
}

/// A volume that ntfs-3g has mounted while a closure writes to it; nothing without root and FUSE.
pub(super) fn mounted(folder: &Path, volume: &Path, options: &str, write: impl FnOnce(&Path)) -> Option<()> {
    if !Path::new("/dev/fuse").exists() || rustix::process::geteuid() != rustix::process::Uid::ROOT {
        harness::lacks(harness::MOUNTING, "mounting needs root and FUSE");
        return None;
    }
    let mount = folder.join("mount");
    fs::create_dir_all(&mount).unwrap();
    tool(folder, &["ntfs-3g", "-o", options, volume.to_str()?, "mount"])?;
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| write(&mount)));
    tool(folder, &["umount", "mount"])?;
    if let Err(panic) = done {
        std::panic::resume_unwind(panic);
    }
    Some(())
}

#[test]
fn a_tree_comes_out_as_it_went_in_with_clusters_and_sectors_of_each_size() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["-c", "4096"][..], &["-c", "512"], &["-c", "65536"], &["-s", "4096", "-c", "4096"]] {
        let Some((volume, files)) = applied(folder.path(), arguments) else { return };
        let found = tree(opened(&volume).as_ref());
        let expected = of_folder(&files);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{arguments:?}");
        for (path, shown) in expected {
            assert_eq!(found[&path], shown, "{arguments:?}: {path:?}");
        }
    }
}

/// What `fls -r -p` lists: record numbers by path.
pub(super) fn listed(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| {
            let (left, path) = line.split_once(":\t")?;
            let mut words = left.split(' ');
            let (kind, place) = (words.next()?, words.next_back()?);
            // Streams with names, orphans and what is deleted are no files.
            if kind.starts_with("-/") || path.contains(':') || path.starts_with('$') || left.contains('*') {
                return None;
            }
            Some((path.to_owned(), place.split('-').next()?.parse().ok()?))
        })
        .collect()
}

#[test]
fn one_pass_gives_what_fls_lists_with_the_same_record_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let Some((volume, _)) = applied(folder.path(), &[]) else { return };
    let Some(text) = tool(folder.path(), &["fls", "-r", "-p", "volume.ntfs"]) else { return };
    let system = opened(&volume);
    let (entries, _) = scanned(system.as_ref());
    let found: BTreeMap<String, u64> = super::by_path(system.as_ref(), entries)
        .into_iter()
        .map(|(path, entry)| (path.iter().map(Name::to_text).collect::<Vec<_>>().join("/"), entry.node.0))
        .collect();
    assert!(found.len() > 300);
    assert_eq!(found, listed(&text));
}

#[test]
fn one_pass_reads_the_mft_in_large_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let Some((volume, _)) = applied(folder.path(), &[]) else { return };
    let counting = Counting::new(fs::read(volume).unwrap());
    let system = system_of(Arc::clone(&counting) as Blocks);
    counting.reads();
    let (entries, _) = scanned(system.as_ref());
    let reads = counting.reads();
    assert!(entries.len() > 300 && reads <= 3, "{reads} reads for {} files", entries.len());
    // Few for a known place.
    let mut at = system.root();
    for name in ["Windows", "system32", "CONFIG", "system"] {
        let found = system.look_up(at, &Name::from(name), Case::Insensitive).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        at = found[0].node;
    }
    let reads = counting.reads();
    assert!(reads <= 24, "{reads} reads for a known place");
    assert!(system.look_up(system.root(), &Name::from("windows"), Case::Sensitive).unwrap().is_empty());
}

#[test]
fn compressed_sparse_and_linked_files_of_ntfs_3g_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(volume) = formatted(folder.path(), "volume.ntfs", 64 << 20, &["-c", "4096"]) else { return };
    let mut expected = BTreeMap::new();
    let text: Vec<u8> = (0..60_000_u64).flat_map(|line| format!("{:x}\n", line * line % 977).into_bytes()).collect();
    let done = mounted(folder.path(), &volume, "compression,streams_interface=none", |mount| {
        // Both names in one folder, and both come out.
        for name in ["config", "Config"] {
            fs::create_dir(mount.join(name)).unwrap();
            fs::write(mount.join(name).join("SYSTEM"), name).unwrap();
        }
        // 0x800: compressed.
        let packed = mount.join("packed");
        fs::create_dir(&packed).unwrap();
        let flags = 0x0810_u32.to_be_bytes();
        rustix::fs::setxattr(&packed, "system.ntfs_attrib_be", &flags, rustix::fs::XattrFlags::empty()).unwrap();
        let half = [&text[..150_000], &noise(5, 100_000), &text[150_000..]].concat();
        for (name, bytes) in [("text", text.clone()), ("half", half), ("noise", noise(6, 200_000))] {
            fs::write(packed.join(name), &bytes).unwrap();
            expected.insert(format!("packed/{name}"), bytes);
        }
        let sparse = fs::File::create(mount.join("sparse")).unwrap();
        sparse.write_all_at(b"beginning", 0).unwrap();
        sparse.write_all_at(b"end", 3_000_000).unwrap();
        let mut bytes = vec![0; 3_000_003];
        bytes[..9].copy_from_slice(b"beginning");
        bytes[3_000_000..].copy_from_slice(b"end");
        expected.insert("sparse".to_owned(), bytes);
        // Thirty names need more than one record, too.
        fs::create_dir(mount.join("links")).unwrap();
        fs::write(mount.join("links/first"), b"linked").unwrap();
        for number in 0..30 {
            let name = format!("links/{number} {}", "long".repeat(20));
            fs::hard_link(mount.join("links/first"), mount.join(&name)).unwrap();
            expected.insert(name, b"linked".to_vec());
        }
    });
    if done.is_none() {
        return;
    }
    let system = opened(&volume);
    let found = tree(system.as_ref());
    for (path, bytes) in expected {
        let path: Vec<Name> = path.split('/').map(Name::from).collect();
        let shown = found.get(&path).unwrap_or_else(|| panic!("{path:?} is missing"));
        assert_eq!(
            (shown.size, &shown.sha256),
            (bytes.len() as u64, &hivemend::evidence::sha256_of(&bytes)),
            "{path:?}"
        );
    }
    let configs = system.look_up(system.root(), &Name::from("CONFIG"), Case::Insensitive).unwrap();
    assert_eq!(configs.len(), 2);
    assert!(configs.iter().all(|config| {
        let inside = system.look_up(config.node, &Name::from("SYSTEM"), Case::Sensitive).unwrap();
        bytes_of(system.as_ref(), inside[0].node).unwrap() == config.name.as_bytes()
    }));
    // They are what they should be.
    for (path, holds) in [("packed/text", "Compressed"), ("links/first", "$ATTRIBUTE_LIST")] {
        let names: Vec<Name> = path.split('/').map(Name::from).collect();
        let number = by_names(system.as_ref(), &names).to_string();
        let Some(text) = tool(folder.path(), &["istat", "volume.ntfs", &number]) else { return };
        assert!(text.contains(holds), "{path}: {text}");
    }
    // And The Sleuth Kit reads the same.
    for (path, shown) in &found {
        let node = by_names(system.as_ref(), path);
        if shown.kind == EntryKind::File && path[0] != Name::from("links") {
            let Ok(icat) = Command::new("icat").arg(&volume).arg(node.to_string()).output() else { return };
            assert_eq!(hivemend::evidence::sha256_of(&icat.stdout), shown.sha256, "{path:?}");
        }
    }
}

#[test]
fn an_mft_and_a_file_in_so_many_pieces_that_their_records_go_on_in_others_are_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let Some(volume) = formatted(folder.path(), "volume.ntfs", 24 << 20, &["-c", "512"]) else { return };
    let scattered = noise(3, 2_000_000);
    let done = mounted(folder.path(), &volume, "streams_interface=none", |mount| {
        // Fills the volume, makes holes of two clusters each, and has a file and the $MFT lie in them.
        let (fill, more) = (mount.join("fill"), mount.join("more"));
        fs::create_dir(&fill).unwrap();
        let count = (0..100_000).find(|number| fs::write(fill.join(number.to_string()), [7; 900]).is_err()).unwrap();
        for number in (0..count).step_by(2) {
            fs::remove_file(fill.join(number.to_string())).unwrap();
        }
        let _ = fs::remove_file(fill.join(count.to_string()));
        fs::write(mount.join("scattered"), &scattered).unwrap();
        fs::create_dir(&more).unwrap();
        assert!((0..count * 2).find(|number| fs::write(more.join(number.to_string()), []).is_err()).is_some());
    });
    let Some(text) = done.and_then(|()| tool(folder.path(), &["istat", "volume.ntfs", "0"])) else { return };
    assert!(text.contains("$ATTRIBUTE_LIST"), "{text}");
    let Some(text) = tool(folder.path(), &["fls", "-r", "-p", "volume.ntfs"]) else { return };
    let system = opened(&volume);
    let (entries, obstacles) = scanned(system.as_ref());
    assert_eq!(obstacles, []);
    let found: BTreeMap<String, u64> = super::by_path(system.as_ref(), entries)
        .into_iter()
        .map(|(path, entry)| (path.iter().map(Name::to_text).collect::<Vec<_>>().join("/"), entry.node.0))
        .collect();
    assert!(found.len() > 5_000);
    assert_eq!(found, listed(&text));
    let number = found["scattered"];
    let Some(text) = tool(folder.path(), &["istat", "volume.ntfs", &number.to_string()]) else { return };
    assert!(text.contains("$ATTRIBUTE_LIST"), "{text}");
    assert!(bytes_of(system.as_ref(), hivemend::evidence::file_system::Node(number)).unwrap() == scattered);
}

/// The record number of a file by its path.
fn by_names(system: &dyn FileSystem, path: &[Name]) -> u64 {
    path.iter().fold(system.root(), |folder, name| system.look_up(folder, name, Case::Sensitive).unwrap()[0].node).0
}

#[test]
fn samples_hold_what_7z_unpacks_and_fls_lists() {
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
        let Some(path) = sample(folder.path(), name) else { return };
        let disk = disk::open(&path).unwrap_or_else(|problem| panic!("{problem}"));
        let table = volume::volumes(&disk.blocks, name).unwrap_or_else(|problem| panic!("{problem}"));
        for volume in table.volumes {
            let system = system_of(Arc::clone(&volume.blocks));
            let found = tree(system.as_ref());
            let mut bytes = vec![0; usize::try_from(volume.blocks.size()).unwrap()];
            volume.blocks.read_exact_at(&mut bytes, 0).unwrap();
            fs::write(folder.path().join("volume.ntfs"), bytes).unwrap();
            if tool(folder.path(), &["7z", "x", "-y", "-tNTFS", "-oout", "volume.ntfs"]).is_none() {
                return;
            }
            let files = found.iter().filter(|(_, shown)| shown.kind == EntryKind::File);
            for (path, shown) in files {
                let path = path.iter().fold(folder.path().join("out"), |path, name| path.join(name.as_os_str()));
                let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{name}: {}: {error}", path.display()));
                assert_eq!(hivemend::evidence::sha256_of(&bytes), shown.sha256, "{name}: {}", path.display());
            }
            let Some(text) = tool(folder.path(), &["fls", "-r", "-p", "volume.ntfs"]) else { return };
            let paths: Vec<String> =
                found.keys().map(|path| path.iter().map(Name::to_text).collect::<Vec<_>>().join("/")).collect();
            assert_eq!(paths, listed(&text).into_keys().collect::<Vec<_>>(), "{name}");
            most = most.max(found.len());
            fs::remove_dir_all(folder.path().join("out")).unwrap();
        }
    }
    assert!(most > 50, "{most} files at most");
}

/// Where a file's record is on a volume whose $MFT lies in one run.
fn record_of(bytes: &[u8], number: u64) -> usize {
    let cluster = u64::from(bytes[13]) * 512;
    let mft = u64::from_le_bytes(bytes[48..56].try_into().unwrap()) * cluster;
    usize::try_from(mft + number * 1024).unwrap()
}

/// The attribute of a type in a record that lies at `record`.
fn attribute_of(bytes: &[u8], record: usize, kind: u32) -> usize {
    let mut at = record + usize::from(u16::from_le_bytes([bytes[record + 20], bytes[record + 21]]));
    while u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) != kind {
        at += u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
    }
    at
}

#[test]
fn what_efs_encrypts_is_refused_and_behind_what_was_written_are_zeros() {
    let folder = tempfile::tempdir().unwrap();
    let Some((volume, _)) = applied(folder.path(), &[]) else { return };
    let system = opened(&volume);
    let path = ["Windows", "System32", "config", "SYSTEM"].map(Name::from);
    let number = by_names(system.as_ref(), &path);
    let node = hivemend::evidence::file_system::Node(number);
    let sound = fs::read(&volume).unwrap();
    let data = attribute_of(&sound, record_of(&sound, number), 0x80);

    let mut encrypted = sound.clone();
    encrypted[data + 13] |= 0x40;
    let error = system_of(Arc::new(encrypted)).open(node).err().unwrap().to_string();
    assert!(error.contains("EFS"), "{error}");

    let whole = bytes_of(system.as_ref(), node).unwrap();
    let mut short = sound.clone();
    short[data + 56..data + 64].copy_from_slice(&1_000_000_u64.to_le_bytes());
    let read = bytes_of(system_of(Arc::new(short)).as_ref(), node).unwrap();
    assert!(read.len() == whole.len() && read[..1_000_000] == whole[..1_000_000]);
    assert!(read[1_000_000..].iter().all(|byte| *byte == 0));

    // Fewer clusters than bytes.
    let mut missing = sound.clone();
    for at in [48, 56] {
        missing[data + at..data + at + 8].copy_from_slice(&90_000_000_u64.to_le_bytes());
    }
    let error = system_of(Arc::new(missing)).open(node).err().unwrap().to_string();
    assert!(error.contains("90000000 bytes, but clusters for"), "{error}");
}

#[test]
fn deduplicated_and_wof_files_are_elsewhere_and_junctions_links() {
    let folder = tempfile::tempdir().unwrap();
    let Some((volume, _)) = applied(folder.path(), &[]) else { return };
    let sound = fs::read(&volume).unwrap();
    let number = by_names(opened(&volume).as_ref(), &[Name::from("link")]);
    let point = attribute_of(&sound, record_of(&sound, number), 0xc0);
    for (tag, kind) in [
        (0x8000_0013_u32, EntryKind::Elsewhere(0x8000_0013)),
        (0x8000_0017, EntryKind::Elsewhere(0x8000_0017)),
        (0xa000_0003, EntryKind::Link),
        (0xa000_000c, EntryKind::Link),
    ] {
        let mut volume = sound.clone();
        volume[point + 24..point + 28].copy_from_slice(&tag.to_le_bytes());
        let system = system_of(Arc::new(volume));
        let (entries, _) = scanned(system.as_ref());
        let found: Vec<EntryKind> =
            entries.iter().filter(|entry| entry.node.0 == number).map(|entry| entry.kind).collect();
        assert_eq!(found, [kind]);
        let listed = system.look_up(system.root(), &Name::from("LINK"), Case::Insensitive).unwrap();
        assert_eq!(listed[0].kind, kind);
        let refusal = system.open(listed[0].node).err().unwrap().to_string();
        assert!(
            refusal.contains(if kind == EntryKind::Link { "a link" } else { "elsewhere (reparse tag 0x800000" }),
            "{refusal}"
        );
    }
}

#[test]
fn a_damaged_record_costs_its_file_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let Some((volume, _)) = applied(folder.path(), &[]) else { return };
    let sound = fs::read(&volume).unwrap();
    let number = by_names(opened(&volume).as_ref(), &[Name::from("tiny.txt")]);
    let at = record_of(&sound, number);
    let all = scanned(opened(&volume).as_ref()).0.len();

    let mut torn = sound.clone();
    torn[at + 510] ^= 1;
    let system = system_of(Arc::new(torn));
    let (entries, obstacles) = scanned(system.as_ref());
    // It has two names.
    assert_eq!((entries.len(), obstacles.len()), (all - 2, 1));
    assert!(obstacles[0].why.contains(&format!("record {number}: it was not written completely")), "{obstacles:?}");
    let error = system.look_up(system.root(), &Name::from("tiny.txt"), Case::Insensitive).unwrap_err();
    assert!(error.contains("not written completely"), "{error}");

    // A sector that cannot be read.
    let bad = Counting { bytes: sound.clone(), reads: 0.into(), bad: at as u64..at as u64 + 512 };
    let (entries, obstacles) = scanned(system_of(Arc::new(bad)).as_ref());
    assert_eq!((entries.len(), obstacles.len()), (all - 2, 1));
    assert!(obstacles[0].why.contains(&format!("{at:#x} of the volume")), "{obstacles:?}");

    // The first record of all has a copy.
    let mut first = sound.clone();
    let at = record_of(&sound, 0);
    first[at..at + 4].copy_from_slice(b"BAAD");
    let system = system_of(Arc::new(first));
    assert!(system.defects()[0].contains("$MFTMirr"), "{:?}", system.defects());
    // Of the record itself, no more is told than that.
    let (entries, obstacles) = scanned(system.as_ref());
    assert_eq!((entries.len(), obstacles.len()), (all - 1, 1));

    // A folder that another file's record took the place of has no files by now.
    let mut reused = sound.clone();
    let number = by_names(opened(&volume).as_ref(), &[Name::from("many")]);
    reused[record_of(&sound, number) + 16] ^= 7;
    let (entries, obstacles) = scanned(system_of(Arc::new(reused)).as_ref());
    assert_eq!((entries.len(), obstacles.len()), (all - 300, 1));
    assert!(obstacles[0].why.starts_with("300 files are in folders that do not exist"), "{obstacles:?}");
}

#[test]
fn flipped_bytes_end_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir_all(files.join("a/b")).unwrap();
    fs::write(files.join("a/b/SYSTEM"), noise(1, 100_000)).unwrap();
    for number in 0..80 {
        fs::write(files.join(format!("a/file {number}")), b"x").unwrap();
    }
    let Some(volume) = formatted(folder.path(), "volume.ntfs", 2 << 20, &["-c", "512"]) else { return };
    if tool(folder.path(), &["wimcapture", "--quiet", "--compress=none", "files", "files.wim"]).is_none() {
        return;
    }
    tool(folder.path(), &["wimapply", "--quiet", "files.wim", "1", "volume.ntfs"]);
    flip(&fs::read(volume).unwrap(), 400, 1);
}
