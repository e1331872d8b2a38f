//! One installation: which Windows, and what the audit of it comes to.

use super::Options;
use super::integrity::{Opened, as_it_lies, describe, hash, open};
use super::views;
use crate::audit::{Context, audit};
use crate::baseline::{Baseline, SystemRoot};
use crate::control_set::ControlSets;
use crate::discovery::{Generation, Installation};
use crate::error::{Error, Problem};
use crate::facts::{Source, observe_all};
use crate::hive::{self, Hive, State, Tree};
use crate::machine::Machine;
use crate::os::{Os, Pair, identify};
use crate::registry::Role;
use crate::report::{BaselineReference, HiveReport, InstallationReport, Judgement};

/// What an installation came to.
pub(super) struct Judged {
    pub(super) report: InstallationReport,
    /// Whether everything in it that should have been read was.
    pub(super) complete: bool,
    pub(super) problems: Vec<Problem>,
}

/// Examines one installation, its files hashed meanwhile.
pub(super) fn examine_installation(installation: &Installation, options: &Options) -> Result<Judged, Error> {
    let opened: Vec<Opened<'_>> = installation.hives.iter().map(|found| open(found, options)).collect();
    let judge = || {
        hive::guarded(|| judge(installation, &opened, options)).unwrap_or_else(|problem| {
            Ok(unread(installation, &opened, Problem { path: Some(installation.evidence.clone()), ..problem }))
        })
    };
    let hash = || hash(installation, options.hash);
    let (judged, sums) = if options.hash { rayon::join(judge, hash) } else { (judge(), hash()) };
    let mut judged = judged?;
    for (hive, (sum, log_sums)) in judged.report.hives.iter_mut().zip(sums) {
        hive.sha256 = sum;
        for (log, sum) in hive.integrity.logs.iter_mut().zip(log_sums) {
            log.sha256 = sum;
        }
    }
    Ok(judged)
}

