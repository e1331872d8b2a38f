//! Keys in the output of `show`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use hivemend::reg_file::{self, Dialect, Operation};
use hivemend::show::{Layout, OpenOptions, Shown, Subject};
use tempfile::TempDir;

use crate::builder::{self, Built};
use crate::fixture;

mod hostile;
mod oracles;
mod program;
mod streaming;

/// A hive in a folder of its own.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn with(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("evidence")).unwrap();
        fs::write(folder.path().join("evidence").join(name), bytes).unwrap();
        Self { folder }
    }

    fn of(case: &str, role: &str) -> Self {
        let hives = fixture::compile(case).unwrap().hives;
        Self::with(role, &hives.into_iter().find(|(known, _)| *known == role).unwrap().1.to_bytes())
    }

    fn built(built: &Built) -> Self {
        Self::with("hive", &built.bytes)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn hive(&self) -> PathBuf {
        fs::read_dir(self.path("evidence")).unwrap().next().unwrap().unwrap().path()
    }

    fn subject(&self) -> Subject {
        Subject::open(&self.hive(), &OpenOptions::default()).unwrap()
    }

    /// Everything below a key in a form.
    fn shown(&self, key: &str, recursive: bool, layout: Layout) -> (String, Shown) {
        let subject = self.subject();
        let place = subject.find(key).unwrap().unwrap();
        let mut out = Vec::new();
        let shown = subject.write(&place, recursive, layout, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), shown)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
        command.arg("show").args(arguments).current_dir(self.folder.path()).output().unwrap()
    }
}

/// Values by key and name, in order: what a walk sees, and what a text says.
type Values = Vec<(Vec<u16>, Vec<u16>, u32, Vec<u8>)>;

/// The values of a text that regedit would take as it stands.
fn values_of(text: &[u8]) -> Values {
    let document = reg_file::parse(text).into_document().unwrap();
    let values = document.operations.into_iter().filter_map(|entry| match entry.operation {
        Operation::SetValue { key, name, data_type, bytes } => Some((key.to_units(), name, data_type, bytes)),
        _ => None,
    });
    values.collect()
}

/// A hive with a value of every kind, and some that regedit could not restore.
pub(crate) fn every_kind() -> builder::Hive {
    let mut hive = builder::Hive::new("ROOT");
    let key = hive.root.create(r"Kinds\Below ] it");
    key.class = Some(builder::units("Class \u{e9}"));
    for (name, data_type, data) in [
        ("", 1, &b"a\0\0\0"[..]),
        ("quotes \" and \\", 1, b"\"\0\\\0\0\0"),
        ("umlaut \u{fc}", 1, b"\xfc\0\0\0"),
        ("unterminated", 1, b"a\0"),
        ("odd", 2, b"a\0b"),
        ("hidden", 1, b"a\0\0\0b\0\0\0"),
        ("empty", 1, b""),
        ("line end", 1, b"a\0\n\0b\0\0\0"),
        ("list", 7, b"a\0\0\0b\0\0\0\0\0"),
        ("number", 4, &[1, 2, 3, 4]),
        ("short number", 4, &[1, 2]),
        ("quad", 11, &[8, 7, 6, 5, 4, 3, 2, 1]),
        ("none", 0, &[1]),
        ("unknown", 0xffff_0001, &[1, 2, 3]),
        ("binary", 3, &[0xab; 60]),
    ] {
        key.set(name, data_type, data);
    }
    hive.root.create("Zero");
    hive
}

#[test]
fn text_is_laid_out_as_regedit_lays_it_out() {
    let (text, shown) = Desk::built(&every_kind().build()).shown("kinds", true, Layout::RegText);
    insta::assert_snapshot!(text);
    assert_eq!(shown, Shown { complete: true, ..Shown::default() });
}

#[test]
fn a_table_shows_what_would_not_be_seen() {
    let style = hivemend::report::table::Style { width: Some(100), ..Default::default() };
    let (text, _) = Desk::built(&every_kind().build()).shown("", true, Layout::Table(style));
    insta::assert_snapshot!(text);
}

