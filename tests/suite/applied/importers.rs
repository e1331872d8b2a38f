//! hivexregedit as the importer: copies of real hives are damaged at random, patched, and rolled back. Nothing of them
//! is kept.

use std::fs;
use std::path::{Path, PathBuf};

use hivemend::examination::Options;
use hivemend::reg_file::{Dialect, Document, Operation, emit};
use hivemend::remediation::{PatchFile, PatchOptions, PlanFile};
use hivemend::verification::applied::{Checked, run};
use hivemend::verification::{Asked, Kind, Standing};

use super::planned;
use super::random::{ROUNDS, damages};
use crate::cases::examine_folder;
use crate::damage::Seeded;
use crate::fixture::{ROLES, root_of};
use crate::importers::{is_installed, merge};
use crate::real_hives::corpus;

/// The text of those operations that are about one hive; `None` where none is.
fn text_of(operations: &[Operation], role: &str) -> Option<Vec<u8>> {
    let root = KeyNames::of(&root_of(role));
    let mut document = Document::default();
    operations.iter().filter(|operation| root.holds(operation)).for_each(|one| document.push(one.clone()));
    (!document.operations.is_empty()).then(|| emit(&document, Dialect::Hivex).unwrap())
}

/// The names of a root key.
struct KeyNames(Vec<Vec<u16>>);

impl KeyNames {
    fn of(root: &str) -> Self {
        Self(root.split('\\').map(|name| name.encode_utf16().collect()).collect())
    }

    fn holds(&self, operation: &Operation) -> bool {
        operation.key().names().starts_with(&self.0)
    }
}

fn merge_all(files: &[PatchFile], rollback: bool, folder: &Path) {
    for file in files.iter().filter(|file| file.is_rollback == rollback) {
        let role = if file.name.starts_with("SOFTWARE") { "SOFTWARE" } else { "SYSTEM" };
        merge(&file.bytes, role, &folder.join(role));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for role in ROLES {
        // What is written into a copy that shares its blocks leaves the first one alone.
        fs::copy(from.join(role), to.join(role)).unwrap();
    }
}

fn check(plan: &PlanFile, now: &Path, before: &[PathBuf], asked: Asked) -> Checked {
    run(plan, &[now.to_owned()], before, asked, &Options::default()).unwrap()
}

/// A real pair of hives, copied under their usual names, and room beside it.
fn copied(corpus: &Path, pair: [&str; 2]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("healthy")).unwrap();
    for (role, path) in ROLES.into_iter().zip(pair) {
        fs::write(folder.path().join("healthy").join(role), fs::read(corpus.join(path)).unwrap()).unwrap();
    }
    folder
}

fn mended_and_taken_back(pair: [&str; 2]) {
    let Some(corpus) = corpus() else { return };
    if !is_installed() {
        return;
    }
    let folder = copied(&corpus, pair);
    let [healthy, first, now] = ["healthy", "first", "now"].map(|name| folder.path().join(name));
    let examination = examine_folder(&healthy, &Options::default());
    let mut random = Seeded(0x00ab_cdef_1234_5678);
    let options = PatchOptions { dialect: Dialect::Hivex, ..PatchOptions::default() };
    let (mut rounds, mut edits) = (0, 0);
    for round in 0..3 * ROUNDS {
        if rounds == ROUNDS {
            break;
        }
        let operations = damages(&examination, &mut random);
        copy(&healthy, &first);
        for role in ROLES {
            if let Some(text) = text_of(&operations, role) {
                merge(&text, role, &first.join(role));
            }
        }
        let (plan, files) = planned(&first, &options);
        if plan.plan.edits.is_empty() {
            // Damage of which nothing comes to anything.
            continue;
        }
        (rounds, edits) = (rounds + 1, edits + plan.plan.edits.len());
        copy(&first, &now);
        for (asked, other) in [(Asked::Applied, Asked::Undone), (Asked::Undone, Asked::Applied)] {
            merge_all(&files, asked == Asked::Undone, &now);
            for before in [&[][..], std::slice::from_ref(&first)] {
                let checked = check(&plan, &now, before, asked);
                let said = (&checked.edits, &checked.unexplained, &checked.problems);
                assert_eq!(checked.outcome(), Standing::Clean, "round {round}, {asked:?}: {said:?}");
            }
            assert_eq!(check(&plan, &now, &[], other).outcome(), Standing::NotClean, "round {round}, {other:?}");
        }
    }
    assert!(rounds == ROUNDS && edits > ROUNDS, "{rounds} rounds, {edits} edits");
}

