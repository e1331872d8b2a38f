//! The states of edits: applied, not applied, partly applied, other data, unreadable.

use std::collections::BTreeSet;
use std::fs;

use hivemend::remediation::PatchOptions;
use hivemend::verification::applied::Checked;
use hivemend::verification::{Asked, EditState, Kind, Standing};

use super::{Bench, SENSLOGN, planned, tree};
use crate::fixture;

const CLEAN: [Standing; 2] = [Standing::Clean; 2];
const NOT_CLEAN: [Standing; 2] = [Standing::NotClean; 2];

fn states(checked: &Checked) -> Vec<(&str, EditState)> {
    checked.edits.iter().map(|edit| (edit.value.as_str(), edit.state)).collect()
}

#[test]
fn what_was_imported_is_applied_and_what_was_taken_back_is_undone() {
    let mut made = 0;
    for name in crate::importers::CASES {
        let bench = Bench::of(name, |_| ());
        let (patched, undone) = (bench.patched(), bench.undone());
        assert_eq!(bench.standings(&patched, Asked::Applied), CLEAN, "{name}");
        assert_eq!(bench.standings(&patched, Asked::Undone), NOT_CLEAN, "{name}");
        assert_eq!(bench.standings(&undone, Asked::Undone), CLEAN, "{name}");
        assert_eq!(bench.standings(&undone, Asked::Applied), NOT_CLEAN, "{name}");
        assert_eq!(bench.standings(&bench.first, Asked::Applied), NOT_CLEAN, "{name}");
        for checked in bench.check(&bench.first, Asked::Applied) {
            assert!(checked.hives.iter().all(|hive| hive.same_file == Some(true)), "{name}");
            assert!(checked.edits.iter().all(|edit| edit.state == EditState::NotApplied), "{name}");
        }
        for checked in bench.check(&undone, Asked::Undone) {
            made += checked.keys.iter().filter(|key| key.made && key.there).count();
        }
    }
    assert!(made > 0, "no case makes a key, which its rollback leaves");
}

#[test]
fn a_half_applied_plan_is_told_edit_by_edit() {
    let bench = Bench::xp();
    let mut case = bench.patched();
    tree(&mut case, "SYSTEM").create(r"ControlSet001\Services\BITS").set_dword("Start", 4);
    tree(&mut case, "SOFTWARE").create(SENSLOGN).set_sz("Shutdown", "Another");
    for checked in bench.check(&case, Asked::Applied) {
        let expected =
            [("Shutdown", EditState::Other), ("Start", EditState::NotApplied), ("FailureCommand", EditState::Applied)];
        assert_eq!(states(&checked).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(expected));
        assert_eq!((checked.outcome(), checked.unexplained.len()), (Standing::NotClean, 0));
        let other = checked.edits.iter().find(|edit| edit.state == EditState::Other).unwrap();
        assert_eq!(other.found.as_ref().unwrap().raw, b"A\0n\0o\0t\0h\0e\0r\0\0\0");
    }
}

#[test]
fn type_and_bytes_count_and_not_what_they_say() {
    let bench = Bench::xp();
    for (data_type, data) in [(2, &b"S\0\0\0"[..]), (1, b"SensShutdownEvent\0"), (3, &[]), (1, &[])] {
        let mut case = bench.patched();
        tree(&mut case, "SOFTWARE").create(SENSLOGN).set("Shutdown", data_type, data);
        assert_eq!(bench.standings(&case, Asked::Applied), NOT_CLEAN, "{data:?}");
    }
    // The right text as another type.
    let mut case = bench.patched();
    let data = tree(&mut case, "SOFTWARE").create(SENSLOGN).value("Shutdown").unwrap().data.clone();
    tree(&mut case, "SOFTWARE").create(SENSLOGN).set("Shutdown", 2, &data);
    assert_eq!(bench.standings(&case, Asked::Applied), NOT_CLEAN);
    tree(&mut case, "SOFTWARE").create(SENSLOGN).set("Shutdown", 1, &data);
    assert_eq!(bench.standings(&case, Asked::Applied), CLEAN);
}

#[test]
fn a_second_value_of_the_name_is_not_applied() {
    let bench = Bench::xp();
    let mut case = bench.patched();
    let key = tree(&mut case, "SOFTWARE").create(SENSLOGN);
    let mut twin = key.value("Shutdown").unwrap().clone();
    twin.name = "SHUTDOWN".encode_utf16().collect();
    key.values.push(twin);
    let [by_plan, whole] = bench.check(&case, Asked::Applied);
    for checked in [&by_plan, &whole] {
        let edit = checked.edits.iter().find(|edit| edit.value == "Shutdown").unwrap();
        assert_eq!(edit.state, EditState::Other);
        assert_eq!(edit.note.as_deref(), Some("the key has 2 values of this name"));
        assert_eq!(checked.outcome(), Standing::NotClean);
    }
    assert_eq!(whole.unexplained.iter().map(|found| found.kind).collect::<Vec<_>>(), [Kind::ValueAdded]);
}

#[test]
fn what_regedit_cannot_restore_is_undone_as_planned() {
    // A text without its end: regedit writes one.
    let bench = Bench::of("windows-xp", |case| {
        tree(case, "SOFTWARE").create(SENSLOGN).set("Shutdown", 1, b"a\0b\0");
    });
    assert!(!bench.file.plan.edits[0].regedit_restores);
    let by_regedit = bench.undone();
    for checked in bench.check(&by_regedit, Asked::Undone) {
        assert_eq!(states(&checked), [("Shutdown", EditState::Altered)]);
        assert_eq!(checked.outcome(), Standing::Clean);
    }
    // hivexregedit restores it byte for byte.
    for checked in bench.check(&bench.first, Asked::Undone) {
        assert_eq!(states(&checked), [("Shutdown", EditState::NotApplied)]);
        assert_eq!(checked.outcome(), Standing::Clean);
    }
    let mut case = bench.undone();
    tree(&mut case, "SOFTWARE").create(SENSLOGN).set("Shutdown", 1, b"a\0b\0c\0\0\0");
    assert_eq!(bench.standings(&case, Asked::Undone), NOT_CLEAN);
}

