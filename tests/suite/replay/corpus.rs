//! Real dirty hives, from the folder that `HIVEMEND_CORPUS` names; ignored without it. For two of them the corpus also
//! has the hives that Windows itself recovered.

use hivemend::hive::transaction_log::{LogFormat, LogState};
use hivemend::hive::walk::{Visitor, WalkedKey, WalkedValue, walk};
use hivemend::hive::{Hive, Outcome};

use crate::real_hives::corpus;

/// A hive of the corpus with the logs beside it, opened and replayed.
struct Case {
    hive: Hive,
    outcome: Outcome,
}

fn replayed(path: &str) -> Option<Case> {
    let path = corpus()?.join(path);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let logs: Vec<(String, Vec<u8>)> = ["LOG", "LOG1", "LOG2"]
        .iter()
        .filter_map(|log| {
            Some((format!("{name}.{log}"), std::fs::read(path.with_file_name(format!("{name}.{log}"))).ok()?))
        })
        .collect();
    let logs: Vec<(&str, &[u8])> = logs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let before = std::fs::read(&path).unwrap();
    let (hive, outcome) = Hive::open(&path, true).unwrap().unwrap().replay(&logs);
    assert!(before == std::fs::read(&path).unwrap(), "the primary file was written to");
    Some(Case { hive, outcome })
}

/// How many keys and values a whole walk delivers; nothing may be lost.
fn counts(hive: &Hive) -> (u64, u64) {
    let walked = walk(hive, &mut ());
    assert!(!walked.damaged, "{:?}", walked.problems);
    (walked.keys, walked.values)
}

/// Every key with its values, as text.
struct Contents(Vec<String>);

impl Visitor for Contents {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        self.0.push(format!("{} {}", key.path(), key.last_written()));
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        self.0.push(format!("{}: {} {} {:?}", key.path(), value.name(), value.data_type(), value.data()));
    }
}

fn contents(hive: &Hive) -> Vec<String> {
    let mut contents = Contents(Vec::new());
    walk(hive, &mut contents);
    contents.0
}

impl Case {
    fn states(&self) -> Vec<LogState> {
        self.outcome.logs.iter().map(|log| log.state).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.outcome.logs.iter().flat_map(|log| &log.problems).map(ToString::to_string).collect()
    }

    /// Asserts that nothing was applied.
    fn left_alone(&self) {
        assert_eq!(self.outcome.replay, None);
        assert!(self.hive.base_block().is_dirty());
    }
}

#[test]
fn windows_10_and_7_recover_the_same_keys_values_and_data() {
    for (path, recovered, format) in [
        ("yarp-set/NewDirtyHive1/NewDirtyHive", "RecoveredHive_Windows10", LogFormat::New),
        ("yarp-set/OldDirtyHive/OldDirtyHive", "RecoveredHive_Windows7", LogFormat::Old),
    ] {
        let Some(case) = replayed(path) else { return };
        let theirs = corpus().unwrap().join(path).with_file_name(recovered);
        let theirs = Hive::open(&theirs, true).unwrap().unwrap().as_it_lies();
        assert_eq!(case.outcome.replay.as_ref().unwrap().log_format, format);
        let as_it_lies = Hive::open(&corpus().unwrap().join(path), true).unwrap().unwrap().as_it_lies();
        assert!(contents(&as_it_lies) != contents(&theirs), "{path}: there was nothing to recover");
        // Windows wrote the recovered hive once more: the root's own time may be later.
        let (ours, theirs) = (contents(&case.hive), contents(&theirs));
        assert!(ours[1..] == theirs[1..], "{path}: {} and {} lines", ours.len(), theirs.len());
        assert!(!case.hive.base_block().is_dirty());
        assert_eq!(case.problems(), Vec::<String>::new());
    }
}

#[test]
fn windows_10_system_is_replayed_from_both_logs() {
    let path = "win10-1709-x64-dirty-with-logs/SYSTEM";
    let Some(case) = replayed(path) else { return };
    assert_eq!(case.states(), [LogState::Used, LogState::Used]);
    let replay = case.outcome.replay.as_ref().unwrap();
    assert_eq!((replay.entries_applied, replay.first_sequence, replay.last_sequence), (24, 2107, 2130));
    assert_eq!(counts(&case.hive), (35_595, 78_901));
    let as_it_lies = Hive::open(&corpus().unwrap().join(path), true).unwrap().unwrap().as_it_lies();
    let before = counts(&as_it_lies);
    assert_eq!((before.0, before.1), (33_123, 74_957));
    let has = |hive: &Hive| hive.tree().key(r"ControlSet001\Services\ad_driver").unwrap().is_some();
    assert_eq!([has(&as_it_lies), has(&case.hive)], [false, true]);
    assert_eq!(case.problems(), Vec::<String>::new());
}

#[test]
fn a_users_hive_is_replayed_from_the_log_that_is_not_older() {
    let path = "ntuser-dirty-with-logs/NTUSER.DAT";
    let Some(case) = replayed(path) else { return };
    assert_eq!(case.states(), [LogState::Used, LogState::Stale]);
    assert_eq!(case.outcome.replay.as_ref().unwrap().entries_applied, 23);
    assert_eq!(counts(&case.hive), (3105, 4695));
}

#[test]
fn the_second_log_alone_recovers_where_the_first_is_older() {
    let path = "yarp-set/NewDirtyHive2/NewDirtyHive";
    let Some(case) = replayed(path) else { return };
    assert_eq!(case.states(), [LogState::Stale, LogState::Used]);
    assert_eq!(case.outcome.replay.as_ref().unwrap().logs_used, ["NewDirtyHive.LOG2"]);
    assert_eq!(counts(&case.hive), (5, 1));
}

#[test]
fn a_bad_base_block_is_taken_from_the_log() {
    let path = "yarp-set/BadBaseBlockHive/BadBaseBlockHive";
    let Some(case) = replayed(path) else { return };
    assert_eq!(case.states(), [LogState::Used]);
    assert_eq!(case.hive.base_block().problems(case.hive.size()), []);
    assert!(!case.hive.base_block_as_it_lies().checksum_valid());
    assert_eq!(counts(&case.hive), (5003, 1));
}

#[test]
fn bad_logs_are_named_and_not_applied() {
    for (folder, says) in [
        ("BadLogHive1", "BadLogHive.LOG1: at 0x1fc: expected checksum"),
        ("BadLogHive2", "BadLogHive.LOG1: at 0x200: expected a dirty vector (DIRT), found \"INVL\""),
        ("BadLogHive3", "BadLogHive.LOG1: at 0x1fc: expected checksum"),
    ] {
        let Some(case) = replayed(&format!("yarp-set/{folder}/BadLogHive")) else { return };
        case.left_alone();
        assert!(case.states().iter().all(|state| *state == LogState::Invalid), "{folder}: {:?}", case.states());
        assert!(case.problems()[0].starts_with(says), "{folder}: {:?}", case.problems());
    }
}
