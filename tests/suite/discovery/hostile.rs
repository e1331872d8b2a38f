//! Links, pipes, names, and permissions that are obstacles, and order, which is not one.

use std::fs;

use hivemend::discovery::discover;

use super::{Tree, log, software, system};
use crate::harness;

#[cfg(unix)]
#[test]
fn links_are_not_followed_out_of_the_tree() {
    use std::os::unix::fs::symlink;
    let tree = Tree::new();
    tree.pair("outside").pair("case/a");
    symlink(tree.path("outside"), tree.path("case/b")).unwrap();
    symlink(tree.path("outside/SYSTEM"), tree.path("case/a/SYSTEM2")).unwrap();
    symlink(tree.path(""), tree.path("case/loop")).unwrap();
    symlink(tree.path("case"), tree.path("link")).unwrap();
    symlink(tree.path("outside/SYSTEM"), tree.path("system")).unwrap();
    insta::assert_snapshot!(tree.discovered_in(&["case"]), @"
    E/case/a: copy, E-case-a
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ! E/case/b: expected a file or a folder, found a link, which was not followed; name the target of the link, if it is evidence
    ! E/case/loop: expected a file or a folder, found a link, which was not followed; name the target of the link, if it is evidence
    ! E/case/a/SYSTEM2: expected a file or a folder, found a link, which was not followed; name the target of the link, if it is evidence
    ");
    // The argument itself may be a link: the user typed it.
    insta::assert_snapshot!(tree.discovered_in(&["link"]), @"
    E/link/a: copy, E-link-a
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ! E/link/b: expected a file or a folder, found a link, which was not followed; name the target of the link, if it is evidence
    ! E/link/loop: expected a file or a folder, found a link, which was not followed; name the target of the link, if it is evidence
    ! E/link/a/SYSTEM2: expected a file or a folder, found a link, which was not followed; name the target of the link, if it is evidence
    ");
    insta::assert_snapshot!(tree.discovered_in(&["system"]), @"
    E/system: copy, E-system
      SYSTEM
    ");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let tree = Tree::new();
    tree.pair("a");
    let made = std::process::Command::new("mkfifo").args([tree.path("a/SOFTWARE.bak"), tree.path("pipe")]).status();
    if !made.is_ok_and(|status| status.success()) {
        harness::lacks_program("mkfifo");
        return;
    }
    insta::assert_snapshot!(tree.discovered_in(&["a", "pipe"]), @"
    E/a: copy, E-a
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ! E/a/SOFTWARE.bak: expected a regular file, found a device, a pipe, or a member of a type that is not read
    ! E/pipe: expected a folder or a file, found a device, a pipe or a socket; mount the volume read-only and name its folder, or copy its output to a file
    ");
}

#[cfg(unix)]
#[test]
fn hostile_names_are_shown_on_one_line_and_can_be_opened() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let tree = Tree::new();
    let folder = tree.path("").join(OsStr::from_bytes(b"ca\nse\xff\x1b[2J"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"\xe9-SYSTEM")), system()).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"\xe9-SYSTEM.LOG")), log()).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"\xe9-SOFTWARE")), software()).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"\xe8-SOFTWARE")), software()).unwrap();
    insta::assert_snapshot!(tree.discovered(), @r#"
    E/ca\nse\xff\x1b[2J: copy, E-ca-nse-xff-x1b-2J
      SOFTWARE \xe9-SOFTWARE
      SYSTEM \xe9-SYSTEM [\xe9-SYSTEM.LOG]
    E/ca\nse\xff\x1b[2J/\xe8-SOFTWARE: copy, E-ca-nse-xff-x1b-2J-xe8-SOFTWARE
      SOFTWARE
    "#);
    let discovery = discover(&[tree.path("")], true).unwrap();
    assert!(discovery.installations[0].hives.iter().all(|hive| hive.file.path.is_file()));
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_said_and_the_others_go_on() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new();
    tree.pair("a").pair("b").pair("c");
    let forbid = |path: &str, mode| fs::set_permissions(tree.path(path), fs::Permissions::from_mode(mode)).unwrap();
    forbid("b", 0);
    forbid("c/SYSTEM", 0);
    if fs::read_dir(tree.path("b")).is_ok() {
        harness::lacks(harness::UNPRIVILEGED, "root reads everything");
        return;
    }
    let discovered = tree.discovered();
    forbid("b", 0o700);
    insta::assert_snapshot!(discovered, @"
    E/a: copy, E-a
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/c: copy, E-c
      SOFTWARE SOFTWARE
      ! E/c/SYSTEM: expected a hive (regf), found permission denied; run hivemend as a user who may read it, or copy the hives to a place that you may read
    ! E/b: expected a folder that can be read, found permission denied; run hivemend as a user who may read it, or copy the hives to a place that you may read
    ");
}

#[test]
fn what_is_found_does_not_depend_on_the_order_of_files_or_arguments() {
    let (one, other) = (Tree::new(), Tree::new());
    let folders = ["c/Windows/System32/config", "a", "b/x", "c/Windows/System32/config/RegBack"];
    for folder in folders {
        one.pair(folder);
    }
    for folder in folders.iter().rev() {
        let system_first = format!("{folder}/SYSTEM");
        other.file(&system_first, system()).file(&format!("{folder}/SOFTWARE"), software());
    }
    assert_eq!(one.discovered(), other.discovered());
    // Arguments come in the order in which they were given.
    assert_eq!(one.discovered_in(&["c", "a", "b"]), other.discovered_in(&["c", "a", "b"]));
    assert!(one.discovered_in(&["c", "a"]).find("E/c") < one.discovered_in(&["c", "a"]).find("E/a"));
}

#[test]
fn a_big_folder_is_looked_into_whatever_the_names_are() {
    let tree = Tree::new();
    for number in 0..=1_000 {
        tree.file(&format!("f{number}"), "");
    }
    tree.file("exhibit", system()).file("SOFTWARE.hiv", software());
    insta::assert_snapshot!(tree.discovered(), @"
    E: copy, E
      SOFTWARE SOFTWARE.hiv
      SYSTEM exhibit
    ");
}
