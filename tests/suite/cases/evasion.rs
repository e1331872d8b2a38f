//! The evasion suite: every method of hiding, in the cases of kind `evasion`, is detected.

use hivemend::examination::Options;
use hivemend::finding::{Severity, Verdict};
use hivemend::hive::State;
use hivemend::hive::transaction_log::LogState;

use super::expected::{Kind, of_kind};
use super::{Examined, clean_cases, examine_folder, examined_case};
use crate::builder::log;
use crate::fixture;

/// What is wrong with how a case came out: where what it hides is not seen.
fn unseen(examined: &Examined) -> Option<String> {
    let installation = examined.installation();
    let findings = installation.judgement.iter().flat_map(|judgement| &judgement.findings);
    let told = findings
        .filter(|finding| finding.is_deviation() || finding.verdict == Verdict::Unreadable)
        .any(|finding| finding.severity >= Severity::Low);
    let gap = !examined.examination.report.summary.gaps.is_empty();
    match (told || gap || installation.os.is_uncertain(), examined.exit()) {
        (false, _) => Some(format!("{}: silence", examined.case.name)),
        (true, 0) => Some(format!("{}: exit code 0", examined.case.name)),
        (true, _) => None,
    }
}

#[test]
fn no_way_to_hide_ends_in_silence() {
    let names = of_kind(Kind::Evasion);
    assert!(names.len() > 25, "only {} ways to hide", names.len());
    let wrong: Vec<String> = names.iter().filter_map(|name| unseen(&examined_case(name))).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The row that a trick touches does not conform: what the file names is all that differs from the clean case.
#[test]
fn an_ineffective_trick_would_fail() {
    for name in ["windows-7", "windows-10", "windows-7-bits-automatic"] {
        assert_eq!(unseen(&examined_case(name)), Some(format!("{name}: silence")));
    }
    assert_eq!(unseen(&examined_case("windows-7-wuauserv-manual")), Some("windows-7-wuauserv-manual: silence".into()));
}

/// Healthy variants that are worth a word have nothing above `info`.
#[test]
fn healthy_variants_are_not_alarmed() {
    let healthy = of_kind(Kind::Healthy);
    assert!(healthy.len() >= 7);
    for name in healthy.into_iter().chain(clean_cases()) {
        let examined = examined_case(&name);
        assert_eq!(examined.exit(), 0, "{name}");
        let findings = &examined.installation().judgement.as_ref().unwrap().findings;
        let alarms = findings.iter().filter(|finding| finding.is_deviation() && finding.severity > Severity::Info);
        assert_eq!(alarms.map(|finding| finding.id.as_str()).collect::<Vec<_>>(), [""; 0], "{name}");
    }
}

/// An entry behind an empty string is not in the list that Windows reads; nobody knows what was meant.
#[test]
fn a_list_with_an_empty_string_inside_is_not_patched() {
    for (case, id) in [
        ("windows-7-netsvcs-behind-an-empty-string", "svchost-netsvcs/netsvcs"),
        ("windows-7-dependency-behind-an-empty-string", "service-bits/RequiredPrivileges"),
    ] {
        let plan = examined_case(case).plan().unwrap();
        assert!(plan.edits.iter().all(|edit| edit.finding != id), "{case}");
        assert!(plan.left.iter().any(|left| left.finding == id), "{case}");
    }
}

/// A hive with equal sequence numbers, and beside it a log whose entry does not stand in it.
#[test]
fn a_clean_hive_beside_a_newer_log_is_incomplete() {
    let base = fixture::compile("windows-7").unwrap();
    let changed = fixture::compile("windows-7-bits-disabled").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = base.write(folder.path()).unwrap();
    let [(_, before), (_, after)] =
        [&base, &changed].map(|case| case.hives.iter().find(|(role, _)| *role == "SYSTEM").unwrap());
    let config = files[0].parent().unwrap();
    for (name, bytes) in log::interrupted("SYSTEM", before, after) {
        if name != "SYSTEM" {
            std::fs::write(config.join(name), bytes).unwrap();
        }
    }
    let examination = examine_folder(folder.path(), &Options::default());
    let installation = &examination.report.installations[0];
    let system = installation.hives.iter().find(|hive| hive.role.as_str() == "SYSTEM").unwrap();
    assert!(system.integrity.logs.iter().any(|log| log.state == LogState::NotReplayed), "{:?}", system.integrity.logs);
    assert_eq!((system.integrity.state, examination.report.summary.complete), (State::Dirty, false));
    let told = |problem: &hivemend::error::Problem| problem.expected.contains("newer than the clean hive");
    assert!(system.integrity.problems.iter().any(told), "{:?}", system.integrity.problems);
}
