//! `--hash`: which hashes there are of the evidence, compared with those of coreutils.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::archives::zip_of;
use crate::command_line::Desk;
use crate::fixture;
#[cfg(feature = "images")]
use crate::harness::lacks_some_program;

const CASE: &str = "windows-7-bits-disabled";
const CONFIG: &str = "Windows/System32/config";
const ALL: [&str; 2] = ["--hash", "sha256,md5,sha1"];
const PROGRAMS: [(&str, &str); 3] = [("sha256", "sha256sum"), ("md5", "md5sum"), ("sha1", "sha1sum")];

/// The hash of a file, by a program of coreutils.
fn sum(program: &str, path: &Path) -> String {
    let output = Command::new(program).arg(path).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// Compares the hashes beside a `sha256` with those of a file. All others must be `null`.
fn same_hashes(found: &Value, path: &Path, wanted: &[&str]) {
    for (name, program) in PROGRAMS {
        let expected = if wanted.contains(&name) { Value::from(sum(program, path)) } else { Value::Null };
        assert_eq!(found.get(name), Some(&expected), "{name} of {}: {found}", path.display());
    }
}

fn hives(report: &Value) -> Vec<Value> {
    let installations = report["installations"].as_array().unwrap();
    installations.iter().flat_map(|installation| installation["hives"].as_array().unwrap()).cloned().collect()
}

/// Dirty hives with logs in a folder, in a ZIP archive, and a ZIP archive in another.
fn dirty() -> Desk {
    let desk = Desk::with(&[]);
    let paths = fixture::compile(CASE).unwrap().write_dirty(&desk.path("dirty")).unwrap();
    let name = |path: &Path| format!("{CONFIG}/{}", path.file_name().unwrap().to_str().unwrap());
    let members: Vec<(String, Vec<u8>)> = paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    zip_of(&desk.path("case.zip"), &members);
    zip_of(&desk.path("outer.zip"), &[("case.zip", &fs::read(desk.path("case.zip")).unwrap())]);
    desk
}

#[test]
fn hives_and_logs_have_the_hashes_of_coreutils_in_folders_and_in_archives() {
    let desk = dirty();
    for evidence in ["dirty", "case.zip", "outer.zip"] {
        for (options, wanted) in [
            (&[][..], &["sha256"][..]),
            (&["--hash", "sha256"], &["sha256"]),
            (&["--hash", "md5"], &["sha256", "md5"]),
            (&["--hash", "sha1,sha256"], &["sha256", "sha1"]),
            (&ALL, &["sha256", "md5", "sha1"]),
        ] {
            let report = desk.json(&[&["audit", evidence, "--format", "json"], options].concat());
            let hives = hives(&report);
            let logs = hives.iter().flat_map(|hive| hive["integrity"]["logs"].as_array().unwrap());
            let files: Vec<&Value> = hives.iter().chain(logs).filter(|file| file["state"] != "missing").collect();
            assert!(files.len() >= 4, "{evidence}: {report}");
            for file in files {
                let name = file["path"].as_str().unwrap().rsplit(['/', '!']).next().unwrap();
                same_hashes(file, &desk.path("dirty").join(CONFIG).join(name), wanted);
            }
        }
    }
    let report = desk.json(&["audit", "dirty", "--format", "json", "--no-hash"]);
    for hive in hives(&report) {
        assert_eq!([&hive["sha256"], &hive["md5"], &hive["sha1"]], [&Value::Null; 3]);
    }
}

#[test]
#[cfg(feature = "images")]
fn a_hive_in_a_disk_image_has_its_own_hashes() {
    let desk = Desk::with(&[CASE]);
    let config = format!("evidence/{CASE}/{CONFIG}");
    let script = format!(
        "truncate -s 64M volume.raw && mkfs.fat volume.raw >/dev/null && mcopy -i volume.raw {config}/SOFTWARE \
         {config}/SYSTEM ::"
    );
    let made = Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).output().unwrap();
    if !made.status.success() {
        return lacks_some_program("mkfs.fat, mcopy", &made.stderr);
    }
    for more in [&[][..], &["--no-sandbox"]] {
        let report = desk.json(&[&["find", "volume.raw", "--format", "json"], &ALL[..], more].concat());
        let hives = hives(&report);
        assert_eq!(hives.len(), 2, "{report}");
        for hive in hives {
            let path = desk.path(&config).join(hive["role"].as_str().unwrap());
            same_hashes(&hive, &path, &["sha256", "md5", "sha1"]);
        }
    }
}

