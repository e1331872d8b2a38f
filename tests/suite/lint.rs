//! `lint`: what the program reports about received `.reg` files.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::command_line::Desk;

mod codes;

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A file as regedit writes it, apart from its content.
fn regedit_file(text: &str) -> Vec<u8> {
    utf16(&format!("\u{feff}{}", text.replace('\n', "\r\n")))
}

const HARMLESS: &str =
    "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\"a\"=\"1\"\n\n";

/// One of everything that does not do what it seems to.
const TRAPS: &str = "Windows Registry Editor Version 5.00

; a comment with \u{202e}gnp.exe
[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]
@=\"the default\"
\"Plain\"=dword:00000003
\"Path\"=hex(2):25,00,61,00,25,00,00,00
\"Bytes\"=hex:de,ad,be,ef
\"Gone\"=-
\"Lost\"=hex:01,02,\\
[HKEY_LOCAL_MACHINE\\SOFTWARE\\Swallowed]
\"Misplaced\"=\"in Example\\\\\u{1b}[2J\"
[HKEY_LOCAL_MACHINE\\SOFTWARE\\Real] ; see [the note]
\"x\"=\"1\"
[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\BITS]
\"Start\"=dword:00000004
\"Sta\u{200b}rt\"=dword:00000002
“ImagePath”=“evil.exe”
\"DisplayName\"=“Updates”
\"日本語\"=Asdf
[HKLM\\SOFTWARE\\Short]
\"never\"=\"set\"
[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Doomed]
not a line
not a line
not a line
not a line
not a line
not a line
not a line
";

