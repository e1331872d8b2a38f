//! Properties of every log: a second replay changes nothing, and only bytes that a log names change.

use std::collections::BTreeMap;

use hivemend::hive::Hive;
use proptest::prelude::*;

use super::{History, replay};
use crate::builder::log::{changed_pages, new_format, old_format, rehash};
use crate::builder::{PAGE, fix_checksum};

/// The logs of a history of four steps: both formats, the new one in one file or two.
fn logs(history: &History, sequence: u32, split: usize, old: bool) -> Vec<Vec<u8>> {
    if old {
        let pages = changed_pages(&history.states[0], &history.states[4]);
        return vec![old_format(&history.base_block(4), sequence.wrapping_add(1), &pages)];
    }
    let mut entries: Vec<_> =
        (1..=4_u32).map(|step| history.entry(sequence.wrapping_add(step - 1), step as usize)).collect();
    let second = entries.split_off(split);
    let base_block = history.base_block(0);
    let logs = [entries, second].into_iter().filter(|entries| !entries.is_empty());
    logs.map(|entries| new_format(&base_block, entries[0].sequence, &entries)).collect()
}

fn named(logs: &[Vec<u8>]) -> Vec<(&'static str, &[u8])> {
    ["LOG1", "LOG2"].into_iter().zip(logs.iter().map(Vec::as_slice)).collect()
}

fn bins(hive: &Hive) -> &[u8] {
    &hive.bytes()[PAGE..]
}

/// Every 512 bytes that some log names, wherever in it an entry seems to begin, with all that they may become.
fn mentioned(logs: &[Vec<u8>]) -> BTreeMap<usize, Vec<&[u8]>> {
    let mut mentioned: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
    let word = |log: &[u8], at: usize| u32::from_le_bytes(log[at..at + 4].try_into().unwrap()) as usize;
    for log in logs {
        for at in (512..log.len().saturating_sub(40)).step_by(512).filter(|at| log[*at..].starts_with(b"HvLE")) {
            let count = word(log, at + 20);
            let mut data = at.saturating_add(40).saturating_add(count.saturating_mul(8));
            for reference in (0..count).map(|index| at + 40 + index * 8).take_while(|place| place + 8 <= log.len()) {
                let (offset, length) = (word(log, reference), word(log, reference + 4));
                for piece in (0..length).step_by(512).take_while(|piece| data + piece + 512 <= log.len()) {
                    mentioned.entry(offset + piece).or_default().push(&log[data + piece..data + piece + 512]);
                }
                data += length;
            }
        }
        if log.get(512..).is_some_and(|rest| rest.starts_with(b"DIRT")) {
            let bytes = word(log, 40) / 4096;
            let mut data = (516 + bytes).next_multiple_of(512);
            for bit in
                (0..bytes * 8).filter(|bit| log.get(516 + bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1))
            {
                mentioned.entry(bit * 512).or_default().extend(log.get(data..data + 512));
                data += 512;
            }
        }
    }
    mentioned
}

/// What is done to a log.
#[derive(Clone, Debug)]
enum Mutation {
    Byte(usize, u8),
    Word(usize, u32),
    Cut(usize),
    Copy(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let special = prop_oneof![
        Just(0_u32),
        Just(u32::MAX),
        Just(1 << 31),
        Just(0x7fff_f000),
        Just(4096),
        Just(512),
        Just(8192),
        any::<u32>()
    ];
    prop_oneof![
        4 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Byte(at, byte)),
        // Headers more often than pages.
        4 => (0..160_usize, special.clone()).prop_map(|(at, word)| Mutation::Word(508 + at * 4, word)),
        2 => (0..12_usize, special).prop_map(|(at, word)| Mutation::Word(at * 4, word)),
        1 => any::<usize>().prop_map(Mutation::Cut),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Mutation::Copy(from, to)),
    ]
}

