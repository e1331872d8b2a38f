//! What is not patched, and what is warned of: with the reason, and what to do.

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
    assert_eq!((output.status.code(), desk.path("out").exists()), (Some(3), false));
    audit(&desk, 1, XP, &["--control-set", "1"]);
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
    let output = desk.run(&["audit", &evidence, "--patch", "out"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let reason =
        "the key of winlogon-notify-senslogn/Shutdown is damaged: winlogon-notify-senslogn/Logon cannot be read";
    assert!(said.contains(reason) && said.contains("--skip winlogon-notify-senslogn/Shutdown"), "{said}");
    assert_eq!((output.status.code(), desk.path("out").exists()), (Some(3), false));
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
