//! Windows volumes, collections from them, and real hives.

use hivemend::discovery::discover;
use hivemend::evidence::directory;

use super::{Tree, hive, log, shown, software, system};
use crate::harness;

#[test]
fn a_mounted_volume_in_any_letter_case() {
    let tree = Tree::new();
    tree.file("WINDOWS/system32/config/software", software())
        .file("WINDOWS/system32/config/software.LOG", log())
        .file("WINDOWS/system32/config/system", system())
        .file("WINDOWS/system32/config/SYSTEM.LOG1", "")
        .file("WINDOWS/system32/config/system.Log2", "")
        .file("WINDOWS/system32/config/default", hive(&["Control Panel", "Software"]))
        .file("WINDOWS/system32/config/SAM", hive(&["SAM"]))
        .file("WINDOWS/system32/config/SysEvent.Evt", "\x30\0\0\0LfLe")
        .file("WINDOWS/system32/config/userdiff.LOG", log())
        .file("WINDOWS/system32/systeminfo.exe", "MZ")
        .file("Documents and Settings/a/NTUSER.DAT", hive(&["Control Panel", "Software"]));
    insta::assert_snapshot!(tree.discovered(), @"
    E/WINDOWS/system32/config: live, E-WINDOWS-system32-config
      SOFTWARE software [software.LOG]
      SYSTEM system [SYSTEM.LOG1] [system.Log2]
      SAM SAM
      DEFAULT default
    ");
    let whole = tree.discovered_in(&[""]);
    for evidence in ["WINDOWS", "WINDOWS/system32/config"] {
        assert_eq!(tree.discovered_in(&[evidence]), whole);
    }
}

#[test]
fn windows_2000_with_what_setup_and_people_left_beside_the_hives() {
    let tree = Tree::new();
    let config = "WINNT/System32/Config";
    for (name, bytes) in [
        ("SOFTWARE", software()),
        ("software.sav", software()),
        ("software.bak", software()),
        ("System", system()),
        ("SYSTEM.ALT", system()),
        ("system.sav", system()),
        ("system.bak", system()),
        ("default.sav", hive(&["Control Panel", "Software"])),
    ] {
        tree.file(&format!("{config}/{name}"), bytes);
    }
    tree.pair("WINNT/repair").pair("WINNT/repair/RegBack");
    insta::assert_snapshot!(tree.discovered(), @"
    E/WINNT/System32/Config: live, E-WINNT-System32-Config
      SOFTWARE SOFTWARE
      SYSTEM System
    E/WINNT/System32/Config: regback, E-WINNT-System32-Config-2
      SYSTEM SYSTEM.ALT
    E/WINNT/System32/Config: setup, E-WINNT-System32-Config-3
      SOFTWARE software.sav
      SYSTEM system.sav
      DEFAULT default.sav
    E/WINNT/System32/Config: copy, E-WINNT-System32-Config-4
      SOFTWARE software.bak
      SYSTEM system.bak
    E/WINNT/repair: repair, E-WINNT-repair
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/WINNT/repair/RegBack: repair, E-WINNT-repair-RegBack
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ");
}

#[test]
fn older_generations_of_one_volume() {
    let tree = Tree::new();
    tree.pair("Windows/System32/config")
        .pair("Windows/System32/config/RegBack")
        .pair("Windows.old/Windows/System32/config")
        .pair("WINDOWS/ERDNT/Hiv-backup")
        .pair("WINDOWS/erdnt/AutoBackup/1-2-2010")
        .pair("WINDOWS/Temp/hives");
    let snapshot = "System Volume Information/_restore{8B6B}/RP12/snapshot";
    tree.file(&format!("{snapshot}/_REGISTRY_MACHINE_SOFTWARE"), software())
        .file(&format!("{snapshot}/_REGISTRY_MACHINE_SYSTEM"), system())
        .file(&format!("{snapshot}/_REGISTRY_USER_.DEFAULT"), hive(&["Control Panel", "Software"]))
        .file(&format!("{snapshot}/_REGISTRY_USER_NTUSER_S-1-5-21"), hive(&["Control Panel", "Software"]));
    insta::assert_snapshot!(tree.discovered(), @"
    E/System Volume Information/_restore{8B6B}/RP12/snapshot: restore-point, E-System-Volume-Information-_restore-8B6B-RP12-snapshot
      SOFTWARE _REGISTRY_MACHINE_SOFTWARE
      SYSTEM _REGISTRY_MACHINE_SYSTEM
      DEFAULT _REGISTRY_USER_.DEFAULT
      NTUSER _REGISTRY_USER_NTUSER_S-1-5-21
    E/WINDOWS/ERDNT/Hiv-backup: copy, E-WINDOWS-ERDNT-Hiv-backup
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/WINDOWS/Temp/hives: copy, E-WINDOWS-Temp-hives
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/WINDOWS/erdnt/AutoBackup/1-2-2010: copy, E-WINDOWS-erdnt-AutoBackup-1-2-2010
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/Windows.old/Windows/System32/config: windows-old, E-Windows.old-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/Windows/System32/config: live, E-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/Windows/System32/config/RegBack: regback, E-Windows-System32-config-RegBack
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ");
}

#[test]
fn an_empty_regback_is_said_and_is_no_error() {
    let tree = Tree::new();
    tree.pair("Windows/System32/config");
    for name in ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM", "SYSTEM.LOG1"] {
        tree.file(&format!("Windows/System32/config/RegBack/{name}"), "");
    }
    insta::assert_snapshot!(tree.discovered(), @"
    E/Windows/System32/config: live, E-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/Windows/System32/config/RegBack: regback, E-Windows-System32-config-RegBack
      ! E/Windows/System32/config/RegBack: expected backups of the hives, found files of zero bytes: DEFAULT, SAM, SECURITY, SOFTWARE, SYSTEM; Windows 10 version 1803 and later leaves these files empty; this is normal
    ");
    insta::assert_snapshot!(tree.discovered_in(&["Windows/System32/config/RegBack"]), @"error: E/Windows/System32/config/RegBack: no SOFTWARE or SYSTEM hive was found here (6 files; E/Windows/System32/config/RegBack: expected backups of the hives, found files of zero bytes: DEFAULT, SAM, SECURITY, SOFTWARE, SYSTEM; Windows 10 version 1803 and later leaves these files empty; this is normal). Name a mounted Windows volume, a folder of copied hives, or a hive");
}

#[test]
fn collections_of_velociraptor() {
    let tree = Tree::new();
    let shadow = "uploads/ntfs/%5C%5C%3F%5CGLOBALROOT%5CDevice%5CHarddiskVolumeShadowCopy1";
    tree.file("uploads.json", "{}")
        .pair("uploads/auto/C%3A/Windows/System32/config")
        .pair("uploads/auto/D%3A/Windows/System32/config")
        .pair("uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/config")
        .pair(&format!("{shadow}/Windows/System32/config"));
    insta::assert_snapshot!(tree.discovered(), @"
    E/uploads/auto/C%3A/Windows/System32/config: live, E-uploads-auto-C-3A-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/uploads/auto/D%3A/Windows/System32/config: live, E-uploads-auto-D-3A-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/uploads/ntfs/%5C%5C%3F%5CGLOBALROOT%5CDevice%5CHarddiskVolumeShadowCopy1/Windows/System32/config: shadow-copy, ...
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/config: live, E-uploads-ntfs-5C-5C.-5CC-3A-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ");
}

#[test]
fn collections_of_kape_uac_and_acquire() {
    let tree = Tree::new();
    tree.pair("kape/C/Windows/System32/config")
        .file("kape/C/Users/a/NTUSER.DAT", hive(&["Control Panel", "Software"]))
        .file("uac/uac.log", "done")
        .pair("uac/[root]/Windows/System32/config")
        .pair("acquire/fs/C:/Windows/System32/config")
        .pair("acquire-old/sysvol/windows/system32/config");
    insta::assert_snapshot!(tree.discovered(), @"
    E/acquire-old/sysvol/windows/system32/config: live, E-acquire-old-sysvol-windows-system32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/acquire/fs/C:/Windows/System32/config: live, E-acquire-fs-C-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/kape/C/Windows/System32/config: live, E-kape-C-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/uac/[root]/Windows/System32/config: live, E-uac-root-Windows-System32-config
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    ");
}

/// See `real_hives.rs`.
#[test]
fn real_hives_are_found_by_what_is_in_them() {
    let Some(corpus) = harness::folder("HIVEMEND_CORPUS") else { return };
    let folders = [
        "ntuser-dirty-with-logs",
        "win10-1709-x64-dirty-with-logs",
        "win7-sp1-x86",
        "xp-damaged",
        "xp-sp3-x86",
        "yarp-set/OldDirtyHive",
    ];
    let discovery = discover(&folders.map(|folder| corpus.join(folder)), true).unwrap();
    // The ids hold the way to the corpus: shown without them.
    let text = shown(&discovery).replace(&directory::locator(&corpus), "E");
    let text: Vec<&str> = text.lines().map(|line| line.split_once(", ").map_or(line, |(before, _)| before)).collect();
    insta::assert_snapshot!(text.join("\n"), @"
    E/ntuser-dirty-with-logs: copy
      NTUSER NTUSER.DAT [NTUSER.DAT.LOG1] [NTUSER.DAT.LOG2]
    E/win10-1709-x64-dirty-with-logs: copy
      SYSTEM SYSTEM [SYSTEM.LOG1] [SYSTEM.LOG2]
    E/win7-sp1-x86: copy
      SOFTWARE SOFTWARE
      SYSTEM SYSTEM
    E/xp-damaged: copy
      SYSTEM SYSTEM
    E/xp-sp3-x86: copy
      SOFTWARE software
      SYSTEM system
    E/yarp-set/OldDirtyHive: copy
      unknown OldDirtyHive [OldDirtyHive.LOG1]
      unknown RecoveredHive_Windows7
    ");
}
