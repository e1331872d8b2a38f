//! Wine's regedit as the importer: real machines, reduced to what an audit reads, are damaged at random, patched, and
//! rolled back. Each state that Wine stores is converted to a hive, value by value, and used as evidence.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hivemend::evidence::Bytes;
use hivemend::examination::{Examination, Options};
use hivemend::hive::Hive;
use hivemend::hive::walk::{Visitor, WalkedKey, WalkedValue, walk};
use hivemend::reg_file::Dialect;
use hivemend::remediation::{PatchFile, PatchOptions, PlanFile};
use hivemend::verification::applied::run;
use hivemend::verification::{Asked, Standing};

use super::prefix::{Wine, wine};
use super::wine_stores;
use crate::applied::planned;
use crate::applied::random::{ROUNDS, damages};
use crate::apply::apply_one;
use crate::builder;
use crate::cases::examine_folder;
use crate::damage::Seeded;
use crate::fixture::{ROLES, root_of};
use crate::importers::{audited_keys, deviations};
use crate::real_hives::corpus;
use crate::values::{Values, assert_same, ours, sayable};

/// What names the Windows, the machine and the control set, beside the keys that are audited; and whether the keys below
/// it are needed too.
const MARKS: [(&str, &str, bool); 9] = [
    ("SOFTWARE", r"Microsoft\Windows NT\CurrentVersion", false),
    ("SOFTWARE", r"Microsoft\Windows NT\CurrentVersion\NetworkCards", true),
    ("SYSTEM", "Select", true),
    ("SYSTEM", "Setup", false),
    ("SYSTEM", r"ControlSet001\Control\ComputerName", true),
    ("SYSTEM", r"ControlSet001\Control\ProductOptions", false),
    ("SYSTEM", r"ControlSet001\Control\Windows", false),
    ("SYSTEM", r"ControlSet001\Control\Session Manager\Environment", false),
    ("SYSTEM", r"ControlSet001\Services\Tcpip\Parameters\Interfaces", true),
];

/// One machine in one state of damage, with a plan.
struct Patient {
    folder: tempfile::TempDir,
    hives: [builder::Hive; 2],
    /// Where Wine has them.
    roots: [String; 2],
    plan: PlanFile,
    files: Vec<PatchFile>,
}

/// The part of a hive that is needed, as a tree.
struct Cut<'k> {
    keys: Vec<(&'k str, bool)>,
    hive: builder::Hive,
    /// Whether the key that the walk has come to is needed.
    is_needed: bool,
}

impl Visitor for Cut<'_> {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        let path = key.path();
        let is = |wanted: &str| wanted.eq_ignore_ascii_case(&path);
        let below = |wanted: &str| path.to_uppercase().starts_with(&format!("{wanted}\\").to_uppercase());
        self.is_needed = self.keys.iter().any(|(wanted, deep)| is(wanted) || *deep && below(wanted));
        if self.is_needed {
            self.hive.root.create(&path).last_written = key.last_written().0;
        }
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        let bytes = value.data();
        if self.is_needed && wine_stores(value.data_type().0, bytes).is_some_and(|stored| stored == bytes) {
            let name: Vec<u16> = value.name_units().collect();
            self.hive.root.create(&key.path()).set_units(&name, value.data_type().0, bytes);
        }
    }
}

/// The hives of a machine, cut down; `services` are kept beside what is audited.
fn cut(corpus: &Path, pair: [&str; 2], whole: &Examination, services: &BTreeSet<String>) -> [builder::Hive; 2] {
    let audited = audited_keys(whole);
    let services: Vec<String> = services.iter().map(|name| format!(r"ControlSet001\Services\{name}")).collect();
    let mut of = ROLES.into_iter().zip(pair).map(|(role, path)| {
        let audited = audited.iter().filter(|(of, _)| *of == role).map(|(_, key)| (key.as_str(), true));
        let marks = MARKS.iter().filter(|(of, ..)| *of == role).map(|(_, key, deep)| (*key, *deep));
        let services = services.iter().map(|key| (key.as_str(), false)).filter(|_| role == "SYSTEM");
        let original = Hive::from_bytes(Bytes::Read(fs::read(corpus.join(path)).unwrap())).unwrap().as_it_lies();
        let mut hive = builder::Hive::new("ROOT");
        hive.last_written = original.base_block().last_written.0;
        let mut cut = Cut { keys: audited.chain(marks).chain(services).collect(), hive, is_needed: false };
        walk(&original, &mut cut);
        cut.hive
    });
    [of.next().unwrap(), of.next().unwrap()]
}

/// The hives cut down as far as the machine stays healthy: the drivers that are depended on are no keys that are audited.
fn cut_and_healthy(corpus: &Path, pair: [&str; 2], whole: &Examination) -> ([builder::Hive; 2], Examination) {
    let mut services = BTreeSet::new();
    loop {
        let hives = cut(corpus, pair, whole, &services);
        let folder = tempfile::tempdir().unwrap();
        write(&hives, folder.path());
        let examination = examine_folder(folder.path(), &Options::default());
        let missing = deviations(&examination);
        if missing.is_empty() {
            return (hives, examination);
        }
        for id in missing {
            let service = id.strip_prefix("chain/").unwrap_or_else(|| panic!("{id} is for want of what was cut away"));
            assert!(services.insert(service.to_owned()), "{id} stays");
        }
    }
}

fn write(hives: &[builder::Hive; 2], folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    ROLES.iter().zip(hives).for_each(|(role, hive)| fs::write(folder.join(role), hive.to_bytes()).unwrap());
}

