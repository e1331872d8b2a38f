//! Interrupted runs, and folders that are replaced during a run.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{desk, done, names};
use crate::command_line::{Desk, contents};
use crate::fixture;
use crate::images::shell;

/// A hive of which to write takes some time.
const LARGE: &str = "large/Windows/System32/config/SYSTEM";

fn large() -> Desk {
    let desk = desk();
    let mut case = fixture::compile("windows-7-bits-disabled").unwrap();
    let (_, system) = case.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
    for number in 0..4000 {
        let key = system.root.create(&format!("Filling{number:04}"));
        for value in 0..24 {
            key.set_dword(&format!("Value number {value}"), value);
        }
    }
    case.write(&desk.path("large")).unwrap();
    fs::create_dir(desk.path("out")).unwrap();
    desk
}

fn kill(child: &Child, signal: &str) {
    let done = std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
    assert!(done.unwrap().success());
}

/// F10, of what is written: whenever it is killed, there is the whole file or none.
#[test]
fn a_run_that_is_killed_leaves_nothing() {
    let desk = large();
    let arguments = ["show", LARGE, "-r", "--format", "json", "--output", "out/x"];
    let begun = Instant::now();
    assert_eq!(desk.code(&arguments), 0);
    let lasts = begun.elapsed();
    let whole = fs::read(desk.path("out/x")).unwrap();
    let replace = [&arguments[..], &["--overwrite"]].concat();
    let mut ended = 0;
    for round in 0..24_u32 {
        let is_new = round % 2 == 0;
        if is_new {
            fs::remove_file(desk.path("out/x")).unwrap();
        }
        let mut child = desk.command(if is_new { &arguments } else { &replace }).spawn().unwrap();
        std::thread::sleep(lasts * (round + 2) / 24);
        kill(&child, ["KILL", "TERM", "INT"][round as usize % 3]);
        ended += u32::from(child.wait().unwrap().signal().is_some());
        let found = names(&desk.path("out"));
        assert!(found.is_empty() && is_new || found == ["x"], "{found:?}");
        assert!(found.is_empty() || fs::read(desk.path("out/x")).unwrap() == whole, "half of a file");
        fs::write(desk.path("out/x"), &whole).unwrap();
    }
    assert!(ended > 4, "only {ended} runs were killed in time");
}

