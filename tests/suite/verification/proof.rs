//! The proof of our own patches: it succeeds for every fixture in every format, and fails if a patch is not as claimed.

use std::path::PathBuf;

use hivemend::baseline::Profile;
use hivemend::examination::{Examination, Options, examine};
use hivemend::finding::ObservedDatum;
use hivemend::reg_file::{CodePage, Dialect};
use hivemend::registry::RegistryValue;
use hivemend::remediation::{Edit, PatchFile, PatchOptions, Plan, Selection, Target, patch_files, remedy};
use hivemend::verification::prove;
use tempfile::TempDir;

use crate::fixture;

/// A case on disk, examined and planned.
pub(super) struct Case {
    _folder: TempDir,
    pub(super) examination: Examination,
    pub(super) plan: Plan,
}

pub(super) static OPTIONS: std::sync::LazyLock<Options> = std::sync::LazyLock::new(|| Options {
    profiles: Profile::ALL.to_vec(),
    judge: true,
    check: false,
    os: None,
    baselines: hivemend::baseline::Chosen::default(),
    control_set: hivemend::control_set::Choice::Current,
    all_generations: false,
    all_findings: false,
    locations: false,
    fail_on: hivemend::finding::Severity::Low,
    replay: true,
    map: true,
    unpacking: hivemend::evidence::archive::Unpacking::default(),
    hash: None,
});

impl Case {
    /// `None` where there is nothing to patch.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::of_compiled(&fixture::compile(name).unwrap())
    }

    fn of_compiled(fixture: &fixture::Case) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fixture.write(folder.path()).unwrap();
        let examination = examine(&[PathBuf::from(folder.path())], &OPTIONS).unwrap();
        let selection = Selection { accept_dirty: true, ..Selection::default() };
        let plan = remedy(examination.report.installations.first()?, &selection).ok()?;
        (!plan.edits.is_empty()).then_some(Self { _folder: folder, examination, plan })
    }

    fn prove(&self, files: &[PatchFile], written: &PatchOptions) -> Result<hivemend::remediation::Proof, String> {
        let installation = self.examination.installations.first().unwrap();
        prove(installation, &OPTIONS, &self.plan, files, written).map_err(|error| error.to_string())
    }

    pub(super) fn files(&self, written: &PatchOptions) -> Vec<PatchFile> {
        patch_files(&self.plan, written).unwrap()
    }
}

#[test]
fn every_patch_of_a_fixture_stands_its_proof_in_every_form() {
    let mut proven = 0;
    for name in fixture::names().unwrap() {
        let Some(case) = Case::of(&name) else { continue };
        for dialect in [Dialect::Regedit5, Dialect::Regedit4(CodePage::default()), Dialect::Hivex] {
            for target in [Target::Offline, Target::Live] {
                // A running Windows has its current control set alone: such a patch is refused before.
                let sets = case.examination.report.installations[0].control_sets.as_ref();
                let current = sets.and_then(|sets| sets.current);
                let elsewhere = |edit: &Edit| edit.control_set.is_some() && edit.control_set != current;
                if target == Target::Live && case.plan.edits.iter().any(elsewhere) {
                    continue;
                }
                let written = PatchOptions { dialect, target, ..PatchOptions::default() };
                if (dialect, target) == (Dialect::Hivex, Target::Live) {
                    // hivexregedit writes to a hive, and SYSTEM there has no current control set.
                    let has_set = case.plan.edits.iter().any(|edit| edit.control_set.is_some());
                    assert!(!has_set || patch_files(&case.plan, &written).is_err(), "{name}");
                    continue;
                }
                let no_text = ["hostile-strings", "windows-7-servicedll-odd-length"].contains(&name.as_str());
                if dialect.code_page().is_some() && no_text {
                    // What it holds is in no code page, or no text, and nothing of it is written.
                    assert!(patch_files(&case.plan, &written).is_err());
                    continue;
                }
                let proof = case.prove(&case.files(&written), &written).unwrap_or_else(|why| panic!("{name}: {why}"));
                assert_eq!((proof.edits, proof.left), (case.plan.edits.len(), case.plan.left.len()), "{name}");
                assert!(proof.mended >= 1 && proof.restored + proof.altered.len() == proof.edits, "{name}");
                assert!(dialect != Dialect::Hivex || proof.altered.is_empty(), "{name}: {:?}", proof.altered);
                proven += 1;
            }
        }
    }
    assert!(proven > 140, "only {proven} proofs");
}

