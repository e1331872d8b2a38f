//! Other readers of the same hive must agree with ours on every key with its time, and on every value with its type and
//! data. The hives are the primary files in the folder that `HIVEMEND_CORPUS` names. The test is ignored without that
//! folder, and for a reader that is not installed.
//!
//! [`KNOWN`] lists the known differences with their reasons and sizes, so that a new difference is detected.
//! `docs/agreement.md` is made from the output of this test.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hivemend::hive::Hive;
use hivemend::hive::walk::{Visitor, WalkedKey, WalkedValue, walk};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::harness;
use crate::real_hives::corpus;

pub(crate) mod known;

use known::{KNOWN, Outcome};

/// Another reader.
struct Reader {
    name: &'static str,
    /// The script in `tests/support` that prints a hive as it reads it. notatin is a library of Rust that needs an old
    /// `nom`: `docs/scripts/agreement.py` builds a program with it, and names that to the test in `HIVEMEND_NOTATIN`.
    script: Option<&'static str>,
    /// What it makes of data, by its own choice: see [`known`].
    shown: fn(u32, &[u8]) -> Cow<'_, [u8]>,
}

const READERS: [Reader; 3] = [
    Reader { name: "hivex", script: Some("read_with_hivex.py"), shown: |_, data| Cow::Borrowed(data) },
    Reader { name: "libregf", script: Some("read_with_libregf.py"), shown: known::shown_by_libregf },
    Reader { name: "notatin", script: None, shown: known::shown_by_notatin },
];

/// Every key and value of a hive as a hash. The order does not matter: not all readers keep that of the lists.
#[derive(Default)]
struct Contents {
    hashes: Vec<u128>,
    /// Of all hashes. Where it is the same, and as many hashes, they are the same: nobody need sort them.
    sum: u128,
    keys: usize,
    values: usize,
}

impl Contents {
    fn add(&mut self, hasher: Sha256) {
        let hash = u128::from_le_bytes(*hasher.finalize().first_chunk().unwrap());
        self.hashes.push(hash);
        self.sum = self.sum.wrapping_add(hash);
    }

    fn key(&mut self, hasher: Sha256) {
        self.keys += 1;
        self.add(hasher);
    }

    fn value(&mut self, hasher: Sha256) {
        self.values += 1;
        self.add(hasher);
    }

    fn same(&self, other: &Self) -> bool {
        (self.sum, self.keys, self.values) == (other.sum, other.keys, other.values)
    }

    /// How many keys and values are only here, and only in `other`.
    fn differences(&self, other: &Self) -> (usize, usize) {
        let count = |contents: &Self| {
            let mut counts = BTreeMap::<u128, usize>::new();
            contents.hashes.iter().for_each(|hash| *counts.entry(*hash).or_default() += 1);
            counts
        };
        let (here, there) = (count(self), count(other));
        let without = |here: &BTreeMap<u128, usize>, there: &BTreeMap<u128, usize>| {
            here.iter().map(|(hash, count)| count.saturating_sub(there.get(hash).copied().unwrap_or(0))).sum()
        };
        (without(&here, &there), without(&there, &here))
    }
}

fn key(path: &str, time: u64) -> Sha256 {
    Sha256::new().chain_update(format!("key\t{path}\t{time}"))
}

/// A value, but for its data.
fn value(path: &str, name: &str, data_type: u32) -> Sha256 {
    Sha256::new().chain_update(format!("value\t{path}\t{name}\t{data_type}\t"))
}

/// What we make of a hive, for each reader as it would show it; one walk for all of them.
#[derive(Default)]
struct Ours {
    path: String,
    contents: [Contents; READERS.len()],
}

impl Visitor for Ours {
    fn key(&mut self, walked: &WalkedKey<'_, '_>) {
        self.path = rooted(&walked.path());
        let hasher = key(&self.path, walked.last_written().0);
        self.contents.iter_mut().for_each(|contents| contents.key(hasher.clone()));
    }

    fn value(&mut self, _: &WalkedKey<'_, '_>, walked: &WalkedValue<'_>) {
        let data_type = walked.data_type().0;
        let hasher = value(&self.path, &walked.name(), data_type);
        for (contents, reader) in self.contents.iter_mut().zip(READERS) {
            contents.value(hasher.clone().chain_update((reader.shown)(data_type, walked.data())));
        }
    }
}

/// A path as the scripts print it: nothing for the root, a backslash before every name.
fn rooted(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(r"\{path}") }
}

