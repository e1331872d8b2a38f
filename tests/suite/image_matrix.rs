//! Flips bits, removes bytes, and repeats bytes in containers with checksums, and runs everything from the evidence to
//! the report. Either the findings and hashes are those of the intact file, or the report states that something is
//! missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hivemend::examination::{Options, examine};
use hivemend::report::json;
use serde_json::{Value, json};

use crate::command_line::Desk;
use crate::damage::{Seeded, damage, places};
use crate::images::shell;

const CASE: &str = "windows-xp-senslogn-shutdown-wrong";

/// What an audit comes to.
struct Observed {
    /// Each installation: which Windows, which hives with their hashes, and the findings.
    judged: Value,
    /// Whether the report says that nothing is missing.
    complete: bool,
    /// The hashes of hives, and whether the report says that they were verified.
    hives: Vec<(String, bool)>,
}

/// Audits evidence in this process; `None` where nothing could be examined, and an error says why.
fn observed(evidence: &Path, what: &str) -> Option<Observed> {
    let options = Options { all_generations: true, all_findings: true, map: false, ..Options::default() };
    let examination = match examine(&[evidence.to_owned()], &options) {
        Ok(examination) => examination,
        Err(error) => {
            assert!(!error.to_string().contains("please report it"), "{what}: {error}");
            return None;
        }
    };
    let mut text = Vec::new();
    json::render(&examination.report, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    // A reader that panicked.
    assert!(!text.contains("please report it"), "{what}: {text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let (mut judged, mut hives) = (Vec::new(), Vec::new());
    for installation in report["installations"].as_array().unwrap() {
        let mut all = Vec::new();
        for hive in installation["hives"].as_array().unwrap() {
            all.push(json!([hive["role"], hive["path"], hive["size"], hive["sha256"], hive["integrity"]["state"]]));
            let verified = hive["source_integrity"].to_string().contains("\"verified\"");
            hives.push((hive["sha256"].as_str().unwrap().to_owned(), verified));
        }
        let of = ["id", "evidence", "generation", "os", "baseline", "findings"].map(|name| &installation[name]);
        judged.push(json!([of, all]));
    }
    let missing = !report["summary"]["gaps"].as_array().unwrap().is_empty()
        || !report["problems"].as_array().unwrap().is_empty()
        || examination.nothing.is_some();
    Some(Observed { judged: judged.into(), complete: !missing, hives })
}

/// Runs the matrix over one file of the desk.
fn matrix(desk: &Desk, name: &str, seed: u64) {
    let whole = fs::read(desk.path(name)).unwrap();
    let place = desk.path("damaged").join(name);
    fs::create_dir_all(desk.path("damaged")).unwrap();
    fs::write(&place, &whole).unwrap();
    let sound = observed(&place, name).unwrap_or_else(|| panic!("{name}: nothing was found"));
    assert!(sound.complete, "{name}: the whole file has gaps");
    assert!(sound.hives.len() == 2 && sound.hives.iter().all(|(_, verified)| *verified), "{name}: {:?}", sound.hives);
    assert!(sound.judged.to_string().contains("senslogn"), "{name}: {}", sound.judged);
    let known: BTreeSet<&str> = sound.hives.iter().map(|(sum, _)| sum.as_str()).collect();
    // Most of a volume is free space: where hives stand in the container as they are, every fourth place is in one.
    let hives: Vec<usize> = (0..whole.len().saturating_sub(4)).filter(|at| whole[*at..].starts_with(b"regf")).collect();
    let mut random = Seeded(seed);
    let mut told = 0;
    for round in 0..places() * 3 {
        let mut bytes = whole.clone();
        // Beginnings and ends are where most formats have their bookkeeping.
        let at = match round / 3 % 4 {
            0 => random.below(bytes.len().min(4096)),
            1 => bytes.len() - 1 - random.below(bytes.len().min(4096)),
            2 if !hives.is_empty() => (hives[random.below(hives.len())] + random.below(8192)).min(bytes.len() - 1),
            _ => random.below(bytes.len()),
        };
        let what = format!("{name}: {}", damage(&mut bytes, at, 3000, round, &mut random));
        fs::write(&place, &bytes).unwrap();
        let Some(found) = observed(&place, &what) else {
            told += 1;
            continue;
        };
        for (sum, verified) in &found.hives {
            assert!(!verified || known.contains(sum.as_str()), "{what}: other bytes are called verified");
        }
        if found.complete {
            assert_eq!(found.judged, sound.judged, "{what}: nothing is missing, it says");
        } else {
            told += 1;
        }
    }
    // What a format does not protect (times, free space of a volume in packed chunks) may go without a word.
    assert!(told * 4 > places() * 3, "{name}: {told} of {} are told", places() * 3);
    note!("{name}: {told} of {} are told, {} bytes", places() * 3, whole.len());
}

/// A desk with the hives of the case in `tree`, and a small volume with them in `volume.raw`.
fn desk(file_system: &str) -> Option<Desk> {
    let desk = Desk::with(&[CASE]);
    fs::rename(desk.path("evidence").join(CASE), desk.path("tree")).unwrap();
    let command = match file_system {
        "fat" => {
            "command -v mkfs.fat mcopy >/dev/null || exit 127; truncate -s 3M volume.raw && mkfs.fat -F 12 volume.raw >/dev/null && \
             mcopy -s -Q -i volume.raw tree/* ::/"
        }
        "ntfs" => {
            "command -v mkntfs wimcapture >/dev/null || exit 127; truncate -s 4M volume.raw && mkntfs -q -F volume.raw && \
             wimcapture tree t.wim --compress=none >/dev/null && wimapply t.wim 1 volume.raw >/dev/null && rm t.wim"
        }
        _ => "true",
    };
    shell(&desk, command).then_some(desk)
}

/// Makes an E01 of the volume.
fn acquired(desk: &Desk, name: &str, packing: &str) -> bool {
    let options = format!("-f encase6 -c {packing} -C x -D x -e x -E x -N x");
    shell(desk, &format!("ewfacquire -u -q -t {name} {options} volume.raw >/dev/null"))
}

#[test]
fn a_damaged_e01_of_a_fat_volume_is_told_or_gives_the_same() {
    let Some(desk) = desk("fat") else { return };
    for (name, packing, seed) in [("none", "none", 0x5eed), ("best", "deflate:best", 0xfeed)] {
        if acquired(&desk, name, packing) {
            matrix(&desk, &format!("{name}.E01"), seed);
        }
    }
}

#[test]
fn a_damaged_e01_of_an_ntfs_volume_is_told_or_gives_the_same() {
    let Some(desk) = desk("ntfs") else { return };
    if acquired(&desk, "a", "deflate:best") {
        matrix(&desk, "a.E01", 0xabc);
    }
}

#[test]
fn a_damaged_zip_with_an_e01_is_told_or_gives_the_same() {
    let Some(desk) = desk("fat") else { return };
    if acquired(&desk, "a", "none") && shell(&desk, "zip -q a.zip a.E01") {
        matrix(&desk, "a.zip", 0xdef);
    }
    if acquired(&desk, "b", "deflate:best") && shell(&desk, "zip -q0 b.zip b.E01") {
        matrix(&desk, "b.zip", 0xfed);
    }
}

#[test]
fn damaged_archives_are_told_or_give_the_same() {
    let Some(desk) = desk("") else { return };
    for (name, command, seed) in [
        ("a.zip", "cd tree && zip -qr ../a.zip .", 1),
        ("a.7z", "command -v 7z >/dev/null || exit 127; cd tree && 7z a -bso0 -bsp0 ../a.7z .", 2),
        ("a.tar.gz", "tar -C tree -czf a.tar.gz .", 3),
        ("a.tar.xz", "tar -C tree -cJf a.tar.xz .", 4),
        ("a.tar.zst", "command -v zstd >/dev/null || exit 127; tar -C tree -cf - . | zstd -q >a.tar.zst", 5),
    ] {
        if shell(&desk, command) {
            matrix(&desk, name, seed);
        }
    }
}
