//! One installation: its Windows, and the result of its audit.

use super::auditor::Auditor;
use super::identity::{Changed, Identity, Trees};
use super::integrity::{Opened, describe, hash, is_hashed_soon, open};
use super::odd::SetupMarks;
use super::{Options, gaps, hibernation};
use crate::answer::answer;
use crate::audit::Context;
use crate::baseline::SystemRoot;
use crate::discovery::{Generation, Installation};
use crate::error::{Code, Error, Gap, Problem};
use crate::evidence::hash::Sums;
use crate::finding::Finding;
use crate::hive::{self, Hive, Overlay, Tree};
use crate::machine::{Machine, Sameness};
use crate::os::{Pair, identify};
use crate::progress::{self, Task};
use crate::registry::Role;
use crate::report::{HiveReport, InstallationReport, Judgement};

/// The result for one installation.
pub(crate) struct Judged {
    pub(crate) report: InstallationReport,
    /// Everything that should have been read or judged, and was not.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) problems: Vec<Problem>,
}

impl Judged {
    /// Returns the findings, including those that conform.
    pub(crate) fn findings(&self) -> &[Finding] {
        self.report.judgement.as_ref().map(|judgement| judgement.findings.as_slice()).unwrap_or_default()
    }
}

/// Edits that are applied to the hives of one installation in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlays {
    pub(crate) software: Overlay,
    pub(crate) system: Overlay,
}

impl Overlays {
    /// Returns the edits of the hive with this role.
    pub(crate) fn of(&self, role: Role) -> Option<&Overlay> {
        match role {
            Role::Software => Some(&self.software),
            Role::System => Some(&self.system),
            _ => None,
        }
    }

    /// Returns the edits of the hive with this role, for changing them.
    pub(crate) fn of_mut(&mut self, role: Role) -> Option<&mut Overlay> {
        match role {
            Role::Software => Some(&mut self.software),
            Role::System => Some(&mut self.system),
            _ => None,
        }
    }
}

/// An installation with open hives, whose logs are replayed if the options request it.
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

    /// Returns the tree of the hive with this role; `None` if the hive is missing or cannot be read.
    pub(crate) fn tree(&self, role: Role) -> Option<Tree<'_>> {
        self.hive(role).map(|(hive, _)| hive.tree())
    }

    /// Returns the recovered hive with this role, and its name in reports; `None` if it is missing or unreadable.
    pub(crate) fn hive(&self, role: Role) -> Option<(&Hive, &str)> {
        let opened = self.hives.iter().find(|opened| opened.found.role == role)?;
        Some((opened.hive.as_ref().ok()?, opened.found.locator.as_str()))
    }

    /// Returns the changes that edits would make to the identity: the Windows, its control sets, its machine.
    pub(crate) fn identity_changes(&self, overlays: &Overlays) -> Vec<Changed> {
        hive::guarded(|| {
            let read = |overlays| Identity::read(self.installation, &Trees::of(&self.hives, overlays), self.options);
            read(None).changes(&read(Some(overlays)))
        })
        // The findings report what cannot be read.
        .unwrap_or_default()
    }

    /// Judges the installation as it is, or with edits applied. Hashes nothing.
    pub(crate) fn judge(&self, overlays: Option<&Overlays>) -> Result<Judged, Error> {
        hive::guarded(|| judge(self.installation, &self.hives, self.options, overlays)).unwrap_or_else(|problem| {
            let problem = Problem { path: Some(self.installation.evidence.clone()), ..problem };
            Ok(unread(self.installation, &self.hives, problem))
        })
    }
}

/// Examines one installation and hashes its files at the same time.
pub(super) fn examine_installation(installation: &Installation, options: &Options) -> Result<Judged, Error> {
    let machine = || installation.label.as_ref().unwrap_or(&installation.evidence).clone();
    progress::step(Task::Examining, machine, 1);
    let open = OpenInstallation::open(installation, options);
    let judge = || open.judge(None);
    let hash = || hash(installation, options.hash);
    let side_by_side = options.hash.is_some() && !is_hashed_soon(installation);
    let (judged, sums) = if side_by_side { rayon::join(judge, hash) } else { (judge(), hash()) };
    let mut judged = judged?;
    for (hive, (of_hive, of_logs)) in judged.report.hives.iter_mut().zip(sums) {
        if let Some(Sums { sha256, md5, sha1 }) = of_hive {
            (hive.sha256, hive.md5, hive.sha1) = (Some(sha256), md5, sha1);
        }
        for (log, of_log) in hive.integrity.logs.iter_mut().zip(of_logs) {
            if let Some(Sums { sha256, md5, sha1 }) = of_log {
                (log.sha256, log.md5, log.sha1) = (Some(sha256), md5, sha1);
            }
        }
    }
    Ok(judged)
}

