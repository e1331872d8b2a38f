//! Real hives, from the folder that `HIVEMEND_CORPUS` names; ignored without it. The expected results are in the
//! corpus' own MANIFEST.md.

use std::path::{Path, PathBuf};

use hivemend::examination::{Examination, Options, examine};
use hivemend::finding::{Finding, Reason, Verdict};
use hivemend::hive::{self, Hive, Key, State};
use hivemend::registry::{DataType, Decoded, Role};
use hivemend::report::InstallationReport;

use crate::cases::examine_folder;
use crate::harness;

/// The corpus folder, unpacked, or `None` where there is none, which the test then lacks.
pub(crate) fn corpus() -> Option<PathBuf> {
    harness::folder("HIVEMEND_CORPUS")
}

#[test]
fn roles_are_known_by_content() {
    let Some(corpus) = corpus() else { return };
    for (path, role) in [
        ("xp-sp3-x86/software", Role::Software),
        ("xp-sp3-x86/system", Role::System),
        ("xp-sp3-x86-m57/SYSTEM", Role::System),
        ("win7-sp1-x86/SOFTWARE", Role::Software),
        ("win7-sp1-x86/SYSTEM", Role::System),
        ("win81-x64-dirty-no-logs/SOFTWARE", Role::Software),
        ("win81-x64-dirty-no-logs/SYSTEM", Role::System),
        ("win10-1709-x64-dirty-with-logs/SYSTEM", Role::System),
        ("ntuser-dirty-with-logs/NTUSER.DAT", Role::Ntuser),
        ("xp-damaged/SYSTEM", Role::System),
    ] {
        let hive = Hive::open(&corpus.join(path), true).unwrap().unwrap().as_it_lies();
        assert_eq!(hive::role(&hive.tree()), Some(role), "{path}");
    }
}

#[test]
fn the_bits_service_of_windows_7_reads_as_other_readers_have_it() {
    let Some(corpus) = corpus() else { return };
    let hive = Hive::open(&corpus.join("win7-sp1-x86/SYSTEM"), true).unwrap().unwrap().as_it_lies();
    let tree = hive.tree();
    let key = tree.key(r"controlset001\services\bits").unwrap().unwrap();
    assert_eq!(key.value("start").unwrap().unwrap().as_number(), Some(3));
    assert_eq!(key.value("DependOnService").unwrap().unwrap().as_list().unwrap(), ["RpcSs", "EventSystem"]);
    assert!(key.value("Group").unwrap().is_none());
    assert!(key.last_written().to_rfc3339().is_some());
    assert_eq!(tree.problems(), []);
}

/// What an audit of a folder of the corpus comes to, and its exit code.
fn audited(corpus: &Path, folder: &str) -> (Examination, u8) {
    let examination = examine_folder(&corpus.join(folder), &Options::default());
    let exit = match (examination.report.summary.complete, examination.failed) {
        (false, _) => 3,
        (true, failed) => u8::from(failed),
    };
    (examination, exit)
}

fn only(examination: &Examination) -> &InstallationReport {
    let [installation] = examination.report.installations.as_slice() else { panic!("one installation expected") };
    installation
}

