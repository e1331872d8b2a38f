//! Chooses the installation of the evidence that a plan is for.

use std::path::PathBuf;

use super::named;
use crate::discovery::{Discovery, Installation, discover_in};
use crate::error::{Error, Problem};
use crate::examination::{OpenInstallation, Options};
use crate::registry::{Role, same_text};
use crate::remediation::Plan;
use crate::report::InstallationReport;

/// The most installations that an error names.
const MOST_NAMED: usize = 8;

/// The installations in evidence.
pub(super) struct Found {
    pub(super) installations: Vec<Installation>,
    pub(super) opened: Vec<PathBuf>,
    pub(super) problems: Vec<Problem>,
}

impl Found {
    /// Finds the installations of all generations that contain SOFTWARE or SYSTEM.
    pub(super) fn in_evidence(evidence: &[PathBuf], options: &Options) -> Result<Self, Error> {
        let discovery = discover_in(evidence, options.map, &options.unpacking)?;
        if let Some(nothing) = discovery.nothing(evidence) {
            return Err(nothing);
        }
        let opened = discovery.opened();
        let problems = discovery.ledger.problems();
        let Discovery { mut installations, .. } = discovery;
        installations.retain(Installation::is_auditable);
        Ok(Self { installations, opened, problems })
    }

    /// Returns the installation that the plan is for.
    pub(super) fn choose<'f>(
        &'f self,
        plan: &Plan,
        evidence: &[PathBuf],
        options: &'f Options,
    ) -> Result<(OpenInstallation<'f>, InstallationReport), Error> {
        let counted: Vec<&Installation> = self.installations.iter().filter(|one| one.generation.is_current()).collect();
        if counted.is_empty() {
            return Err(Error::NoHive {
                evidence: named(evidence),
                looked_at: "no live installation, and no copied hives".to_owned(),
            });
        }
        let mut fitting = Vec::new();
        let mut reasons = Vec::new();
        for installation in counted {
            let open = OpenInstallation::open(installation, options);
            let report = open.judge(None)?.report;
            match differs(plan, &report) {
                None => fitting.push((open, report)),
                Some(why) => reasons.push(format!("{}: {why}", installation.evidence)),
            }
        }
        if fitting.is_empty() {
            reasons.truncate(MOST_NAMED);
            let advice = "Name the evidence in which the patch of this plan was imported".to_owned();
            return Err(Error::Refused { reason: reasons.join("; "), advice });
        }
        narrow(&mut fitting, |report| {
            let name = plan.machine.computer_name.as_ref().zip(report.machine.computer_name.as_ref());
            name.is_some_and(|(planned, found)| same_text(planned, found))
        });
        narrow(&mut fitting, |report| report.id == plan.installation);
        let places: Vec<&str> = fitting.iter().map(|(_, report)| report.evidence.as_str()).take(MOST_NAMED).collect();
        let (count, places) = (fitting.len(), places.join(", "));
        match (fitting.pop(), count) {
            (Some(one), 1) => Ok(one),
            _ => Err(Error::Refused {
                reason: format!("the plan can be for each of {count} installations"),
                advice: format!("Name one of them as the evidence: {places}"),
            }),
        }
    }
}

/// Keeps only the installations with a property, if any has it.
fn narrow<T>(fitting: &mut Vec<(T, InstallationReport)>, is_so: impl Fn(&InstallationReport) -> bool) {
    if fitting.iter().any(|(_, report)| is_so(report)) {
        fitting.retain(|(_, report)| is_so(report));
    }
}

/// Returns why a plan is not for an installation. With only one of the hives, the Windows or the machine may be
/// unknown. Unknown facts do not count against the installation.
fn differs(plan: &Plan, report: &InstallationReport) -> Option<String> {
    let os = &report.os;
    if os.id != plan.os {
        let version = plan.os.version().map(|(major, minor)| format!("{major}.{minor}"));
        let unsure = !os.forced && (os.is_uncertain() || os.baseline().is_none());
        let other_version = version.zip(os.version.as_ref()).is_some_and(|(planned, found)| planned != *found);
        if !unsure || other_version {
            return Some(format!("the plan is for {}, but this is {}", plan.os, os.id));
        }
    }
    let (planned, machine) = (&plan.machine, &report.machine);
    match (planned.installed, machine.installed) {
        (Some(planned), Some(found)) if planned != found => {
            return Some(format!("the plan is for a Windows installed {planned}, but this one was installed {found}"));
        }
        // A computer can be renamed.
        (Some(_), Some(_)) => {}
        _ => {
            if let Some((planned, found)) = planned.computer_name.as_ref().zip(machine.computer_name.as_ref())
                && !same_text(planned, found)
            {
                return Some(format!("the plan is for the computer {planned}, but this is {found}"));
            }
        }
    }
    let has = |role: Role| report.hives.iter().any(|hive| hive.role == role);
    let needed: Vec<Role> = plan.edits.iter().map(|edit| edit.hive).collect();
    let needed = if needed.is_empty() { plan.hives.iter().map(|hive| hive.role).collect() } else { needed };
    let first = needed.first().copied().filter(|_| !needed.iter().any(|role| has(*role)));
    first.map(|role| format!("the plan changes {role}, but this installation has no such hive"))
}
