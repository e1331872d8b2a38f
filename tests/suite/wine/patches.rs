//! Patches and rollbacks of fixtures, imported by Wine: into a hive loaded elsewhere, and into Wine as running Windows.

use std::collections::BTreeSet;

use hivemend::examination::Options;
use hivemend::finding::ObservedDatum;
use hivemend::reg_file::{CodePage, Dialect};
use hivemend::remediation::{Edit, PatchFile, PatchOptions, Plan, Selection, Target, patch_files, remedy};

use super::prefix::{Wine, wine};
use super::{as_stored, wine_stores};
use crate::cases::examined;
use crate::fixture::{self, ROLES};
use crate::importers::CASES;
use crate::values::{Values, assert_same, ours, sayable, text_of};

/// A fixture with what is to be done about it.
struct Patient {
    name: &'static str,
    plan: Plan,
    files: Vec<PatchFile>,
    /// Where its hives are loaded, by role.
    roots: [String; 2],
    /// Every value of it that Wine can store.
    values: Values,
}

impl Patient {
    fn new(name: &'static str, target: Target, dialect: Dialect, roots: [String; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let case = fixture::compile(name).unwrap();
        let mut values = Values::new();
        for path in case.write(folder.path()).unwrap() {
            let role = ROLES.iter().position(|role| path.ends_with(role)).unwrap();
            values.extend(ours(&path, &roots[role], &[""]));
        }
        values = sayable(values, Dialect::Regedit5);
        values.retain(|_, (data_type, bytes)| wine_stores(*data_type, bytes).is_some());
        let examined = examined(case, &Options::default());
        let plan = remedy(examined.installation(), &Selection { target, ..Selection::default() }).unwrap();
        assert!(!plan.edits.is_empty(), "{name}");
        let [software_root, system_root] = roots.clone();
        let files = patch_files(&plan, &PatchOptions { dialect, target, software_root, system_root });
        Self { name, plan, files: files.unwrap(), roots, values }
    }

    /// The patches, or what takes them back.
    fn texts(&self, is_rollback: bool) -> impl Iterator<Item = &[u8]> {
        let files = self.files.iter().filter(move |file| file.is_rollback == is_rollback);
        files.map(|file| file.bytes.as_slice())
    }

    fn key_of(&self, edit: &Edit) -> String {
        let role = ROLES.iter().position(|role| *role == edit.hive.as_str()).unwrap();
        format!("{}\\{}", self.roots[role], edit.key).to_uppercase()
    }

    /// The keys in which its patch changes something.
    fn touched(&self) -> BTreeSet<String> {
        self.plan.edits.iter().map(|edit| self.key_of(edit)).collect()
    }

    /// Compares what is stored in each state: `first` is all that there is.
    fn check(&self, first: &Values, patched: &Values, rolled_back: &Values) {
        let (mut expected_patched, mut expected_last) = (first.clone(), first.clone());
        for edit in &self.plan.edits {
            let place = (self.key_of(edit), edit.value.encode_utf16().collect::<Vec<_>>());
            let stored = |datum: &ObservedDatum| {
                let data_type = datum.datum.data_type.0;
                (data_type, wine_stores(data_type, &datum.raw).unwrap())
            };
            let (before, after) = (edit.before.as_ref().map(stored), edit.after.as_ref().map(stored));
            assert_ne!(before, after, "{}: {place:?}", self.name);
            assert_eq!(first.get(&place), before.as_ref(), "{}: {place:?} before the patch", self.name);
            // What regedit is said to restore is stored byte for byte; what it cannot, it has not stored at first either.
            assert!(
                !edit.regedit_restores
                    || before.as_ref().map(|before| &before.1) == edit.before.as_ref().map(|b| &b.raw)
            );
            for (values, state) in [(&mut expected_patched, after), (&mut expected_last, before)] {
                match state {
                    Some(value) => _ = values.insert(place.clone(), value),
                    None => _ = values.remove(&place),
                }
            }
        }
        assert_same(patched, &expected_patched, &format!("{}, patched", self.name));
        assert_same(rolled_back, &expected_last, &format!("{}, rolled back", self.name));
    }
}

