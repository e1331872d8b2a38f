//! `hivemend verify --applied` as users run it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::command_line::{Desk, contents};

const XP: &str = "evidence/windows-xp-senslogn-shutdown-wrong";

/// A desk with a fixture patched by name, its plan, and the same fixture without what is wrong in it.
fn desk() -> (Desk, String) {
    let desk = Desk::with(&["windows-xp-senslogn-shutdown-wrong", "windows-xp", "windows-2000"]);
    assert_eq!(desk.code(&["audit", XP, "--patch", "out"]), 1);
    let folder = fs::read_dir(desk.path("out")).unwrap().next().unwrap().unwrap().path();
    (desk, folder.join("plan.json").display().to_string())
}

#[test]
fn it_says_what_became_of_the_plan_and_exits_as_verify_does() {
    let (desk, plan) = desk();
    // The fixture without the damage is the one with the patch.
    let applied = ["verify", "--applied", &plan, "evidence/windows-xp"];
    assert_eq!(desk.code(&applied), 0);
    assert_eq!(desk.code(&[&applied[..], &["--before", XP]].concat()), 0);
    assert_eq!(desk.code(&["verify", "--applied", &plan, XP]), 1);
    assert_eq!(desk.code(&["verify", "--applied", &plan, XP, "--exit-zero"]), 0);
    assert_eq!(desk.code(&["verify", "--applied", &plan, "--undone", XP]), 0);
    assert_eq!(desk.code(&[&applied[..], &["--undone"]].concat()), 1);
    let table = |arguments: &[&str]| {
        let text = String::from_utf8(desk.run(arguments).stdout).unwrap();
        // The plan's path and sum are of this run.
        let kept = |line: &&str| !line.contains("plan.json") && !line.contains("SHA-256");
        text.lines().filter(kept).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!("applied", table(&[&applied[..], &["--before", XP]].concat()));
    insta::assert_snapshot!("not-applied", table(&["verify", "--applied", &plan, XP]));
}

#[test]
fn the_json_has_what_the_table_says() {
    let (desk, plan) = desk();
    let sum = hivemend::evidence::sha256_of(&fs::read(&plan).unwrap());
    let json = desk.json(&["verify", "--applied", &plan, "evidence/windows-xp", "--before", XP, "--format", "json"]);
    assert_eq!((&json["schema_version"], &json["plan"]["sha256"]), (&"1".into(), &Value::from(sum)));
    assert_eq!((&json["asked"], &json["scope"]), (&"applied".into(), &"whole-hives".into()));
    assert_eq!((&json["holds"], &json["complete"]), (&true.into(), &true.into()));
    let edit = &json["edits"][0];
    assert_eq!((&edit["state"], &edit["holds"], &edit["found"]), (&"applied".into(), &true.into(), &edit["after"]));
    assert_eq!(edit["before"]["data"], "SensStopEvent");
    let software = &json["hives"][0];
    assert_eq!((&software["role"], &software["same_file"]), (&"SOFTWARE".into(), &false.into()));
    assert!(software["compared_values"].as_u64().unwrap() > 50 && software["before_path"].is_string());
    let json = desk.json(&["verify", "--applied", &plan, XP, "--format", "json", "--no-hash"]);
    assert_eq!((&json["scope"], &json["holds"]), (&"plan".into(), &false.into()));
    assert_eq!((&json["edits"][0]["state"], &json["hives"][0]["sha256"]), (&"not-applied".into(), &Value::Null));
}

#[test]
fn what_is_no_plan_of_this_evidence_is_refused() {
    let (desk, plan) = desk();
    let refused = |plan: &str, evidence: &str| desk.complaint(2, &["verify", "--applied", plan, evidence]);
    let text = fs::read(&plan).unwrap();
    fs::write(desk.path("half.json"), &text[..text.len() / 2]).unwrap();
    assert!(
        refused("half.json", XP).contains("half.json: expected a plan of hivemend, found a file that ends too early")
    );
    assert!(refused("nowhere.json", XP).contains("nowhere.json: cannot be read"));
    let patch = PathBuf::from(&plan).with_file_name("SOFTWARE.reg").display().to_string();
    assert!(refused(&patch, XP).contains("expected a plan of hivemend"));
    assert!(refused("/dev/zero", XP).contains("not a regular file"));
    assert!(refused(&plan, "evidence/windows-2000").contains("the plan is for windows-xp, but this is windows-2000"));
    assert!(refused(&plan, "out").contains("no SOFTWARE or SYSTEM hive was found"));
    let complaint = desk.complaint(2, &["verify", "--applied", &plan, XP, "--before", "evidence/windows-xp"]);
    assert!(complaint.contains("these are not the hives that the plan was made from"), "{complaint}");
}

#[test]
fn options_that_mean_nothing_here_are_refused() {
    let (desk, plan) = desk();
    desk.complaint(2, &["verify", "--undone", "p.reg", XP]);
    desk.complaint(2, &["verify", "--before", XP, "p.reg", XP]);
    desk.complaint(2, &["verify", "--applied", &plan]);
    for option in [["--importer", "regedit"], ["--target", "live"], ["--fail-on", "high"], ["--plan", "p.json"]] {
        desk.complaint(2, &[&["verify", "--applied", &plan, XP], &option[..]].concat());
    }
    let complaint = desk.complaint(2, &["verify", XP]);
    assert!(complaint.contains("with --applied PLAN name the evidence alone"), "{complaint}");
}

#[test]
fn neither_plan_nor_evidence_is_written() {
    let (desk, plan) = desk();
    let before = contents(&desk.path(""));
    for output in [plan.as_str(), "evidence/windows-xp/out.txt", &format!("{XP}/out.txt")] {
        let arguments =
            ["verify", "--applied", &plan, "evidence/windows-xp", "--before", XP, "--overwrite", "--output", output];
        desk.complaint(2, &arguments);
    }
    assert_eq!(contents(&desk.path("")), before);
    let arguments = ["verify", "--applied", &plan, "evidence/windows-xp", "--output", "out.txt"];
    assert_eq!(desk.code(&arguments), 0);
    assert!(fs::read_to_string(desk.path("out.txt")).unwrap().contains("1 of 1 edit applied"));
}

#[test]
fn what_a_hostile_plan_names_does_not_reach_the_terminal() {
    let (desk, plan) = desk();
    let text = fs::read_to_string(&plan).unwrap();
    let hostile =
        text.replace("winlogon-notify-senslogn/Shutdown", "\\u001b[31mred\\u202e").replace("SensLogn", "\\u0007");
    assert_ne!(hostile, text);
    fs::write(desk.path("hostile.json"), hostile).unwrap();
    let output = desk.run(&["verify", "--applied", "hostile.json", XP]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    assert!(text.contains("red"), "{text}");
}
