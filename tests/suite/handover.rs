//! The files that accompany a patch: `IMPORT.txt`, whose command lines are run unchanged, and the script, which
//! `wine/script.rs` runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hivemend::examination::Options;
use hivemend::handover::{Marks, write_script};
use hivemend::remediation::{Selection, remedy};

use crate::cases::examine_folder;
use crate::fixture;
use crate::importers::{CASES, deviations, is_installed};

/// A case with its patch, as the program writes it.
pub(crate) struct Handed {
    folder: tempfile::TempDir,
}

impl Handed {
    /// Runs `audit --patch` on a case.
    pub(crate) fn new(case: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fixture::compile(case).unwrap().write(&folder.path().join("evidence")).unwrap();
        let handed = Self { folder };
        handed.audit(options);
        handed
    }

    /// Writes the patch; what is said on stderr.
    fn audit(&self, options: &[&str]) -> String {
        let run = Command::new(env!("CARGO_BIN_EXE_hivemend"))
            .args(["audit", "evidence", "--patch", "patch", "--output", "report", "--overwrite"])
            .args(options)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(1), "{said}");
        said
    }

    /// The folder of the only installation.
    pub(crate) fn patch(&self) -> PathBuf {
        fs::read_dir(self.folder.path().join("patch")).unwrap().next().unwrap().unwrap().path()
    }

    pub(crate) fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    pub(crate) fn hive(&self, role: &str) -> PathBuf {
        self.evidence().join("Windows/System32/config").join(role)
    }

    pub(crate) fn page(&self) -> String {
        fs::read_to_string(self.patch().join("IMPORT.txt")).unwrap().replace("\r\n", "\n")
    }

    /// The command lines of the page that begin with that word.
    pub(crate) fn lines(&self, program: &str) -> Vec<String> {
        let page = self.page();
        let commands = page.lines().filter_map(|line| line.strip_prefix("    "));
        commands.filter(|line| line.split(' ').next() == Some(program)).map(str::to_owned).collect()
    }
}

fn shell(folder: &Path, line: &str) {
    let run = Command::new("sh").args(["-ec", line]).current_dir(folder).output().unwrap();
    assert!(run.status.success(), "{line}: {}", String::from_utf8_lossy(&run.stderr));
}

/// The lines for Linux, run in the folder of the patch on copies of the hives, mend, and take back.
#[test]
fn the_lines_for_linux_mend_a_copy_and_take_it_back() {
    if !is_installed() {
        return;
    }
    let mut by_utf8 = 0;
    for case in CASES {
        for options in [&["--dialect", "hivex"][..], &[], &["--system-root", r"HKEY_LOCAL_MACHINE\it's SYSTEM"]] {
            let handed = Handed::new(case, options);
            let values = || -> BTreeSet<String> {
                let found = deviations(&examine_folder(&handed.evidence(), &Options::default()));
                found.into_iter().filter(|id| id.contains('/')).collect()
            };
            let first = values();
            let merges = handed.lines("hivexregedit");
            if merges.is_empty() {
                assert!(options != ["--dialect", "hivex"] && handed.page().contains("--dialect hivex"), "{case}");
                continue;
            }
            let mut lines = handed.lines("iconv");
            by_utf8 += lines.len();
            lines.extend(merges);
            for line in &lines {
                let line = ["SOFTWARE", "SYSTEM"].iter().fold(line.clone(), |line, role| {
                    line.replace(&format!("COPY-OF-{role}"), &handed.hive(role).display().to_string())
                });
                shell(&handed.patch(), &line);
            }
            let after = examine_folder(&handed.evidence(), &Options::default());
            assert_eq!(deviations(&after), BTreeSet::new(), "{case} {options:?}");
            // "Import the .rollback.reg files in the same way".
            for line in &lines {
                let line = ["SOFTWARE", "SYSTEM"].iter().fold(line.clone(), |line, role| {
                    line.replace(&format!("COPY-OF-{role}"), &handed.hive(role).display().to_string())
                        .replace(&format!("{role}.reg"), &format!("{role}.rollback.reg"))
                });
                shell(&handed.patch(), &line);
            }
            assert_eq!(values(), first, "{case} {options:?}");
        }
    }
    assert!(by_utf8 > 8, "{by_utf8}");
}

