//! Logs of the new format: the order of two logs, what ends a replay, and what is never applied.

use hivemend::hive::transaction_log::LogState::{Foreign, Invalid, NotReplayed, Stale, Used};

use super::{History, is_left_alone, is_recovered, problems, replay, states};
use crate::builder::log::{Entry, new_format, rehash};
use crate::builder::{BaseBlock, fix_checksum, units};

/// A log of the entries to the states `steps`, numbered from `sequence` on.
fn log(history: &History, sequence: u32, steps: std::ops::RangeInclusive<usize>) -> Vec<u8> {
    let numbers = std::iter::successors(Some(sequence), |number| Some(number.wrapping_add(1)));
    let entries: Vec<Entry> = numbers.zip(steps).map(|(number, step)| history.entry(number, step)).collect();
    new_format(&history.base_block(0), sequence, &entries)
}

#[test]
fn entries_are_applied_in_their_order_and_the_hive_grows() {
    let history = History::of(3);
    let primary = history.dirty(8, 7);
    let (hive, outcome) = replay(&primary, &[("SYSTEM.LOG1", &log(&history, 7, 1..=3))]);
    is_recovered(&hive, &history.states[3], 9);
    assert!(hive.size() > primary.len() as u64, "this history does not grow");
    assert_eq!(states(&outcome), [Used]);
    let replay = outcome.replay.unwrap();
    assert_eq!((replay.entries_applied, replay.first_sequence, replay.last_sequence), (3, 7, 9));
    assert_eq!((hive.base_block_as_it_lies().primary_sequence, replay.logs_used), (8, vec!["SYSTEM.LOG1".to_owned()]));
}

#[test]
fn two_logs_follow_each_other_whichever_is_first_and_across_zero() {
    let history = History::of(4);
    for start in [1, 7, u32::MAX - 2, u32::MAX - 1, u32::MAX, 0] {
        let primary = history.dirty(start.wrapping_add(1), start);
        let earlier = log(&history, start, 1..=2);
        let later = log(&history, start.wrapping_add(2), 3..=4);
        for logs in [[("LOG1", &*earlier), ("LOG2", &*later)], [("LOG1", &*later), ("LOG2", &*earlier)]] {
            let (hive, outcome) = replay(&primary, &logs);
            is_recovered(&hive, &history.states[4], start.wrapping_add(3));
            assert_eq!(states(&outcome), [Used, Used]);
            assert_eq!(problems(&outcome), Vec::<String>::new());
        }
    }
}

#[test]
fn a_log_may_begin_later_than_the_hive_but_not_earlier() {
    let history = History::of(2);
    let (hive, outcome) = replay(&history.dirty(8, 7), &[("LOG1", &log(&history, 100, 1..=2))]);
    is_recovered(&hive, &history.states[2], 101);
    assert_eq!(states(&outcome), [Used]);

    let primary = history.dirty(8, 7);
    let (hive, outcome) = replay(&primary, &[("LOG1", &log(&history, 6, 1..=2))]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Stale]);
    assert_eq!(
        problems(&outcome),
        ["LOG1: at 0x4: expected a log that begins with entry 7 or later, found a log that begins with 6"]
    );
}

#[test]
fn the_older_of_two_logs_is_left_alone_without_a_word() {
    let history = History::of(2);
    let logs = [("LOG1", &*log(&history, 5, 2..=2)), ("LOG2", &*log(&history, 7, 1..=2)), ("LOG", &[0; 1024])];
    let (hive, outcome) = replay(&history.dirty(8, 7), &logs);
    is_recovered(&hive, &history.states[2], 8);
    assert_eq!((states(&outcome), problems(&outcome)), (vec![Stale, Used, Stale], vec![]));
}

#[test]
fn a_log_that_does_not_go_on_where_the_other_ended_is_named_and_left_alone() {
    let history = History::of(4);
    let logs = [("LOG1", &*log(&history, 7, 1..=2)), ("LOG2", &*log(&history, 10, 4..=4))];
    let (hive, outcome) = replay(&history.dirty(8, 7), &logs);
    is_recovered(&hive, &history.states[2], 8);
    assert_eq!(states(&outcome), [Used, NotReplayed]);
    assert_eq!(problems(&outcome), ["LOG2: at 0x4: expected a log that goes on with entry 9, found entry 10"]);
}

