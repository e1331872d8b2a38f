//! The Windows, the machine, and the state of hives: facts that a planted, damaged, or missing mark must not hide.

use std::fs;
use std::path::Path;

use hivemend::control_set::Choice;
use hivemend::discovery::Evidence;
use hivemend::error::Code;
use hivemend::examination::{Options, examine};
use hivemend::finding::{Reason, Verdict};
use hivemend::history::{render, trace};
use hivemend::hive::transaction_log::LogState;
use hivemend::hive::{Hive, State};
use hivemend::machine::{Machine, Sameness, same_machine};
use hivemend::os::OsId;
use hivemend::report::table::Style;
use rayon::prelude::*;

use crate::builder;
use crate::cases::{clean_cases, examine_folder, examined};
use crate::fixture::{self, Case};
use crate::real_hives::corpus;

const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";

/// One mark of one hive, changed.
type Change = (&'static str, &'static str, fn(&mut builder::Hive));

fn control<'h>(hive: &'h mut builder::Hive, path: &str) -> &'h mut builder::Key {
    hive.root.create(&format!(r"ControlSet001\Control\{path}"))
}

fn flipped() -> Vec<Change> {
    fn version(hive: &mut builder::Hive) -> &mut builder::Key {
        hive.root.create(CURRENT_VERSION)
    }
    vec![
        ("MiniNT", "SYSTEM", |hive| _ = control(hive, "MiniNT")),
        ("WinPE", "SOFTWARE", |hive| _ = hive.root.create(&format!(r"{CURRENT_VERSION}\WinPE"))),
        ("format 1.6", "SYSTEM", |hive| hive.minor = 6),
        ("CoreOS gone", "SYSTEM", |hive| _ = hive.root.create("Setup").remove_child("Service Reporting API")),
        ("root key", "SYSTEM", |hive| hive.root.name = "elsewhere".encode_utf16().collect()),
        ("CurrentVersion", "SOFTWARE", |hive| _ = version(hive).remove_value("CurrentVersion")),
        ("CurrentBuildNumber", "SOFTWARE", |hive| _ = version(hive).remove_value("CurrentBuildNumber")),
        ("ProductName", "SOFTWARE", |hive| _ = version(hive).set_sz("ProductName", "Windows 7 Ultimate")),
        ("InstallationType", "SOFTWARE", |hive| _ = version(hive).set_sz("InstallationType", "WindowsPE")),
        ("EditionID", "SOFTWARE", |hive| _ = version(hive).set_sz("EditionID", "WindowsPE")),
        ("major version", "SOFTWARE", |hive| _ = version(hive).remove_value("CurrentMajorVersionNumber")),
    ]
}

