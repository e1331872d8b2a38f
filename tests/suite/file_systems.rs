//! Every file system returns the same files, with the names, sizes, and bytes that were put in.

mod exfat;
mod ext;
mod fat;
mod folder;
mod ntfs;
mod unreadable;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hivemend::evidence::block::{BlockRead, Blocks};
use hivemend::evidence::file_system::{Entry, EntryKind, FileSystem, HEAD, Node, Obstacle};
use hivemend::evidence::file_systems;
use hivemend::evidence::locator::Name;

use crate::harness;

/// What a file is: its kind, its size, and the SHA-256 of its bytes.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    kind: EntryKind,
    size: u64,
    sha256: String,
}

/// By the names on the way to it.
type Tree = BTreeMap<Vec<Name>, Shown>;

/// Runs a tool in a folder; nothing where it is not installed.
fn tool(folder: &Path, line: &[&str]) -> Option<String> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new(line[0]).args(&line[1..]).current_dir(folder).env("PATH", path).env("LC_ALL", "C.UTF-8").output();
    let Ok(output) = output else {
        harness::lacks_program(line[0]);
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{line:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    Some(said)
}

/// The file system of a volume that is in a file.
fn opened(path: &Path) -> Box<dyn FileSystem> {
    system_of(Arc::new(fs::read(path).unwrap()))
}

#[allow(clippy::needless_pass_by_value, reason = "a test hands its volume over")]
fn system_of(volume: Blocks) -> Box<dyn FileSystem> {
    file_systems::open(&volume).unwrap_or_else(|error| panic!("{error}")).expect("a file system that is read")
}

/// Everything that a pass over the file system gives.
fn scanned(system: &dyn FileSystem) -> (Vec<Entry>, Vec<Obstacle>) {
    let (mut entries, mut obstacles) = (Vec::new(), Vec::new());
    system.scan(&mut |met| {
        match met {
            Ok(entry) => entries.push(entry),
            Err(obstacle) => obstacles.push(obstacle),
        }
        ControlFlow::Continue(())
    });
    (entries, obstacles)
}

/// Everything that a walk through the folders gives, as the trait does it.
fn walked(system: &dyn FileSystem) -> (Vec<Entry>, Vec<Obstacle>) {
    let (mut entries, mut obstacles) = (Vec::<Entry>::new(), Vec::new());
    let mut pending = vec![system.root()];
    while let Some(folder) = pending.pop() {
        system.list(folder, &mut |met| {
            match met {
                Ok(entry) => {
                    if entry.kind == EntryKind::Folder {
                        pending.push(entry.node);
                    }
                    entries.push(entry);
                }
                Err(obstacle) => obstacles.push(obstacle),
            }
            ControlFlow::Continue(())
        });
    }
    (entries, obstacles)
}

/// Entries by their paths; those of a file system's own, whose names begin with `$` in the root, are left out.
fn by_path(system: &dyn FileSystem, entries: Vec<Entry>) -> BTreeMap<Vec<Name>, Entry> {
    let folders: BTreeMap<Node, (Node, Name)> = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Folder)
        .map(|entry| (entry.node, (entry.parent, entry.name.clone())))
        .collect();
    let mut paths = BTreeMap::new();
    for entry in entries {
        let (mut path, mut parent) = (vec![entry.name.clone()], entry.parent);
        while parent != system.root() {
            let (above, name) = folders.get(&parent).unwrap_or_else(|| panic!("{entry:?} is in no folder")).clone();
            path.push(name);
            parent = above;
        }
        path.reverse();
        if !path[0].as_bytes().starts_with(b"$") {
            assert!(paths.insert(path.clone(), entry).is_none(), "{path:?} twice");
        }
    }
    paths
}

/// The bytes of a file: one after the other, and by position.
fn bytes_of(system: &dyn FileSystem, file: Node) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    system.open(file)?.read_to_end(&mut bytes)?;
    if let Some(blocks) = system.blocks(file) {
        let mut by_position = vec![0; usize::try_from(blocks.size()).unwrap()];
        blocks.read_exact_at(&mut by_position, 0)?;
        assert!(bytes == by_position);
        let middle = bytes.len() / 2;
        let mut part = vec![0; (bytes.len() - middle).min(5000)];
        blocks.read_exact_at(&mut part, middle as u64)?;
        assert!(bytes[middle..middle + part.len()] == part);
    }
    let head = system.head(file)?;
    assert_eq!((&head.bytes[..], head.size), (&bytes[..bytes.len().min(HEAD)], bytes.len() as u64));
    assert_eq!(head.at_bins, bytes.get(4096..4100).map_or([0; 4], |bins| bins.try_into().unwrap()));
    Ok(bytes)
}

/// What is on a file system, the same by a pass and by a walk.
fn tree(system: &dyn FileSystem) -> Tree {
    assert_eq!(system.defects(), Vec::<String>::new());
    let (entries, obstacles) = scanned(system);
    assert_eq!(obstacles, []);
    let found = by_path(system, entries);
    let (walked, obstacles) = walked(system);
    assert_eq!(obstacles, []);
    assert_eq!(by_path(system, walked), found, "a walk finds what a pass does");
    found
        .into_iter()
        .map(|(path, entry)| {
            let sha256 = if entry.kind == EntryKind::File {
                let bytes = bytes_of(system, entry.node).unwrap_or_else(|error| panic!("{path:?}: {error}"));
                assert_eq!(bytes.len() as u64, entry.size, "{path:?}");
                hivemend::evidence::sha256_of(&bytes)
            } else {
                String::new()
            };
            (path, Shown { kind: entry.kind, size: entry.size, sha256 })
        })
        .collect()
}

