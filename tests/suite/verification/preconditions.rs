//! Whether a patch meets the state that it was made for: the same hive, or the same values according to its plan.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command_line::Desk;
use crate::fixture;

const WRONG: &str = "evidence/windows-xp-senslogn-shutdown-wrong";
const RIGHT: &str = "evidence/windows-xp";

/// A patch, its rollback and its plan; `WRONG` is what they were made for, `RIGHT` is that with the patch imported.
fn desk() -> (Desk, PathBuf) {
    let desk = Desk::with(&["windows-xp-senslogn-shutdown-wrong", "windows-xp", "windows-xp-senslogn-extra-value"]);
    assert_eq!(desk.code(&["audit", WRONG, "--patch", "out"]), 1);
    let folder = fs::read_dir(desk.path("out")).unwrap().next().unwrap().unwrap().path();
    (desk, folder)
}

fn precondition(desk: &Desk, arguments: &[&str]) -> (i32, Value) {
    let arguments = [&["verify"], arguments, &["--format", "json"]].concat();
    let json = desk.json(&arguments);
    (desk.code(&arguments), json["installations"][0]["preconditions"][0].clone())
}

#[test]
fn a_rollback_meets_the_hive_that_its_patch_leaves() {
    let (desk, folder) = desk();
    let rollback = folder.join("SOFTWARE.rollback.reg").display().to_string();
    let (code, found) = precondition(&desk, &[&rollback, RIGHT]);
    assert_eq!((&found["state"], &found["holds"]), (&"same-values".into(), &true.into()));
    assert!(found["plan"].as_str().unwrap().ends_with("plan.json"), "{found}");
    // It brings back what is wrong, which is another matter.
    assert_eq!(code, 1);
    let table = String::from_utf8(desk.run(&["verify", &rollback, RIGHT]).stdout).unwrap();
    let said = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("and each of its values is here as"), "{said}");
}

#[test]
fn a_patch_meets_another_hive_with_the_same_values() {
    let (desk, folder) = desk();
    let patch = folder.join("SOFTWARE.reg").display().to_string();
    let (code, found) = precondition(&desk, &[&patch, WRONG]);
    assert_eq!((code, &found["state"], &found["holds"]), (0, &"same-hive".into(), &true.into()));
    // A byte of the header that says nothing.
    let hive = desk.path(WRONG).join("Windows/System32/config/SOFTWARE");
    let mut bytes = fs::read(&hive).unwrap();
    bytes[4095] ^= 1;
    fs::write(&hive, bytes).unwrap();
    let (code, found) = precondition(&desk, &[&patch, WRONG]);
    assert_eq!((code, &found["state"], &found["holds"]), (0, &"same-values".into(), &true.into()));
    assert_eq!(found["differs"], Value::Array(vec![]));
    // Nobody looked.
    let (code, found) = precondition(&desk, &[&patch, WRONG, "--no-hash"]);
    assert_eq!((code, &found["state"], &found["holds"]), (0, &"unknown".into(), &Value::Null));
}