/// One mark that is planted or lost never leaves a Windows unjudged, nor lets another Windows judge it.
#[test]
fn one_flipped_mark_does_not_hide_a_windows() {
    let options = Options { hash: None, ..Options::default() };
    let wrong_in = |name: String| -> Vec<String> {
        let sound: Case = fixture::compile(&name).unwrap();
        let expected = examined(sound.clone(), &options).installation().os.baseline();
        let wrong = flipped().into_iter().filter_map(|(what, role, change)| {
            let mut case = sound.clone();
            change(&mut case.hives.iter_mut().find(|(of, _)| *of == role)?.1);
            let found = examined(case, &options);
            let os = &found.installation().os;
            (os.baseline() != expected).then(|| format!("{name}, {what}: {} ({:?})", os.id, os.marks))
        });
        wrong.collect()
    };
    let wrong: Vec<String> = clean_cases().into_par_iter().flat_map(wrong_in).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// One page of either hive that reads as zeros.
#[test]
fn a_zeroed_page_does_not_hide_a_windows() {
    let case = fixture::compile("windows-7").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = case.write(folder.path()).unwrap();
    let mut wrong = Vec::new();
    for file in &files {
        let sound = fs::read(file).unwrap();
        for page in 1..sound.len() / 4096 {
            let mut bytes = sound.clone();
            bytes[page * 4096..][..4096].fill(0);
            fs::write(file, bytes).unwrap();
            let examination = examine_folder(folder.path(), &Options::default());
            let judges: Vec<String> = examination
                .report
                .installations
                .iter()
                .map(|installation| installation.os.baseline().map_or("nobody".into(), |id| id.to_string()))
                .collect();
            if judges != ["windows-7"] || examination.report.summary.complete {
                wrong.push(format!("{}, page {page}: {judges:?}", file.display()));
            }
        }
        fs::write(file, sound).unwrap();
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The product type alone tells XP x64 from Server 2003; everywhere else other marks hold against it.
#[test]
fn a_flipped_product_type_is_outvoted_and_said() {
    for (name, flipped) in [("windows-7", "ServerNT"), ("windows-10", "LanmanNT"), ("windows-server-2019", "WinNT")] {
        let mut case = fixture::compile(name).unwrap();
        let (_, system) = case.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
        control(system, "ProductOptions").set_sz("ProductType", flipped);
        let found = examined(case, &Options::default());
        let os = &found.installation().os;
        assert_eq!((os.id.as_str(), os.is_uncertain(), found.exit()), (name, true, 3), "{:?}", os.marks);
        assert_eq!(os.marks.against, [format!("SYSTEM: ProductType={flipped}")]);
        assert!(found.plan().unwrap_err().contains("it is uncertain whether"), "{name}");
    }
}

#[test]
fn a_build_of_a_server_in_a_client_is_uncertain_and_never_patched() {
    let mut case = fixture::compile("windows-11-sens-disabled").unwrap();
    let (_, software) = case.hives.iter_mut().find(|(role, _)| *role == "SOFTWARE").unwrap();
    software.root.create(CURRENT_VERSION).set_sz("CurrentBuildNumber", "20348");
    let found = examined(case, &Options::default());
    assert!(found.installation().os.is_uncertain());
    let findings = &found.installation().judgement.as_ref().unwrap().findings;
    assert!(findings.iter().any(|finding| finding.id == "service-sens/Start" && finding.is_deviation()));
    assert!(found.plan().is_err());
}

#[test]
fn the_list_of_windows_is_dated_and_names_each_build_once() {
    assert_eq!(OsId::as_of().len(), "2026-11-04".len());
    assert!(OsId::ALL.iter().all(|id| !id.name().is_empty()));
    assert!(OsId::ALL.contains(&OsId::UNKNOWN) && !OsId::UNKNOWN.has_baseline());
}

/// What `--control-set 9` came to once were 72 findings.
#[test]
fn a_control_set_that_is_not_there_is_one_gap() {
    let case = fixture::compile("windows-7").unwrap();
    let found = examined(case, &Options { control_set: Choice::Number(9), ..Options::default() });
    let findings = &found.installation().judgement.as_ref().unwrap().findings;
    assert_eq!(findings.iter().filter(|finding| finding.verdict == Verdict::Unreadable).count(), 0);
    assert!(!findings.is_empty(), "SOFTWARE is judged all the same");
    let gaps = &found.examination.report.summary.gaps;
    assert_eq!(gaps.iter().map(|gap| gap.code).collect::<Vec<_>>(), [Code::ControlSetMissing]);
}

fn interrupted(folder: &Path) {
    fixture::compile("windows-7-bits-disabled-after-the-hive").unwrap().write_dirty(folder).unwrap();
}

/// Windows 8.1 and later write to two logs by turns: with one of them alone, nobody knows what is missing.
#[test]
fn a_missing_log_of_the_pair_leaves_the_hive_dirty() {
    let folder = tempfile::tempdir().unwrap();
    interrupted(folder.path());
    let state = |folder: &Path| {
        let examination = examine_folder(folder, &Options::default());
        let installation = &examination.report.installations[0];
        let system = installation.hives.iter().find(|hive| hive.role.as_str() == "SYSTEM").unwrap();
        let logs = system.integrity.logs.iter().map(|log| log.state).collect::<Vec<_>>();
        let replayed = system.integrity.replay.is_some();
        (system.integrity.state, logs, replayed, examination.report.summary.complete)
    };
    // A log of no bytes is there.
    let (found, logs, replayed, complete) = state(folder.path());
    assert_eq!((found, replayed, complete), (State::Recovered, true, true), "{logs:?}");
    fs::remove_file(folder.path().join("Windows/System32/config/SYSTEM.LOG2")).unwrap();
    let (found, logs, replayed, complete) = state(folder.path());
    assert_eq!((found, replayed, complete), (State::Dirty, true, false));
    assert_eq!(logs, [LogState::Used, LogState::Missing]);
}

#[test]
fn show_says_that_a_key_may_stand_in_a_missing_log() {
    let folder = tempfile::tempdir().unwrap();
    interrupted(folder.path());
    fs::remove_file(folder.path().join("Windows/System32/config/SYSTEM.LOG2")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hivemend"))
        .arg("show")
        .arg(folder.path().join("Windows/System32/config/SYSTEM"))
        .arg(r"ControlSet001\Services\nowhere")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("The hive is incomplete") && said.contains("SYSTEM.LOG2"), "{said}");
}

#[test]
fn a_check_names_every_link() {
    let folder = tempfile::tempdir().unwrap();
    fixture::compile("windows-7-bits-link").unwrap().write(folder.path()).unwrap();
    let options = Options { judge: false, check: true, map: false, ..Options::default() };
    let examination = examine(&[folder.path().to_path_buf()], &options).unwrap();
    let hives = examination.report.installations.iter().flat_map(|installation| &installation.hives);
    let told =
        hives.flat_map(|hive| &hive.integrity.problems).filter(|problem| problem.found.contains("symbolic link"));
    assert_eq!(told.count(), 1);
}

/// Three pairs of the corpus are of one machine each; what is put together from two is not.
#[test]
fn real_hives_are_of_one_machine_or_not() {
    let Some(corpus) = corpus() else { return };
    let open = |path: &str| Hive::open(&corpus.join(path), true).unwrap().unwrap().as_it_lies();
    let software = ["xp-sp3-x86/software", "win7-sp1-x86/SOFTWARE", "win81-x64-dirty-no-logs/SOFTWARE"].map(open);
    let system = [
        "xp-sp3-x86/system",
        "win7-sp1-x86/SYSTEM",
        "win81-x64-dirty-no-logs/SYSTEM",
        "xp-sp3-x86-m57/SYSTEM",
        "win10-1709-x64-dirty-with-logs/SYSTEM",
    ]
    .map(open);
    for (at, one) in software.iter().enumerate() {
        for (of, other) in system.iter().enumerate() {
            let (one, system) = (one.tree(), other.tree());
            let machine = Machine::read(Some(&one), Some(&system), Some(1));
            let same = same_machine(&one, &system, &machine, Some(other.base_block().last_written));
            let wanted = if at == of { Sameness::Proven } else { Sameness::Contradicted };
            assert_eq!(same.state, wanted, "{at} and {of}: {:?}", same.by);
        }
    }
}

/// Hives of NT 3 are no damaged ones: their cells are laid out otherwise.
#[test]
fn a_hive_of_nt_3_is_refused_by_name() {
    let hive = builder::Hive { minor: 1, ..builder::Hive::new("Software") };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("SOFTWARE"), hive.to_bytes()).unwrap();
    let examination = examine_folder(folder.path(), &Options::default());
    let gaps = &examination.report.summary.gaps;
    let problem = &examination.report.problems[0];
    assert!(gaps.iter().any(|gap| gap.code == Code::UnsupportedFormat), "{gaps:?}");
    assert!(problem.found.contains("format 1.1 (Windows NT 3.1)"), "{problem}");
}

/// Setup writes an InstallDate of 0 before it knows the time.
#[test]
fn an_install_date_of_zero_is_no_date() {
    let mut case = fixture::compile("windows-xp").unwrap();
    let (_, software) = case.hives.iter_mut().find(|(role, _)| *role == "SOFTWARE").unwrap();
    software.root.create(CURRENT_VERSION).set_dword("InstallDate", 0);
    assert_eq!(examined(case, &Options::default()).installation().machine.installed, None);
}

/// BITS sets its own start type: two control sets may differ without anything having changed.
#[test]
fn history_puts_what_differs_between_control_sets_into_a_group_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    fixture::compile("windows-7-second-control-set-broken").unwrap().write(folder.path()).unwrap();
    let options = Options { map: false, ..Options::default() };
    let history = trace(&[Evidence::from(&folder.path().to_path_buf())], &options).unwrap();
    let rows: Vec<_> = history.machines.iter().flat_map(|one| &one.hives).flat_map(|hive| &hive.values).collect();
    let differing: Vec<&str> = rows.iter().filter(|row| row.control_sets_differ).map(|row| row.id.as_str()).collect();
    assert_eq!(differing, ["service-bits/Start", "service-sens-parameters/ServiceDll"]);
    assert!(rows.iter().all(|row| row.changes.is_empty()));
    let mut table = Vec::new();
    render(&history, &Style::default(), &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("Different between control sets (2)"), "{table}");
    assert!(table.contains("0 changes; 2 values differ between control sets; complete."), "{table}");
}

/// Setup is under way where all of its marks and the dates agree, and only there.
#[test]
fn setup_is_told_by_all_of_its_marks_and_the_dates() {
    let examined_with = |installed: u32, marks: &[(&str, u32)]| {
        let mut case = fixture::compile("windows-7").unwrap();
        for (role, hive) in &mut case.hives {
            if *role == "SOFTWARE" {
                hive.root.create(CURRENT_VERSION).set_dword("InstallDate", installed);
            } else {
                let setup = hive.root.create("Setup");
                setup.set_sz("CmdLine", r"oobe\windeploy.exe");
                for (name, number) in marks {
                    setup.set_dword(name, *number);
                }
            }
        }
        let found = examined(case, &Options::default());
        let findings = &found.installation().judgement.as_ref().unwrap().findings;
        let phase = findings.iter().any(|finding| finding.verdict == Verdict::NotAssessed(Reason::SetupPhase));
        (phase, findings.iter().filter(|finding| finding.id.starts_with("setup-state/")).count())
    };
    let all = [("SystemSetupInProgress", 1), ("SetupType", 1)];
    assert_eq!(examined_with(0, &all), (true, 0));
    // In use for a year.
    assert_eq!(examined_with(0x4d6c_fc87, &all), (false, 2));
    assert_eq!(examined_with(0, &all[..1]), (false, 1));
    assert_eq!(examined_with(0, &[]), (false, 0));
}

/// A mutant took every build from 26201 to 29999 for a Windows 11.
#[test]
fn builds_between_those_of_the_list_are_uncertain_and_never_patched() {
    let with = |build: u32| {
        let mut case = fixture::compile("windows-11-sens-disabled").unwrap();
        let (_, software) = case.hives.iter_mut().find(|(role, _)| *role == "SOFTWARE").unwrap();
        let version = software.root.create(CURRENT_VERSION);
        version.set_sz("CurrentBuild", &build.to_string()).set_sz("CurrentBuildNumber", &build.to_string());
        examined(case, &Options::default())
    };
    for build in [26_200, 26_300, 28_000] {
        let found = with(build);
        assert!(!found.installation().os.is_uncertain() && found.plan().is_ok(), "{build}");
    }
    for build in [26_201, 26_250, 26_299, 26_301, 27_000, 27_999, 28_001, 29_999] {
        let found = with(build);
        assert_eq!((found.installation().os.is_uncertain(), found.exit()), (true, 3), "{build}");
        assert!(found.plan().is_err(), "{build}");
    }
}

/// A mutant let the values of an optional key that is missing be absent.
#[test]
fn an_optional_key_may_be_missing() {
    let mut case = fixture::compile("windows-10").unwrap();
    let (_, system) = case.hives.iter_mut().find(|(role, _)| *role == "SYSTEM").unwrap();
    let services = system.root.create(r"ControlSet001\Services");
    assert!(services.remove_child("DoSvc").is_some() && services.remove_child("WaaSMedicSvc").is_some());
    let found = examined(case, &Options::default());
    let findings = &found.installation().judgement.as_ref().unwrap().findings;
    let of_them = |id: &str| id.starts_with("service-dosvc") || id.starts_with("service-waasmedicsvc");
    let rows: Vec<_> = findings.iter().filter(|finding| of_them(&finding.id)).collect();
    assert!(rows.len() > 8 && rows.iter().all(|finding| finding.verdict == Verdict::Conforms), "{rows:#?}");
    assert_eq!(found.exit(), 0);
}

/// A mutant ignored the setup phase: what setup is about to write was judged, and patched.
#[test]
fn nothing_is_judged_while_setup_is_under_way() {
    let mut case = fixture::compile("windows-7-bits-disabled").unwrap();
    for (role, hive) in &mut case.hives {
        if *role == "SOFTWARE" {
            hive.root.create(CURRENT_VERSION).set_dword("InstallDate", 0);
        } else {
            let setup = hive.root.create("Setup");
            setup
                .set_sz("CmdLine", r"oobe\windeploy.exe")
                .set_dword("SystemSetupInProgress", 1)
                .set_dword("SetupType", 1);
        }
    }
    let found = examined(case, &Options::default());
    let findings = &found.installation().judgement.as_ref().unwrap().findings;
    let judged = |verdict: Verdict| verdict.reason().is_none();
    assert!(findings.len() > 100 && !findings.iter().any(|finding| judged(finding.verdict)));
    assert!(found.plan().map_or(true, |plan| plan.edits.is_empty()));
}
