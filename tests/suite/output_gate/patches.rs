//! The folder of patches.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{desk, names, refused};
use crate::command_line::{Desk, contents};

const AUDIT: [&str; 4] = ["audit", "evidence", "--patch", "patch"];

fn overwrite(desk: &Desk) -> Option<i32> {
    desk.run(&[&AUDIT[..], &["--overwrite"]].concat()).status.code()
}

/// The one folder in the folder of patches.
fn inner(desk: &Desk) -> String {
    let [name] = names(&desk.path("patch")).try_into().unwrap();
    format!("patch/{name}")
}

#[test]
fn a_folder_of_ours_is_replaced_with_what_is_stale_in_it() {
    let desk = desk();
    assert_eq!(desk.code(&AUDIT), 1);
    let inner = inner(&desk);
    let bytes = || contents(&desk.path(&inner)).into_iter().map(|(path, bytes, _)| (path, bytes)).collect::<Vec<_>>();
    let expected = bytes();
    let said = refused(&desk, &AUDIT);
    assert!(said.contains("an existing folder"), "{said}");
    assert!(said.contains("--overwrite"), "{said}");
    for stale in ["SOFTWARE.reg", "SOFTWARE.rollback.reg", "patch.reg", "rollback.reg", "IMPORT.txt", "plan.json"] {
        fs::write(desk.path(&format!("{inner}/{stale}")), "old").unwrap();
    }
    fs::set_permissions(desk.path(&inner), fs::Permissions::from_mode(0o750)).unwrap();
    fs::write(desk.path("patch/other"), "of somebody else").unwrap();
    assert_eq!(overwrite(&desk), Some(1));
    assert_eq!(bytes(), expected);
    assert_eq!(fs::metadata(desk.path(&inner)).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(names(&desk.path("patch")), [inner.trim_start_matches("patch/"), "other"]);
}

#[test]
fn a_folder_with_strangers_is_refused_before_the_first_byte() {
    let desk = desk();
    assert_eq!(desk.code(&AUDIT), 1);
    let inner = inner(&desk);
    let put = |name: &str, bytes: &str| fs::write(desk.path(&format!("{inner}/{name}")), bytes).unwrap();
    let check = |found: &str| {
        let arguments = [&AUDIT[..], &["--overwrite", "--output", "report", "--custody", "custody"]].concat();
        let said = refused(&desk, &arguments);
        assert!(said.contains(found), "{said}");
        assert!(!desk.path("report").exists() && !desk.path("custody").exists());
    };
    put("notes.txt", "mine");
    check("notes.txt, which is not a file of a patch");
    fs::remove_file(desk.path(&format!("{inner}/notes.txt"))).unwrap();
    put("SOFTWARE.reg", "regf");
    check("a registry hive");
    fs::remove_file(desk.path(&format!("{inner}/SOFTWARE.reg"))).unwrap();
    let system = desk.path("evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM");
    fs::remove_file(desk.path(&format!("{inner}/IMPORT.txt"))).unwrap();
    fs::hard_link(system, desk.path(&format!("{inner}/IMPORT.txt"))).unwrap();
    check("which is read in this run");
    fs::remove_file(desk.path(&format!("{inner}/IMPORT.txt"))).unwrap();
    symlink("../../p.reg", desk.path(&format!("{inner}/patch.reg"))).unwrap();
    check("a symbolic link");
    fs::remove_dir_all(desk.path(&inner)).unwrap();
    symlink("../evidence", desk.path(&inner)).unwrap();
    check("something that exists already");
    fs::remove_file(desk.path(&inner)).unwrap();
    assert_eq!(overwrite(&desk), Some(1));
}

/// Of several installations one cannot be written: nothing is.
#[test]
fn one_folder_that_is_in_the_way_keeps_all_from_being_written() {
    let desk = Desk::with(&["windows-7-bits-disabled", "windows-xp-senslogn-shutdown-wrong"]);
    assert_eq!(desk.code(&AUDIT), 1);
    let all = names(&desk.path("patch"));
    assert_eq!(all.len(), 2);
    for gone in &all {
        fs::remove_dir_all(desk.path("patch").join(gone)).unwrap();
        let said = refused(&desk, &AUDIT);
        assert!(said.contains("an existing folder"), "{said}");
        assert_eq!(overwrite(&desk), Some(1));
        assert_eq!(names(&desk.path("patch")), all);
    }
}

#[test]
fn what_was_made_for_a_patch_that_failed_is_removed() {
    let desk = desk();
    let script = "mkdir full && mount -t tmpfs -o size=8k none full || exit 127
                  \"$H\" audit evidence --patch full/a/b/c >/dev/null 2>&1; echo $?; ls -A full; umount full";
    let Some(said) = super::done(&desk, script) else { return };
    assert_eq!(said, "2\n");
    assert_eq!(desk.code(&["audit", "evidence", "--patch", "a/b/c"]), 1);
    assert_eq!(names(&desk.path("a/b/c")).len(), 1);
}
