//! The formats for other tools, compared with their standards: SARIF's schema, the fields of the Elastic Common Schema,
//! and Python's CSV reader.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use serde_json::Value;

use crate::agreement::script;
use crate::command_line::Desk;
use crate::fixture;
use crate::harness::{lacks, lacks_program};

/// Saved reports of all fixtures: `all.json` with everything, `other.json` with other options. They are written in the
/// other forms as the evidence is: `forms.rs`.
fn saved() -> &'static Desk {
    static SAVED: OnceLock<Desk> = OnceLock::new();
    SAVED.get_or_init(|| {
        let desk = Desk::with(&fixture::names().unwrap().iter().map(String::as_str).collect::<Vec<_>>());
        for (file, more) in [
            ("all.json", &["--all", "--locations"][..]),
            ("other.json", &["--no-hash", "--control-set", "all", "--generations", "all"]),
        ] {
            desk.run(&[&["audit", "evidence", "nowhere", "--format", "json", "--output", file], more].concat());
        }
        desk
    })
}

/// Every cell of every row, against the JSON report.
#[test]
fn pythons_csv_reads_what_the_report_says() {
    let desk = saved();
    for (report, sheet) in [("all.json", "all.csv"), ("other.json", "other.csv")] {
        desk.run(&["report", report, "--all", "--format", "csv", "--output", sheet]);
        let mut command = script("csv_cells.py");
        command.args([desk.path(sheet), desk.path(report)]).stderr(Stdio::piped());
        // A machine without Python has other tests to skip; this one needs nothing else.
        let Ok(run) = command.output() else {
            return lacks_program("python3");
        };
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let rows: usize = String::from_utf8(run.stdout).unwrap().trim().parse().unwrap();
        assert!(rows > 100, "{rows}");
    }
}

/// The schema of SARIF 2.1.0: the file that `HIVEMEND_SARIF_SCHEMA` names, or the one that Microsoft's package
/// `@microsoft/sarif-multitool-linux` from npm brings, as `.ci/run` installs it.
fn sarif_schema() -> Option<Value> {
    let installed = "target/foreign/node_modules/@microsoft/sarif-multitool-linux/sarif-2.1.0.json";
    let path = std::env::var_os("HIVEMEND_SARIF_SCHEMA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(installed), PathBuf::from);
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap())
}

#[test]
fn sarif_keeps_to_the_schema_of_the_standard() {
    let Some(schema) = sarif_schema() else {
        return lacks("sarif", "the schema of SARIF 2.1.0 (npm: @microsoft/sarif-multitool-linux) is not installed");
    };
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let desk = saved();
    for arguments in [&["all.json", "--all"][..], &["all.json"], &["other.json"]] {
        let log = desk.json(&[&["report", "--format", "sarif"], arguments].concat());
        let errors: Vec<String> =
            validator.iter_errors(&log).take(5).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert!(log["runs"][0]["results"].as_array().unwrap().len() > 100);
    }
    // It refuses what is no URI, so that formats count.
    let mut log = desk.json(&["report", "all.json", "--format", "sarif"]);
    log["runs"][0]["artifacts"][0]["location"]["uri"] = "a b\\c".into();
    assert!(!validator.is_valid(&log));
}

/// The fields that the table has: type, whether it is a list, and the values that it may have.
struct Field {
    kind: &'static str,
    list: bool,
    allowed: Vec<&'static str>,
}

fn ecs_fields() -> BTreeMap<&'static str, Field> {
    include_str!("../../schemas/ecs-8.17.0.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut cells = line.split('\t');
            let name = cells.next().unwrap();
            let (kind, list) = (cells.next().unwrap(), cells.next() == Some("array"));
            (name, Field { kind, list, allowed: cells.next().unwrap_or_default().split_whitespace().collect() })
        })
        .collect()
}

/// Every field with its values; those below `hivemend` are ours.
fn fields_of(value: &Value, name: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                if name != "hivemend" {
                    fields_of(value, &name, found);
                }
            }
        }
        other => found.push((name.to_owned(), other.clone())),
    }
}

#[test]
fn documents_have_fields_and_values_that_ecs_knows() {
    let known = ecs_fields();
    let output = saved().run(&["report", "all.json", "--all", "--format", "ecs"]);
    let mut used = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut found = Vec::new();
        fields_of(&serde_json::from_str(line).unwrap(), "", &mut found);
        for (name, value) in found {
            let field = known.get(name.as_str()).unwrap_or_else(|| panic!("ECS has no {name}, or the table lacks it"));
            assert_eq!(value.is_array(), field.list, "{name}: {value}");
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            for value in values {
                match field.kind {
                    "long" => assert!(value.is_i64() || value.is_u64(), "{name}: {value}"),
                    "date" => assert!(value.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{name}: {value}"),
                    "keyword" | "wildcard" | "match_only_text" => assert!(value.is_string(), "{name}: {value}"),
                    other => panic!("{name}: {other}"),
                }
                let allowed = field.allowed.is_empty() || field.allowed.contains(&value.as_str().unwrap());
                assert!(allowed, "{name}: {value} is not one of {:?}", field.allowed);
            }
            *used.entry(name).or_insert(0) += 1;
        }
    }
    let unused: Vec<&&str> = known.keys().filter(|name| !used.contains_key(**name)).collect();
    assert!(unused.is_empty(), "the table has what is not written: {unused:?}");
}

/// Every command of `docs/formats.md`, one after the other in one folder.
#[test]
fn the_commands_of_the_documentation_run() {
    let page = include_str!("../../../docs/formats.md");
    let desk = Desk::with(&["windows-10-senslogn-planted", "windows-7-bits-disabled"]);
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut count = 0;
    for line in blocks.flat_map(str::lines) {
        let (command, file) = line.split_once(" > ").map_or((line, None), |(command, file)| (command, Some(file)));
        let arguments: Vec<&str> = command.strip_prefix("hivemend ").expect(line).split(' ').collect();
        let output = desk.run(&arguments);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let written = file.or_else(|| Some(command.split_once("--output ")?.1.split(' ').next().unwrap()));
        match (file, written) {
            (Some(file), _) => std::fs::write(desk.path(file), &output.stdout).unwrap(),
            (None, Some(written)) => assert!(desk.path(written).metadata().unwrap().len() > 100, "{line}"),
            (None, None) => assert!(output.stdout.len() > 100, "{line}"),
        }
        count += 1;
    }
    assert!(count > 15, "{count}");
}
