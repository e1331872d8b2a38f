//! The audit: turns expectations and facts into findings. It reads and writes no files.

use std::cell::OnceCell;

use crate::baseline::{Baseline, Basis, Profile, Step, SystemRoot};
use crate::facts::Facts;
use crate::finding::{Expected, Finding, Reason, Verdict, View};
use crate::os::Os;

mod causes;
mod chain;
mod characters;
mod errors;
mod failure_actions;
mod fallback;
mod judge;
mod keys;
mod membership;
mod merge;
mod odd_keys;
mod other_groups;
mod rules;
mod scene;
mod security;
mod strangers;
mod wording;

pub use fallback::also_in;
use judge::Judge;
use scene::Scene;

/// What the audit has to know about the installation beside the facts.
pub struct Context<'a> {
    /// Which Windows it is.
    pub os: &'a Os,
    /// Where the system root is.
    pub root: SystemRoot,
    /// Whether Setup of this Windows has not finished. If so, nothing is judged.
    pub setup_phase: bool,
    /// What the audit looks for.
    pub profiles: &'a [Profile],
}

/// Judges the facts, which come from [`crate::facts::observe_all`]. Every expectation that applies to this Windows
/// yields one finding for each place where it was looked for.
pub fn audit(baseline: &Baseline, facts: &Facts, context: &Context<'_>) -> Vec<Finding> {
    let groups = OnceCell::new();
    let scene = Scene { baseline, facts, context, groups: &groups };
    // A finding is large, and a vector that grows copies all of them.
    let rows = baseline.keys.iter().fold(0_usize, |sum, key| sum.saturating_add(key.values.len()).saturating_add(1));
    let mut findings = Vec::with_capacity(rows);
    for (index, facts) in &facts.keys {
        let Some(key) = baseline.keys.get(*index) else { continue };
        Judge { key, facts, scene }.judge(&mut findings);
    }
    keys::name_causes(&mut findings);
    other_groups::judge(&scene, &mut findings);
    if context.profiles.contains(&Profile::Chain) {
        chain::judge(&scene, &mut findings);
    }
    if context.profiles.contains(&Profile::Persistence) {
        strangers::find(&scene, &mut findings);
    }
    findings = merge::join(findings);
    odd_keys::names(&scene, &mut findings);
    odd_keys::times(&scene, &mut findings);
    if !context.setup_phase {
        causes::gather(&scene, &mut findings);
        errors::explain(&scene, &mut findings);
    }
    findings.extend(baseline.steps.iter().filter(|step| step.when.holds(context.os) != Some(false)).map(run_time));
    if context.setup_phase {
        for finding in findings.iter_mut().filter(|finding| finding.verdict != Verdict::NotAssessed(Reason::RunTime)) {
            finding.verdict = Verdict::NotAssessed(Reason::SetupPhase);
            finding.remediation = None;
        }
    }
    findings
}

fn run_time(step: &Step) -> Finding {
    let verdict = Verdict::NotAssessed(Reason::RunTime);
    Finding { advice: Some(step.advice.clone()), ..blank(step.id.clone(), verdict, Expected::Nothing, &step.basis) }
}

/// Returns a finding with this verdict and nothing observed yet.
pub(crate) fn blank(id: String, verdict: Verdict, expected: Expected, basis: &Basis) -> Finding {
    let why = match &basis.kinship {
        Some(kinship) => format!("{} (inferred from {kinship})", basis.why),
        None => basis.why.clone(),
    };
    Finding {
        id,
        verdict,
        severity: basis.severity,
        grade: basis.grade,
        note: None,
        cause: None,
        advice: None,
        hive: None,
        control_set: None,
        key: None,
        value: None,
        stored_name: None,
        expected,
        observed: None,
        key_last_written: None,
        key_last_written_note: None,
        view: View::Primary,
        other_view: None,
        also_in: Vec::new(),
        location: None,
        why,
        source: basis.source.clone(),
        attack: basis.attack.clone(),
        remediation: None,
    }
}
