//! Other people's readers must find the contents that were put into a built hive. A test without its reader is ignored.

use super::everything;
use crate::builder::{BIG_DATA_SEGMENT, Hive, Key, ListKind, Value, reg_type, upcase};
use crate::harness;
use nt_hive::{Hive as NtHive, KeyNode, KeyValueData, NtHiveError};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

#[test]
fn hivex_reads_what_was_built() {
    for (what, mut hive) in variants() {
        let Some(found) = read_by("read_with_hivex.py", &hive) else { return };
        hive.root.create("All types").class = None; // hivex does not read it
        assert_same(&dump(&hive, |value| value.data.clone()), &found, &what);
    }
}

#[test]
fn libregf_reads_what_was_built() {
    for (what, mut hive) in variants() {
        if hive.minor == 4 {
            // libregf knows big data from 1.5 on; in 1.4 it takes the record for the data.
            hive.root.create("Sizes").values.retain(|value| value.data.len() <= BIG_DATA_SEGMENT);
        }
        let Some(found) = read_by("read_with_libregf.py", &hive) else { return };
        assert_same(&dump(&hive, with_ending_nul), &found, &what);
    }
}

#[test]
fn nt_hive_reads_what_was_built() {
    for (what, mut hive) in variants() {
        if hive.minor == 3 {
            // nt-hive takes any datum that long for big data, which 1.3 has not.
            hive.root.create("Sizes").values.retain(|value| value.data.len() <= BIG_DATA_SEGMENT);
        }
        let bytes = hive.to_bytes();
        let read = NtHive::new(bytes.as_slice()).unwrap(); // the header is checked here
        let mut found = String::new();
        dump_node(&read.root_key_node().unwrap(), "", &mut found);
        let expected = dump(&hive, |value| value.data.clone());
        let without_times: Vec<_> = expected.lines().map(|line| line.split("\ttime ").next().unwrap()).collect();
        assert_same(&without_times.join("\n"), &found, &what);
    }
}

/// nt-hive looks names up by halving: it finds all only if they are sorted.
#[test]
fn nt_hive_finds_every_subkey() {
    let hive = everything();
    let bytes = hive.to_bytes();
    let read = NtHive::new(bytes.as_slice()).unwrap();
    let root = read.root_key_node().unwrap();
    for parent in &hive.root.subkeys {
        let parent_name = String::from_utf16(&parent.name).unwrap();
        let node = root.subkey(&parent_name).unwrap().unwrap();
        for subkey in &parent.subkeys {
            let name = String::from_utf16(&subkey.name).unwrap();
            assert!(node.subkey(&name).is_some(), "{parent_name}\\{name}");
        }
    }
}

/// The same tree in every version of the format and with every kind of list.
fn variants() -> Vec<(String, Hive)> {
    let versions = (3..=6).map(|minor| (minor, ListKind::Auto));
    let kinds = [ListKind::Lf, ListKind::Lh, ListKind::Li, ListKind::Ri].map(|list_kind| (5, list_kind));
    let hive = everything();
    let variant = |(minor, list_kind)| (format!("1.{minor}, {list_kind:?}"), Hive { minor, list_kind, ..hive.clone() });
    versions.chain(kinds).map(variant).collect()
}

/// The tree as the scripts in `tests/support` print it; `read` is what the reader makes of data.
fn dump(hive: &Hive, read: fn(&Value) -> Vec<u8>) -> String {
    let mut text = String::new();
    dump_key(&hive.root, "", read, &mut text);
    text
}

fn dump_key(key: &Key, path: &str, read: fn(&Value) -> Vec<u8>, text: &mut String) {
    let class = String::from_utf16(key.class.as_deref().unwrap_or_default()).unwrap();
    writeln!(text, "key\t{path}\tclass {class}\ttime {}", key.last_written).unwrap();
    for value in &key.values {
        dump_value(&String::from_utf16(&value.name).unwrap(), value.data_type, &read(value), text);
    }
    let mut subkeys: Vec<_> = key.subkeys.iter().collect();
    subkeys.sort_by_key(|subkey| subkey.name.iter().copied().map(upcase).collect::<Vec<_>>());
    for subkey in subkeys {
        dump_key(subkey, &format!("{path}\\{}", String::from_utf16(&subkey.name).unwrap()), read, text);
    }
}

/// The same, without the time, of what nt-hive reads.
fn dump_node(node: &KeyNode<&[u8]>, path: &str, text: &mut String) {
    let class = node.class_name().map_or_else(String::new, |class| class.unwrap().to_string_checked().unwrap());
    writeln!(text, "key\t{path}\tclass {class}").unwrap();
    for value in node.values().into_iter().flat_map(Result::unwrap) {
        let value = value.unwrap();
        let data_type = match value.data_type() {
            Ok(data_type) => data_type as u32,
            Err(NtHiveError::UnsupportedKeyValueDataType { actual, .. }) => actual,
            Err(error) => panic!("{error}"),
        };
        let data = match value.data().unwrap() {
            KeyValueData::Small(data) => data.to_vec(),
            big @ KeyValueData::Big(_) => big.into_vec().unwrap(),
        };
        dump_value(&value.name().unwrap().to_string_checked().unwrap(), data_type, &data, text);
    }
    for subkey in node.subkeys().into_iter().flat_map(Result::unwrap) {
        let subkey = subkey.unwrap();
        let name = subkey.name().unwrap().to_string_checked().unwrap();
        dump_node(&subkey, &format!("{path}\\{name}"), text);
    }
}

fn dump_value(name: &str, data_type: u32, data: &[u8], text: &mut String) {
    write!(text, "value\t{name}\t{data_type}\t").unwrap();
    for byte in data {
        write!(text, "{byte:02x}").unwrap();
    }
    text.push('\n');
}

/// libregf gives a string that does not end in NUL one.
fn with_ending_nul(value: &Value) -> Vec<u8> {
    let mut data = value.data.clone();
    let is_string = matches!(value.data_type, reg_type::SZ | reg_type::EXPAND_SZ);
    if is_string && !data.is_empty() && !data.ends_with(&[0, 0]) {
        data.extend([0, 0]);
    }
    data
}

/// Has a script in `tests/support` read the hive; none if what it needs is not installed.
fn read_by(script: &str, hive: &Hive) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hive");
    std::fs::write(&file, hive.to_bytes()).unwrap();
    let script = format!("{}/tests/support/{script}", env!("CARGO_MANIFEST_DIR"));
    // Debian's modules are for Debian's Python, not for one that may come before it.
    let python = if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" };
    let Ok(output) = Command::new(python).arg("-B").arg(&script).arg(&file).output() else {
        harness::lacks_program(python);
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        harness::lacks("python module", errors.trim());
        return None;
    }
    assert!(output.status.success(), "{script}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Says where two dumps differ; the whole of them would be megabytes.
fn assert_same(expected: &str, found: &str, what: &str) {
    for (number, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        let shown = |line: &str| line.chars().take(200).collect::<String>();
        assert!(expected == found, "{what}, line {number}:\nbuilt {}\nread  {}", shown(expected), shown(found));
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "{what}: lines");
}
