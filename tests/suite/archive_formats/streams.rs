//! gzip, bzip2, xz, and Zstandard, compared with the programs of those names.

use std::collections::BTreeMap;

use hivemend::evidence::file_system::Vouched;

use super::{Bench, assert_holds, contents, open_bytes};
use crate::damage::Seeded;

const TOOLS: [(&str, &str, &str); 4] = [
    ("gzip", "gz", "CRC-32 (gzip)"),
    ("bzip2", "bz2", "CRC-32 (bzip2)"),
    ("xz", "xz", "CRC-64 (xz)"),
    ("zstd", "zst", "XXH64 (Zstandard)"),
];

fn text() -> Vec<u8> {
    (0..60_000_u32).flat_map(|at| (at * at / 77 % 4099).to_le_bytes()).collect()
}

/// One file, named `SYSTEM`.
fn holds(compressed: Vec<u8>, name: &str, bytes: &[u8], vouched: &Vouched, what: &str) {
    let archive = open_bytes(compressed, name, None).unwrap_or_else(|refused| panic!("{what}: {refused:?}"));
    assert_holds(archive.as_ref(), &BTreeMap::from([("/SYSTEM".to_owned(), bytes.to_vec())]), vouched, what);
}

#[test]
fn one_after_the_other_are_read_as_one() {
    for (program, end, check) in TOOLS {
        let bench = Bench::new();
        let text = text();
        bench.write("a", &text[..50_000]);
        bench.write("b", &text[50_000..]);
        bench.write("none", b"");
        if !bench.run(program, &["a", "b", "none"]) {
            return;
        }
        let parts: Vec<Vec<u8>> = ["a", "none", "b"].iter().map(|name| bench.read(&format!("{name}.{end}"))).collect();
        let name = format!("SYSTEM.{end}");
        let check = Vouched::by(check);
        holds(parts.concat(), &name, &text, &check, program);
        holds(parts[1].clone(), &name, b"", &check, program);
        // A first part alone is another file, and a sound one.
        holds(parts[0].clone(), &name, &text[..50_000], &check, program);
    }
}

#[test]
fn every_flip_that_the_program_itself_refuses_is_told() {
    for (program, end, _) in TOOLS {
        let bench = Bench::new();
        let text = text();
        bench.write("SYSTEM", &text);
        if !bench.run(program, &["-k", "SYSTEM"]) {
            return;
        }
        let name = format!("SYSTEM.{end}");
        let whole = bench.read(&name);
        let mut rng = Seeded(3);
        let mut refused = 0;
        for round in 0..120 {
            let mut bytes = whole.clone();
            let at = match round % 3 {
                0 => rng.below(24),
                1 => whole.len() - 1 - rng.below(40),
                _ => rng.below(whole.len()),
            };
            if round % 4 == 3 {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1 << rng.below(8);
            }
            bench.write("t", &bytes);
            let tested = bench.output(program, &["-t", "-q", "-c", "t"]);
            let _ = tested;
            bench.write(&format!("t.{end}"), &bytes);
            let sound = bench.output(program, &["-t", &format!("t.{end}")]).unwrap().status.success();
            let ours =
                open_bytes(bytes, &name, None).ok().and_then(|archive| contents(archive.as_ref()).remove("/SYSTEM"));
            let verified = match ours {
                Some(Ok((bytes, Vouched::Verified(_)))) => {
                    assert!(bytes == text, "{program}: {round} at {at:#x}");
                    true
                }
                _ => false,
            };
            assert!(sound || !verified, "{program} refuses round {round} (at {at:#x}), and nothing is told");
            refused += usize::from(!sound);
        }
        assert!(refused > 60, "{program}: {refused}");
    }
}

#[test]
fn what_stands_behind_the_end_is_told_but_for_padding() {
    for (program, end, check) in TOOLS {
        let bench = Bench::new();
        bench.write("SYSTEM", &text());
        if !bench.run(program, &["-k", "SYSTEM"]) {
            return;
        }
        let name = format!("SYSTEM.{end}");
        let mut bytes = bench.read(&name);
        bytes.extend(b"garbage");
        let archive = open_bytes(bytes, &name, None).unwrap();
        assert!(archive.defects()[0].contains("after the end"), "{:?}", archive.defects());
        let found = contents(archive.as_ref());
        let (content, vouched) = found["/SYSTEM"].as_ref().unwrap();
        assert!(*content == text() && matches!(vouched, Vouched::Unverified(why) if why.contains("after the end")));
        if program == "gzip" || program == "xz" {
            let padded = [bench.read(&name), vec![0; 512]].concat();
            holds(padded, &name, &text(), &Vouched::by(check), program);
        }
    }
}

