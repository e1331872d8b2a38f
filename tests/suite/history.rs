//! `history`: the generations of a volume, side by side.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command_line::Desk;
use crate::fixture::{self, Case};

/// 2010-07-02T00:00:00Z, in units of 100 ns since 1601.
const SECOND_OF_JULY: u64 = 129_224_160_000_000_000;
const DAY: u64 = 864_000_000_000;

/// Writes both hives of a case into a folder, last written so many days after the second of July 2010.
fn write(case: &Case, folder: &Path, prefix: &str, days: u64) {
    fs::create_dir_all(folder).unwrap();
    for (role, hive) in &case.hives {
        let mut hive = hive.clone();
        hive.last_written = SECOND_OF_JULY + days * DAY;
        fs::write(folder.join(format!("{prefix}{role}")), hive.to_bytes()).unwrap();
    }
}

const RESTORE: &str = "img/System Volume Information/_restore{A1B2}";
const LIVE: &str = "img/WINDOWS/system32/config";

/// An XP that was right, then wrong in one value, and right again with a value more.
pub(crate) fn volume() -> Desk {
    let desk = Desk::with(&[]);
    let [right, wrong, extra] = ["windows-xp", "windows-xp-senslogn-shutdown-wrong", "windows-xp-senslogn-extra-value"]
        .map(|name| fixture::compile(name).unwrap());
    write(&right, &desk.path("img/WINDOWS/repair"), "", 0);
    write(&right, &desk.path(&format!("{RESTORE}/RP9/snapshot")), "_REGISTRY_MACHINE_", 0);
    write(&wrong, &desk.path(&format!("{RESTORE}/RP12/snapshot")), "_REGISTRY_MACHINE_", 3);
    write(&extra, &desk.path(LIVE), "", 5);
    desk
}

fn hive<'j>(history: &'j Value, role: &str) -> &'j Value {
    let hives = history["machines"][0]["hives"].as_array().unwrap();
    hives.iter().find(|hive| hive["role"] == role).unwrap()
}

