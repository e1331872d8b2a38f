//! Other readers of the same hive must find in it what we do: every key with its time, every value with its type and
//! data. The hives are those of the folder that `HIVEMEND_CORPUS` names, each as its primary file lies; without it, and
//! for a reader that is not installed, the test says so and is skipped.
//!
//! Differences that are known stand in [`KNOWN`] with their reason, and with how large they are, so that a new one
//! is seen. `docs/agreement.md` is made of what this test prints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use hivemend::hive::Hive;
use hivemend::hive::walk::{Visitor, WalkedKey, WalkedValue, walk};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::real_hives::corpus;

mod known;

use known::{KNOWN, Outcome};

/// Another reader.
struct Reader {
    name: &'static str,
    /// The script in `tests/support` that prints a hive as it reads it. notatin is a library of Rust that needs an old
    /// `nom`: `docs/scripts/agreement.py` builds a program with it, and names that to the test in `HIVEMEND_NOTATIN`.
    script: Option<&'static str>,
    /// What it makes of data, by its own choice: see [`known`].
    shown: fn(u32, &[u8]) -> Vec<u8>,
}

const READERS: [Reader; 3] = [
    Reader { name: "hivex", script: Some("read_with_hivex.py"), shown: |_, data| data.to_vec() },
    Reader { name: "libregf", script: Some("read_with_libregf.py"), shown: known::shown_by_libregf },
    Reader { name: "notatin", script: None, shown: known::shown_by_notatin },
];

/// Every key and value of a hive as a hash, with how often it is there. The order does not matter: not all readers
/// keep that of the lists.
struct Contents {
    hashes: BTreeMap<[u8; 16], usize>,
    keys: usize,
    values: usize,
    shown: fn(u32, &[u8]) -> Vec<u8>,
}

impl Contents {
    fn new(shown: fn(u32, &[u8]) -> Vec<u8>) -> Self {
        Self { hashes: BTreeMap::new(), keys: 0, values: 0, shown }
    }

    fn add(&mut self, hasher: Sha256) {
        let hash = hasher.finalize();
        *self.hashes.entry(hash[..16].try_into().unwrap()).or_default() += 1;
    }

    fn key(&mut self, path: &str, time: u64) {
        self.keys += 1;
        self.add(Sha256::new().chain_update(format!("key\t{path}\t{time}")));
    }

    fn value(&mut self, path: &str, name: &str, data_type: u32, data: &[u8]) {
        self.values += 1;
        let hasher = Sha256::new().chain_update(format!("value\t{path}\t{name}\t{data_type}\t"));
        self.add(hasher.chain_update((self.shown)(data_type, data)));
    }

    /// How many keys and values are here and not in `other`.
    fn without(&self, other: &Self) -> usize {
        let count = |hash| other.hashes.get(hash).copied().unwrap_or(0);
        self.hashes.iter().map(|(hash, here)| here.saturating_sub(count(hash))).sum()
    }
}

impl Visitor for Contents {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        let path = key.path();
        Self::key(self, &rooted(&path), key.last_written().0);
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        Self::value(self, &rooted(&key.path()), &value.name(), value.data_type().0, value.data());
    }
}

/// A path as the scripts print it: nothing for the root, a backslash before every name.
fn rooted(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(r"\{path}") }
}

/// What a reader makes of a hive: its contents, or that it gave up. `None` where it is not installed.
fn read_by(reader: &Reader, hive: &Path) -> Option<Result<Contents, i32>> {
    let mut command = if let Some(script) = reader.script {
        // Debian's modules are for Debian's Python, not for one that may come before it.
        let python = if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" };
        let mut command = Command::new(python);
        command.arg("-B").arg(format!("{}/tests/support/{script}", env!("CARGO_MANIFEST_DIR")));
        command
    } else {
        Command::new(std::env::var_os(format!("HIVEMEND_{}", reader.name.to_ascii_uppercase()))?)
    };
    let output = command.arg(hive).output().ok()?;
    match output.status.code() {
        Some(0) => {}
        Some(77) => return None,
        code => return Some(Err(code.unwrap_or(-1))),
    }
    let mut contents = Contents::new(reader.shown);
    let mut path = String::new();
    for line in String::from_utf8_lossy(&output.stdout).split('\n') {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["key", of, .., time] => {
                (*of).clone_into(&mut path);
                contents.key(of, time.strip_prefix("time ").unwrap().parse().unwrap());
            }
            ["value", name @ .., data_type, data] => {
                contents.value(&path, &name.join("\t"), data_type.parse().unwrap(), &from_hex(data));
            }
            _ => {}
        }
    }
    Some(Ok(contents))
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    text.as_bytes().as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}

/// The primary files below a folder, by path.
fn primaries(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if matches!(Hive::open(&path, true), Ok(Ok(hive)) if hive.base_block().file_type == 0) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// What comparing with a reader came to.
fn compared(ours: &Contents, theirs: &Result<Contents, i32>) -> Outcome {
    match theirs {
        Err(_) => Outcome::Refuses,
        Ok(theirs) if theirs.hashes == ours.hashes => Outcome::Same,
        Ok(theirs) => Outcome::Differs { ours: ours.without(theirs), theirs: theirs.without(ours) },
    }
}

/// A hive read by us and by every other reader: the line of the table, and what was not expected.
fn compare(name: &str, path: &Path) -> (String, Vec<String>) {
    let mut wrong = Vec::new();
    let hive = Hive::open(path, true).unwrap().unwrap();
    let walked = walk(&hive, &mut ());
    let mut cells = vec!["agreement".to_owned(), name.to_owned(), walked.keys.to_string(), walked.values.to_string()];
    for reader in READERS {
        let Some(theirs) = read_by(&reader, path) else {
            cells.push("not installed: skipped".to_owned());
            continue;
        };
        let mut ours = Contents::new(reader.shown);
        walk(&hive, &mut ours);
        let found = compared(&ours, &theirs);
        let known = KNOWN.iter().find(|known| known.hive == name && known.reader == reader.name);
        let expected = known.map_or(Outcome::Same, |known| known.outcome);
        cells.push(known.map_or_else(|| found.to_string(), |known| format!("{found}: {}", known.why)));
        if found != expected {
            wrong.push(format!("{name}, {}: expected {expected}, found {found}", reader.name));
        }
    }
    (cells.join("\t"), wrong)
}

#[test]
fn other_readers_find_the_same_in_every_hive_of_the_corpus() {
    let Some(corpus) = corpus("other_readers_find_the_same_in_every_hive_of_the_corpus") else { return };
    let name = |path: &Path| path.strip_prefix(&corpus).unwrap().to_str().unwrap().to_owned();
    let compared: Vec<_> = primaries(&corpus).par_iter().map(|path| compare(&name(path), path)).collect();
    // A line of its own, whatever the test harness has begun.
    println!();
    for (line, _) in &compared {
        println!("{line}");
    }
    let wrong: Vec<&str> = compared.iter().flat_map(|(_, wrong)| wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