/// Tells the Windows, and audits it where it is to be audited.
fn judge(installation: &Installation, opened: &[Opened<'_>], options: &Options) -> Result<Judged, Error> {
    let of_role = |role: Role| opened.iter().find(|opened| opened.found.role == role);
    let (software, system) = (of_role(Role::Software), of_role(Role::System));
    let minor = system.and_then(|opened| opened.hive.as_ref().ok()).map(|hive| hive.base_block().minor);
    let trees: Vec<Option<Tree<'_>>> = opened.iter().map(|opened| opened.hive.as_ref().ok().map(Hive::tree)).collect();
    let tree_of = |role: Role| {
        let index = opened.iter().position(|opened| opened.found.role == role)?;
        trees.get(index)?.as_ref()
    };
    let (software_tree, system_tree) = (tree_of(Role::Software), tree_of(Role::System));

    let (mut os, mut problems) = identify(Pair { software: software_tree, system: system_tree.zip(minor) });
    for problem in &mut problems {
        problem.path.get_or_insert_with(|| installation.evidence.clone());
    }
    if let Some(forced) = options.os {
        os = Os { id: forced, name: forced.name(), forced: true, ..os };
        os.basis.push("the user said so (--os)".to_owned());
    }
    let control_sets = system_tree.map(ControlSets::read);
    let chosen = match &control_sets {
        Some(Ok(sets)) => sets.chosen(options.control_set),
        Some(Err(problem)) => Err(problem.clone()),
        None => Ok(Vec::new()),
    };
    let readable_sets = control_sets.as_ref().and_then(|sets| sets.as_ref().ok()).cloned();
    // For facts about the machine any set will do, where the chosen one is unclear.
    let some_set = chosen
        .as_ref()
        .ok()
        .and_then(|chosen| chosen.first().copied())
        .or_else(|| readable_sets.as_ref().and_then(|sets| sets.present.first().copied()));
    let machine = Machine::read(software_tree, system_tree, some_set);

    let mut complete = os.id.has_baseline();
    let wanted = options.judge
        && installation.is_auditable()
        && match installation.generation {
            Generation::Live | Generation::Copy => true,
            Generation::Setup => false,
            _ => options.all_generations,
        };
    let judgement = if wanted {
        let baseline = Baseline::of(os.id)?;
        let mut findings = Vec::new();
        if let Some(baseline) = &baseline {
            let context = Context {
                os: &os,
                root: SystemRoot::new(machine.system_root.as_deref()),
                setup_phase: system_tree.is_some_and(in_setup),
            };
            let findings_in = |software_tree, system_tree| {
                let of_system = match &chosen {
                    Ok(_) => source(system, system_tree),
                    Err(problem) => Source::Unreadable(problem),
                };
                let sets = chosen.as_deref().unwrap_or_default();
                audit(baseline, &observe_all(baseline, source(software, software_tree), of_system, sets), &context)
            };
            findings = findings_in(software_tree, system_tree);
            // The same expectations, in the same control sets, of the primary files without their logs.
            let lying = |opened: Option<&Opened<'_>>| {
                opened
                    .filter(|opened| opened.replay.is_some())
                    .and_then(|opened| as_it_lies(opened.found, options).ok())
            };
            let primaries = [lying(software), lying(system)];
            let [software_lies, system_lies] = primaries.each_ref().map(|hive| hive.as_ref().map(Hive::tree));
            if software_lies.is_some() || system_lies.is_some() {
                let primary =
                    findings_in(software_lies.as_ref().or(software_tree), system_lies.as_ref().or(system_tree));
                let recovered = |role| match role {
                    Role::Software => software_lies.is_some(),
                    Role::System => system_lies.is_some(),
                    _ => false,
                };
                views::compare(&mut findings, primary, recovered);
            }
        }
        let reference = baseline.map(|baseline| BaselineReference { id: baseline.id, sha256: baseline.sha256 });
        Some(Judgement { baseline: reference, findings })
    } else {
        None
    };
    let hives: Vec<HiveReport> =
        opened.iter().zip(&trees).map(|(opened, tree)| describe(opened, tree.as_ref(), options)).collect();
    // A verdict on a dirty hive may be overtaken when Windows replays its logs.
    complete &= hives
        .iter()
        .filter(|hive| matches!(hive.role, Role::Software | Role::System))
        .all(|hive| hive.integrity.state != State::Dirty);
    let report = InstallationReport {
        id: installation.id.clone(),
        evidence: installation.evidence.clone(),
        generation: installation.generation,
        machine,
        os,
        control_sets: readable_sets,
        hives,
        judgement,
    };
    Ok(Judged { report, complete, problems })
}

/// Where facts of a hive come from: its tree, or why there is none.
fn source<'a, 'h>(opened: Option<&'a Opened<'_>>, tree: Option<&'a Tree<'h>>) -> Source<'a, 'h> {
    match (opened.map(|opened| &opened.hive), tree) {
        (_, Some(tree)) => Source::Tree(tree),
        (Some(Err(problem)), None) => Source::Unreadable(problem),
        _ => Source::Missing,
    }
}

/// Whether Windows' setup was under way when the hive was written.
fn in_setup(system: &Tree<'_>) -> bool {
    let key = system.key("Setup").ok().flatten();
    let value = key.and_then(|key| key.value("SystemSetupInProgress").ok().flatten());
    value.and_then(|value| value.as_number()).is_some_and(|number| number != 0)
}

/// The report of an installation that could not be read at all.
fn unread(installation: &Installation, opened: &[Opened<'_>], problem: Problem) -> Judged {
    let (os, _) = identify(Pair { software: None, system: None });
    let options = |opened| describe(opened, None, &Options { map: false, ..Options::default() });
    let report = InstallationReport {
        id: installation.id.clone(),
        evidence: installation.evidence.clone(),
        generation: installation.generation,
        machine: Machine::default(),
        os,
        control_sets: None,
        hives: opened.iter().map(options).collect(),
        judgement: Some(Judgement { baseline: None, findings: Vec::new() }),
    };
    Judged { report, complete: false, problems: vec![problem] }
}
