//! Reads any bytes as a dirty hive and the two logs beside it: the logs are replayed, or the hive stays unchanged.
//!
//! An input is a byte of options, the lengths of the hive and the first log (32 bits, little-endian), and the three
//! files one after another. Option 1 first corrects the checksums of the logs, because no fuzzer finds a Marvin32 hash.
#![no_main]

use hive_fixtures::builder;
use hivemend::evidence::Bytes;
use hivemend::hive::transaction_log::LogState;
use hivemend::hive::{Hive, Key, role};
use libfuzzer_sys::fuzz_target;

const SUMS_MADE_RIGHT: u8 = 1;
/// The bytes before the entries of a log, if sectors are small.
const SECTOR: usize = 512;

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*word)).ok()
}

fn make_sums_right(log: &mut [u8]) {
    if log.len() < SECTOR {
        return;
    }
    builder::fix_checksum(log);
    let mut at = SECTOR;
    while let Some(size) = word(log, at + 4).filter(|size| *size >= 40) {
        let Some(entry) = log.get_mut(at..at + size) else { return };
        builder::log::rehash(entry);
        at += size;
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (Some(&choice), Some(hive), Some(log)) = (bytes.first(), word(bytes, 1), word(bytes, 5)) else { return };
    let files = &bytes[9..];
    let (primary, logs) = files.split_at(hive.min(files.len()));
    let (one, two) = logs.split_at(log.min(logs.len()));
    let (mut one, mut two) = (one.to_vec(), two.to_vec());
    if choice & SUMS_MADE_RIGHT != 0 {
        make_sums_right(&mut one);
        make_sums_right(&mut two);
    }
    let Ok(file) = Hive::from_bytes(Bytes::Read(primary.to_vec())) else { return };
    let was_dirty = file.base_block().is_dirty();
    let (hive, outcome) = file.replay(&[("SYSTEM.LOG1", &one), ("SYSTEM.LOG2", &two)]);
    match &outcome.replay {
        None => {
            assert!(hive.bytes() == primary);
            assert!(outcome.logs.iter().all(|log| log.state != LogState::Used));
        }
        Some(replay) => {
            assert!(was_dirty && !hive.base_block().is_dirty());
            assert!(replay.entries_applied > 0 && !replay.logs_used.is_empty());
            assert!(hive.bytes().len() <= primary.len().max(4096) + one.len() + two.len());
            // A recovered hive is clean, so its logs contain nothing that it lacks.
            let again = Hive::from_bytes(Bytes::Read(hive.bytes().to_vec())).unwrap();
            assert!(again.replay(&[("SYSTEM.LOG1", &one), ("SYSTEM.LOG2", &two)]).1.replay.is_none());
        }
    }
    let tree = hive.tree();
    let _ = role(&tree);
    if let Ok(root) = tree.root() {
        for key in root.subkeys().0.iter().take(50) {
            let _ = (key.values(), Key::name(key));
        }
    }
});