/// The header says what a file is for: where that is not what was asked for, nothing of it is proven.
#[test]
fn a_patch_whose_header_says_something_else_is_not_proven() {
    let case = wrong_shutdown();
    for (said, instead) in [
        ("for windows-xp.", "for windows-7."),
        ("Importer: regedit.", "Importer: hivexregedit."),
        ("Target: offline.", "Target: live."),
        ("Importer: ", "Imported by: "),
    ] {
        for which in [0, 1] {
            let mut files = case.files(&PatchOptions::default());
            let units = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            let (said, instead) = (units(said), units(instead));
            let at = files[which].bytes.windows(said.len()).position(|part| part == said).unwrap();
            files[which].bytes.splice(at..at + said.len(), instead);
            assert!(case.prove(&files, &PatchOptions::default()).is_err());
        }
    }
    let files = case.files(&PatchOptions { target: Target::Live, ..PatchOptions::default() });
    let why = case.prove(&files, &PatchOptions::default()).unwrap_err();
    assert!(why.contains("does not say what it is for"), "{why}");
}

/// hivexregedit would write the long value beside the edit where Windows cannot read it, or take another value along.
#[test]
fn a_patch_that_harms_a_neighbour_in_the_hands_of_hivexregedit_is_not_proven() {
    let beside = |name: &str, size: usize| {
        let mut fixture = fixture::compile("windows-7-bits-disabled").unwrap();
        let (_, system) = fixture.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
        system.root.create(r"ControlSet001\Services\BITS").set_binary(name, &vec![7; size]);
        let case = Case::of_compiled(&fixture).unwrap();
        let proven = |dialect| {
            let written = PatchOptions { dialect, ..PatchOptions::default() };
            case.prove(&case.files(&written), &written).map(|_| ())
        };
        assert_eq!(proven(Dialect::Regedit5), Ok(()));
        proven(Dialect::Hivex)
    };
    assert_eq!(beside("Blob", 16_344), Ok(()));
    assert!(beside("Blob", 16_345).unwrap_err().contains("into one cell"));
    assert!(beside("Hid\0den", 8).unwrap_err().contains("at its NUL"));
    // Long s looks like no s to Perl, and Start is found alone.
    assert_eq!(beside("\u{17f}tart", 8), Ok(()));
}

fn wrong_shutdown() -> Case {
    Case::of("windows-xp-senslogn-shutdown-wrong").unwrap()
}

#[test]
fn a_patch_that_sets_another_value_than_the_plan_says_is_not_proven() {
    let mut case = wrong_shutdown();
    let files = case.files(&PatchOptions::default());
    case.plan.edits[0].after = Some(ObservedDatum::from(&RegistryValue::dword(1)));
    let why = case.prove(&files, &PatchOptions::default()).unwrap_err();
    assert!(why.contains("edit 1: the value would not become what the plan says"), "{why}");
}

#[test]
fn a_patch_that_mends_nothing_is_not_proven() {
    let mut case = wrong_shutdown();
    case.plan.edits[0].after = Some(ObservedDatum::from(&RegistryValue::dword(1)));
    let files = case.files(&PatchOptions::default());
    let why = case.prove(&files, &PatchOptions::default()).unwrap_err();
    assert!(why.contains("edit 1: the finding would remain"), "{why}");
}

#[test]
fn a_patch_that_does_more_than_the_plan_is_not_proven() {
    let case = wrong_shutdown();
    let written = PatchOptions { dialect: Dialect::Hivex, ..PatchOptions::default() };
    let mut files = case.files(&written);
    files[0].bytes.extend(b"\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft]\n\"Other\"=dword:00000001\n");
    let why = case.prove(&files, &written).unwrap_err();
    assert!(why.contains("is not an edit of the plan"), "{why}");
}

#[test]
fn a_rollback_that_does_not_restore_is_no_rollback() {
    let case = wrong_shutdown();
    let mut files = case.files(&PatchOptions::default());
    let patch = files[0].bytes.clone();
    files[1].bytes = patch;
    let why = case.prove(&files, &PatchOptions::default()).unwrap_err();
    assert!(why.contains("edit 1: the rollback would not restore the value"), "{why}");
    files.truncate(1);
    let why = case.prove(&files, &PatchOptions::default()).unwrap_err();
    assert!(why.contains("the rollback would not restore"), "{why}");
}

#[test]
fn a_patch_that_cannot_be_read_again_is_not_proven() {
    let case = wrong_shutdown();
    let mut files = case.files(&PatchOptions::default());
    files[0].bytes.extend("[HKLM\\x]\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    let why = case.prove(&files, &PatchOptions::default()).unwrap_err();
    assert!(why.contains("cannot be read again"), "{why}");
}
