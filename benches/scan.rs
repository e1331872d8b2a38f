//! Visits every file and folder of the volumes on a disk image and discards them, which shows the cost of a complete
//! search. `benches/peers/ntfs_scan.sh` runs it beside `fls -r`.
//!
//! ```sh
//! cargo bench --bench scan -- disk.E01
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a benchmark is a program for us: it prints, and stops where something is wrong"
)]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use hivemend::evidence::{disk, file_systems, volume};

fn main() {
    // cargo itself adds `--bench`.
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).map(PathBuf::from) else {
        eprintln!("name a disk image");
        return;
    };
    let begun = Instant::now();
    let disk = disk::open(&path).unwrap_or_else(|problem| panic!("{problem}"));
    let table = volume::volumes(&disk.blocks, "disk").unwrap_or_else(|problem| panic!("{problem}"));
    let (mut entries, mut obstacles) = (0_u64, 0_u64);
    for volume in table.volumes {
        let system = file_systems::open(&volume.blocks).unwrap_or_else(|problem| panic!("{problem}"));
        let Some(system) = system else { continue };
        system.scan(&mut |met| {
            match met {
                Ok(_) => entries += 1,
                Err(_) => obstacles += 1,
            }
            ControlFlow::Continue(())
        });
    }
    println!("{entries} files and folders, {obstacles} obstacles in {:.2} s", begun.elapsed().as_secs_f64());
}
