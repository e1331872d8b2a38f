//! The program with dirty evidence: what it replays, what both views show, and what it does not change.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::builder::log::{Entry, new_format, old_format};
use crate::builder::{self, PAGE, log::changed_pages};
use crate::fixture;

pub(crate) const START: &str = "service-bits/Start";

/// SYSTEM of a case.
fn system(case: &str) -> builder::Hive {
    fixture::compile(case).unwrap().hives.into_iter().find(|(role, _)| *role == "SYSTEM").unwrap().1
}

/// Evidence whose SYSTEM is that of `before`, dirty, with a log that leads to that of `after`.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn with(before: &str, after: &str, old: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("evidence");
        fs::create_dir(&config).unwrap();
        for (role, hive) in fixture::compile(before).unwrap().hives {
            fs::write(config.join(role), hive.to_bytes()).unwrap();
        }
        let dirty = builder::Hive { primary_sequence: 8, secondary_sequence: 7, ..system(before) };
        let (primary, state) = (dirty.to_bytes(), system(after).to_bytes());
        let base_block = dirty.base_block(u32::try_from(state.len() - PAGE).unwrap());
        let log = if old {
            old_format(&base_block, 8, &changed_pages(&primary, &state))
        } else {
            new_format(&base_block, 7, &[Entry::between(7, &primary, &state)])
        };
        fs::write(config.join("SYSTEM"), primary).unwrap();
        fs::write(config.join(if old { "system.log" } else { "SYSTEM.LOG1" }), log).unwrap();
        if !old {
            fs::write(config.join("SYSTEM.LOG2"), b"").unwrap();
        }
        Self { folder }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
        command.args(arguments).current_dir(self.folder.path()).output().unwrap()
    }

    /// The report, and the exit code.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.run(&[arguments, &["evidence", "--format", "json"]].concat());
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (report, output.status.code().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

fn integrity(report: &Value) -> &Value {
    let hives = report["installations"][0]["hives"].as_array().unwrap();
    &hives.iter().find(|hive| hive["role"] == "SYSTEM").unwrap()["integrity"]
}

pub(crate) fn finding<'r>(report: &'r Value, id: &str) -> Option<&'r Value> {
    report["installations"][0]["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id)
}

fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_change_that_stands_in_the_log_alone_is_found_and_both_views_are_shown() {
    for old in [false, true] {
        let desk = Desk::with("windows-7", "windows-7-bits-disabled", old);
        let before = files(&desk.path("evidence"));
        let (report, code) = desk.json(&["audit"]);
        assert_eq!(code, 1);
        assert_eq!((&report["options"]["replay"], &report["summary"]["complete"]), (&json!(true), &json!(true)));
        let integrity = integrity(&report);
        assert_eq!(integrity["state"], "recovered", "{integrity}");
        assert_eq!((&integrity["primary_sequence"], &integrity["secondary_sequence"]), (&json!(8), &json!(7)));
        assert_eq!((&integrity["logs"][0]["state"], &integrity["problems"]), (&json!("used"), &json!([])));
        let replay = &integrity["replay"];
        assert_eq!(replay["log_format"], if old { "old" } else { "new" });
        assert_eq!(replay["logs_used"], json!([integrity["logs"][0]["path"]]));
        let finding = finding(&report, START).unwrap();
        assert_eq!((&finding["verdict"], &finding["view"]), (&json!("deviates"), &json!("both-differ")));
        assert_eq!(finding["other_view"]["verdict"], "conforms");
        assert_eq!((&finding["observed"]["data"], &finding["other_view"]["observed"]["data"]), (&json!(4), &json!(3)));
        assert_eq!(files(&desk.path("evidence")), before);
    }
}

#[test]
fn without_replay_the_primary_file_is_audited_as_it_lies() {
    let desk = Desk::with("windows-7-bits-disabled", "windows-7", false);
    let (report, code) = desk.json(&["audit", "--no-replay"]);
    assert_eq!((code, &report["options"]["replay"]), (3, &json!(false)));
    assert_eq!((&integrity(&report)["state"], &integrity(&report)["replay"]), (&json!("dirty"), &Value::Null));
    assert_eq!(integrity(&report)["logs"][0]["state"], "not-replayed");
    let found = finding(&report, START).unwrap();
    assert_eq!(
        (&found["verdict"], &found["view"], &found["other_view"]),
        (&json!("deviates"), &json!("primary"), &Value::Null)
    );

    // With it all is well, and what was not until the logs were replayed is shown all the same.
    let (report, code) = desk.json(&["audit"]);
    assert_eq!(code, 0);
    let found = finding(&report, START).unwrap();
    assert_eq!((&found["verdict"], &found["view"]), (&json!("conforms"), &json!("both-differ")));
    assert_eq!((&found["other_view"]["verdict"], &found["remediation"]), (&json!("deviates"), &Value::Null));
}

