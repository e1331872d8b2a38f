//! Which hives belong together.

use super::{Tree, hive, log, software, system};

#[test]
fn copied_hives_under_the_names_that_people_give_them() {
    let tree = Tree::new();
    tree.file("1/SOFTWARE.hiv", software())
        .file("1/software.LOG1", log())
        .file("1/system.bak", system())
        .file("2/software.sav", software())
        .file("2/system.sav", system())
        .file("3/_REGISTRY_MACHINE_SOFTWARE", software())
        .file("3/_REGISTRY_MACHINE_SYSTEM", system())
        .file("4/exhibit-17.bin", software())
        .file("4/exhibit-18.bin", system())
        .file("4/NTUSER.DAT", hive(&["Control Panel", "Software"]))
        .file("5/UsrClass.dat", hive(&["Local Settings"]))
        .file("6/SOFTWARE", software())
        .file("6/software.sav", software());
    insta::assert_snapshot!(tree.discovered(), @"
    E/1: copy, E-1
      SOFTWARE SOFTWARE.hiv [software.LOG1]
      SYSTEM system.bak
      ! E/1: expected a SOFTWARE and a SYSTEM hive whose names fit, found SOFTWARE.hiv and system.bak, treated as one installation because there are no others; if they are of two machines, name each on its own
    E/2: copy, E-2
      SOFTWARE software.sav
      SYSTEM system.sav
    E/3: copy, E-3
      SOFTWARE _REGISTRY_MACHINE_SOFTWARE
      SYSTEM _REGISTRY_MACHINE_SYSTEM
    E/4: copy, E-4
      SOFTWARE exhibit-17.bin
      SYSTEM exhibit-18.bin
      NTUSER NTUSER.DAT
    E/5: copy, E-5
      USRCLASS UsrClass.dat
    E/6: setup, E-6
      SOFTWARE software.sav
    E/6: copy, E-6-2
      SOFTWARE SOFTWARE
    ");
}

#[test]
fn many_cases_in_one_folder_pair_by_name() {
    let tree = Tree::new();
    for case in ["case41-", "case42-", "b_"] {
        tree.file(&format!("{case}SOFTWARE"), software()).file(&format!("{case}system"), system());
    }
    tree.file("case42-SAM", hive(&["SAM"]))
        .file("case43-SAM", hive(&["SAM"]))
        .file("case50-SOFTWARE", software())
        .file("case51-SYSTEM", system());
    insta::assert_snapshot!(tree.discovered(), @"
    E: copy, E
      SOFTWARE b_SOFTWARE
      SYSTEM b_system
    E: copy, E-2
      SOFTWARE case41-SOFTWARE
      SYSTEM case41-system
    E: copy, E-3
      SOFTWARE case42-SOFTWARE
      SYSTEM case42-system
      SAM case42-SAM
    E/case43-SAM: copy, E-case43-SAM
      SAM
    E/case50-SOFTWARE: copy, E-case50-SOFTWARE
      SOFTWARE
      ! E: expected one SOFTWARE and one SYSTEM hive, or names that show which hives belong together, found SOFTWARE in case50-SOFTWARE; SYSTEM in case51-SYSTEM; name the two hives that belong together, or put each pair in a folder of its own
    E/case51-SYSTEM: copy, E-case51-SYSTEM
      SYSTEM
      ! E: expected one SOFTWARE and one SYSTEM hive, or names that show which hives belong together, found SOFTWARE in case50-SOFTWARE; SYSTEM in case51-SYSTEM; name the two hives that belong together, or put each pair in a folder of its own
    ");
}

#[test]
fn pairs_that_cannot_be_told_apart_stay_single() {
    let tree = Tree::new();
    tree.file("a", software()).file("b", software()).file("c", system()).file("d", system());
    insta::assert_snapshot!(tree.discovered(), @"
    E/a: copy, E-a
      SOFTWARE
      ! E: expected one SOFTWARE and one SYSTEM hive, or names that show which hives belong together, found SOFTWARE in a, b; SYSTEM in c, d; name the two hives that belong together, or put each pair in a folder of its own
    E/b: copy, E-b
      SOFTWARE
      ! E: expected one SOFTWARE and one SYSTEM hive, or names that show which hives belong together, found SOFTWARE in a, b; SYSTEM in c, d; name the two hives that belong together, or put each pair in a folder of its own
    E/c: copy, E-c
      SYSTEM
      ! E: expected one SOFTWARE and one SYSTEM hive, or names that show which hives belong together, found SOFTWARE in a, b; SYSTEM in c, d; name the two hives that belong together, or put each pair in a folder of its own
    E/d: copy, E-d
      SYSTEM
      ! E: expected one SOFTWARE and one SYSTEM hive, or names that show which hives belong together, found SOFTWARE in a, b; SYSTEM in c, d; name the two hives that belong together, or put each pair in a folder of its own
    ");
    // What the advice says helps.
    insta::assert_snapshot!(tree.discovered_in(&["a", "d"]), @"
    E: copy, E
      SOFTWARE a
      SYSTEM d
    ");
}

#[test]
fn one_pair_whose_names_do_not_fit_is_said() {
    let tree = Tree::new();
    tree.file("case41-SOFTWARE", software()).file("case42-SYSTEM", system());
    insta::assert_snapshot!(tree.discovered(), @"
    E: copy, E
      SOFTWARE case41-SOFTWARE
      SYSTEM case42-SYSTEM
      ! E: expected a SOFTWARE and a SYSTEM hive whose names fit, found case41-SOFTWARE and case42-SYSTEM, treated as one installation because there are no others; if they are of two machines, name each on its own
    ");
}

#[test]
fn named_hives_pair_within_their_folder() {
    let tree = Tree::new();
    tree.pair("a").file("a/SYSTEM.LOG1", log()).pair("b").file("b/notes.txt", "Dear all").pair("c/system32/config");
    insta::assert_snapshot!(tree.discovered_in(&["a/SYSTEM", "b/SOFTWARE", "a/SOFTWARE"]), @"
    E/a: copy, E-a
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM [SYSTEM.LOG1]
    E/b/SOFTWARE: copy, E-b-SOFTWARE
      SOFTWARE
    ");
    insta::assert_snapshot!(tree.discovered_in(&["a/SYSTEM"]), @"
    E/a/SYSTEM: copy, E-a-SYSTEM
      SYSTEM [SYSTEM.LOG1]
    ");
    insta::assert_snapshot!(tree.discovered_in(&["a/SYSTEM.LOG1", "b/notes.txt", "a/SYSTEM"]), @"
    E/a/SYSTEM: copy, E-a-SYSTEM
      SYSTEM [SYSTEM.LOG1]
    ! E/b/notes.txt: expected a hive (regf), found a text file
    ");
    insta::assert_snapshot!(tree.discovered_in(&["c/system32/config/SYSTEM"]), @"
    E/c/system32/config/SYSTEM: copy, E-c-system32-config-SYSTEM
      SYSTEM
    ");
}

#[test]
fn what_two_arguments_reach_is_found_once() {
    let tree = Tree::new();
    tree.pair("a/b").pair("a/c");
    let once = tree.discovered_in(&["a"]);
    assert_eq!(tree.discovered_in(&["a/b/SYSTEM", "a/c", "a", "a/b", "a"]), once);
    assert_eq!(tree.discovered_in(&["a/b/SYSTEM", "a/b/SYSTEM"]), tree.discovered_in(&["a/b/SYSTEM"]));
}
