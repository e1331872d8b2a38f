//! Files that are not hives, or are no longer valid ones.

use std::fs;

use hivemend::discovery::discover;
use hivemend::error::Error;

use super::{Tree, hive, log, software, system};
use crate::builder::{Hive, units};

#[test]
fn what_is_no_hive_is_named_with_what_it_is() {
    let tree = Tree::new();
    tree.file("notes.txt", "SYSTEM: see exhibit 4\n").file("case.zip", "PK\x03\x04").file("x/SYSTEM.LOG1", log());
    fs::create_dir(tree.path("empty")).unwrap();
    insta::assert_snapshot!(tree.discovered_in(&["notes.txt"]), @"error: E/notes.txt: no SOFTWARE or SYSTEM hive was found here (E/notes.txt: expected a hive (regf), found a text file). Name a mounted Windows volume, a folder of copied hives, or a hive");
    insta::assert_snapshot!(tree.discovered_in(&["case.zip"]), @"error: E/case.zip: no SOFTWARE or SYSTEM hive was found here (E/case.zip: expected a zip file that can be read, found it has no end record: the archive is truncated; copy the archive again, or rebuild it: zip -FF IN.zip --out OUT.zip). Name a mounted Windows volume, a folder of copied hives, or a hive");
    insta::assert_snapshot!(tree.discovered_in(&["x/SYSTEM.LOG1"]), @"error: E/x/SYSTEM.LOG1: no SOFTWARE or SYSTEM hive was found here (E/x/SYSTEM.LOG1: expected a hive (regf), found a transaction log; name the hive that it belongs to). Name a mounted Windows volume, a folder of copied hives, or a hive");
    insta::assert_snapshot!(tree.discovered_in(&["empty"]), @"error: E/empty: no SOFTWARE or SYSTEM hive was found here (the folder is empty). Name a mounted Windows volume, a folder of copied hives, or a hive");
    insta::assert_snapshot!(tree.discovered_in(&["missing"]), @"error: E/missing: cannot be read: No such file or directory (os error 2). Check the spelling; letter case matters here");
    insta::assert_snapshot!(tree.discovered_in(&["missing", "gone"]), @"error: E/missing, E/gone: no SOFTWARE or SYSTEM hive was found here (E/gone: expected evidence that can be read, found nothing of that name; check the spelling; letter case matters here; E/missing: expected evidence that can be read, found nothing of that name; check the spelling; letter case matters here). Name a mounted Windows volume, a folder of copied hives, or a hive");
    insta::assert_snapshot!(tree.discovered(), @"error: E: no SOFTWARE or SYSTEM hive was found here (3 files; E/case.zip: expected a zip file that can be read, found it has no end record: the archive is truncated; copy the archive again, or rebuild it: zip -FF IN.zip --out OUT.zip; E: skipped: transaction log without a hive beside it (1)). Name a mounted Windows volume, a folder of copied hives, or a hive");
}

#[test]
fn one_missing_input_does_not_stop_the_others() {
    let tree = Tree::new();
    tree.pair("a");
    insta::assert_snapshot!(tree.discovered_in(&["missing", "a"]), @"
    E/a: copy, E-a
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ! E/missing: expected evidence that can be read, found nothing of that name; check the spelling; letter case matters here
    ");
}

#[test]
fn empty_truncated_and_damaged_hives_are_said() {
    let tree = Tree::new();
    let mut rootless = system();
    rootless[4096..].fill(0);
    let mut loaded = Hive::new("ROOT");
    loaded.file_name = units(r"emRoot\System32\Config\SOFTWARE");
    let mut nameless = loaded.to_bytes();
    nameless[4096..].fill(0);
    tree.file("1/SOFTWARE", software())
        .file("1/SYSTEM", "")
        .file("2/SOFTWARE", software())
        .file("2/SYSTEM", &system()[..4096])
        .file("3/SOFTWARE", software())
        .file("3/SYSTEM", "<html>")
        .file("4/exhibit", nameless)
        .file("4/SYSTEM", rootless)
        .file("5/SOFTWARE", hive(&["Something"]))
        .file("5/SYSTEM", hive(&["SAM"]))
        .file("6/SYSTEM", &system()[..100])
        .file("6/operating-system", "Linux");
    insta::assert_snapshot!(tree.discovered(), @"
    E/1: copy, E-1
      SOFTWARE SOFTWARE
    E/2: copy, E-2
      SOFTWARE SOFTWARE
    E/3: copy, E-3
      SOFTWARE SOFTWARE
    E/4: copy, E-4
      SOFTWARE exhibit
      SYSTEM SYSTEM
      ! E/4/SYSTEM: expected root keys that identify the hive, found damage; recognised as SYSTEM by its file name
      ! E/4/exhibit: expected root keys that identify the hive, found damage; recognised as SOFTWARE by the name in its base block
    E/5: copy, E-5
      unknown SOFTWARE
      SAM SYSTEM
      ! E/5/SOFTWARE: expected the keys of a SOFTWARE hive, as its name says, found the keys of an unknown hive
      ! E/5/SYSTEM: expected the keys of a SYSTEM hive, as its name says, found the keys of SAM
    ! E/1/SYSTEM: expected a hive (regf), found an empty file; copy it again
    ! E/2/SYSTEM: at 0x1000: expected hive bins behind the base block, found the end of the file, at 4096 bytes; copy the hive again
    ! E/3/SYSTEM: expected a hive (regf), found a text file
    ! E/6/SYSTEM: expected a hive (regf), found the first bytes of a hive: the file is truncated; copy it again
    ");
}

#[test]
fn no_hive_is_an_error_of_its_own() {
    let tree = Tree::new();
    assert!(matches!(discover(&[tree.path("")], true), Err(Error::NoHive { .. })));
    assert!(matches!(discover(&[tree.path("x")], true), Err(Error::Read { .. })));
    assert!(matches!(discover(&[], true), Err(Error::NoHive { .. })));
}
