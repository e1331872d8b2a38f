//! 7z, compared with 7-Zip.

use std::collections::BTreeMap;

use hivemend::evidence::archive::refused::{Cause, Refused};
use hivemend::evidence::file_system::{EntryKind, Vouched};

use super::zip_archives::seven;
use super::{Bench, assert_holds, contents, files_below, open_bytes, open_file, paths};

const CRC: Vouched = Vouched::by("CRC-32 (7z)");

#[test]
fn every_method_gives_the_same_files() {
    let bench = Bench::with_files();
    bench.write("in/more/SAM", &bench.read("in/Windows/System32/config/SYSTEM")[..9000]);
    let files = files_below(&bench.path("in"));
    let inside: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, bytes)| (format!("/in{path}"), bytes.clone())).collect();
    for options in [
        &["-mx=9"][..],
        &["-ms=off"],
        &["-m0=LZMA"],
        &["-m0=PPMd"],
        &["-m0=BZip2"],
        &["-m0=Deflate"],
        &["-m0=Copy"],
        &["-m0=BCJ", "-m1=LZMA2"],
        &["-m0=BCJ2", "-m1=LZMA", "-m2=LZMA", "-m3=LZMA", "-mb0:1", "-mb0s1:2", "-mb0s2:3"],
        &["-m0=Delta:4", "-m1=LZMA2"],
        &["-mhc=off"],
    ] {
        let _ = std::fs::remove_file(bench.path("a.7z"));
        if seven(&bench, &[&["a"], options, &["a.7z", "in"]].concat()) {
            assert_holds(open_file(&bench, "a.7z").as_ref(), &inside, &CRC, &format!("{options:?}"));
        }
    }
}

#[test]
fn passwords_open_what_they_lock() {
    let bench = Bench::with_files();
    let files = files_below(&bench.path("in"));
    let inside: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, bytes)| (format!("/in{path}"), bytes.clone())).collect();
    for headers in ["-mhe=off", "-mhe=on"] {
        let _ = std::fs::remove_file(bench.path("a.7z"));
        if !seven(&bench, &["a", "-psecret", headers, "a.7z", "in"]) {
            return;
        }
        let bytes = bench.read("a.7z");
        assert_holds(open_bytes(bytes.clone(), "a.7z", Some("secret")).unwrap().as_ref(), &inside, &CRC, headers);
        for password in [None, Some("wrong")] {
            let refused = match open_bytes(bytes.clone(), "a.7z", password) {
                Err(refused) => refused,
                Ok(archive) => {
                    assert_eq!(headers, "-mhe=off");
                    let hive =
                        paths(archive.as_ref()).into_iter().find(|(_, path, _)| path.ends_with("SYSTEM")).unwrap().0;
                    assert!(archive.head(hive).is_err());
                    Refused::from_error(&archive.open(hive).err().unwrap())
                }
            };
            assert!(
                refused.cause == Cause::Encrypted && refused.advice.contains("--password-file"),
                "{headers}: {refused:?}"
            );
        }
    }
}

#[test]
fn links_are_links_and_what_is_unknown_is_refused() {
    let bench = Bench::with_files();
    std::os::unix::fs::symlink("empty", bench.path("in/link")).unwrap();
    if !seven(&bench, &["a", "-snl", "a.7z", "in"]) {
        return;
    }
    let archive = open_file(&bench, "a.7z");
    let link = paths(archive.as_ref()).into_iter().find(|(_, path, _)| path.ends_with("link")).unwrap();
    assert_eq!(link.2, EntryKind::Link);
    let mut bytes = bench.read("a.7z");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let refused = open_bytes(bytes.clone(), "a.7z", None).err().unwrap();
    assert_eq!(
        (refused.cause, refused.reason.as_str()),
        (Cause::Damaged, "the CRC-32 of its directory does not match")
    );
    assert!(open_bytes(bytes[..last - 40].to_vec(), "a.7z", None).is_err());
    assert!(open_bytes(bytes[..30].to_vec(), "a.7z", None).is_err());
}

#[test]
fn a_damaged_member_does_not_take_those_of_other_blocks_with_it() {
    let bench = Bench::with_files();
    if !seven(&bench, &["a", "-ms=off", "-m0=Copy", "a.7z", "in"]) {
        return;
    }
    let mut bytes = bench.read("a.7z");
    let hive = bench.read("in/Windows/System32/config/SYSTEM");
    let at = bytes.windows(64).position(|window| window == &hive[hive.len() - 64..]).unwrap();
    bytes[at] ^= 1;
    let found = contents(open_bytes(bytes, "a.7z", None).unwrap().as_ref());
    for (path, content) in &found {
        let verified = matches!(content, Ok((_, Vouched::Verified(_))));
        assert_eq!(verified, !path.ends_with("/SYSTEM"), "{path}: {:?}", content.as_ref().map(|content| &content.1));
    }
}
