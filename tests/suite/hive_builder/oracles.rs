//! Other people's readers must find in a built hive what was put in. Where one is not installed, it is skipped.

use super::everything;
use crate::builder::{BIG_DATA_SEGMENT, Hive, Key, ListKind, Value, reg_type};
use std::fmt::Write as _;
use std::process::Command;

/// What a reader makes of data.
type Reading = fn(&Value) -> Vec<u8>;

/// The tree as the oracles' scripts print it.
fn dump(hive: &Hive, read: Reading) -> String {
    let mut text = String::new();
    dump_key(&hive.root, "", read, &mut text);
    text
}

fn dump_key(key: &Key, path: &str, read: Reading, text: &mut String) {
    writeln!(text, "key\t{path}\t{}", key.last_written).unwrap();
    for value in &key.values {
        let name = String::from_utf16(&value.name).unwrap();
        write!(text, "value\t{name}\t{}\t", value.data_type).unwrap();
        for byte in read(value) {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    let mut subkeys: Vec<_> = key.subkeys.iter().collect();
    subkeys.sort_by_key(|subkey| subkey.name.iter().map(|&unit| crate::builder::upcase(unit)).collect::<Vec<_>>());
    for subkey in subkeys {
        dump_key(subkey, &format!("{path}\\{}", String::from_utf16(&subkey.name).unwrap()), read, text);
    }
}

/// Has a script in `tests/support` read the hive; none if what it needs is not installed.
fn read_by(script: &str, hive: &Hive) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hive");
    std::fs::write(&file, hive.to_bytes()).unwrap();
    let script = format!("{}/tests/support/{script}", env!("CARGO_MANIFEST_DIR"));
    // Debian's modules are for Debian's Python, not for one that may come before it.
    let python = if std::path::Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" };
    let output = match Command::new(python).arg("-B").arg(&script).arg(&file).output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: {python}: {error}");
            return None;
        }
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        println!("skipped: {}", errors.trim());
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

/// The same tree in every version of the format and with every kind of list.
fn variants() -> Vec<(String, Hive)> {
    let versions = (3..=6).map(|minor| (minor, ListKind::Auto));
    let kinds = [ListKind::Lf, ListKind::Lh, ListKind::Li, ListKind::Ri].map(|list_kind| (5, list_kind));
    let hive = everything();
    let variant = |(minor, list_kind)| (format!("1.{minor}, {list_kind:?}"), Hive { minor, list_kind, ..hive.clone() });
    versions.chain(kinds).map(variant).collect()
}

#[test]
fn hivex_reads_what_was_built() {
    for (what, hive) in variants() {
        let Some(found) = read_by("read_with_hivex.py", &hive) else { return };
        assert_same(&dump(&hive, |value| value.data.clone()), &found, &what);
    }
}

#[test]
fn libregf_reads_what_was_built() {
    for (what, mut hive) in variants() {
        if hive.minor == 4 {
            // It knows big data in 1.5 only; in 1.4 it takes the record for the data.
            hive.root.create("Sizes").values.retain(|value| value.data.len() <= BIG_DATA_SEGMENT);
        }
        let Some(found) = read_by("read_with_libregf.py", &hive) else { return };
        assert_same(&dump(&hive, with_ending_nul), &found, &what);
    }
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
