//! Values for testing importers, and all values that a reader finds: by key and name, with type and bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use hivemend::hive::Hive;
use hivemend::hive::walk::{Visitor, WalkedKey, WalkedValue, walk};
use hivemend::reg_file::{self, CodePage, Dialect, Document, KeyPath, Operation};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::agreement::known::shown_by_libregf;
use crate::agreement::{from_hex, script};
use crate::builder::{self, BIG_DATA_SEGMENT};
use crate::harness;
use crate::reg_file::round_trip::{data, name};

/// Type and bytes by key, in upper case, and name.
pub(crate) type Values = BTreeMap<(String, Vec<u16>), (u32, Vec<u8>)>;

/// Keys that try the key line, below one that is given. They differ by more than their letter case.
const KEYS: [&str; 6] = ["", r"a\b\c", r"Sub x]y\q", "é", r"= ; # @\[-x", r#"qu"ote\dword:1"#];

/// That many values which a dialect can say, the same each time: any type, names and texts full of what means something
/// in the format, data of every length from none to as much as a cell of a hive holds, or more. No two names are alike.
pub(crate) fn random_values(count: usize, below: &str, dialect: Dialect) -> Values {
    let mut runner = TestRunner::deterministic();
    let long = prop::collection::vec(any::<u8>(), 120..2000);
    let long = (prop::sample::select(vec![0_u32, 3, 4, 8, 11, 0xffff_0001]), long);
    let short = (0..12_u32, prop::sample::select(vec![vec![], vec![0], vec![0, 0], vec![1, 2, 3, 4], vec![7; 8]]));
    let datum = prop_oneof![8 => data(), 2 => short, 1 => long];
    let value = (prop::sample::select(KEYS.to_vec()), name(), datum);
    let mut values = Values::new();
    // Beyond that a hive keeps data in segments, which hivex does not write: in its dialect nothing is longer.
    let longest = if dialect == Dialect::Hivex { BIG_DATA_SEGMENT } else { 40_000 };
    let big = (3, (0..longest).map(|byte| byte.to_le_bytes()[0]).collect());
    values.insert((below.to_uppercase(), "big".encode_utf16().collect()), big);
    while values.len() < count {
        let (key, name, (data_type, bytes)) = value.new_tree(&mut runner).unwrap().current();
        let key = format!("{below}\\{key}").trim_end_matches('\\').to_owned();
        let fold = |name: &[u16]| String::from_utf16_lossy(name).to_uppercase();
        let is_new = values.keys().all(|(other, named)| *other != key.to_uppercase() || fold(named) != fold(&name));
        let value = (data_type, bytes);
        if is_new && reg_file::check_operation(&set(&key, &name, &value), dialect).is_ok() {
            values.insert((key.to_uppercase(), name), value);
        }
    }
    values
}

fn set(key: &str, name: &[u16], (data_type, bytes): &(u32, Vec<u8>)) -> Operation {
    Operation::SetValue { key: KeyPath::from(key), name: name.to_vec(), data_type: *data_type, bytes: bytes.clone() }
}

/// Those of them that a dialect can say.
pub(crate) fn sayable(mut values: Values, dialect: Dialect) -> Values {
    values.retain(|(key, name), value| reg_file::check_operation(&set(key, name, value), dialect).is_ok());
    values
}

/// The text that sets them.
pub(crate) fn text_of(values: &Values, dialect: Dialect) -> Vec<u8> {
    let mut document = Document::default();
    for ((key, name), value) in values {
        document.push(set(key, name, value));
    }
    reg_file::emit(&document, dialect).unwrap()
}

/// What a text sets, taken as it is written.
pub(crate) fn values_of(document: Document) -> Values {
    let mut values = Values::new();
    for entry in document.operations {
        if let Operation::SetValue { key, name, data_type, bytes } = entry.operation {
            values.insert((key.to_string().to_uppercase(), name), (data_type, bytes));
        }
    }
    values
}

/// What we find in a hive that is loaded as `root`: in these keys, and in those below them.
pub(crate) fn ours(hive: &Path, root: &str, keys: &[&str]) -> Values {
    struct Gathered<'a> {
        root: &'a str,
        keys: &'a [&'a str],
        /// The key that was come to last, where it is asked for.
        key: Option<String>,
        values: Values,
    }
    impl Visitor for Gathered<'_> {
        fn key(&mut self, key: &WalkedKey<'_, '_>) {
            let path = key.path().to_uppercase();
            let is_asked_for = self.keys.iter().any(|key| is_at_or_below(&path, key));
            let path = || format!("{}\\{path}", self.root).trim_end_matches('\\').to_uppercase();
            self.key = is_asked_for.then(path);
        }

        fn value(&mut self, _: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
            if let Some(key) = &self.key {
                let place = (key.clone(), value.name_units().collect());
                let datum = (value.data_type().0, value.data().to_vec());
                assert!(self.values.insert(place, datum).is_none(), "{key}: a name twice");
            }
        }
    }
    let hive = Hive::open(hive, true).unwrap().unwrap().as_it_lies();
    let mut gathered = Gathered { root, keys, key: None, values: Values::new() };
    let walked = walk(&hive, &mut gathered);
    assert_eq!(walked.lost, []);
    gathered.values
}

