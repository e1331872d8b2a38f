//! Discovery of hives in folders: mounted volumes, collections, copies, and files that are not hives.
//!
//! Each test lays out a tree and shows the result: one paragraph for each installation, with its hives, their logs in
//! brackets, and problems after `!`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use hivemend::discovery::{Discovery, discover};
use hivemend::evidence::directory;

use crate::builder::{Hive, fix_checksum};

mod hostile;
mod layouts;
mod not_hives;
mod output;
mod pairs;

/// The keys by which a SOFTWARE hive is known.
fn software() -> Vec<u8> {
    hive(&["Classes", "Microsoft"])
}

/// The keys by which a SYSTEM hive is known.
fn system() -> Vec<u8> {
    hive(&["ControlSet001", "Select"])
}

fn hive(keys: &[&str]) -> Vec<u8> {
    let mut hive = Hive::new("ROOT");
    for key in keys {
        hive.root.create(key);
    }
    hive.to_bytes()
}

/// The first kilobyte of a transaction log.
fn log() -> Vec<u8> {
    let mut log = system();
    log.truncate(1024);
    log[28] = 1;
    fix_checksum(&mut log);
    log
}

/// A tree in a folder of its own.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.0.path().to_owned() } else { self.0.path().join(path) }
    }

    fn file(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// `SOFTWARE` and `SYSTEM` in a folder.
    fn pair(&self, folder: &str) -> &Self {
        self.file(&format!("{folder}/SOFTWARE"), software()).file(&format!("{folder}/SYSTEM"), system())
    }

    /// What is discovered in the whole tree.
    fn discovered(&self) -> String {
        self.discovered_in(&[""])
    }

    fn discovered_in(&self, evidence: &[&str]) -> String {
        let evidence: Vec<PathBuf> = evidence.iter().map(|path| self.path(path)).collect();
        match discover(&evidence, true) {
            Ok(discovery) => self.shown(&discovery),
            Err(error) => self.without_root(&format!("error: {error}")),
        }
    }

    fn shown(&self, discovery: &Discovery) -> String {
        self.without_root(&shown(discovery))
    }

    /// The text with `/tmp/...` as `E`, and what an id has of it as `E` too.
    fn without_root(&self, text: &str) -> String {
        let root = directory::locator(self.0.path());
        let id: String = root.trim_start_matches('/').replace("/.", "-.").replace('/', "-");
        text.replace(&root, "E").replace(&id, "E")
    }
}

fn shown(discovery: &Discovery) -> String {
    let mut text = String::new();
    for installation in &discovery.installations {
        let evidence = &installation.evidence;
        // One that was cut may begin within the name of this run's folder.
        let id = if installation.id.len() < 90 { &installation.id } else { "..." };
        writeln!(text, "{evidence}: {}, {id}", installation.generation).unwrap();
        for hive in &installation.hives {
            assert_eq!(hive.locator, directory::locator(&hive.file.path));
            let name = hive.locator.strip_prefix(evidence.as_str()).unwrap().trim_start_matches('/');
            let mut parts = vec![hive.role.to_string()];
            parts.extend((!name.is_empty()).then(|| name.to_owned()));
            parts.extend(hive.logs.iter().map(|log| format!("[{}]", log.locator.rsplit('/').next().unwrap())));
            writeln!(text, "  {}", parts.join(" ")).unwrap();
        }
        for problem in &installation.problems {
            writeln!(text, "  ! {problem}").unwrap();
        }
    }
    for problem in discovery.ledger.problems() {
        writeln!(text, "! {problem}").unwrap();
    }
    text
}
