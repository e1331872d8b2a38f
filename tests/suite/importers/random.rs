//! Random values through hivexregedit: from our text into a hive, and from a hive into text that we read.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use hivemend::reg_file::Dialect;

use super::{exported, is_installed, merge};
use crate::agreement::script;
use crate::fixture::root_of;
use crate::harness;
use crate::values::{Values, assert_same, assert_same_to_libregf, empty_hive, libregfs, ours, random_values, text_of};

/// At least this many values each way.
const COUNT: usize = 600;

#[test]
fn hivexregedit_stores_600_random_values_as_three_readers_find_them() {
    if !is_installed() {
        return;
    }
    let root = root_of("SOFTWARE");
    let values = random_values(COUNT, &root, Dialect::Hivex);
    assert_eq!(values.len(), COUNT);
    let folder = tempfile::tempdir().unwrap();
    let hive = folder.path().join("hive");
    empty_hive(&hive);
    merge(&text_of(&values, Dialect::Hivex), "SOFTWARE", &hive);
    assert_same(&ours(&hive, &root, &[""]), &values, "by us");
    assert_same(&exported("SOFTWARE", &hive, ""), &values, "by hivexregedit");
    if let Some(found) = libregfs(&hive, &root, &[]) {
        assert_same_to_libregf(&found, &values, "SOFTWARE");
    }
}

#[test]
fn what_hivexregedit_exports_of_600_random_values_is_read_byte_for_byte() {
    if !is_installed() {
        return;
    }
    let root = root_of("SOFTWARE");
    let values = random_values(COUNT, &root, Dialect::Hivex);
    let folder = tempfile::tempdir().unwrap();
    let hive = folder.path().join("hive");
    empty_hive(&hive);
    if !put_by_hivex(&values, &root, &hive) {
        return;
    }
    let found = exported("SOFTWARE", &hive, "");
    assert_eq!(found.len(), COUNT);
    assert_same(&found, &values, "exported");
}

/// Whether hivex is installed, and has put the values into the hive.
fn put_by_hivex(values: &Values, root: &str, hive: &Path) -> bool {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    };
    let mut lines = String::new();
    for ((key, name), (data_type, bytes)) in values {
        let path = hex(key.strip_prefix(root).unwrap().as_bytes());
        let name = hex(String::from_utf16(name).unwrap().as_bytes());
        writeln!(lines, "{path}\t{name}\t{data_type}\t{}", hex(bytes)).unwrap();
    }
    let before = fs::read(hive).unwrap();
    let mut child = script("write_with_hivex.py").arg(hive).stdin(Stdio::piped()).spawn().unwrap();
    let written = child.stdin.take().unwrap().write_all(lines.as_bytes());
    match child.wait().unwrap().code() {
        Some(77) => {
            harness::lacks_program("hivex (python3-hivex)");
            false
        }
        code => {
            written.unwrap();
            assert_eq!(code, Some(0));
            assert_ne!(fs::read(hive).unwrap(), before);
            true
        }
    }
}
