//! What is not patched, and the warnings, each with the reason and what to do.

mod left;
mod names;

use std::fs;

use hivemend::control_set::key_name;

use crate::command_line::Desk;
use crate::fixture;

const XP: &str = "windows-xp-senslogn-shutdown-wrong";

/// What `audit --patch` says on stderr when it exits with `code`; no patch may be there unless it exits with 1.
fn audit(desk: &Desk, code: i32, case: &str, arguments: &[&str]) -> String {
    let evidence = format!("evidence/{case}");
    let _ = fs::remove_dir_all(desk.path("out"));
    let output = desk.run(&[&["audit", &evidence, "--patch", "out"], arguments].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(desk.path("out").exists(), code == 1, "{said}");
    said
}

#[test]
fn a_patch_for_one_version_of_nt_is_never_written_for_another() {
    const SERVER: &str = "windows-server-2003-bits-disabled";
    let desk = Desk::with(&[XP, SERVER, "windows-2000-senslogn-missing"]);
    let said = audit(&desk, 2, XP, &["--os", "windows-2000", "--force"]);
    assert!(said.contains("--os says windows-2000, and the hives are of NT 5.1"), "{said}");
    let said = audit(&desk, 2, "windows-2000-senslogn-missing", &["--os", "windows-server-2003", "--force"]);
    assert!(said.contains("the hives are of NT 5.0") && said.contains("not even with --force"), "{said}");
    let said = audit(&desk, 2, XP, &["--os", "windows-server-2003", "--force"]);
    assert!(said.contains("the hives are of NT 5.1"), "{said}");
    // Among those of one version of NT the user may know better.
    audit(&desk, 1, SERVER, &["--os", "windows-xp-x64", "--force"]);
}

#[test]
fn a_backup_is_no_running_windows() {
    let desk = Desk::with(&[XP]);
    let config = desk.path("evidence").join(XP).join("Windows/System32/config");
    let backup = desk.path("backup/Windows/System32/config/RegBack");
    fs::create_dir_all(&backup).unwrap();
    for role in ["SOFTWARE", "SYSTEM"] {
        fs::copy(config.join(role), backup.join(role)).unwrap();
    }
    fs::rename(desk.path("backup"), desk.path("evidence/backup")).unwrap();
    let hive = "evidence/backup/Windows/System32/config/RegBack/SOFTWARE";
    let output = desk.run(&["audit", hive, "--patch", "out", "--target", "live", "--format", "json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--target live") && said.contains("(regback)"), "{said}");
    assert_eq!((output.status.code(), desk.path("out").exists()), (Some(2), false));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["installations"][0]["generation"], "copy");
    // The hive itself can be patched, wherever it lies.
    assert_ne!(desk.code(&["audit", hive, "--patch", "out"]), 2);
    assert!(desk.path("out").exists());
    fs::remove_dir_all(desk.path("out")).unwrap();
    // The folder holds older generations only: nothing is written, and it is said why.
    let folder = "evidence/backup";
    for arguments in [&[][..], &["--generations", "all"]] {
        let output = desk.run(&[&["audit", folder, "--patch", "out"], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("its hives are an older generation (regback)"), "{said}");
        assert_eq!((output.status.code(), desk.path("out").exists()), (Some(2), false), "{said}");
    }
}

#[test]
fn one_refusal_costs_no_other_installation_its_patch() {
    let desk = Desk::with(&[XP, "windows-7-dirty", "windows-7-bits-disabled"]);
    let output = desk.run(&["audit", "evidence", "--patch", "out", "--format", "json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no patch: ") && said.contains("windows-7-dirty"), "{said}");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 2);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["installations"].as_array().unwrap().len(), 3);
    assert_eq!(report, desk.json(&["audit", "evidence", "--format", "json"]));
}