/// What is in a folder of this machine, by the standard library.
fn of_folder(folder: &Path) -> Tree {
    fn add(folder: &Path, path: &[Name], found: &mut Tree) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = [path, &[Name::from(entry.file_name().as_os_str())]].concat();
            let kind = entry.file_type().unwrap();
            let shown = if kind.is_dir() {
                add(&entry.path(), &path, found);
                Shown { kind: EntryKind::Folder, size: 0, sha256: String::new() }
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).unwrap();
                let sha256 = hivemend::evidence::sha256_of(&bytes);
                Shown { kind: EntryKind::File, size: bytes.len() as u64, sha256 }
            } else {
                Shown { kind: EntryKind::Link, size: 0, sha256: String::new() }
            };
            found.insert(path, shown);
        }
    }
    let mut found = Tree::new();
    add(folder, &[], &mut found);
    found
}

/// Bytes that repeat nowhere, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A folder with files of many sizes and names, which every file system here can have.
fn sample_tree(folder: &Path) {
    let config = folder.join("Windows/System32/config");
    fs::create_dir_all(&config).unwrap();
    fs::create_dir_all(folder.join("empty")).unwrap();
    for (place, (name, size)) in [
        ("Windows/System32/config/SYSTEM", 1_500_000),
        ("Windows/System32/config/SOFTWARE", 700_123),
        ("Windows/System32/config/SYSTEM.LOG1", 0),
        ("Windows/notepad.exe", 4097),
        ("tiny.txt", 5),
        ("at a cluster's end", 8192),
        ("Grüße, 世界.txt", 300),
        ("a very long name that needs many entries of a folder, one behind the other, and more of them.text", 1000),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(folder.join(name), noise(place as u64 + 1, size)).unwrap();
    }
    let many = folder.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..300_u16 {
        let bytes = noise(number.into(), 10 + usize::from(number));
        fs::write(many.join(format!("file number {number}.txt")), bytes).unwrap();
    }
}

/// A folder in a folder with so many small files, and a hive of so many bytes below.
fn small_tree(files: &Path, count: u64, size: usize) {
    fs::create_dir_all(files.join("a folder/with another")).unwrap();
    for number in 0..count {
        fs::write(files.join(format!("a folder/file number {number}")), noise(number, 2000)).unwrap();
    }
    fs::write(files.join("a folder/with another/SYSTEM"), noise(1, size)).unwrap();
}

/// Bytes that count how often they are asked for.
struct Counting {
    bytes: Vec<u8>,
    reads: AtomicUsize,
    /// A range that cannot be read.
    bad: std::ops::Range<u64>,
}

impl Counting {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes, reads: AtomicUsize::new(0), bad: 0..0 })
    }

    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl BlockRead for Counting {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if offset < self.bad.end && offset + buffer.len() as u64 > self.bad.start {
            return Err(io::Error::other("Input/output error (os error 5)"));
        }
        self.bytes.read_at(buffer, offset)
    }
}

/// Goes through all of a file system that may be damaged in any way: everything ends, and nothing grows without bound.
fn exercised(volume: Vec<u8>) -> usize {
    let size = volume.len() as u64;
    let Ok(Some(system)) = file_systems::open(&(Arc::new(volume) as Blocks)) else { return 0 };
    let (entries, obstacles) = scanned(system.as_ref());
    assert!(obstacles.len() <= 2_000 + entries.len());
    let mut folders = 0;
    for entry in entries.iter().take(2_000) {
        if entry.kind == EntryKind::Folder && folders < 50 {
            folders += 1;
            let mut names = 0;
            system.list(entry.node, &mut |_| {
                names += 1;
                if names < 5_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            let _ =
                system.look_up(entry.node, &Name::from("SYSTEM"), hivemend::evidence::file_system::Case::Insensitive);
        }
        let _ = system.head(entry.node);
        if let Ok(content) = system.open(entry.node) {
            let _ = io::copy(&mut content.take(size.min(4 << 20)), &mut io::sink());
        }
    }
    entries.len()
}

/// Flips bytes of a volume, most of them in its first part, where its books are.
fn flip(sound: &[u8], runs: u64, seed: u64) {
    let mut most = 0;
    for run in 0..runs {
        let random = noise(seed + run, 256);
        let mut number =
            random.chunks(8).map(|bytes| usize::try_from(u64::from_le_bytes(bytes.try_into().unwrap()) >> 1).unwrap());
        let mut volume = sound.to_vec();
        let count = 1 + number.next().unwrap() % 6;
        for _ in 0..count {
            // A place that is not all zeros: an empty cluster says nothing.
            let mut at = number.next().unwrap() % volume.len();
            at = (at..volume.len()).chain(0..at).find(|at| volume[*at] != 0).unwrap();
            at = (at + number.next().unwrap() % 16).min(volume.len() - 1);
            volume[at] = number.next().unwrap().to_le_bytes()[0];
        }
        most = most.max(exercised(volume));
    }
    assert!(most > 0);
}