/// Three entries, of which the third is made unsound: the first two are applied, and the third is named.
fn third_unsound(unsound: impl Fn(&mut Entry), damage: impl Fn(&mut [u8])) -> String {
    let history = History::of(3);
    let mut third = history.entry(9, 3);
    unsound(&mut third);
    let mut log = log(&history, 7, 1..=2);
    let at = log.len();
    log.extend(third.encode());
    damage(&mut log[at..]);
    let (hive, outcome) = replay(&history.dirty(8, 7), &[("LOG1", &log)]);
    is_recovered(&hive, &history.states[2], 8);
    assert_eq!((states(&outcome), outcome.replay.as_ref().unwrap().entries_applied), (vec![Used], 2));
    let [problem] = problems(&outcome).try_into().unwrap();
    assert_eq!(outcome.logs[0].problems[0].path.as_deref(), Some("LOG1"));
    problem.split("expected ").nth(1).unwrap().to_owned()
}

#[test]
fn an_unsound_entry_ends_the_replay_and_is_named() {
    let as_it_is = |_: &mut Entry| {};
    let hash = third_unsound(as_it_is, |entry| entry[700] ^= 1);
    assert!(hash.starts_with("the hash of the entry's pages (Hash-1), found"), "{hash}");
    let hash = third_unsound(as_it_is, |entry| entry[16] ^= 1);
    assert!(hash.starts_with("the hash of the entry's header (Hash-2), found"), "{hash}");
    let gap = third_unsound(|entry| entry.sequence = 11, |_| {});
    assert_eq!(gap, "log entry 9, found log entry 11: those between are missing");
    let size = third_unsound(as_it_is, |entry| entry[4..8].copy_from_slice(&0x7fff_fe00_u32.to_le_bytes()));
    assert!(size.ends_with("found 2147483136 bytes"), "{size}");
    let size = third_unsound(as_it_is, |entry| entry[4..8].copy_from_slice(&0_u32.to_le_bytes()));
    assert!(size.ends_with("found 0 bytes"), "{size}");
    let mark = third_unsound(as_it_is, |entry| entry[..4].copy_from_slice(b"HvLX"));
    assert_eq!(mark, "log entry 9 (HvLE), found \"HvLX\"");
    let bins = third_unsound(|entry| entry.hive_bins_size += 512, |_| {});
    assert!(bins.starts_with("hive bins of a multiple of 4096 bytes"), "{bins}");
}

#[test]
fn a_page_that_does_not_fit_ends_the_replay_whatever_its_hashes_say() {
    let outside = third_unsound(|entry| entry.pages[0].0 = entry.hive_bins_size, |_| {});
    assert!(outside.starts_with("a page of whole sectors within"), "{outside}");
    let crooked = third_unsound(|entry| entry.pages[0].0 = 1, |_| {});
    assert!(crooked.ends_with("found a page of 4096 bytes for 0x1"), "{crooked}");
    let count = third_unsound(
        |_| {},
        |entry| {
            entry[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
            rehash(entry);
        },
    );
    assert!(count.starts_with("references to 4294967295 pages"), "{count}");
    let length = third_unsound(
        |_| {},
        |entry| {
            entry[44..48].copy_from_slice(&0x10_0000_u32.to_le_bytes());
            rehash(entry);
        },
    );
    assert!(length.contains("and in this entry, found a page of 1048576 bytes"), "{length}");
    let far = third_unsound(
        |entry| {
            entry.hive_bins_size = 1 << 31;
            entry.pages[0].0 = (1 << 31) - 4096;
        },
        |_| {},
    );
    assert!(far.contains("as much more as the logs hold, found a page that ends at 2147487744"), "{far}");
}

#[test]
fn what_was_left_of_an_older_log_ends_the_replay_without_a_word() {
    let history = History::of(3);
    let mut log = log(&history, 7, 1..=2);
    log.extend(history.entry(3, 3).encode());
    let (hive, outcome) = replay(&history.dirty(8, 7), &[("LOG1", &log)]);
    is_recovered(&hive, &history.states[2], 8);
    assert_eq!(problems(&outcome), Vec::<String>::new());
}

#[test]
fn a_truncated_log_is_applied_as_far_as_its_entries_are_whole() {
    let history = History::of(3);
    let whole = log(&history, 7, 1..=3);
    let ends: Vec<usize> = (1..=3).map(|last| log(&history, 7, 1..=last).len()).collect();
    let primary = history.dirty(8, 7);
    for length in (0..whole.len()).step_by(256) {
        let (hive, outcome) = replay(&primary, &[("LOG1", &whole[..length])]);
        match ends.iter().filter(|end| **end <= length).count() {
            0 => is_left_alone(&hive, &outcome, &primary),
            steps => is_recovered(&hive, &history.states[steps], 6 + u32::try_from(steps).unwrap()),
        }
        assert_eq!(problems(&outcome).is_empty(), length == 0 || ends.contains(&length), "{length}");
    }
}

#[test]
fn a_first_entry_that_is_not_the_logs_own_applies_nothing() {
    let history = History::of(2);
    let primary = history.dirty(8, 7);
    let log = new_format(&history.base_block(0), 7, &[history.entry(8, 1)]);
    let (hive, outcome) = replay(&primary, &[("LOG1", &log)]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Invalid]);
    assert_eq!(
        problems(&outcome),
        ["LOG1: at 0x20c: expected log entry 7, found log entry 8: those between are missing"]
    );
}

