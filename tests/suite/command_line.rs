//! The program as users run it: its output, the stream that it uses, and its exit code.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::fixture;

/// A folder with evidence made from fixtures, `evidence/<case>`, and room beside it.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn with(cases: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for case in cases {
            fixture::compile(case).unwrap().write(&folder.path().join("evidence").join(case)).unwrap();
        }
        fs::create_dir_all(folder.path().join("evidence")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
        command.args(arguments).current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8");
        // `CI` asks for colours, too (https://docs.rs/anstyle-query).
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn code(&self, arguments: &[&str]) -> i32 {
        self.run(arguments).status.code().unwrap()
    }

    /// What is said on stderr by a run that must exit with `code` and print nothing.
    pub(crate) fn complaint(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{complaint}");
        complaint
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_slice(&self.run(arguments).stdout).unwrap()
    }
}

/// Every file below a folder with its bytes and its time of change.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut contents = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let changed = entry.metadata().unwrap().modified().unwrap();
            contents.push((entry.path().to_owned(), fs::read(entry.path()).unwrap(), changed));
        }
    }
    contents
}

#[test]
fn exit_codes_tell_clean_findings_refusal_and_gaps_apart() {
    let desk = Desk::with(&["windows-xp", "windows-7-bits-disabled", "windows-7-dirty", "windows-xp-system-only"]);
    assert_eq!(desk.code(&["audit", "evidence/windows-xp"]), 0);
    assert_eq!(desk.code(&["audit", "evidence/windows-7-bits-disabled"]), 1);
    assert_eq!(desk.code(&["audit", "evidence/windows-7-bits-disabled", "--fail-on", "critical"]), 0);
    assert_eq!(desk.code(&["audit", "evidence/nowhere"]), 2);
    assert_eq!(desk.code(&["audit", "--nonsense"]), 2);
    assert_eq!(desk.code(&["audit", "evidence/windows-7-dirty"]), 3);
    assert_eq!(desk.code(&["audit", "evidence/windows-xp-system-only"]), 3);
    // One input of several missing: the rest is audited, and the report is incomplete.
    assert_eq!(desk.code(&["audit", "evidence/windows-xp", "evidence/nowhere"]), 3);
    assert_eq!(desk.code(&["audit", "evidence", "--exit-zero"]), 0);
}

