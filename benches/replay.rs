//! Measures the replay of transaction logs, and reading the same three files, on the dirty SYSTEM hive (12.8 MB, logs
//! of 6 MB) of the corpus in `HIVEMEND_CORPUS`: `cargo bench --bench replay`. The last lines are medians of alternating
//! runs, which are fairer on a busy machine than consecutive ones.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::arithmetic_side_effects,
    reason = "a benchmark that cannot run may panic; criterion makes a function without a comment"
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hivemend::evidence::Bytes;
use hivemend::hive::Hive;

criterion_group!(benches, logs);
criterion_main!(benches);

/// The number of alternating rounds.
const ROUNDS: usize = 101;
/// The number of entries that the logs of the corpus apply. With fewer, the measurement would be faster and invalid.
const ENTRIES: u64 = 24;

fn logs(criterion: &mut Criterion) {
    let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS") else {
        return eprintln!("skipped: HIVEMEND_CORPUS is not set");
    };
    let folder = PathBuf::from(corpus).join("win10-1709-x64-dirty-with-logs");
    let files = ["SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"].map(|name| folder.join(name));
    let read = || _ = black_box(files.each_ref().map(|file| std::fs::read(file).unwrap()));
    let replay = |map: bool| {
        let [_, first, second] = files.each_ref().map(|file| Bytes::open(file, map).unwrap());
        let hive = Hive::open(&files[0], map).unwrap().unwrap();
        let (hive, outcome) = hive.replay(&[("SYSTEM.LOG1", &first), ("SYSTEM.LOG2", &second)]);
        assert_eq!(outcome.replay.map(|replay| replay.entries_applied), Some(ENTRIES));
        black_box(hive);
    };

    let mut group = criterion.benchmark_group("transaction logs");
    group.bench_function("read the three files", |bench| bench.iter(read));
    group.bench_function("open and replay, mapped", |bench| bench.iter(|| replay(true)));
    group.bench_function("open and replay, read", |bench| bench.iter(|| replay(false)));
    group.finish();

    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        times[0].push(time(read));
        times[1].push(time(|| replay(true)));
        times[2].push(time(|| replay(false)));
    }
    let [read, mapped, unmapped] = times.map(median);
    println!("in turns, median of {ROUNDS}: read {read:.2} ms");
    for (what, ms) in [("mapped", mapped), ("read", unmapped)] {
        println!("in turns, median of {ROUNDS}: open and replay, {what} {ms:.2} ms, {:.2} times reading", ms / read);
    }
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Returns the median in milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
