//! Files: new, replaced, refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use super::{descriptors, desk, done, names, refused};
use crate::command_line::contents;

const AUDIT: [&str; 4] = ["audit", "evidence", "--format", "json"];

#[test]
fn nothing_that_is_there_is_replaced_unless_it_is_asked_for() {
    let desk = desk();
    let expected = desk.run(&AUDIT).stdout;
    let hive = "evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM";
    for arguments in [
        &AUDIT[..],
        &["find", "evidence"],
        &["history", "evidence"],
        &["show", hive, "Select"],
        &["verify", "p.reg", "evidence"],
        &["lint", "p.reg"],
    ] {
        fs::write(desk.path("out"), "old").unwrap();
        let said = refused(&desk, &[arguments, &["--output", "out"]].concat());
        assert!(said.contains("an existing file") && said.contains("--overwrite"), "{said}");
        desk.run(&[arguments, &["--output", "out", "--overwrite"]].concat());
        assert_ne!(fs::read(desk.path("out")).unwrap(), b"old", "{arguments:?}");
    }
    desk.run(&[&AUDIT[..], &["--output", "out", "--overwrite"]].concat());
    assert_eq!(fs::read(desk.path("out")).unwrap(), expected);
    fs::write(desk.path("custody"), "old").unwrap();
    refused(&desk, &["find", "evidence", "--custody", "custody"]);
    assert_eq!(desk.code(&["find", "evidence", "--custody", "custody", "--overwrite", "--quiet"]), 0);
    assert_eq!(names(&desk.path("")), ["custody", "evidence", "out", "p.reg"]);
}

/// A link is never turned into a file: what it leads to is what is written.
#[test]
fn a_symbolic_link_is_followed_when_its_end_may_be_replaced() {
    let desk = desk();
    fs::create_dir(desk.path("far")).unwrap();
    fs::write(desk.path("far/old"), "old").unwrap();
    symlink("far/old", desk.path("link")).unwrap();
    symlink("far/none", desk.path("dangling")).unwrap();
    symlink("circle", desk.path("circle")).unwrap();
    symlink("evidence/new", desk.path("into")).unwrap();
    for name in ["link", "dangling"] {
        let said = refused(&desk, &[&AUDIT[..], &["--output", name]].concat());
        assert!(said.contains("a symbolic link") && said.contains("--overwrite"), "{said}");
        assert_eq!(desk.code(&[&AUDIT[..], &["--output", name, "--overwrite"]].concat()), 1);
        assert!(fs::symlink_metadata(desk.path(name)).unwrap().is_symlink());
    }
    let expected = desk.run(&AUDIT).stdout;
    for name in ["far/old", "far/none"] {
        assert_eq!(fs::read(desk.path(name)).unwrap(), expected);
    }
    refused(&desk, &[&AUDIT[..], &["--output", "circle", "--overwrite"]].concat());
    let said = refused(&desk, &[&AUDIT[..], &["--output", "into", "--overwrite"]].concat());
    assert!(said.contains("never written to"), "{said}");
}

/// F3.
#[test]
fn a_new_file_is_as_the_umask_says_and_a_replaced_one_as_it_was() {
    let desk = desk();
    let program = env!("CARGO_BIN_EXE_hivemend");
    let run = |script: &str| {
        let script = format!("run() {{ '{program}' audit evidence --quiet \"$@\"; }}; {script}; :");
        let output = Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    };
    let mode = |name: &str| fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o7777;
    run("umask 077; run --output a --patch pa --custody ca; umask 002; run --output b --patch pb --custody cb");
    assert_eq!(["a", "ca", "b", "cb"].map(mode), [0o600, 0o600, 0o664, 0o664]);
    for (folder, of_folder, of_file) in [("pa", 0o700, 0o600), ("pb", 0o775, 0o664)] {
        let id = format!("{folder}/{}", names(&desk.path(folder))[0]);
        assert_eq!((mode(folder), mode(&id), mode(&format!("{id}/plan.json"))), (of_folder, of_folder, of_file));
    }
    for kept in [0o640, 0o600, 0o666, 0o755] {
        fs::set_permissions(desk.path("a"), Permissions::from_mode(kept)).unwrap();
        fs::write(desk.path("b"), "").unwrap();
        let before = fs::metadata(desk.path("a")).unwrap().ino();
        run("umask 022; run --output a --overwrite");
        assert_eq!((mode("a"), fs::metadata(desk.path("a")).unwrap().ino() != before), (kept, true));
    }
}

