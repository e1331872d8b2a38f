//! Output never changes the evidence, replaces files only on request, and is written completely or not at all.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::command_line::{Desk, contents};
use crate::harness;

mod ends;
mod files;
mod patches;
pub(crate) mod protected;
mod streams;

/// One Windows that has a finding, and a `.reg` file.
fn desk() -> Desk {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    fs::write(desk.path("p.reg"), "Windows Registry Editor Version 5.00\r\n\r\n").unwrap();
    desk
}

/// Names as `/dev` has them, for what is open: `/dev` itself is nothing to try on as root.
fn descriptors(desk: &Desk) {
    for (name, leads_to) in [("fd", "/proc/self/fd"), ("stdout", "fd/1"), ("stderr", "/proc/self/fd/2")] {
        std::os::unix::fs::symlink(leads_to, desk.path(name)).unwrap();
    }
}

/// What a run that is refused says; nothing may have changed by it.
fn refused(desk: &Desk, arguments: &[&str]) -> String {
    let before = contents(&desk.path(""));
    let said = desk.complaint(2, arguments);
    assert!(contents(&desk.path("")) == before, "{arguments:?} changed something: {said}");
    said
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs a shell script in the desk's folder with mounts of its own, `$H` being the program; `None` where this may not
/// be done here, or a tool that it needs is missing.
fn apart(desk: &Desk, script: &str) -> Option<Output> {
    let run = |arguments: &[&str]| {
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c"]).args(arguments).current_dir(desk.path("")).env("PATH", path);
        command.env("H", env!("CARGO_BIN_EXE_hivemend")).output().ok()
    };
    let may = "mount -t tmpfs none evidence && mknod evidence/null c 1 3 && : >evidence/null";
    if !run(&[may]).is_some_and(|output| output.status.success()) {
        harness::lacks(harness::MOUNTING, "mounts of its own and devices are for root");
        return None;
    }
    let output = run(&[script]).unwrap();
    if output.status.code() == Some(127) {
        harness::lacks_some_program(script, &output.stderr);
        return None;
    }
    Some(output)
}

/// Runs such a script, which must come to its end; what it printed.
fn done(desk: &Desk, script: &str) -> Option<String> {
    let output = apart(desk, script)?;
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {:?}: {out}{said}", output.status);
    Some(format!("{out}{said}"))
}
