//! An edit that cannot be written is left out with its reason. The others are written.

use serde_json::json;

use super::{XP, audit, left, plan};
use crate::command_line::Desk;
use crate::fixture;

const SENSLOGN: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";

/// The XP fixture, whose Shutdown is wrong, with something else in its SOFTWARE and SYSTEM.
fn desk(change: impl Fn(&str, &mut crate::builder::Key)) -> Desk {
    let desk = Desk::with(&[]);
    let mut case = fixture::compile(XP).unwrap();
    for (role, hive) in &mut case.hives {
        change(role, &mut hive.root);
    }
    case.write(&desk.path("evidence").join(XP)).unwrap();
    desk
}

fn edits(plan: &serde_json::Value) -> Vec<&str> {
    plan["edits"].as_array().unwrap().iter().map(|edit| edit["finding"].as_str().unwrap()).collect()
}

#[test]
fn a_value_name_with_a_line_end_is_left() {
    let desk = desk(|role, root| {
        if role == "SOFTWARE" {
            root.create(SENSLOGN).set_dword("Log\r\non", 1);
        }
    });
    audit(&desk, 1, XP, &[]);
    let planned = plan(&desk);
    assert_eq!(edits(&planned), ["winlogon-notify-senslogn/Shutdown"]);
    let id = "winlogon-notify-senslogn/Log\r\non";
    assert_eq!(left(&planned, id).as_deref(), Some("a .reg file cannot hold it: line end in name"));
    assert_eq!(planned["proof"]["mended"], json!(1));
    // Named as it is, as tables print it, and as JSON does.
    for printed in [id, r"winlogon-notify-senslogn/Log\u{d}\u{a}on", r"winlogon-notify-senslogn/Log\r\non"] {
        audit(&desk, 1, XP, &["--skip", printed]);
        assert_eq!(left(&plan(&desk), id).as_deref(), Some("left out with --skip"), "{printed}");
    }
}

#[test]
fn a_value_name_that_differs_in_case_only_is_left() {
    let desk = desk(|role, root| {
        if role == "SOFTWARE" {
            let key = root.create(SENSLOGN);
            key.set_dword("Other", 1);
            let other = key.value("Other").unwrap().clone();
            key.values.push(crate::builder::Value { name: crate::builder::units("OTHER"), ..other });
        }
    });
    audit(&desk, 1, XP, &[]);
    let planned = plan(&desk);
    assert_eq!(edits(&planned), ["winlogon-notify-senslogn/Shutdown"]);
    let reason = left(&planned, "winlogon-notify-senslogn/Other").unwrap();
    assert!(reason.contains("a second value of this name"), "{reason}");
}

#[test]
fn a_key_that_reads_like_a_comment_is_left() {
    let service = |role: &str, root: &mut crate::builder::Key| {
        if role == "SYSTEM" {
            let network = root.create(r"ControlSet001\Control\Network\{4D36E973-E325-11CE-BFC1-08002BE10318}");
            network.subkeys.clear();
            network.create_child(&crate::builder::units("] ;")).set_sz("ComponentId", "ms_msclient");
            network.create(r"] ;\Ndi").set_sz("Service", "Other");
        }
    };
    let desk = desk(service);
    let id = "client-for-microsoft-networks-ndi/Service";
    audit(&desk, 1, XP, &["--only", id, "--only", "winlogon-notify-senslogn/Shutdown"]);
    let planned = plan(&desk);
    assert_eq!(edits(&planned), ["winlogon-notify-senslogn/Shutdown"]);
    let reason = "a .reg file cannot hold it: key name that reads like a comment after the key line";
    assert_eq!(left(&planned, id).as_deref(), Some(reason));
}

#[test]
fn a_key_with_a_backslash_in_its_name_is_left() {
    let desk = desk(|role, root| {
        if role == "SYSTEM" {
            let network = root.create(r"ControlSet001\Control\Network\{4D36E973-E325-11CE-BFC1-08002BE10318}");
            network.subkeys.clear();
            let client = network.create_child(&crate::builder::units(r"!\Ndi"));
            client.set_sz("ComponentId", "ms_msclient");
            client.create("Ndi").set_sz("Service", "Other");
        }
    });
    let id = "client-for-microsoft-networks-ndi/Service";
    audit(&desk, 1, XP, &["--only", id, "--only", "winlogon-notify-senslogn/Shutdown"]);
    let planned = plan(&desk);
    assert_eq!(edits(&planned), ["winlogon-notify-senslogn/Shutdown"]);
    let reason = left(&planned, id).unwrap();
    assert!(reason.contains("a name on the way holds a backslash"), "{reason}");
}

/// Values beside the edited one that hivexregedit would remove, or store so that Windows cannot read them.
#[test]
fn what_hivexregedit_would_harm_is_left_for_it_and_not_for_regedit() {
    let desk = desk(|role, root| {
        if role == "SOFTWARE" {
            root.create(SENSLOGN).set_binary("Long", &vec![7; 20_000]);
        }
        if role == "SYSTEM" {
            root.create(r"ControlSet001\Services\BITS").set_dword("Start", 4);
        }
    });
    let shutdown = "winlogon-notify-senslogn/Shutdown";
    audit(&desk, 1, XP, &["--dialect", "hivex"]);
    let planned = plan(&desk);
    assert_eq!(edits(&planned), ["service-bits/Start"]);
    let reason = left(&planned, shutdown).unwrap();
    assert!(reason.contains("hivexregedit would do harm") && reason.contains("\"Long\""), "{reason}");
    audit(&desk, 1, XP, &[]);
    assert!(edits(&plan(&desk)).contains(&shutdown));
}