#[test]
fn logs_beside_a_clean_hive_are_left_alone() {
    let history = History::of(2);
    let primary = history.dirty(7, 7);
    let (hive, outcome) = replay(&primary, &[("LOG1", &log(&history, 7, 1..=2)), ("LOG2", b"text")]);
    is_left_alone(&hive, &outcome, &primary);
    // Entry 7 does not stand in the hive, which claims to have it.
    assert_eq!(states(&outcome), [NotReplayed, Invalid]);
    let (_, outcome) = replay(&history.dirty(9, 9), &[("LOG1", &log(&history, 7, 1..=2))]);
    assert_eq!(states(&outcome), [Stale]);
}

#[test]
fn a_log_of_another_hive_is_refused() {
    let history = History::of(2);
    let primary = history.dirty(8, 7);
    let entries = [history.entry(7, 1)];
    let base_block = BaseBlock { file_name: units("SOFTWARE"), ..history.base_block(0) };
    let (hive, outcome) = replay(&primary, &[("LOG1", &new_format(&base_block, 7, &entries))]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Foreign]);
    assert_eq!(problems(&outcome), ["LOG1: at 0x30: expected a log of the hive SYSTEM, found SOFTWARE"]);

    // The same name, on another machine: Windows gives each hive a resource manager's id of its own.
    let identified = |bytes: &[u8], id: u8| {
        let mut bytes = bytes.to_vec();
        bytes[112..128].fill(id);
        fix_checksum(&mut bytes);
        bytes
    };
    let primary = identified(&primary, 1);
    let log = new_format(&history.base_block(0), 7, &entries);
    let (hive, outcome) = replay(&primary, &[("LOG1", &identified(&log, 2))]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Foreign]);
    for id in [0, 1] {
        let (_, outcome) = replay(&primary, &[("LOG1", &identified(&log, id))]);
        assert_eq!(states(&outcome), [Used]);
    }
}

#[test]
fn a_log_that_was_not_written_to_its_end_is_invalid() {
    let history = History::of(1);
    let primary = history.dirty(8, 7);
    let mut log = log(&history, 7, 1..=1);
    log[8] ^= 1;
    fix_checksum(&mut log);
    let (hive, outcome) = replay(&primary, &[("LOG1", &log)]);
    is_left_alone(&hive, &outcome, &primary);
    assert_eq!(states(&outcome), [Invalid]);
}

#[test]
fn a_bad_base_block_is_recovered_from_the_latest_log_alone() {
    let history = History::of(3);
    let mut primary = history.dirty(8, 7);
    primary[36] ^= 0xff;
    // Two steps had reached the primary file before its base block was damaged.
    primary[4096..].copy_from_slice(&history.states[0][4096..]);
    let (earlier, later) = (log(&history, 7, 1..=1), log(&history, 8, 2..=3));
    let logs = [("LOG1", &*earlier), ("LOG2", &*later)];
    let (hive, outcome) = replay(&primary, &logs);
    assert_eq!(states(&outcome), [NotReplayed, Used]);
    assert_eq!(hive.base_block().problems(hive.size()), []);
    assert_eq!((hive.base_block().primary_sequence, hive.base_block().root_offset), (9, 32));

    let (hive, outcome) = replay(&primary, &[("LOG1", &earlier)]);
    is_recovered(&hive, &history.states[1], 7);
    assert_eq!(states(&outcome), [Used]);
}