#[test]
fn twenty_damages_of_an_xp_are_mended_and_taken_back() {
    mended_and_taken_back(["xp-sp3-x86/software", "xp-sp3-x86/system"]);
}

#[test]
fn twenty_damages_of_a_windows_7_are_mended_and_taken_back() {
    mended_and_taken_back(["win7-sp1-x86/SOFTWARE", "win7-sp1-x86/SYSTEM"]);
}

/// What is to be found in a real hive beside the patch: one change, of this kind.
#[test]
fn what_else_changed_in_a_real_hive_is_found() {
    let Some(corpus) = corpus() else { return };
    if !is_installed() {
        return;
    }
    let folder = copied(&corpus, ["xp-sp3-x86/software", "xp-sp3-x86/system"]);
    let [first, patched, now] = ["healthy", "patched", "now"].map(|name| folder.path().join(name));
    let header = "Windows Registry Editor Version 5.00\n\n";
    let bits = "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\BITS]\n";
    let broken = format!("{header}{bits}\"Start\"=dword:00000004\n\"FailureCommand\"=\"a.exe\"\n");
    merge(broken.as_bytes(), "SYSTEM", &first.join("SYSTEM"));
    let (plan, files) = planned(&first, &PatchOptions { dialect: Dialect::Hivex, ..PatchOptions::default() });
    assert_eq!(plan.plan.edits.len(), 2);
    copy(&first, &patched);
    merge_all(&files, false, &patched);
    let whole = |change: &str| {
        copy(&patched, &now);
        merge(format!("{header}{change}").as_bytes(), "SYSTEM", &now.join("SYSTEM"));
        let checked = check(&plan, &now, std::slice::from_ref(&first), Asked::Applied);
        let kinds: Vec<(Kind, Vec<&str>)> =
            checked.unexplained.iter().map(|found| (found.kind, found.changed.clone())).collect();
        let holding = checked.edits.iter().filter(|edit| edit.holds).count();
        (checked.outcome(), holding, kinds)
    };
    let sens = "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\SENS]\n";
    assert_eq!(whole(""), (Standing::Clean, 2, vec![]));
    assert_eq!(whole(&format!("{bits}\"Start\"=dword:00000004\n")), (Standing::NotClean, 1, vec![]));
    let more = whole(&format!("{sens}\"More\"=dword:00000004\n"));
    assert_eq!(more, (Standing::NotClean, 2, vec![(Kind::ValueAdded, vec![])]));
    let byte = whole(&format!("{sens}\"Start\"=dword:00000003\n"));
    assert_eq!(byte, (Standing::NotClean, 2, vec![(Kind::ValueChanged, vec!["data"])]));
    let retyped = whole(&format!("{sens}\"Start\"=hex(3):02,00,00,00\n"));
    assert_eq!(retyped, (Standing::NotClean, 2, vec![(Kind::ValueChanged, vec!["type"])]));
    let made = whole("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\SENS\\Made]\n");
    assert_eq!(made, (Standing::NotClean, 2, vec![(Kind::KeyAdded, vec![])]));
    // Another machine's hives.
    let why = run(&plan, &[corpus.join("win7-sp1-x86")], &[], Asked::Applied, &Options::default()).unwrap_err();
    assert!(why.to_string().contains("the plan is for windows-xp, but this is windows-7"), "{why}");
    let why = run(&plan, &[corpus.join("xp-sp3-x86-m57")], &[], Asked::Applied, &Options::default()).unwrap_err();
    assert!(why.to_string().contains("the plan is for the computer"), "{why}");
}
