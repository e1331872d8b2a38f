//! `hivemend verify` as users run it.

use std::fs;

use crate::command_line::Desk;

const XP: &str = "evidence/windows-xp-senslogn-shutdown-wrong";
const SENSLOGN: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";

fn desk() -> Desk {
    Desk::with(&["windows-xp-senslogn-shutdown-wrong", "windows-2000", "windows-7-dirty"])
}

/// A patch from anywhere.
pub(crate) fn patch(desk: &Desk, name: &str, sections: &str) {
    fs::write(desk.path(name), format!("Windows Registry Editor Version 5.00\r\n\r\n{sections}")).unwrap();
}

pub(super) fn table(desk: &Desk, arguments: &[&str]) -> String {
    let output = desk.run(&[&["verify"], arguments].concat());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_a_patch_mends_breaks_and_does_beside_is_told_apart() {
    let desk = desk();
    patch(
        &desk,
        "foreign.reg",
        &format!(
            "[{SENSLOGN}]\r\n\"SHUTDOWN\"=\"SensShutdownEvent\"\r\n\"Logon\"=\"SensLogonEvent\"\r\n\r\n\
             [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\bits]\r\n\"Start\"=dword:4\r\n\r\n\
             [-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\SENS\\Parameters]\r\n\r\n\
             [HKEY_CURRENT_USER\\Software]\r\n\"a\"=\"b\"\r\n\r\n[HKLM\\SYSTEM]\r\n"
        ),
    );
    insta::assert_snapshot!(table(&desk, &["foreign.reg", XP]));
    assert_eq!(desk.code(&["verify", "foreign.reg", XP]), 1);
    let json = desk.json(&["verify", "foreign.reg", XP, "--format", "json"]);
    let outcomes: Vec<String> = json["installations"][0]["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|carried| format!("{} {} {}", carried["line"], carried["op"], carried["outcome"]).replace('"', ""))
        .collect();
    assert_eq!(
        outcomes,
        [
            "3 create-key no-effect",
            "4 set asked-for",
            "5 set no-effect",
            "7 create-key no-effect",
            "8 set unasked",
            "10 delete-key unasked",
            "12 create-key elsewhere",
            "13 set elsewhere",
        ]
    );
    assert_eq!(json["patches"][0]["dropped"], 1);
}

#[test]
fn our_own_patch_is_clean_and_with_its_rollback_it_is_as_before() {
    let desk = desk();
    assert_eq!(desk.code(&["audit", XP, "--patch", "out"]), 1);
    let folder = fs::read_dir(desk.path("out")).unwrap().next().unwrap().unwrap().path();
    let [patch, rollback, plan] =
        ["SOFTWARE.reg", "SOFTWARE.rollback.reg", "plan.json"].map(|name| folder.join(name).display().to_string());
    let plan: serde_json::Value = serde_json::from_slice(&fs::read(plan).unwrap()).unwrap();
    assert_eq!(plan["proof"], serde_json::json!({"edits": 1, "mended": 1, "left": 0, "restored": 1, "altered": []}));
    let json = desk.json(&["verify", &patch, XP, "--format", "json"]);
    assert_eq!(json["installations"][0]["preconditions"][0]["holds"], true);
    assert_eq!(desk.code(&["verify", &patch, XP]), 0);
    assert_eq!(desk.code(&["verify", &patch, &rollback, XP]), 1);
    let json = desk.json(&["verify", &patch, &rollback, XP, "--format", "json"]);
    let left = &json["installations"][0]["left"][0];
    assert_eq!((&left["finding"], &left["before"]), (&"winlogon-notify-senslogn/Shutdown".into(), &left["after"]));
    // For another Windows nothing is carried out.
    assert_eq!(desk.code(&["verify", &patch, "evidence/windows-2000"]), 2);
    let refused = table(&desk, &[&patch, "evidence/windows-2000"]);
    let refused: Vec<&str> = refused.split_whitespace().collect();
    assert!(refused.join(" ").contains("was made for windows-xp, but this is windows-2000"), "{refused:?}");
}

#[test]
fn a_dirty_hive_leaves_a_verification_incomplete() {
    let desk = desk();
    patch(&desk, "nothing.reg", "");
    assert_eq!(desk.code(&["verify", "nothing.reg", "evidence/windows-7-dirty"]), 3);
    assert_eq!(desk.code(&["verify", "nothing.reg", "evidence/windows-7-dirty", "--exit-zero"]), 0);
}

#[test]
fn in_a_hive_the_current_control_set_is_a_name_like_any_other() {
    let desk = desk();
    let key = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\BITS";
    patch(&desk, "disable.reg", &format!("[{key}]\r\n\"Start\"=dword:00000004\r\n"));
    let broken = |target: &str| {
        let json = desk.json(&["verify", "disable.reg", XP, "--format", "json", "--target", target]);
        let broken = json["installations"][0]["broken"].as_array().unwrap().clone();
        broken.iter().map(|change| change["finding"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (broken("live"), broken("offline")),
        (vec!["service-bits/Start".into()], vec!["current-control-set".into()])
    );
    let bogus = table(&desk, &["disable.reg", XP, "--target", "offline"]);
    assert!(bogus.contains(r"creates the key SYSTEM\CurrentControlSet\Services\BITS"), "{bogus}");
}

#[test]
fn hives_may_be_loaded_elsewhere_and_files_may_be_missing() {
    let desk = desk();
    patch(
        &desk,
        "loaded.reg",
        &format!("[{}]\r\n\"Shutdown\"=\"SensShutdownEvent\"\r\n", SENSLOGN.replace("SOFTWARE", "OFFLINE")),
    );
    let arguments = ["verify", "loaded.reg", XP, "--software-root", r"HKEY_LOCAL_MACHINE\OFFLINE"];
    assert_eq!((desk.code(&arguments), desk.code(&arguments[..3])), (0, 1));
    let complaint = desk.complaint(2, &["verify", "nope.reg", XP]);
    assert!(complaint.contains("nope.reg: cannot be read"), "{complaint}");
    desk.complaint(2, &["verify", XP]);
    let complaint = desk.complaint(2, &["verify", "loaded.reg", XP, "--output", &format!("{XP}/out.txt")]);
    assert!(complaint.contains("evidence is never written to"), "{complaint}");
}

/// What each file does in the hands of hivexregedit, and what regedit's parser would have said of it.
#[test]
fn files_that_the_real_merge_carries_out_otherwise_are_not_called_mended() {
    let desk = desk();
    let right = "\"Shutdown\"=\"SensShutdownEvent\"\n";
    let cases = [
        // The right value, as hivexregedit takes it.
        (format!("[{SENSLOGN}]\n{right}"), 0, ""),
        (format!("[{SENSLOGN}]\n\"Shutdown\"=\"SensStopEvent\"\n{right}"), 1, "stores a second value"),
        (format!("; a path C:\\\n[{SENSLOGN}]\n{right}"), 1, "is not imported: line 5"),
        (format!("[{SENSLOGN}]\n\"Shutdown\"=\"SensShutdownEvent\" ; a note\n"), 1, "is not imported: line 4"),
        (format!(" [{SENSLOGN}]\n{right}"), 1, "is not imported: line 3"),
        (format!("[{SENSLOGN}]\n{right}\"MaxWait\"=dword:1\n"), 1, "is not imported: line 5"),
        (format!("[{SENSLOGN}\\None\\At]\n\n[{SENSLOGN}]\n{right}"), 1, "the parent key"),
        (format!("[{SENSLOGN}]\n{right}\n[-HKEY_LOCAL_MACHINE\\SOFTWARE]\n"), 1, "does not delete the root"),
        (format!("[{SENSLOGN}]\n\"Shutdown\"=-\n{right}"), 1, ""),
        (
            "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet]\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services]\n".to_owned(),
            1,
            r"creates the key SYSTEM\CurrentControlSet",
        ),
        (format!("\u{feff}\n[{SENSLOGN}]\n{right}"), 1, "is not imported: line 3"),
    ];
    for (sections, code, said) in cases {
        let text = format!("Windows Registry Editor Version 5.00\n\n{sections}");
        fs::write(desk.path("merge.reg"), &text).unwrap();
        let arguments = ["merge.reg", XP, "--importer", "hivexregedit"];
        let told = table(&desk, &arguments);
        assert_eq!(desk.code(&[&["verify"], &arguments[..]].concat()), code, "{text}{told}");
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(said), "{text}{told}");
        assert!(code == 0 || !said.contains("not imported") || told.contains("0 mended"), "{told}");
    }
    // Nothing of the file is kept, and JSON has it.
    patch(&desk, "merge.reg", &format!("[{SENSLOGN}]\n{right}\nnonsense\n"));
    let json = desk.json(&["verify", "merge.reg", XP, "--importer", "hivexregedit", "--format", "json"]);
    let verified = &json["installations"][0];
    assert_eq!((&verified["operations"], &verified["mended"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(verified["stopped"][0]["line"], 6);
    assert_eq!(json["patches"][0]["importer"], "hivexregedit");
}

#[test]
fn who_imports_a_patch_is_read_from_its_header() {
    let desk = desk();
    for (dialect, importer) in [("hivex", "hivexregedit"), ("regedit5", "regedit"), ("regedit4", "regedit")] {
        assert_eq!(desk.code(&["audit", XP, "--patch", dialect, "--dialect", dialect]), 1);
        let folder = fs::read_dir(desk.path(dialect)).unwrap().next().unwrap().unwrap().path();
        let patch = folder.join("SOFTWARE.reg").display().to_string();
        let json = desk.json(&["verify", &patch, XP, "--format", "json"]);
        let summary = &json["patches"][0];
        assert_eq!((&summary["importer"], &summary["target"]), (&importer.into(), &"offline".into()), "{dialect}");
        assert_eq!(summary["contradictions"], serde_json::json!([]));
        assert_eq!(desk.code(&["verify", &patch, XP]), 0, "{dialect}");
        // For another Windows it is refused, whatever it is written in.
        assert_eq!(desk.code(&["verify", &patch, "evidence/windows-2000"]), 2, "{dialect}");
        let other = if importer == "regedit" { "hivexregedit" } else { "regedit" };
        let told = table(&desk, &[&patch, XP, "--importer", other]);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&format!("its header names {importer} as the importer")), "{told}");
    }
}

#[test]
fn hivexregedit_and_a_running_windows_are_refused_by_name() {
    let desk = desk();
    patch(&desk, "any.reg", "");
    let arguments = ["verify", "any.reg", "nowhere", "--importer", "hivexregedit", "--target", "live"];
    let complaint = desk.complaint(2, &arguments);
    assert!(complaint.contains("--target live with --importer hivexregedit"), "{complaint}");
    let arguments = ["audit", "nowhere", "--patch", "out", "--dialect", "hivex", "--target", "live"];
    let complaint = desk.complaint(2, &arguments);
    assert!(complaint.contains("--target live with --dialect hivex"), "{complaint}");
    assert!(!desk.path("out").exists());
    assert_eq!(desk.code(&["audit", XP, "--patch", "out", "--dialect", "hivex"]), 1);
    let folder = fs::read_dir(desk.path("out")).unwrap().next().unwrap().unwrap().path();
    let patch = folder.join("SOFTWARE.reg").display().to_string();
    let complaint = desk.complaint(2, &["verify", &patch, XP, "--target", "live"]);
    assert!(complaint.contains("hivexregedit imports it"), "{complaint}");
}