/// Identifies the Windows and audits it if requested. The unedited hives decide the Windows, the control sets, and the
/// machine: a `.reg` file that changes them must not choose how it is judged.
fn judge(
    installation: &Installation,
    opened: &[Opened<'_>],
    options: &Options,
    overlays: Option<&Overlays>,
) -> Result<Judged, Error> {
    let plain = Trees::of(opened, None);
    let identity = Identity::read(installation, &plain, options);
    let trees = if overlays.is_some() { Trees::of(opened, overlays) } else { plain };
    let (software_tree, system_tree) = (trees.tree(Role::Software), trees.tree(Role::System));

    let judgement = if is_judged(installation, options) {
        let context = Context {
            os: &identity.os,
            root: SystemRoot::new(identity.machine.system_root.as_deref()),
            setup_phase: identity.setup.as_ref().is_some_and(SetupMarks::is_setup_phase),
            profiles: &options.profiles,
        };
        let setup = match overlays {
            Some(_) => Identity::read(installation, &trees, options).setup,
            None => identity.setup.clone(),
        };
        let auditor = Auditor {
            software: trees.opened(Role::Software),
            system: trees.opened(Role::System),
            control_sets: &identity.chosen,
            fallback: identity.fallback(),
            context,
            setup: setup.as_ref(),
            // The hives without their logs do not matter for the effect of edits.
            both_views: overlays.is_none(),
        };
        Some(auditor.judge(software_tree, system_tree, options)?)
    } else {
        None
    };
    let hives: Vec<HiveReport> =
        opened.iter().zip(&trees.trees).map(|(opened, tree)| describe(opened, tree.as_ref(), options)).collect();
    let any_set = identity.any_set();
    let Identity { os, control_sets, chosen, machine, same_machine, mut problems, .. } = identity;
    let mut report = InstallationReport {
        id: installation.id.clone(),
        label: installation.label.clone(),
        gaps: Vec::new(),
        evidence: installation.evidence.clone(),
        generation: installation.generation,
        lies_in: installation.lies_in,
        machine,
        os,
        same_machine,
        control_sets,
        hives,
        judgement,
        warnings: hibernation::warnings(installation, system_tree, any_set),
    };
    if let Some(same) = report.same_machine.as_ref().filter(|same| same.state == Sameness::Contradicted) {
        problems.push(
            Problem::of(&report.evidence, "SOFTWARE and SYSTEM from the same machine", same.by.join("; "))
                .advise("audit each by itself, or put those that belong together in one folder"),
        );
    }
    let mut gaps = gaps::of(&report);
    let control_set_problem = chosen.err().or_else(|| report.control_sets.as_ref()?.next_start_problem());
    if let Some(problem) = control_set_problem.filter(|_| system_tree.is_some()) {
        gaps.push(
            Gap::new(Code::ControlSetMissing, &report.evidence, problem.to_string()).advise(problem.advice.clone()),
        );
        problems.push(Problem { path: Some(report.evidence.clone()), ..problem });
    }
    if let Some(judgement) = report.judgement.as_mut().filter(|judgement| judgement.baseline.is_some()) {
        let of_updates: Vec<&Finding> =
            judgement.findings.iter().filter(|finding| !judgement.own_keys.contains(finding.row())).collect();
        judgement.answer = (!judgement.by_own).then(|| answer(&of_updates, gaps.is_empty()));
    }
    Ok(Judged { report, gaps, problems })
}

/// Returns whether the options request a verdict on this installation.
fn is_judged(installation: &Installation, options: &Options) -> bool {
    let generation = match installation.generation {
        Generation::Live | Generation::Copy => true,
        Generation::Setup => false,
        _ => options.all_generations,
    };
    options.judge && installation.is_auditable() && generation
}

/// Returns the report of an installation that could not be read at all.
fn unread(installation: &Installation, opened: &[Opened<'_>], problem: Problem) -> Judged {
    let (os, _) = identify(Pair { software: None, system: None });
    let options = |opened| describe(opened, None, &Options { map: false, ..Options::default() });
    let report = InstallationReport {
        id: installation.id.clone(),
        label: installation.label.clone(),
        gaps: Vec::new(),
        evidence: installation.evidence.clone(),
        generation: installation.generation,
        lies_in: installation.lies_in,
        machine: Machine::default(),
        os,
        same_machine: None,
        control_sets: None,
        hives: opened.iter().map(options).collect(),
        judgement: Some(Judgement::default()),
        warnings: Vec::new(),
    };
    let gap = Gap::new(Code::HiveDamaged, &installation.evidence, &problem.found).advise(problem.advice.clone());
    Judged { report, gaps: vec![gap], problems: vec![problem] }
}