#[test]
fn hashes_that_make_no_sense_are_refused_with_those_that_there_are() {
    let desk = Desk::with(&[CASE]);
    for command in [&["audit", "evidence"][..], &["find", "evidence"], &["history", "evidence"]] {
        let said = desk.complaint(2, &[command, &["--hash", "md5", "--no-hash"]].concat());
        assert!(said.contains("'--hash <ALGORITHM,...>' cannot be used with '--no-hash'"), "{said}");
        for wrong in ["crc32", "md5,", "", "MD5", "sha256,sha512"] {
            let said = desk.complaint(2, &[command, &["--hash", wrong]].concat());
            assert!(said.contains("[possible values: sha256, md5, sha1]"), "{wrong}: {said}");
        }
        let said = desk.complaint(2, &[command, &["--hash", "md5,sha1,md5"]].concat());
        assert!(said.contains("'md5,sha1,md5' for '--hash <ALGORITHM,...>': md5 is repeated"), "{said}");
        assert!(said.contains("[possible values: sha256, md5, sha1]"), "{said}");
        let said = desk.complaint(2, &[command, &["--hash", "md5", "--hash", "sha1"]].concat());
        assert!(said.contains("cannot be used multiple times"), "{said}");
    }
    // A patch is compared by SHA-256 alone.
    let said = desk.complaint(2, &["verify", "a.reg", "evidence", "--hash", "md5"]);
    assert!(said.contains("--applied <PLAN>"), "{said}");
}

#[test]
fn every_form_but_the_fixed_columns_has_the_hashes_and_so_has_a_saved_report() {
    let desk = Desk::with(&[CASE]);
    let hive = desk.path("evidence").join(CASE).join(CONFIG).join("SYSTEM");
    let [sha256, md5, sha1] = PROGRAMS.map(|(_, program)| sum(program, &hive));
    let text = |arguments: &[&str]| String::from_utf8(desk.run(arguments).stdout).unwrap();
    desk.run(&[&["audit", "evidence", "--format", "json", "--output", "with.json"], &ALL[..]].concat());
    desk.run(&["audit", "evidence", "--format", "json", "--output", "without.json"]);
    for form in ["table", "json", "jsonl", "html", "markdown", "sarif", "ecs", "csv", "timesketch"] {
        let fixed = ["csv", "timesketch"].contains(&form);
        let printed = text(&[&["audit", "evidence", "--all", "--format", form], &ALL[..]].concat());
        assert!(printed.contains(&sha256), "{form}: {printed}");
        assert_eq!((printed.contains(&md5), printed.contains(&sha1)), (!fixed, !fixed), "{form}: {printed}");
        let plain = text(&["audit", "evidence", "--all", "--format", form]);
        assert!(!plain.contains(&md5) && !plain.contains(&sha1), "{form}: {plain}");
        assert!(!fixed || plain == printed, "{form}");
        // Saved reports have the hashes that they were saved with.
        if form != "json" {
            let again = text(&["report", "with.json", "--all", "--format", form]);
            assert_eq!(again.contains(&md5) && again.contains(&sha1), !fixed, "{form}: {again}");
            let again = text(&["report", "without.json", "--all", "--format", form]);
            assert!(again.contains(&sha256) && !again.contains(&md5) && !again.contains(&sha1), "{form}: {again}");
        }
    }
    let sarif = desk.json(&["report", "with.json", "--format", "sarif"]);
    let artifacts = sarif["runs"][0]["artifacts"].as_array().unwrap();
    let hashes =
        &artifacts.iter().find(|artifact| artifact["length"] == fs::metadata(&hive).unwrap().len()).unwrap()["hashes"];
    assert_eq!(*hashes, serde_json::json!({"sha-256": sha256, "md5": md5, "sha-1": sha1}));
    let ecs = text(&["report", "with.json", "--format", "ecs"]);
    let documents = ecs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let hashes = documents.map(|document| document["file"]["hash"].clone()).find(|hash| hash["sha256"] == sha256);
    assert_eq!(hashes, Some(serde_json::json!({"sha256": sha256, "md5": md5, "sha1": sha1})));
    // Many machines: lines with and without the hashes.
    for (name, options) in [("with.jsonl", &ALL[..]), ("without.jsonl", &[])] {
        desk.run(&[&["audit", "evidence", "--format", "jsonl", "--output", name], options].concat());
    }
    let page = desk.run(&["report", "--fleet", "with.jsonl", "without.jsonl"]);
    assert_eq!(page.status.code(), Some(0), "{}", String::from_utf8_lossy(&page.stderr));
}

