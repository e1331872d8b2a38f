//! Patches with an importer and readers from other projects: `hivexregedit` merges them into hives. Its export,
//! libregf, and our reader all show the result. Ignored if they are not installed (`libwin-hivex-perl`,
//! `python3-libregf`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hivemend::examination::{Examination, Options};
use hivemend::finding::{Finding, ObservedDatum};
use hivemend::reg_file::{self, Dialect};
use hivemend::remediation::{Edit, PatchFile, PatchOptions, Plan, Selection, patch_files, remedy};
use hivemend::report::InstallationReport;

use crate::cases::examine_folder;
use crate::fixture::{self, root_of};
use crate::harness;
use crate::values::{Values, assert_same, assert_same_to_libregf, libregfs, ours, values_of};

mod damaged;
mod models;
mod random;
mod real;

/// Cases of each kind of edit: set, set in a key that must be made, delete, list, number, hostile text.
pub(crate) const CASES: [&str; 9] = [
    "windows-xp-senslogn-shutdown-wrong",
    "windows-xp-senslogn-missing",
    "windows-xp-senslogn-extra-value",
    "windows-xp-maxwait-typed-in-decimal",
    "windows-xp-current-control-set-003-broken",
    "windows-7-svchost-lacks-bits",
    "windows-7-failure-command-added",
    "windows-10-dependency-missing",
    "hostile-strings",
];

#[test]
fn fixtures_are_mended_and_rolled_back_by_hivexregedit() {
    if !is_installed() {
        return;
    }
    for name in CASES {
        let folder = tempfile::tempdir().unwrap();
        fixture::compile(name).unwrap().write(folder.path()).unwrap();
        let config = folder.path().join("Windows/System32/config");
        let hives = BTreeMap::from(fixture::ROLES.map(|role| (role, config.join(role))));
        assert!(!deviations(&examine_folder(folder.path(), &Options::default())).is_empty(), "{name}");
        // A fixture is small: all of it is compared.
        let keys = fixture::ROLES.map(|role| (role, String::new()));
        mend_and_roll_back(name, folder.path(), &hives, &keys);
    }
}

/// Merges the patch of what lies in `folder`, audits, merges the rollback, and compares the keys.
fn mend_and_roll_back(name: &str, folder: &Path, hives: &BTreeMap<&str, PathBuf>, keys: &[(&'static str, String)]) {
    let before = examine_folder(folder, &Options::default());
    let plan = plan(&before);
    assert_eq!(plan.left, [], "{name}");
    let options = PatchOptions { dialect: Dialect::Hivex, ..PatchOptions::default() };
    let files = patch_files(&plan, &options).unwrap();
    let first = all_values(keys, hives);
    assert_eq!(stored(&plan, &first), as_planned(&plan, |edit| edit.before.as_ref()), "{name}: before the patch");

    merge_each(&files, ".reg", hives);
    let patched = all_values(keys, hives);
    assert_eq!(stored(&plan, &patched), as_planned(&plan, |edit| edit.after.as_ref()), "{name}: after the patch");
    let touched = stored(&plan, &first).len();
    assert!(touched > 0 && stored(&plan, &patched).len() == touched, "{name}");
    // Nothing beside is touched.
    let beside = |values: &Values| {
        let mut values = values.clone();
        plan.edits.iter().for_each(|edit| _ = values.remove(&place_of(edit)));
        values
    };
    assert_same(&beside(&patched), &beside(&first), name);
    let after = examine_folder(folder, &Options::default());
    assert_eq!(deviations(&after), BTreeSet::new(), "{name}: after the patch");
    assert!(after.report.summary.complete && !after.failed, "{name}: {:?}", after.report.problems);

    merge_each(&files, ".rollback.reg", hives);
    assert_same(&all_values(keys, hives), &first, &format!("{name}: after the rollback"));
    let again = examine_folder(folder, &Options::default());
    // A key that the patch made stays, without values: the finding that it is missing does not come back.
    let values = |examination: &Examination| -> BTreeSet<String> {
        deviations(examination).into_iter().filter(|id| id.contains('/')).collect()
    };
    assert_eq!(values(&again), values(&before), "{name}: after the rollback");
}

fn installation(examination: &Examination) -> &InstallationReport {
    let [installation] = examination.report.installations.as_slice() else { panic!("one installation expected") };
    installation
}

fn findings(examination: &Examination) -> &[Finding] {
    &installation(examination).judgement.as_ref().unwrap().findings
}

/// The ids of what is not as it should be.
pub(crate) fn deviations(examination: &Examination) -> BTreeSet<String> {
    findings(examination).iter().filter(|finding| finding.is_deviation()).map(|finding| finding.id.clone()).collect()
}

fn plan(examination: &Examination) -> Plan {
    remedy(installation(examination), &Selection::default()).unwrap()
}

fn merge_each(files: &[PatchFile], suffix: &str, hives: &BTreeMap<&str, PathBuf>) {
    for (role, hive) in hives {
        if let Some(file) = files.iter().find(|file| file.name == format!("{role}{suffix}")) {
            merge(&file.bytes, role, hive);
        }
    }
}

/// Has hivexregedit merge a `.reg` text into a hive.
pub(crate) fn merge(text: &[u8], role: &str, hive: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let patch = folder.path().join("patch.reg");
    fs::write(&patch, text).unwrap();
    let run = Command::new("hivexregedit").args(["--merge", "--prefix", &root_of(role)]).args([hive, &patch]).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Where an edit's value lies.
fn place_of(edit: &Edit) -> (String, Vec<u16>) {
    let key = format!("{}\\{}", root_of(edit.hive.as_str()), edit.key);
    (key.to_uppercase(), edit.value.encode_utf16().collect())
}

/// Type and bytes by place, `None` where no such value is.
type Edited<'a> = BTreeMap<(String, Vec<u16>), Option<(u32, &'a [u8])>>;

/// What stands where the plan has edits.
fn stored<'a>(plan: &Plan, values: &'a Values) -> Edited<'a> {
    let found = |edit| values.get(&place_of(edit)).map(|(data_type, bytes)| (*data_type, bytes.as_slice()));
    plan.edits.iter().map(|edit| (place_of(edit), found(edit))).collect()
}

