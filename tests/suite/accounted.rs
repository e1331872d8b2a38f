//! Every source has a result: unexamined data are not reported as absent, and data without a verified checksum are not
//! called clean. Covers the rows of the field trials A and B from a user's point of view.

use std::fs::{self, File};
use std::io::Write;

use serde_json::Value;

use crate::command_line::Desk;
use crate::harness;
use crate::images::shell;

const XP: &str = "windows-xp";

/// A desk with `pair/` in which SOFTWARE and SYSTEM of a clean XP lie.
fn desk() -> Desk {
    let desk = Desk::with(&[XP]);
    fs::create_dir(desk.path("pair")).unwrap();
    for hive in ["SOFTWARE", "SYSTEM"] {
        let from = desk.path("evidence/windows-xp/Windows/System32/config").join(hive);
        fs::copy(from, desk.path("pair").join(hive)).unwrap();
    }
    desk
}

/// The exit code of an audit, and its report.
fn audit(desk: &Desk, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = desk.run(&[&["audit", "--format", "json"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"));
    (output.status.code(), report)
}

/// The codes of what is missing, and where.
fn gaps(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let gaps = report["summary"]["gaps"].as_array().unwrap();
    gaps.iter().map(|gap| (text(&gap["code"]), text(&gap["at"]))).collect()
}

fn flip(desk: &Desk, name: &str, at: i64) {
    let mut bytes = fs::read(desk.path(name)).unwrap();
    let length = i64::try_from(bytes.len()).unwrap();
    let at = usize::try_from(if at < 0 { length + at } else { at }).unwrap();
    bytes[at] ^= 0x10;
    fs::write(desk.path(name), bytes).unwrap();
}

#[test]
fn an_argument_of_which_nothing_came_is_a_gap_whatever_its_neighbours_are() {
    let desk = desk();
    fs::create_dir_all(desk.path("empty")).unwrap();
    fs::create_dir_all(desk.path("bare/Windows/System32/config")).unwrap();
    fs::create_dir_all(desk.path("links")).unwrap();
    std::os::unix::fs::symlink(desk.path("pair/SOFTWARE"), desk.path("links/SOFTWARE")).unwrap();
    std::os::unix::fs::symlink(desk.path("pair/SYSTEM"), desk.path("links/SYSTEM")).unwrap();
    fs::write(desk.path("notes.txt"), "nothing").unwrap();
    assert_eq!(audit(&desk, &["pair"]).0, Some(0));
    for (name, code) in [
        ("empty", "nothing-found"),
        ("bare", "nothing-found"),
        ("links", "link-not-followed"),
        ("notes.txt", "not-a-hive"),
        ("missing", "unreadable"),
    ] {
        for arguments in [[name, "pair"], ["pair", name]] {
            let (exit, report) = audit(&desk, &arguments);
            assert_eq!(exit, Some(3), "{arguments:?}");
            let gaps = gaps(&report);
            assert!(gaps.iter().all(|(found, at)| found == code && at.starts_with(name)), "{arguments:?}: {gaps:?}");
            assert!(!gaps.is_empty(), "{arguments:?}");
            assert_eq!(report["installations"].as_array().unwrap().len(), 1);
        }
    }
}

#[test]
fn a_compressed_archive_whose_checksum_fails_vouches_for_nothing() {
    let desk = desk();
    let mut tried = 0;
    for (name, command, trailer) in [
        ("a.tgz", "tar czf a.tgz pair", -8),
        ("a.tar.xz", "tar cJf a.tar.xz pair", -10),
        ("a.tar.bz2", "tar cjf a.tar.bz2 pair", -3),
        ("a.tar.zst", "command -v zstd >/dev/null || exit 127; tar cf - pair | zstd -q --check >a.tar.zst", -2),
    ] {
        if !shell(&desk, command) {
            continue;
        }
        tried += 1;
        let (code, report) = audit(&desk, &[name]);
        assert_eq!((code, gaps(&report)), (Some(0), vec![]), "{name}");
        let hive = &report["installations"][0]["hives"][0];
        assert_eq!(hive["source_integrity"], "verified", "{name}");
        flip(&desk, name, trailer);
        let (code, report) = audit(&desk, &[name]);
        assert_eq!(code, Some(3), "{name}");
        assert!(!gaps(&report).is_empty(), "{name}");
        if let Some(hive) = report["installations"][0]["hives"].get(0) {
            assert_eq!(hive["source_integrity"], "unverified", "{name}");
        }
    }
    assert!(tried >= 2);
}

#[test]
fn a_folder_with_formats_that_are_not_read_is_incomplete_and_each_is_named() {
    let cpio = [b"070701".as_slice(), &[b'0'; 120]].concat();
    let files: [(&str, &[u8], &str); 12] = [
        ("x.ad1", b"ADSEGMENTEDFILE\0....", "unsupported-format"),
        ("x.Ex01", b"EVF2\x0d\x0a\x81\0....", "unsupported-format"),
        ("x.L01", b"LVF\x09\x0d\x0a\xff\0....", "unsupported-format"),
        ("x.rar", b"Rar!\x1a\x07\x01\0....", "unsupported-format"),
        ("x.cab", b"MSCF\0\0\0\0....", "unsupported-format"),
        ("x.wim", b"MSWIM\0\0\0....", "unsupported-format"),
        ("x.lz4", b"\x04\x22\x4d\x18....", "unsupported-format"),
        ("x.cpio", &cpio, "unsupported-format"),
        ("x.luks", b"LUKS\xba\xbe\0\x02....", "unsupported-format"),
        ("x.E02", b"EVF\x09\x0d\x0a\xff\0\x01\x02\0\0\0", "first-part-missing"),
        ("x.002", &[7; 5000], "first-part-missing"),
        ("x-flat.vmdk", &[7; 5000], "first-part-missing"),
    ];
    for (name, bytes, code) in files {
        let desk = desk();
        fs::write(desk.path("pair").join(name), bytes).unwrap();
        let (exit, report) = audit(&desk, &["pair"]);
        assert_eq!((exit, gaps(&report)), (Some(3), vec![(code.to_owned(), format!("pair/{name}"))]), "{name}");
        let source =
            report["sources"].as_array().unwrap().iter().find(|source| source["locator"] == format!("pair/{name}"));
        let source = source.unwrap_or_else(|| panic!("{name} is not in the ledger"));
        assert_eq!(source["outcome"], "refused", "{name}");
        assert!(source["advice"].is_string(), "{name}");
    }
}

#[test]
fn what_users_keep_on_a_volume_is_counted_and_no_gap() {
    let desk = Desk::with(&[XP]);
    let volume = desk.path("evidence/windows-xp");
    for name in ["Users/bob/ubuntu.iso", "Recovery/winre.wim", "VMs/other.vhdx", "Users/bob/x.rar", "Temp/y.zip"] {
        fs::create_dir_all(volume.join(name).parent().unwrap()).unwrap();
        fs::write(volume.join(name), [7; 5000]).unwrap();
    }
    std::os::unix::fs::symlink("Users", volume.join("Documents and Settings")).unwrap();
    let (code, report) = audit(&desk, &["evidence/windows-xp"]);
    assert_eq!((code, gaps(&report)), (Some(0), vec![]));
    let source = &report["sources"][0];
    assert_eq!(source["members"]["irrelevant"], 6, "{source}");
    assert!(
        source["reason"].as_str().unwrap().contains("ISO image outside the places where Windows keeps hives (1)"),
        "{source}"
    );
    // A link where Windows keeps hives is none of those.
    std::os::unix::fs::symlink("/mnt", volume.join("Windows.old")).unwrap();
    let (code, report) = audit(&desk, &["evidence/windows-xp"]);
    assert_eq!((code, gaps(&report)[0].0.as_str()), (Some(3), "link-not-followed"));
}

#[test]
fn a_software_hive_of_zeros_is_a_gap_for_find_too() {
    let desk = desk();
    fs::write(desk.path("pair/SOFTWARE"), vec![0; 16384]).unwrap();
    let output = desk.run(&["find", "pair", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), gaps(&report)[0].0.as_str()), (Some(3), "not-a-hive"));
}

#[test]
fn a_plain_folder_with_thousands_of_files_is_looked_into() {
    let desk = desk();
    let folder = desk.path("many");
    fs::create_dir(&folder).unwrap();
    for number in 0..1_500 {
        fs::write(folder.join(format!("photo{number}.jpg")), "x").unwrap();
    }
    for hive in ["SOFTWARE", "SYSTEM"] {
        fs::copy(desk.path("pair").join(hive), folder.join(format!("zz{}", &hive[2..4]))).unwrap();
    }
    fs::write(folder.join("data.bin"), b"Rar!\x1a\x07\x01\0....").unwrap();
    let (code, report) = audit(&desk, &["many"]);
    assert_eq!(report["installations"].as_array().unwrap().len(), 1);
    assert_eq!((code, gaps(&report)), (Some(3), vec![("unsupported-format".to_owned(), "many/data.bin".to_owned())]));
}

#[test]
fn folders_that_differ_in_letter_case_only_are_two() {
    let desk = Desk::with(&[XP]);
    let system32 = desk.path("evidence/windows-xp/Windows/System32");
    fs::create_dir(system32.join("Config")).unwrap();
    fs::copy(system32.join("config/SYSTEM"), system32.join("Config/SYSTEM")).unwrap();
    for wrapped in [None, Some(("a.tar", "tar -C evidence -cf a.tar windows-xp"))] {
        if let Some((_, command)) = wrapped {
            assert!(shell(&desk, command));
        }
        let (_, report) = audit(&desk, &[wrapped.map_or("evidence", |(name, _)| name)]);
        assert_eq!(report["installations"].as_array().unwrap().len(), 2, "{wrapped:?}");
    }
}

/// Every locator that `find` prints works as an argument of `find`.
fn assert_locators_work(desk: &Desk, evidence: &str) {
    let report = desk.json(&["find", evidence, "--format", "json"]);
    let mut tried = 0;
    for source in report["sources"].as_array().unwrap() {
        if source["kind"] != "hive" {
            continue;
        }
        let locator = source["locator"].as_str().unwrap();
        let found = desk.run(&["find", locator, "--format", "json"]);
        let found: Value = serde_json::from_slice(&found.stdout)
            .unwrap_or_else(|error| panic!("{locator}: {error}: {}", String::from_utf8_lossy(&found.stderr)));
        let hive = &found["installations"][0]["hives"][0];
        assert_eq!(hive["path"], locator);
        let sum = |report: &Value| {
            let hives =
                report["installations"].as_array().unwrap().iter().flat_map(|one| one["hives"].as_array().unwrap());
            hives.filter(|hive| hive["path"] == locator).map(|hive| hive["sha256"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(sum(&found), sum(&report), "{locator}");
        assert_eq!(desk.code(&["show", locator]), 0, "{locator}");
        tried += 1;
    }
    assert!(tried >= 2, "{evidence}: {report}");
}

#[test]
fn every_printed_locator_works_as_an_argument_odd_names_included() {
    let desk = desk();
    for folder in ["a!b", "a\nb", "tab\there", "back\\slash", "p2", "vss1", "caf\u{e9}"] {
        let folder = desk.path("odd").join(folder);
        fs::create_dir_all(&folder).unwrap();
        for hive in ["SOFTWARE", "SYSTEM"] {
            fs::copy(desk.path("pair").join(hive), folder.join(hive)).unwrap();
        }
    }
    assert_locators_work(&desk, "odd");
    assert!(shell(&desk, "tar cf odd.tar -C odd . && mkdir in && mv odd.tar in/ && tar cf out!er.tar in"));
    assert_locators_work(&desk, "out!er.tar");
    if shell(&desk, "cd odd/p2 && zip -q ../../inner.zip SOFTWARE SYSTEM && cd ../.. && zip -q outer.zip inner.zip") {
        assert_locators_work(&desk, "outer.zip");
    }
}

#[test]
fn an_archive_inside_an_image_is_named_and_read() {
    let desk = desk();
    let made = shell(
        &desk,
        "command -v mkfs.fat mcopy zip sfdisk >/dev/null || exit 127; zip -qr case.zip pair && truncate -s 40M d.raw && \
         echo '2048,,c' | sfdisk -q d.raw && truncate -s 38M v && mkfs.fat -F 32 -s 1 v >/dev/null && mcopy -i v case.zip ::/ && \
         dd if=v of=d.raw bs=1M seek=1 conv=notrunc status=none",
    );
    if made {
        assert_locators_work(&desk, "d.raw");
        let report = desk.json(&["find", "d.raw!p1!case.zip", "--format", "json"]);
        assert_eq!(report["installations"][0]["hives"][0]["path"], "d.raw!p1!case.zip!pair/SOFTWARE");
    }
}

#[test]
fn compressed_hives_beside_each_other_are_a_pair_with_their_logs() {
    let desk = desk();
    if !shell(&desk, "gzip -k pair/SOFTWARE && xz -k pair/SYSTEM && mkdir z && mv pair/*.gz pair/*.xz z/") {
        return;
    }
    let (code, report) = audit(&desk, &["z"]);
    assert_eq!((code, report["installations"].as_array().unwrap().len()), (Some(0), 1));
    assert_eq!(report["installations"][0]["hives"][0]["path"], "z/SOFTWARE.gz!SOFTWARE");
    let (code, report) = audit(&desk, &["z/SOFTWARE.gz", "z/SYSTEM.xz"]);
    assert_eq!((code, report["installations"].as_array().unwrap().len()), (Some(0), 1));
    assert!(shell(&desk, "tar cf z.tar z"));
    let (code, report) = audit(&desk, &["z.tar"]);
    assert_eq!((code, report["installations"].as_array().unwrap().len()), (Some(0), 1));
    assert_locators_work(&desk, "z");
    assert_locators_work(&desk, "z.tar");
}

#[test]
fn the_budget_of_a_run_names_the_option_that_raises_it() {
    let desk = desk();
    if !shell(&desk, "tar cf a.tar pair") {
        return;
    }
    for (option, limit) in
        [("--max-bytes", "1000"), ("--max-sources", "0"), ("--max-installations", "0"), ("--max-seconds", "0")]
    {
        let output = desk.run(&["audit", "a.tar", option, limit, "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(matches!(output.status.code(), Some(2 | 3)), "{option}");
        assert_eq!(gaps(&report)[0].0, "limit", "{option}: {report}");
        assert!(report["problems"].to_string().contains(option), "{option}");
    }
}

#[test]
fn members_without_end_cost_a_bounded_time() {
    let desk = desk();
    let mut archive = zip::ZipWriter::new(File::create(desk.path("many.zip")).unwrap());
    for number in 0..20_000 {
        archive.start_file(format!("{number}/SYSTEM"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"regf").unwrap();
    }
    archive.finish().unwrap();
    let output = desk.run(&["audit", "many.zip", "pair", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Only the first of them are listed; the rest are counted.
    assert!(gaps(&report).len() < 100);
    assert_eq!(report["installations"].as_array().unwrap().len(), 1);
}

#[test]
fn an_overlay_is_the_machine_and_its_base_an_older_state() {
    let desk = desk();
    let made = shell(
        &desk,
        "command -v qemu-img mkfs.fat mcopy >/dev/null || exit 127; truncate -s 40M v && mkfs.fat -F 32 -s 1 v >/dev/null && \
         mcopy -i v pair/SOFTWARE pair/SYSTEM ::/ && mkdir vm && qemu-img convert -O qcow2 v vm/base.qcow2 && \
         cd vm && qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 over.qcow2",
    );
    if made {
        let (code, report) = audit(&desk, &["vm"]);
        assert_eq!((code, report["installations"].as_array().unwrap().len()), (Some(0), 1));
        assert_eq!(report["installations"][0]["evidence"], "vm/over.qcow2");
        let base =
            report["sources"].as_array().unwrap().iter().find(|source| source["locator"] == "vm/base.qcow2").unwrap();
        assert_eq!(base["outcome"], "irrelevant");
    }
}

#[test]
fn only_the_places_of_windows_are_searched_where_that_is_asked_for() {
    let desk = Desk::with(&[XP]);
    let volume = desk.path("evidence/windows-xp");
    fs::create_dir(volume.join("Backup2010")).unwrap();
    fs::copy(volume.join("Windows/System32/config/SYSTEM"), volume.join("Backup2010/SYSTEM")).unwrap();
    assert!(shell(&desk, "tar -C evidence/windows-xp -cf a.tar ."));
    for evidence in ["evidence/windows-xp", "a.tar"] {
        let (_, report) = audit(&desk, &[evidence]);
        assert_eq!(report["installations"].as_array().unwrap().len(), 2, "{evidence}");
        let (code, report) = audit(&desk, &[evidence, "--places"]);
        assert_eq!((code, report["installations"].as_array().unwrap().len()), (Some(0), 1), "{evidence}");
        assert!(report["sources"][0]["reason"].as_str().unwrap().contains("--places"), "{evidence}");
    }
}

#[test]
fn a_bitlocker_volume_is_refused_by_name_until_a_key_opens_it() {
    let desk = desk();
    let Some(images) = harness::folder("HIVEMEND_IMAGES") else { return };
    let mut bytes = Vec::new();
    let packed = File::open(images.join("bitlocker/aes-xts_128.bin.gz")).unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut bytes).unwrap();
    bytes.resize(65_994_752, 0);
    fs::create_dir(desk.path("case")).unwrap();
    fs::write(desk.path("case/laptop.raw"), bytes).unwrap();
    let identifier = "19540fda-3072-4554-9ddc-9df7343ef068";
    fs::write(desk.path("key"), format!("wrong\n{{{identifier}}}:password12!@\n")).unwrap();
    fs::write(desk.path("foreign"), "{00000000-0000-0000-0000-000000000001}:password12!@\n").unwrap();

    // Beside hives that can be read, it is a gap, with all that its owner needs to know.
    for arguments in [&["pair", "case"][..], &["pair", "case", "--recovery-key-file", "foreign"]] {
        let (code, report) = audit(&desk, arguments);
        assert_eq!((code, gaps(&report)), (Some(3), vec![("encrypted".to_owned(), "case/laptop.raw".to_owned())]));
        let source = report["sources"].as_array().unwrap().iter().find(|source| source["locator"] == "case/laptop.raw");
        let source = source.unwrap().to_string();
        for told in [identifier, "AES-XTS 128-bit", "password", "dislocker-file -O 0", "bdemount -o 0", "bitlkOpen"] {
            assert!(source.contains(told), "{told}: {source}");
        }
    }
    let mounted = shell(
        &desk,
        "command -v dislocker-fuse mkntfs ntfscp >/dev/null && [ -e /dev/fuse ] || exit 127; mkdir m && \
         dislocker-fuse -V case/laptop.raw -u'password12!@' -- m || exit 127; \
         mkntfs -Q -F -s 512 -c 4096 m/dislocker-file 60000 >/dev/null 2>&1 && ntfscp -f m/dislocker-file pair/SYSTEM SYSTEM && \
         ntfscp -f m/dislocker-file pair/SOFTWARE SOFTWARE; code=$?; umount m; exit $code",
    );
    if mounted {
        let (code, report) = audit(&desk, &["case", "--recovery-key-file", "key"]);
        assert_eq!((code, gaps(&report)), (Some(0), vec![]));
        let (_, plain) = audit(&desk, &["pair"]);
        for hive in 0..2 {
            let sum = |report: &Value| report["installations"][0]["hives"][hive]["sha256"].clone();
            assert_eq!(sum(&report), sum(&plain));
        }
        assert_eq!(report["installations"][0]["hives"][0]["path"], "case/laptop.raw!SOFTWARE");
    }
}

#[test]
fn a_text_that_is_named_like_a_part_is_a_text() {
    let desk = desk();
    fs::write(desk.path("pair/notes.002"), "see exhibit 4\n").unwrap();
    let (code, report) = audit(&desk, &["pair"]);
    assert_eq!((code, gaps(&report)), (Some(0), vec![]));
}
