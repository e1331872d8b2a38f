//! Ten thousand pairs of hives, made from the fixtures and damaged. Each is examined completely: found, opened,
//! replayed, walked, judged, reported, patched. None causes a panic, and none takes long or much memory.
//!
//! Prints the cost of the worst pair. `docs/robustness.md` has the figures of a release build.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it measured"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hive_fixtures::{builder, fixture};
use hivemend::examination::{Options, examine};
use hivemend::remediation::{PatchOptions, Selection, patch_files, remedy};
use hivemend::report::{json, table};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const PAIRS: usize = 10_000;
/// The memory that one pair may need beyond the bytes of its files.
const MEMORY: usize = 64 << 20;
/// Far longer than any pair takes on any machine. A longer run hangs.
const HANG: Duration = Duration::from_secs(20);

/// Xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// The files of a pair, SOFTWARE and SYSTEM with their logs.
type Files = Vec<(String, Vec<u8>)>;

/// Returns the pairs to start from: clean ones of several Windows, and some with changes that are only in logs.
fn whole_pairs() -> Vec<Files> {
    let folder = tempfile::tempdir().unwrap();
    let read = |paths: Vec<PathBuf>| -> Files {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
    };
    let clean = ["windows-2000", "windows-xp", "windows-vista", "windows-7", "windows-10", "hostile-strings"];
    let dirty = ["windows-xp-senslogn-shutdown-wrong", "windows-10-bits-manual", "windows-10-senslogn-planted"];
    let clean = clean.iter().map(|name| (name, fixture::compile(name).unwrap().write(&folder.path().join(name))));
    let clean: Vec<_> = clean.map(|(_, paths)| read(paths.unwrap())).collect();
    let dirty = dirty.iter().map(|name| fixture::compile(name).unwrap().write_dirty(&folder.path().join(name)));
    clean.into_iter().chain(dirty.map(|paths| read(paths.unwrap()))).collect()
}

/// Returns a number that may expose a mistake in a reader.
fn number(random: &mut Random, size: usize) -> u32 {
    let size = u32::try_from(size).unwrap();
    match random.below(10) {
        0 => 0,
        1 => u32::MAX,
        2 => 1 << 31,
        3 => size,
        4 => size.wrapping_sub(4096),
        5 => 1,
        6 => 0x8000_0000 | size,
        // A possible cell offset.
        7 | 8 => u32::try_from(random.below(size as usize / 8)).unwrap() * 8,
        _ => u32::try_from(random.next() >> 32).unwrap(),
    }
}

/// Returns the offsets of the cells' signatures. The bytes after a signature control a reader.
fn records(bytes: &[u8]) -> Vec<usize> {
    let mark =
        |at: &usize| matches!(&bytes[*at..*at + 2], b"nk" | b"vk" | b"lf" | b"lh" | b"li" | b"ri" | b"sk" | b"db");
    (4096..bytes.len().saturating_sub(80)).step_by(4).filter(mark).collect()
}

/// Damages one file in one of the ways that occur by accident or on purpose.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    let size = bytes.len();
    if size < 8 {
        return;
    }
    match random.below(12) {
        0 => bytes.truncate(random.below(size)),
        1 => {
            let at = random.below(size);
            let end = (at + 1 + random.below(4096)).min(size);
            bytes[at..end].fill(if random.chance(2) { 0 } else { 0xff });
        }
        2 => {
            let (from, to) = (random.below(size), random.below(size));
            let length = random.below(512).min(size - from.max(to));
            bytes.copy_within(from..from + length, to);
        }
        3 => bytes.extend(vec![0x5a; random.below(8192)]),
        // A field of the base block.
        4 => {
            let at = random.below(128) * 4;
            let number = number(random, size);
            if let Some(field) = bytes.get_mut(at..at + 4) {
                field.copy_from_slice(&number.to_le_bytes());
            }
            if random.chance(2) && size >= 512 {
                builder::fix_checksum(bytes);
            }
        }
        5 | 6 => {
            for _ in 0..=random.below(8) {
                let at = random.below(size);
                bytes[at] = random.next().to_le_bytes()[0];
            }
        }
        // A field of a record: an offset, a count, a size.
        _ => {
            let records = records(bytes);
            for _ in 0..=random.below(3) {
                let Some(record) = records.get(random.below(records.len())) else { return };
                // From the size of the cell to the end of a key node.
                let at = record - 4 + random.below(40) * 2;
                let number = number(random, size);
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
        }
    }
}

/// Corrects the checksums of a log in the new format, as a forger would.
fn make_sums_right(log: &mut [u8]) {
    if log.len() < 512 {
        return;
    }
    builder::fix_checksum(log);
    let mut at = 512;
    while let Some(size) = log.get(at + 4..at + 8).map(|size| u32::from_le_bytes(size.try_into().unwrap()) as usize) {
        match log.get_mut(at..at.saturating_add(size)) {
            Some(entry) if size >= 40 => builder::log::rehash(entry),
            _ => return,
        }
        at += size;
    }
}

/// Processes a folder of hives as `audit --patch` and `find --check` do.
fn examine_all(folder: &Path, options: &Options) {
    // Files that are not hives are refused with a reason.
    let Ok(examination) = examine(&[folder.to_owned()], options) else { return };
    json::render(&examination.report, &mut io::sink()).unwrap();
    table::render(&examination.report, &table::Style::default(), &mut io::sink()).unwrap();
    for installation in &examination.report.installations {
        let selection = Selection { accept_dirty: true, ..Selection::default() };
        if let Ok(plan) = remedy(installation, &selection) {
            let _ = patch_files(&plan, &PatchOptions::default());
        }
    }
}

#[test]
fn ten_thousand_mutated_pairs() {
    let panics = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&panics);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |what| {
        count.fetch_add(1, Ordering::Relaxed);
        hook(what);
    }));
    let whole = whole_pairs();
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut slowest, mut largest) = ((Duration::ZERO, 0), (0, 0));
    for pair in 0..PAIRS {
        let mut files = whole[pair % whole.len()].clone();
        for _ in 0..=random.below(4) {
            let file = random.below(files.len());
            damage(&mut files[file].1, &mut random);
        }
        let logs = files.iter_mut().filter(|(name, _)| name.contains(".LOG"));
        logs.for_each(|(_, log)| {
            if random.chance(2) {
                make_sums_right(log);
            }
        });
        for (name, bytes) in &files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let options = Options {
            check: random.chance(2),
            all_findings: random.chance(2),
            replay: !random.chance(4),
            map: random.chance(2),
            // Hashes are computed in threads, whose memory is not counted here.
            hash: None,
            ..Options::default()
        };
        let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let begun = Instant::now();
        examine_all(folder.path(), &options);
        slowest = slowest.max((begun.elapsed(), pair));
        let taken = ALLOCATOR.peak_usage().saturating_sub(before + size);
        largest = largest.max((taken, pair));
        for (name, _) in &files {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
    let panics = panics.load(Ordering::Relaxed);
    eprintln!(
        "{PAIRS} pairs: {panics} panics contained; the slowest (pair {}) took {:?}; the most memory beside the files \
         (pair {}) was {} KB",
        slowest.1,
        slowest.0,
        largest.1,
        largest.0 / 1024
    );
    assert_eq!(panics, 0, "each offset is checked before it is followed: the guard should have nothing to do");
    assert!(largest.0 < MEMORY, "pair {} took {} bytes", largest.1, largest.0);
    assert!(slowest.0 < HANG, "pair {} took {:?}", slowest.1, slowest.0);
}
