//! Flips bits, removes bytes, and repeats bytes in every container that has checksums. Either everything is unchanged,
//! or a problem is reported; wrong bytes are never called verified.

use std::collections::BTreeSet;

use hivemend::evidence::file_system::{EntryKind, Vouched};

use super::{Bench, Contents, in_one_pass, open_bytes, paths};
use crate::damage::{Seeded, damage, places};

/// What an archive gives: its contents, its paths and kinds, and whether it tells of anything.
fn observed(bytes: Vec<u8>, name: &str, password: Option<&str>) -> Option<(Contents, BTreeSet<String>, bool)> {
    let archive = open_bytes(bytes, name, password).ok()?;
    let found = in_one_pass(archive.as_ref());
    let entries = paths(archive.as_ref());
    // Nobody passes over a link without a word.
    let odd = entries.iter().any(|(.., kind)| !matches!(kind, EntryKind::File | EntryKind::Folder));
    let entries = entries.into_iter().map(|(_, path, kind)| format!("{path} {kind:?}")).collect();
    let refused = found.values().any(|content| !matches!(content, Ok((_, Vouched::Verified(_)))));
    let told = !archive.defects().is_empty() || matches!(archive.vouched(), Vouched::Unverified(_)) || refused || odd;
    Some((found, entries, told))
}

/// Runs the matrix over one container; how many damages were told.
fn matrix(whole: &[u8], name: &str, password: Option<&str>) -> usize {
    let (sound, entries, told) = observed(whole.to_vec(), name, password).unwrap();
    assert!(
        !told,
        "{name}: {:?}",
        sound.iter().map(|(path, content)| (path, content.as_ref().map(|found| &found.1))).collect::<Vec<_>>()
    );
    let known: BTreeSet<&[u8]> = sound.values().map(|content| content.as_ref().unwrap().0.as_slice()).collect();
    let mut rng = Seeded(0x5eed);
    let mut noticed = 0;
    for round in 0..places() * 3 {
        let mut bytes = whole.to_vec();
        // Ends and beginnings are where most formats have their bookkeeping.
        let at = match round % 9 {
            0..3 => rng.below(bytes.len().min(64)),
            3..6 => bytes.len() - 1 - rng.below(bytes.len().min(96)),
            _ => rng.below(bytes.len()),
        };
        let what = format!("{name}: {}", damage(&mut bytes, at, 700, round, &mut rng));
        let Some((found, now, told)) = observed(bytes, name, password) else {
            noticed += 1;
            continue;
        };
        noticed += usize::from(told);
        for (path, content) in &found {
            if let Ok((bytes, Vouched::Verified(_))) = content {
                assert!(known.contains(bytes.as_slice()), "{what}: {path} is called verified, and is not what it was");
            }
        }
        if !told {
            assert_eq!(now, entries, "{what}: nothing is told, and the names differ");
            for (path, content) in &found {
                assert!(content == &sound[path], "{what}: nothing is told, and {path} differs");
            }
        }
    }
    noticed
}

/// The longest a container may go without a word: what a format does not protect (times, names of systems).
fn assert_most_are_told(noticed: usize, name: &str) {
    assert!(noticed * 2 > places() * 3, "{name}: {noticed} of {} are told", places() * 3);
}

#[test]
fn damaged_streams_are_told() {
    let bench = Bench::with_files();
    assert!(bench.run("tar", &["-cf", "a.tar", "in"]));
    for (program, options, end) in [
        ("gzip", &["-k"][..], "gz"),
        ("bzip2", &["-k"], "bz2"),
        ("xz", &["-k"], "xz"),
        ("xz", &["-kf", "-Csha256", "--block-size=20000"], "xz"),
        ("xz", &["-kf", "-Ccrc32"], "xz"),
        ("zstd", &["-kq"], "zst"),
    ] {
        for name in ["a.tar", "in/Windows/System32/config/SYSTEM"] {
            let named = format!("{name}.{end}");
            let _ = std::fs::remove_file(bench.path(&named));
            if bench.run(program, &[options, &[name]].concat()) {
                let noticed = matrix(&bench.read(&named), &named, None);
                assert_most_are_told(noticed, &format!("{named} {options:?}"));
            }
        }
    }
}

#[test]
fn damaged_zip_archives_are_told() {
    let bench = Bench::with_files();
    for (program, options, password) in [
        ("zip", &["-qr"][..], None),
        ("zip", &["-qr0"], None),
        ("zip", &["-qrfz"], None),
        ("zip", &["-qr", "-P", "secret"], Some("secret")),
        ("7z", &["a", "-tzip", "-psecret", "-mem=AES256"], Some("secret")),
        ("7z", &["a", "-tzip", "-mm=LZMA"], None),
    ] {
        let _ = std::fs::remove_file(bench.path("a.zip"));
        let arguments = [options, &["a.zip", "in"]].concat();
        if if program == "7z" { super::zip_archives::seven(&bench, &arguments) } else { bench.run(program, &arguments) }
        {
            let noticed = matrix(&bench.read("a.zip"), "a.zip", password);
            assert_most_are_told(noticed, &format!("{program} {options:?}"));
        }
    }
}

#[test]
fn damaged_7z_archives_are_told() {
    let bench = Bench::with_files();
    for (options, password) in
        [(&["a"][..], None), (&["a", "-ms=off", "-m0=Copy"], None), (&["a", "-psecret", "-mhe=on"], Some("secret"))]
    {
        let _ = std::fs::remove_file(bench.path("a.7z"));
        if super::zip_archives::seven(&bench, &[options, &["a.7z", "in"]].concat()) {
            let noticed = matrix(&bench.read("a.7z"), "a.7z", password);
            assert_most_are_told(noticed, &format!("{options:?}"));
        }
    }
}

#[test]
fn damaged_archives_without_checksums_are_read_without_harm() {
    let bench = Bench::with_files();
    std::fs::File::create(bench.path("in/hole")).unwrap().set_len(1_000_000).unwrap();
    let mut rng = Seeded(11);
    for options in [
        &["--format=gnu", "-S"][..],
        &["--format=pax", "-S", "--sparse-version=0.0"],
        &["--format=pax", "-S", "--sparse-version=1.0"],
        &["--format=v7"],
    ] {
        assert!(bench.run("tar", &[options, &["-C", "in", "-cf", "a.tar", "Windows", "hole", "empty"]].concat()));
        let whole = bench.read("a.tar");
        for _ in 0..places() {
            let mut bytes = whole.clone();
            for _ in 0..=rng.below(4) {
                // Digits in headers matter most.
                let at = rng.below(bytes.len() / 512) * 512 + [124, 156, 386, rng.below(512)][rng.below(4)];
                bytes[at] = rng.next() as u8;
                let header = at / 512 * 512;
                bytes[header + 148..header + 156].fill(b' ');
                let sum: u32 = bytes[header..header + 512].iter().map(|byte| u32::from(*byte)).sum();
                bytes[header + 148..header + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
            let Ok(archive) = open_bytes(bytes, "a.tar", None) else { continue };
            for (node, ..) in paths(archive.as_ref()) {
                let _ = archive.head(node);
                if let Ok(mut content) = archive.open(node) {
                    // A hole may be of any size.
                    let _ = std::io::copy(&mut std::io::Read::take(&mut content, 4 << 20), &mut std::io::sink());
                }
            }
        }
    }
}
