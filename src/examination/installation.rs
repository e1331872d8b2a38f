//! One installation: which Windows, and what the audit of it comes to.

use super::auditor::Auditor;
use super::integrity::{Opened, describe, hash, open};
use super::{Options, gaps, hibernation};
use crate::audit::Context;
use crate::baseline::SystemRoot;
use crate::control_set::ControlSets;
use crate::discovery::{Generation, Installation};
use crate::error::{Code, Error, Gap, Problem};
use crate::finding::Finding;
use crate::hive::{self, Hive, Overlay, Tree};
use crate::machine::Machine;
use crate::os::{Os, Pair, identify};
use crate::registry::Role;
use crate::report::{HiveReport, InstallationReport, Judgement};

/// What an installation came to.
pub(crate) struct Judged {
    pub(crate) report: InstallationReport,
    /// Everything that should have been read or judged, and was not.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) problems: Vec<Problem>,
}

impl Judged {
    /// The findings, those that conform among them.
    pub(crate) fn findings(&self) -> &[Finding] {
        self.report.judgement.as_ref().map(|judgement| judgement.findings.as_slice()).unwrap_or_default()
    }
}

/// Edits laid over the hives of one installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlays {
    pub(crate) software: Overlay,
    pub(crate) system: Overlay,
}

impl Overlays {
    /// The edits of a hive of that role.
    pub(crate) fn of(&self, role: Role) -> Option<&Overlay> {
        match role {
            Role::Software => Some(&self.software),
            Role::System => Some(&self.system),
            _ => None,
        }
    }

    /// To be edited.
    pub(crate) fn of_mut(&mut self, role: Role) -> Option<&mut Overlay> {
        match role {
            Role::Software => Some(&mut self.software),
            Role::System => Some(&mut self.system),
            _ => None,
        }
    }
}

/// An installation with its hives open, their logs replayed as the options have it.
pub(crate) struct OpenInstallation<'a> {
    pub(crate) installation: &'a Installation,
    hives: Vec<Opened<'a>>,
    options: &'a Options,
}

impl<'a> OpenInstallation<'a> {
    /// Opens the hives.
    pub(crate) fn open(installation: &'a Installation, options: &'a Options) -> Self {
        let hives = installation.hives.iter().map(|found| open(found, options)).collect();
        Self { installation, hives, options }
    }

    /// The tree of the hive of that role; `None` where there is none, or none that can be read.
    pub(crate) fn tree(&self, role: Role) -> Option<Tree<'_>> {
        self.hives.iter().find(|opened| opened.found.role == role)?.hive.as_ref().ok().map(Hive::tree)
    }

    /// Judges the installation as it is, or as edits would leave it. Nothing is hashed.
    pub(crate) fn judge(&self, overlays: Option<&Overlays>) -> Result<Judged, Error> {
        hive::guarded(|| judge(self.installation, &self.hives, self.options, overlays)).unwrap_or_else(|problem| {
            let problem = Problem { path: Some(self.installation.evidence.clone()), ..problem };
            Ok(unread(self.installation, &self.hives, problem))
        })
    }
}

/// Examines one installation, its files hashed meanwhile.
pub(super) fn examine_installation(installation: &Installation, options: &Options) -> Result<Judged, Error> {
    let open = OpenInstallation::open(installation, options);
    let judge = || open.judge(None);
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
fn judge(
    installation: &Installation,
    opened: &[Opened<'_>],
    options: &Options,
    overlays: Option<&Overlays>,
) -> Result<Judged, Error> {
    let mut trees = Vec::with_capacity(opened.len());
    for opened in opened {
        let tree = opened.hive.as_ref().ok().map(Hive::tree);
        trees.push(match overlays.and_then(|overlays| overlays.of(opened.found.role)) {
            Some(overlay) => tree.map(|tree| tree.under(overlay)),
            None => tree,
        });
    }
    let of_role = |role: Role| {
        let found = opened.iter().zip(&trees).find(|(opened, _)| opened.found.role == role);
        found.map_or((None, None), |(opened, tree)| (Some(opened), tree.as_ref()))
    };
    let ((software, software_tree), (system, system_tree)) = (of_role(Role::Software), of_role(Role::System));
    let minor = system.and_then(|opened| opened.hive.as_ref().ok()).map(|hive| hive.base_block().minor);

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
    let control_sets = control_sets.and_then(Result::ok);
    // For facts about the machine any set will do, where the chosen one is unclear.
    let first = |sets: &[u32]| sets.first().copied();
    let any_set = chosen.as_deref().ok().and_then(first).or_else(|| first(&control_sets.as_ref()?.present));
    let machine = Machine::read(software_tree, system_tree, any_set);

    let judgement = if is_judged(installation, options) {
        let context = Context {
            os: &os,
            root: SystemRoot::new(machine.system_root.as_deref()),
            setup_phase: system_tree.is_some_and(in_setup),
            profiles: &options.profiles,
        };
        // What the hives are without their logs is no matter of what edits make of them.
        let both_views = overlays.is_none();
        let judged = |set: &u32| chosen.as_ref().is_ok_and(|chosen| chosen.contains(set));
        let known_good = |sets: &ControlSets| sets.last_known_good.filter(|set| sets.present.contains(set));
        let fallback = control_sets.as_ref().and_then(known_good).filter(|set| !judged(set));
        let auditor = Auditor { software, system, control_sets: &chosen, fallback, context, both_views };
        Some(auditor.judge(software_tree, system_tree, options)?)
    } else {
        None
    };
    let hives: Vec<HiveReport> =
        opened.iter().zip(&trees).map(|(opened, tree)| describe(opened, tree.as_ref(), options)).collect();
    let gaps = gaps::of(&installation.evidence, &os, &hives, judgement.as_ref());
    let report = InstallationReport {
        id: installation.id.clone(),
        evidence: installation.evidence.clone(),
        generation: installation.generation,
        machine,
        os,
        control_sets,
        hives,
        judgement,
        warnings: hibernation::warnings(installation, system_tree, any_set),
    };
    Ok(Judged { report, gaps, problems })
}

/// Whether the options ask for a verdict on this installation.
fn is_judged(installation: &Installation, options: &Options) -> bool {
    let generation = match installation.generation {
        Generation::Live | Generation::Copy => true,
        Generation::Setup => false,
        _ => options.all_generations,
    };
    options.judge && installation.is_auditable() && generation
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
        warnings: Vec::new(),
    };
    let gap = Gap { code: Code::HiveDamaged, at: installation.evidence.clone(), reason: problem.found.clone() };
    Judged { report, gaps: vec![gap], problems: vec![problem] }
}