#[test]
fn each_hive_is_loaded_under_a_key_of_its_own() {
    let desk = Desk::with(&[XP]);
    let root =
        |software: &str, system: &str| audit(&desk, 2, XP, &["--software-root", software, "--system-root", system]);
    let said = root(r"HKEY_LOCAL_MACHINE\X", r"HKEY_LOCAL_MACHINE\x");
    assert!(said.contains("--system-root") && said.contains("neither below the other"), "{said}");
    assert!(root(r"HKEY_LOCAL_MACHINE\X", r"HKEY_LOCAL_MACHINE\X\Y\").contains("neither below the other"));
    assert!(root(r"HKEY_LOCAL_MACHINE\X\Y", r"HKEY_LOCAL_MACHINE\X").contains("neither below the other"));
    assert!(root(r"HKLM\X", r"HKEY_LOCAL_MACHINE\Y").contains("--software-root"));
    assert!(root(r"HKEY_LOCAL_MACHINE\X", "HKEY_LOCAL_MACHINE").contains("--system-root"));
    audit(&desk, 1, XP, &["--software-root", r"HKEY_LOCAL_MACHINE\X", "--system-root", r"HKEY_LOCAL_MACHINE\X Y"]);
}

#[test]
fn the_control_set_that_windows_falls_back_to_is_named_where_it_has_the_same_damage() {
    let desk = Desk::with(&[]);
    let mut case = fixture::compile("windows-7-bits-disabled").unwrap();
    let (_, system) = case.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
    let damaged = system.root.key(&key_name(1)).unwrap().clone();
    *system.root.create(&key_name(3)) = renamed(damaged, &key_name(3));
    system.root.create("Select").set_dword("LastKnownGood", 3);
    case.write(&desk.path("evidence/case")).unwrap();
    audit(&desk, 1, "case", &[]);
    let planned = plan(&desk);
    let edit =
        planned["edits"].as_array().unwrap().iter().find(|edit| edit["finding"] == "service-bits/Start").unwrap();
    assert_eq!(edit["also_in"], serde_json::json!([r"ControlSet003\Services\BITS"]));
    let step = planned["steps"][0].as_str().unwrap();
    assert!(step.contains(r"ControlSet003\Services\BITS") && step.contains("--control-set all"), "{step}");
    let folder = fs::read_dir(desk.path("out")).unwrap().next().unwrap().unwrap().path();
    let patch = hivemend::reg_file::parse(&fs::read(folder.join("SYSTEM.reg")).unwrap());
    let told =
        |text: &str| patch.effect.comments.iter().any(|line| String::from_utf16_lossy(&line.text).contains(text));
    assert!(told("falls back to (LastKnownGood) has the same damage in ControlSet003"));
    audit(&desk, 1, "case", &["--control-set", "all"]);
    let planned = plan(&desk);
    let sets: Vec<_> = planned["edits"].as_array().unwrap().iter().map(|edit| edit["control_set"].as_u64()).collect();
    assert_eq!(sets, [Some(1), Some(3)]);
    assert!(!planned["steps"].to_string().contains("LastKnownGood"));
}

#[test]
fn a_rollback_says_which_keys_stay() {
    let desk = Desk::with(&["windows-2000-senslogn-missing"]);
    let said = |desk: &Desk| {
        let limits = plan(desk)["rollback_limits"].clone();
        limits.as_array().unwrap().iter().map(|limit| limit.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    audit(&desk, 1, "windows-2000-senslogn-missing", &[]);
    let notify = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify";
    let stays = |key: &str| format!("the key {key}, which the patch creates, stays and is empty");
    assert!(said(&desk).contains(&stays(&format!(r"{notify}\SensLogn"))), "{:?}", said(&desk));
    assert!(!said(&desk).contains(&stays(notify)));
    // The key above it is made as well, where it is missing.
    let mut case = fixture::compile("windows-2000-senslogn-missing").unwrap();
    let (_, software) = case.hives.iter_mut().find(|(role, _)| *role == "SOFTWARE").unwrap();
    software.root.create(r"Microsoft\Windows NT\CurrentVersion\Winlogon").remove_child("Notify").unwrap();
    case.write(&desk.path("evidence/bare")).unwrap();
    audit(&desk, 1, "bare", &[]);
    assert!(said(&desk).contains(&stays(notify)), "{:?}", said(&desk));
    assert!(said(&desk).contains(&stays(&format!(r"{notify}\SensLogn"))));
}

#[test]
fn a_running_windows_has_the_current_control_set_only() {
    let desk = Desk::with(&["windows-7-second-control-set-broken"]);
    for choice in ["all", "2"] {
        let arguments = ["--target", "live", "--control-set", choice];
        let said = audit(&desk, 2, "windows-7-second-control-set-broken", &arguments);
        assert!(said.contains(&format!("--target live with --control-set {choice}")), "{said}");
    }
    audit(&desk, 1, "windows-7-second-control-set-broken", &["--control-set", "all"]);
}

#[test]
fn nothing_is_patched_where_the_control_set_is_not_clear() {
    let desk = Desk::with(&[]);
    let mut case = fixture::compile("windows-xp-senslogn-shutdown-wrong").unwrap();
    let (_, system) = case.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
    system.root.create("Select").remove_value("Current");
    let second = system.root.key(&key_name(1)).unwrap().clone();
    *system.root.create(&key_name(2)) = renamed(second, &key_name(2));
    case.write(&desk.path("evidence").join(XP)).unwrap();
    let evidence = format!("evidence/{XP}");
    let output = desk.run(&["audit", &evidence, "--patch", "out"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("which control set to patch is not clear") && said.contains("--control-set"), "{said}");
    assert_eq!((output.status.code(), desk.path("out").exists()), (Some(2), false));
    audit(&desk, 1, XP, &["--control-set", "1"]);
}

/// The plan of the only installation.
fn plan(desk: &Desk) -> serde_json::Value {
    let mut folders = fs::read_dir(desk.path("out")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    assert!(folders.next().is_none());
    serde_json::from_slice(&fs::read(folder.join("plan.json")).unwrap()).unwrap()
}

/// Why a finding is left.
fn left(plan: &serde_json::Value, finding: &str) -> Option<String> {
    let left = plan["left"].as_array().unwrap().iter().find(|left| left["finding"] == finding)?;
    Some(left["reason"].as_str().unwrap().to_owned())
}

fn renamed(key: crate::builder::Key, name: &str) -> crate::builder::Key {
    crate::builder::Key { name: crate::builder::units(name), ..key }
}

#[test]
fn a_key_that_is_damaged_is_not_written_to() {
    let desk = Desk::with(&[XP]);
    let case = fixture::compile(XP).unwrap();
    let (_, software) = case.hives.iter().find(|(role, _)| *role == "SOFTWARE").unwrap();
    let mut built = software.build();
    let logon = built.value(r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn", "Logon").vk.payload();
    // Its data lie nowhere.
    built.put_u32(logon + 8, u32::MAX - 7);
    fs::write(desk.path("evidence").join(XP).join("Windows/System32/config/SOFTWARE"), &built.bytes).unwrap();
    let evidence = format!("evidence/{XP}");
    assert_eq!(desk.code(&["audit", &evidence, "--patch", "out"]), 3);
    let plan = plan(&desk);
    assert_eq!(plan["edits"], serde_json::json!([]));
    let reason = "its key is damaged: winlogon-notify-senslogn/Logon cannot be read; repair the hive first";
    assert_eq!(left(&plan, "winlogon-notify-senslogn/Shutdown").as_deref(), Some(reason));
}

#[test]
fn a_windows_that_sleeps_is_warned_of() {
    let desk = Desk::with(&[XP]);
    let hibernation = desk.path("evidence").join(XP).join("hiberfil.sys");
    let plan = || {
        let folder = fs::read_dir(desk.path("out")).unwrap().next().unwrap().unwrap().path();
        let plan: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("plan.json")).unwrap()).unwrap();
        let patch = hivemend::reg_file::parse(&fs::read(folder.join("SOFTWARE.reg")).unwrap());
        let comments = patch.effect.comments.iter().map(|comment| String::from_utf16_lossy(&comment.text));
        (plan["warnings"].as_array().unwrap().len(), comments.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!((audit(&desk, 1, XP, &[]).contains("hiberfil.sys"), plan().0), (false, 0));
    fs::write(&hibernation, b"wake\0\0\0\0").unwrap();
    assert_eq!((audit(&desk, 1, XP, &[]).contains("hiberfil.sys"), plan().0), (false, 0));
    fs::write(&hibernation, b"HIBR\0\0\0\0").unwrap();
    let said = audit(&desk, 1, XP, &[]);
    let (warnings, comments) = plan();
    let told = "hiberfil.sys on this volume holds a Windows that was hibernated";
    assert!(said.contains(told) && comments.contains(told), "{said}\n{comments}");
    assert_eq!(warnings, 1);
    // What is imported into the running Windows is not lost.
    assert!(!audit(&desk, 1, XP, &["--target", "live"]).contains("hiberfil.sys"));
}

#[test]
fn fast_startup_without_its_file_is_warned_of() {
    let desk = Desk::with(&[]);
    let mut case = fixture::compile("windows-10-dependency-missing").unwrap();
    let (_, system) = case.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
    let power = format!(r"{}\Control\Session Manager\Power", key_name(1));
    system.root.create(&power).set_dword("HiberbootEnabled", 1);
    case.write(&desk.path("evidence").join("case")).unwrap();
    assert!(audit(&desk, 1, "case", &[]).contains("fast startup is on (HiberbootEnabled is 1)"));
    // The file knows better than the flag.
    fs::write(desk.path("evidence").join("case").join("hiberfil.sys"), b"WAKE").unwrap();
    assert!(!audit(&desk, 1, "case", &[]).contains("fast startup"));
}
