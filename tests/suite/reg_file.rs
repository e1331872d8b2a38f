//! The `.reg` format, compared with `tests/reg-cases.json`: the observed behaviour of regedit and other importers.

use std::collections::BTreeMap;

use hivemend::reg_file::{self, Document, KeyPath, Operation, Reading, Verdict};
use serde_json::Value;

mod emitting;
mod importers;
mod reading;
pub(crate) mod round_trip;

fn cases(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../reg-cases.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn bytes_of_hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|digits| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap()).collect()
}

/// The bytes of a parse case, and the key that its placeholders stand for.
fn parse_case(case: &Value) -> (Vec<u8>, String) {
    let below = format!("SOFTWARE\\RC\\{}", case["id"].as_str().unwrap());
    let key = format!("HKEY_LOCAL_MACHINE\\{below}");
    let newline = match case["newline"].as_str().unwrap() {
        "LF" => "\n",
        "CR" => "\r",
        _ => "\r\n",
    };
    let text = case["text"].as_str().unwrap().replace("{KT}", &below).replace("{K}", &key).replace('\n', newline);
    let utf16 = || text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let bytes = match case["encoding"].as_str().unwrap() {
        "utf-16le-bom" => [&[0xff, 0xfe][..], &utf16()].concat(),
        "utf-16le" => utf16(),
        "utf-8-bom" => [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
        "windows-1252" => text.into_bytes(),
        other => panic!("no such encoding: {other}"),
    };
    (bytes, key)
}

/// A registry just good enough to compare effects: key path in upper case to values; deleted keys are gone.
type Registry = BTreeMap<String, BTreeMap<String, (String, u32, Vec<u8>)>>;

fn apply(registry: &mut Registry, operation: &Operation) {
    let key = operation.key().to_string().to_uppercase();
    let fold = |name: &[u16]| String::from_utf16(name).unwrap().to_uppercase();
    match operation {
        Operation::CreateKey { .. } => _ = registry.entry(key).or_default(),
        Operation::DeleteKey { .. } => {
            let below = format!("{key}\\");
            registry.retain(|path, _| *path != key && !path.starts_with(&below));
        }
        Operation::SetValue { name, data_type, bytes, .. } => {
            let spelling = String::from_utf16(name).unwrap();
            let value = registry.entry(key).or_default().entry(fold(name)).or_insert((spelling, 0, vec![]));
            (value.1, value.2) = (*data_type, bytes.clone());
        }
        Operation::DeleteValue { name, .. } => _ = registry.entry(key).or_default().remove(&fold(name)),
    }
}

fn expected_effect(key: &str, effect: &Value) -> Vec<Operation> {
    let read = |step: &Value| {
        let key = KeyPath::from(format!("{key}{}", step["key"].as_str().unwrap()).as_str());
        match step["op"].as_str().unwrap() {
            "delete_key" => Operation::DeleteKey { key },
            "set" => Operation::SetValue {
                key,
                name: units(step["name"].as_str().unwrap()),
                data_type: u32::try_from(step["type"].as_u64().unwrap()).unwrap(),
                bytes: bytes_of_hex(step["data_hex"].as_str().unwrap()),
            },
            other => panic!("no such operation: {other}"),
        }
    };
    effect.as_array().unwrap().iter().map(read).collect()
}

/// What the operations leave of a registry that holds, if the case asks for it, a subkey `sub`. Keys without values
/// are left out, for the cases do not list them.
fn outcome<'o>(setup: &str, key: &str, operations: impl Iterator<Item = &'o Operation>) -> Registry {
    let mut registry = Registry::new();
    if setup == "SUB" {
        let bytes = bytes_of_hex("31000000");
        let key = KeyPath::from(format!("{key}\\sub").as_str());
        apply(&mut registry, &Operation::SetValue { key, name: units("s"), data_type: 1, bytes });
    }
    operations.for_each(|operation| apply(&mut registry, operation));
    registry.retain(|_, values| !values.is_empty());
    registry
}

