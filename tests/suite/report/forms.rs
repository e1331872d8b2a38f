//! The report in every format: the same from evidence and from a saved report, and harmless with any evidence.

use serde_json::Value;

use crate::command_line::Desk;

/// The forms, as `--format` names them.
const FORMS: [&str; 8] = ["table", "json", "jsonl", "csv", "markdown", "sarif", "timesketch", "ecs"];

/// What is written to stdout, which must be UTF-8.
fn stdout(desk: &Desk, arguments: &[&str]) -> String {
    String::from_utf8(desk.run(arguments).stdout).unwrap()
}

/// Evidence of many kinds: hostile, incomplete, dirty, of an unknown Windows, with values that say nothing plainly.
fn evidence() -> Desk {
    Desk::with(&[
        "hostile-strings",
        "windows-10-senslogn-planted",
        "windows-2000-bits-manual-without-a-time",
        "windows-7-bits-disabled-after-the-hive",
        "windows-7-bits-twin",
        "windows-7-dirty",
        "windows-7-key-name-with-nul",
        "windows-7-names-that-look-alike",
        "windows-7-servicedll-odd-length",
        "windows-7-software-only",
        "windows-7-start-of-other-types",
        "windows-7-value-name-with-nul",
        "windows-future",
    ])
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows of a sheet, each by the names of its columns.
fn rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn a_saved_report_is_rendered_as_the_evidence_was() {
    let desk = evidence();
    desk.run(&["audit", "evidence", "--format", "json", "--all", "--locations", "--output", "all.json"]);
    desk.run(&["audit", "evidence", "--format", "json", "--locations", "--output", "short.json"]);
    for form in FORMS {
        for all in [&["--all"][..], &[]] {
            let audit = stdout(&desk, &[&["audit", "evidence", "--locations", "--format", form], all].concat());
            let saved = stdout(&desk, &[&["report", "all.json", "--format", form], all].concat());
            if form == "table" {
                // What to type next depends on the evidence, which a saved report does not name.
                let without_next = |text: &str| {
                    let (before, after) = text.split_once("\nNext\n").unwrap();
                    (before.to_owned(), after.rsplit_once("\n\n").unwrap().1.to_owned())
                };
                assert!(without_next(&audit) == without_next(&saved), "{all:?}");
            } else {
                assert!(audit == saved, "{form} {all:?}: {} and {} bytes", audit.len(), saved.len());
            }
        }
        let short = stdout(&desk, &["report", "short.json", "--format", form]);
        assert!(short == stdout(&desk, &["report", "all.json", "--format", form]), "{form}");
    }
}

#[test]
fn saved_reports_are_put_together() {
    let desk = Desk::with(&["windows-7-bits-disabled", "windows-10-senslogn-planted", "windows-7-software-only"]);
    for (case, file) in [("windows-7-bits-disabled", "a"), ("windows-7-software-only", "b")] {
        let evidence = format!("evidence/{case}");
        desk.run(&["audit", &evidence, "--format", "json", "--output", &format!("{file}.json")]);
    }
    let both = desk.json(&["report", "a.json", "b.json", "a.json", "--format", "json"]);
    let ids: Vec<&str> =
        both["installations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[2], format!("{}-2", ids[0]));
    assert_eq!(both["summary"]["installations"], 3);
    assert_eq!((&both["summary"]["complete"], &both["summary"]["highest_severity"]), (&false.into(), &"high".into()));

    desk.run(&["audit", "evidence", "--format", "json", "--fail-on", "high", "--output", "other.json"]);
    let complaint = desk.complaint(2, &["report", "a.json", "other.json", "--format", "json"]);
    assert!(complaint.contains("other.json: made with other options"), "{complaint}");
}

#[test]
fn what_is_no_report_is_named_as_what_it_is() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    desk.run(&["audit", "evidence", "--format", "jsonl", "--output", "lines.jsonl"]);
    desk.run(&["audit", "evidence", "--format", "json", "--output", "r.json"]);
    let newer = std::fs::read_to_string(desk.path("r.json")).unwrap();
    std::fs::write(
        desk.path("newer.json"),
        newer.replacen("\"schema_version\": \"1\"", "\"schema_version\": \"2\"", 1),
    )
    .unwrap();
    std::fs::write(desk.path("cut.json"), &newer[..newer.len() / 2]).unwrap();
    std::fs::write(desk.path("text"), "REGEDIT4").unwrap();
    for (file, said) in [
        ("lines.jsonl", "lines of JSON (--format jsonl), not one report"),
        ("newer.json", "schema_version \"2\"; this hivemend reads \"1\""),
        ("cut.json", "EOF while parsing"),
        ("text", "not JSON"),
        ("evidence", "evidence"),
        ("missing.json", "missing.json"),
    ] {
        let complaint = desk.complaint(2, &["report", file, "--format", "csv"]);
        assert!(complaint.contains(said), "{file}: {complaint}");
    }
}

/// The hives hold ESC, bidirectional marks, NULs, formulas and markup.
#[test]
fn no_form_carries_what_would_steer_or_hide() {
    let desk = evidence();
    for form in FORMS {
        let text = stdout(&desk, &["audit", "evidence", "--all", "--format", form]);
        assert!(text.contains("EXAMPLE"), "{form}");
        let unseen: Vec<char> = text
            .chars()
            .filter(|letter| {
                (letter.is_control() && !matches!(letter, '\n' | '\r'))
                    || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}')
            })
            .collect();
        // A byte order mark begins a sheet.
        assert!(unseen.is_empty(), "{form}: {unseen:?}");
        assert_eq!(text.matches('\u{feff}').count(), usize::from(form == "csv"), "{form}");
    }
}

