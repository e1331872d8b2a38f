//! Hives in archives and compressed files: the results are the same as for the plain files.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use zip::write::SimpleFileOptions;

use crate::command_line::Desk;
use crate::fixture;
use crate::harness;
use crate::history::volume;

/// Runs a tool in the desk's folder; whether it is installed.
fn tool(desk: &Desk, program: &str, arguments: &[&str]) -> bool {
    let Ok(output) = Command::new(program).args(arguments).current_dir(desk.path("")).output() else {
        harness::lacks_program(program);
        return false;
    };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

/// What an audit says, without what the container adds: the way to it in paths, and ids made of it.
fn audited(desk: &Desk, evidence: &str) -> (Option<i32>, Value) {
    let output = desk.run(&["audit", evidence, "--generations", "all", "--all", "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap().replace(&format!("{evidence}!"), "");
    let mut report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{evidence}: {error}: {text}"));
    for installation in report["installations"].as_array_mut().unwrap() {
        assert!(installation["id"].take().is_string());
        for hive in installation["hives"].as_array_mut().unwrap() {
            hive["container"].take();
            // The container vouches, or none does.
            hive["source_integrity"].take();
        }
    }
    // The way to the hives is another one.
    report["sources"].take();
    (output.status.code(), report)
}

/// A volume of four generations, and hives that were interrupted, with their logs.
fn evidence() -> Desk {
    let desk = volume();
    fixture::compile("windows-10-bits-manual").unwrap().write_dirty(&desk.path("img/Windows.old/WINDOWS")).unwrap();
    desk
}

#[test]
fn every_kind_of_archive_gives_what_the_plain_files_give() {
    let desk = evidence();
    let plain = audited(&desk, "img");
    assert_eq!(plain.1["installations"].as_array().unwrap().len(), 5);
    assert!(plain.1.to_string().contains("recovered"));
    let mut tried = 0;
    for (program, arguments) in [
        ("zip", &["-qr", "a.zip", "img"][..]),
        ("zip", &["-q0r", "stored.zip", "img"]),
        ("zip", &["-qr", "-fz", "zip64.zip", "img"]),
        ("tar", &["-cf", "a.tar", "img"]),
        ("tar", &["-cf", "pax.tar", "--format=pax", "img"]),
        ("tar", &["-czf", "a.tar.gz", "img"]),
        ("tar", &["-cJf", "a.tar.xz", "img"]),
        ("tar", &["-cjf", "a.tar.bz2", "img"]),
        ("tar", &["--zstd", "-cf", "a.tar.zst", "img"]),
    ] {
        if tool(&desk, program, arguments) {
            let archive = arguments.iter().find(|argument| argument.contains('.')).unwrap();
            assert_eq!(audited(&desk, archive), plain, "{archive}");
            tried += 1;
        }
    }
    assert!(tried > 0, "no archiver is installed");
}

#[test]
fn a_history_and_a_verification_take_archives_and_what_is_in_them() {
    let desk = evidence();
    if !tool(&desk, "zip", &["-qr", "a.zip", "img"]) {
        return;
    }
    let history = |evidence: &str| {
        let output = desk.run(&["history", evidence, "--format", "csv"]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap().replace("a.zip!", ""))
    };
    let plain = history("img");
    assert!(plain.1.lines().count() > 100, "{}", plain.1);
    assert_eq!(history("a.zip"), plain);
    assert_eq!(history("a.zip!img"), plain);

    let patch = "Windows Registry Editor Version 5.00\r\n\r\n\
                 [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\BITS]\r\n\"Start\"=dword:4\r\n";
    fs::write(desk.path("a.reg"), patch).unwrap();
    let verified = |evidence: &str| {
        let output = desk.run(&["verify", "a.reg", evidence, "--format", "json"]);
        let verification: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), verification["installations"][0]["operations"].clone())
    };
    let live = "img/WINDOWS/system32/config";
    let plain = verified(live);
    assert_eq!(plain.1.as_array().unwrap().len(), 2, "{}", plain.1);
    assert_eq!(verified(&format!("a.zip!{live}")), plain);
}

#[test]
fn an_archive_in_an_archive_is_opened_and_named() {
    let desk = evidence();
    let plain = audited(&desk, "img");
    if !tool(&desk, "tar", &["-czf", "data.tar.gz", "img"]) || !tool(&desk, "tar", &["-cf", "outer.tar", "data.tar.gz"])
    {
        return;
    }
    let output = desk.run(&["find", "outer.tar"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("outer.tar!data.tar.gz!img/WINDOWS/repair/SOFTWARE"), "{said}");
    // A place inside is evidence as well.
    assert_eq!(audited(&desk, "outer.tar!data.tar.gz"), plain);
    let repair = desk.json(&["find", "outer.tar!data.tar.gz!img/WINDOWS/repair", "--format", "json"]);
    assert_eq!(repair["installations"].as_array().unwrap().len(), 1);
    let hive = "outer.tar!data.tar.gz!img/WINDOWS/repair/SYSTEM";
    let one = desk.json(&["find", hive, "--format", "json"]);
    assert_eq!(one["installations"][0]["hives"].as_array().unwrap().len(), 1);
    assert_eq!(one["installations"][0]["hives"][0]["path"], hive);
    let shown = desk.run(&["show", hive, r"ControlSet001\Services\BITS"]);
    assert!(String::from_utf8(shown.stdout).unwrap().contains("\"Start\"=dword:00000003"));
    desk.complaint(2, &["find", "outer.tar!data.tar.gz!img/nowhere"]);
    // The archive is the evidence, whatever of it is named.
    let before = fs::read(desk.path("outer.tar")).unwrap();
    let complaint = desk.complaint(2, &["audit", hive, "--output", "outer.tar"]);
    assert!(complaint.contains("evidence is never written to"), "{complaint}");
    assert_eq!(fs::read(desk.path("outer.tar")).unwrap(), before);
    let custody = desk.run(&["audit", "outer.tar", "--custody", "custody.json", "--quiet"]);
    assert_eq!(custody.status.code(), audited(&desk, "outer.tar").0);
    let custody: Value = serde_json::from_slice(&fs::read(desk.path("custody.json")).unwrap()).unwrap();
    assert_eq!(custody["files"].as_array().unwrap().len(), 1, "{custody}");
}

#[test]
fn files_compressed_one_by_one_belong_together_as_the_files_do() {
    for (program, arguments) in [
        ("gzip", &["-r", "case"][..]),
        ("xz", &["case/SOFTWARE", "case/SYSTEM", "case/SOFTWARE.LOG"]),
        ("bzip2", &["case/SOFTWARE", "case/SYSTEM", "case/SOFTWARE.LOG"]),
        ("zstd", &["-q", "--rm", "case/SOFTWARE", "case/SYSTEM", "case/SOFTWARE.LOG"]),
    ] {
        let desk = Desk::with(&[]);
        let case = fixture::compile("windows-xp-senslogn-shutdown-wrong").unwrap();
        case.write_dirty(&desk.path("whole")).unwrap();
        fs::create_dir(desk.path("case")).unwrap();
        for file in ["SOFTWARE", "SYSTEM", "SOFTWARE.LOG"] {
            fs::copy(desk.path("whole/Windows/System32/config").join(file), desk.path("case").join(file)).unwrap();
        }
        let (code, plain) = audited(&desk, "case");
        if !tool(&desk, program, arguments) {
            continue;
        }
        let (packed_code, packed) = audited(&desk, "case");
        assert_eq!(packed_code, code, "{program}");
        let [plain, packed] = [&plain, &packed].map(|report| &report["installations"]);
        assert_eq!(packed.as_array().unwrap().len(), 1, "{program}");
        assert_eq!(packed[0]["findings"], plain[0]["findings"], "{program}");
        let sums = |report: &Value| {
            let hives = report[0]["hives"].as_array().unwrap();
            hives.iter().map(|hive| (hive["sha256"].clone(), hive["integrity"]["state"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(sums(packed), sums(plain), "{program}");
        let path = packed[0]["hives"][0]["path"].as_str().unwrap();
        assert!(path.starts_with("case/SOFTWARE.") && path.ends_with("!SOFTWARE"), "{path}");
    }
}

/// The bytes of a fixture's hive.
fn hive(role: &str) -> Vec<u8> {
    let case = fixture::compile("windows-xp").unwrap();
    case.hives.iter().find(|(name, _)| *name == role).unwrap().1.to_bytes()
}

pub(crate) fn zip_of(path: &Path, members: &[(&str, &[u8])]) {
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in members {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn a_velociraptor_collection_is_a_windows_by_its_encoded_names() {
    let desk = Desk::with(&[]);
    let config = "uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/config";
    let (software, system) = (hive("SOFTWARE"), hive("SYSTEM"));
    zip_of(
        &desk.path("data.zip"),
        &[(&format!("{config}/SOFTWARE"), &software), (&format!("{config}/SYSTEM"), &system), ("log.json", b"{}")],
    );
    let report = desk.json(&["audit", "data.zip", "--format", "json"]);
    let installation = &report["installations"][0];
    assert_eq!((&installation["generation"], &report["summary"]["complete"]), (&"live".into(), &true.into()));
    assert_eq!(installation["hives"][0]["path"], format!("data.zip!{config}/SOFTWARE"));
}

#[test]
fn names_that_lead_elsewhere_lead_nowhere() {
    let desk = Desk::with(&[]);
    let (software, system) = (hive("SOFTWARE"), hive("SYSTEM"));
    zip_of(&desk.path("evil.zip"), &[("../../SOFTWARE", &software), ("/abs/SYSTEM", &system), ("C:\\x\\SAM", b"regf")]);
    let before: Vec<_> =
        walkdir::WalkDir::new(desk.path("")).into_iter().map(|entry| entry.unwrap().into_path()).collect();
    let report = desk.json(&["find", "evil.zip", "--format", "json"]);
    let found = report["installations"].to_string();
    assert!(found.contains("evil.zip!../../SOFTWARE") && found.contains("evil.zip!abs/SYSTEM"), "{found}");
    let after: Vec<_> =
        walkdir::WalkDir::new(desk.path("")).into_iter().map(|entry| entry.unwrap().into_path()).collect();
    assert_eq!(after, before);
}

fn problems(desk: &Desk, evidence: &str) -> (Option<i32>, String) {
    let output = desk.run(&["find", evidence, "--format", "json"]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn what_cannot_be_unpacked_is_told_and_the_rest_is_found() {
    let desk = Desk::with(&[]);
    let (software, system) = (hive("SOFTWARE"), hive("SYSTEM"));
    // More than the whole run may take.
    let mut bomb = b"regf".to_vec();
    bomb.resize(80 << 20, 0);
    zip_of(&desk.path("bomb.zip"), &[("bomb/SYSTEM", &bomb), ("c/SOFTWARE", &software), ("c/SYSTEM", &system)]);
    let output = desk.run(&["find", "bomb.zip", "--max-bytes", "50000000", "--format", "json"]);
    let (code, said) = (output.status.code(), String::from_utf8(output.stdout).unwrap());
    assert!(said.contains("bomb.zip!bomb/SYSTEM") && said.contains("raise the limit with --max-bytes"), "{said}");
    assert!(said.contains("bomb.zip!c/SYSTEM") && code == Some(3), "{code:?}");

    // A bit of the first member's data is wrong: its sum does not fit, and nobody vouches for it.
    zip_of(&desk.path("bit.zip"), &[("SOFTWARE", &software), ("SYSTEM", &system)]);
    let mut bytes = fs::read(desk.path("bit.zip")).unwrap();
    bytes[2000] ^= 1;
    fs::write(desk.path("bit.zip"), bytes).unwrap();
    let (code, said) = problems(&desk, "bit.zip");
    assert!(said.contains("bit.zip!SOFTWARE") && said.contains("\"integrity\": \"unverified\""), "{said}");
    assert!(said.contains("\"code\": \"unverified\"") && said.contains("\"role\": \"SYSTEM\""), "{said}");
    assert_eq!(code, Some(3));

    // Cut off: what stands before the cut is found in a tar; a zip has lost its list.
    let cut = |name: &str, keep: usize| {
        let bytes = fs::read(desk.path(name)).unwrap();
        fs::write(desk.path("cut"), &bytes[..bytes.len().min(keep)]).unwrap();
        problems(&desk, "cut")
    };
    let mut archive = tar::Builder::new(File::create(desk.path("a.tar")).unwrap());
    for (name, bytes) in [("SYSTEM", &system), ("SOFTWARE", &software)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    archive.finish().unwrap();
    let (code, said) = cut("a.tar", system.len() + 512 + 512 + 100);
    assert!(said.contains("cut!SYSTEM") && said.contains("cut!SOFTWARE") && code == Some(3), "{code:?} {said}");
    let (code, said) = cut("bomb.zip", 3000);
    assert!(said.contains("a zip file that can be read") && code == Some(2), "{code:?} {said}");
}

#[test]
fn containers_are_opened_only_so_deep_and_members_of_one_name_are_told() {
    let desk = Desk::with(&[]);
    let (software, system) = (hive("SOFTWARE"), hive("SYSTEM"));
    zip_of(&desk.path("0.zip"), &[("SOFTWARE", &software), ("SYSTEM", &system)]);
    for depth in 1..8 {
        let inner = fs::read(desk.path(&format!("{}.zip", depth - 1))).unwrap();
        zip_of(&desk.path(&format!("{depth}.zip")), &[(&format!("{}.zip", depth - 1), &inner)]);
    }
    assert_eq!(problems(&desk, "3.zip").0, Some(0));
    let (code, said) = problems(&desk, "7.zip");
    assert!(code == Some(2) && said.contains("containers nested 6 deep"), "{code:?} {said}");

    // Two spellings of one name.
    zip_of(&desk.path("two.zip"), &[("a/SYSTEM", &system), ("a\\SYSTEM", &system), ("a/SOFTWARE", &software)]);
    let (code, said) = problems(&desk, "two.zip");
    assert!(code == Some(3) && said.contains("a second file in the same folder, which was skipped"), "{said}");
}

#[test]
fn an_encrypted_member_is_told() {
    let desk = evidence();
    if tool(&desk, "zip", &["-qr", "-P", "secret", "locked.zip", "img"]) {
        let (code, said) = problems(&desk, "locked.zip");
        assert!(code == Some(2) && said.to_lowercase().contains("password"), "{code:?} {said}");
    }
}

#[test]
fn encrypted_archives_are_opened_with_the_password_that_a_file_holds() {
    let desk = evidence();
    let plain = audited(&desk, "img");
    fs::write(desk.path("right"), "open sesame\nnot this\n").unwrap();
    fs::write(desk.path("wrong"), "open barley\n").unwrap();
    let mut tried = 0;
    for (name, arguments) in [
        ("classic.zip", &["a", "-bso0", "-tzip", "-mem=ZipCrypto", "-popen sesame", "classic.zip", "img"][..]),
        ("aes.zip", &["a", "-bso0", "-tzip", "-mem=AES256", "-popen sesame", "aes.zip", "img"]),
        ("deflate64.zip", &["a", "-bso0", "-tzip", "-mm=Deflate64", "deflate64.zip", "img"]),
        ("plain.7z", &["a", "-bso0", "plain.7z", "img"]),
        ("apart.7z", &["a", "-bso0", "-ms=off", "apart.7z", "img"]),
        ("names.7z", &["a", "-bso0", "-mhe=on", "-popen sesame", "names.7z", "img"]),
        ("locked.7z", &["a", "-bso0", "-popen sesame", "locked.7z", "img"]),
    ] {
        if !tool(&desk, "7z", arguments) {
            continue;
        }
        let locked = arguments.contains(&"-popen sesame");
        let with = |password: &str| {
            let all = ["audit", name, "--generations", "all", "--all", "--format", "json", "--password-file", password];
            let output = desk.run(&all);
            (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
        };
        let (code, said) = with("right");
        assert_eq!(code, plain.0, "{name}: {said}");
        let found = said.matches("\"generation\"").count();
        assert_eq!(found, plain.1["installations"].as_array().unwrap().len(), "{name}: {said}");
        if locked {
            assert_eq!(with("wrong").0, Some(2), "{name}");
            let output = desk.run(&["audit", name]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{name}: {said}");
            assert!(said.contains("--password-file"), "{name}: {said}");
        } else {
            assert_eq!(audited(&desk, name), plain, "{name}");
        }
        tried += 1;
    }
    if tried == 0 {
        harness::lacks_program("7z");
    }
}