fn effect_of(reading: &Reading) -> impl Iterator<Item = &Operation> {
    reading.effect.operations.iter().map(|entry| &entry.operation)
}

#[test]
fn every_parse_case_has_its_effect_and_its_verdict() {
    for case in cases("parse_cases") {
        let id = &case["id"];
        let (bytes, key) = parse_case(&case);
        let reading = reg_file::parse(&bytes);
        let verdict = match case["strict"].as_str().unwrap() {
            "accept" => [Verdict::Accept, if id == "P18" { Verdict::Warn } else { Verdict::Accept }],
            "warn" => [Verdict::Warn; 2],
            _ => [Verdict::Reject; 2],
        };
        assert!(verdict.contains(&reading.verdict()), "{id}: {:?}", reading.diagnostics);
        assert_eq!(reading.is_established(), !case["regedit_effect"].is_null(), "{id}: {:?}", reading.diagnostics);
        if reading.is_established() {
            let setup = case["setup"].as_str().unwrap();
            let expected = expected_effect(&key, &case["regedit_effect"]);
            let expected = outcome(setup, &key, expected.iter());
            assert_eq!(outcome(setup, &key, effect_of(&reading)), expected, "{id}");
        }
    }
}

/// The cases say what is left in the end; a delete of something that is not there must still be read, and in its place.
#[test]
fn deletions_are_read_in_order() {
    let case = cases("parse_cases").into_iter().find(|case| case["id"] == "P23").unwrap();
    let (bytes, key) = parse_case(&case);
    let document = reg_file::parse(&bytes).into_document().unwrap();
    let key = KeyPath::from(key.as_str());
    let read: Vec<_> = document.operations.into_iter().map(|entry| (entry.line, entry.operation)).collect();
    let gone = KeyPath::from(format!("{key}\\nokey").as_str());
    let bytes = bytes_of_hex("31000000");
    let expected = [
        (3, Operation::CreateKey { key: key.clone() }),
        (4, Operation::DeleteValue { key: key.clone(), name: units("nope") }),
        (5, Operation::SetValue { key, name: units("a"), data_type: 1, bytes }),
        (7, Operation::DeleteKey { key: gone }),
    ];
    assert_eq!(read, expected);
}

#[test]
fn a_plain_fixture_is_read_without_complaint() {
    let text = "Windows Registry Editor Version 5.00\n\n; hive SYSTEM\n[HKEY_LOCAL_MACHINE\\SYSTEM]\n@=\"é\"\n\
                \"x\"=hex(2):25,00,\\\n  00,00\n;last\n";
    let reading = reg_file::parse_text(text);
    assert_eq!(reading.diagnostics, []);
    let Document { comments, operations } = reading.into_document().unwrap();
    let comments: Vec<_> = comments.iter().map(|c| (c.line, String::from_utf16(&c.text).unwrap(), c.before)).collect();
    assert_eq!(comments, [(3, "hive SYSTEM".to_string(), 0), (8, "last".to_string(), 3)]);
    assert_eq!(operations.iter().map(|entry| entry.line).collect::<Vec<_>>(), [4, 5, 6]);
}

/// A fixture may hold data that regedit would change; the document keeps what is written.
#[test]
fn a_document_has_the_bytes_as_written() {
    let text = "Windows Registry Editor Version 5.00\n[HKEY_USERS\\x]\n\"a\"=hex(1):41,00\n\"b\"=hex(7):41\n";
    let reading = reg_file::parse_text(text);
    assert_eq!(reading.verdict(), Verdict::Warn);
    let data = |operation: &Operation| match operation {
        Operation::SetValue { bytes, .. } => bytes.clone(),
        _ => vec![],
    };
    assert_eq!(effect_of(&reading).map(data).collect::<Vec<_>>(), [vec![], vec![0x41, 0, 0, 0], vec![0x41]]);
    let document = reading.into_document().unwrap();
    let written = document.operations.iter().map(|entry| data(&entry.operation)).collect::<Vec<_>>();
    assert_eq!(written, [vec![], vec![0x41, 0], vec![0x41]]);
}