#[test]
fn json_has_the_shape_that_the_contract_says() {
    let (text, _) = Desk::built(&every_kind().build()).shown("", true, Layout::Json);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let paths: Vec<&str> =
        document["keys"].as_array().unwrap().iter().map(|key| key["path"].as_str().unwrap()).collect();
    let root = r"HKEY_LOCAL_MACHINE\HIVE";
    assert_eq!(
        paths,
        [root, &format!(r"{root}\Kinds"), &format!(r"{root}\Kinds\Below ] it"), &format!(r"{root}\Zero")]
    );
    assert_eq!(document["schema_version"], "1");
    assert_eq!(document["tool"]["name"], "hivemend");
    assert_eq!(document["keys"][0]["subkeys"], serde_json::json!(["Kinds", "Zero"]));
    let key = &document["keys"][2];
    assert_eq!((&key["class"], &key["last_written"]), (&"Class \u{e9}".into(), &"2010-01-01T00:00:00.0000000Z".into()));
    let value =
        |name: &str| key["values"].as_array().unwrap().iter().find(|value| value["name"] == name).unwrap().clone();
    assert_eq!(
        value("number"),
        serde_json::json!({"name": "number", "type": "REG_DWORD", "data": 67_305_985, "raw": "01020304"})
    );
    assert_eq!(value("list")["data"], serde_json::json!(["a", "b"]));
    assert_eq!(value("hidden")["data"], serde_json::Value::Null);
    assert_eq!(value("hidden")["raw"], "6100000062000000");
    assert_eq!(value("unknown")["type"], "type 0xffff0001");
    assert_eq!(key["values"].as_array().unwrap().len(), 15);
    assert_eq!(document["problems"], serde_json::json!([]));
}

#[test]
fn one_key_is_shown_without_those_below_it() {
    let desk = Desk::built(&every_kind().build());
    let (text, _) = desk.shown("KINDS", false, Layout::RegText);
    assert_eq!(text, "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\HIVE\\Kinds]\n\n");
    let (text, _) = desk.shown("Kinds", false, Layout::Json);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
    assert_eq!(document["keys"][0]["subkeys"], serde_json::json!(["Below ] it"]));
}

#[test]
fn a_file_gives_every_value_back() {
    let mut hive = every_kind();
    for case in ["hostile-strings", "windows-7"] {
        let system = fixture::compile(case).unwrap().hives.pop().unwrap().1;
        hive.root.subkeys.extend(system.root.subkeys.into_iter().map(|mut key| {
            key.name.extend(builder::units(case));
            key
        }));
    }
    let desk = Desk::built(&hive.build());
    let subject = desk.subject();
    let mut file = Vec::new();
    subject.write(&subject.find("").unwrap().unwrap(), true, Layout::RegFile, &mut file).unwrap();
    assert!(file.starts_with(&[0xff, 0xfe]));
    let mut expected = Values::new();
    let mut root = hive.root;
    collect(&mut root, r"HKEY_LOCAL_MACHINE\HIVE", &mut expected);
    assert!(expected.len() > 150, "{}", expected.len());
    assert_eq!(values_of(&file), expected);
    // The text is the same file in another encoding.
    let (text, _) = desk.shown("", true, Layout::RegText);
    let file: Vec<u16> = file.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    assert_eq!(String::from_utf16(&file).unwrap().trim_start_matches('\u{feff}').replace("\r\n", "\n"), text);
}

/// The values of a tree in the order in which a hive built of it has them.
fn collect(key: &mut builder::Key, path: &str, values: &mut Values) {
    let units = builder::units(path);
    values.extend(
        key.values.iter().map(|value| (units.clone(), value.name.clone(), value.data_type, value.data.clone())),
    );
    key.subkeys.sort_by_key(|key| key.name.iter().map(|&unit| builder::upcase(unit)).collect::<Vec<_>>());
    for subkey in &mut key.subkeys {
        let path = format!("{path}\\{}", String::from_utf16_lossy(&subkey.name));
        collect(subkey, &path, values);
    }
}

