//! Copies of real hives, damaged at random: our patch is clean for its own importer, and hivexregedit changes the hives
//! exactly as the model predicts, in every key, value, type, and byte. Nothing of them is kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use hivemend::examination::{Examination, Options};
use hivemend::finding::{Finding, Severity};
use hivemend::reg_file::{CodePage, Dialect};
use hivemend::registry::Role;
use hivemend::remediation::{PatchFile, PatchOptions, patch_files};
use hivemend::verification::{Importing, Mounts, Patch, prove, verify};

use super::models::{by_the_model, by_the_program};
use super::{findings, installation, is_installed, plan};
use crate::cases::examine_folder;
use crate::damage::Seeded;
use crate::fixture::root_of;
use crate::real_hives::corpus;

/// Damages the hives by merging changes of values that were looked at: gone, another number, another text or type.
fn damage(examination: &Examination, random: &mut Seeded) -> BTreeMap<&'static str, String> {
    let judged = |finding: &&Finding| {
        let is_plain = |text: &str| text.is_ascii() && !text.contains(['"', '\\']);
        finding.observed.is_some() && !finding.is_deviation() && finding.value.as_deref().is_some_and(is_plain)
    };
    let judged: Vec<&Finding> = findings(examination).iter().filter(judged).collect();
    assert!(judged.len() > 20, "only {} findings", judged.len());
    let mut texts = BTreeMap::new();
    for _ in 0..=random.below(6) {
        let finding = judged[random.below(judged.len())];
        let (Some(role), Some(key), Some(value)) = (finding.hive, &finding.key, &finding.value) else { continue };
        // What tells the Windows is left alone: another Windows has another patch.
        if !matches!(role, Role::Software | Role::System) || finding.id.starts_with("setup") {
            continue;
        }
        let change = match random.below(5) {
            0 => "-".to_owned(),
            1 => format!("dword:{:08x}", random.below(6)),
            2 => "\"C:\\\\Windows\\\\Temp\\\\a.dll\"".to_owned(),
            3 => "hex(2):41,00,00,00".to_owned(),
            _ => format!("hex:{:02x}", random.below(256)),
        };
        let root = root_of(role.as_str());
        let text = texts.entry(role.as_str()).or_insert("Windows Registry Editor Version 5.00\n\n".to_owned());
        writeln!(text, "[{root}\\{key}]\n\"{value}\"={change}\n").unwrap();
    }
    texts
}

/// The patch in a dialect: proven, and clean as its header says that it is to be read.
fn is_clean(examination: &Examination, files: &[PatchFile], dialect: Dialect, what: &str) {
    let options = Options::default();
    let plan = plan(examination);
    let found = &examination.installations[0];
    let written = PatchOptions { dialect, ..PatchOptions::default() };
    let proof = prove(found, &options, &plan, files, &written).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(proof.edits, plan.edits.len(), "{what}");
    let read = |file: &PatchFile| Patch::read(file.name.as_str(), &file.bytes, &Importing::default()).unwrap();
    let patches: Vec<Patch> = files.iter().filter(|file| !file.is_rollback).map(read).collect();
    let mounts = Mounts { software_root: root_of("SOFTWARE"), system_root: root_of("SYSTEM") };
    let verified = verify(found, &patches, &mounts, &options).unwrap();
    assert!(!verified.exceeds() && verified.broken.is_empty() && !verified.is_incomplete(), "{what}");
    assert_eq!(verified.fails(Severity::Low), plan.left.iter().any(|left| is_at_least_low(examination, &left.finding)));
}

fn is_at_least_low(examination: &Examination, id: &str) -> bool {
    findings(examination).iter().any(|finding| finding.id == id && finding.severity >= Severity::Low)
}

fn rounds() -> usize {
    std::env::var("HIVEMEND_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

fn damaged_and_mended(test: &str, pair: [&str; 2]) {
    let Some(corpus) = corpus() else { return };
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let first: BTreeMap<&str, Vec<u8>> =
        ["SOFTWARE", "SYSTEM"].into_iter().zip(pair.map(|path| fs::read(corpus.join(path)).unwrap())).collect();
    let write = |hives: &BTreeMap<&str, Vec<u8>>| {
        for (role, bytes) in hives {
            fs::write(folder.path().join(role), bytes).unwrap();
        }
        examine_folder(folder.path(), &Options::default())
    };
    let healthy = write(&first);
    let mut random = Seeded(0x5eed ^ u64::try_from(test.len()).unwrap());
    let mut edits = 0;
    for round in 0..rounds() {
        let mut hives = first.clone();
        for (role, text) in damage(&healthy, &mut random) {
            let bytes = hives.get_mut(role).unwrap();
            merge(bytes, text.as_bytes(), role);
        }
        let examination = write(&hives);
        assert!(installation(&examination).hives.iter().all(|hive| hive.integrity.problems.is_empty()));
        let plan = plan(&examination);
        if plan.edits.is_empty() {
            continue;
        }
        edits += plan.edits.len();
        for dialect in [Dialect::Regedit5, Dialect::Regedit4(CodePage::WINDOWS_1252), Dialect::Hivex] {
            let files = patch_files(&plan, &PatchOptions { dialect, ..PatchOptions::default() }).unwrap();
            is_clean(&examination, &files, dialect, &format!("{test}, round {round}, {dialect:?}"));
        }
        let files = patch_files(&plan, &PatchOptions { dialect: Dialect::Hivex, ..PatchOptions::default() }).unwrap();
        for file in &files {
            let role = if file.name.starts_with("SOFTWARE") { "SOFTWARE" } else { "SYSTEM" };
            let hive = hives.get_mut(role).unwrap();
            whole_tree_as_the_model_says(hive, file, role);
        }
    }
    assert!(edits > 0, "nothing was damaged");
}

/// Merges a file of ours, and compares the whole hive with what the model makes of it.
fn whole_tree_as_the_model_says(hive: &mut Vec<u8>, file: &PatchFile, role: &str) {
    let ours = by_the_model(hive, &file.bytes, &root_of(role)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let theirs = by_the_program(hive, &file.bytes, &root_of(role), folder.path()).unwrap();
    assert_eq!(ours.len(), theirs.len(), "{}", file.name);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs, "{}", file.name);
    }
    *hive = fs::read(folder.path().join("hive")).unwrap();
}

fn merge(hive: &mut Vec<u8>, text: &[u8], role: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hive");
    fs::write(&path, &*hive).unwrap();
    super::merge(text, role, &path);
    *hive = fs::read(path).unwrap();
}

#[test]
fn an_xp_that_is_damaged_at_random_is_mended_in_every_dialect() {
    let pair = ["xp-sp3-x86/software", "xp-sp3-x86/system"];
    damaged_and_mended("an_xp_that_is_damaged_at_random_is_mended_in_every_dialect", pair);
}

#[test]
fn a_windows_7_that_is_damaged_at_random_is_mended_in_every_dialect() {
    let pair = ["win7-sp1-x86/SOFTWARE", "win7-sp1-x86/SYSTEM"];
    damaged_and_mended("a_windows_7_that_is_damaged_at_random_is_mended_in_every_dialect", pair);
}
