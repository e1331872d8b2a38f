//! Which installation a plan is for, and which hives are those from before. Others are refused.

use std::fs;
use std::path::{Path, PathBuf};

use hivemend::verification::{Asked, Standing};

use super::{Bench, tree};
use crate::fixture::{self, Case};

const NAME: &str = r"ControlSet001\Control\ComputerName\ComputerName";
const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";

fn refusal(bench: &Bench, now: &Path, before: &[PathBuf]) -> String {
    bench.check_folder(now, before, Asked::Applied).unwrap_err()
}

/// The case as another machine's.
fn of_another(mut case: Case, name: &str, installed: u32) -> Case {
    tree(&mut case, "SYSTEM").create(NAME).set_sz("ComputerName", name);
    tree(&mut case, "SOFTWARE").create(CURRENT_VERSION).set_dword("InstallDate", installed);
    case
}

fn named() -> Bench {
    Bench::of("windows-xp-senslogn-shutdown-wrong", |case| {
        *case = of_another(case.clone(), "ALPHA", 1_270_000_000);
    })
}

#[test]
fn another_windows_or_another_machine_is_refused() {
    let bench = named();
    fixture::compile("windows-7").unwrap().write(&bench.path("seven")).unwrap();
    let why = refusal(&bench, &bench.path("seven"), &[]);
    assert!(why.contains("the plan is for windows-xp, but this is windows-7"), "{why}");
    of_another(bench.patched(), "ALPHA", 1_270_000_001).write(&bench.path("other")).unwrap();
    let why = refusal(&bench, &bench.path("other"), &[]);
    assert!(why.contains("this one was installed 2010-03-31T01:46:41"), "{why}");
    // A computer that was given another name.
    of_another(bench.patched(), "BETA", 1_270_000_000).write(&bench.path("renamed")).unwrap();
    assert_eq!(bench.check_folder(&bench.path("renamed"), &[], Asked::Applied).unwrap().outcome(), Standing::Clean);
}

#[test]
fn of_one_hive_only_what_it_says_is_held_against_the_plan() {
    let bench = named();
    of_another(bench.patched(), "BETA", 1_270_000_000).write(&bench.path("beta")).unwrap();
    let config = |name: &str| bench.path(name).join("Windows/System32/config");
    let why = refusal(&bench, &config("beta").join("SYSTEM"), &[]);
    assert!(why.contains("the plan is for the computer ALPHA, but this is BETA"), "{why}");
    bench.patched().write(&bench.path("now")).unwrap();
    let why = refusal(&bench, &config("now").join("SYSTEM"), &[]);
    assert!(why.contains("the plan changes SOFTWARE, but this installation has no such hive"), "{why}");
    // The plan has no edit of SYSTEM.
    let software = config("now").join("SOFTWARE");
    assert_eq!(bench.check_folder(&software, &[], Asked::Applied).unwrap().outcome(), Standing::Clean);
    // But SYSTEM cannot be compared.
    let checked = bench.check_folder(&software, &[bench.path("first")], Asked::Applied).unwrap();
    assert_eq!(checked.outcome(), Standing::Incomplete);
    assert!(checked.problems[0].to_string().contains("no such hive in the evidence"), "{:?}", checked.problems);
}

#[test]
fn two_hives_may_be_named_one_by_one() {
    let bench = Bench::xp();
    bench.patched().write(&bench.path("now")).unwrap();
    let hives = |name: &str| {
        let config = bench.path(name).join("Windows/System32/config");
        fixture::ROLES.map(|role| config.join(role))
    };
    let options = hivemend::examination::Options::default();
    let run = |evidence: &[PathBuf], before: &[PathBuf]| {
        hivemend::verification::applied::run(&bench.file, evidence, before, Asked::Applied, &options).unwrap()
    };
    assert_eq!(run(&hives("now"), &hives("first")).outcome(), Standing::Clean);
    // One of the two does not show what became of the edits of the other.
    let checked = run(&hives("now")[1..], &[]);
    assert_eq!(checked.outcome(), Standing::Incomplete);
}

#[test]
fn of_several_installations_the_plans_own_is_taken_or_none() {
    let bench = named();
    let all = bench.path("all");
    of_another(bench.patched(), "ALPHA", 1_270_000_000).write(&all.join("a")).unwrap();
    of_another(bench.first.clone(), "BETA", 1_270_000_000).write(&all.join("b")).unwrap();
    fixture::compile("windows-7").unwrap().write(&all.join("c")).unwrap();
    let checked = bench.check_folder(&all, &[], Asked::Applied).unwrap();
    assert!(checked.evidence.contains("/a/"), "{}", checked.evidence);
    assert_eq!(checked.outcome(), Standing::Clean);
    // Two clones.
    of_another(bench.first.clone(), "ALPHA", 1_270_000_000).write(&all.join("d")).unwrap();
    let why = refusal(&bench, &all, &[]);
    assert!(why.contains("the plan can be for each of 2 installations. Name one of them"), "{why}");
}

#[test]
fn what_the_plan_was_not_made_from_is_no_before() {
    let bench = Bench::xp();
    bench.patched().write(&bench.path("now")).unwrap();
    let why = refusal(&bench, &bench.path("now"), &[bench.path("now")]);
    assert!(why.contains("these are not the hives that the plan was made from"), "{why}");
    assert!(why.contains("has SHA-256") && why.contains(bench.file.plan.hives[0].sha256.as_ref().unwrap()), "{why}");
    let why = refusal(&bench, &bench.path("now"), &[bench.path("nowhere")]);
    assert!(why.contains("cannot be read"), "{why}");
    fs::create_dir(bench.path("empty")).unwrap();
    let why = refusal(&bench, &bench.path("empty"), &[]);
    assert!(why.contains("no SOFTWARE or SYSTEM hive was found"), "{why}");
    let mut unhashed = Bench::xp();
    unhashed.file.plan.hives.iter_mut().for_each(|hive| hive.sha256 = None);
    let why = refusal(&unhashed, &bench.path("now"), &[unhashed.path("first")]);
    assert!(why.contains("no SHA-256 in the plan"), "{why}");
}
