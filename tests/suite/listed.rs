//! Evidence that a list names: paths, and lines of JSON with original paths and labels.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::command_line::Desk;
use crate::output_gate::protected::images;

/// A store that gives files names of its own: `store/0`, `store/1`, and so on.
struct Store<'d> {
    desk: &'d Desk,
    lines: String,
    count: usize,
}

impl<'d> Store<'d> {
    fn new(desk: &'d Desk) -> Self {
        fs::create_dir(desk.path("store")).unwrap();
        Self { desk, lines: String::new(), count: 0 }
    }

    fn add(&mut self, from: &str, original: &str, label: Option<&str>) {
        let bytes = fs::read(self.desk.path(from)).unwrap();
        self.add_bytes(&bytes, original, label);
    }

    fn add_bytes(&mut self, bytes: &[u8], original: &str, label: Option<&str>) {
        let path = format!("store/{}", self.count);
        self.count += 1;
        fs::write(self.desk.path(&path), bytes).unwrap();
        let line = json!({"path": path, "original_path": original, "label": label});
        self.lines.push_str(&line.to_string());
        self.lines.push('\n');
    }

    fn audit(&self) -> Vec<Value> {
        fs::write(self.desk.path("list"), &self.lines).unwrap();
        let report = self.desk.json(&["audit", "--files-from", "list", "--format", "json", "--exit-zero"]);
        report["installations"].as_array().unwrap().clone()
    }
}

fn config(case: &str, hive: &str) -> String {
    format!("evidence/{case}/Windows/System32/config/{hive}")
}

