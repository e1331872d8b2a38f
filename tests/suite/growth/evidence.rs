//! Files, folders, archives: what a run finds.

use std::fs;
use std::path::Path;

use super::{Counted, alone, grows_with};
use crate::archives::zip_of;
use crate::builder::Hive;

/// Returns the bytes of a SOFTWARE and of a SYSTEM with the keys that identify them, and no Windows in them.
fn pair() -> [Vec<u8>; 2] {
    let mut software = Hive::new("ROOT");
    software.root.create("Classes");
    software.root.create(r"Microsoft\Windows NT\CurrentVersion").set_sz("CurrentVersion", "6.1");
    let mut system = Hive::new("ROOT");
    system.root.create("ControlSet001");
    system.root.create("Select").set_dword("Current", 1).set_dword("Default", 1);
    [software.to_bytes(), system.to_bytes()]
}

/// Writes a hive.
fn write(folder: &Path, prefix: &str, bytes: &[u8], role: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(format!("{prefix}{role}")), bytes).unwrap();
}

/// Writes a pair. All names are equally long.
fn write_pair(folder: &Path, prefix: &str) {
    let [software, system] = pair();
    write(folder, prefix, &software, "SOFTWARE");
    write(folder, prefix, &system, "SYSTEM");
}

#[test]
fn pairs_in_one_folder() {
    grows_with("pairs in one folder", 60, Counted::Program, |desk, count| {
        for number in 0..count {
            write_pair(&desk.path("copies"), &format!("host{number:04}-"));
        }
        alone(&["find", "copies", "--format", "jsonl"])
    });
}

/// Every other one was hibernating.
#[test]
fn mounted_volumes_in_one_folder() {
    grows_with("volumes in one folder", 60, Counted::Program, |desk, count| {
        for number in 0..count {
            let volume = desk.path(&format!("volumes/machine{number:04}"));
            write_pair(&volume.join("Windows/System32/config"), "");
            if number % 2 == 0 {
                fs::write(volume.join("hiberfil.sys"), b"HIBR").unwrap();
            }
        }
        alone(&["find", "volumes", "--format", "jsonl"])
    });
}

#[test]
fn orphans_pairs_and_logs_in_one_folder() {
    grows_with("orphans, pairs and logs", 60, Counted::Program, |desk, count| {
        let folder = desk.path("copies");
        for number in 0..count {
            let name = format!("host{number:04}-");
            let [software, system] = pair();
            if number % 3 != 0 {
                write(&folder, &name, &software, "SOFTWARE");
            }
            if number % 3 != 1 {
                write(&folder, &name, &system, "SYSTEM");
            }
            fs::write(folder.join(format!("host{number:04}-SOFTWARE.LOG1")), []).unwrap();
        }
        alone(&["find", "copies", "--format", "jsonl"])
    });
}

#[test]
fn pairs_in_folders_of_one_zip() {
    grows_with("members of one zip", 60, Counted::WithWorkers, |desk, count| {
        let [software, system] = pair();
        let names = |role| (0..count).map(move |number| format!("host{number:04}/{role}"));
        let (first, second): (Vec<String>, Vec<String>) = (names("SOFTWARE").collect(), names("SYSTEM").collect());
        let first = first.iter().map(|name| (name.as_str(), software.as_slice()));
        let members: Vec<_> = first.chain(second.iter().map(|name| (name.as_str(), system.as_slice()))).collect();
        zip_of(&desk.path("case.zip"), &members);
        alone(&["find", "case.zip", "--format", "jsonl"])
    });
}

#[test]
fn other_members_of_one_zip() {
    grows_with("other members of one zip", 1500, Counted::WithWorkers, |desk, count| {
        let names: Vec<String> = (0..count).map(|number| format!("host{number:04}/notes.txt")).collect();
        let [software, _] = pair();
        let mut members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"text"[..])).collect();
        members.push(("SOFTWARE", &software));
        zip_of(&desk.path("case.zip"), &members);
        alone(&["find", "case.zip", "--format", "jsonl"])
    });
}

#[test]
fn zips_in_a_folder() {
    grows_with("zips in a folder", 40, Counted::Program, |desk, count| {
        let [software, system] = pair();
        fs::create_dir(desk.path("zips")).unwrap();
        for number in 0..count {
            let path = desk.path(&format!("zips/host{number:04}.zip"));
            zip_of(&path, &[("SOFTWARE", &software), ("SYSTEM", &system)]);
        }
        alone(&["find", "zips", "--format", "jsonl"])
    });
}

#[test]
fn a_record_of_the_evidence() {
    grows_with("files of a custody record", 60, Counted::Program, |desk, count| {
        for number in 0..count {
            write_pair(&desk.path(&format!("copies/host{number:04}")), "");
        }
        alone(&["find", "copies", "--format", "jsonl", "--custody", "custody.json"])
    });
}
