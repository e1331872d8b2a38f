//! The program: its outputs, its messages, and its exit codes.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use super::{Desk, values_of};
use crate::builder::log::{Entry, new_format};
use crate::builder::{self, PAGE};

fn code(desk: &Desk, arguments: &[&str]) -> (i32, String) {
    let output = desk.run(arguments);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_key_that_is_not_there_is_exit_2_and_nothing_on_stdout() {
    let desk = Desk::of("windows-xp", "SYSTEM");
    let output = desk.run(&["evidence/SYSTEM", "Nowhere"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert_eq!(code(&desk, &["evidence/SYSTEM", "Select"]), (0, String::new()));
    assert_eq!(code(&desk, &["evidence/NOTHING"]).0, 2);
    assert_eq!(code(&desk, &["evidence/SYSTEM", "Nowhere", "--output", "out.reg"]).0, 2);
    assert!(!desk.path("out.reg").exists());
}

#[test]
fn several_hives_are_named_and_none_is_chosen() {
    let desk = Desk::of("windows-xp", "SYSTEM");
    fs::copy(desk.hive(), desk.path("evidence/SYSTEM.bak")).unwrap();
    let (code, said) = code(&desk, &["evidence", "Select"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(said, @"hivemend: error: refused: evidence: contains 2 hives. Name one of them: evidence/SYSTEM, evidence/SYSTEM.bak");
}

#[test]
fn a_file_is_as_regedit_writes_it_and_never_in_the_evidence() {
    let desk = Desk::of("windows-xp", "SYSTEM");
    let before = fs::read(desk.hive()).unwrap();
    for place in ["evidence/SYSTEM", "evidence/SYSTEM.LOG1", "evidence/../evidence/SYSTEM"] {
        let (code, said) = code(&desk, &["evidence/SYSTEM", "Select", "--output", place]);
        assert!(code == 2 && said.contains("evidence is never written to"), "{place}: {said}");
    }
    assert_eq!(code(&desk, &["evidence/SYSTEM", "Select", "--output", "out.reg"]), (0, String::new()));
    assert_eq!(code(&desk, &["evidence/SYSTEM", "Select", "--output", "none/out.reg"]).0, 2);
    let file = fs::read(desk.path("out.reg")).unwrap();
    assert_eq!(file.get(..4), Some(&b"\xff\xfeW\0"[..]));
    assert_eq!(values_of(&file).len(), 4);
    assert_eq!(fs::read(desk.hive()).unwrap(), before);
    assert_eq!(fs::read_dir(desk.path("")).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let desk = Desk::of("windows-10", "SYSTEM");
    let mut child = Command::new(env!("CARGO_BIN_EXE_hivemend"))
        .args(["show", "evidence/SYSTEM", "-r", "--format", "json"])
        .current_dir(desk.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

/// A dirty hive whose log sets another number.
fn dirty(with_log: bool) -> Desk {
    let with_start = |start| {
        let mut hive = builder::Hive::new("ROOT");
        hive.root.create("Key").set_dword("Start", start);
        hive
    };
    let before = builder::Hive { primary_sequence: 8, secondary_sequence: 7, ..with_start(3) };
    let (primary, state) = (before.to_bytes(), with_start(4).to_bytes());
    let base_block = before.base_block(u32::try_from(state.len() - PAGE).unwrap());
    let log = new_format(&base_block, 7, &[Entry::between(7, &primary, &state)]);
    let desk = Desk::with("hive", &primary);
    if with_log {
        fs::write(desk.path("evidence/hive.LOG1"), log).unwrap();
        fs::write(desk.path("evidence/hive.LOG2"), b"").unwrap();
    }
    desk
}

#[test]
fn logs_beside_a_dirty_hive_are_replayed_unless_told_otherwise() {
    let desk = dirty(true);
    let run = |arguments: &[&str]| {
        let output = desk.run(&[&["evidence/hive", "Key"], arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let start = text.lines().find_map(|line| line.strip_prefix("\"Start\"=dword:0000000")).unwrap().to_owned();
        (output.status.code().unwrap(), start, String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&[]), (0, "4".into(), String::new()));
    assert_eq!(run(&["--no-mmap"]), (0, "4".into(), String::new()));
    let (code, start, said) = run(&["--no-replay"]);
    assert_eq!((code, start.as_str()), (3, "3"));
    assert!(said.contains("its transaction logs were not replayed"), "{said}");
    assert_eq!(run(&["--no-replay", "--quiet"]), (3, "3".into(), String::new()));
}

#[test]
fn a_dirty_hive_without_its_logs_is_exit_3_and_a_line_on_stderr() {
    let desk = dirty(false);
    for format in ["reg", "json", "table"] {
        let (code, said) = code(&desk, &["evidence/hive", "Key", "--format", format]);
        assert_eq!((code, said.lines().count()), (3, 1), "{said}");
        assert!(said.contains("its transaction logs (.LOG, .LOG1, .LOG2) are missing"), "{said}");
    }
    let output = desk.run(&["evidence/hive", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["problems"].as_array().unwrap().len(), 1);
}
