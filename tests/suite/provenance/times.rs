//! Impossible times of a key.

use hivemend::evidence::Bytes;
use hivemend::hive::{Hive, OddTime};
use hivemend::registry::FileTime;
use serde_json::Value;

use super::findings;
use crate::builder::log::{new_format, old_format};
use crate::builder::{self, log::changed_pages};
use crate::cases::{clean_cases, examined_case};
use crate::replay::{History, replay};

/// What is odd about the time of `Alpha`, `later` than the hive's own by so much.
fn odd(built: &builder::Built) -> Option<OddTime> {
    let hive = Hive::from_bytes(Bytes::Read(built.bytes.clone())).unwrap().as_it_lies();
    let tree = hive.tree();
    tree.key("Alpha").unwrap().unwrap().odd_time()
}

fn later_by(intervals: u64) -> builder::Hive {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create("Alpha").last_written = hive.last_written + intervals;
    hive
}

#[test]
fn a_key_is_held_against_a_time_that_is_kept() {
    let own = FileTime(builder::DEFAULT_TIME);
    assert_eq!((odd(&later_by(0).build()), odd(&later_by(1).build())), (None, Some(OddTime::AfterHive(own))));
    // A hive that bears none, as those of Windows 10.
    let mut none = later_by(1);
    none.last_written = 0;
    assert_eq!(odd(&none.build()), None);
    // One that was reorganized, and so written, since: this Windows does not keep it.
    for (reorganized, wanted) in [(own.0, Some(OddTime::AfterHive(own))), (own.0 + 1, None)] {
        let mut built = later_by(1).build();
        built.put(168, &reorganized.to_le_bytes());
        built.fix_checksum();
        assert_eq!(odd(&built), wanted);
    }
    // A base block that is damaged tells nothing.
    let mut built = later_by(1).build();
    built.put(508, &[0; 4]);
    assert_eq!(odd(&built), None);
}

#[test]
fn logs_of_the_new_format_come_from_a_windows_that_keeps_no_time() {
    let mut history = History::of(1);
    let mut grown = history.hive.clone();
    grown.root.create("Alpha").set_time(grown.last_written + 1);
    *history.states.last_mut().unwrap() = grown.to_bytes();
    let primary = history.dirty(8, 7);
    let odd = |log: &[u8]| {
        let (hive, outcome) = replay(&primary, &[("SYSTEM.LOG1", log)]);
        assert!(outcome.replay.is_some());
        hive.tree().key("Alpha").unwrap().unwrap().odd_time().is_some()
    };
    assert!(!odd(&new_format(&history.base_block(0), 7, &[history.entry(7, 1)])));
    assert!(odd(&old_format(&history.base_block(1), 8, &changed_pages(&primary, &history.states[1]))));
}

#[test]
fn no_clean_case_has_a_note() {
    for name in clean_cases() {
        let examined = examined_case(&name);
        let noted = findings(&examined).iter().find(|finding| finding.key_last_written_note.is_some());
        assert!(noted.is_none(), "{name}: {noted:?}");
    }
}

#[test]
fn the_table_tells_the_note_beside_the_time() {
    let examined = examined_case("windows-7-bits-disabled-after-the-hive");
    let mut text = Vec::new();
    let report = &examined.examination.report;
    let style = hivemend::report::table::Style { all: true, ..Default::default() };
    hivemend::report::table::render(report, &style, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (_, below) = text.split_once("last written 2030-01-01T00:00:00.0000001Z\n").unwrap();
    assert!(below.starts_with("  the key's time is later than that of the hive's own last write, 2012-"), "{text}");
}

/// A time of last write is a key's: nowhere may it stand at a value.
#[test]
fn no_time_is_a_values() {
    let is_time = |text: &str| {
        let bytes = text.as_bytes();
        bytes
            .windows(11)
            .any(|at| at[4] == b'-' && at[7] == b'-' && at[10] == b'T' && at[..4].iter().all(u8::is_ascii_digit))
    };
    let examined = examined_case("windows-xp-senslogn-before-windows-nt");
    let mut times = 0;
    for finding in findings(&examined) {
        let Value::Object(fields) = serde_json::to_value(finding).unwrap() else { panic!("a finding is an object") };
        for (name, value) in fields {
            let about_key = name.starts_with("key_last_written");
            times += usize::from(about_key && is_time(&value.to_string()));
            assert!(about_key || !is_time(&value.to_string()), "{}: {name} bears a time: {value}", finding.id);
        }
        let note = finding.key_last_written_note.as_deref().unwrap_or("the key");
        assert!(note.starts_with("the key") && !note.contains("value"), "{note}");
    }
    assert!(times > 50, "{times} times");

    let mut text = Vec::new();
    let style = hivemend::report::table::Style { all: true, ..Default::default() };
    hivemend::report::table::render(&examined.examination.report, &style, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (_, table) = text.split_once("\nseverity ").unwrap();
    let with_times: Vec<&str> = table.lines().filter(|line| is_time(line)).collect();
    assert!(!with_times.is_empty());
    for line in with_times {
        let of_key = line.starts_with("SOFTWARE\\") || line.starts_with("SYSTEM\\") || line.starts_with("  ");
        assert!(of_key && (line.contains("last written ") || line.contains("the key")), "{line}");
    }
}
