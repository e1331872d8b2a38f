//! A folder of this machine.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use hivemend::evidence::content::salvage;
use hivemend::evidence::file_system::{Case, EntryKind, FileSystem};
use hivemend::evidence::folder::FolderSystem;
use hivemend::evidence::locator::Name;

use super::{noise, of_folder, sample_tree, scanned, tool, tree};

#[test]
fn a_folder_gives_what_the_standard_library_does_under_a_link_too() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    sample_tree(&files);
    symlink("tiny.txt", files.join("link")).unwrap();
    symlink("..", files.join("empty/loop")).unwrap();
    fs::write(files.join(OsStr::from_bytes(b"no \xff UTF-8")), "x").unwrap();
    let expected = of_folder(&files);
    assert_eq!(tree(&FolderSystem::new(&files)), expected);
    symlink("files", folder.path().join("link")).unwrap();
    let system = FolderSystem::new(folder.path().join("link"));
    assert_eq!(tree(&system), expected);

    // The same file has the same number each time, and its path is where it is.
    let (entries, _) = scanned(&system);
    let (again, _) = scanned(&system);
    assert_eq!(entries, again);
    for entry in &entries {
        assert!(system.path(entry.node).symlink_metadata().is_ok(), "{entry:?}");
    }
    let odd = system.look_up(system.root(), &Name::new(*b"no \xff UTF-8"), Case::Sensitive).unwrap();
    assert_eq!(fs::read(system.path(odd[0].node)).unwrap(), b"x");
    fs::write(files.join("new"), "new").unwrap();
    let new = system.look_up(system.root(), &Name::from("NEW"), Case::Insensitive).unwrap();
    assert_eq!(system.path(new[0].node), folder.path().join("link/new"));
    assert_eq!(system.look_up(system.root(), &Name::from("new"), Case::Sensitive).unwrap(), new);
}

#[test]
fn what_is_no_regular_file_is_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let _socket = UnixListener::bind(path("socket")).unwrap();
    if tool(folder.path(), &["mkfifo", "pipe", "later"]).is_none() {
        return;
    }
    fs::write(path("file"), "content").unwrap();
    symlink("file", path("link")).unwrap();
    let system = FolderSystem::new(folder.path());
    let (entries, obstacles) = scanned(&system);
    assert_eq!(obstacles, []);
    for entry in &entries {
        let expected = match entry.name.to_text().as_str() {
            "file" => EntryKind::File,
            "link" => EntryKind::Link,
            _ => EntryKind::Other,
        };
        assert_eq!(entry.kind, expected, "{entry:?}");
        if entry.kind != EntryKind::File {
            assert!(system.open(entry.node).is_err() && system.head(entry.node).is_err());
            assert!(system.blocks(entry.node).is_none());
        }
    }
    // A pipe, or a link, that came to a file's place.
    let file = entries.iter().find(|entry| entry.kind == EntryKind::File).unwrap().node;
    assert_eq!(system.head(file).unwrap().bytes, b"content");
    fs::rename(path("later"), path("file")).unwrap();
    assert!(system.open(file).is_err());
    fs::remove_file(path("file")).unwrap();
    symlink("/etc/hostname", path("file")).unwrap();
    assert!(system.open(file).is_err());
}

#[test]
fn files_without_a_size_are_not_opened_and_folders_that_cannot_be_read_are_told() {
    // Reading it would give bytes.
    if Path::new("/proc/self/status").exists() {
        let system = FolderSystem::new("/proc/self");
        let found = system.look_up(system.root(), &Name::from("status"), Case::Sensitive).unwrap();
        let head = system.head(found[0].node).unwrap();
        assert_eq!((found[0].kind, head.bytes.len(), head.size), (EntryKind::File, 0, 0));
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("gone")).unwrap();
    let system = FolderSystem::new(folder.path());
    let found = system.look_up(system.root(), &Name::from("gone"), Case::Sensitive).unwrap();
    fs::remove_dir(folder.path().join("gone")).unwrap();
    // A link that took its place is not followed.
    symlink("/etc", folder.path().join("gone")).unwrap();
    let mut met = Vec::new();
    system.list(found[0].node, &mut |entry| {
        met.push(entry);
        std::ops::ControlFlow::Continue(())
    });
    assert!(matches!(met.as_slice(), [Err(obstacle)] if obstacle.folder == found[0].node), "{met:?}");
    let (_, obstacles) = scanned(&FolderSystem::new(folder.path().join("nothing")));
    assert!(obstacles[0].why.contains("nothing of that name"), "{obstacles:?}");
}

#[test]
fn what_can_be_read_of_a_file_on_a_truncated_volume_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(volume) = super::ntfs::formatted(folder.path(), "volume.ntfs", 16 << 20, &["-c", "4096"]) else { return };
    let content = noise(1, 6_000_000);
    fs::write(folder.path().join("SYSTEM"), &content).unwrap();
    if tool(folder.path(), &["ntfscp", "-q", "volume.ntfs", "SYSTEM", "SYSTEM"]).is_none() {
        return;
    }
    fs::OpenOptions::new().write(true).open(&volume).unwrap().set_len(12 << 20).unwrap();
    super::ntfs::mounted(folder.path(), &volume, "ro", |mount| {
        let system = FolderSystem::new(mount);
        let found = system.look_up(system.root(), &Name::from("SYSTEM"), Case::Sensitive).unwrap();
        assert_eq!(found[0].size, 6_000_000);
        let salvaged = salvage(&*system.blocks(found[0].node).unwrap(), 1 << 30).unwrap();
        assert_eq!(salvaged.bad.len(), 1, "{:?}", salvaged.bad);
        let bad = salvaged.bad[0].clone();
        let start = usize::try_from(bad.start).unwrap();
        assert!(bad.start.is_multiple_of(4096) && start > 1 << 20 && bad.end == 6_000_000, "{bad:?}");
        assert!(salvaged.bytes.len() == 6_000_000 && salvaged.bytes[..start] == content[..start]);
        assert!(salvaged.bytes[start..].iter().all(|byte| *byte == 0) && salvaged.why.is_some());
    });
}