fn is_at_or_below(path: &str, key: &str) -> bool {
    let rest = path.strip_prefix(&key.to_uppercase());
    key.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

/// The same as libregf shows it, or `None` where its Python module is not installed.
pub(crate) fn libregfs(hive: &Path, root: &str, keys: &[&str]) -> Option<Values> {
    let run = script("read_with_libregf.py").arg(hive).args(keys).stderr(Stdio::piped()).output().unwrap();
    if run.status.code() == Some(77) {
        harness::lacks_program("libregf (python3-libregf)");
        return None;
    }
    assert!(run.status.success(), "{}: {}", hive.display(), String::from_utf8_lossy(&run.stderr));
    let (mut values, mut path) = (Values::new(), String::new());
    for line in String::from_utf8(run.stdout).unwrap().split('\n') {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["key", of, ..] => path = format!("{root}{of}").to_uppercase(),
            ["value", name @ .., data_type, data] => {
                let name = name.join("\t").encode_utf16().collect();
                values.insert((path.clone(), name), (data_type.parse().unwrap(), from_hex(data)));
            }
            _ => assert_eq!(line, "", "{}", hive.display()),
        }
    }
    Some(values)
}

/// Fails with the first difference, which all of two large maps would hide.
pub(crate) fn assert_same(found: &Values, expected: &Values, what: &str) {
    for ((key, name), value) in expected {
        let place = (key.clone(), name.clone());
        assert_eq!(found.get(&place), Some(value), "{what}: {key} {:?}", String::from_utf16_lossy(name));
    }
    for ((key, name), value) in found {
        let is_known = expected.contains_key(&(key.clone(), name.clone()));
        assert!(is_known, "{what}: not expected: {key} {:?}: {value:?}", String::from_utf16_lossy(name));
    }
}

/// Fails where libregf shows something else than it should of these values.
///
/// It shows less than there is ([`shown_by_libregf`]), reads texts that no NUL ends past their end, takes names that are
/// kept in bytes for Windows-1252, where they are Latin-1, and a mark at the beginning of others for one of byte order.
pub(crate) fn assert_same_to_libregf(found: &Values, expected: &Values, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what} by libregf");
    for ((key, name), (data_type, bytes)) in expected {
        let in_bytes: Option<Vec<u8>> = name.iter().map(|&unit| u8::try_from(unit).ok()).collect();
        let unmarked = name.strip_prefix(&[0xfeff]).unwrap_or(name);
        let shown_name = in_bytes.map_or_else(|| unmarked.to_vec(), |name| CodePage::WINDOWS_1252.decode(&name));
        let what = format!("{what} by libregf: {key} {:?}", String::from_utf16_lossy(name));
        let (found_type, found_bytes) = found.get(&(key.clone(), shown_name)).unwrap_or_else(|| panic!("{what}: none"));
        assert_eq!(found_type, data_type, "{what}");
        let (shown, mut found) = (shown_by_libregf(*data_type, bytes), shown_by_libregf(*data_type, found_bytes));
        if matches!(data_type, 1 | 2) && !bytes.as_chunks::<2>().0.contains(&[0, 0]) {
            found.to_mut().truncate(shown.len());
        }
        assert_eq!(found, shown, "{what}");
    }
}

/// A hive without values, in a file.
pub(crate) fn empty_hive(path: &Path) {
    fs::write(path, builder::Hive::new("ROOT").to_bytes()).unwrap();
}