#[test]
fn a_file_full_of_traps_is_taken_apart() {
    let desk = Desk::with(&[]);
    fs::write(desk.path("traps.reg"), regedit_file(TRAPS)).unwrap();
    let output = desk.run(&["lint", "traps.reg"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

#[test]
fn a_long_line_is_cut_and_colours_are_kept_apart() {
    let desk = Desk::with(&[]);
    let long = "x".repeat(3000);
    let text = format!("REGEDIT4\n[HKEY_USERS\\k]\n\"{long}\"=dword:12345678 {long}\n");
    fs::write(desk.path("long.reg"), text).unwrap();
    let plain = String::from_utf8(desk.run(&["lint", "long.reg"]).stdout).unwrap();
    insta::assert_snapshot!(plain);
    let coloured = String::from_utf8(desk.run(&["lint", "long.reg", "--color", "always"]).stdout).unwrap();
    // A sentence is bold where it says what is wrong; its words say how.
    assert!(coloured.contains("\u{1b}[1m"));
    let stripped = coloured.split('\u{1b}').enumerate().map(|(index, piece)| match index {
        0 => piece,
        _ => piece.split_once('m').unwrap().1,
    });
    assert_eq!(stripped.collect::<String>(), plain);
}

#[test]
fn json_has_what_the_contract_promises() {
    let desk = Desk::with(&[]);
    fs::write(desk.path("traps.reg"), regedit_file(TRAPS)).unwrap();
    let report = desk.json(&["lint", "traps.reg", "--format", "json"]);
    assert_eq!(report["schema_version"], "1");
    let file = &report["files"][0];
    let keys: Vec<&String> = file.as_object().unwrap().keys().collect();
    let mut expected = ["path", "encoding", "header", "strict", "operations", "diagnostics"];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!((&file["path"], &file["encoding"]), (&"traps.reg".into(), &"utf-16le-bom".into()));
    assert_eq!(file["header"], "Windows Registry Editor Version 5.00");
    assert_eq!(file["strict"], "reject");
    let lines: Vec<String> = file["operations"].as_array().unwrap().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"));
    let diagnostics = file["diagnostics"].as_array().unwrap();
    let unknown: Vec<&serde_json::Value> = diagnostics.iter().filter(|found| found["code"] == "unknown-line").collect();
    assert_eq!(unknown.len(), 1, "a remark stands once");
    assert_eq!((&unknown[0]["count"], unknown[0]["lines"].as_array().unwrap().len()), (&7.into(), 7));
    assert_eq!(
        diagnostics.iter().find(|found| found["code"] == "abbreviated-root").unwrap(),
        &serde_json::json!({
            "line": 21, "column": 2, "severity": "error", "code": "abbreviated-root",
            "message": "regedit refuses root keys by their short names: everything below is dropped; write HKEY_LOCAL_MACHINE",
            "importers": ["regedit"], "count": 1, "lines": [21],
        })
    );
}

#[test]
fn the_exit_code_is_that_of_the_worst_file() {
    let desk = Desk::with(&[]);
    fs::write(desk.path("good.reg"), regedit_file(HARMLESS)).unwrap();
    fs::write(desk.path("warned.reg"), HARMLESS).unwrap();
    fs::write(desk.path("bad.reg"), utf16(HARMLESS)).unwrap();
    assert_eq!(desk.code(&["lint", "good.reg"]), 0);
    assert_eq!(desk.code(&["lint", "good.reg", "warned.reg"]), 1);
    assert_eq!(desk.code(&["lint", "bad.reg"]), 1);
    assert_eq!(desk.code(&["lint"]), 2);
    let strict = desk.json(&["lint", "good.reg", "warned.reg", "bad.reg", "--format", "json"]);
    let verdicts = [0, 1, 2].map(|file| strict["files"][file]["strict"].as_str().unwrap());
    assert_eq!(verdicts, ["accept", "warn", "reject"]);
    let bad = &strict["files"][2];
    assert_eq!((&bad["header"], &bad["operations"]), (&serde_json::Value::Null, &serde_json::json!([])));
    assert_eq!(bad["diagnostics"][0]["code"], "utf16-without-mark");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_linted() {
    let desk = Desk::with(&[]);
    fs::write(desk.path("good.reg"), regedit_file(HARMLESS)).unwrap();
    let complaint = desk.complaint(2, &["lint", "nowhere.reg"]);
    insta::assert_snapshot!(complaint.trim(), @"hivemend: error: nowhere.reg: cannot be read: No such file or directory (os error 2). Name .reg files, or - for one on stdin");
    assert!(desk.complaint(2, &["lint", ".", "--format", "json"]).contains("hivemend: error: .: cannot be read"));
    let output = desk.run(&["lint", "nowhere.reg", "good.reg", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["files"].as_array().unwrap().len(), 1);
    assert_eq!(report["files"][0]["path"], "good.reg");
}

fn piped(bytes: &[u8], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    let mut child =
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_dash_is_stdin() {
    let output = piped(&regedit_file(HARMLESS), &["lint", "-"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
    let empty = piped(b"", &["lint", "-", "--format", "json"]);
    assert_eq!(empty.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&empty.stdout).unwrap();
    assert_eq!(report["files"][0]["diagnostics"][0]["code"], "empty-file");
}

#[test]
fn the_output_goes_to_a_file_and_never_over_the_one_that_is_linted() {
    let desk = Desk::with(&[]);
    fs::write(desk.path("good.reg"), regedit_file(HARMLESS)).unwrap();
    let output = desk.run(&["lint", "good.reg", "--output", "report.txt"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert!(fs::read_to_string(desk.path("report.txt")).unwrap().contains("accept: no diagnostics"));
    desk.complaint(2, &["lint", "good.reg", "--output", "good.reg"]);
    assert_eq!(fs::read(desk.path("good.reg")).unwrap(), regedit_file(HARMLESS));
}

/// Whatever a file holds, its lines come out of the table as they should: nothing steers, and every caret has its line.
#[test]
fn nothing_of_a_hostile_file_reaches_the_terminal() {
    let hostile: String = (1..0x3000_u32).filter_map(char::from_u32).collect();
    let text =
        format!("Windows Registry Editor Version 5.00\n[HKEY_USERS\\{hostile}]\n\"{hostile}\"=dword:x{hostile}\n");
    let output = piped(&regedit_file(&text), &["lint", "-"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.lines().count() > 20, "{said}");
    for character in said.chars() {
        let steers = character.is_control() || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        assert!(!steers || character == '\n', "{character:?}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 120), "{said}");
}

#[test]
fn what_only_hivexregedit_does_is_told_beside_and_changes_no_exit_code() {
    let desk = Desk::with(&[]);
    let text = "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\BITS]\n\
                \"Start\"=dword:2 ; as it was\n\n";
    fs::write(desk.path("x.reg"), regedit_file(text)).unwrap();
    let page = String::from_utf8(desk.run(&["lint", "x.reg"]).stdout).unwrap();
    assert!(page.contains("accept: no diagnostics") && page.contains("[hivex-bad-value]"), "{page}");
    assert!(page.contains("Where hivexregedit differs, once the file is UTF-8 (2)"), "{page}");
    let codes = |importer: &str| {
        let report = desk.json(&["lint", "x.reg", "--format", "json", "--importer", importer]);
        let found = report["files"][0]["diagnostics"].as_array().unwrap().clone();
        let said = |found: &serde_json::Value| format!("{} {}", found["code"].as_str().unwrap(), found["importers"]);
        (report["files"][0]["strict"].as_str().unwrap().to_owned(), found.iter().map(said).collect::<Vec<_>>())
    };
    let hivex = |code: &str| format!("{code} [\"hivexregedit\"]");
    let both = vec![hivex("current-control-set"), hivex("hivex-bad-value")];
    assert_eq!(codes("all"), ("accept".to_owned(), both));
    assert_eq!(codes("regedit"), ("accept".to_owned(), vec![]));
    // As it is, hivexregedit does not get beyond the first line.
    assert_eq!(codes("hivexregedit"), ("accept".to_owned(), vec![hivex("hivex-utf-16")]));
    let exit = |importer: &str| desk.code(&["lint", "x.reg", "--importer", importer]);
    assert_eq!((exit("all"), exit("regedit"), exit("hivexregedit")), (0, 0, 1));
    let page = String::from_utf8(desk.run(&["lint", "x.reg", "--importer", "hivexregedit"]).stdout).unwrap();
    assert!(page.contains("hivexregedit would do nothing"), "{page}");
}

#[test]
fn what_is_no_reg_file_at_all_is_named() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let hive = "evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM";
    let complaint = desk.complaint(2, &["lint", hive]);
    assert!(complaint.contains("SYSTEM: a registry hive, not a .reg file"), "{complaint}");
    fs::write(desk.path("x.zip"), b"PK\x03\x04\x14\0\0\0").unwrap();
    assert!(desk.complaint(2, &["lint", "x.zip"]).contains("x.zip: an archive or compressed file (zip)"));
    assert!(desk.complaint(2, &["verify", hive, "evidence"]).contains("a registry hive, not a .reg file"));
    fs::write(desk.path("x.reg"), regedit_file(HARMLESS)).unwrap();
    let complaint = desk.complaint(2, &["verify", "evidence/windows-7-bits-disabled", "x.reg"]);
    assert!(complaint.contains("Name the .reg files first, then the evidence"), "{complaint}");
}

#[test]
fn two_byte_order_marks_and_names_that_are_too_long_are_told() {
    let desk = Desk::with(&[]);
    let codes = |text: &str| {
        fs::write(desk.path("x.reg"), utf16(&text.replace('\n', "\r\n"))).unwrap();
        let file = desk.json(&["lint", "x.reg", "--format", "json", "--importer", "regedit"])["files"][0].clone();
        let codes =
            file["diagnostics"].as_array().unwrap().iter().map(|found| found["code"].as_str().unwrap().to_owned());
        (codes.collect::<Vec<_>>(), file["operations"].as_array().unwrap().len())
    };
    assert_eq!(codes(&format!("\u{feff}\u{feff}{HARMLESS}")), (vec!["two-marks".to_owned()], 2));
    let named = |count: usize| format!("\u{feff}{HARMLESS}[HKEY_USERS\\k]\n\"{}\"=dword:1\n", "n".repeat(count));
    assert_eq!(codes(&named(16_383)), (vec![], 4));
    assert_eq!(codes(&named(16_384)), (vec!["value-name-too-long".to_owned()], 3));
}
