//! Logs of the old format: applied completely or not at all.

use hivemend::hive::transaction_log::LogFormat;
use hivemend::hive::transaction_log::LogState::{Foreign, Invalid, NotReplayed, Stale, Used};

use super::{History, is_left_alone, is_recovered, problems, replay, states};
use crate::builder::log::{changed_pages, new_format, old_format};
use crate::builder::{BaseBlock, DEFAULT_TIME, PAGE, units};

/// The log that leads from the first state to the last.
fn log(history: &History) -> Vec<u8> {
    let last = history.states.len() - 1;
    let pages = changed_pages(&history.states[0], &history.states[last]);
    old_format(&history.base_block(last), 8, &pages)
}

#[test]
fn dirty_pages_go_where_their_bits_are() {
    let history = History::of(3);
    let (hive, outcome) = replay(&history.dirty(8, 7), &[("SYSTEM.LOG", &log(&history))]);
    is_recovered(&hive, &history.states[3], 8);
    let pages = changed_pages(&history.states[0], &history.states[3]).len();
    let replay = outcome.replay.as_ref().unwrap();
    assert_eq!((states(&outcome), replay.log_format), (vec![Used], LogFormat::Old));
    assert_eq!((replay.entries_applied, replay.pages_written), (1, pages as u64 * 8));
    assert_eq!((replay.first_sequence, replay.last_sequence), (8, 8));
}

#[test]
fn a_log_of_another_write_is_stale() {
    let history = History::of(2);
    let primary = history.dirty(8, 7);
    let base_block = BaseBlock { last_written: 1, ..history.base_block(2) };
    let log = old_format(&base_block, 8, &changed_pages(&history.states[0], &history.states[2]));
    let (hive, outcome) = replay(&primary, &[("LOG", &log)]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Stale]);
    assert!(problems(&outcome)[0].contains("expected the time of the hive's last write"), "{:?}", problems(&outcome));
}

#[test]
fn a_log_of_another_hive_is_refused() {
    let history = History::of(2);
    let primary = history.dirty(8, 7);
    let base_block = BaseBlock { file_name: units("SOFTWARE"), ..history.base_block(2) };
    let log = old_format(&base_block, 8, &changed_pages(&history.states[0], &history.states[2]));
    let (hive, outcome) = replay(&primary, &[("LOG", &log)]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Foreign]);
}

#[test]
fn a_truncated_log_applies_nothing() {
    let history = History::of(3);
    let whole = log(&history);
    let primary = history.dirty(8, 7);
    for length in (0..whole.len()).step_by(256) {
        let (hive, outcome) = replay(&primary, &[("LOG", &whole[..length])]);
        is_left_alone(&hive, &outcome, &primary);
        assert_eq!(states(&outcome), [if length == 0 { Stale } else { Invalid }], "{length}");
    }
}

#[test]
fn of_two_logs_the_first_that_is_sound_is_applied() {
    let history = History::of(3);
    let primary = history.dirty(8, 7);
    let sound = log(&history);
    let mut unsound = sound.clone();
    unsound[512] = b'X';
    for (logs, expected) in [
        ([("A.LOG2", &*sound), ("A.LOG1", &*sound)], [NotReplayed, Used]),
        ([("A.LOG1", &*unsound), ("A.LOG2", &*sound)], [Invalid, Used]),
        ([("A.LOG", &*sound), ("A.LOG2", &*sound)], [NotReplayed, Used]),
    ] {
        let (hive, outcome) = replay(&primary, &logs);
        is_recovered(&hive, &history.states[3], 8);
        assert_eq!(states(&outcome), expected);
    }
}

#[test]
fn pages_of_which_no_bins_would_come_out_are_not_applied() {
    let history = History::of(3);
    let primary = history.dirty(8, 7);
    let mut log = log(&history);
    let bin = log.windows(4).position(|bytes| bytes == b"hbin").unwrap();
    log[bin + 4] ^= 0x10;
    let (hive, outcome) = replay(&primary, &[("LOG", &log)]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Invalid]);
    assert!(problems(&outcome)[0].contains("expected a hive bin (hbin)"), "{:?}", problems(&outcome));
}

#[test]
fn a_dirty_vector_that_promises_gigabytes_is_refused() {
    let history = History::of(1);
    let primary = history.dirty(8, 7);
    let base_block = BaseBlock { hive_bins_size: 1 << 31, ..history.base_block(1) };
    let log = old_format(&base_block, 8, &vec![((1 << 31) - 4096, vec![0; 4096])]);
    let (hive, outcome) = replay(&primary, &[("LOG", &log)]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Invalid]);
}

#[test]
fn a_bad_base_block_is_recovered_where_its_time_or_the_first_bins_is_the_logs() {
    let history = History::of(2);
    let mut primary = history.dirty(8, 7);
    primary[12..40].fill(0xee);
    let log = log(&history);
    let (hive, outcome) = replay(&primary, &[("LOG", &log)]);
    is_recovered(&hive, &history.states[2], 8);
    assert_eq!(states(&outcome), [Used]);

    primary[PAGE + 20] ^= 1;
    let (hive, outcome) = replay(&primary, &[("LOG", &log)]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Stale]);

    primary[12..20].copy_from_slice(&DEFAULT_TIME.to_le_bytes());
    let (hive, outcome) = replay(&primary, &[("LOG", &log)]);
    is_recovered(&hive, &history.states[2], 8);
    assert_eq!(states(&outcome), [Used]);
}

#[test]
fn of_both_formats_the_new_one_comes_first_and_the_old_one_where_it_holds_nothing() {
    let history = History::of(2);
    let primary = history.dirty(8, 7);
    let new = new_format(&history.base_block(0), 7, &[history.entry(7, 1)]);
    let older = new_format(&history.base_block(0), 6, &[history.entry(6, 1)]);
    let (hive, outcome) = replay(&primary, &[("LOG", &log(&history)), ("LOG1", &new)]);
    is_recovered(&hive, &history.states[1], 7);
    assert_eq!(states(&outcome), [NotReplayed, Used]);
    let (hive, outcome) = replay(&primary, &[("LOG", &log(&history)), ("LOG1", &older)]);
    is_recovered(&hive, &history.states[2], 8);
    assert_eq!(states(&outcome), [Used, Stale]);
}
