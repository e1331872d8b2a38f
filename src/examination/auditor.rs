//! The audit of one installation: of its recovered hives, and of its primary files if logs were replayed.

use std::collections::BTreeSet;

use super::integrity::{Opened, as_it_lies};
use super::odd::{self, SetupMarks};
use super::{Options, views};
use crate::audit::{Context, also_in, audit};
use crate::baseline::Baseline;
use crate::error::{Error, Problem};
use crate::facts::{Source, observe_all};
use crate::finding::{Finding, Grade};
use crate::hive::{Hive, Tree};
use crate::os::OsId;
use crate::registry::Role;
use crate::report::{BaselineReference, Counts, Judgement};

/// What an audit needs beside the trees.
pub(super) struct Auditor<'a> {
    pub(super) software: Option<&'a Opened<'a>>,
    pub(super) system: Option<&'a Opened<'a>>,
    /// The control sets to judge, or why they cannot be determined.
    pub(super) control_sets: &'a Result<Vec<u32>, Problem>,
    /// The control set that Windows falls back to, if it is not judged.
    pub(super) fallback: Option<u32>,
    pub(super) context: Context<'a>,
    /// The contents of the Setup key.
    pub(super) setup: Option<&'a SetupMarks>,
    /// Whether a recovered hive is also judged without its logs.
    pub(super) both_views: bool,
}

impl Auditor<'_> {
    /// Judges the hives by the baseline of their Windows. Without a baseline there are no findings.
    pub(super) fn judge(
        &self,
        software: Option<&Tree<'_>>,
        system: Option<&Tree<'_>>,
        options: &Options,
    ) -> Result<Judgement, Error> {
        let Some(applied) = options.baselines.of(self.context.os.baseline())? else {
            return Ok(Judgement::default());
        };
        let baseline = &*applied.baseline.with_profiles(self.context.profiles);
        let own = &applied.own_ids();
        let mut findings = self.findings(baseline, own, software, system, self.control_sets, options);
        let in_set = |finding: &Finding| finding.control_set.is_some() && finding.is_deviation();
        if let Some(set) = self.fallback.filter(|_| findings.iter().any(in_set)) {
            // Only the same deviations are looked for: none of them is in SOFTWARE.
            let rows: BTreeSet<&str> = findings.iter().filter(|one| in_set(one)).map(Finding::row).collect();
            let part = baseline.part(&rows);
            let (deciding, software) = part.as_ref().map_or((baseline, software), |part| (part, None));
            let fallback = self.findings(deciding, own, software, system, &Ok(vec![set]), options);
            also_in(&mut findings, &fallback);
        }
        // The same expectations in the same control sets, for the primary files without their logs.
        let [software_lies, system_lies] = [self.software, self.system].map(|opened| {
            let recovered = opened.filter(|opened| self.both_views && opened.replay.is_some())?;
            as_it_lies(recovered.found, options).ok()
        });
        if software_lies.is_some() || system_lies.is_some() {
            let (software_tree, system_tree) =
                (software_lies.as_ref().map(Hive::tree), system_lies.as_ref().map(Hive::tree));
            let sets = self.control_sets;
            let primary = match (&software_tree, &system_tree) {
                (Some(lying), None) => self.findings(baseline, own, Some(lying), system, sets, options),
                (None, Some(lying)) => self.findings(baseline, own, software, Some(lying), sets, options),
                (lying_software, lying_system) => {
                    self.findings(baseline, own, lying_software.as_ref(), lying_system.as_ref(), sets, options)
                }
            };
            let recovered = |role| match role {
                Role::Software => software_lies.is_some(),
                Role::System => system_lies.is_some(),
                _ => false,
            };
            views::compare(&mut findings, primary, recovered);
        }
        Ok(Judgement {
            baseline: applied.first.map(BaselineReference::from),
            extended_by: applied.extended_by.iter().copied().map(BaselineReference::from).collect(),
            by_own: options.baselines.is_instead(),
            own_keys: own.iter().map(ToString::to_string).collect(),
            answer: None,
            counts: Counts::default(),
            findings,
        })
    }

    fn findings(
        &self,
        baseline: &Baseline,
        own: &BTreeSet<&str>,
        software: Option<&Tree<'_>>,
        system: Option<&Tree<'_>>,
        control_sets: &Result<Vec<u32>, Problem>,
        options: &Options,
    ) -> Vec<Finding> {
        let software = source(self.software, software);
        let system_tree = system;
        let (system, control_sets) = match control_sets {
            Ok(sets) => (source(self.system, system), sets.as_slice()),
            Err(problem) => (Source::Unreadable(problem), &[][..]),
        };
        let odd = system_tree.zip(self.setup).map(|(system, setup)| odd::findings(system, setup)).unwrap_or_default();
        let facts = observe_all(baseline, software, system, control_sets, options.locations);
        let mut findings = audit(baseline, &facts, &self.context);
        if let Some(kin) = self.context.os.judged_by {
            for finding in findings.iter_mut().filter(|finding| !own.contains(finding.row())) {
                infer(finding, kin);
            }
        }
        if self.control_sets.is_err() && system_tree.is_some() {
            // All of them have one reason, which a gap names.
            findings.retain(|finding| finding.hive != Some(Role::System));
        }
        findings.extend(odd);
        findings
    }
}

/// Lowers a finding's grade, because its expectation is carried over from another build or Windows.
fn infer(finding: &mut Finding, kin: OsId) {
    if finding.grade != Grade::Inferred {
        finding.grade = Grade::Inferred;
        finding.why = format!("{} (inferred from {kin})", finding.why);
    }
}

/// Returns the source of the facts of a hive: its tree, or why there is none.
fn source<'a, 'h>(opened: Option<&'a Opened<'_>>, tree: Option<&'a Tree<'h>>) -> Source<'a, 'h> {
    match (opened.map(|opened| &opened.hive), tree) {
        (_, Some(tree)) => Source::Tree(tree),
        (Some(Err(problem)), None) => Source::Unreadable(problem),
        _ => Source::Missing,
    }
}
