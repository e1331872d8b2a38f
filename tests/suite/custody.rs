//! The chain-of-custody record and the facts of the case.

use std::fs;

use hivemend::evidence::sha256_of;
use serde_json::Value;

use crate::command_line::Desk;
#[cfg(feature = "images")]
use crate::harness::lacks_some_program;

fn record(desk: &Desk, name: &str) -> Value {
    serde_json::from_slice(&fs::read(desk.path(name)).unwrap()).unwrap()
}

#[test]
fn the_record_has_every_output_and_is_written_last() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let arguments = ["--format", "json", "--output", "report.json", "--patch", "patch", "--custody", "custody.json"];
    desk.run(&[&["audit", "evidence"], &arguments[..]].concat());
    let record = record(&desk, "custody.json");
    let outputs = record["outputs"].as_array().unwrap();
    let paths: Vec<&str> = outputs.iter().map(|output| output["path"].as_str().unwrap()).collect();
    assert_eq!(paths[0], "report.json");
    let names: Vec<&str> = paths[1..].iter().map(|path| path.rsplit('/').next().unwrap()).collect();
    for name in ["SYSTEM.reg", "SYSTEM.rollback.reg", "IMPORT.txt", "plan.json"] {
        assert!(names.contains(&name), "{paths:?}");
    }
    for output in outputs {
        let bytes = fs::read(desk.path(output["path"].as_str().unwrap())).unwrap();
        assert_eq!(output["sha256"], sha256_of(&bytes));
        assert_eq!(output["size"], bytes.len());
    }
    assert_eq!(record["unchanged"], true);
}

#[test]
fn a_stream_is_hashed_on_its_way_and_a_failure_is_recorded_too() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let printed = desk.run(&["find", "evidence", "--format", "json", "--custody", "custody.json"]).stdout;
    let found = record(&desk, "custody.json");
    assert_eq!(found["outputs"][0]["path"], "-");
    assert_eq!(found["outputs"][0]["sha256"], sha256_of(&printed));
    // Nothing is found, and that is recorded as well.
    fs::create_dir(desk.path("empty")).unwrap();
    desk.complaint(2, &["audit", "empty", "--custody", "nothing.json"]);
    assert_eq!(record(&desk, "nothing.json")["outputs"], Value::Array(Vec::new()));
}

#[test]
fn the_facts_of_the_case_are_in_the_record_and_options_go_before_the_file() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    fs::write(desk.path("case.toml"), "number = \"2026-017\"\nexaminer = \"A\"\nagency = \"The Lab\"\n").unwrap();
    let common = ["find", "evidence", "--quiet", "--case", "case.toml", "--examiner", "B", "--custody"];
    desk.run(&[&common[..], &["custody.json"]].concat());
    let record = record(&desk, "custody.json");
    assert_eq!(record["examiner"], "B");
    assert_eq!(record["case"]["number"]["text"], "2026-017");
    assert_eq!(record["case"]["agency"]["stated_by"], "user");
    assert_eq!(record["case"]["request"], Value::Null);
    // The file is read, so nothing is written over it.
    let said = desk.complaint(2, &[&common[..], &["case.toml", "--overwrite"]].concat());
    assert!(said.contains("case.toml"), "{said}");
    fs::write(desk.path("case.toml"), "nummer = \"1\"\n").unwrap();
    let said = desk.complaint(2, &[&common[..], &["again.json"]].concat());
    assert!(said.contains("did you mean \"number\"?"), "{said}");
    assert!(!desk.path("again.json").exists());
}

/// ewfacquire writes both forms of the header.
#[test]
#[cfg(feature = "images")]
fn the_header_of_an_e01_image_says_whose_case_it_is() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let config = "evidence/windows-7-bits-disabled/Windows/System32/config";
    let script = format!(
        "truncate -s 64M volume.raw && mkfs.fat volume.raw >/dev/null && mcopy -i volume.raw {config}/SOFTWARE \
         {config}/SYSTEM :: && ewfacquire -u -q -t a -C 2026-017 -E HD1 -e 'J. Müller' -N 'for <b>tests</b>' -D disk \
         volume.raw >/dev/null"
    );
    let made = std::process::Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).output().unwrap();
    if !made.status.success() {
        return lacks_some_program("mkfs.fat, mcopy, ewfacquire", &made.stderr);
    }
    let report: Value = serde_json::from_slice(&desk.run(&["find", "a.E01", "--format", "json"]).stdout).unwrap();
    let header = &report["installations"][0]["hives"][0]["container"]["acquisition"];
    assert_eq!(header["case_number"], "2026-017", "{report}");
    assert_eq!(header["evidence_number"], "HD1");
    assert_eq!(header["examiner"], "J. Müller");
    assert_eq!(header["notes"], "for <b>tests</b>");
    assert!(header["acquired"].as_str().unwrap().ends_with('Z'), "{header}");
    // On a page they are prefilled, and say whose word it is.
    let page = desk.run(&["audit", "a.E01", "--format", "html", "--case-number", "mine"]).stdout;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<dd>HD1 <span class=\"muted small\">(from the E01 header)</span></dd>"), "{page}");
    assert!(page.contains("<dd>mine</dd>") && page.contains("for &#60;b&#62;tests&#60;/b&#62;"), "{page}");
    desk.run(&["find", "a.E01", "--quiet", "--case-number", "mine", "--custody", "custody.json"]);
    let case = &record(&desk, "custody.json")["case"];
    assert_eq!((&case["number"]["text"], &case["number"]["stated_by"]), (&"mine".into(), &"user".into()));
    assert_eq!((&case["exhibit"]["text"], &case["exhibit"]["stated_by"]), (&"HD1".into(), &"image-header".into()));
}
