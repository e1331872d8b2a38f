//! Transaction logs in another archive than their hive.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use super::program::{Desk, START, finding};
use crate::archives::zip_of;

const CONFIG: &str = "C/Windows/System32/config";

/// A dirty SYSTEM whose log disables BITS; its files are packed by the tests.
fn desk() -> Desk {
    Desk::with("windows-7", "windows-7-bits-disabled", false)
}

/// Packs files of the desk into a zip, in this folder.
fn pack(desk: &Desk, zip: &str, folder: &str, names: &[&str]) {
    let bytes: Vec<(String, Vec<u8>)> = names
        .iter()
        .map(|name| (format!("{folder}{name}"), fs::read(desk.path("evidence").join(name)).unwrap()))
        .collect();
    let members: Vec<(&str, &[u8])> = bytes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    fs::create_dir_all(desk.path(zip).parent().unwrap()).unwrap();
    zip_of(&desk.path(zip), &members);
}

const HIVES: [&str; 2] = ["SOFTWARE", "SYSTEM"];
const LOGS: [&str; 2] = ["SYSTEM.LOG1", "SYSTEM.LOG2"];

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn audited(desk: &Desk, arguments: &[&str]) -> Value {
    report(&desk.run(&[&["audit", "--format", "json", "--exit-zero"], arguments].concat()))
}

fn integrity(report: &Value) -> Value {
    let hives = report["installations"][0]["hives"].as_array().unwrap();
    hives.iter().find(|hive| hive["role"] == "SYSTEM").unwrap()["integrity"].clone()
}

/// Checks that the log in `logs` was replayed, and that nothing is missing.
fn is_recovered(report: &Value, logs: &str) {
    assert_eq!(report["summary"]["gaps"], json!([]), "{}", report["sources"]);
    assert_eq!(report["installations"].as_array().unwrap().len(), 1);
    let integrity = integrity(report);
    assert_eq!(integrity["state"], "recovered", "{integrity}");
    let used = integrity["replay"]["logs_used"][0].as_str().unwrap();
    assert!(used.starts_with(&format!("{logs}!")) && used.ends_with("SYSTEM.LOG1"), "{used}");
    assert_eq!(finding(report, START).unwrap()["verdict"], "deviates");
    let sources = report["sources"].as_array().unwrap();
    let [lender] = sources.iter().filter(|source| source["locator"] == logs).collect::<Vec<_>>()[..] else {
        panic!("{sources:?}");
    };
    assert_eq!(lender["reason"], "its transaction logs were examined with a hive in another container");
    // The empty one is not counted.
    assert_eq!((&lender["members"]["read"], &lender["members"]["irrelevant"]), (&json!(1), &json!(0)), "{lender}");
}

#[test]
fn logs_in_an_archive_beside_the_hives_archive_are_replayed_in_any_order() {
    for logs in ["case/a-logs.zip", "case/logs.zip"] {
        for no_sandbox in [false, true] {
            let desk = desk();
            pack(&desk, "case/hives.zip", &format!("{CONFIG}/"), &HIVES);
            pack(&desk, logs, &format!("{CONFIG}/"), &LOGS);
            let more: &[&str] = if no_sandbox { &["--no-sandbox"] } else { &[] };
            is_recovered(&audited(&desk, &[&["case"], more].concat()), logs);
            is_recovered(&audited(&desk, &[&["case/hives.zip", logs], more].concat()), logs);
            let report = audited(&desk, &[&["case/hives.zip"], more].concat());
            assert_eq!(integrity(&report)["state"], "recovered");
        }
    }
}

#[test]
fn a_label_joins_archives_of_different_folders() {
    let desk = desk();
    pack(&desk, "one/hives.zip", "", &HIVES);
    pack(&desk, "two/logs.zip", "", &LOGS);
    is_recovered(&audited(&desk, &["one/hives.zip", "two/logs.zip", "--label", "PC"]), "two/logs.zip");
    // Without it nobody says that they belong together.
    let report = audited(&desk, &["one/hives.zip", "two/logs.zip"]);
    assert_eq!(integrity(&report)["state"], "dirty");
}

#[test]
fn plain_hives_find_their_logs_in_an_archive_beside_them() {
    let desk = desk();
    pack(&desk, "evidence/logs.zip", "", &LOGS);
    for name in LOGS {
        fs::remove_file(desk.path("evidence").join(name)).unwrap();
    }
    is_recovered(&audited(&desk, &["evidence"]), "evidence/logs.zip");
}

#[test]
fn logs_of_another_place_or_of_several_archives_are_not_taken() {
    let desk = desk();
    pack(&desk, "case/hives.zip", &format!("{CONFIG}/"), &HIVES);
    pack(&desk, "case/logs.zip", "D/Windows/System32/config/", &LOGS);
    let report = audited(&desk, &["case"]);
    assert_eq!(integrity(&report)["state"], "dirty");
    assert_eq!(report["summary"]["gaps"][0]["code"], "hive-dirty");

    pack(&desk, "case/logs.zip", &format!("{CONFIG}/"), &LOGS);
    pack(&desk, "case/more.zip", &format!("{CONFIG}/"), &LOGS);
    let report = audited(&desk, &["case"]);
    assert_eq!(integrity(&report)["state"], "dirty");
    let problems = report["problems"].to_string();
    assert!(problems.contains("logs in case/logs.zip and case/more.zip"), "{problems}");
}

/// Logs that lie beside their own hives are those hives' logs.
#[test]
fn logs_with_a_hive_of_their_own_are_not_lent() {
    let desk = desk();
    pack(&desk, "case/hives.zip", &format!("{CONFIG}/"), &HIVES);
    pack(&desk, "case/whole.zip", &format!("{CONFIG}/"), &[&HIVES[..], &LOGS].concat());
    let report = audited(&desk, &["case"]);
    let states: Vec<String> = report["installations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["hives"][1]["integrity"]["state"].to_string())
        .collect();
    assert_eq!(states, [r#""dirty""#, r#""recovered""#]);
}

#[test]
fn show_and_custody_know_the_log_of_another_archive_too() {
    let desk = desk();
    pack(&desk, "case/hives.zip", "", &HIVES);
    pack(&desk, "case/logs.zip", "", &LOGS);
    let key = r"HKLM\SYSTEM\ControlSet001\Services\BITS";
    let shown = desk.run(&["show", "case/hives.zip!SYSTEM", key, "--format", "reg"]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        text.replace('\0', "").contains("\"Start\"=dword:00000004"),
        "{text}{}",
        String::from_utf8_lossy(&shown.stderr)
    );
    audited(&desk, &["case", "--custody", "custody.json"]);
    let custody: Value = serde_json::from_slice(&fs::read(desk.path("custody.json")).unwrap()).unwrap();
    let files: Vec<&str> =
        custody["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(files, ["case/hives.zip", "case/logs.zip"]);
    assert_eq!(custody["unchanged"], true);
}
