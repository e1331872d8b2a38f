//! `lint` reads a file in one pass: its memory does not grow with the file.
//!
//! By itself, because its allocator counts, and it alone may allocate meanwhile.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use hivemend::lint::{LintOptions, LintedFile, render, render_json};
use hivemend::reg_file::Importer;
use hivemend::report::table::Style;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Enough that everything that is kept up to a limit reaches that limit.
const KEYS: usize = 40_000;
/// The memory of a list with a number for each key that the longer file has more. What is kept varies by less.
const GROWTH: usize = 3 * KEYS * size_of::<usize>();

/// Writes a file as regedit does: keys in no order, values with oddities.
fn write(path: &Path, keys: usize) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut line = |text: &str| {
        for unit in text.encode_utf16().chain([u16::from(b'\r'), u16::from(b'\n')]) {
            file.write_all(&unit.to_le_bytes()).unwrap();
        }
    };
    line("\u{feff}Windows Registry Editor Version 5.00");
    for key in 0..keys {
        line("");
        line(&format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\{:08x}\\a key of an ordinary length]", key.reverse_bits() >> 32));
        line("\"a\\b\"=hex(2):41,0,\\");
        line("  42,00");
    }
    file.flush().unwrap();
}

/// Returns the most memory that a check of a file and its outputs need.
fn peak(path: &Path, importer: Option<Importer>) -> usize {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let file = LintedFile::read(path, &LintOptions { importer, ..LintOptions::default() }).unwrap();
    assert!(!file.is_accepted());
    render(std::slice::from_ref(&file), &Style::default(), &mut io::sink()).unwrap();
    render_json(&[file], &mut io::sink()).unwrap();
    ALLOCATOR.peak_usage() - before
}

#[test]
fn the_memory_of_lint_does_not_grow_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.reg");
    for importer in [None, Some(Importer::Regedit)] {
        let of = |keys| {
            write(&path, keys);
            peak(&path, importer)
        };
        let (once, four_times) = (of(KEYS), of(4 * KEYS));
        assert!(four_times < once + GROWTH, "{importer:?}: {once} and {four_times} bytes");
        assert!(four_times < 32 << 20, "{importer:?}: {four_times} bytes");
    }
}
