//! Other people's readers must find in a built hive what was put in. Where one is not installed, it is skipped.

use super::everything;
use crate::builder::{Hive, Key, ListKind};
use std::fmt::Write as _;
use std::process::Command;

/// The tree as the oracles' scripts print it.
fn dump(hive: &Hive) -> String {
    let mut text = String::new();
    dump_key(&hive.root, "", &mut text);
    text
}

fn dump_key(key: &Key, path: &str, text: &mut String) {
    writeln!(text, "key\t{path}\t{}", key.last_written).unwrap();
    for value in &key.values {
        let name = String::from_utf16(&value.name).unwrap();
        write!(text, "value\t{name}\t{}\t", value.data_type).unwrap();
        for byte in &value.data {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    let mut subkeys: Vec<_> = key.subkeys.iter().collect();
    subkeys.sort_by_key(|subkey| subkey.name.iter().map(|&unit| crate::builder::upcase(unit)).collect::<Vec<_>>());
    for subkey in subkeys {
        dump_key(subkey, &format!("{path}\\{}", String::from_utf16(&subkey.name).unwrap()), text);
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
    let mut variants = Vec::new();
    for minor in 3..=6 {
        for list_kind in [ListKind::Auto, ListKind::Lf, ListKind::Lh, ListKind::Li, ListKind::Ri] {
            let hive = Hive { minor, list_kind, ..everything() };
            variants.push((format!("1.{minor}, {list_kind:?}"), hive));
        }
    }
    variants
}

#[test]
fn hivex_reads_what_was_built() {
    for (what, hive) in variants() {
        let Some(found) = read_by("read_with_hivex.py", &hive) else { return };
        assert_same(&dump(&hive), &found, &what);
    }
}

#[test]
fn libregf_reads_what_was_built() {
    for (what, hive) in variants() {
        let Some(found) = read_by("read_with_libregf.py", &hive) else { return };
        assert_same(&dump(&hive), &found, &what);
    }
}