impl Patient {
    /// `None` where nothing comes of the damage.
    fn new(name: &str, mut hives: [builder::Hive; 2], healthy: &Examination, random: &mut Seeded) -> Option<Self> {
        for operation in damages(healthy, random) {
            for (role, hive) in ROLES.iter().zip(&mut hives) {
                if operation.key().to_string().starts_with(&root_of(role)) {
                    apply_one(&operation, &root_of(role), &mut hive.root, builder::DEFAULT_TIME).unwrap();
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        write(&hives, &folder.path().join("first"));
        let roots = ROLES.map(|role| format!(r"HKEY_LOCAL_MACHINE\{role} of {name}"));
        let [software_root, system_root] = roots.clone();
        let options = PatchOptions { software_root, system_root, ..PatchOptions::default() };
        let (plan, files) = planned(&folder.path().join("first"), &options);
        (!plan.plan.edits.is_empty()).then_some(Self { folder, hives, roots, plan, files })
    }

    /// Every value of its hives, at Wine's place for them.
    fn values(&self) -> Values {
        let of = |(role, root): (&&str, &String)| ours(&self.folder.path().join("first").join(role), root, &[""]);
        ROLES.iter().zip(&self.roots).flat_map(of).collect()
    }

    /// The hives with nothing in them but what Wine has.
    fn as_wine_has_it(&self, stored: &Values, keys: &BTreeSet<String>) -> [builder::Hive; 2] {
        let mut hives = self.hives.clone();
        for (hive, root) in hives.iter_mut().zip(&self.roots) {
            let below = format!("{root}\\").to_uppercase();
            empty(&mut hive.root);
            for key in keys.iter().filter_map(|key| key.strip_prefix(&below)) {
                hive.root.create(key);
            }
            for ((key, name), (data_type, bytes)) in stored {
                let at = if *key == root.to_uppercase() { Some("") } else { key.strip_prefix(&below) };
                if let Some(key) = at {
                    hive.root.create(key).set_units(name, *data_type, bytes);
                }
            }
        }
        hives
    }

    /// How the proof of what Wine has stands.
    fn check(&self, state: &str, stored: &(Values, BTreeSet<String>), asked: Asked) {
        let [first, now] = ["first", state].map(|name| self.folder.path().join(name));
        write(&self.as_wine_has_it(&stored.0, &stored.1), &now);
        let right = Standing::Clean;
        let other = if asked == Asked::Applied { Asked::Undone } else { Asked::Applied };
        for (asked, expected) in [(asked, right), (other, Standing::NotClean)] {
            for before in [&[][..], std::slice::from_ref(&first)] {
                let checked = run(&self.plan, std::slice::from_ref(&now), before, asked, &Options::default()).unwrap();
                let said = (&checked.edits, &checked.unexplained, &checked.problems);
                assert_eq!(checked.outcome(), expected, "{}, {state}, {asked:?}: {said:?}", self.roots[0]);
            }
        }
    }
}

fn empty(key: &mut builder::Key) {
    key.values.clear();
    key.subkeys.iter_mut().for_each(empty);
}

fn imported(wine: &Wine, patients: &[Patient], rollback: bool) -> (Values, BTreeSet<String>) {
    for file in patients.iter().flat_map(|patient| &patient.files).filter(|file| file.is_rollback == rollback) {
        wine.import(&file.bytes);
    }
    (wine.stored(), wine.stored_keys())
}

fn mended_and_taken_back(machine: &str, pair: [&str; 2]) {
    let Some(corpus) = corpus() else { return };
    let Some(wine) = wine() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (role, path) in ROLES.into_iter().zip(pair) {
        fs::write(folder.path().join(role), fs::read(corpus.join(path)).unwrap()).unwrap();
    }
    let whole = examine_folder(folder.path(), &Options::default());
    // What was cut away makes no other Windows of it, and no finding.
    let (hives, healthy) = cut_and_healthy(&corpus, pair, &whole);
    let [installation] = healthy.report.installations.as_slice() else { panic!("one installation expected") };
    assert_eq!(installation.os.id, whole.report.installations[0].os.id);

    let mut random = Seeded(0x00fe_dcba_8765_4321);
    let name = |number: usize| format!("{machine}, {number}");
    let damaged = |number| Patient::new(&name(number), hives.clone(), &healthy, &mut random);
    let patients: Vec<Patient> = (0..3 * ROUNDS).filter_map(damaged).take(ROUNDS).collect();
    assert_eq!(patients.len(), ROUNDS);
    let values: Values = patients.iter().flat_map(Patient::values).collect();
    assert_eq!(sayable(values.clone(), Dialect::Regedit5), values);
    wine.put(&values);
    let mut stored = wine.stored();
    stored.retain(|place, _| values.contains_key(place));
    assert_same(&stored, &values, "what Wine has of the damaged machines");
    let patched = imported(&wine, &patients, false);
    for patient in &patients {
        patient.check("patched", &patched, Asked::Applied);
    }
    let undone = imported(&wine, &patients, true);
    for patient in &patients {
        patient.check("undone", &undone, Asked::Undone);
    }
    assert!(patients.iter().map(|patient| patient.plan.plan.edits.len()).sum::<usize>() > ROUNDS);
}

#[test]
fn wine_mends_twenty_damages_of_an_xp_and_takes_it_back() {
    mended_and_taken_back("xp", ["xp-sp3-x86/software", "xp-sp3-x86/system"]);
}

#[test]
fn wine_mends_twenty_damages_of_a_windows_7_and_takes_it_back() {
    mended_and_taken_back("7", ["win7-sp1-x86/SOFTWARE", "win7-sp1-x86/SYSTEM"]);
}