/// What a reader makes of a hive: its contents, or that it gave up. `None` where it is not installed.
fn read_by(reader: &Reader, hive: &Path) -> Option<Result<Contents, i32>> {
    let mut command = if let Some(script) = reader.script {
        self::script(script)
    } else {
        Command::new(std::env::var_os(format!("HIVEMEND_{}", reader.name.to_ascii_uppercase()))?)
    };
    let mut child = command.arg(hive).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut contents = Contents::default();
    let mut path = String::new();
    // What it prints is twice as large as the hive: it is looked at while it comes.
    for line in BufReader::with_capacity(1 << 20, child.stdout.take().unwrap()).split(b'\n') {
        let line = line.unwrap();
        let line = String::from_utf8_lossy(&line);
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["key", of, .., time] => {
                (*of).clone_into(&mut path);
                contents.key(key(of, time.strip_prefix("time ").unwrap().parse().unwrap()));
            }
            ["value", name @ .., data_type, data] => {
                let data_type = data_type.parse().unwrap();
                let shown = (reader.shown)(data_type, &from_hex(data)).into_owned();
                contents.value(value(&path, &name.join("\t"), data_type).chain_update(shown));
            }
            _ => {}
        }
    }
    match child.wait().unwrap().code() {
        Some(0) => Some(Ok(contents)),
        Some(77) => None,
        code => Some(Err(code.unwrap_or(-1))),
    }
}

/// The Python that runs a script of `tests/support`. Such a script ends with 77 where its module is not installed.
pub(crate) fn script(name: &str) -> Command {
    // Debian's modules are for Debian's Python, not for one that may come before it.
    let python = if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" };
    let mut command = Command::new(python);
    command.arg("-B").arg(format!("{}/tests/support/{name}", env!("CARGO_MANIFEST_DIR")));
    command
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    const DIGITS: [u8; 256] = {
        let mut digits = [u8::MAX; 256];
        let mut digit = 0;
        while digit < 16 {
            digits[b"0123456789abcdef"[digit as usize] as usize] = digit;
            digit += 1;
        }
        digits
    };
    // A loop: this is the test's longest work, and is not optimised.
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for [high, low] in text.as_bytes().as_chunks::<2>().0 {
        let (high, low) = (DIGITS[*high as usize], DIGITS[*low as usize]);
        assert!(high < 16 && low < 16, "no hexadecimal digits: {text}");
        bytes.push(high << 4 | low);
    }
    bytes
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
        Ok(theirs) if ours.same(theirs) => Outcome::Same,
        Ok(theirs) => {
            let (ours, theirs) = ours.differences(theirs);
            Outcome::Differs { ours, theirs }
        }
    }
}

/// A hive read by us and by every other reader: the line of the table, what was not expected, and readers that are not installed.
fn compare(name: &str, path: &Path) -> (String, Vec<String>, Vec<&'static str>) {
    let (mut wrong, mut lacking) = (Vec::new(), Vec::new());
    let hive = Hive::open(path, true).unwrap().unwrap().as_it_lies();
    let mut ours = Ours::default();
    let walked = walk(&hive, &mut ours);
    let mut cells = vec!["agreement".to_owned(), name.to_owned(), walked.keys.to_string(), walked.values.to_string()];
    for (reader, ours) in READERS.iter().zip(&ours.contents) {
        let Some(theirs) = read_by(reader, path) else {
            cells.push("not installed".to_owned());
            lacking.push(reader.name);
            continue;
        };
        let found = compared(ours, &theirs);
        let known = KNOWN.iter().find(|known| known.hive == name && known.reader == reader.name);
        let expected = known.map_or(Outcome::Same, |known| known.outcome);
        cells.push(known.map_or_else(|| found.to_string(), |known| format!("{found}: {}", known.why)));
        if found != expected {
            wrong.push(format!("{name}, {}: expected {expected}, found {found}", reader.name));
        }
    }
    (cells.join("\t"), wrong, lacking)
}

#[test]
fn other_readers_find_the_same_in_every_hive_of_the_corpus() {
    let Some(corpus) = corpus() else { return };
    let name = |path: &Path| path.strip_prefix(&corpus).unwrap().to_str().unwrap().to_owned();
    // The largest first, each as soon as a core is free: the largest one alone takes a third of the time.
    let mut paths = primaries(&corpus);
    paths.sort_by_cached_key(|path| Reverse(path.metadata().unwrap().len()));
    let mut compared: Vec<_> = paths.iter().par_bridge().map(|path| (path, compare(&name(path), path))).collect();
    compared.sort_by_key(|(path, _)| *path);
    // A line of its own, whatever the harness has begun: docs/scripts/agreement.py reads them.
    if harness::is_talkative() {
        println!();
        for (_, (line, ..)) in &compared {
            println!("{line}");
        }
    }
    for reader in READERS.iter().filter(|reader| reader.script.is_some()) {
        if compared.iter().any(|(_, (_, _, lacking))| lacking.contains(&reader.name)) {
            harness::lacks_program(reader.name);
        }
    }
    let wrong: Vec<&str> = compared.iter().flat_map(|(_, (_, wrong, _))| wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
