//! The fixtures as evidence: each is compiled, examined, and compared with the `expect.toml` beside it. The output of
//! hivemend and the patch that it writes are snapshots.

use std::path::Path;

use hivemend::examination::{Examination, Options, examine};
use hivemend::remediation::{Plan, Selection, remedy};
use hivemend::report::InstallationReport;

use crate::fixture::{self, Case, Existing};

mod evasion;
mod expectations;
mod expected;
mod mending;
mod text;
mod triples;

/// A case, compiled and examined.
pub(crate) struct Examined {
    pub(crate) case: Case,
    pub(crate) examination: Examination,
}

impl Examined {
    /// The only installation there is.
    pub(crate) fn installation(&self) -> &InstallationReport {
        let [installation] = self.examination.report.installations.as_slice() else {
            panic!("{}: {} installations", self.case.name, self.examination.report.installations.len())
        };
        installation
    }

    /// The exit code that the command line gives.
    pub(crate) fn exit(&self) -> u8 {
        match (self.examination.report.summary.complete, self.examination.failed) {
            (false, _) => 3,
            (true, true) => 1,
            (true, false) => 0,
        }
    }

    /// What hivemend would do about it.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        remedy(self.installation(), &Selection::default()).map_err(|(reason, _)| reason)
    }
}

/// Examines a case with all findings kept.
pub(crate) fn examined(case: Case, options: &Options) -> Examined {
    let folder = tempfile::tempdir().unwrap();
    case.write(folder.path()).unwrap();
    let examination = examine_folder(folder.path(), options);
    Examined { case, examination }
}

pub(crate) fn examine_folder(folder: &Path, options: &Options) -> Examination {
    let options = Options { all_findings: true, map: false, ..options.clone() };
    examine(&[folder.to_path_buf()], &options).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// Compiles and examines the case of that name.
pub(crate) fn examined_case(name: &str) -> Examined {
    let case = fixture::compile(name).unwrap_or_else(|message| panic!("{message}"));
    examined(case, &Options::default())
}

/// The names of the cases in which nothing is wrong.
pub(crate) fn clean_cases() -> Vec<String> {
    let clean = |rows: &[expected::Expected]| rows.iter().all(expected::Expected::is_clean);
    expected::read().into_iter().filter(|(_, rows)| clean(rows)).map(|(name, _)| name).collect()
}

/// Does `work` for each case, side by side; the results are in the order of the names.
pub(crate) fn for_each_case<T: Send>(work: impl Fn(&str) -> T + Sync) -> Vec<(String, T)> {
    use rayon::prelude::*;
    let names = fixture::names().unwrap();
    assert!(names.len() > 90, "only {} fixtures", names.len());
    names.into_par_iter().map(|name| (name.clone(), work(&name))).collect()
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    for name in ["windows-xp-senslogn-shutdown-wrong", "hostile-strings"] {
        let bytes = || fixture::compile(name).unwrap().hives.into_iter().map(|(_, hive)| hive.to_bytes());
        assert!(bytes().eq(bytes()), "{name}");
    }
}

/// Evidence of a run before is refused or replaced whole: a log that stays would be replayed into another hive.
#[test]
fn evidence_is_made_again_and_nothing_of_the_old_stays() {
    let folder = tempfile::tempdir().unwrap();
    let [dirty, clean] =
        ["windows-10-bits-manual", "windows-7-bits-disabled"].map(|name| fixture::compile(name).unwrap());
    let in_config = || {
        let entries = std::fs::read_dir(folder.path().join("Windows/System32/config")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    dirty.write_dirty(folder.path()).unwrap();
    dirty.write_dirty(folder.path()).unwrap();
    let before = in_config();
    assert!(before.iter().any(|name| name.contains(".LOG")), "{before:?}");

    assert!(clean.write(folder.path()).unwrap_err().contains("--overwrite"));
    assert_eq!(in_config(), before);

    fixture::write(folder.path(), &clean.files(), Existing::Replace).unwrap();
    assert_eq!(in_config(), ["SOFTWARE", "SYSTEM"]);
    let system = std::fs::read(folder.path().join("Windows/System32/config/SYSTEM")).unwrap();
    assert!(clean.files().contains(&("SYSTEM".to_owned(), system)));
}