/// The name that does not stay is there for a while where a file system has no files without one: a signal removes it,
/// and ends the run as it would have.
#[test]
fn where_files_have_names_at_once_errors_and_signals_remove_them() {
    let desk = large();
    let script = format!(
        "command -v mkntfs ntfs-3g >/dev/null && truncate -s 64M n.img && mkntfs -q -F n.img >/dev/null 2>&1 && mkdir m && ntfs-3g n.img m || exit 127
         show() {{ \"$H\" show {LARGE} -r --format json \"$@\"; }}
         show --output m/x; echo $?; show >expected; cmp m/x expected; ls -A m
         show --output m/x 2>/dev/null; echo $?; show --output m/x --overwrite; echo $?; cmp m/x expected; rm m/x
         \"$H\" audit evidence --patch m/patch >/dev/null 2>&1; \"$H\" audit evidence --patch m/patch --overwrite >/dev/null 2>&1
         echo $?; find m -type f | sed 's,.*/,,' | sort; rm -r m/patch
         for signal in TERM INT HUP; do
         while :; do
         \"$H\" show {LARGE} -r --format json --output m/y & run=$!
         while kill -0 $run && ! ls -A m | grep -q part-; do :; done; kill -STOP $run
         # On a busy machine it may have ended before it was stopped.
         ls -A m | grep -q part- && break; kill -CONT $run; wait $run; rm -f m/y
         done
         ls -A m | grep -c part-; kill -$signal $run; kill -CONT $run; wait $run; echo $?; ls -A m; rm -f m/y
         done
         \"$H\" audit evidence --output m/z --all >/dev/null; echo $?; ls -A m; umount m",
    );
    // A shell without job control has its children ignore INT and they keep to it.
    let Some(said) = done(&desk, &script) else { return };
    let lines: Vec<&str> = said.lines().collect();
    let patch = ["IMPORT.txt", "SYSTEM.reg", "SYSTEM.rollback.reg", "plan.json"];
    let signals = ["1", "143", "1", "0", "y", "1", "129"];
    let expected = [&["0", "x", "2", "0", "1"][..], &patch, &signals, &["1", "z"][..]].concat();
    // What the shell says of those that were ended comes last.
    assert_eq!(lines.get(..expected.len()), Some(&expected[..]), "{said}");
}

/// Begins a run that waits between the check of its outputs and its work; does something then.
fn meanwhile(desk: &Desk, arguments: &[&str], act: impl FnOnce()) -> (Option<i32>, String) {
    assert!(shell(desk, "test -p slow || mkfifo slow"));
    let mut command = desk.command(&[arguments, &["--password-file", "slow"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It is opened when the outputs have been checked.
    let password = OpenOptions::new().write(true).open(desk.path("slow")).unwrap();
    act();
    drop(password);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// F5.
#[test]
fn a_folder_that_is_exchanged_for_a_link_leads_nowhere() {
    for (option, place) in
        [("--output", "out/SYSTEM"), ("--output", "out/new"), ("--custody", "out/new"), ("--patch", "out")]
    {
        for overwrite in [&[][..], &["--overwrite"]] {
            let desk = desk();
            fs::create_dir(desk.path("out")).unwrap();
            let before = contents(&desk.path("evidence"));
            let arguments = [&["find", "evidence", option, place][..], overwrite].concat();
            let arguments: Vec<&str> = arguments
                .iter()
                .map(|word| if *word == "find" && option == "--patch" { "audit" } else { *word })
                .collect();
            let (code, said) = meanwhile(&desk, &arguments, || {
                fs::rename(desk.path("out"), desk.path("moved")).unwrap();
                symlink(desk.path("evidence/windows-7-bits-disabled/Windows/System32/config"), desk.path("out"))
                    .unwrap();
            });
            assert!(contents(&desk.path("evidence")) == before, "{option} {place}: evidence was changed");
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains("another one than when the run began"), "{said}");
            assert_eq!(names(&desk.path("moved")), [""; 0]);
        }
    }
}

#[test]
fn a_folder_that_is_moved_into_the_evidence_gets_nothing() {
    for arguments in [["find", "evidence", "--output", "out/new"], ["audit", "evidence", "--patch", "out"]] {
        let desk = desk();
        fs::create_dir(desk.path("out")).unwrap();
        let before = contents(&desk.path("evidence"));
        let (code, said) =
            meanwhile(&desk, &arguments, || fs::rename(desk.path("out"), desk.path("evidence/out")).unwrap());
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("evidence is never written to"), "{said}");
        assert!(contents(&desk.path("evidence")) == before);
    }
}

#[test]
fn what_comes_under_the_name_of_an_output_meanwhile_stays() {
    let put = |path: &str, desk: &Desk| {
        let _ = fs::remove_file(desk.path(path));
        fs::write(desk.path(path), "regf").unwrap();
    };
    for arguments in [&["--output", "x"][..], &["--output", "x", "--overwrite"]] {
        for is_there in [false, true] {
            if is_there && arguments.len() == 2 {
                continue;
            }
            let desk = desk();
            if is_there {
                fs::write(desk.path("x"), "old").unwrap();
            }
            let arguments = [&["audit", "evidence"], arguments].concat();
            let (code, said) = meanwhile(&desk, &arguments, || put("x", &desk));
            assert_eq!((code, fs::read(desk.path("x")).unwrap()), (Some(2), b"regf".to_vec()), "{said}");
            assert_eq!(names(&desk.path("")), ["evidence", "p.reg", "slow", "x"]);
        }
    }
}

/// Whoever ignores a signal before the program begins, as `nohup` does, has it ignored.
#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    let desk = large();
    let script = format!(
        "trap '' HUP; '{}' show {LARGE} -r --format json --output out/x --overwrite & run=$!
         for i in 1 2 3 4 5 6 7 8; do kill -HUP $run; sleep 0.05; done; wait $run; echo $?",
        env!("CARGO_BIN_EXE_hivemend")
    );
    let begun = Instant::now();
    let output = std::process::Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n");
    assert_eq!(names(&desk.path("out")), ["x"]);
    assert!(begun.elapsed() < Duration::from_mins(1));
}
