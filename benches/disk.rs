//! Reads the whole disk in an image from its first byte to its last and discards the data, which shows the cost of a
//! format. `benches/peers/images.sh` runs it beside the formats' own tools.
//!
//! ```sh
//! cargo bench --bench disk -- disk.E01
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss,
    reason = "a benchmark is a program for us: it prints, and stops where something is wrong"
)]

use std::path::PathBuf;
use std::time::Instant;

/// Bytes read at a time, as `qemu-img convert` and `ewfexport` do.
const AT_A_TIME: usize = 1 << 20;

fn main() {
    // cargo itself adds `--bench`.
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).map(PathBuf::from) else {
        eprintln!("name a disk image");
        return;
    };
    let begun = Instant::now();
    let disk = hivemend::evidence::disk::open(&path).unwrap_or_else(|problem| panic!("{problem}"));
    let (size, mut at, mut buffer) = (disk.blocks.size(), 0, vec![0; AT_A_TIME]);
    while at < size {
        let count = disk.blocks.read_at(&mut buffer, at).unwrap();
        assert!(count > 0, "nothing at {at}");
        at += count as u64;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{} MB in {seconds:.2} s, {:.0} MB/s", size / 1_000_000, size as f64 / 1e6 / seconds);
}
