//! `.reg` files: their lines, and what they do to hives.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use super::keys::{add_subkeys, write};
use super::{Counted, alone, grows_with};
use crate::command_line::Desk;

const SERVICES: &str = r"ControlSet001\Services";

/// Writes a Windows with so many more services.
fn write_services(desk: &Desk, folder: &str, count: usize) {
    write(desk, folder, "windows-7-bits-disabled", "SYSTEM", |root| add_subkeys(root.create(SERVICES), count));
}

/// Returns a patch that changes a value of each of so many services, in an order that no list has, and one service that
/// gets a value each time.
fn patch(count: usize) -> String {
    let mut text = "Windows Registry Editor Version 5.00\r\n".to_owned();
    for number in (0..count).rev() {
        let root = r"HKEY_LOCAL_MACHINE\SYSTEM";
        write!(text, "\r\n[{root}\\{SERVICES}\\subkey{number:06}]\r\n\"Number\"=dword:{:08x}\r\n", number + 1).unwrap();
        write!(text, "\r\n[{root}\\{SERVICES}\\BITS]\r\n\"value{number:06}\"=\"{number}\"\r\n").unwrap();
    }
    text
}

#[test]
fn lines_of_a_reg_file() {
    grows_with("lines of a .reg file", 400, Counted::Program, |desk, count| {
        fs::write(desk.path("a.reg"), patch(count)).unwrap();
        ["lint", "a.reg", "--format", "json"].map(str::to_owned).into()
    });
}

fn operations(importer: &str, n: usize) {
    grows_with(&format!("operations of a patch for {importer}"), n, Counted::Program, |desk, count| {
        write_services(desk, "evidence", count);
        fs::write(desk.path("a.reg"), patch(count)).unwrap();
        alone(&["verify", "a.reg", "evidence", "--importer", importer, "--format", "json"])
    });
}

#[test]
fn operations_of_a_patch_for_regedit() {
    operations("regedit", 500);
}

#[test]
fn operations_of_a_patch_for_hivexregedit() {
    operations("hivexregedit", 500);
}

/// Writes a plan that was not applied, with an edit of each of so many services.
fn write_plan(desk: &Desk, count: usize) {
    write_services(desk, "evidence", count);
    assert_eq!(desk.code(&["audit", "evidence", "--patch", "out"]), 1);
    let folder = fs::read_dir(desk.path("out")).unwrap().next().unwrap().unwrap().path();
    let mut plan: Value = serde_json::from_slice(&fs::read(folder.join("plan.json")).unwrap()).unwrap();
    let edit = plan["edits"][0].take();
    let datum = |number: usize| {
        let raw = format!("{:08x}", u32::try_from(number).unwrap().swap_bytes());
        let text = number.to_string();
        json!({"type": "REG_DWORD", "data": number, "text": text, "strings": [text], "raw": raw})
    };
    let edits = (0..count).map(|number| {
        let mut edit = edit.clone();
        edit["key"] = format!(r"{SERVICES}\subkey{number:06}").into();
        edit["value"] = "Number".into();
        edit["before"] = datum(number);
        edit["after"] = datum(number + 1);
        edit
    });
    plan["edits"] = edits.collect();
    fs::write(desk.path("plan.json"), serde_json::to_vec(&plan).unwrap()).unwrap();
}

#[test]
fn edits_of_a_plan() {
    grows_with("edits of a plan", 400, Counted::Program, |desk, count| {
        write_plan(desk, count);
        alone(&["verify", "--applied", "plan.json", "evidence", "--format", "json"])
    });
}

#[test]
fn edits_of_a_plan_and_whole_hives() {
    grows_with("edits of a plan, with --before", 400, Counted::Program, |desk, count| {
        write_plan(desk, count);
        alone(&["verify", "--applied", "plan.json", "evidence", "--before", "evidence", "--format", "json"])
    });
}
