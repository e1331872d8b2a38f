//! Checks afterwards whether a plan was applied or rolled back, and whether anything else changed.
//!
//! Each edit's value is compared with the plan's data before and after, by type and bytes. If the hives that the plan
//! was made from are also given, both hives are compared completely. Without them only the plan's own values and the
//! contents of the keys that it creates are compared.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::difference::{Compared, Id, Named, Planned, compare};
use super::edit_state::{Places, Seen};
use super::{Asked, EditState};
use crate::error::{Error, Problem};
use crate::examination::{OpenInstallation, Options};
use crate::hive::State;
use crate::registry::{Name, Role};
use crate::remediation::{Plan, PlanFile};
use crate::report::{InstallationReport, SchemaVersion, Tool};

mod checked;
mod choice;
mod first;
mod made;
mod question;
mod table;

pub use checked::{Checked, CheckedEdit, CheckedHive, PlanSummary, Scope, TouchedKey};
use choice::Found;
pub use question::Question;
pub use table::render;

/// Proves from the hives that a plan was applied or rolled back, and that nothing else changed. `before` is evidence
/// with the hives that the plan was made from.
///
/// # Errors
/// Returns an error if the evidence contains no installation for the plan or several, if `before` is not what the plan
/// was made from, or if evidence cannot be read.
pub fn run(
    file: &PlanFile,
    evidence: &[PathBuf],
    before: &[PathBuf],
    asked: Asked,
    options: &Options,
) -> Result<Checked, Error> {
    let plan = &file.plan;
    let options = Options { judge: false, ..options.clone() };
    let found = Found::in_evidence(evidence, &options)?;
    let (open, report) = found.choose(plan, evidence, &options)?;
    let first = if before.is_empty() { None } else { Some(Found::in_evidence(before, &options)?) };
    let first_open = first.as_ref().map(|first| first::choose(plan, first, before, &options)).transpose()?;

    let mut checked = Checked {
        schema_version: SchemaVersion,
        tool: Tool::default(),
        plan: PlanSummary {
            path: file.path.clone(),
            sha256: file.sha256.clone(),
            installation: plan.installation.clone(),
            os: plan.os,
            edits: plan.edits.len(),
        },
        asked,
        installation: open.installation.id.clone(),
        evidence: open.installation.evidence.clone(),
        os: report.os.id,
        scope: if first_open.is_some() { Scope::WholeHives } else { Scope::Plan },
        holds: true,
        complete: true,
        hives: hives(plan, &open, first_open.as_ref().map(|(open, _)| open), &report, &options),
        edits: Vec::new(),
        keys: Vec::new(),
        unexplained: Vec::new(),
        unexplained_more: 0,
        retimed: Vec::new(),
        retimed_more: 0,
        problems: found.problems.iter().chain(first.iter().flat_map(|first| &first.problems)).cloned().collect(),
        opened: found.opened.iter().chain(first.iter().flat_map(|first| &first.opened)).cloned().collect(),
    };
    checked.look(plan, &open);
    match &first_open {
        Some((first_open, first_report)) => {
            checked.compare(plan, first_open, &open);
            checked.doubt(plan, first_report);
        }
        None => checked.look_into_made_keys(plan, &open),
    }
    checked.doubt(plan, &report);
    checked.holds = checked.edits.iter().all(|edit| edit.holds) && checked.unexplained.is_empty();
    checked.complete =
        checked.problems.is_empty() && checked.edits.iter().all(|edit| edit.state != EditState::Unreadable);
    Ok(checked)
}

/// Returns the hives of the plan, each with the current one.
fn hives(
    plan: &Plan,
    open: &OpenInstallation<'_>,
    first: Option<&OpenInstallation<'_>>,
    report: &InstallationReport,
    options: &Options,
) -> Vec<CheckedHive> {
    let checked = plan.hives.par_iter().map(|planned| {
        let found = open.installation.hive(planned.role);
        let sums = found.zip(options.hash).and_then(|(hive, hashes)| hive.file.sums(hashes).ok());
        let (sha256, md5, sha1) = sums.map_or_else(Default::default, |sums| (Some(sums.sha256), sums.md5, sums.sha1));
        let same = |planned: &String| sha256.as_ref().map(|sum| sum.eq_ignore_ascii_case(planned));
        let reported = report.hives.iter().find(|hive| hive.role == planned.role);
        CheckedHive {
            role: planned.role,
            path: found.map(|hive| hive.locator.clone()),
            planned_sha256: planned.sha256.clone(),
            same_file: planned.sha256.as_ref().and_then(same),
            sha256,
            md5,
            sha1,
            state: reported.map(|hive| hive.integrity.state),
            before_path: first.and_then(|first| first.installation.hive(planned.role)).map(|hive| hive.locator.clone()),
            compared_keys: 0,
            compared_values: 0,
        }
    });
    checked.collect()
}