#[test]
fn the_owner_of_a_replaced_file_is_kept_where_that_may_be() {
    let desk = desk();
    let script = "echo >out && chown 65534:65533 out && chmod 640 out || exit 127
                  \"$H\" audit evidence --output out --overwrite; stat -c '%u %g %a' out";
    let Some(said) = done(&desk, script) else { return };
    assert_eq!(said.trim(), "65534 65533 640");
}

/// Whoever may not write to a file does not replace it either, though the folder would let them.
#[test]
fn a_file_that_may_not_be_written_to_is_not_replaced() {
    let desk = desk();
    let script = "command -v setpriv >/dev/null || exit 127; mkdir out && echo old >out/x && chown -R 65534 out && chmod 444 out/x
                  chmod 755 . && setpriv --reuid 65534 --clear-groups \"$H\" audit evidence --output out/x --overwrite
                  echo $?; cat out/x; ls -A out";
    let Some(said) = done(&desk, script) else { return };
    // The program itself may be where only root gets to.
    let reached = said.contains("permission denied");
    assert!(said.starts_with(if reached { "2\nold\nx\n" } else { "126\nold\nx\n" }), "{said}");
}

/// F4.
#[test]
fn no_two_outputs_are_the_same() {
    let desk = desk();
    fs::create_dir(desk.path("out")).unwrap();
    fs::create_dir(desk.path("dir")).unwrap();
    fs::write(desk.path("one"), "one").unwrap();
    fs::hard_link(desk.path("one"), desk.path("two")).unwrap();
    symlink("out", desk.path("way")).unwrap();
    descriptors(&desk);
    assert!(crate::images::shell(&desk, "mkfifo pipe; cp -l pipe same"));
    for arguments in [
        &["--output", "x", "--custody", "x"][..],
        &["--output", "out/x", "--custody", "way/../out/./x"],
        &["--output", "out/x", "--custody", "way/x"],
        &["--output", "out/x", "--custody", "out/X"],
        &["--output", "one", "--custody", "two", "--overwrite"],
        &["--output", "pipe", "--custody", "same"],
        &["--output", "-", "--custody", "-"],
        &["--custody", "-"],
        &["--output", "stdout", "--custody", "-"],
        &["--output", "dir/x", "--patch", "dir"],
        &["--custody", "dir/sub/../x", "--patch", "dir"],
        &["--output", "new", "--patch", "new"],
        &["--output", "new", "--patch", "new/sub"],
        &["--output", "way/x", "--patch", "out"],
    ] {
        let said = refused(&desk, &[&["audit", "evidence"], arguments].concat());
        assert!(said.contains("the same as") || said.contains("folder of --patch"), "{arguments:?}: {said}");
    }
    // Stdout may be a file, too.
    let script = format!("'{}' audit evidence --custody one --overwrite >>one", env!("CARGO_BIN_EXE_hivemend"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).output().unwrap();
    assert_eq!((output.status.code(), fs::read(desk.path("one")).unwrap()), (Some(2), b"one".to_vec()));
}

/// F4: the evidence, which is not there, has not been looked for.
#[test]
fn a_bad_place_is_told_before_any_work() {
    let desk = desk();
    for (option, place) in [
        ("--output", "none/out"),
        ("--custody", "none/out"),
        ("--output", "p.reg/out"),
        ("--patch", "p.reg"),
        ("--patch", "p.reg/patch"),
    ] {
        let said = refused(&desk, &["audit", "nowhere", option, place]);
        assert!(said.contains(&format!("{option} {place}: expected ")), "{said}");
    }
    assert!(!contents(&desk.path("")).is_empty());
}

#[test]
fn a_folder_that_is_read_only_is_told_before_any_work_and_a_full_disk_leaves_nothing() {
    let desk = desk();
    let script = "mkdir ro full && mount -t tmpfs -o ro none ro && mount -t tmpfs -o size=8k none full || exit 127
                  for place in '--output ro/x' '--patch ro/x' '--custody ro/x'; do \"$H\" audit nowhere $place; echo $?; done
                  for place in '--output full/x --all' '--patch full/y' '--output full/x --all --overwrite'; do
                  \"$H\" audit evidence --format json $place >/dev/null; echo $?; done
                  ls -A ro full; umount ro full";
    let Some(said) = done(&desk, script) else { return };
    assert_eq!(said.matches("found").count(), 3, "{said}");
    assert_eq!(said.matches("cannot be written: No space left").count(), 3, "{said}");
    let codes: Vec<&str> = said.lines().take(6).collect();
    assert_eq!(codes, ["2"; 6], "{said}");
    assert!(!said.contains("part-") && !said.contains("\nx\n") && !said.contains("\ny\n"), "{said}");
}