#[test]
fn a_history_and_the_check_of_an_applied_patch_have_them_too() {
    let desk = Desk::with(&[CASE]);
    let hive = desk.path("evidence").join(CASE).join(CONFIG).join("SYSTEM");
    let history = desk.json(&[&["history", "evidence", "--format", "json"], &ALL[..]].concat());
    let of_machine = history["machines"][0]["hives"].as_array().unwrap();
    let system = of_machine.iter().find(|hive| hive["role"] == "SYSTEM").unwrap();
    same_hashes(&system["columns"][0], &hive, &["sha256", "md5", "sha1"]);
    // A patch is tied to SHA-256, whatever else is requested or not.
    for options in [&["--no-hash"][..], &ALL] {
        desk.run(&[&["audit", "evidence", "--patch", "patch", "--overwrite", "--quiet"], options].concat());
        let plan = format!("patch/evidence-{CASE}-Windows-System32-config/plan.json");
        let checked = desk.json(&[&["verify", "--applied", &plan, "evidence", "--format", "json"], &ALL[..]].concat());
        let system = checked["hives"].as_array().unwrap().iter().find(|hive| hive["role"] == "SYSTEM").unwrap();
        same_hashes(system, &hive, &["sha256", "md5", "sha1"]);
        assert_eq!(system["same_file"], true, "{checked}");
    }
}

#[test]
fn the_custody_record_has_the_hashes_before_and_after() {
    let desk = dirty();
    for (options, wanted) in [
        (&ALL[..], &["sha256", "md5", "sha1"][..]),
        (&["--hash", "sha1"], &["sha256", "sha1"]),
        (&[], &["sha256"]),
        (&["--no-hash"], &["sha256"]),
    ] {
        let command = ["audit", "dirty", "case.zip", "--format", "json", "--output", "report.json", "--overwrite"];
        desk.run(&[&command[..], &["--quiet", "--custody", "custody.json"], options].concat());
        let record: Value = serde_json::from_slice(&fs::read(desk.path("custody.json")).unwrap()).unwrap();
        assert_eq!(record["unchanged"], true);
        let files = record["files"].as_array().unwrap();
        assert!(files.len() >= 5, "{record}");
        for file in files {
            let path = desk.path(file["path"].as_str().unwrap());
            same_hashes(&file["before"], &path, wanted);
            assert_eq!(file["before"], file["after"]);
        }
        let page = desk.run(&["report", "report.json", "--format", "html", "--custody", "custody.json"]).stdout;
        let page = String::from_utf8(page).unwrap();
        for (name, program) in PROGRAMS {
            let of_archive = sum(program, &desk.path("case.zip"));
            assert_eq!(page.contains(&of_archive), wanted.contains(&name), "{name} {of_archive}: {page}");
        }
    }
}
