//! The gaps of one installation: what should have been read or judged, and was not.

use std::collections::BTreeSet;

use crate::error::{Code, Gap};
use crate::finding::{Reason, Verdict};
use crate::hive::State;
use crate::machine::Sameness;
use crate::registry::Role;
use crate::report::InstallationReport;

/// Returns the gaps of an installation: of its Windows, its hives, and its findings.
pub fn of(report: &InstallationReport) -> Vec<Gap> {
    let InstallationReport { evidence, os, hives, same_machine, .. } = report;
    let judgement = report.judgement.as_ref();
    let mut gaps = Vec::new();
    let mut gap = |code, at: &str, reason: String| {
        let hive = hives.iter().find(|hive| hive.path == at);
        gaps.push(Gap::new(code, at, reason).advise(hive.and_then(|hive| hive.integrity.advice())));
    };
    // A user's baseline judges regardless of the Windows.
    let by_own = judgement.is_some_and(|judgement| judgement.by_own);
    let has_none = judgement.is_some_and(|judgement| judgement.baseline.is_none()) || os.baseline().is_none();
    if has_none && !by_own {
        gap(Code::WindowsUnknown, evidence, format!("no baseline for this Windows: {}", os.name));
    } else if os.is_uncertain() && !by_own {
        let reason = format!("it is uncertain whether this is {}: {}", os.name, os.marks.against.join("; "));
        gap(Code::WindowsUncertain, evidence, reason);
    }
    if let Some(same) = same_machine.as_ref().filter(|same| same.state == Sameness::Contradicted) {
        let reason = format!("SOFTWARE and SYSTEM are not from the same machine: {}", same.by.join("; "));
        gap(Code::HivesContradict, evidence, reason);
    }
    for hive in hives.iter().filter(|hive| matches!(hive.role, Role::Software | Role::System)) {
        match hive.integrity.state {
            // When Windows replays the logs of a dirty hive, the verdict may no longer hold.
            State::Dirty => gap(Code::HiveDirty, &hive.path, format!("{} is dirty", hive.role)),
            State::Damaged => gap(Code::HiveDamaged, &hive.path, format!("{} is damaged", hive.role)),
            State::Clean | State::Recovered => {}
        }
    }
    let mut missing = BTreeSet::new();
    let mut unknown = 0_usize;
    for finding in judgement.iter().flat_map(|judgement| &judgement.findings) {
        match finding.verdict {
            Verdict::Unreadable => {
                gap(Code::FindingUnreadable, evidence, format!("{} cannot be read", finding.id));
            }
            Verdict::NotAssessed(Reason::HiveMissing) => _ = missing.insert(finding.hive),
            Verdict::NotAssessed(Reason::OsUnknown) => unknown = unknown.saturating_add(1),
            _ => {}
        }
    }
    for role in missing {
        let role = role.map_or_else(|| "a hive".to_owned(), |role| role.to_string());
        gap(Code::HiveMissing, evidence, format!("{role} is missing"));
    }
    if unknown > 0 {
        gap(Code::FactUnknown, evidence, format!("{unknown} expectations depend on a fact that is not known"));
    }
    gaps
}