fn findings<'a>(examination: &'a Examination, id: &'a str) -> impl Iterator<Item = &'a Finding> {
    only(examination)
        .judgement
        .iter()
        .flat_map(|judgement| &judgement.findings)
        .filter(move |finding| finding.id.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[test]
fn healthy_machines_come_out_clean() {
    let Some(corpus) = corpus() else { return };
    for (folder, os, service_pack, least) in
        [("xp-sp3-x86", "windows-xp", "Service Pack 3", 85), ("win7-sp1-x86", "windows-7", "Service Pack 1", 75)]
    {
        let (examination, exit) = audited(&corpus, folder);
        let summary = &examination.report.summary;
        assert_eq!((only(&examination).os.id.as_str(), exit), (os, 0), "{folder}");
        assert_eq!(only(&examination).os.service_pack.as_deref(), Some(service_pack));
        assert_eq!((summary.counts.conforms, summary.counts.unreadable), (summary.counts.assessed, 0), "{folder}");
        assert!(summary.counts.assessed >= least, "{folder}: only {} assessed", summary.counts.assessed);
    }
}

#[test]
fn the_xp_machine_is_as_the_manifest_says() {
    let Some(corpus) = corpus() else { return };
    let (examination, _) = audited(&corpus, "xp-sp3-x86");
    let installation = only(&examination);
    let sets = installation.control_sets.as_ref().unwrap();
    assert_eq!((sets.present.as_slice(), sets.current, sets.last_known_good), ([1, 3].as_slice(), Some(1), Some(3)));
    assert_eq!(installation.os.version.as_deref(), Some("5.1"));
    assert_eq!((installation.os.build, installation.os.product_type.as_deref()), (Some(2600), Some("WinNT")));
    assert_eq!(installation.os.architecture.as_deref(), Some("x86"));

    let senslogn: Vec<_> = findings(&examination, "winlogon-notify-senslogn").collect();
    assert_eq!(senslogn.len(), 17);
    assert!(senslogn.iter().all(|finding| finding.verdict == Verdict::Conforms && finding.observed.is_some()));
    let datum = |id: &str| findings(&examination, id).next().unwrap().observed.as_ref().unwrap().datum.clone();
    assert_eq!(datum("winlogon-notify-senslogn/DLLName").data_type, DataType::SZ);
    assert_eq!(datum("service-bits/Start").data, Some(Decoded::Number(3)));
    assert_eq!(datum("service-bits/DependOnService").data, Some(Decoded::List(vec!["Rpcss".into()])));
    let library = datum("service-bits-parameters/ServiceDll").data;
    assert_eq!(library, Some(Decoded::Text(r"C:\WINDOWS\system32\qmgr.dll".into())));
    assert_eq!(datum("service-sens/Start").data, Some(Decoded::Number(2)));
    assert_eq!(datum("service-sens/Group").data, Some(Decoded::Text("Network".into())));

    let names = |file: &str, key: &str| -> Vec<String> {
        let hive = Hive::open(&corpus.join(file), true).unwrap().unwrap().as_it_lies();
        let tree = hive.tree();
        let (keys, problems) = tree.key(key).unwrap().unwrap().subkeys();
        assert_eq!(problems, []);
        keys.iter().map(Key::name).collect()
    };
    assert_eq!(names("xp-sp3-x86/system", r"ControlSet001\Services").len(), 294);
    let notify = names("xp-sp3-x86/software", r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify");
    for package in ["SensLogn", "TPSvc", "VMUpgradeAtShutdown", "WgaLogon"] {
        assert!(notify.iter().any(|name| name == package), "{package}");
    }
}

#[test]
fn a_windows_7_without_notify_conforms() {
    let Some(corpus) = corpus() else { return };
    let (examination, _) = audited(&corpus, "win7-sp1-x86");
    let one = |id: &str| findings(&examination, id).next().unwrap().clone();
    assert_eq!(one("winlogon-notify-senslogn").verdict, Verdict::Conforms);
    let number = |id: &str| one(id).observed.unwrap().datum.data;
    assert_eq!(number("service-bits/Start"), Some(Decoded::Number(3)));
    assert_eq!(number("service-bits/DelayedAutoStart"), Some(Decoded::Number(1)));
}

#[test]
fn a_pair_without_software_is_incomplete() {
    let Some(corpus) = corpus() else { return };
    let (examination, exit) = audited(&corpus, "xp-sp3-x86-m57");
    assert_eq!((only(&examination).os.id.as_str(), exit), ("windows-xp", 3));
    let mut missing = 0;
    for finding in only(&examination).judgement.iter().flat_map(|judgement| &judgement.findings) {
        let of_software = finding.hive == Some(Role::Software);
        assert_eq!(finding.verdict == Verdict::NotAssessed(Reason::HiveMissing), of_software, "{}", finding.id);
        assert!(!finding.is_deviation(), "{}", finding.id);
        missing += usize::from(of_software);
    }
    assert!(missing >= 17, "only {missing}");
}

#[test]
fn dirty_hives_without_logs_say_so() {
    let Some(corpus) = corpus() else { return };
    let (examination, exit) = audited(&corpus, "win81-x64-dirty-no-logs");
    let installation = only(&examination);
    assert_eq!((installation.os.id.as_str(), exit), ("windows-8.1", 3));
    let sequences: Vec<_> = installation
        .hives
        .iter()
        .map(|hive| (hive.integrity.state, hive.integrity.primary_sequence, hive.integrity.secondary_sequence))
        .collect();
    let dirty = |primary, secondary| (State::Dirty, Some(primary), Some(secondary));
    assert_eq!(sequences, [dirty(43469, 43468), dirty(3785, 3784)]);
    assert!(installation.hives.iter().all(|hive| !hive.integrity.problems.is_empty()));
    assert_eq!(examination.report.summary.counts.unreadable, 0);
}

#[test]
fn a_damaged_hive_is_read_as_far_as_it_goes() {
    let Some(corpus) = corpus() else { return };
    let (examination, exit) = audited(&corpus, "xp-damaged");
    assert_eq!((only(&examination).hives[0].integrity.state, exit), (State::Damaged, 3));
    assert!(!only(&examination).hives[0].integrity.problems.is_empty());
    // With the Windows named, every expectation has an answer: read, unreadable, or its hive missing.
    let options = Options { os: Some("windows-xp".parse().unwrap()), ..Options::default() };
    let examination = examine_folder(&corpus.join("xp-damaged"), &options);
    let summary = &examination.report.summary;
    assert!(summary.counts.unreadable > 0 && !summary.complete, "{summary:?}");
}

#[test]
fn a_hive_that_is_neither_is_not_audited() {
    let Some(corpus) = corpus() else { return };
    let examination = examine(&[corpus.join("ntuser-dirty-with-logs")], &Options::default()).unwrap();
    let error = examination.nothing.unwrap();
    assert!(error.to_string().contains("NTUSER"), "{error}");
}