#[test]
fn each_target_has_only_what_applies() {
    let case = "windows-7-bits-parameters-read-only";
    let live = Handed::new(case, &["--target", "live"]);
    assert_eq!(live.lines("reg"), ["reg import patch.reg"]);
    assert!(live.lines("hivexregedit").is_empty());
    assert!(live.page().contains("Run this as SYSTEM") && live.page().contains("The machine: Windows reads"));
    let hivex = Handed::new(case, &["--dialect", "hivex"]);
    assert!(hivex.lines("reg").is_empty() && !hivex.page().contains("Administrators"));
    assert_eq!(hivex.lines("virt-win-reg"), ["virt-win-reg --merge NAME-OF-THE-MACHINE SYSTEM.reg"]);
    // Its roots are those of the Windows that imports.
    let own = Handed::new(case, &[]);
    assert!(own.lines("reg").is_empty() && own.page().contains(r"--system-root HKEY_LOCAL_MACHINE\OFFLINE-SYSTEM"));
    // The advice, followed.
    let advice = own.lines("hivemend").pop().unwrap();
    let options: Vec<&str> = advice.split(' ').skip_while(|word| *word != "--software-root").collect();
    let loaded = Handed::new(case, &options);
    assert_eq!(
        loaded.lines("reg"),
        [
            r"reg load HKLM\OFFLINE-SYSTEM D:\Windows\System32\config\SYSTEM",
            r"reg save HKLM\OFFLINE-SYSTEM SYSTEM.saved",
            r"reg import SYSTEM.reg",
            r"reg unload HKLM\OFFLINE-SYSTEM",
        ]
    );
    let deep = Handed::new(case, &["--system-root", r"HKEY_LOCAL_MACHINE\A\B", "--software-root", r"HKEY_USERS\S"]);
    assert!(deep.lines("reg").is_empty() && deep.page().contains("directly below"));
    let windows_2000 = Handed::new("windows-2000-bits-manual-without-a-time", &options_with(&options));
    let config = windows_2000.lines("reg").remove(0);
    assert!(config.contains(r"D:\WINNT\System32\config\"), "{config}");
}

fn options_with<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [options, &["--min-grade", "inferred"]].concat()
}

#[test]
fn a_patch_without_edits_has_no_page() {
    let handed = Handed::new("windows-7-bits-disabled", &["--skip", "service-bits/Start"]);
    let names: Vec<_> = fs::read_dir(handed.patch()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["plan.json"]);
}

/// Logs that hivexregedit would not replay.
#[test]
fn a_dirty_hive_is_not_for_hivexregedit() {
    let folder = tempfile::tempdir().unwrap();
    let case = fixture::compile("windows-7-bits-disabled").unwrap();
    case.write_dirty(&folder.path().join("evidence")).unwrap();
    let handed = Handed { folder };
    handed.audit(&[]);
    assert!(handed.lines("hivexregedit").is_empty() && handed.page().contains("the SYSTEM hive is dirty"));
    handed.audit(&["--dialect", "hivex", "--accept-dirty"]);
    assert!(!handed.lines("hivexregedit").is_empty() && handed.page().contains("the SYSTEM hive is dirty"));
}

const CASE: &str = "windows-7-bits-parameters-read-only";

/// Every line of a script is one of the frame, or sets a variable to printable text without a quote in it.
#[test]
fn nothing_of_the_evidence_is_a_command_in_a_script() {
    let frame = include_str!("../../src/handover/script/winre.cmd");
    let frame: BTreeSet<&str> = frame.lines().collect();
    let mut values = 0;
    for case in
        [CASE, "windows-xp-senslogn-missing", "windows-7-svchost-lacks-bits", "windows-2000-bits-manual-without-a-time"]
    {
        let handed = Handed::new(case, &["--script", "winre", "--min-grade", "inferred"]);
        let script = fs::read_to_string(handed.patch().join("winre.cmd")).unwrap();
        assert!(script.ends_with("\r\n") && script.matches('\n').count() == script.matches("\r\n").count());
        for line in script.split_terminator("\r\n").filter(|line| !frame.contains(line)) {
            let set = line.strip_prefix("set \"").and_then(|rest| rest.strip_suffix('"'));
            let is_set = set.is_some_and(|set| {
                let (variable, text) = set.split_once('=').unwrap();
                values += 1;
                ["KEY", "NAME", "WANT", "ALSO", "CASE", "CONFIG"].contains(&variable)
                    && text.chars().all(|letter| matches!(letter, ' '..='~') && !"\"!".contains(letter))
                    && !text.replace("%%", "").contains('%')
            });
            let is_ours = ["call :expect", "call :absent", "if errorlevel 1 exit /b 1"].contains(&line)
                || line.starts_with("call :import winre-S")
                || line.starts_with("if not exist \"%HERE%winre-S")
                || line.starts_with("rem Written by hivemend ")
                || line.contains(" hive, SHA-256 ");
            assert!((is_set || is_ours) && line.len() < 8_191, "{case}: {line}");
        }
        assert_eq!(handed.lines("winre.cmd").len(), 1);
    }
    assert!(values > 100);
}

#[test]
fn what_a_script_cannot_hold_is_left_out_and_the_patch_goes_out() {
    let handed = Handed::new("hostile-strings", &["--script", "winre"]);
    assert!(handed.patch().join("SYSTEM.reg").exists() && !handed.patch().join("winre.cmd").exists());
    let plan = fs::read_to_string(handed.patch().join("plan.json")).unwrap();
    assert!(plan.contains("service-bits-parameters/ServiceDll: its data are not well-formed text"), "{plan}");
    assert!(handed.lines("winre.cmd").is_empty() && handed.page().contains("winre.cmd was not written"));
    // One of two.
    let handed = Handed::new(CASE, &[]);
    let examination = examine_folder(&handed.evidence(), &Options::default());
    let report = &examination.report.installations[0];
    let mut plan = remedy(report, &Selection::default()).unwrap();
    let marks = Marks::read(&examination.installations[0], &Options::default(), Some(1));
    plan.edits[0].value = String::from("a\" & calc & rem \"");
    let script = write_script(&plan, report, &marks).unwrap();
    assert_eq!((script.plan.edits.len(), script.left.len()), (plan.edits.len() - 1, 1));
    assert!(script.left[0].reason.contains("value name holds '\"'"), "{}", script.left[0].reason);
    assert!(!String::from_utf8(script.text).unwrap().contains("calc"));
    // Nothing that says which Windows it is.
    assert!(write_script(&plan, report, &Marks::default()).unwrap_err().contains("version, build or control set"));
    let mut alone = report.clone();
    alone.hives.remove(0);
    assert!(write_script(&plan, &alone, &marks).unwrap_err().contains("there is no SOFTWARE hive"));
}

#[test]
fn a_script_is_for_offline_windows_and_its_files_are_ours() {
    let handed = Handed::new(CASE, &["--script", "winre", "--dialect", "hivex"]);
    let names = |handed: &Handed| -> BTreeSet<String> {
        let entries = fs::read_dir(handed.patch()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let script = ["winre-SYSTEM.reg", "winre-SYSTEM.rollback.reg", "winre.cmd"].map(str::to_owned);
    assert!(script.iter().all(|name| names(&handed).contains(name)), "{:?}", names(&handed));
    let regedit = fs::read(handed.patch().join("winre-SYSTEM.reg")).unwrap();
    assert!(regedit.starts_with(&[0xff, 0xfe]));
    // A folder with a script is replaced as a whole.
    handed.audit(&[]);
    assert!(script.iter().all(|name| !names(&handed).contains(name)), "{:?}", names(&handed));
    let run = Command::new(env!("CARGO_BIN_EXE_hivemend"))
        .args(["audit", "evidence", "--patch", "other", "--script", "winre", "--target", "live"])
        .current_dir(handed.folder.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("--script with --target live"));
}