#[test]
fn findings_tell_the_view_that_they_rest_on() {
    let desk = Desk::with("windows-7", "windows-7-bits-disabled", false);
    let (report, _) = desk.json(&["audit", "--all"]);
    for finding in report["installations"][0]["findings"].as_array().unwrap() {
        let view = match (finding["hive"].as_str(), finding["id"].as_str()) {
            (_, Some(START)) => "both-differ",
            (Some("SYSTEM"), _) => "replayed",
            _ => "primary",
        };
        assert_eq!(finding["view"], view, "{finding}");
    }
}

#[test]
fn a_recovered_hive_is_patched_and_a_dirty_one_is_not() {
    let desk = Desk::with("windows-7", "windows-7-bits-disabled", false);
    assert_eq!(desk.run(&["audit", "evidence", "--patch", "patch"]).status.code(), Some(1));
    let folder = fs::read_dir(desk.path("patch")).unwrap().next().unwrap().unwrap().path();
    let plan: Value = serde_json::from_slice(&fs::read(folder.join("plan.json")).unwrap()).unwrap();
    assert_eq!((&plan["edits"][0]["finding"], &plan["edits"][0]["before"]["data"]), (&json!(START), &json!(4)));
    // What has to be taken back is what Windows will find: the replayed state.
    assert!(folder.join("SYSTEM.rollback.reg").exists());

    let refused = desk.run(&["audit", "evidence", "--patch", "other", "--no-replay"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no patch:"), "{refused:?}");
    assert!(!desk.path("other").exists());
}

#[test]
fn a_recovered_hive_is_not_patched_with_a_tool_that_would_lose_its_logs() {
    let desk = Desk::with("windows-7", "windows-7-bits-disabled", false);
    let refused = desk.run(&["audit", "evidence", "--patch", "patch", "--dialect", "hivex"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("hivexregedit does not replay its transaction logs"), "{said}");
    assert_eq!((refused.status.code(), desk.path("patch").exists()), (Some(2), false));
    desk.run(&["audit", "evidence", "--patch", "patch"]);
    let folder = fs::read_dir(desk.path("patch")).unwrap().next().unwrap().unwrap().path();
    let plan = fs::read(folder.join("plan.json")).unwrap();
    assert!(String::from_utf8(plan).unwrap().contains("The SYSTEM hive is dirty: import this file with Windows"));
}

#[test]
fn find_says_what_was_replayed() {
    let desk = Desk::with("windows-7", "windows-7-bits-disabled", false);
    let (report, code) = desk.json(&["find"]);
    assert_eq!((code, &integrity(&report)["state"]), (0, &json!("recovered")));
    let (report, _) = desk.json(&["find", "--no-replay", "--no-mmap"]);
    assert_eq!(integrity(&report)["state"], "dirty");
}

#[test]
fn a_damaged_log_leaves_the_hive_dirty_and_says_why() {
    let desk = Desk::with("windows-7", "windows-7-bits-disabled", false);
    let log = desk.path("evidence/SYSTEM.LOG1");
    let mut bytes = fs::read(&log).unwrap();
    bytes[1000] ^= 1;
    fs::write(&log, bytes).unwrap();
    let (report, code) = desk.json(&["audit"]);
    assert_eq!(code, 3);
    let integrity = integrity(&report);
    assert_eq!((&integrity["state"], &integrity["logs"][0]["state"]), (&json!("dirty"), &json!("invalid")));
    let problems = integrity["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().any(|problem| problem["expected"] == "the hash of the entry's pages (Hash-1)"));
    assert!(
        problems
            .iter()
            .any(|problem| problem["advice"].as_str().is_some_and(|advice| advice.contains("copy them again")))
    );
}

#[test]
fn a_hive_that_lost_its_base_block_is_found_and_recovered_from_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let case = crate::fixture::compile("windows-xp-senslogn-shutdown-wrong").unwrap();
    case.write_dirty(folder.path()).unwrap();
    let config = folder.path().join("Windows/System32/config");
    let mut software = fs::read(config.join("SOFTWARE")).unwrap();
    software[..512].fill(0);
    fs::write(config.join("SOFTWARE"), &software).unwrap();
    let audit = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hivemend"));
        let output = command.args(["audit", "--format", "json"]).arg(folder.path()).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let installation = &report["installations"][0];
        let shutdown =
            installation["findings"].as_array().unwrap().iter().any(|finding| {
                finding["id"] == "winlogon-notify-senslogn/Shutdown" && finding["verdict"] == "deviates"
            });
        (output.status.code(), shutdown, installation["hives"][0]["integrity"].clone())
    };
    let (code, shutdown, integrity) = audit();
    assert_eq!((code, shutdown, &integrity["state"]), (Some(1), true, &"recovered".into()));
    assert_eq!(integrity["checksum_valid"], false);
    // Without the log it is read by its bins, as the older state that it is.
    fs::remove_file(config.join("SOFTWARE.LOG")).unwrap();
    let (code, shutdown, integrity) = audit();
    assert_eq!((code, shutdown, &integrity["state"]), (Some(3), false, &"dirty".into()));
    assert_eq!(integrity["problems"][0]["offset"], 0);
    assert_eq!(integrity["problems"][0]["expected"], "the signature \"regf\" of a hive");
}
