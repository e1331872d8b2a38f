//! An importer from another project: how `hivexregedit` reads the text written for it, if it is installed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use hivemend::reg_file::{self, Dialect, Document, KeyPath, Operation};
use proptest::prelude::*;

use super::round_trip::{data, name};
use super::units;
use crate::harness;

const PREFIX: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE";

/// Where the smallest hive has its words, in bytes from its start.
const WORDS: [(usize, u32); 25] = [
    // The base block: sequence numbers, version 1.3, format, root key, size of the bins, clustering.
    (0x4, 1),
    (0x8, 1),
    (0x14, 1),
    (0x18, 3),
    (0x20, 1),
    (0x24, 0x20),
    (0x28, 0x1000),
    (0x2c, 1),
    // The bin's size; the cells of the root key, of its security descriptor and of the free rest.
    (0x1008, 0x1000),
    (0x1020, 0x58_u32.wrapping_neg()),
    (0x1078, 0x30_u32.wrapping_neg()),
    (0x10a8, 0xf58),
    // The root key: no parent, no subkeys, no values, its security, no class, a name of one letter.
    (0x1034, !0),
    (0x1040, !0),
    (0x1044, !0),
    (0x104c, !0),
    (0x1050, 0x78),
    (0x1054, !0),
    (0x106c, 1),
    // The security descriptor: a ring of one, used once, twenty bytes that grant nothing.
    (0x1080, 0x78),
    (0x1084, 0x78),
    (0x1088, 1),
    (0x108c, 20),
    (0x1090, 0x8000_0001),
    (0x1070, 0x72),
];

/// The smallest hive: a root key without values, its security descriptor, and the rest of one bin free.
fn empty_hive() -> Vec<u8> {
    let mut words = [0; 0x800];
    for (at, word) in WORDS {
        words[at / 4] = word;
    }
    words[0] = u32::from_le_bytes(*b"regf");
    words[0x400] = u32::from_le_bytes(*b"hbin");
    words[0x409] = u32::from_le_bytes(*b"nk\x2c\0");
    words[0x41f] = u32::from_le_bytes(*b"sk\0\0");
    words[0x7f] = words[..0x7f].iter().fold(0, |sum, word| sum ^ word);
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// Runs hivexregedit; `perl_unicode` is what its user may or may not have in the environment.
fn hivexregedit(arguments: &[&str], hive: &Path, last: &Path, perl_unicode: &str) -> Vec<u8> {
    let run = Command::new("hivexregedit")
        .args(arguments)
        .args(["--prefix", PREFIX])
        .args([hive, last])
        .env("PERL_UNICODE", perl_unicode)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    run.stdout
}

type Values = BTreeMap<(KeyPath, Vec<u16>), (u32, Vec<u8>)>;

/// What the hive holds after each of the documents was merged.
fn merged(documents: &[Document], perl_unicode: &str) -> Values {
    let folder = tempfile::tempdir().unwrap();
    let (hive, patch) = (folder.path().join("hive"), folder.path().join("patch.reg"));
    fs::write(&hive, empty_hive()).unwrap();
    for document in documents {
        fs::write(&patch, reg_file::emit(document, Dialect::Hivex).unwrap()).unwrap();
        hivexregedit(&["--merge"], &hive, &patch, perl_unicode);
    }
    let export = hivexregedit(&["--export"], &hive, Path::new(r"\"), "SD");
    let read = reg_file::parse_text(&String::from_utf8(export).unwrap()).into_document().unwrap();
    let values = read.operations.into_iter().filter_map(|entry| match entry.operation {
        Operation::SetValue { key, name, data_type, bytes } => Some(((key, name), (data_type, bytes))),
        _ => None,
    });
    values.collect()
}

fn document(operations: impl IntoIterator<Item = Operation>) -> Document {
    let mut document = Document::default();
    operations.into_iter().for_each(|operation| document.push(operation));
    document
}

fn set((key, name): &(KeyPath, Vec<u16>), (data_type, bytes): &(u32, Vec<u8>)) -> Operation {
    Operation::SetValue { key: key.clone(), name: name.clone(), data_type: *data_type, bytes: bytes.clone() }
}

/// Keys that hivexregedit must make with their parents.
fn key() -> impl Strategy<Value = KeyPath> {
    let below = prop::sample::select(vec![r"a\b\c", r"a\B2", r"Sub x]y\q", "é", ""]);
    below.prop_map(|below| KeyPath::from(format!("{PREFIX}\\{below}").as_str()))
}

/// Values, no two with names alike, all of which can be written.
fn values() -> impl Strategy<Value = Values> {
    prop::collection::vec(((key(), name()), data()), 1..30).prop_map(|found| {
        let mut values = Values::new();
        for (place, value) in found {
            let fold = |(key, name): &(KeyPath, Vec<u16>)| (key.clone(), String::from_utf16_lossy(name).to_uppercase());
            let is_new = values.keys().all(|other| fold(other) != fold(&place));
            if is_new && reg_file::check_operation(&set(&place, &value), Dialect::Hivex).is_ok() {
                values.insert(place, value);
            }
        }
        values
    })
}

fn is_installed() -> bool {
    let found = Command::new("hivexregedit").arg("--help").output().is_ok();
    if !found {
        harness::lacks_program("hivexregedit (libwin-hivex-perl)");
    }
    found
}

#[test]
fn hivexregedit_stores_every_value_byte_for_byte() {
    if !is_installed() {
        return;
    }
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(4));
    let with_environment = (values(), prop::sample::select(vec!["", "SD"]));
    let outcome = runner.run(&with_environment, |(values, perl_unicode)| {
        let patch = document(values.iter().map(|(place, value)| set(place, value)));
        prop_assert_eq!(&merged(std::slice::from_ref(&patch), perl_unicode), &values);
        // Merged again it changes nothing, and its values can be taken away again one by one.
        prop_assert_eq!(&merged(&[patch.clone(), patch.clone()], perl_unicode), &values);
        let delete =
            |(key, name): &(KeyPath, Vec<u16>)| Operation::DeleteValue { key: key.clone(), name: name.clone() };
        let rollback = document(values.keys().map(delete));
        prop_assert_eq!(merged(&[patch, rollback], perl_unicode), Values::new());
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn hivexregedit_carries_out_deletes_and_comments_in_their_place() {
    if !is_installed() {
        return;
    }
    let place = |key: &str| (KeyPath::from(format!("{PREFIX}\\{key}").as_str()), units("n"));
    let value = (4, vec![1, 2, 3, 4]);
    let before = document([set(&place("a"), &value), set(&place(r"a\b"), &value), set(&place("z"), &value)]);
    let mut patch = document([Operation::DeleteKey { key: place("a").0 }]);
    patch.comment("for Windows XP [x] \"y\"");
    patch.push(set(&place(r"a\b\c"), &value));
    patch.comment("");
    patch.push(Operation::DeleteValue { key: place("z").0, name: units("n") });
    let expected = Values::from([(place(r"a\b\c"), value)]);
    assert_eq!(merged(&[before, patch], ""), expected);
}
