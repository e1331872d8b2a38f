//! Applies operations in memory as regedit does, one after another, and records the state before and after each.

use super::place::{Place, place};
use super::{Carried, Harmed, Mounts, Outcome, Patch, StoppedAt};
use crate::control_set::{Choice, ControlSets};
use crate::examination::{OpenInstallation, Overlays};
use crate::finding::ObservedDatum;
use crate::hive::{Overlay, Tree};
use crate::reg_file::{Entry, Operation};
use crate::registry::{DataType, RegistryValue, Role};

/// The result of applying one file.
#[derive(Default)]
pub(super) struct CarriedOut {
    /// Each operation, in order.
    pub(super) operations: Vec<Carried>,
    /// The place where the importer stops, so that nothing of the file is kept.
    pub(super) stopped: Option<StoppedAt>,
    /// Changes to values that the file does not name.
    pub(super) harm: Vec<Harmed>,
}

/// Applies the operations of one file as regedit does. It is not known yet whether a finding asked for them, so every
/// change is [`Outcome::Unasked`] here.
pub(super) fn carry_out(
    open: &OpenInstallation<'_>,
    patch: &Patch,
    mounts: &Mounts,
    overlays: &mut Overlays,
) -> CarriedOut {
    let current = open.tree(Role::System).and_then(|tree| {
        let sets = ControlSets::read(&tree).ok()?.chosen(Choice::Current).ok()?;
        sets.first().copied()
    });
    // The names that one operation reads are kept for the next.
    let trees = [Role::Software, Role::System].map(|role| (role, open.tree(role)));
    let tree_of = |role| trees.iter().find(|(of, _)| *of == role).and_then(|(_, tree)| tree.as_ref());
    let carried = patch.reading.effect.operations.iter().map(|entry| {
        let operation = &entry.operation;
        let mut carried = begun(patch, entry);
        match place(operation.key(), mounts, patch.target, current) {
            Place::Elsewhere => carried.after = datum(operation),
            Place::Above => carried.outcome = Outcome::NoEffect,
            Place::In(role, names) => {
                carried.hive = Some(role);
                let name = operation.value_name().unwrap_or_default();
                if names.iter().map(Vec::as_slice).chain([name]).any(|name| String::from_utf16(name).is_err()) {
                    // Half of a surrogate pair. No look-up accepts such a name, and no finding asks for one.
                    carried.outcome = Outcome::Unasked;
                    return carried;
                }
                carried.key = names.iter().map(|name| String::from_utf16_lossy(name)).collect::<Vec<_>>().join("\\");
                // Without a tree the evidence contains no hive with this role.
                if let Some((tree, overlay)) = tree_of(role).zip(overlays.of_mut(role)) {
                    carry_out_one(tree, &names, operation, overlay, &mut carried);
                }
            }
        }
        carried
    });
    CarriedOut { operations: carried.collect(), ..CarriedOut::default() }
}

/// Returns an operation before its effect is known.
pub(super) fn begun(patch: &Patch, entry: &Entry) -> Carried {
    let operation = &entry.operation;
    Carried {
        patch: patch.path.clone(),
        line: entry.line,
        op: name_of(operation),
        hive: None,
        key: operation.key().to_string(),
        value: operation.value_name().map(String::from_utf16_lossy),
        before: None,
        after: None,
        outcome: Outcome::Elsewhere,
        findings: Vec::new(),
    }
}

/// Returns the stable name of an operation.
pub(super) fn name_of(operation: &Operation) -> &'static str {
    match operation {
        Operation::CreateKey { .. } => "create-key",
        Operation::DeleteKey { .. } => "delete-key",
        Operation::SetValue { .. } => "set",
        Operation::DeleteValue { .. } => "delete-value",
    }
}

/// Returns the value that an operation sets.
pub(super) fn datum(operation: &Operation) -> Option<ObservedDatum> {
    let Operation::SetValue { data_type, bytes, .. } = operation else { return None };
    Some(ObservedDatum::from(&RegistryValue { data_type: DataType(*data_type), bytes: bytes.clone() }))
}

/// Applies one operation to a hive.
fn carry_out_one(
    tree: &Tree<'_>,
    path: &[Vec<u16>],
    operation: &Operation,
    overlay: &mut Overlay,
    carried: &mut Carried,
) {
    let name = carried.value.clone();
    let look = |overlay: &Overlay| state(&tree.with(overlay), &carried.key, name.as_deref());
    let before = look(overlay);
    match operation {
        Operation::CreateKey { .. } => overlay.create_key(path),
        // A missing key is not created in order to delete it.
        Operation::DeleteKey { .. } => overlay.delete_key(path),
        Operation::SetValue { name, data_type, bytes, .. } => {
            overlay.set_value(path, name, RegistryValue { data_type: DataType(*data_type), bytes: bytes.clone() });
        }
        Operation::DeleteValue { name, .. } => overlay.delete_value(path, name),
    }
    let after = look(overlay);
    carried.outcome = match (&before, &after) {
        (Seen::Unreadable, _) | (_, Seen::Unreadable) => Outcome::Unreadable,
        (before, after) if before == after => Outcome::NoEffect,
        _ => Outcome::Unasked,
    };
    carried.before = before.datum();
    carried.after = after.datum();
}

/// The state of a key, or of a value of it.
#[derive(PartialEq, Eq)]
enum Seen {
    /// The key does not exist.
    NoKey,
    /// The key exists. The data of the value.
    Key(Option<ObservedDatum>),
    /// The state is unknown.
    Unreadable,
}

impl Seen {
    fn datum(self) -> Option<ObservedDatum> {
        match self {
            Self::Key(datum) => datum,
            _ => None,
        }
    }
}

/// Returns the state of a key, or of a value of it.
fn state(tree: &Tree<'_>, path: &str, value: Option<&str>) -> Seen {
    match tree.key(path) {
        Err(_) => Seen::Unreadable,
        Ok(None) => Seen::NoKey,
        Ok(Some(key)) => match value.map(|name| key.value(name)) {
            None => Seen::Key(None),
            Some(Ok(value)) => Seen::Key(value.as_ref().map(ObservedDatum::from)),
            Some(Err(_)) => Seen::Unreadable,
        },
    }
}
