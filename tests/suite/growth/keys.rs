//! Keys and values of one hive.

use std::fs;

use super::{Counted, alone, grows_with};
use crate::builder::{Hive, Key};
use crate::command_line::Desk;
use crate::fixture;

/// Writes a case with more in one of its hives.
pub(super) fn write(desk: &Desk, folder: &str, case: &str, role: &str, more: impl FnOnce(&mut Key)) {
    let mut case = fixture::compile(case).unwrap();
    let (_, hive) = case.hives.iter_mut().find(|(of, _)| *of == role).unwrap();
    more(&mut hive.root);
    case.write(&desk.path(folder)).unwrap();
}

/// Writes a hive with a key `K`.
fn write_hive(desk: &Desk, more: impl FnOnce(&mut Key)) {
    let mut hive = Hive::new("ROOT");
    hive.root.create("Microsoft");
    hive.root.create("Classes");
    more(hive.root.create("K"));
    fs::write(desk.path("SOFTWARE"), hive.to_bytes()).unwrap();
}

/// Adds so many subkeys, each with a value.
pub(super) fn add_subkeys(key: &mut Key, count: usize) {
    // Added as they are: `create` looks for a key with the same name.
    key.subkeys.extend((0..count).map(|number| {
        let mut subkey = Key::new(&format!("subkey{number:06}"));
        subkey.set_dword("Number", number.try_into().unwrap());
        subkey
    }));
}

/// Adds so many values.
fn add_values(key: &mut Key, count: usize) {
    let mut one = Key::new("K");
    one.set_dword("V", 1);
    let value = one.values[0].clone();
    key.values.extend((0..count).map(|number| {
        let name = format!("value{number:06}").encode_utf16().collect();
        crate::builder::Value { name, ..value.clone() }
    }));
}

#[test]
fn values_of_a_key_that_is_audited() {
    grows_with("values of an audited key", 300, Counted::Program, |desk, count| {
        write(desk, "evidence", "windows-xp", "SOFTWARE", |root| {
            add_values(root.create(r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn"), count);
        });
        alone(&["audit", "evidence", "--format", "json"])
    });
}

/// More than the names that a tree keeps at any time.
#[test]
fn subkeys_of_a_key_that_is_audited() {
    grows_with("subkeys of an audited key", 40_000, Counted::Program, |desk, count| {
        write(desk, "evidence", "windows-7", "SYSTEM", |root| {
            add_subkeys(root.create(r"ControlSet001\Services"), count);
        });
        alone(&["audit", "evidence", "--format", "json", "--no-hash"])
    });
}

#[test]
fn values_of_a_key_that_is_shown() {
    grows_with("values of a key", 1500, Counted::Program, |desk, count| {
        write_hive(desk, |key| add_values(key, count));
        ["show", "SOFTWARE", "K"].map(str::to_owned).into()
    });
}

#[test]
fn subkeys_that_are_shown() {
    for form in ["reg", "json", "table"] {
        grows_with(&format!("subkeys of a key as {form}"), 800, Counted::Program, |desk, count| {
            write_hive(desk, |key| add_subkeys(key, count));
            ["show", "SOFTWARE", "K", "--recursive", "--format", form].map(str::to_owned).into()
        });
    }
}

#[test]
fn keys_that_are_checked() {
    grows_with("keys of a whole walk", 1500, Counted::Program, |desk, count| {
        write_hive(desk, |key| add_subkeys(key, count));
        alone(&["find", "SOFTWARE", "--check", "--format", "jsonl"])
    });
}
