//! The check of a plan afterwards: an applied or rolled-back plan is distinguished from one that was not applied, and
//! from one beside which something else changed.

use std::fs;
use std::path::{Path, PathBuf};

use hivemend::examination::{Options, examine};
use hivemend::reg_file::parse;
use hivemend::remediation::{PatchFile, PatchOptions, Plan, PlanFile, Selection, patch_files, remedy};
use hivemend::verification::applied::{Checked, run};
use hivemend::verification::{Asked, Standing};
use tempfile::TempDir;

use crate::apply::apply;
use crate::fixture::{self, Case, root_of};

mod changes;
mod choice;
mod importers;
mod program;
pub(crate) mod random;
mod states;

/// When the importer of these tests makes a key.
const MADE: u64 = crate::builder::DEFAULT_TIME + 864_000_000_000;

/// A case with a plan, in `first`; and room for what becomes of it.
struct Bench {
    folder: TempDir,
    first: Case,
    file: PlanFile,
    files: Vec<PatchFile>,
}

impl Bench {
    /// A fixture, broken further where that is wanted.
    fn of(name: &str, damage: impl FnOnce(&mut Case)) -> Self {
        let mut first = fixture::compile(name).unwrap();
        damage(&mut first);
        let folder = tempfile::tempdir().unwrap();
        first.write(&folder.path().join("first")).unwrap();
        let (file, files) = planned(&folder.path().join("first"), &PatchOptions::default());
        fs::write(folder.path().join("plan.json"), serde_json::to_vec(&file.plan).unwrap()).unwrap();
        Self { folder, first, file, files }
    }

    /// Windows XP with three wrong values in two hives.
    fn xp() -> Self {
        Self::of("windows-xp", |case| {
            let bits = tree(case, "SYSTEM").create(r"ControlSet001\Services\BITS");
            bits.set_dword("Start", 4);
            bits.set_sz("FailureCommand", r"C:\WINDOWS\Temp\a.exe");
            tree(case, "SOFTWARE").create(SENSLOGN).set_sz("Shutdown", "SensStopEvent");
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The case with the patch imported.
    fn patched(&self) -> Case {
        let mut case = self.first.clone();
        import(&mut case, &self.files, false);
        case
    }

    /// The case with the patch imported, then the rollback.
    fn undone(&self) -> Case {
        let mut case = self.patched();
        import(&mut case, &self.files, true);
        case
    }

    /// What the proof says of a case: without the hives of before, and with them.
    fn check(&self, case: &Case, asked: Asked) -> [Checked; 2] {
        let now = tempfile::tempdir_in(self.folder.path()).unwrap();
        case.write(now.path()).unwrap();
        [&[][..], &[self.path("first")]].map(|before| self.check_folder(now.path(), before, asked).unwrap())
    }

    fn check_folder(&self, now: &Path, before: &[PathBuf], asked: Asked) -> Result<Checked, String> {
        let options = Options { map: false, ..Options::default() };
        run(&self.file, &[now.to_owned()], before, asked, &options).map_err(|error| error.to_string())
    }

    /// How both stand.
    fn standings(&self, case: &Case, asked: Asked) -> [Standing; 2] {
        self.check(case, asked).map(|checked| checked.outcome())
    }
}

const SENSLOGN: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";

/// The root key of a hive of a case.
fn tree<'c>(case: &'c mut Case, role: &str) -> &'c mut crate::builder::Key {
    &mut case.hives.iter_mut().find(|(of, _)| *of == role).unwrap().1.root
}

/// The plan of the only installation in a folder, as it is read from its file, and the patch files.
pub(crate) fn planned(folder: &Path, options: &PatchOptions) -> (PlanFile, Vec<PatchFile>) {
    let examination = examine(&[folder.to_owned()], &Options { map: false, ..Options::default() }).unwrap();
    let [installation] = examination.report.installations.as_slice() else { panic!("one installation expected") };
    let selection = Selection { dialect: options.dialect, target: options.target, ..Selection::default() };
    let plan: Plan = remedy(installation, &selection).unwrap();
    let files = patch_files(&plan, options).unwrap();
    let file = PlanFile::parse("plan.json", &serde_json::to_vec(&plan).unwrap()).unwrap();
    assert_eq!(file.plan, plan);
    (file, files)
}

/// Imports patches or rollbacks as regedit does.
fn import(case: &mut Case, files: &[PatchFile], rollback: bool) {
    for file in files.iter().filter(|file| file.is_rollback == rollback) {
        let role = if file.name.starts_with("SOFTWARE") { "SOFTWARE" } else { "SYSTEM" };
        apply(&parse(&file.bytes).effect, &root_of(role), tree(case, role), MADE).unwrap();
    }
}
