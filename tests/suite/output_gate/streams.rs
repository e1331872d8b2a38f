//! Output to devices and pipes.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::Command;

use super::{descriptors, desk, done, refused};
use crate::images::shell;

const AUDIT: [&str; 4] = ["audit", "evidence", "--format", "json"];

/// F2.
#[test]
fn a_pipe_and_a_link_to_one_get_what_stdout_gets() {
    let desk = desk();
    assert!(shell(&desk, "mkfifo pipe"));
    symlink("pipe", desk.path("link")).unwrap();
    let expected = desk.run(&AUDIT).stdout;
    assert!(!expected.is_empty());
    for name in ["pipe", "link"] {
        for more in [&[][..], &["--overwrite"]] {
            let mut child = desk.command(&[&AUDIT[..], &["--output", name], more].concat()).spawn().unwrap();
            let got = fs::read(desk.path("pipe")).unwrap();
            assert_eq!((child.wait().unwrap().code(), got == expected), (Some(1), true), "{name}");
        }
        assert!(fs::symlink_metadata(desk.path("pipe")).unwrap().file_type().is_fifo());
    }
    assert!(fs::symlink_metadata(desk.path("link")).unwrap().is_symlink());
}

/// F2.
#[test]
fn a_dash_and_the_names_of_descriptors_are_what_is_open() {
    let desk = desk();
    let expected = desk.run(&AUDIT).stdout;
    descriptors(&desk);
    symlink("stdout", desk.path("link")).unwrap();
    for name in ["-", "stdout", "fd/1", "/proc/self/fd/1", "link"] {
        let output = desk.run(&[&AUDIT[..], &["--output", name]].concat());
        assert_eq!((output.status.code(), output.stdout == expected), (Some(1), true), "{name}");
    }
    assert!(!desk.path("-").exists());
    let program = env!("CARGO_BIN_EXE_hivemend");
    let audit = format!("'{program}' audit evidence --format json");
    for (script, file) in [
        (format!("{audit} --output fd/5 5>five"), "five"),
        (format!("{audit} --output stderr 2>two"), "two"),
        (format!("{audit} --output - >one"), "one"),
        (format!("(printf 'before\\n'; {audit} --output stdout) >behind"), "behind"),
        (format!("{audit} --output fd/9 9>&1 | cat >piped"), "piped"),
    ] {
        Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).output().unwrap();
        let written = fs::read(desk.path(file)).unwrap();
        assert_eq!(written.strip_prefix(b"before\n").unwrap_or(&written), expected, "{script}");
    }
    // Text for pipes is in UTF-8, in a file as regedit writes it.
    let hive = "evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM";
    assert!(desk.run(&["show", hive, "Select", "--output", "-"]).stdout.starts_with(b"Windows Registry"));
    for name in ["fd/77", "fd/0"] {
        let mut command = desk.command(&["audit", "evidence", "--output", name]);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("something that can be written to"), "{said}");
    }
}

/// F2. On devices made for it alone, where nothing is lost should they be replaced.
#[test]
fn devices_are_written_into_and_stay_devices() {
    let desk = desk();
    let script = "mkdir dev && mount -t tmpfs none dev && mknod dev/null c 1 3 && mknod dev/full c 1 7 && mknod dev/loop b 7 99 \
         && ln -s null dev/link && ln -s loop dev/disk || exit 127
         run() { \"$H\" audit evidence \"$@\"; echo $?; }
         run --output dev/null --custody dev/null; run --output dev/link --overwrite; run --output dev/full
         run --output dev/loop; run --output dev/disk --overwrite
         stat -c '%n %t %T %F' dev/*; umount dev";
    let Some(said) = done(&desk, script) else { return };
    let lines: Vec<&str> = said.lines().collect();
    let stay = [
        "dev/disk 0 0 symbolic link",
        "dev/full 1 7 character special file",
        "dev/link 0 0 symbolic link",
        "dev/loop 7 63 block special file",
        "dev/null 1 3 character special file",
    ];
    assert_eq!((&lines[..5], &lines[5..10]), (&["1", "1", "2", "2", "2"][..], &stay[..]), "{said}");
    assert!(said.contains("dev/full: cannot be written: No space left"), "{said}");
    assert_eq!(said.matches("found a block device, which may hold a disk").count(), 2, "{said}");
}

#[test]
fn a_socket_and_a_folder_are_refused() {
    let desk = desk();
    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket")).unwrap();
    fs::create_dir(desk.path("folder")).unwrap();
    for (name, found) in
        [("socket", "found a socket"), ("folder", "found a folder"), ("folder/", "of a folder"), ("", "")]
    {
        let said = refused(&desk, &["audit", "evidence", "--output", name, "--overwrite"]);
        assert!(said.contains(found), "{name}: {said}");
    }
}

#[test]
fn a_pipe_whose_reader_has_gone_is_no_error() {
    let desk = desk();
    let hive = "evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM";
    assert!(shell(&desk, "mkfifo pipe"));
    let mut child = desk.command(&["show", hive, "-r", "--format", "json", "--output", "pipe"]).spawn().unwrap();
    drop(fs::File::open(desk.path("pipe")).unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Something else under the name of the pipe when it is to be opened: nothing is written to it.
#[test]
fn what_takes_the_place_of_a_pipe_is_not_written_to() {
    let desk = desk();
    assert!(shell(&desk, "mkfifo pipe slow"));
    for replace in ["rm pipe && cp -l p.reg pipe", "rm pipe && ln -s p.reg pipe"] {
        let arguments = ["audit", "evidence", "--password-file", "slow", "--output", "pipe"];
        let child = desk.command(&arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
        // Somebody opens it when the outputs have been checked.
        let password = fs::OpenOptions::new().write(true).open(desk.path("slow")).unwrap();
        let before = fs::read(desk.path("p.reg")).unwrap();
        assert!(shell(&desk, replace));
        drop(password);
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(2));
        assert_eq!(fs::read(desk.path("p.reg")).unwrap(), before);
        assert!(shell(&desk, "rm pipe && mkfifo pipe"));
    }
}
