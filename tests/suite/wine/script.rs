//! `winre.cmd`, run by Wine's cmd with a recorded reg, because Wine's own does not support hives. The recorded answers
//! were printed by Wine's reg, for the original hive and for the hive after Wine's regedit.

use std::fs;
use std::path::Path;

use hivemend::examination::Options;
use hivemend::finding::ObservedDatum;
use hivemend::handover::{Marks, write_script};
use hivemend::reg_file::Dialect;
use hivemend::registry::{DataType, RegistryValue};
use hivemend::remediation::{Selection, remedy};

use super::prefix::{Wine, wine};
use super::recorded::{Answers, Desk, answers};
use super::wine_stores;
use crate::cases::examine_folder;
use crate::fixture::ROLES;
use crate::handover::Handed;
use crate::values::{ours, sayable, text_of};

const CASE: &str = "windows-7-bits-parameters-read-only";
/// A case with its script, and what reg prints before and after.
fn case<'w>(wine: &'w Wine, name: &str) -> Desk<'w> {
    let handed = Handed::new(name, &["--script", "winre"]);
    let patch = handed.patch();
    // Keys of an earlier case are not to be found.
    for role in ROLES {
        _ = wine.line(&format!(r"reg delete HKLM\hivemend-{role} /f"));
        let mut values = ours(&handed.hive(role), &format!(r"HKEY_LOCAL_MACHINE\hivemend-{role}"), &[""]);
        values = sayable(values, Dialect::Regedit5);
        values.retain(|_, (data_type, bytes)| wine_stores(*data_type, bytes).is_some());
        wine.import(&text_of(&values, Dialect::Regedit5));
    }
    let before = answers(wine, &patch);
    for role in ROLES {
        if let Ok(text) = fs::read(patch.join(format!("winre-{role}.reg"))) {
            wine.import(&text);
        }
    }
    let after = answers(wine, &patch);
    let script = fs::read_to_string(patch.join("winre.cmd")).unwrap();
    Desk::new(wine, &script, &patch, &before, &after)
}

/// A folder that looks like the drive of an offline Windows.
fn windows() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("Windows/System32/config");
    fs::create_dir_all(&config).unwrap();
    for role in ROLES {
        fs::write(config.join(role), "").unwrap();
    }
    folder
}

const LOADS: [&str; 2] = ["load hivemend-SOFTWARE", "load hivemend-SYSTEM"];
const SAVES: [&str; 2] = ["save hivemend-SOFTWARE", "save hivemend-SYSTEM"];
const IMPORT: [&str; 1] = ["import winre-SYSTEM.reg"];
const ROLLBACK: [&str; 1] = ["import winre-SYSTEM.rollback.reg"];
const RESTORES: [&str; 2] = ["restore hivemend-SOFTWARE", "restore hivemend-SYSTEM"];
const UNLOADS: [&str; 2] = ["unload hivemend-SOFTWARE", "unload hivemend-SYSTEM"];

#[test]
fn the_good_way() {
    let Some(wine) = wine() else { return };
    let drive = windows();
    wine.drive('d', Some(drive.path()));
    // Numbers, paths, lists, values that are added and deleted, keys that are made.
    for name in [
        CASE,
        "windows-xp-senslogn-missing",
        "windows-xp-senslogn-extra-value",
        "windows-7-svchost-lacks-bits",
        "windows-7-failure-command-added",
        "windows-10-dependency-missing",
    ] {
        let desk = case(&wine, name);
        let said = desk.run(&[]).unwrap_or_else(|said| panic!("{name}: {said}"));
        assert!(said.contains("Done.") && !said.contains("STOPPED"), "{name}: {said}");
        let log = desk.log();
        assert!(log.starts_with(&LOADS.map(str::to_owned)) && log.ends_with(&UNLOADS.map(str::to_owned)), "{log:?}");
        if name == CASE {
            assert_eq!(log, [&LOADS[..], &SAVES, &IMPORT, &UNLOADS].concat());
            assert!(["SOFTWARE.saved", "SYSTEM.saved"].iter().all(|file| desk.folder.path().join(file).exists()));
            // A second run would overwrite what was saved.
            assert!(desk.run(&[]).unwrap_err().contains("exists already"));
        }
    }
    wine.drive('d', None);
}