#[test]
fn a_sheet_has_a_row_for_each_finding_and_no_live_formula() {
    let desk = evidence();
    let report = desk.json(&["audit", "evidence", "--all", "--format", "json"]);
    let findings: Vec<&Value> = report["installations"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|installation| installation["findings"].as_array().into_iter().flatten())
        .collect();
    let rows = rows(&stdout(&desk, &["audit", "evidence", "--all", "--format", "csv"]));
    assert_eq!(rows.len(), findings.len());
    for (row, finding) in rows.iter().zip(&findings) {
        for field in ["id", "verdict", "severity", "grade", "view"] {
            assert_eq!(row[field], finding[field].as_str().unwrap());
        }
        assert_eq!(row["observed_raw"], finding["observed"]["raw"].as_str().unwrap_or_default());
        for (column, cell) in row {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']), "{column}: {cell}");
        }
    }
}

#[test]
fn events_have_what_timesketch_asks_for() {
    let desk = evidence();
    let events = lines(&stdout(&desk, &["audit", "evidence", "--all", "--format", "timesketch"]));
    let types = |value: &Value| -> Vec<(String, u8)> {
        let kind = |value: &Value| match value {
            Value::String(_) => 0,
            Value::Number(_) => 1,
            Value::Array(_) => 2,
            _ => 3,
        };
        value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), kind(value))).collect()
    };
    let first = types(&events[0]);
    for event in &events {
        assert_eq!(types(event), first);
        assert!(!event["message"].as_str().unwrap().is_empty());
        assert!(!event["timestamp_desc"].as_str().unwrap().is_empty());
        let time: jiff::Timestamp = event["datetime"].as_str().unwrap().parse().unwrap();
        assert_eq!(time.as_microsecond(), event["timestamp"].as_i64().unwrap(), "{event}");
    }
    assert!(events.iter().any(|event| event["timestamp_desc"] == "Windows installed"));
    assert!(events.iter().any(|event| event["verdict"] == "deviates"));
}

#[test]
fn documents_keep_to_the_elastic_common_schema() {
    let desk = evidence();
    let documents = lines(&stdout(&desk, &["audit", "evidence", "--all", "--format", "ecs"]));
    let gaps = documents.iter().filter(|document| document["event"]["kind"] == "pipeline_error").count();
    let report = desk.json(&["audit", "evidence", "--all", "--format", "json"]);
    assert_eq!(gaps, report["summary"]["gaps"].as_array().unwrap().len());
    let mut types = std::collections::BTreeMap::new();
    for document in &documents {
        assert!(document["@timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
        assert!(matches!(document["event"]["outcome"].as_str(), None | Some("success" | "failure" | "unknown")));
        check_types("", document, &mut types);
    }
    let strings = documents.iter().filter_map(|document| document["registry"]["data"].get("strings"));
    assert!(strings.clone().count() > 50 && strings.clone().all(Value::is_array));
}

/// A field that is there has one type in all documents; nothing is null.
fn check_types(name: &str, value: &Value, types: &mut std::collections::BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => panic!("{name} is null"),
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                check_types(&format!("{name}[]"), item, types);
            }
            "list"
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                check_types(&format!("{name}.{field}"), value, types);
            }
            "object"
        }
    };
    assert_eq!(*types.entry(name.to_owned()).or_insert(kind), kind, "{name}");
}

#[test]
fn evidence_is_no_markup_in_markdown() {
    use pulldown_cmark::{Event, Options, Parser};
    let desk = evidence();
    let text = stdout(&desk, &["audit", "evidence", "--all", "--format", "markdown"]);
    let mut spans = 0;
    for event in Parser::new_ext(&text, Options::all()) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html}"),
            Event::Start(pulldown_cmark::Tag::Link { dest_url, .. } | pulldown_cmark::Tag::Image { dest_url, .. }) => {
                panic!("{dest_url}")
            }
            Event::Code(_) => spans += 1,
            _ => {}
        }
    }
    assert!(spans > 100, "{text}");
}

#[test]
fn sarif_tells_what_failed_from_what_could_not_be_judged() {
    let desk = Desk::with(&["windows-7-bits-disabled", "windows-7-software-only", "windows-2000-bits-manual"]);
    let log = desk.json(&["audit", "evidence", "--all", "--format", "sarif"]);
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["level"] == "none", result["kind"] != "fail");
        let verdict = result["properties"]["verdict"].as_str().unwrap();
        assert_eq!(matches!(verdict, "deviates" | "absent" | "unexpected"), result["kind"] == "fail");
    }
    let kinds: std::collections::BTreeSet<&str> =
        results.iter().map(|result| result["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["fail", "informational", "open", "pass", "review"]);
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(notifications.iter().any(|one| one["descriptor"]["id"] == "hive-missing"), "{notifications:?}");
    assert_eq!(run["properties"]["complete"], false);
}
