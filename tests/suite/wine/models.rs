//! Compares Wine's regedit with our model, for difficult and random files: every key, value, type, and byte.

use std::collections::{BTreeMap, BTreeSet};

use hivemend::reg_file::{self, Document, Operation};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::prefix::{Wine, wine};
use super::wine_stores;
use crate::values::{Values, assert_same};

/// What stands for the key of one file.
const KEY: &str = "{K}";

/// What our model says that a file leaves of a key that was not there, as Wine stores it; `None` where Wine is known to
/// store something of its own, or to crash.
fn by_the_model(document: &Document) -> Option<(Values, BTreeSet<String>)> {
    let (mut values, mut keys) = (Values::new(), BTreeSet::new());
    // The names of values by what they are to Windows, under the spelling that came first.
    let mut spelled: BTreeMap<(String, String), Vec<u16>> = BTreeMap::new();
    for entry in &document.operations {
        let key = entry.operation.key().to_string().to_uppercase();
        match &entry.operation {
            Operation::CreateKey { key } => {
                // Two backslashes in a row are one to Wine.
                keys.extend(key.ancestry().map(|key| key.to_string().to_uppercase().replace(r"\\", r"\")));
            }
            Operation::DeleteKey { .. } => {
                let below = format!("{key}\\");
                let is_gone = |at: &str| at == key || at.starts_with(&below);
                values.retain(|(at, _), _| !is_gone(at));
                keys.retain(|at| !is_gone(at));
                spelled.retain(|(at, _), _| !is_gone(at));
            }
            Operation::SetValue { name, data_type, bytes, .. } => {
                let bytes = wine_stores(*data_type, bytes)?;
                let place = (key.clone(), String::from_utf16_lossy(name).to_uppercase());
                let spelling = spelled.entry(place).or_insert_with(|| name.clone()).clone();
                values.insert((key, spelling), (*data_type, bytes));
            }
            Operation::DeleteValue { name, .. } => {
                let place = (key.clone(), String::from_utf16_lossy(name).to_uppercase());
                if let Some(spelling) = spelled.remove(&place) {
                    values.remove(&(key, spelling));
                }
            }
        }
    }
    Some((values, keys))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Has Wine import files, each for a key of its own, and compares what it stores of all of them in the end.
fn compare(wine: &Wine, group: &str, texts: &[String]) -> usize {
    let root = format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\hivemend\{group}");
    let mut expected = BTreeMap::new();
    for (index, text) in texts.iter().enumerate() {
        let text = text.replace(KEY, &format!("{root}\\{index}"));
        let bytes = utf16(&format!("\u{feff}{text}"));
        let Some(tree) = by_the_model(&reg_file::parse(&bytes).effect) else { continue };
        wine.import(&bytes);
        expected.insert(index, (text, tree));
    }
    let (stored, made) = (wine.stored_below(&root), wine.keys_below(&root));
    for (index, (text, (values, keys))) in &expected {
        let key = format!("{root}\\{index}").to_uppercase();
        let below = format!("{key}\\");
        let mut found = stored.clone();
        found.retain(|(at, _), _| *at == key || at.starts_with(&below));
        assert_same(&found, values, &format!("Wine, of {text:?}"));
        let is_own = |at: &&String| **at == key || at.starts_with(&below);
        let (made, keys): (BTreeSet<_>, BTreeSet<_>) =
            (made.iter().filter(is_own).collect(), keys.iter().filter(is_own).collect());
        assert_eq!(made, keys, "Wine, of {text:?}");
    }
    expected.len()
}

/// Below a header and an open key. What Wine 8.0 does with them is what the model says of Windows.
const NASTY: &[&str] = &[
    "\"a\"=\"1\"\n\"A\"=\"2\"\n",
    "\"a\"=\"1\"\n\"a\"=-\n\"a\"=dword:2\n",
    "; a comment \\\n\"a\"=\"1\"\n",
    "# a comment\n\"a\"=\"1\"\n",
    "  \"a\"=\"1\"\n\t[{K}\\b]\n\"b\"=\"2\"\n",
    "\"a\"=\"1\" ; note\n\"b\"=\"2\" # note\n",
    "\"a\" = \"1\"\n\"b\"\t=\tdword: 1\n",
    "\"a\"=dword:1\n\"b\"=dword:0x1\n\"c\"=dword:123456789\n\"d\"=dword:\n\"e\"=dword:ffffffff\n",
    "\"a\"=hex:01,02,\n\"b\"=hex:01,,02\n\"c\"=hex:1,2\n\"d\"=hex:,01\n\"e\"=hex:100\n\"f\"=hex:\n",
    "\"a\"=hex:01,\\\n  02,\\\n  03\n\"b\"=hex:04\n",
    "\"a\"=hex:01,\\\n\n; between\n  02\n\"b\"=hex:04\n",
    "\"a\"=hex:01,\\ ; note\n  02\n",
    "\"a\"=hex:01,\\\n\"b\"=\"1\"\n\"c\"=\"2\"\n",
    "\"a\"=hex:01,\\\n[{K}\\b]\n\"b\"=\"lands above\"\n",
    "\"a\"=hex:01,\\\n# note\n\"c\"=\"2\"\n",
    "\"a\"=hex(2):25,00,00,00\n\"b\"=hex(7):61,00\n\"c\"=hex(b):01\n\"d\"=hex(ffffffff):01\n\"e\"=hex(100000000):01\n",
    "\"a\"=HEX:01\n\"b\"=DWORD:1\n\"c\"=qword:1\n\"d\"=hex(0x2):01\n",
    "@=\"default\"\n\"\"=\"again\"\n\"@\"=\"named\"\n",
    "\"a\"=- \n\"b\"=-x\n",
    "[{K}\\b] ; note\n\"b\"=\"1\"\n",
    "[{K}\\b] ; see [c]\n\"b\"=\"1\"\n",
    "[{K}\\b\n\"b\"=\"lands above\"\n",
    "[ {K}\\b]\n\"b\"=\"lands above\"\n",
    "[{K}\\b\\\\]\n\"b\"=\"1\"\n",
    "[-{K}\\b]\n\"b\"=\"dropped\"\n",
    "[{K}\\b]\n\"b\"=\"1\"\n[-{K}\\b]\n[{K}\\B]\n\"c\"=\"2\"\n",
    "[HKLM\\b]\n\"b\"=\"dropped\"\n[{K}]\n\"c\"=\"2\"\n",
    "nonsense\n\"a\"=\"1\"\n",
    "\"\u{e9}\"=\"\u{e9}\u{20ac}\"\n\"\u{c9}\"=\"second\"\n",
    "\"a\\\"b\\\\c\"=\"d\\\"e\\\\f\"\n",
    "\"a\"=\"text\r\n\"b\"=\"1\"\n",
    "\"a\"=\"1\"\n[-HKLM\\x]\n[{K}\\b]\n\"b\"=\"2\"\n",
    "\"a\"=\"1\"\n[HKEY_LOCAL_MASHINE\\x]\n\"c\"=\"3\"\n[{K}\\b]\n\"b\"=\"2\"\n",
    "\"a\"=\"1\"\n[-HKEY_LOCAL_MACHINE]\n[{K}\\b]\n\"b\"=\"2\"\n",
    "[{K}\\\\b]\n\"b\"=\"1\"\n",
    "\"a\"=\"C:\\temp\\new\\rx\"\n\"b\"=\"1\"\n",
    "\"a\"=\"1\"\0\n\"b\"=\"1\"\n",
    "\u{201c}a\u{201d}=\"1\"\n\"b\"=\"1\"\n",
    "\"a\\0b\"=\"1\"\n\"b\"=\"1\"\n",
    "\"a\u{2028}b\"=\"1\"\n\"c\u{1b}d\"=\"2\"\n\"e\u{85}f\"=\"3\"\n",
    "[{K}\\a\u{2028}b]\n\"c\"=\"2\"\n",
];

/// Where Wine 8.0 differs from Windows, and the model holds to Windows: the lines, those that Wine would need to come to
/// the same, and why.
const OTHERWISE: &[(&str, &str, &str)] = &[
    (
        "\"a\"=\"1\"\n\"b\"=\"x\\0y\"\n\"c\"=\"1\"\n",
        "\"a\"=\"1\"\n",
        "after the escape \\0 Wine goes on from a pointer that nobody has set, and drops the rest of the file",
    ),
    (
        "\"a\"=\"1\"\n\"b\"=\"x\\\n\"c\"=\"1\"\n",
        "\"a\"=\"1\"\n",
        "after a text that ends in a backslash Wine goes on from such a pointer, too",
    ),
];

#[test]
fn wine_differs_from_the_model_where_it_differs_from_windows() {
    let Some(wine) = wine() else { return };
    for (index, (lines, to_wine, why)) in OTHERWISE.iter().enumerate() {
        let key = format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\hivemend\otherwise\{index}");
        let text = |lines: &str| utf16(&format!("\u{feff}Windows Registry Editor Version 5.00\n\n[{key}]\n{lines}"));
        let model = |lines: &str| by_the_model(&reg_file::parse(&text(lines)).effect).unwrap().0;
        wine.import(&text(lines));
        assert_same(&wine.stored_below(&key), &model(to_wine), why);
        assert_ne!(model(lines), model(to_wine), "{why}");
    }
}

#[test]
fn wine_does_with_nasty_files_what_the_model_of_regedit_says() {
    let Some(wine) = wine() else { return };
    let texts: Vec<String> =
        NASTY.iter().map(|lines| format!("Windows Registry Editor Version 5.00\n\n[{KEY}]\n{lines}")).collect();
    assert_eq!(compare(&wine, "nasty", &texts), NASTY.len());
}

/// Lines that mean something to regedit, in good form and in bad.
const LINES: [&str; 40] = [
    "",
    "; note",
    "# note",
    "[{K}]",
    "[{K}\\Sub]",
    "[{K}\\sub\\x y]",
    "  [{K}\\Sub]",
    "[{K}\\Sub] ; note",
    "[{K}\\Sub",
    "[-{K}\\Sub]",
    "[-{K}\\none]",
    "[HKLM\\x]",
    "\"a\"=\"1\"",
    "\"A\"=\"2\"",
    "\"b\"=dword:2",
    "\"b\"=dword:0x2",
    "\"a\"=-",
    "\"b\"= - ; gone",
    "@=\"default\"",
    "@=-",
    "\"c\"=hex:01,02",
    "\"c\"=hex:01,\\\n  02",
    "\"c\"=hex:01,\\",
    "\"c\"=hex:01,",
    "\"d\"=hex(7):61,00,00,00,00,00",
    "\"d\"=hex(2):25,00",
    "\"e\"=hex(b):01,02,03,04,05,06,07,08",
    "\"e\"=hex(b):01,2",
    "\"f\"=\"x\\\\y\\\"z\"",
    "\"f\"=\"x\" ; note",
    "\"f\"=\"x\" # note",
    "\"\u{e9}\"=\"\u{e9}\"",
    "\"g\" = \"1\"",
    "\"g\"=",
    "\"h\"=DWORD:1",
    "h=1",
    "\"i\"=hex(ffffffff):00",
    "\"j\"=hex(0):",
    "\t\"k\"=dword:00000001",
    "\"l\"=hex:0g",
];

#[test]
fn wine_does_with_random_files_what_the_model_of_regedit_says() {
    let Some(wine) = wine() else { return };
    let cases = std::env::var("HIVEMEND_WINE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40);
    let mut runner = TestRunner::deterministic();
    let lines = prop::collection::vec(prop::sample::select(LINES.to_vec()), 3..14);
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    let mut texts = Vec::new();
    for _ in 0..cases {
        let (lines, end) = (lines.clone(), end.clone()).new_tree(&mut runner).unwrap().current();
        let text = format!("Windows Registry Editor Version 5.00\n\n[{KEY}]\n{}\n", lines.join("\n"));
        texts.push(text.replace('\n', end));
    }
    assert!(compare(&wine, "random", &texts) > cases / 2);
}