/// What goes wrong, what is said then, and what is done about it.
#[test]
fn it_stops_at_the_first_surprise_and_takes_back_what_it_did() {
    let Some(wine) = wine() else { return };
    let (drive, other) = (windows(), windows());
    let first = case(&wine, CASE);
    let again = || {
        let desk = Desk { wine: &wine, folder: tempfile::tempdir().unwrap(), table: first.table.clone() };
        copy(first.folder.path(), desk.folder.path());
        let script = fs::read_to_string(desk.folder.path().join("winre.cmd")).unwrap();
        let name = |folder: &Path| super::prefix::as_windows_says(folder);
        let script = script.replace(&name(first.folder.path()), &name(desk.folder.path()));
        fs::write(desk.folder.path().join("winre.cmd"), script).unwrap();
        desk
    };
    let stops = |desk: &Desk<'_>, arguments: &[&str], told: &[&str], done: &[&[&str]]| {
        let said = desk.run(arguments).unwrap_err();
        assert!(said.contains("exit status: 1"), "{said}");
        for told in told {
            assert!(said.contains(told), "{told:?} is not in: {said}");
        }
        assert_eq!(desk.log(), done.concat(), "{said}");
    };

    stops(&again(), &[], &["STOPPED: no offline Windows was found on any drive", "Nothing was changed."], &[]);
    wine.drive('d', Some(drive.path()));
    stops(&again(), &["C:"], &["STOPPED: no offline Windows was found on the drive that was named"], &[]);
    wine.drive('e', Some(other.path()));
    stops(&again(), &[], &["STOPPED: more than one Windows was found", "D: E:"], &[]);
    let named = again();
    let said = named.run(&["E:"]).unwrap();
    assert!(said.contains(r"E:\Windows\System32\config") && said.contains("Done."), "{said}");
    wine.drive('e', None);

    for (name, line) in [
        ("ProductName", "    ProductName    REG_SZ    Windows 7 Home Premium"),
        ("CurrentVersion", "    CurrentVersion    REG_SZ    6.3"),
        ("CurrentBuildNumber", "    CurrentBuildNumber    REG_SZ    7600"),
        ("Current", "    Current    REG_DWORD    0x2"),
        ("ComputerName", "    ComputerName    REG_SZ    OTHER-PC"),
    ] {
        let desk = again();
        desk.alter("before", name, line);
        let why = "STOPPED: this is not the Windows that the patch is for";
        stops(&desk, &[], &[why, line.trim(), "Nothing was changed."], &[&LOADS, &UNLOADS]);
    }
    let desk = again();
    desk.alter("before", "Start", "    Start    REG_DWORD    0x2");
    let why = "STOPPED: a value is not as it was when the patch was written";
    stops(&desk, &[], &[why, "expected:    Start    REG_DWORD    0x4"], &[&LOADS, &UNLOADS]);

    let failing = |files: &[&str]| {
        let desk = again();
        for file in files {
            fs::write(desk.stub(file), "").unwrap();
        }
        desk
    };
    stops(&failing(&["fail-load"]), &[], &["STOPPED: the SOFTWARE hive cannot be loaded"], &[&LOADS[..1]]);
    stops(&failing(&["fail-save"]), &[], &["the SOFTWARE hive cannot be saved"], &[&LOADS, &SAVES[..1], &UNLOADS]);
    let taken_back = "Every value is as it was before.";
    stops(
        &failing(&["fail-once-import"]),
        &[],
        &["STOPPED: reg could not import the patch", taken_back],
        &[&LOADS, &SAVES, &IMPORT, &ROLLBACK, &UNLOADS],
    );
    // Every import fails, that of the rollback too.
    stops(
        &failing(&["fail-import"]),
        &[],
        &["STOPPED: reg could not import the patch", "Restore the saved hives.", taken_back],
        &[&LOADS, &SAVES, &IMPORT, &ROLLBACK, &RESTORES, &UNLOADS],
    );
    let why = "STOPPED: a value is not what the patch says after the import";
    let odd = |files: &[&str]| {
        let desk = failing(files);
        desk.alter("after", "ServiceDll", r"    ServiceDll    REG_EXPAND_SZ    C:\ProgramData\qmgr.dll");
        desk
    };
    let until = [&LOADS[..], &SAVES, &IMPORT, &ROLLBACK].concat();
    stops(&odd(&[]), &[], &[why, taken_back], &[&until, &UNLOADS]);
    stops(&odd(&["no-rollback"]), &[], &[why, taken_back], &[&until, &RESTORES, &UNLOADS]);
    let lost = "THE IMPORT COULD NOT BE UNDONE. Copy SOFTWARE.saved and SYSTEM.saved";
    stops(&odd(&["no-rollback", "fail-restore"]), &[], &[why, lost], &[&until, &RESTORES, &UNLOADS]);

    let tries = UNLOADS.repeat(3);
    let stuck = ["The patch is imported and was read back", r"reg unload HKLM\hivemend-SYSTEM"];
    stops(&failing(&["fail-unload"]), &[], &stuck, &[&LOADS, &SAVES, &IMPORT, &tries]);
    let once = failing(&["fail-once-unload"]);
    assert!(once.run(&[]).unwrap().contains("Done."));
    stops(&failing(&["hivemend-SYSTEM"]), &[], &[r"HKLM\hivemend-SYSTEM is loaded already"], &[]);
    let missing = again();
    fs::remove_file(missing.folder.path().join("winre-SYSTEM.rollback.reg")).unwrap();
    stops(&missing, &[], &["STOPPED: missing: winre-SYSTEM.rollback.reg"], &[]);
    wine.drive('d', None);
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Data that would like to be commands: in the script, and in what reg prints at the machine.
#[test]
fn hostile_data_do_nothing() {
    let Some(wine) = wine() else { return };
    let drive = windows();
    wine.drive('d', Some(drive.path()));
    // Without "%L": Wine 8.0 replaces what a variable of `for` was replaced by, without end, and Windows does not.
    let hostile = [
        "%PATH%",
        "%%",
        "%",
        "%~dp0%0%1",
        "^",
        "^^",
        "a^",
        "& echo INJECTED",
        "&& echo INJECTED",
        "| echo INJECTED",
        "> INJECTED",
        "< INJECTED",
        ") else (",
        "(",
        "@echo INJECTED",
        ":label",
        "%COMSPEC:~0,3%",
        "'",
        "`",
        "a;b,c=d",
        "/?",
        "%TEMP%%USERPROFILE",
        "*?",
        "~",
        "\\",
        "a\\",
    ];
    let handed = Handed::new(CASE, &["--script", "winre"]);
    let examination = examine_folder(&handed.evidence(), &Options::default());
    let report = &examination.report.installations[0];
    let mut plan = remedy(report, &Selection::default()).unwrap();
    let marks = Marks::read(&examination.installations[0], &Options::default(), Some(1));
    let edit = plan.edits[0].clone();
    let datum = |text: &str| ObservedDatum::from(&RegistryValue::text(DataType::SZ, text));
    let name = |index: usize| format!("Value{index}");
    plan.edits = hostile
        .iter()
        .enumerate()
        .map(|(index, text)| hivemend::remediation::Edit {
            value: name(index),
            before: Some(datum(text)),
            after: Some(datum(&format!("{text}{text}"))),
            ..edit.clone()
        })
        .collect();
    let script = write_script(&plan, report, &marks).unwrap();
    assert_eq!((script.left.as_slice(), script.plan.edits.len()), (&[][..], hostile.len()));
    let text = String::from_utf8(script.text).unwrap();
    let original = case(&wine, CASE);
    let (mut before, mut after) = (Answers::new(), Answers::new());
    for (place, number) in &original.table {
        let printed = fs::read_to_string(original.stub(&format!("before-{number}.txt"))).unwrap();
        let line = printed.lines().find(|line| line.starts_with("    ")).unwrap().to_owned();
        let place = (place.0.to_uppercase(), place.1.clone());
        before.insert(place.clone(), line.clone());
        after.insert(place, line);
    }
    let key = format!(r"HKLM\hivemend-{}\{}", edit.hive, edit.key).to_uppercase();
    for (index, text) in hostile.iter().enumerate() {
        let line = |text: &str| format!("    {}    REG_SZ    {text}", name(index));
        before.insert((key.clone(), name(index)), line(text));
        after.insert((key.clone(), name(index)), line(&format!("{text}{text}")));
    }
    let desk = Desk::new(&wine, &text, &handed.patch(), &before, &after);
    let said = desk.run(&[]).unwrap_or_else(|said| panic!("{said}"));
    assert!(said.contains("Done.") && !said.contains("INJECTED"), "{said}");

    // The machine has something else than the plan says, with quotes.
    for line in [
        "    Value0    REG_SZ    \" & echo INJECTED & rem \"",
        "    Value0    REG_SZ    \"==\"\" echo INJECTED",
        "    Value0    REG_SZ    a\" (\r\n    x & echo INJECTED",
    ] {
        let desk = Desk::new(&wine, &text, &handed.patch(), &before, &after);
        desk.alter("before", "Value0", line);
        let said = desk.run(&[]).unwrap_err();
        assert!(said.contains("STOPPED: a value is not as it was"), "{said}");
        assert!(!said.lines().any(|line| line.trim() == "INJECTED"), "{said}");
        assert!(!desk.folder.path().join("INJECTED").exists());
    }
    wine.drive('d', None);
}