/// Has Wine import the fixtures, then their patches, then their rollbacks; of what it stores, compares what
/// `is_looked_at` picks for each.
fn mended_and_taken_back(wine: &Wine, patients: &[Patient], is_looked_at: impl Fn(&Patient, &str) -> bool) {
    for patient in patients {
        wine.import(&text_of(&patient.values, Dialect::Regedit5));
    }
    let first = wine.stored();
    patients.iter().flat_map(|patient| patient.texts(false)).for_each(|text| wine.import(text));
    let patched = wine.stored();
    patients.iter().flat_map(|patient| patient.texts(true)).for_each(|text| wine.import(text));
    let last = wine.stored();
    for patient in patients {
        let [first, patched, last] = [&first, &patched, &last].map(|stored| {
            let mut values = stored.clone();
            values.retain(|(key, _), _| is_looked_at(patient, key));
            values
        });
        for (place, value) in as_stored(patient.values.clone()) {
            assert_eq!(first.get(&place), Some(&value), "{}: {place:?} of the fixture", patient.name);
        }
        patient.check(&first, &patched, &last);
    }
}

#[test]
fn wine_mends_hives_that_are_loaded_elsewhere_and_takes_it_back() {
    let Some(wine) = wine() else { return };
    // One root key for each hive, as `reg load` makes them. Wine takes the code page of the locale, which is 1252.
    let mut patients = Vec::new();
    for (dialect, number) in [(Dialect::Regedit5, 5), (Dialect::Regedit4(CodePage::WINDOWS_1252), 4)] {
        let root = |name: &str, role: &str| format!(r"HKEY_LOCAL_MACHINE\OFFLINE{number}_{role} of {name}");
        // What hostile-strings holds is in no code page.
        let cases = CASES.into_iter().filter(|name| dialect == Dialect::Regedit5 || *name != "hostile-strings");
        let roots = |name: &str| ROLES.map(|role| root(name, role));
        patients.extend(cases.map(|name| Patient::new(name, Target::Offline, dialect, roots(name))));
    }
    assert!(patients.iter().all(|patient| patient.values.len() > 80));
    mended_and_taken_back(&wine, &patients, |patient, key| {
        patient.roots.iter().any(|root| format!("{key}\\").starts_with(&format!("{root}\\").to_uppercase()))
    });
}

#[test]
fn wine_as_the_running_windows_is_mended_and_that_is_taken_back() {
    let Some(wine) = wine() else { return };
    // No two of them touch the same key, so they can all be in one Windows.
    let cases =
        ["windows-xp-senslogn-shutdown-wrong", "windows-7-svchost-lacks-bits", "windows-7-failure-command-added"];
    let patients = cases.map(|name| {
        let mut patient = Patient::new(
            name,
            Target::Live,
            Dialect::Regedit5,
            ROLES.map(|role| format!(r"HKEY_LOCAL_MACHINE\{role}")),
        );
        // In a running Windows the set that is current goes by another name. Of the fixture only what is touched is put
        // into Wine: the rest would make another machine of it.
        let live = |key: &str| key.replace(r"\SYSTEM\CONTROLSET001\", r"\SYSTEM\CURRENTCONTROLSET\");
        for edit in &mut patient.plan.edits {
            edit.key = edit.key.replace(r"ControlSet001\", r"CurrentControlSet\");
        }
        let keys = patient.touched();
        patient.values = patient.values.into_iter().map(|((key, name), value)| ((live(&key), name), value)).collect();
        patient.values.retain(|(key, _), _| keys.contains(key));
        assert!(patient.values.len() > 1, "{name}");
        patient
    });
    let touched: Vec<String> = patients.iter().flat_map(Patient::touched).collect();
    assert_eq!(touched.iter().collect::<BTreeSet<_>>().len(), touched.len());
    mended_and_taken_back(&wine, &patients, |patient, key| patient.touched().contains(key));
}