#[test]
fn a_key_is_found_however_it_is_written() {
    let desk = Desk::of("windows-xp-current-control-set-003-broken", "SYSTEM");
    let subject = desk.subject();
    let wanted = subject.find(r"ControlSet003\Services\BITS").unwrap().unwrap();
    for key in [
        r"controlset003\SERVICES\bits",
        r"\ControlSet003\Services\BITS\",
        r"CurrentControlSet\Services\BITS",
        r"HKLM\SYSTEM\CurrentControlSet\Services\BITS",
        r"hkey_local_machine\system\ControlSet003\Services\BITS",
        r"Computer\HKEY_LOCAL_MACHINE\SYSTEM\ControlSet003\Services\BITS",
    ] {
        assert_eq!(subject.find(key).unwrap().unwrap(), wanted, "{key}");
    }
    assert_ne!(subject.find(r"ControlSet001\Services\BITS").unwrap().unwrap(), wanted);
    assert_eq!(subject.find(r"HKLM\SYSTEM").unwrap().unwrap(), subject.find("").unwrap().unwrap());
    let (text, _) = desk.shown(r"CurrentControlSet\Services\BITS", false, Layout::RegText);
    assert!(text.contains("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet003\\Services\\BITS]\n"), "{text}");

    let elsewhere = OpenOptions { root: Some(r"HKEY_LOCAL_MACHINE\OFFLINE".into()), ..OpenOptions::default() };
    let subject = Subject::open(&desk.hive(), &elsewhere).unwrap();
    assert_eq!(subject.find(r"HKLM\Offline\ControlSet003\Services\BITS").unwrap().unwrap(), wanted);
    assert_eq!(subject.find(r"HKLM\SYSTEM\ControlSet003\Services\BITS").unwrap().unwrap(), wanted);
}

#[test]
fn a_key_that_is_not_there_is_told_with_what_is() {
    let desk = Desk::of("windows-xp", "SYSTEM");
    let told =
        |key: &str| desk.subject().find(key).unwrap_err().to_string().replace(desk.hive().to_str().unwrap(), "SYSTEM");
    insta::assert_snapshot!(told(r"CurrentControlSet\Servces\BITS"), @r"SYSTEM: there is no key CurrentControlSet\Servces\BITS: ControlSet001 exists, but has no subkey Servces; it has Services");
    insta::assert_snapshot!(told(r"ControlSet001\Services\BITS\Nothing\Below"), @r"SYSTEM: there is no key ControlSet001\Services\BITS\Nothing\Below: ControlSet001\Services\BITS exists, but has no subkey Nothing; it has another one");
    insta::assert_snapshot!(told(r"Zzz"), @r"SYSTEM: there is no key Zzz: the root exists, but has no subkey Zzz; it has 6 others");
    insta::assert_snapshot!(told(r"HKLM\SOFTWARE\Microsoft"), @r"SYSTEM: there is no key HKLM\SOFTWARE\Microsoft: the hive is SYSTEM, and is assumed to be loaded as HKEY_LOCAL_MACHINE\SYSTEM; name the key from the hive's root, or state with --root where the hive is loaded");
    insta::assert_snapshot!(told("a\u{1b}[2J"), @r"SYSTEM: there is no key a\u{1b}[2J: the root exists, but has no subkey a\u{1b}[2J; it has 6 others");
}

#[test]
fn a_root_that_regedit_does_not_know_is_refused() {
    let desk = Desk::of("windows-xp", "SYSTEM");
    for root in [r"HKLM\SYSTEM", "", r"HKEY_LOCAL_MACHINE\\a"] {
        let options = OpenOptions { root: Some(root.into()), ..OpenOptions::default() };
        let refused = Subject::open(&desk.hive(), &options).err().unwrap().to_string();
        assert!(refused.contains("--root"), "{refused}");
    }
}

/// The values of a document for hivexregedit, read again: what an importer of ours would do with the text.
fn merged(text: &str) -> Values {
    let document = reg_file::parse_text(text).into_document().unwrap();
    values_of(&reg_file::emit(&document, Dialect::Regedit5).unwrap())
}
