//! Control sets and generations: the same hive several times.

use std::fs;

use super::keys::write;
use super::{Counted, alone, grows_with};
use crate::command_line::Desk;
use crate::fixture;

/// Writes so many restore points, each with its own time and with a value that changes, and the live hives.
fn write_generations(desk: &Desk, count: usize) {
    let mut case = fixture::compile("windows-xp").unwrap();
    case.hives.retain(|(role, _)| *role == "SOFTWARE");
    case.write(&desk.path("img")).unwrap();
    for number in 0..count {
        let folder =
            desk.path(&format!("img/System Volume Information/_restore{{A1B2}}/RP{:03}/snapshot", number + 100));
        fs::create_dir_all(&folder).unwrap();
        let (_, hive) = &mut case.hives[0];
        hive.last_written -= 864_000_000_000;
        let wrong = if number % 2 == 0 { "SensStopEvent" } else { "SensShutdownEvent" };
        hive.root.create(r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn").set_sz("Shutdown", wrong);
        fs::write(folder.join("_REGISTRY_MACHINE_SOFTWARE"), hive.to_bytes()).unwrap();
    }
}

#[test]
fn control_sets() {
    grows_with("control sets", 8, Counted::Program, |desk, count| {
        write(desk, "evidence", "windows-7-bits-disabled", "SYSTEM", |root| {
            let set = root.key("ControlSet001").unwrap().clone();
            for number in 2..=count {
                let mut set = set.clone();
                set.name = format!("ControlSet{number:03}").encode_utf16().collect();
                root.subkeys.push(set);
            }
            root.subkeys.sort_by(|a, b| a.name.cmp(&b.name));
        });
        alone(&["audit", "evidence", "--control-set", "all", "--format", "json"])
    });
}

#[test]
fn generations() {
    grows_with("generations", 8, Counted::Program, |desk, count| {
        write_generations(desk, count);
        alone(&["audit", "img", "--generations", "all", "--format", "json"])
    });
}

#[test]
fn columns_of_a_history() {
    grows_with("columns of a history", 8, Counted::Program, |desk, count| {
        write_generations(desk, count);
        alone(&["history", "img", "--format", "json"])
    });
}

/// A closed list has no finding for a value that is absent, so a row looks for one beside it.
#[test]
fn rows_of_a_history() {
    grows_with("rows of a history", 300, Counted::Program, |desk, count| {
        write_generations(desk, 1);
        let mut case = fixture::compile("windows-xp").unwrap();
        case.hives.retain(|(role, _)| *role == "SOFTWARE");
        let key = case.hives[0].1.root.create(r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn");
        for number in 0..count {
            key.set_sz(&format!("value{number:06}"), "x");
        }
        fs::remove_dir_all(desk.path("img/Windows")).unwrap();
        case.write(&desk.path("img")).unwrap();
        alone(&["history", "img", "--format", "json"])
    });
}
