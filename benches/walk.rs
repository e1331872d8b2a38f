//! Walks a whole hive: `cargo bench --bench walk -- HIVE [TIMES [walk|check]]`. Reads every key's name and time, every
//! value's name, type, and data, and every byte of the data. For each run it prints keys, values, bytes, and the
//! milliseconds from opening to the end: of the walk alone, and of the check that compares it with the hive bins.
//! `benches/peers/walk.sh` measures libhivex beside it.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and fails by panicking")]

use std::path::Path;
use std::time::Instant;

use hivemend::hive::Hive;
use hivemend::hive::walk::{Visitor, WalkedKey, WalkedValue, check, walk};

/// Reads everything and sums it up, so that the compiler cannot remove any part.
#[derive(Default)]
struct Look {
    bytes: u64,
    sum: u64,
}

impl Visitor for Look {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        self.sum = self.sum.wrapping_add(key.last_written().0).wrapping_add(key.name_units().count() as u64);
    }

    fn value(&mut self, _: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        self.bytes = self.bytes.wrapping_add(value.data().len() as u64);
        let data = value.data().iter().fold(0, |sum: u64, byte| sum.wrapping_add(u64::from(*byte)));
        let name = value.name_units().count() as u64;
        self.sum = self.sum.wrapping_add(u64::from(value.data_type().0)).wrapping_add(name).wrapping_add(data);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else { return println!("name a hive") };
    let times: u32 = arguments.next().map_or(1, |times| times.parse().unwrap());
    let open = || Hive::open(Path::new(&path), true).unwrap().unwrap().as_it_lies();
    let only = arguments.next();
    let wanted = |what| only.as_deref().is_none_or(|only| only == what);
    for _ in 0..times {
        if wanted("walk") {
            let start = Instant::now();
            let mut look = Look::default();
            let walked = walk(&open(), &mut look);
            report("hivemend walk", walked.keys, walked.values, &look, start);
        }
        if wanted("check") {
            let start = Instant::now();
            let mut look = Look::default();
            let (coverage, _) = check(&open(), &mut look);
            report("hivemend check", coverage.keys, coverage.values, &look, start);
        }
    }
}

fn report(what: &str, keys: u64, values: u64, look: &Look, start: Instant) {
    let ms = start.elapsed().as_secs_f64() * 1e3;
    std::hint::black_box(look.sum);
    println!("{what}\t{keys} keys\t{values} values\t{} bytes\t{ms:.1} ms", look.bytes);
}
