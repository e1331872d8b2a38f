//! Locations in recovered hives: the log that wrote the bytes, and their offset in it.

use serde_json::{Value, json};

use crate::builder::PAGE;
use crate::builder::log::{new_format, old_format};
use crate::replay::program::{Desk, START, finding};
use crate::replay::{History, replay};
use hivemend::hive::LogPart;

fn offset(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn what_the_log_wrote_is_found_in_the_log_and_the_rest_in_the_file() {
    for old in [false, true] {
        let desk = Desk::with("windows-7", "windows-7-bits-disabled", old);
        let (report, _) = desk.json(&["audit", "--locations", "--all"]);
        let log = if old { "evidence/system.log" } else { "evidence/SYSTEM.LOG1" };
        let (primary, log_bytes) =
            (std::fs::read(desk.path("evidence/SYSTEM")).unwrap(), std::fs::read(desk.path(log)).unwrap());

        let start = finding(&report, START).unwrap();
        let location = &start["location"];
        for (part, signature) in [("nk", b"nk".as_slice()), ("vk", b"vk"), ("data", &[4, 0, 0, 0])] {
            let written = &location["written_by"][part];
            let wanted = if old { (json!("dirty-vector"), json!(8)) } else { (json!("entry"), json!(7)) };
            assert_eq!((&written["part"], &written["sequence"]), (&wanted.0, &wanted.1), "{part}");
            assert_eq!(written["log"], log);
            assert!(log_bytes[offset(&written["offset"])..].starts_with(signature), "{part}: {location}");
        }
        // The primary file has at its places what the other view observed.
        let other = &start["other_view"]["location"];
        assert_eq!(other["written_by"], json!({"nk": null, "vk": null, "data": null}));
        assert!(primary[offset(&other["nk"])..].starts_with(b"nk"));
        assert!(primary[offset(&other["data"])..].starts_with(&[3, 0, 0, 0]));

        // Of the other values some lie on pages that were written, some do not, and both are told apart by page.
        let (mut by_log, mut own) = (0, 0);
        for finding in report["installations"][0]["findings"].as_array().unwrap() {
            let location = &finding["location"];
            let (Some(raw), true) = (finding["observed"]["raw"].as_str(), finding["hive"] == "SYSTEM") else {
                continue;
            };
            let raw: Vec<u8> =
                (0..raw.len()).step_by(2).map(|at| u8::from_str_radix(&raw[at..at + 2], 16).unwrap()).collect();
            let written = &location["written_by"]["data"];
            if written.is_null() {
                own += 1;
                assert!(primary[offset(&location["data"])..].starts_with(&raw), "{finding}");
            } else if let Some(at) = written["offset"].as_u64() {
                by_log += 1;
                assert!(log_bytes[usize::try_from(at).unwrap()..].starts_with(&raw), "{finding}");
            }
        }
        assert!(by_log > 0 && own > 0, "{by_log} by the log, {own} of the file");

        let (report, _) = desk.json(&["audit", "--locations", "--all", "--no-replay"]);
        let location = &finding(&report, START).unwrap()["location"];
        assert_eq!(location["written_by"], json!({"nk": null, "vk": null, "data": null}));
    }
}

#[test]
fn the_table_names_the_log_when_asked() {
    let desk = Desk::with("windows-7", "windows-7-bits-disabled", false);
    let text = |arguments: &[&str]| String::from_utf8(desk.run(arguments).stdout).unwrap();
    let with = text(&["audit", "evidence", "--locations"]);
    assert!(with.contains("nk, vk, data from SYSTEM.LOG1,") && with.contains("at nk 0x"), "{with}");
    let without = text(&["audit", "evidence"]);
    assert!(!without.contains("at nk 0x") && !without.contains("from SYSTEM.LOG1"), "{without}");
}

#[test]
fn what_only_the_file_has_is_located_in_the_other_view_alone() {
    let desk = Desk::with("windows-7-failure-command-added", "windows-7", false);
    let (report, _) = desk.json(&["audit", "--locations"]);
    let gone = finding(&report, "service-bits/FailureCommand").unwrap();
    assert_eq!((&gone["view"], &gone["observed"]), (&json!("both-differ"), &Value::Null));
    assert!(gone["other_view"]["location"]["vk"].is_u64(), "{gone}");
    assert!(gone["location"].is_null() || gone["location"]["vk"].is_null(), "{gone}");
}

/// The hive grows from entry to entry: what lies past the end of the file is said to, and the last entry counts.
#[test]
fn what_lies_past_the_end_of_the_file_is_said_to() {
    let history = History::of(3);
    let primary = history.dirty(8, 7);
    let entries: Vec<_> = (1..=3).map(|step| history.entry(6 + u32::try_from(step).unwrap(), step)).collect();
    let log = new_format(&history.base_block(0), 7, &entries);
    let (hive, _) = replay(&primary, &[("SYSTEM.LOG1", &log)]);
    let tree = hive.tree();
    let key = tree.key("Step3").unwrap().unwrap();
    let location = key.location_of(&key.named_value("Data").unwrap().unwrap());
    assert!(location.past_end && location.data.unwrap() > primary.len() as u64);
    let data = location.written_by.data.unwrap();
    assert_eq!((data.log.as_str(), data.part, data.sequence), ("SYSTEM.LOG1", LogPart::Entry, 9));
    let at = usize::try_from(data.offset.unwrap()).unwrap();
    // 4,096 bytes a page: the data go on behind it, in the next one.
    assert!(log[at..].starts_with(&[0xaa; 100]));

    let root = tree.root().unwrap().location();
    assert!(!root.past_end);
    assert_eq!(root.written_by.nk.unwrap().sequence, 9, "the last of three entries that wrote the first page");

    // A log of the old format is one vector.
    let pages = crate::builder::log::changed_pages(&primary, &history.states[3]);
    let log = old_format(&history.base_block(3), 8, &pages);
    let (hive, _) = replay(&primary, &[("SYSTEM.LOG", &log)]);
    let written = hive.tree().root().unwrap().location().written_by.nk.unwrap();
    assert_eq!((written.part, written.sequence), (LogPart::DirtyVector, 8));
    let at = usize::try_from(written.offset.unwrap()).unwrap();
    assert!(log[at..].starts_with(b"nk") && at > 512 && primary[PAGE + 36..].starts_with(b"nk"));
}