#[test]
fn a_value_that_cannot_be_read_is_neither_the_same_nor_another() {
    let (desk, folder) = desk();
    let patch = folder.join("SOFTWARE.reg").display().to_string();
    let case = fixture::compile("windows-xp-senslogn-shutdown-wrong").unwrap();
    let mut built = case.hives.iter().find(|(role, _)| *role == "SOFTWARE").unwrap().1.build();
    let vk = built.value(r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn", "Shutdown").vk;
    built.put(vk.payload(), b"xx");
    fs::write(desk.path(WRONG).join("Windows/System32/config/SOFTWARE"), &built.bytes).unwrap();
    let (code, found) = precondition(&desk, &[&patch, WRONG]);
    assert_eq!((code, &found["state"], &found["holds"]), (3, &"unknown".into(), &Value::Null));
    assert_eq!(found["differs"][0]["unreadable"], true);
}

#[test]
fn another_hive_with_other_values_is_named_value_by_value() {
    let (desk, folder) = desk();
    let patch = folder.join("SOFTWARE.reg").display().to_string();
    let (code, found) = precondition(&desk, &[&patch, RIGHT]);
    assert_eq!((code, &found["state"], &found["holds"]), (1, &"differs".into(), &false.into()));
    let differs = &found["differs"][0];
    assert_eq!(differs["finding"], "winlogon-notify-senslogn/Shutdown");
    assert_eq!(
        (&differs["expected"]["data"], &differs["found"]["data"]),
        (&"SensStopEvent".into(), &"SensShutdownEvent".into())
    );
    let table = String::from_utf8(desk.run(&["verify", &patch, RIGHT]).stdout).unwrap();
    assert!(table.contains("SensStopEvent in the plan, SensShutdownEvent here"), "{table}");
}

#[test]
fn without_its_plan_another_hive_is_another_state() {
    let (desk, folder) = desk();
    let [patch, plan] = ["SOFTWARE.reg", "plan.json"].map(|name| folder.join(name).display().to_string());
    let rollback = folder.join("SOFTWARE.rollback.reg").display().to_string();
    fs::rename(&plan, desk.path("kept.json")).unwrap();
    let (code, found) = precondition(&desk, &[&rollback, RIGHT]);
    assert_eq!((code, &found["state"], &found["holds"]), (1, &"differs".into(), &false.into()));
    assert!(found["note"].as_str().unwrap().contains("no plan.json beside it"), "{found}");
    let (_, found) = precondition(&desk, &[&rollback, RIGHT, "--plan", "kept.json"]);
    assert_eq!((&found["state"], &found["plan"]), (&"same-values".into(), &"kept.json".into()));
    // The plan of another patch says nothing of this one.
    assert_eq!(desk.code(&["audit", "evidence/windows-xp-senslogn-extra-value", "--patch", "other"]), 1);
    let other = fs::read_dir(desk.path("other")).unwrap().next().unwrap().unwrap().path().join("plan.json");
    let (code, found) = precondition(&desk, &[&patch, RIGHT, "--plan", &other.display().to_string()]);
    assert_eq!((code, &found["state"]), (1, &"differs".into()));
    assert!(found["note"].as_str().unwrap().contains("is the plan of another patch"), "{found}");
    // One that is no plan: told where it lies beside the patch, refused where it was named.
    fs::write(&plan, "{}").unwrap();
    let run = desk.run(&["verify", &patch, WRONG]);
    assert_eq!(run.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&run.stderr).contains("expected a plan of hivemend"));
    desk.complaint(2, &["verify", &patch, WRONG, "--plan", &plan]);
}

#[test]
fn the_plan_of_another_patch_for_the_same_hive_is_no_answer() {
    let desk = Desk::with(&["windows-xp-senslogn-missing"]);
    let evidence = "evidence/windows-xp-senslogn-missing";
    let patched = |name: &str, more: &[&str]| {
        assert_eq!(desk.code(&[&["audit", evidence, "--patch", name], more].concat()), 1);
        fs::read_dir(desk.path(name)).unwrap().next().unwrap().unwrap().path()
    };
    let (whole, part) = (patched("whole", &[]), patched("part", &["--only", "winlogon-notify-senslogn/Logon"]));
    let hive = desk.path(evidence).join("Windows/System32/config/SOFTWARE");
    let mut bytes = fs::read(&hive).unwrap();
    bytes[4095] ^= 1;
    fs::write(&hive, bytes).unwrap();
    let state = |patch: &Path, plan: &Path| {
        let [patch, plan] = [patch.join("SOFTWARE.reg"), plan.join("plan.json")].map(|path| path.display().to_string());
        precondition(&desk, &[&patch, evidence, "--plan", &plan]).1["state"].clone()
    };
    assert_eq!((state(&whole, &whole), state(&part, &part)), ("same-values".into(), "same-values".into()));
    assert_eq!((state(&whole, &part), state(&part, &whole)), ("differs".into(), "differs".into()));
}

#[test]
fn a_rollback_behind_its_patch_meets_what_that_leaves() {
    let (desk, folder) = desk();
    let [patch, rollback] =
        ["SOFTWARE.reg", "SOFTWARE.rollback.reg"].map(|name| folder.join(name).display().to_string());
    let hive = desk.path(WRONG).join("Windows/System32/config/SOFTWARE");
    let mut bytes = fs::read(&hive).unwrap();
    bytes[4095] ^= 1;
    fs::write(&hive, bytes).unwrap();
    let arguments = ["verify", &patch, &rollback, WRONG, "--format", "json"];
    let json = desk.json(&arguments);
    let states: Vec<&Value> =
        json["installations"][0]["preconditions"].as_array().unwrap().iter().map(|found| &found["state"]).collect();
    assert_eq!(states, ["same-values", "same-values"]);
    // By itself it has nothing to take back.
    let (_, found) = precondition(&desk, &[&rollback, WRONG]);
    assert_eq!(found["state"], "differs");
}
