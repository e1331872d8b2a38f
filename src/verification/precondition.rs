//! Checks whether a patch or a rollback meets the state that it was made for: the same hive, or the same values.

use std::collections::BTreeSet;

use serde::Serialize;

use super::edit_state::{Asked, EditState, Places};
use super::patch::Direction;
use super::{Carried, Patch};
use crate::examination::{OpenInstallation, Options, Overlays};
use crate::finding::ObservedDatum;
use crate::registry::{Name, Role};
use crate::remediation::PlanFile;

/// The relation of a patch's header to a hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreconditionState {
    /// The same file.
    SameHive,
    /// Another file, in which each value of the patch is as its plan states.
    SameValues,
    /// Another file with other values, or one whose values cannot be compared because there is no plan.
    Differs,
    /// Unknown: the hive was not hashed, or a value cannot be read.
    Unknown,
}

/// A value that differs from the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DifferingValue {
    /// The finding that the edit corrects.
    pub finding: String,
    /// The path of the key from the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// The data in the plan: for a patch those before it, for a rollback those that the patch sets.
    pub expected: Option<ObservedDatum>,
    /// The current data; `null` if absent or unreadable.
    pub found: Option<ObservedDatum>,
    /// Whether the value cannot be read.
    pub unreadable: bool,
}

/// Whether a patch's header applies to a hive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Precondition {
    /// The path of the file, as the user named it.
    pub patch: String,
    /// The hive.
    pub hive: Role,
    /// SHA-256 of the hive that the patch was made for.
    pub sha256: String,
    /// Whether the patch meets the state that it was made for; `null` if unknown.
    pub holds: Option<bool>,
    /// The reason for the result.
    pub state: PreconditionState,
    /// The plan that the values were compared with.
    pub plan: Option<String>,
    /// Values that differ from the plan.
    pub differs: Vec<DifferingValue>,
    /// Why the values could not be compared.
    pub note: Option<String>,
}

/// Returns the preconditions of a patch, in the state after the patches before it.
pub(super) fn preconditions(
    open: &OpenInstallation<'_>,
    patch: &Patch,
    overlays: &Overlays,
    options: &Options,
) -> Vec<Precondition> {
    patch.hives().into_iter().map(|(role, sum)| precondition(open, patch, overlays, options, role, sum)).collect()
}

fn precondition(
    open: &OpenInstallation<'_>,
    patch: &Patch,
    overlays: &Overlays,
    options: &Options,
    role: Role,
    sha256: String,
) -> Precondition {
    let mut precondition = Precondition {
        patch: patch.path.clone(),
        hive: role,
        sha256,
        holds: None,
        state: PreconditionState::Unknown,
        plan: None,
        differs: Vec::new(),
        note: None,
    };
    let hive = open.installation.hive(role).filter(|_| options.hash.is_some());
    let Some(found) = hive.and_then(|hive| hive.file.sha256().ok()) else { return precondition };
    if found.eq_ignore_ascii_case(&precondition.sha256) {
        precondition.settle(PreconditionState::SameHive);
        return precondition;
    }
    let is_of = |file: &&PlanFile| {
        let is_hive = |sum: &String| sum.eq_ignore_ascii_case(&precondition.sha256);
        file.plan.hives.iter().any(|hive| hive.role == role && hive.sha256.as_ref().is_some_and(is_hive))
    };
    let (file, direction) = match (patch.plan.as_deref(), patch.direction()) {
        (Some(file), Some(direction)) if is_of(&file) => (file, direction),
        (plan, _) => {
            precondition.note = Some(match plan {
                Some(file) => of_another_patch(file),
                None => "there is no plan.json beside it to compare the values with; name one with --plan".to_owned(),
            });
            precondition.settle(PreconditionState::Differs);
            return precondition;
        }
    };
    precondition.plan = Some(file.path.clone());
    let tree = open.tree(role).zip(overlays.of(role)).map(|(tree, overlay)| tree.under(overlay));
    let Some(tree) = tree else { return precondition };
    let (asked, wanted) = match direction {
        Direction::Correct => (Asked::Undone, EditState::NotApplied),
        Direction::RollBack => (Asked::Applied, EditState::Applied),
    };
    let mut places = Places::new(&tree);
    for edit in file.plan.edits.iter().filter(|edit| edit.hive == role) {
        let seen = places.look(edit, asked);
        if seen.state != wanted {
            precondition.differs.push(DifferingValue {
                finding: edit.finding.clone(),
                key: edit.key.clone(),
                value: edit.value.clone(),
                expected: if direction == Direction::Correct { edit.before.clone() } else { edit.after.clone() },
                found: seen.found,
                unreadable: seen.state == EditState::Unreadable,
            });
        }
    }
    let is_known = precondition.differs.iter().all(|differs| !differs.unreadable);
    precondition.settle(match precondition.differs.is_empty() {
        true => PreconditionState::SameValues,
        false if is_known => PreconditionState::Differs,
        false => PreconditionState::Unknown,
    });
    precondition
}

fn of_another_patch(file: &PlanFile) -> String {
    format!("{} is the plan of another patch", file.path)
}

impl Precondition {
    fn settle(&mut self, state: PreconditionState) {
        self.state = state;
        self.holds = match state {
            PreconditionState::SameHive | PreconditionState::SameValues => Some(true),
            PreconditionState::Differs => Some(false),
            PreconditionState::Unknown => None,
        };
    }

    /// Compares the plan with what the patch does. Two patches for one hive have the same SHA-256 in their headers, so
    /// the plan's values decide only if the patch changes exactly those values.
    pub(super) fn hold_against(&mut self, patch: &Patch, operations: &[Carried]) {
        let Some(file) = patch.plan.as_deref().filter(|_| self.state == PreconditionState::SameValues) else { return };
        let place = |key: &str, value: &str| (Name::from(key), Name::from(value));
        let of_hive = operations.iter().filter(|carried| carried.hive == Some(self.hive));
        let done: BTreeSet<(Name, Name)> =
            of_hive.filter_map(|carried| Some(place(&carried.key, carried.value.as_ref()?))).collect();
        let edits = file.plan.edits.iter().filter(|edit| edit.hive == self.hive);
        if edits.map(|edit| place(&edit.key, &edit.value)).collect::<BTreeSet<_>>() != done {
            self.note = Some(of_another_patch(file));
            self.settle(PreconditionState::Differs);
        }
    }

    /// Returns whether a value of the patch cannot be read.
    pub(super) fn is_unreadable(&self) -> bool {
        self.differs.iter().any(|differs| differs.unreadable)
    }
}
