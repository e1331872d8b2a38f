//! The JSON Schemas (`hivemend schema RECORD`), compared with the JSON that the program writes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::OnceLock;

use clap::ValueEnum;
use hivemend::os::OsId;
use hivemend::reg_file::Code;
use hivemend::schema::{Record, text};
use jsonschema::Validator;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::agreement::script;
use crate::command_line::Desk;
use crate::harness::lacks_program;

mod written;

use written::{Written, all_written};

fn name(record: Record) -> String {
    record.to_possible_value().unwrap().get_name().to_owned()
}

fn schema(record: Record) -> Value {
    serde_json::from_str(&text(record).unwrap()).unwrap()
}

fn validator(record: Record) -> Validator {
    jsonschema::draft202012::new(&schema(record)).unwrap()
}

fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn each_record_has_a_schema_and_the_command_prints_it() {
    let desk = Desk::with(&[]);
    assert_eq!(Record::ALL.as_slice(), Record::value_variants());
    for record in Record::ALL {
        let printed = String::from_utf8(desk.run(&["schema", &name(record)]).stdout).unwrap();
        assert_eq!(printed, text(record).unwrap());
        let schema: Value = serde_json::from_str(&printed).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{}", name(record));
        assert_eq!(schema["$id"], format!("urn:hivemend:{}:1", name(record)));
        // Only what is used is there.
        for definition in schema["$defs"].as_object().unwrap().keys() {
            assert!(printed.contains(&format!("\"#/$defs/{definition}\"")), "{}: {definition}", name(record));
        }
    }
    let report = desk.run(&["schema"]).stdout;
    for same in ["report", "find", "audit"] {
        assert_eq!(desk.run(&["schema", same]).stdout, report);
    }
    let complaint = desk.complaint(2, &["schema", "histroy"]);
    assert!(complaint.contains("'history'"), "{complaint}");
}

#[test]
fn lists_of_words_are_those_of_the_program() {
    let words = |record, name: &str| -> Vec<String> {
        let words = schema(record)["$defs"][name]["enum"].as_array().unwrap().clone();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(words(Record::Plan, "os_id"), OsId::ALL.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(words(Record::Lint, "lint_code"), Code::ALL.iter().map(|code| code.id()).collect::<Vec<_>>());
}

/// Shared definitions that no schema uses are left over.
#[test]
fn every_shared_definition_is_used() {
    let file = include_str!("../../src/schema/defs.json");
    let shared: BTreeMap<String, Value> = serde_json::from_str(file).unwrap();
    let used: BTreeSet<String> = Record::ALL
        .into_iter()
        .flat_map(|record| schema(record)["$defs"].as_object().unwrap().keys().cloned().collect::<Vec<_>>())
        .collect();
    let unused: Vec<&String> = shared.keys().filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_json_that_the_program_writes_keeps_to_its_schema() {
    for record in Record::ALL {
        let validator = validator(record);
        let of_record: Vec<&Written> = all_written().iter().filter(|written| written.record == record).collect();
        of_record.par_iter().filter(|written| !validator.is_valid(&written.value)).for_each(
            |Written { from, value, .. }| {
                let errors = errors(&validator, value);
                panic!("{}: {from}: {:#?}", name(record), &errors[..errors.len().min(5)]);
            },
        );
        let count = of_record.len();
        assert!(count > 0, "nothing writes {}", name(record));
    }
}

/// Python's implementation reads the printed schemas as ours does.
#[test]
fn pythons_jsonschema_accepts_all_of_it() {
    const LONGEST: usize = 3_000_000;
    let folder = tempfile::tempdir().unwrap();
    let mut expected = BTreeMap::new();
    for record in Record::ALL {
        let name = name(record);
        std::fs::write(folder.path().join(format!("{name}.schema.json")), text(record).unwrap()).unwrap();
        // It takes many minutes for all of them: those of a few installations that differ in kind from those before.
        let texts = various(record).0.iter().map(|written| written.value.to_string() + "\n");
        let chosen: Vec<String> = texts.filter(|text| text.len() < LONGEST).collect();
        assert!(!chosen.is_empty(), "{name}");
        std::fs::write(folder.path().join(format!("{name}.jsonl")), chosen.concat()).unwrap();
        expected.insert(name, chosen.len());
    }
    let run = script("validate_with_jsonschema.py").arg(folder.path()).stderr(Stdio::piped()).output().unwrap();
    if run.status.code() == Some(77) {
        return lacks_program("python3-jsonschema");
    }
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed = String::from_utf8(run.stdout).unwrap();
    let counted: BTreeMap<String, usize> = printed
        .lines()
        .map(|line| line.split_once(' ').map(|(name, count)| (name.to_owned(), count.parse().unwrap())).unwrap())
        .collect();
    assert_eq!(counted, expected);
}

/// Which kinds of JSON there are at each place, items of a list being one place.
type Kinds = BTreeMap<String, BTreeSet<&'static str>>;

/// Adds those of a value. Whether there was a new one.
fn add_kinds(value: &Value, place: &mut String, found: &mut Kinds) -> bool {
    let length = place.len();
    let mut is_new = false;
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            place.push_str("[]");
            for item in items {
                is_new |= add_kinds(item, place, found);
            }
            place.truncate(length);
            if items.is_empty() { "empty" } else { "list" }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                place.push('/');
                place.push_str(name);
                is_new |= add_kinds(value, place, found);
                place.truncate(length);
            }
            "object"
        }
    };
    match found.get_mut(place.as_str()) {
        Some(kinds) => kinds.insert(kind) || is_new,
        None => found.insert(place.clone(), BTreeSet::from([kind])).is_none(),
    }
}