#[test]
fn an_xz_index_that_contradicts_its_blocks_is_told() {
    let bench = Bench::new();
    bench.write("SYSTEM", &text()[..1000]);
    if !bench.run("xz", &["-k", "SYSTEM"]) {
        return;
    }
    let whole = bench.read("SYSTEM.xz");
    // Index: 0, 1 block, its size, 1000 in two bytes, padding, CRC-32; then the footer of 12 bytes.
    let at = whole.windows(2).rposition(|window| window == [0xe8, 0x07]).unwrap();
    let start = (0..at).rev().find(|start| whole[*start..*start + 2] == [0, 1]).unwrap();
    let end = whole.len() - 12 - 4;
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    let crc = !bytes[start..end].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    bytes[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    bench.write("t.xz", &bytes);
    assert!(!bench.output("xz", &["-t", "t.xz"]).unwrap().status.success());
    let archive = open_bytes(bytes, "SYSTEM.xz", None).unwrap();
    assert_eq!(
        archive.vouched(),
        Vouched::Unverified("the xz index says 1001 bytes, but 1000 were decompressed".into())
    );
}

#[test]
fn streams_without_a_check_are_unprotected() {
    for (program, options, end) in [("xz", &["-Cnone"][..], "xz"), ("zstd", &["--no-check", "-q"], "zst")] {
        let bench = Bench::new();
        bench.write("SYSTEM", &text());
        if bench.run(program, &[options, &["SYSTEM"]].concat()) {
            let name = format!("SYSTEM.{end}");
            holds(bench.read(&name), &name, &text(), &Vouched::Unprotected, program);
        }
    }
}

#[test]
fn all_that_the_programs_can_write_is_read() {
    for (program, options, end, check) in [
        ("gzip", &["-1"][..], "gz", "CRC-32 (gzip)"),
        ("gzip", &["-9n"], "gz", "CRC-32 (gzip)"),
        ("bzip2", &["-1"], "bz2", "CRC-32 (bzip2)"),
        ("xz", &["-9e", "-T2", "--block-size=70000"], "xz", "CRC-64 (xz)"),
        ("xz", &["-Csha256", "--x86", "--lzma2"], "xz", "SHA-256 (xz)"),
        ("xz", &["-Ccrc32", "--delta=dist=4", "--lzma2"], "xz", "CRC-32 (xz)"),
        ("zstd", &["-19", "-q"], "zst", "XXH64 (Zstandard)"),
        ("zstd", &["--ultra", "-22", "--long=27", "-q"], "zst", "XXH64 (Zstandard)"),
        ("zstd", &["--fast", "-q"], "zst", "XXH64 (Zstandard)"),
        ("pzstd", &["-p", "2", "-q", "-C"], "zst", "XXH64 (Zstandard)"),
    ] {
        let bench = Bench::new();
        let big: Vec<u8> = text().repeat(9);
        bench.write("SYSTEM", &big);
        if bench.run(program, &[options, &["SYSTEM"]].concat()) {
            let name = format!("SYSTEM.{end}");
            holds(bench.read(&name), &name, &big, &Vouched::by(check), &format!("{program} {options:?}"));
        }
    }
}

#[test]
fn skippable_frames_are_passed_over_wherever_they_stand() {
    let bench = Bench::new();
    bench.write("SYSTEM", &text());
    if !bench.run("zstd", &["-q", "SYSTEM"]) {
        return;
    }
    let frame = bench.read("SYSTEM.zst");
    let skipped = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let check = Vouched::by("XXH64 (Zstandard)");
    let twice = text().repeat(2);
    let all = [&skipped[..], &frame, &skipped, &frame, &skipped].concat();
    holds(all.clone(), "SYSTEM.zst", &twice, &check, "skippable frames");
    let archive = open_bytes(all[..all.len() - 1].to_vec(), "SYSTEM.zst", None).unwrap();
    assert!(matches!(archive.vouched(), Vouched::Unverified(_)));
}

#[test]
fn a_dictionary_is_refused_by_its_number() {
    let bench = Bench::new();
    for at in 0..200_u32 {
        bench.write(&format!("d/{at}"), &text()[at as usize * 97..][..600]);
    }
    bench.write("SYSTEM", &text()[..900]);
    let files: Vec<String> = (0..200).map(|at| format!("d/{at}")).collect();
    let mut arguments: Vec<&str> = vec!["-q", "--train", "--dictID=4711", "--maxdict=2000", "-o", "dictionary"];
    arguments.extend(files.iter().map(String::as_str));
    if bench.run("zstd", &arguments) && bench.run("zstd", &["-q", "-D", "dictionary", "SYSTEM"]) {
        let refused = open_bytes(bench.read("SYSTEM.zst"), "SYSTEM.zst", None).err().unwrap();
        assert!(refused.reason.contains("dictionary 4711") && refused.advice.contains("zstd -d -D"), "{refused:?}");
    }
}

#[test]
fn names_lose_their_extension() {
    use hivemend::evidence::archive::{single::stem, stream::Codec};
    for (name, codec, held) in [
        ("SYSTEM.gz", Codec::Gzip, "SYSTEM"),
        ("a.TGZ", Codec::Gzip, "a.tar"),
        ("a.tar.bz2", Codec::Bzip2, "a.tar"),
        (".xz", Codec::Xz, ".xz"),
        ("SYSTEM", Codec::Zstd, "SYSTEM"),
        ("SYSTEM.gz", Codec::Xz, "SYSTEM.gz"),
    ] {
        assert_eq!(stem(name, codec), held);
    }
}