fn row<'j>(hive: &'j Value, id: &str) -> &'j Value {
    hive["values"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

fn states(row: &Value) -> Vec<&str> {
    row["cells"].as_array().unwrap().iter().map(|cell| cell["state"].as_str().unwrap()).collect()
}

fn sentences(row: &Value) -> Vec<&str> {
    row["changes"].as_array().unwrap().iter().map(|change| change["sentence"].as_str().unwrap()).collect()
}

#[test]
fn generations_stand_side_by_side_and_changes_are_bracketed() {
    let desk = volume();
    let output = desk.run(&["history", "img"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());

    let history = desk.json(&["history", "img", "--format", "json"]);
    let software = hive(&history, "SOFTWARE");
    let columns = software["columns"].as_array().unwrap();
    let told: Vec<[&str; 2]> =
        columns.iter().map(|column| ["letter", "generation"].map(|field| column[field].as_str().unwrap())).collect();
    assert_eq!(told, [["A", "repair"], ["B", "restore-point"], ["C", "live"]]);
    let same = columns[0]["same"].as_array().unwrap();
    assert_eq!(same, &[Value::from(format!("{RESTORE}/RP9/snapshot/_REGISTRY_MACHINE_SOFTWARE"))]);
    let shutdown = row(software, "winlogon-notify-senslogn/Shutdown");
    assert_eq!(shutdown["cells"][1]["verdict"], "deviates");
    assert_eq!(shutdown["changes"][0]["until"], 0);
    assert_eq!(sentences(shutdown).len(), 2);
    // A value of a closed list that was not there before.
    assert_eq!(states(row(software, "winlogon-notify-senslogn/StopShell")), ["absent", "absent", "present"]);
}

#[test]
fn csv_has_a_line_for_each_value_in_each_column_and_its_raw_bytes() {
    let desk = volume();
    let history = desk.json(&["history", "img", "--format", "json"]);
    let output = desk.run(&["history", "img", "--format", "csv", "--output", "history.csv"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let text = fs::read(desk.path("history.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let headers = reader.headers().unwrap().clone();
    let of = |record: &csv::StringRecord, name: &str| {
        record.get(headers.iter().position(|header| header == name).unwrap()).unwrap().to_owned()
    };
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells: usize = ["SOFTWARE", "SYSTEM"]
        .iter()
        .flat_map(|role| hive(&history, role)["values"].as_array().unwrap())
        .map(|row| row["cells"].as_array().unwrap().len())
        .sum();
    assert_eq!(records.len(), cells);
    let changed: Vec<[String; 4]> = records
        .iter()
        .filter(|record| of(record, "changed") == "yes")
        .map(|record| ["column", "value", "data", "raw"].map(|name| of(record, name)))
        .collect();
    assert_eq!(changed.len(), 3, "{changed:?}");
    assert!(changed.iter().any(|[column, value, data, raw]| {
        column == "B" && value == "Shutdown" && data == "SensStopEvent" && raw.starts_with("530065006e00")
    }));
    desk.complaint(2, &["history", "img", "--output", "img/history.csv"]);
}

#[test]
fn what_stands_in_a_log_alone_is_a_generation_of_its_own() {
    let desk = Desk::with(&[]);
    let case = fixture::compile("windows-xp-senslogn-shutdown-wrong").unwrap();
    case.write_dirty(&desk.path("img")).unwrap();
    let history = desk.json(&["history", "img", "--format", "json"]);
    let software = hive(&history, "SOFTWARE");
    let views: Vec<&str> =
        software["columns"].as_array().unwrap().iter().map(|column| column["view"].as_str().unwrap()).collect();
    assert_eq!(views, ["primary", "replayed"]);
    let said = sentences(row(software, "winlogon-notify-senslogn/Shutdown"));
    assert!(said[0].contains("SensStopEvent from the live hive with its logs"), "{said:?}");
    // As it lies, there is one view, the older, and the exit code says that it is not all.
    let output = desk.run(&["history", "img", "--no-replay", "--format", "json"]);
    let lying: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), lying["complete"].as_bool()), (Some(3), Some(false)));
    assert_eq!(hive(&lying, "SOFTWARE")["columns"].as_array().unwrap().len(), 1);
}

#[test]
fn control_sets_are_columns_and_changes_follow_the_current_one() {
    let desk = Desk::with(&["windows-xp-current-control-set-003-broken"]);
    let history = desk.json(&["history", "evidence", "--format", "json"]);
    let system = hive(&history, "SYSTEM");
    let columns: Vec<(u64, bool, String)> = system["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            let set = column["control_set"].as_u64().unwrap();
            (set, column["followed"].as_bool().unwrap(), column["marks"].to_string())
        })
        .collect();
    assert!(columns.len() > 1 && columns.iter().filter(|(_, followed, _)| *followed).count() == 1, "{columns:?}");
    assert!(columns.iter().any(|(set, followed, marks)| *set == 3 && *followed && marks.contains("current")));
    for row in system["values"].as_array().unwrap() {
        assert_eq!(sentences(row), Vec::<&str>::new(), "two control sets of one time are no change");
        assert!(!row["key"].as_str().unwrap().starts_with("ControlSet"));
    }
}

#[test]
fn machines_are_kept_apart_by_their_names() {
    let desk = Desk::with(&[]);
    let mut other = fixture::compile("windows-xp").unwrap();
    write(&other, &desk.path("evidence/first"), "", 0);
    write(&other, &desk.path("evidence/second"), "", 1);
    for (_, hive) in other.hives.iter_mut().filter(|(role, _)| *role == "SYSTEM") {
        for set in ["ControlSet001", "ControlSet003"] {
            let path = [set, "Control", "ComputerName", "ComputerName"].map(crate::builder::units);
            let key = crate::apply::descend(&mut hive.root, &path, hive.last_written);
            let name = key.values.iter_mut().find(|value| value.name == crate::builder::units("ComputerName")).unwrap();
            name.data = crate::builder::utf16le(&crate::builder::units("OTHER\0"));
        }
    }
    write(&other, &desk.path("evidence/third"), "", 0);
    let history = desk.json(&["history", "evidence", "--format", "json"]);
    let machines = history["machines"].as_array().unwrap();
    let names: Vec<(&str, usize)> = machines
        .iter()
        .map(|machine| {
            let columns = machine["hives"][0]["columns"].as_array().unwrap().len();
            (machine["computer_name"].as_str().unwrap(), columns)
        })
        .collect();
    assert_eq!(names, [("EXAMPLE-PC", 2), ("OTHER", 1)]);
}

/// The order of copies that were last written at the same time is nobody's to tell.
#[test]
fn a_change_between_hives_of_one_time_says_that_the_order_is_a_guess() {
    let desk = Desk::with(&[]);
    for (name, folder) in [("windows-xp", "repair"), ("windows-xp-senslogn-shutdown-wrong", "system32/config")] {
        write(&fixture::compile(name).unwrap(), &desk.path(&format!("img/WINDOWS/{folder}")), "", 0);
    }
    let history = desk.json(&["history", "img", "--format", "json"]);
    let said = sentences(row(hive(&history, "SOFTWARE"), "winlogon-notify-senslogn/Shutdown")).join("; ");
    assert!(said.ends_with("both were last written at the same time, and the order is a guess"), "{said}");
}