#[test]
fn what_cannot_be_examined_is_named_with_what_to_do() {
    let desk = Desk::with(&[]);
    fs::create_dir(desk.path("empty")).unwrap();
    fs::write(desk.path("notes.txt"), "no hive").unwrap();
    insta::assert_snapshot!(desk.complaint(2, &["audit", "nowhere"]), @"hivemend: error: nowhere: cannot be read: No such file or directory (os error 2). Check the spelling; letter case matters here");
    insta::assert_snapshot!(desk.complaint(2, &["audit", "empty"]), @"hivemend: error: empty: no SOFTWARE or SYSTEM hive was found here (the folder is empty). Name a mounted Windows volume, a folder of copied hives, or a hive");
    insta::assert_snapshot!(desk.complaint(2, &["audit", "notes.txt"]), @"hivemend: error: notes.txt: no SOFTWARE or SYSTEM hive was found here (notes.txt: expected a hive (regf), found a text file). Name a mounted Windows volume, a folder of copied hives, or a hive");
    insta::assert_snapshot!(desk.complaint(2, &["baseline", "show", "windows-95"]), @r#"hivemend: error: baseline show: invalid value "windows-95". Did you mean "windows-10"? See `hivemend baseline list`"#);
}

#[test]
fn hives_of_two_machines_are_a_gap_and_not_patched() {
    let desk = Desk::with(&["mismatched-pair"]);
    let report = desk.json(&["audit", "evidence", "--format", "json"]);
    assert_eq!(report["installations"][0]["os"]["certainty"], "uncertain");
    assert_eq!(report["installations"][0]["same_machine"]["state"], "contradicted");
    let advice = report["problems"][0]["advice"].as_str().unwrap();
    assert!(advice.contains("audit each by itself"), "{advice}");
    assert_eq!(desk.code(&["audit", "evidence"]), 3);
    // Every patch that was asked for is refused; the report is there all the same.
    let output = desk.run(&["audit", "evidence", "--patch", "patch", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap(), report);
    assert!(!desk.path("patch").exists());
}

#[test]
fn no_output_lands_in_the_evidence() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    std::os::unix::fs::symlink(desk.path("evidence"), desk.path("link")).unwrap();
    let before = contents(&desk.path("evidence"));
    for option in ["--output", "--custody", "--patch"] {
        for place in ["evidence/out", "elsewhere/../evidence/out", "link/out"] {
            let complaint = desk.complaint(2, &["audit", "evidence", option, place]);
            assert!(complaint.contains("evidence is never written to"), "{option} {place}: {complaint}");
        }
    }
    assert_eq!(contents(&desk.path("evidence")), before);
}

#[test]
fn an_audit_leaves_the_evidence_as_it_was() {
    let desk = Desk::with(&["windows-xp-senslogn-missing"]);
    let before = contents(&desk.path("evidence"));
    assert_eq!(desk.code(&["audit", "evidence", "--patch", "patch", "--custody", "custody.json"]), 1);
    assert_eq!(contents(&desk.path("evidence")), before);
}

#[test]
fn a_patch_that_cannot_be_written_leaves_nothing_behind() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    fs::write(desk.path("file"), "in the way").unwrap();
    let output = desk.run(&["audit", "evidence", "--patch", "file/patch"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("file/patch: no folder"));
    assert_eq!(fs::read(desk.path("file")).unwrap(), b"in the way");

    assert_eq!(desk.code(&["audit", "evidence", "--patch", "patch"]), 1);
    let first = contents(&desk.path("patch"));
    let output = desk.run(&["audit", "evidence", "--patch", "patch"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("an existing folder"));
    assert_eq!(contents(&desk.path("patch")), first, "an older patch is never mixed with a newer one");
}

#[test]
fn a_closed_pipe_is_no_error_and_changes_no_exit_code() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let mut child = desk
        .command(&["audit", "evidence", "--all", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(1), ""));
}

#[test]
fn the_report_is_the_same_whatever_the_number_of_jobs() {
    let desk = Desk::with(&["windows-xp", "windows-7-bits-disabled", "windows-10", "windows-2000-bits-manual"]);
    let report = |jobs| desk.run(&["audit", "evidence", "--format", "json", "--all", "--jobs", jobs]).stdout;
    assert!(!report("1").is_empty());
    assert_eq!(report("1"), report("7"));
}

#[test]
fn a_windows_that_the_user_names_is_audited_but_not_patched_without_force() {
    let desk = Desk::with(&["windows-future"]);
    assert_eq!(desk.code(&["audit", "evidence"]), 3);
    let forced = desk.json(&["audit", "evidence", "--os", "windows-11", "--format", "json"]);
    assert_eq!(forced["installations"][0]["os"]["forced"], true);
    assert_eq!(forced["installations"][0]["baseline"]["id"], "windows-11");
    let complaint = desk.complaint(2, &["audit", "evidence", "--os", "windows-11", "--patch", "patch"]);
    assert!(complaint.contains("--force"), "{complaint}");
    assert!(!desk.path("patch").exists());
}

#[test]
fn a_dirty_hive_is_not_patched_unless_the_user_accepts_it() {
    let desk = Desk::with(&["windows-7-dirty"]);
    let output = desk.run(&["audit", "evidence", "--patch", "patch"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--accept-dirty"), "{said}");
    assert!(!desk.path("patch").exists());
    assert_eq!(desk.code(&["audit", "evidence", "--patch", "patch", "--accept-dirty"]), 3);
    assert!(desk.path("patch").exists());
}

#[test]
fn every_control_set_is_judged_when_asked_for() {
    let desk = Desk::with(&["windows-7-second-control-set-broken"]);
    assert_eq!(desk.code(&["audit", "evidence"]), 0);
    assert_eq!(desk.code(&["audit", "evidence", "--control-set", "2"]), 1);
    let all = desk.json(&["audit", "evidence", "--control-set", "all", "--format", "json"]);
    let wrong: Vec<&serde_json::Value> =
        all["installations"][0]["findings"].as_array().unwrap().iter().filter(|f| f["verdict"] == "deviates").collect();
    assert!(!wrong.is_empty() && wrong.iter().all(|finding| finding["control_set"] == 2));
    let missing = desk.json(&["audit", "evidence", "--control-set", "9", "--format", "json"]);
    assert_eq!(missing["summary"]["complete"], false);
    assert_eq!(missing["summary"]["unreadable"], 0);
    let gaps = missing["summary"]["gaps"].as_array().unwrap();
    assert_eq!(gaps.iter().map(|gap| gap["code"].as_str().unwrap()).collect::<Vec<_>>(), ["control-set-missing"]);
}

#[test]
fn the_custody_record_holds_the_sums_before_and_after() {
    let desk = Desk::with(&["windows-xp"]);
    assert_eq!(desk.code(&["audit", "evidence", "--custody", "custody.json"]), 0);
    let record: serde_json::Value = serde_json::from_slice(&fs::read(desk.path("custody.json")).unwrap()).unwrap();
    let report = desk.json(&["audit", "evidence", "--format", "json"]);
    assert_eq!(record["unchanged"], true);
    for (file, hive) in record["files"].as_array().unwrap().iter().zip([0, 1]) {
        assert_eq!(file["before"], file["after"]);
        assert_eq!(file["before"]["sha256"], report["installations"][0]["hives"][hive]["sha256"]);
    }
    assert_eq!(record["command_line"][1], "audit");
}

#[test]
fn a_patch_for_a_running_windows_is_one_file_for_current_control_set() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    desk.code(&["audit", "evidence", "--patch", "patch", "--target", "live"]);
    let names: Vec<String> = contents(&desk.path("patch"))
        .iter()
        .map(|(path, ..)| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["IMPORT.txt", "patch.reg", "plan.json", "rollback.reg"]);
    let (_, bytes, _) = contents(&desk.path("patch")).remove(1);
    assert!(bytes.starts_with(&[0xff, 0xfe]), "UTF-16LE with a byte order mark");
    let text = String::from_utf16(
        &bytes[2..].as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect::<Vec<_>>(),
    )
    .unwrap();
    assert!(
        text.contains(
            "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\BITS]\r\n\"Start\"=dword:00000003\r\n"
        )
    );
}

#[test]
fn info_findings_are_mended_only_when_they_are_named() {
    let desk = Desk::with(&["windows-xp-updates-notify-only"]);
    desk.code(&["audit", "evidence", "--patch", "all"]);
    desk.code(&["audit", "evidence", "--patch", "named", "--only", "automatic-updates/AUOptions"]);
    let files = |folder| contents(&desk.path(folder)).len();
    assert_eq!((files("all"), files("named")), (1, 4));
}

#[test]
fn find_check_says_how_far_a_hive_can_be_trusted() {
    let desk = Desk::with(&["windows-7"]);
    let arguments = ["find", "evidence", "--check", "--format", "json"];
    let hives = |report: &serde_json::Value| report["installations"][0]["hives"].as_array().unwrap().clone();
    assert_eq!(desk.code(&arguments), 0);
    for hive in hives(&desk.json(&arguments)) {
        let coverage = &hive["integrity"]["coverage"];
        assert_eq!((&coverage["complete"], &coverage["coverage"]), (&true.into(), &1.0.into()), "{hive}");
        assert_eq!(
            (&coverage["keys"], &coverage["values"]),
            (&coverage["keys_promised"], &coverage["values_promised"])
        );
    }
    let unchecked = desk.json(&["find", "evidence", "--format", "json"]);
    assert!(hives(&unchecked).iter().all(|hive| hive["integrity"]["coverage"].is_null()));

    // Break the last key node of the first hive: one subkey of somebody is lost.
    let hive = PathBuf::from(hives(&unchecked)[0]["path"].as_str().unwrap());
    let path = desk.folder.path().join(hive);
    let mut bytes = fs::read(&path).unwrap();
    let node = bytes.windows(4).rposition(|word| word == b"nk\x20\0").unwrap();
    bytes[node] = b'x';
    fs::write(&path, bytes).unwrap();
    assert_eq!((desk.code(&arguments), desk.code(&["find", "evidence"])), (3, 0));
    let integrity = hives(&desk.json(&arguments))[0]["integrity"].clone();
    assert_eq!((&integrity["state"], &integrity["coverage"]["complete"]), (&"damaged".into(), &false.into()));
    assert_eq!(integrity["coverage"]["lost"][0]["what"], "subkeys");
    let table = String::from_utf8(desk.run(&["find", "evidence", "--check"]).stdout).unwrap();
    assert!(table.contains("checked") && table.contains("lost") && table.contains("INCOMPLETE"), "{table}");
}

#[test]
fn find_lists_what_is_there_without_judging_it() {
    let desk = Desk::with(&["windows-xp", "windows-7-bits-disabled"]);
    let report = desk.json(&["find", "evidence", "--format", "json"]);
    let ids: Vec<&str> =
        report["installations"].as_array().unwrap().iter().map(|i| i["os"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["windows-7", "windows-xp"]);
    assert!(report["installations"][0].get("findings").is_none());
    assert_eq!(desk.code(&["find", "evidence"]), 0);
    assert_eq!(desk.code(&["find", "nowhere"]), 2);
}

/// The bytes of the file: one for each character, the machine's code page named in the header.
#[test]
fn a_patch_in_regedit4_is_text_of_the_code_page() {
    let desk = Desk::with(&["windows-xp-senslogn-shutdown-wrong"]);
    let audit = ["audit", "evidence", "--patch"];
    assert_eq!(desk.code(&[&audit[..], &["patch", "--dialect", "regedit4", "--code-page", "1251"]].concat()), 1);
    let files = contents(&desk.path("patch"));
    let (_, bytes, _) = files.iter().find(|(path, ..)| path.ends_with("SOFTWARE.reg")).unwrap();
    let text = str::from_utf8(bytes).unwrap();
    let (header, rest) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(header, "REGEDIT4");
    assert!(rest.contains("\r\n; Text of code page 1251: import it where that is the ANSI code page.\r\n"), "{rest}");
    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";
    assert!(rest.ends_with(&format!("[{key}]\r\n\"Shutdown\"=\"SensShutdownEvent\"\r\n\r\n")), "{rest}");

    let refused = |more: &[&str]| desk.complaint(2, &[&audit[..], &["other"], more].concat());
    assert!(refused(&["--code-page", "1251"]).contains("Only --dialect regedit4 writes text in a code page"));
    assert!(refused(&["--dialect", "regedit4", "--code-page", "65001"]).contains("437, 850, 852"));
    assert!(!desk.path("other").exists());
}