#[test]
fn a_list_of_paths_is_the_same_as_arguments() {
    let cases = ["windows-7", "windows-7-bits-disabled"];
    let desk = Desk::with(&cases);
    let paths: Vec<String> = cases.iter().map(|case| format!("evidence/{case}")).collect();
    let typed = desk.run(&["audit", &paths[0], &paths[1], "--format", "json"]).stdout;
    fs::write(desk.path("list"), paths.join("\n")).unwrap();
    assert_eq!(desk.run(&["audit", "--files-from", "list", "--format", "json"]).stdout, typed);
    fs::write(desk.path("rest"), format!("{}\r\n\n", paths[1])).unwrap();
    assert_eq!(desk.run(&["audit", &paths[0], "--files-from", "rest", "--format", "json"]).stdout, typed);
    let mut command = desk.command(&["audit", "--files-from", "-", "--format", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(paths.join("\n").as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, typed);
}

#[test]
fn original_paths_decide_what_belongs_together_and_which_generation_it_is() {
    let desk = Desk::with(&["windows-7-bits-disabled", "windows-7"]);
    let mut store = Store::new(&desk);
    store.add(&config("windows-7-bits-disabled", "SYSTEM"), r"C:\Windows\System32\config\SYSTEM", Some("PC 1"));
    store.add(&config("windows-7", "SYSTEM"), "/C/Windows/System32/config/SYSTEM", Some("PC 2"));
    store.add(&config("windows-7", "SOFTWARE"), "/C/Windows/System32/config/SOFTWARE", Some("PC 2"));
    store.add(&config("windows-7-bits-disabled", "SOFTWARE"), r"C:\Windows\System32\config\SOFTWARE", Some("PC 1"));
    store.add(&config("windows-7", "SYSTEM"), "/C/Windows/System32/config/RegBack/SYSTEM", Some("PC 2"));
    let installations = store.audit();
    let found: Vec<String> = installations
        .iter()
        .map(|one| {
            let hives: Vec<&str> =
                one["hives"].as_array().unwrap().iter().map(|h| h["path"].as_str().unwrap()).collect();
            format!("{} {} {} {}", one["label"], one["generation"], one["id"].as_str().unwrap(), hives.join(" "))
        })
        .collect();
    let expected = [
        r#""PC 1" "live" PC-1-C-Windows-System32-config store/3 store/0"#,
        r#""PC 2" "live" PC-2-C-Windows-System32-config store/2 store/1"#,
        r#""PC 2" "regback" PC-2-C-Windows-System32-config-RegBack store/4"#,
    ];
    assert_eq!(found, expected);
    let disabled = |one: &Value| one["findings"].to_string().contains("service-bits/Start");
    assert_eq!(installations.iter().map(disabled).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn logs_and_compressed_files_are_found_by_their_original_names() {
    let desk = Desk::with(&["windows-7-dirty"]);
    let folder = desk.path("evidence/windows-7-dirty/Windows/System32/config");
    let plain = desk.json(&["audit", "evidence", "--format", "json"]);
    let mut store = Store::new(&desk);
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let original = format!("Windows/System32/config/{name}");
        store.add(&config("windows-7-dirty", &name), &original, None);
    }
    let installations = store.audit();
    let states = |one: &Value| -> Vec<String> {
        let hives = one["hives"].as_array().unwrap();
        hives.iter().map(|hive| format!("{} {}", hive["role"], hive["integrity"]["state"])).collect()
    };
    assert_eq!(installations.len(), 1);
    assert_eq!(states(&installations[0]), states(&plain["installations"][0]));
    assert_eq!(installations[0]["findings"], plain["installations"][0]["findings"]);
}

#[test]
fn files_of_one_name_without_anything_that_tells_them_apart_are_not_paired_by_their_order() {
    let desk = Desk::with(&["windows-7", "windows-7-bits-disabled"]);
    let mut store = Store::new(&desk);
    store.add(&config("windows-7", "SOFTWARE"), "SOFTWARE", None);
    store.add(&config("windows-7", "SYSTEM"), "SYSTEM", None);
    store.add(&config("windows-7-bits-disabled", "SYSTEM"), "SYSTEM", None);
    let installations = store.audit();
    let hives: Vec<usize> = installations.iter().map(|one| one["hives"].as_array().unwrap().len()).collect();
    assert_eq!(hives, [1, 1, 1]);
}

#[test]
fn a_label_is_in_every_form_and_in_the_id() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let run = |format: &str| {
        let arguments = ["audit", "evidence", "--label", "Exhibit 7", "--exit-zero", "--format", format];
        String::from_utf8(desk.run(&arguments).stdout).unwrap()
    };
    for format in ["table", "json", "jsonl", "csv", "sarif", "timesketch", "ecs"] {
        assert!(run(format).contains("Exhibit 7"), "{format}");
    }
    let report: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(report["installations"][0]["id"], "Exhibit-7-evidence-windows-7-bits-disabled-Windows-System32-config");
}

#[test]
fn a_list_that_makes_no_sense_is_refused_with_the_line_and_never_written_to() {
    let desk = Desk::with(&["windows-7"]);
    let refused = |text: &str| {
        fs::write(desk.path("list"), text).unwrap();
        desk.complaint(2, &["audit", "--files-from", "list"])
    };
    let said = refused("evidence\n{\"path\": 7}\n");
    assert!(said.contains("list, line 2: expected a path") && said.contains("Correct this line"), "{said}");
    assert!(refused("{\"path\": \"evidence\", \"lable\": \"x\"}\n").contains("unknown field `lable`"));
    assert!(refused("\n").contains("is empty"));
    assert!(desk.complaint(2, &["audit", "--files-from", "nowhere"]).contains("nowhere"));
    assert!(desk.complaint(2, &["audit"]).contains("EVIDENCE"));
    let text = "evidence\n";
    fs::write(desk.path("list"), text).unwrap();
    let said = desk.complaint(2, &["audit", "--files-from", "list", "--output", "list", "--overwrite"]);
    assert!(said.contains("which is read in this run"), "{said}");
    assert_eq!(fs::read_to_string(desk.path("list")).unwrap(), text);
}

#[test]
fn a_container_in_a_named_folder_is_examined_once_though_it_is_named_too() {
    let desk = Desk::with(&["windows-7"]);
    // An empty zip: its end alone.
    let zip = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    fs::write(desk.path("evidence/empty.zip"), zip).unwrap();
    let report = desk.json(&["find", "evidence/empty.zip", "evidence", "--format", "json"]);
    let sources = report["sources"].as_array().unwrap();
    let of_zip: Vec<&str> = sources
        .iter()
        .filter(|source| source["locator"] == "evidence/empty.zip")
        .map(|source| source["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(of_zip, ["read", "irrelevant"], "{sources:#?}");
}

/// A part that is listed by itself is no evidence that cannot be read.
#[test]
fn parts_of_images_that_are_listed_one_by_one_are_parts() {
    let Some(desk) = images() else { return };
    let files = fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_image =
        |name: &String| ["x.E", "base.", "top.", "flat", "split."].iter().any(|start| name.starts_with(start));
    // Backwards: parts stand before their images.
    let mut names: Vec<String> = files.filter(is_image).collect();
    names.sort_by(|a, b| b.cmp(a));
    assert!(names.len() > 10, "{names:?}");
    fs::write(desk.path("list"), names.join("\n")).unwrap();
    let report = desk.json(&["audit", "--files-from", "list", "--format", "json", "--no-hash", "--exit-zero"]);
    assert_eq!(report["summary"]["gaps"], json!([]));
    let installations = report["installations"].as_array().unwrap();
    let images: BTreeSet<&str> =
        installations.iter().map(|one| one["evidence"].as_str().unwrap().split('!').next().unwrap()).collect();
    assert_eq!(images, BTreeSet::from(["flat.vmdk", "split.001", "top.qcow2", "x.E01"]));
    let sources = report["sources"].as_array().unwrap();
    let parts = sources.iter().filter(|source| source["reason"].to_string().contains("a part or an older state of"));
    assert_eq!(parts.count(), names.len() - images.len());
}

/// A store keeps each file under a name of its own. What an image calls its segments, extents and parents, the list says.
#[test]
fn segments_extents_and_parents_are_found_by_their_original_names() {
    let Some(desk) = images() else { return };
    let files = fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_image =
        |name: &String| ["x.E", "base.", "top.", "flat", "split."].iter().any(|start| name.starts_with(start));
    let mut names: Vec<String> = files.filter(is_image).collect();
    names.sort();
    fs::create_dir(desk.path("store")).unwrap();
    let mut lines = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let path = format!("store/{number:02}");
        fs::rename(desk.path(name), desk.path(&path)).unwrap();
        lines.push(json!({"path": path, "original_path": format!(r"E:\images\{name}"), "label": "PC"}).to_string());
    }
    fs::write(desk.path("list"), lines.join("\n")).unwrap();
    let audit = ["audit", "--files-from", "list", "--format", "json", "--exit-zero"];
    let report = desk.json(&[&audit[..], &["--custody", "custody.json"]].concat());
    assert_eq!(report["summary"]["gaps"], json!([]));
    let sources = report["sources"].as_array().unwrap();
    let is_image = |source: &&Value| source["outcome"] == "read" && !source["locator"].to_string().contains('!');
    let images: Vec<&Value> = sources.iter().filter(is_image).map(|source| &source["kind"]).collect();
    assert_eq!(images.len(), 4, "{images:?}");
    let installations = report["installations"].as_array().unwrap();
    let within: BTreeSet<&str> =
        installations.iter().map(|one| one["evidence"].as_str().unwrap().split('!').next().unwrap()).collect();
    assert_eq!(within.len(), 4, "{within:?}");
    // The record has every file, each under the name that it has here.
    let custody: Value = serde_json::from_slice(&fs::read(desk.path("custody.json")).unwrap()).unwrap();
    let recorded: BTreeSet<&str> =
        custody["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    let stored: Vec<String> = (0..names.len()).map(|number| format!("store/{number:02}")).collect();
    assert_eq!(recorded, stored.iter().map(String::as_str).collect());

    // Two files of one original name: nobody can tell which of them is the segment.
    let second = names.iter().position(|name| name == "x.E02").unwrap();
    fs::copy(desk.path(&format!("store/{second:02}")), desk.path("store/twin")).unwrap();
    lines.push(json!({"path": "store/twin", "original_path": r"E:\images\x.E02", "label": "PC"}).to_string());
    fs::write(desk.path("list"), lines.join("\n")).unwrap();
    let report = desk.json(&audit);
    assert!(report["problems"].to_string().contains("several files are listed with this original name"));
}

#[test]
fn a_path_with_two_labels_is_refused_the_second_time() {
    let desk = Desk::with(&["windows-7"]);
    let line = |label: Value| json!({"path": "evidence/windows-7", "label": label}).to_string();
    fs::write(desk.path("list"), [line(json!("A")), line(json!("B")), line(Value::Null)].join("\n")).unwrap();
    let report = desk.json(&["audit", "--files-from", "list", "--format", "json", "--exit-zero"]);
    assert_eq!(report["installations"].as_array().unwrap().len(), 1);
    let refused = |source: &&Value| source["outcome"] == "refused";
    let sources = report["sources"].as_array().unwrap();
    let refused: Vec<(&Value, &Value)> =
        sources.iter().filter(refused).map(|source| (&source["label"], &source["reason"])).collect();
    let reason = json!("the same evidence with the label A: evidence/windows-7");
    assert_eq!(refused, [(&json!("B"), &reason), (&Value::Null, &reason)]);
    assert_eq!(report["summary"]["complete"], false);

    // A file, too.
    let line = |label: &str| json!({"path": config("windows-7", "SYSTEM"), "label": label}).to_string();
    fs::write(desk.path("list"), [line("A"), line("B"), line("A")].join("\n")).unwrap();
    let report = desk.json(&["audit", "--files-from", "list", "--format", "json", "--exit-zero"]);
    let gaps = report["summary"]["gaps"].as_array().unwrap();
    let told = gaps.iter().filter(|gap| gap["reason"].to_string().contains("the same evidence with the label A"));
    assert_eq!((report["installations"].as_array().unwrap().len(), told.count()), (1, 1));
}

/// Who asked with a list finds out from the report which of the machines it was.
#[test]
fn evidence_that_cannot_be_read_has_its_label_and_a_report_even_if_it_is_the_only_one() {
    let desk = Desk::with(&[]);
    for labels in [&["A"][..], &["A", "B"]] {
        let line = |label: &&str| json!({"path": format!("gone-{label}"), "label": label}).to_string();
        fs::write(desk.path("list"), labels.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
        let output = desk.run(&["audit", "--files-from", "list", "--format", "json"]);
        assert_eq!(output.status.code(), Some(2));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let sources = report["sources"].as_array().unwrap();
        let told: Vec<(&str, &str)> =
            sources.iter().map(|one| (one["label"].as_str().unwrap(), one["outcome"].as_str().unwrap())).collect();
        assert_eq!(told, labels.iter().map(|label| (*label, "refused")).collect::<Vec<_>>());
        assert_eq!(report["problems"].as_array().unwrap().len(), labels.len());
    }
    // A table has only the error.
    let output = desk.run(&["audit", "gone-A"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &[][..]));
}

#[test]
fn an_original_path_without_a_name_leaves_the_files_own() {
    let desk = Desk::with(&["windows-7"]);
    for original in ["", "/", r"\"] {
        let line = |hive| json!({"path": config("windows-7", hive), "original_path": original}).to_string();
        fs::write(desk.path("list"), [line("SOFTWARE"), line("SYSTEM")].join("\n")).unwrap();
        let report = desk.json(&["audit", "--files-from", "list", "--format", "json", "--exit-zero"]);
        assert_eq!(report["installations"].as_array().unwrap().len(), 1, "{original:?}");
        assert_eq!(report["summary"]["complete"], true, "{original:?}");
    }
}

/// A name in Windows is any 16-bit units, so a program that writes lists may write half a character.
#[test]
fn half_a_character_in_an_original_path_does_not_refuse_the_list() {
    let desk = Desk::with(&["windows-7"]);
    let line = |hive, half: &str| {
        let path = config("windows-7", hive);
        format!(r#"{{"path": "{path}", "original_path": "C:\\\\ud800{half}\\Windows\\System32\\config\\{hive}"}}"#)
    };
    for half in [r"\ud800", r"\udc00x", r"\ud83d\ude00", ""] {
        fs::write(desk.path("list"), [line("SOFTWARE", half), line("SYSTEM", half)].join("\n")).unwrap();
        let report = desk.json(&["audit", "--files-from", "list", "--format", "json", "--exit-zero"]);
        assert_eq!(report["installations"].as_array().unwrap().len(), 1, "{half}");
        assert_eq!(report["installations"][0]["hives"].as_array().unwrap().len(), 2, "{half}");
    }
}
