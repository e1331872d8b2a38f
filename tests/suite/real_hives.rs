//! Real hives, from the folder that `HIVEMEND_CORPUS` names; skipped without it. What must come out stands in the
//! corpus' own MANIFEST.md.

use std::path::PathBuf;

use hivemend::hive::{self, Hive};
use hivemend::registry::Role;

/// The corpus folder, unpacked, or `None` with a word about it.
fn corpus(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("HIVEMEND_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("{test}: skipped, HIVEMEND_CORPUS is not set");
    }
    folder
}

#[test]
fn roles_are_known_by_content() {
    let Some(corpus) = corpus("roles_are_known_by_content") else { return };
    for (path, role) in [
        ("xp-sp3-x86/software", Role::Software),
        ("xp-sp3-x86/system", Role::System),
        ("xp-sp3-x86-m57/SYSTEM", Role::System),
        ("win7-sp1-x86/SOFTWARE", Role::Software),
        ("win7-sp1-x86/SYSTEM", Role::System),
        ("win81-x64-dirty-no-logs/SOFTWARE", Role::Software),
        ("win81-x64-dirty-no-logs/SYSTEM", Role::System),
        ("win10-1709-x64-dirty-with-logs/SYSTEM", Role::System),
        ("ntuser-dirty-with-logs/NTUSER.DAT", Role::Ntuser),
        ("xp-damaged/SYSTEM", Role::System),
    ] {
        let hive = Hive::open(&corpus.join(path), true).unwrap().unwrap();
        assert_eq!(hive::role(&hive.tree()), Some(role), "{path}");
    }
}

#[test]
fn the_bits_service_of_windows_7_reads_as_other_readers_have_it() {
    let Some(corpus) = corpus("the_bits_service_of_windows_7_reads_as_other_readers_have_it") else { return };
    let hive = Hive::open(&corpus.join("win7-sp1-x86/SYSTEM"), true).unwrap().unwrap();
    let tree = hive.tree();
    let key = tree.key(r"controlset001\services\bits").unwrap().unwrap();
    assert_eq!(key.value("start").unwrap().unwrap().as_number(), Some(3));
    assert_eq!(key.value("DependOnService").unwrap().unwrap().as_list().unwrap(), ["RpcSs", "EventSystem"]);
    assert!(key.value("Group").unwrap().is_none());
    assert!(key.last_written().to_rfc3339().is_some());
    assert_eq!(tree.problems(), []);
}