/// What the plan says that stands there.
fn as_planned<'a>(plan: &'a Plan, side: impl Fn(&'a Edit) -> Option<&'a ObservedDatum>) -> Edited<'a> {
    let said = |edit| side(edit).map(|datum| (datum.datum.data_type.0, datum.raw.as_slice()));
    plan.edits.iter().map(|edit| (place_of(edit), said(edit))).collect()
}

/// Every value of those keys and of the keys below them: a key that is not there has none. hivexregedit, libregf and we
/// must find the same; where libregf shows less than there is, it must show that much.
fn all_values(keys: &[(&'static str, String)], hives: &BTreeMap<&str, PathBuf>) -> Values {
    let by_hivex: Values = keys.iter().flat_map(|(role, key)| exported(role, &hives[role], key)).collect();
    assert!(by_hivex.len() > 80, "only {} values", by_hivex.len());
    for (role, hive) in hives {
        let root = root_of(role);
        let keys: Vec<&str> = keys.iter().filter(|(of, _)| of == role).map(|(_, key)| key.as_str()).collect();
        let mut expected = by_hivex.clone();
        expected.retain(|(key, _), _| format!("{key}\\").starts_with(&format!("{root}\\").to_uppercase()));
        assert_same(&ours(hive, &root, &keys), &expected, &format!("{role} by us"));
        if let Some(found) = libregfs(hive, &root, &keys) {
            assert_same_to_libregf(&found, &expected, role);
        }
    }
    by_hivex
}

/// The keys that were audited, without those that lie below another.
pub(crate) fn audited_keys(examination: &Examination) -> Vec<(&'static str, String)> {
    let keys = findings(examination).iter().filter_map(|finding| Some((finding.hive?.as_str(), finding.key.clone()?)));
    let keys: BTreeSet<(&str, String)> = keys.collect();
    let is_below = |(role, key): &(&str, String)| {
        keys.iter()
            .any(|(other, above)| role == other && key.strip_prefix(above).is_some_and(|rest| rest.starts_with('\\')))
    };
    keys.iter().filter(|key| !is_below(key)).cloned().collect()
}

/// The values of a key and of those below it. Where hivexregedit finds no such key, none.
fn exported(role: &str, hive: &Path, key: &str) -> Values {
    let prefix = root_of(role);
    let run = Command::new("hivexregedit")
        .args(["--export", "--prefix", &prefix])
        .arg(hive)
        .arg(format!("\\{key}"))
        .env("PERL_UNICODE", "SD")
        .output()
        .unwrap();
    if !run.status.success() {
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(said.contains("not found"), "{key}: {said}");
        return Values::new();
    }
    values_of(reg_file::parse_text(&String::from_utf8(run.stdout).unwrap()).into_document().unwrap())
}

pub(crate) fn is_installed() -> bool {
    let found = Command::new("hivexregedit").arg("--help").output().is_ok();
    if !found {
        harness::lacks_program("hivexregedit (libwin-hivex-perl)");
    }
    found
}
