//! The report as JSON, and its schema.

use std::collections::BTreeSet;

use hivemend::baseline::Baseline;
use hivemend::error::Problem;
use hivemend::evidence::Bytes;
use hivemend::finding::{Verdict, View};
use hivemend::hive::Hive;
use hivemend::hive::transaction_log::LogFormat;
use hivemend::hive::walk::{Loss, Lost, check};
use hivemend::os::OsId;
use hivemend::registry::Role;
use hivemend::report::{Replay, Report, json, jsonl};
use hivemend::schema::{self, Record};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::samples::{Sample, broken, dirty, hostile, located, report, software, system, without_conforming};

fn schema_value() -> Value {
    serde_json::from_str(&schema::text(Record::Report).unwrap()).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema_value()).unwrap()
}

fn written(report: &Report) -> String {
    let mut text = Vec::new();
    json::render(report, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn value(report: &Report) -> Value {
    serde_json::from_str(&written(report)).unwrap()
}

fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// A report in which nothing is null that can be something else.
fn full() -> Report {
    let mut installation = Sample::of(broken()).examine();
    installation.machine.last_shutdown = installation.machine.installed;
    installation.os.revision = Some(2965);
    installation.os.edition = Some("Professional".to_owned());
    let hive = &mut installation.hives[0];
    hive.container = Some(hivemend::evidence::file::Origin {
        format: "E01".to_owned(),
        partition: Some(2),
        offset: Some(1_048_576),
        stored_hash: Some("md5:0123abcd".to_owned()),
        verified: Some(false),
        facts: vec!["disk.E01: 8 sectors could not be read when the image was made".to_owned()],
        acquisition: Some(hivemend::evidence::file::Acquisition {
            case_number: Some("2026-017".to_owned()),
            evidence_number: Some("HD1".to_owned()),
            description: Some("a disk".to_owned()),
            examiner: Some("A. Examiner".to_owned()),
            notes: Some("none".to_owned()),
            acquired: Some("2012-07-23T01:02:50.0000000Z".to_owned()),
            software: Some("20140807".to_owned()),
            system: Some("Linux".to_owned()),
        }),
    });
    hive.integrity.replay = Some(Replay {
        log_format: LogFormat::New,
        logs_used: vec!["software.LOG1".to_owned()],
        entries_applied: 3,
        first_sequence: 4,
        last_sequence: 6,
        pages_written: 12,
    });
    let loss = Loss { key: r"Microsoft\Windows".into(), offset: 4128, promised: 5, delivered: 3, what: Lost::Subkeys };
    let (mut coverage, _) = check(&Hive::from_bytes(Bytes::Read(software().to_bytes())).unwrap().as_it_lies(), &mut ());
    coverage.lost.push(loss);
    hive.integrity.coverage = Some(coverage);
    let findings = &mut installation.judgement.as_mut().unwrap().findings;
    let changed = findings.iter_mut().find(|finding| finding.verdict == Verdict::Deviates).unwrap();
    changed.view = View::BothDiffer;
    changed.location = Some(located());
    changed.other_view =
        Some(json!({"verdict": "conforms", "observed": changed.observed, "location": changed.location}));
    changed.key_last_written_note = Some("the key has no time of last write (0)".to_owned());
    changed.also_in = vec![r"ControlSet003\Services\BITS".to_owned()];
    changed.cause = Some("service-bits".to_owned());
    changed.note = Some("the same in another form".to_owned());
    changed.advice = Some("Look at it.".to_owned());
    let mut report = report(vec![installation], |_| true);
    report.options.os = Some("windows-xp".parse().unwrap());
    report.problems.push(Problem::of("case/disk.E01", "an image", "nothing").advise("copy it again"));
    report
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::meta::is_valid(&schema_value()));
}

#[test]
fn reports_keep_to_the_schema() {
    let mut dirty_one = Sample::of(hostile()).examine();
    dirty(&mut dirty_one);
    let missing = Sample { software: None, ..Sample::of((software(), system())) };
    let unknown = Sample { baseline: None, ..Sample::of((software(), system())) };
    let found = Sample { judge: false, ..Sample::of((software(), system())) };
    let validator = validator();
    for report in [
        full(),
        report(vec![dirty_one, missing.examine()], without_conforming),
        report(vec![unknown.examine()], without_conforming),
        report(vec![found.examine()], without_conforming),
        report(Vec::new(), without_conforming),
    ] {
        assert_eq!(errors(&validator, &value(&report)), Vec::<String>::new());
    }
}

#[test]
fn reports_by_every_built_in_baseline_keep_to_the_schema() {
    let validator = validator();
    for os in OsId::ALL {
        let baseline = Baseline::of(*os).unwrap();
        let mut installation = Sample { baseline, ..Sample::of(broken()) }.examine();
        installation.os.id = *os;
        let report = report(vec![installation], |_| true);
        assert_eq!(errors(&validator, &value(&report)), Vec::<String>::new(), "{os}");
    }
}

/// Every object in a document, as the JSON pointer to it.
fn objects(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(pointer.to_owned());
            fields.iter().for_each(|(name, value)| objects(value, &format!("{pointer}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| objects(item, &format!("{pointer}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
fn an_unknown_or_a_missing_field_is_refused_wherever_it_is() {
    let (validator, whole) = (validator(), value(&full()));
    let mut pointers = Vec::new();
    objects(&whole, "", &mut pointers);
    assert!(pointers.len() > 50);
    for pointer in pointers {
        let mut with = whole.clone();
        with.pointer_mut(&pointer).unwrap()["clock"] = json!(1);
        assert!(!validator.is_valid(&with), "{pointer}/clock is unknown");
        for name in whole.pointer(&pointer).unwrap().as_object().unwrap().keys() {
            let mut without = whole.clone();
            without.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(name);
            assert!(!validator.is_valid(&without), "{pointer}/{name} is missing");
        }
    }
}

#[test]
fn a_wrong_word_or_a_wrong_kind_of_data_is_refused() {
    let (validator, whole) = (validator(), value(&full()));
    let finding = |verdict: &str| {
        let findings = whole["installations"][0]["findings"].as_array().unwrap();
        let index = findings.iter().position(|finding| finding["verdict"] == verdict).unwrap();
        format!("/installations/0/findings/{index}")
    };
    let (deviates, open) = (finding("deviates"), finding("not-assessed"));
    let installation = "/installations/0";
    for (pointer, wrong) in [
        ("/schema_version".to_owned(), json!("2")),
        ("/options/fail_on".to_owned(), json!("fatal")),
        ("/options/generations".to_owned(), json!("some")),
        ("/options/control_set".to_owned(), json!("0")),
        ("/summary/highest_severity".to_owned(), json!("worst")),
        ("/summary/assessed".to_owned(), json!(-1)),
        (format!("{installation}/generation"), json!("backup")),
        (format!("{installation}/os/id"), json!("windows-12")),
        (format!("{installation}/machine/installed"), json!("2010-06-03T01:57:06Z")),
        (format!("{installation}/hives/0/role"), json!("software")),
        (format!("{installation}/hives/0/sha256"), json!("d14ecac3")),
        (format!("{installation}/hives/0/integrity/state"), json!("good")),
        (format!("{installation}/hives/0/integrity/logs/0/state"), json!("old")),
        (format!("{installation}/hives/0/integrity/logs/0/format"), json!("stale")),
        (format!("{deviates}/verdict"), json!("wrong")),
        (format!("{deviates}/verdict"), json!("not-assessed")),
        (format!("{deviates}/severity"), json!("Medium")),
        (format!("{deviates}/grade"), json!("single source")),
        (format!("{deviates}/reason"), json!("informational")),
        (format!("{deviates}/view"), json!("log")),
        (format!("{deviates}/observed/type"), json!("REG_STRING")),
        (format!("{deviates}/observed/data"), json!(3)),
        (format!("{deviates}/observed/raw"), json!("5")),
        (format!("{deviates}/expected/0/data"), json!(["SensShutdownEvent"])),
        (format!("{deviates}/remediation/action"), json!("delete-key")),
        (format!("{open}/reason"), json!("because")),
        (format!("{open}/reason"), json!(null)),
    ] {
        let mut changed = whole.clone();
        let place = changed.pointer_mut(&pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert_ne!(*place, wrong, "{pointer}");
        *place = wrong.clone();
        assert!(!validator.is_valid(&changed), "{pointer} = {wrong}");
    }
}

#[test]
fn the_schema_knows_every_windows_and_every_hive() {
    let words = |name: &str| -> BTreeSet<String> {
        let words = schema_value()["$defs"][name]["enum"].as_array().unwrap().clone();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(words("os_id"), OsId::ALL.iter().map(ToString::to_string).collect());
    let roles = [
        Role::Software,
        Role::System,
        Role::Ntuser,
        Role::UsrClass,
        Role::Sam,
        Role::Security,
        Role::Default,
        Role::Components,
        Role::Drivers,
        Role::Bcd,
        Role::Amcache,
        Role::Unknown,
    ];
    assert_eq!(words("role"), roles.iter().map(ToString::to_string).collect());
}

#[test]
fn json_has_the_order_of_the_structs_and_a_line_end() {
    let mut report = report(vec![Sample::of(broken()).examine()], without_conforming);
    let judgement = report.installations[0].judgement.as_mut().unwrap();
    judgement.findings.retain(|finding| finding.id.ends_with("/Shutdown"));
    insta::assert_snapshot!("json", written(&report));
}

#[test]
fn every_record_has_a_line_and_the_summary_is_the_last() {
    let report = report(vec![Sample::of(broken()).examine()], without_conforming);
    let mut text = Vec::new();
    report.render(&mut jsonl::Lines::new(&mut text)).unwrap();
    let lines: Vec<Value> =
        String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["record"].as_str().unwrap()).collect();
    let findings = &report.installations[0].judgement.as_ref().unwrap().findings;
    assert_eq!(kinds[..2], ["run", "installation"]);
    assert_eq!(kinds[2..findings.len() + 2], vec!["finding"; findings.len()]);
    assert_eq!(kinds.last(), Some(&"summary"));
    for line in lines.iter().filter(|line| line["record"] == "finding") {
        let place = &line["installation"];
        let fields: Vec<&String> = place.as_object().unwrap().keys().collect();
        let wanted =
            ["computer_name", "evidence", "generation", "hive_path", "id", "label", "md5", "os", "sha1", "sha256"];
        assert_eq!(fields, wanted);
        assert_eq!(place["sha256"].is_null(), line["hive"].is_null());
        assert_eq!(line["path"].is_null(), line["key"].is_null());
    }
}

#[test]
fn what_is_written_is_read_back() {
    for report in [full(), report(vec![Sample::of(hostile()).examine()], |_| true)] {
        let text = written(&report);
        let back: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(written(&back), text);
    }
}

#[test]
fn half_a_judgement_is_an_error_and_no_installation_that_nobody_judged() {
    let report = report(vec![Sample::of(broken()).examine()], without_conforming);
    for field in ["findings", "counts", "own_keys"] {
        let mut value = value(&report);
        value["installations"][0].as_object_mut().unwrap().remove(field).unwrap();
        let error = serde_json::from_value::<Report>(value).unwrap_err().to_string();
        assert!(error.contains(&format!("missing field `{field}`")), "{error}");
    }
}