impl Checked {
    /// Checks the place of each edit, and its key.
    fn look(&mut self, plan: &Plan, open: &OpenInstallation<'_>) {
        let trees = [Role::Software, Role::System].map(|role| open.tree(role));
        let mut places = trees.each_ref().map(|tree| tree.as_ref().map(Places::new));
        let [software, system] = &mut places;
        let mut touched = BTreeSet::new();
        for edit in &plan.edits {
            let places = if edit.hive == Role::Software { &mut *software } else { &mut *system };
            let key = places.as_mut().and_then(|places| places.key(&edit.key)).map(|(_, time)| time);
            if touched.insert((edit.hive, Name::from(edit.key.as_str()))) {
                self.keys.push(TouchedKey {
                    hive: edit.hive,
                    key: edit.key.clone(),
                    made: !edit.key_exists,
                    there: key.is_some(),
                    before: edit.key_last_written,
                    now: key,
                });
            }
            let Seen { state, found, note } = places.as_mut().map_or_else(
                || {
                    let note = format!("the evidence has no {} hive that can be read", edit.hive);
                    Seen { state: EditState::Unreadable, found: None, note: Some(note) }
                },
                |places| places.look(edit, self.asked),
            );
            self.edits.push(CheckedEdit {
                finding: edit.finding.clone(),
                hive: edit.hive,
                control_set: edit.control_set,
                key: edit.key.clone(),
                value: edit.value.clone(),
                before: edit.before.clone(),
                after: edit.after.clone(),
                found,
                state,
                holds: match self.asked {
                    Asked::Applied => state == EditState::Applied,
                    Asked::Undone => matches!(state, EditState::NotApplied | EditState::Altered),
                },
                note,
            });
        }
    }

    /// Compares all hives with those from before.
    fn compare(&mut self, plan: &Plan, first: &OpenInstallation<'_>, open: &OpenInstallation<'_>) {
        let compared = self.hives.par_iter().map(|checked| {
            let (before, after) = (first.hive(checked.role)?, open.hive(checked.role)?);
            let named = |(hive, locator)| Named { hive, locator };
            Some(compare(checked.role, named(before), named(after), &planned(plan, checked.role)))
        });
        let compared: Vec<Option<Compared>> = compared.collect();
        for (checked, compared) in self.hives.iter_mut().zip(compared) {
            let Some(compared) = compared else {
                let whose = if checked.path.is_none() { "the evidence" } else { "what --before names" };
                let expected = format!("the {} hive of the plan, to compare it with the one before", checked.role);
                self.problems.push(Problem::new(expected, format!("no such hive in {whose} that can be read")));
                continue;
            };
            (checked.compared_keys, checked.compared_values) = (compared.keys, compared.values);
            self.unexplained.extend(compared.differences);
            self.unexplained_more = self.unexplained_more.saturating_add(compared.more);
            self.retimed.extend(compared.retimed);
            self.retimed_more = self.retimed_more.saturating_add(compared.more_retimed);
            self.problems.extend(compared.unread);
        }
    }

    /// Checks, without the hives from before, that the keys that the plan creates contain only what the plan sets.
    fn look_into_made_keys(&mut self, plan: &Plan, open: &OpenInstallation<'_>) {
        for role in [Role::Software, Role::System] {
            let Some(tree) = open.tree(role) else { continue };
            let (differences, more, unread) = made::look(role, &tree, plan);
            self.unexplained.extend(differences);
            self.unexplained_more = self.unexplained_more.saturating_add(more);
            self.problems.extend(unread);
        }
    }

    /// Reports which of the plan's hives cannot be trusted.
    fn doubt(&mut self, plan: &Plan, report: &InstallationReport) {
        let whole = self.scope == Scope::WholeHives;
        let matters = |role: Role| whole || plan.edits.iter().any(|edit| edit.hive == role);
        for hive in report.hives.iter().filter(|hive| plan.hives.iter().any(|planned| planned.role == hive.role)) {
            let found = match hive.integrity.state {
                State::Dirty => "a dirty one: the last changes may be missing",
                State::Damaged => "a damaged one",
                State::Clean | State::Recovered => continue,
            };
            if matters(hive.role) {
                let first = hive.integrity.problems.first().map_or(String::new(), |problem| format!(" ({problem})"));
                self.problems.push(Problem::of(&hive.path, "a sound hive", format!("{found}{first}")));
            }
        }
    }
}

/// Returns what may differ in a hive.
fn planned(plan: &Plan, role: Role) -> Planned {
    let mut planned = Planned::default();
    for edit in plan.edits.iter().filter(|edit| edit.hive == role) {
        planned.values.insert(Id::of_value(&edit.key, &edit.value));
        if !edit.key_exists {
            planned.keys.extend(edit.way().map(Id::of_key));
        }
    }
    planned
}

/// Returns the paths of the evidence, for errors.
fn named(paths: &[PathBuf]) -> String {
    paths.iter().map(|path: &PathBuf| Path::display(path).to_string()).collect::<Vec<_>>().join(", ")
}