fn mutate(log: &mut Vec<u8>, mutation: &Mutation) {
    match *mutation {
        Mutation::Byte(at, byte) => {
            let length = log.len().max(1);
            log.get_mut(at % length).into_iter().for_each(|place| *place = byte);
        }
        Mutation::Word(at, word) => {
            log.get_mut(at..at + 4).into_iter().for_each(|place| place.copy_from_slice(&word.to_le_bytes()));
        }
        Mutation::Cut(at) => log.truncate(at % (log.len() + 1)),
        Mutation::Copy(from, to) => {
            let sectors = (log.len() / 512).max(1);
            let (from, to) = (from % sectors * 512, to % sectors * 512);
            if from.max(to) + 512 <= log.len() {
                log.copy_within(from..from + 512, to);
            }
        }
    }
}

/// Makes checksums and hashes right, so that what they would have caught is tried too.
fn mend(log: &mut [u8]) {
    if log.len() >= 512 {
        fix_checksum(log);
    }
    for at in (512..log.len().saturating_sub(40)).step_by(512) {
        let size = u32::from_le_bytes(log[at + 4..at + 8].try_into().unwrap()) as usize;
        if log[at..].starts_with(b"HvLE") && size > 40 && size <= log.len() - at {
            rehash(&mut log[at..at + size]);
        }
    }
}

proptest! {
    #[test]
    fn a_second_replay_changes_nothing(sequence: u32, split in 0..=4_usize, old: bool) {
        let history = History::of(4);
        let logs = logs(&history, sequence, split, old);
        let logs = named(&logs);
        let (once, outcome) = replay(&history.dirty(sequence.wrapping_add(1), sequence), &logs);
        prop_assert!(outcome.replay.is_some() && bins(&once) == &history.states[4][PAGE..]);
        // The hive is clean now: its logs are of no use any more.
        let (clean, outcome) = replay(once.bytes(), &logs);
        prop_assert!(outcome.replay.is_none() && clean.bytes() == once.bytes());
        // And were it still dirty, they would bring nothing new.
        let mut dirty = once.bytes().to_vec();
        dirty[4..8].copy_from_slice(&sequence.wrapping_add(1).to_le_bytes());
        dirty[8..12].copy_from_slice(&sequence.to_le_bytes());
        fix_checksum(&mut dirty);
        let (again, outcome) = replay(&dirty, &logs);
        prop_assert!(outcome.replay.is_some() && again.bytes() == once.bytes());
    }

    #[test]
    fn no_mutation_of_a_log_changes_a_page_that_it_does_not_name(
        split in 0..=4_usize,
        old: bool,
        mended: bool,
        bad_base_block: bool,
        mutations in prop::collection::vec((0..2_usize, mutation()), 1..6),
    ) {
        let history = History::of(4);
        let mut logs = logs(&history, 7, split, old);
        for (index, mutation) in &mutations {
            let count = logs.len();
            mutate(&mut logs[index % count], mutation);
        }
        if mended {
            for log in &mut logs {
                mend(log);
            }
        }
        let mut primary = history.dirty(8, 7);
        if bad_base_block {
            primary[508] ^= 1;
        }
        let (hive, outcome) = replay(&primary, &named(&logs));
        if outcome.replay.is_none() {
            prop_assert!(hive.bytes() == primary);
        }
        let held: usize = logs.iter().map(Vec::len).sum();
        prop_assert!(hive.bytes().len() <= primary.len() + held);
        let mentioned = mentioned(&logs);
        for (index, now) in bins(&hive).chunks(512).enumerate() {
            let at = index * 512;
            let before = primary.get(PAGE + at..PAGE + at + 512);
            let named = mentioned.get(&at).is_some_and(|may_be| may_be.contains(&now));
            let grown = before.is_none() && now.iter().all(|byte| *byte == 0);
            prop_assert!(before == Some(now) || named || grown, "{at:#x} changed to what no log has for it");
        }
    }
}
