//! Archives and compressed files as file systems: each is compared with its own program, and tested with damage.
#![allow(clippy::cast_possible_truncation, reason = "samples are small, and random numbers are cut on purpose")]

mod matrix;
mod recognition;
mod seven_zip_archives;
mod streams;
mod tar_archives;
mod zip_archives;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use crate::damage::Seeded;
use crate::harness;
use hivemend::evidence::archive::container::{Kind, open};
use hivemend::evidence::archive::limits::Limits;
use hivemend::evidence::archive::refused::Refused;
use hivemend::evidence::block::Blocks;
use hivemend::evidence::file_system::{EntryKind, FileSystem, HEAD, Node, ROOT, Vouched};
use tempfile::TempDir;

/// A folder to work in.
pub(crate) struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs a program here; `None` where it is not installed.
    fn output(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        let output = Command::new(program).args(arguments).current_dir(self.0.path()).output().ok();
        if output.is_none() {
            harness::lacks_program(program);
        }
        output
    }

    /// Runs a program that must succeed; false where it is not installed.
    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let Some(output) = self.output(program, arguments) else { return false };
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        true
    }

    /// Some files to put into archives, in the folder `in`.
    fn with_files() -> Self {
        let bench = Self::new();
        let mut rng = Seeded(7);
        let mut hive = b"regf".to_vec();
        hive.extend((0..40_000_u32).flat_map(|at| (at / 9 * at % 1999).to_le_bytes()));
        hive.extend((0..10_000).map(|_| rng.next() as u8));
        bench.write("in/Windows/System32/config/SYSTEM", &hive);
        bench.write("in/Windows/System32/config/SOFTWARE", &hive[..30_000]);
        bench.write("in/empty", b"");
        bench.write("in/Gr\u{fc}\u{df}e/a b.txt", b"text\n");
        bench
    }
}

/// What an archive holds: the bytes of each file by its path, and what vouches for them. A file that cannot be read
/// has its error.
pub(crate) type Contents = BTreeMap<String, Result<(Vec<u8>, Vouched), String>>;

/// Opens bytes as what they begin like.
pub(crate) fn open_bytes(bytes: Vec<u8>, name: &str, password: Option<&str>) -> Result<Box<dyn FileSystem>, Refused> {
    let kind = Kind::of(&bytes[..bytes.len().min(512)]).ok_or_else(|| Refused::damaged("no archive"))?;
    open(kind, Arc::new(bytes) as Blocks, name, password, Limits::default())
}

/// Opens a file of the bench.
pub(crate) fn open_file(bench: &Bench, name: &str) -> Box<dyn FileSystem> {
    open_bytes(bench.read(name), name, None).unwrap_or_else(|refused| panic!("{name}: {refused:?}"))
}

/// The path of each node, and whether it is a file.
pub(crate) fn paths(archive: &dyn FileSystem) -> Vec<(Node, String, EntryKind)> {
    let mut known: HashMap<Node, String> = HashMap::from([(ROOT, String::new())]);
    let (mut entries, mut pending) = (Vec::new(), vec![ROOT]);
    while let Some(folder) = pending.pop() {
        archive.list(folder, &mut |entry| {
            let entry = entry.unwrap();
            let path = format!("{}/{}", known[&folder], entry.name);
            if entry.kind == EntryKind::Folder {
                pending.push(entry.node);
                known.insert(entry.node, path.clone());
            }
            entries.push((entry.node, path, entry.kind));
            ControlFlow::Continue(())
        });
    }
    let mut scanned = Vec::new();
    archive.scan(&mut |entry| {
        scanned.push(entry.unwrap().node);
        ControlFlow::Continue(())
    });
    scanned.sort();
    entries.sort_by_key(|(node, ..)| *node);
    assert_eq!(scanned, entries.iter().map(|(node, ..)| *node).collect::<Vec<_>>());
    entries
}

/// The files of an archive.
fn files_of(archive: &dyn FileSystem) -> Vec<(Node, String)> {
    let files = paths(archive).into_iter().filter(|(_, _, kind)| *kind == EntryKind::File);
    files.map(|(node, path, _)| (node, path)).collect()
}

/// Reads all files in one pass.
pub(crate) fn in_one_pass(archive: &dyn FileSystem) -> Contents {
    let files = files_of(archive);
    let nodes: Vec<Node> = files.iter().map(|(node, _)| *node).collect();
    let mut found = Contents::new();
    let mut came = 0;
    archive.read_each(&nodes, &mut |at, content| {
        came += 1;
        let mut bytes = Vec::new();
        let read = content.map_err(|error| error.to_string()).and_then(|content| {
            content.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            Ok((std::mem::take(&mut bytes), content.finish()))
        });
        let mut path = files[at].1.clone();
        while found.contains_key(&path) {
            path.push('+');
        }
        found.insert(path, read);
        ControlFlow::Continue(())
    });
    assert_eq!(came, nodes.len());
    found
}

/// Reads all files, in one pass and one by one, which must come to the same.
pub(crate) fn contents(archive: &dyn FileSystem) -> Contents {
    let found = in_one_pass(archive);
    let files = files_of(archive);
    for (node, path) in files.iter().take(20) {
        let mut bytes = Vec::new();
        let one = archive.open(*node).map_err(|error| error.to_string()).and_then(|mut content| {
            content.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            Ok((bytes.clone(), content.finish()))
        });
        let all = &found[path];
        if let (Ok(one), Ok(all)) = (&one, all) {
            assert_eq!((one.0.len(), &one.1), (all.0.len(), &all.1), "{path}");
            assert!(one.0 == all.0, "{path}");
            let head = archive.head(*node).unwrap();
            assert_eq!(head.bytes, one.0[..one.0.len().min(HEAD)], "{path}");
            assert_eq!(head.size, one.0.len() as u64, "{path}");
            if let Some(blocks) = archive.blocks(*node) {
                let mut by_place = vec![0; one.0.len()];
                blocks.read_exact_at(&mut by_place, 0).unwrap();
                assert!(blocks.size() == one.0.len() as u64 && by_place == one.0, "{path}");
            }
        }
        // How much of a damaged stream comes before the damage is met depends on how much is asked for at a time.
        let same = one.is_ok() == all.is_ok() || matches!(archive.vouched(), Vouched::Unverified(_));
        assert!(same, "{path}: {:?}, {:?}", one.err(), all.as_ref().err());
    }
    found
}

/// The files of a folder of this machine, as [`contents`] names them.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(at) = pending.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let inside = path.strip_prefix(folder).unwrap().to_str().unwrap();
                found.insert(format!("/{inside}"), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The archive holds exactly these files, each with this behind it, and has nothing to say.
pub(crate) fn assert_holds(archive: &dyn FileSystem, files: &BTreeMap<String, Vec<u8>>, vouched: &Vouched, what: &str) {
    let found = contents(archive);
    assert_eq!(found.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>(), "{what}");
    for (path, content) in found {
        let (bytes, by) = content.unwrap_or_else(|why| panic!("{what}: {path}: {why}"));
        assert!(bytes == files[&path], "{what}: {path} differs");
        assert_eq!(by, *vouched, "{what}: {path}");
    }
    assert_eq!(archive.defects(), Vec::<String>::new(), "{what}");
}