#[test]
fn a_key_that_the_patch_makes_holds_what_the_plan_says_and_nothing_else() {
    let bench = Bench::of("windows-xp-senslogn-missing", |_| ());
    assert!(bench.file.plan.edits.iter().all(|edit| !edit.key_exists));
    for asked in [Asked::Applied, Asked::Undone] {
        let right = || if asked == Asked::Applied { bench.patched() } else { bench.undone() };
        assert_eq!(bench.standings(&right(), asked), CLEAN);
        let mut case = right();
        tree(&mut case, "SOFTWARE").create(SENSLOGN).set_dword("Other", 1);
        for checked in bench.check(&case, asked) {
            let [found] = checked.unexplained.as_slice() else { panic!("{:?}", checked.unexplained) };
            assert_eq!((found.kind, found.value.as_deref()), (Kind::ValueAdded, Some("Other")));
            assert_eq!(checked.outcome(), Standing::NotClean);
        }
        let mut case = right();
        tree(&mut case, "SOFTWARE").create(&format!("{SENSLOGN}\\Below"));
        for checked in bench.check(&case, asked) {
            let [found] = checked.unexplained.as_slice() else { panic!("{:?}", checked.unexplained) };
            assert_eq!((found.kind, found.key.as_str()), (Kind::KeyAdded, &*format!("{SENSLOGN}\\Below")));
        }
    }
    // Taken back with the key, too.
    assert_eq!(bench.standings(&bench.first, Asked::Undone), CLEAN);
}

#[test]
fn a_key_that_is_gone_or_a_link_is_not_applied() {
    let bench = Bench::xp();
    let mut gone = bench.patched();
    let notify = SENSLOGN.rsplit_once('\\').unwrap().0;
    tree(&mut gone, "SOFTWARE").create(notify).remove_child("SensLogn");
    let mut link = bench.patched();
    tree(&mut link, "SOFTWARE").create(notify).flags |= 0x10;
    for (case, note) in [(gone, "the key is missing"), (link, "is a symbolic link")] {
        for checked in bench.check(&case, Asked::Applied) {
            let edit = checked.edits.iter().find(|edit| edit.value == "Shutdown").unwrap();
            assert_eq!(edit.state, EditState::Other, "{note}");
            assert!(edit.note.as_ref().unwrap().contains(note), "{:?}", edit.note);
        }
    }
}

#[test]
fn a_value_that_cannot_be_read_leaves_the_proof_incomplete() {
    let bench = Bench::xp();
    let patched = bench.patched();
    let system = &patched.hives.iter().find(|(role, _)| *role == "SYSTEM").unwrap().1;
    let now = bench.path("now");
    for path in patched.write(&now).unwrap() {
        if path.ends_with("SYSTEM") {
            let mut built = system.build();
            let vk = built.value(r"ControlSet001\Services\BITS", "Start").vk;
            built.put(vk.payload(), b"xx");
            fs::write(path, &built.bytes).unwrap();
        }
    }
    for before in [&[][..], &[bench.path("first")]] {
        let checked = bench.check_folder(&now, before, Asked::Applied).unwrap();
        let state = checked.edits.iter().find(|edit| edit.value == "Start").unwrap().state;
        assert_eq!((state, checked.outcome()), (EditState::Unreadable, Standing::Incomplete));
    }
}

#[test]
fn damage_elsewhere_matters_where_everything_is_compared() {
    let bench = Bench::xp();
    let patched = bench.patched();
    let system = &patched.hives.iter().find(|(role, _)| *role == "SYSTEM").unwrap().1;
    let now = bench.path("now");
    for path in patched.write(&now).unwrap() {
        if path.ends_with("SYSTEM") {
            let mut built = system.build();
            let vk = built.value(r"ControlSet001\Services\SENS", "Start").vk;
            built.put(vk.payload(), b"xx");
            fs::write(path, &built.bytes).unwrap();
        }
    }
    let standing = |before: &[_]| bench.check_folder(&now, before, Asked::Applied).unwrap().outcome();
    assert_eq!((standing(&[]), standing(&[bench.path("first")])), (Standing::Clean, Standing::Incomplete));
}

#[test]
fn a_dirty_hive_is_compared_as_its_logs_leave_it() {
    // Dirty hives of before, and the same with the patch written into what the logs leave.
    let case = fixture::compile("windows-xp-senslogn-shutdown-wrong").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first");
    case.write_dirty(&first).unwrap();
    let (file, files) = planned(&first, &PatchOptions::default());
    assert!(!file.plan.edits.is_empty());
    let mut patched = case.clone();
    super::import(&mut patched, &files, false);
    let bench = Bench { folder, first: case, file, files };
    assert_eq!(bench.standings(&patched, Asked::Applied), CLEAN);
    assert_eq!(bench.standings(&bench.first, Asked::Applied), NOT_CLEAN);
    // Without its logs it is not what the plan was made from.
    let bare = bench.path("bare");
    fs::create_dir(&bare).unwrap();
    for role in fixture::ROLES {
        fs::copy(first.join("Windows/System32/config").join(role), bare.join(role)).unwrap();
    }
    let now = bench.path("now");
    patched.write(&now).unwrap();
    let why = bench.check_folder(&now, &[bare], Asked::Applied).unwrap_err();
    assert!(why.contains("its transaction logs are different"), "{why}");
}
