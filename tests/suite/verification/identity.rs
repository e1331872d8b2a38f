//! A `.reg` file that changes the identity of an installation is reported first, and does not choose how it is judged.

use std::fs;

use hivemend::control_set::key_name;

use super::program::{patch, table};
use crate::builder::{Key, units};
use crate::command_line::Desk;
use crate::fixture;

const BITS: &str = "windows-7-bits-disabled";

/// Windows 7 whose BITS is disabled, with a second control set in which it is not.
fn desk() -> Desk {
    let desk = Desk::with(&[]);
    let mut case = fixture::compile(BITS).unwrap();
    let healthy = fixture::compile("windows-7").unwrap();
    let set = |case: &fixture::Case| {
        let (_, system) = case.hives.iter().find(|(role, _)| *role == "SYSTEM").unwrap();
        system.root.key(&key_name(1)).unwrap().clone()
    };
    let second = Key { name: units(&key_name(2)), ..set(&healthy) };
    let (_, system) = case.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
    *system.root.create(&key_name(2)) = second;
    case.write(&desk.path("evidence").join(BITS)).unwrap();
    desk
}

fn verified(desk: &Desk, sections: &str) -> serde_json::Value {
    patch(desk, "x.reg", sections);
    let evidence = format!("evidence/{BITS}");
    assert_eq!(desk.code(&["verify", "x.reg", &evidence]), 1);
    desk.json(&["verify", "x.reg", &evidence, "--format", "json"])["installations"][0].clone()
}

#[test]
fn another_control_set_mends_nothing() {
    let desk = desk();
    let select = "[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Current\"=dword:2\r\n\"Default\"=dword:2\r\n";
    let verified = verified(&desk, select);
    assert_eq!(verified["mended"], serde_json::json!([]));
    assert_eq!(verified["left"][0]["finding"], "service-bits/Start");
    let changed = &verified["identity_changes"][0];
    assert_eq!(changed["what"], "control-sets");
    assert!(changed["before"].as_str().unwrap().starts_with("Current 1, Default 1"), "{changed}");
    assert!(changed["after"].as_str().unwrap().starts_with("Current 2, Default 2"), "{changed}");
    let page = table(&desk, &["x.reg", &format!("evidence/{BITS}")]);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text:?} is not in\n{page}"));
    assert!(place("CHANGES which control sets Windows uses") < place("Left (1)"));
}

#[test]
fn another_windows_mends_nothing() {
    let desk = desk();
    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    let sections =
        format!("[{key}]\r\n\"CurrentVersion\"=\"9.9\"\r\n\"CurrentBuild\"=\"1\"\r\n\"CurrentBuildNumber\"=\"1\"\r\n");
    let verified = verified(&desk, &sections);
    assert_eq!((&verified["os"], &verified["mended"]), (&"windows-7".into(), &serde_json::json!([])));
    assert_eq!(verified["left"][0]["finding"], "service-bits/Start");
    assert_eq!(verified["identity_changes"][0]["what"], "windows");
}

#[test]
fn setup_under_way_mends_nothing() {
    let desk = desk();
    let sections = "[HKEY_LOCAL_MACHINE\\SYSTEM\\Setup]\r\n\"SystemSetupInProgress\"=dword:1\r\n\"SetupType\"=dword:1\r\n\
                    \"CmdLine\"=\"setup.exe\"\r\n";
    let verified = verified(&desk, sections);
    assert_eq!(verified["mended"], serde_json::json!([]));
    let left: Vec<&str> = verified["left"].as_array().unwrap().iter().filter_map(|l| l["finding"].as_str()).collect();
    assert!(left.contains(&"service-bits/Start"), "{left:?}");
}

#[test]
fn a_patch_without_an_end_is_refused() {
    let desk = Desk::with(&[BITS]);
    let evidence = format!("evidence/{BITS}");
    let complaint = desk.complaint(2, &["verify", "/dev/zero", &evidence]);
    assert!(complaint.contains("/dev/zero: more than 512 MiB"), "{complaint}");
    let complaint = desk.complaint(2, &["audit", &evidence, "--password-file", "/dev/zero"]);
    assert!(complaint.contains("more than 1 MiB"), "{complaint}");
    let complaint = desk.complaint(2, &["audit", &evidence, "--baseline", "/dev/zero"]);
    assert!(complaint.contains("/dev/zero"), "{complaint}");
    // What a process writes into a pipe is read.
    patch(&desk, "x.reg", "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\BITS]\r\n\"Start\"=dword:3\r\n");
    let fifo = desk.path("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let (bytes, to) = (fs::read(desk.path("x.reg")).unwrap(), fifo.clone());
    let writer = std::thread::spawn(move || fs::write(to, bytes).unwrap());
    assert_eq!(desk.code(&["verify", "fifo", &evidence]), desk.code(&["verify", "x.reg", &evidence]));
    writer.join().unwrap();
}
