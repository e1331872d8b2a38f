//! Compares the text with programs from other projects: `hivexregedit` exports the same values from the hive, and
//! merges the text into an empty hive that then has them. Ignored if it is not installed (`libwin-hivex-perl`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use hivemend::reg_file::{self, Operation};
use hivemend::show::{Layout, OpenOptions, Subject};

use super::{Desk, every_kind};
use crate::builder;
use crate::fixture;
use crate::importers::is_installed;
use crate::real_hives::corpus;

const PREFIX: &str = r"HKEY_LOCAL_MACHINE\HIVE";

/// Values by key and name; hivexregedit sorts, and writes keys without values too.
type Sorted = BTreeMap<(String, Vec<u16>), (u32, Vec<u8>)>;

fn sorted(text: &str) -> Sorted {
    let document = reg_file::parse_text(text).into_document().unwrap();
    let values = document.operations.into_iter().filter_map(|entry| match entry.operation {
        Operation::SetValue { key, name, data_type, bytes } => Some(((key.to_string(), name), (data_type, bytes))),
        _ => None,
    });
    values.collect()
}

fn exported(hive: &Path) -> Sorted {
    sorted(&String::from_utf8(hivexregedit("--export", hive, Path::new("\\"))).unwrap())
}

fn hivexregedit(what: &str, hive: &Path, with: &Path) -> Vec<u8> {
    let mut run = Command::new("hivexregedit");
    let run = run.args([what, "--prefix", PREFIX]).args([hive, with]).env("PERL_UNICODE", "SD").output().unwrap();
    assert!(run.status.success(), "{}: {}", hive.display(), String::from_utf8_lossy(&run.stderr));
    run.stdout
}

fn shown(hive: &Path) -> String {
    let options = OpenOptions { root: Some(PREFIX.into()), replay: false, ..OpenOptions::default() };
    let subject = Subject::open(hive, &options).unwrap();
    let mut text = Vec::new();
    let shown = subject.write(&subject.find("").unwrap().unwrap(), true, Layout::RegText, &mut text).unwrap();
    assert_eq!(shown.problems, [], "{}", hive.display());
    String::from_utf8(text).unwrap()
}

fn same(ours: &Sorted, theirs: &Sorted, what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (value, data) in ours {
        assert_eq!(theirs.get(value), Some(data), "{what}: {} {:?}", value.0, String::from_utf16_lossy(&value.1));
    }
}

#[test]
fn hivexregedit_exports_and_imports_the_same_values() {
    if !is_installed() {
        return;
    }
    let mut hives = vec![("every kind", every_kind())];
    for case in ["hostile-strings", "windows-10", "windows-2000"] {
        hives.extend(fixture::compile(case).unwrap().hives.into_iter().map(|(_, hive)| (case, hive)));
    }
    for (what, hive) in hives {
        let desk = Desk::with("hive", &hive.to_bytes());
        let text = shown(&desk.hive());
        let ours = sorted(&text);
        assert!(ours.len() > 14, "{what}");
        same(&ours, &exported(&desk.hive()), what);

        let (empty, file) = (desk.path("empty"), desk.path("text.reg"));
        fs::write(&empty, builder::Hive::new("ROOT").to_bytes()).unwrap();
        fs::write(&file, text).unwrap();
        hivexregedit("--merge", &empty, &file);
        same(&ours, &exported(&empty), what);
    }
}

#[test]
fn hivexregedit_exports_the_same_values_of_real_hives() {
    let Some(corpus) = corpus() else { return };
    if !is_installed() {
        return;
    }
    for name in ["xp-sp3-x86/system", "xp-sp3-x86-m57/SYSTEM"] {
        let ours = sorted(&shown(&corpus.join(name)));
        assert!(ours.len() > 10_000, "{name}: {}", ours.len());
        same(&ours, &exported(&corpus.join(name)), name);
    }
}