/// Of each record the documents in which something has another kind than in those before, and all kinds.
fn various(record: Record) -> &'static (Vec<&'static Written>, Kinds) {
    static ALL: OnceLock<Vec<(Vec<&'static Written>, Kinds)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let of_record = |record: &Record| {
            let mut seen = Kinds::new();
            let of_record = all_written().iter().filter(|written| written.record == *record);
            let chosen = of_record.filter(|written| add_kinds(&written.value, &mut String::new(), &mut seen)).collect();
            (chosen, seen)
        };
        Record::ALL.par_iter().map(of_record).collect()
    });
    &all[Record::ALL.iter().position(|one| *one == record).unwrap()]
}

/// Places that nothing of this fills. What disk images would put there, `report/documents.rs` makes up; the account is
/// only known where the environment names it.
const NEVER_FILLED: [&str; 52] = [
    "report:/installations[]/findings[]/location/segments",
    "report:/installations[]/findings[]/other_view/location/segments",
    "report:/installations[]/findings[]/other_view/location/written_by/data",
    "report:/installations[]/findings[]/other_view/location/written_by/nk",
    "report:/installations[]/findings[]/other_view/location/written_by/vk",
    "report:/installations[]/hives[]/container/acquisition",
    "report:/installations[]/hives[]/container/facts",
    "report:/installations[]/hives[]/container/offset",
    "report:/installations[]/hives[]/container/partition",
    "report:/installations[]/hives[]/container/stored_hash",
    "report:/installations[]/hives[]/container/verified",
    "report:/installations[]/hives[]/integrity/coverage/lost",
    "report:/installations[]/hives[]/integrity/problems[]/code",
    "report:/installations[]/hives[]/integrity/problems[]/path",
    "report:/problems[]/code",
    "report:/problems[]/offset",
    "report:/shadow_copies",
    "report:/sources[]/advice",
    "records:/hives[]/container/acquisition",
    "records:/hives[]/container/facts",
    "records:/hives[]/container/offset",
    "records:/hives[]/container/partition",
    "records:/hives[]/container/stored_hash",
    "records:/hives[]/container/verified",
    "records:/hives[]/integrity/coverage",
    "records:/hives[]/integrity/problems[]/code",
    "records:/hives[]/integrity/problems[]/path",
    "records:/location/segments",
    "records:/offset",
    "records:/other_view/location/segments",
    "records:/other_view/location/written_by/data",
    "records:/other_view/location/written_by/nk",
    "records:/other_view/location/written_by/vk",
    "history:/problems[]/code",
    "history:/problems[]/offset",
    "verify:/installations[]/mended[]/control_set",
    "verify:/installations[]/preconditions[]/note",
    "verify:/installations[]/unknown",
    "verify:/patches[]/contradictions",
    "verify:/problems",
    "applied:/edits[]/note",
    "applied:/problems[]/advice",
    "applied:/problems[]/code",
    "applied:/problems[]/offset",
    "show:/keys[]/class",
    "show:/problems[]/code",
    "show:/problems[]/path",
    "plan:/edits[]/also_in",
    "plan:/proof/altered",
    "custody:/account",
    "custody:/case/acquired",
    "custody:/case/acquired_with",
];

#[test]
fn every_field_is_seen_with_something_in_it() {
    let is_filled = |kinds: &BTreeSet<&str>| kinds.iter().any(|kind| !matches!(*kind, "null" | "empty"));
    let never_filled = Record::ALL.into_iter().flat_map(|record| {
        let never = various(record).1.iter().filter(|(_, kinds)| !is_filled(kinds));
        never.map(move |(place, _)| format!("{}:{place}", name(record)))
    });
    let unexpected: Vec<String> = never_filled.filter(|place| !NEVER_FILLED.contains(&place.as_str())).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

/// Every object in a document by its place, and the JSON pointer to the first one there.
fn objects(value: &Value, pointer: &str, place: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            found.entry(place.to_owned()).or_insert_with(|| pointer.to_owned());
            for (name, value) in fields {
                objects(value, &format!("{pointer}/{name}"), &format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, &format!("{pointer}/{index}"), &format!("{place}[]"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn an_unknown_or_a_missing_field_is_refused_in_every_document() {
    for record in Record::ALL {
        let validator = validator(record);
        let mut tried = BTreeSet::new();
        let mut documents = various(record).0.clone();
        documents.sort_by_key(|written| written.value.to_string().len());
        for written in documents {
            let mut found = BTreeMap::new();
            objects(&written.value, "", "", &mut found);
            for (place, pointer) in found {
                let kind = written.value.get("record").unwrap_or(&Value::Null);
                if !tried.insert((kind.to_string(), place.clone())) {
                    continue;
                }
                let mut changed = written.value.clone();
                changed.pointer_mut(&pointer).unwrap()["clock"] = json!(1);
                assert!(!validator.is_valid(&changed), "{}: {place}/clock is unknown", name(record));
                // ECS leaves out what is not known.
                if record == Record::Ecs {
                    continue;
                }
                for field in written.value.pointer(&pointer).unwrap().as_object().unwrap().keys() {
                    let mut changed = written.value.clone();
                    changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(field);
                    assert!(!validator.is_valid(&changed), "{}: {place}/{field} is missing", name(record));
                }
            }
        }
        assert!(!tried.is_empty());
    }
}
