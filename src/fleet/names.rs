//! Names that tell machines apart: the label, else the computer's name, else the path of the evidence.

use std::collections::HashMap;

use super::Fleet;
use super::machine::Machine;
use crate::report::table::fleet::without_windows_own_folders;

/// Returns a name for each machine. A machine that is there twice has one name.
pub(super) fn of(fleet: &Fleet) -> Vec<String> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (_, machine) in fleet.counted() {
        let counter = known.entry(short(machine)).or_default();
        *counter = counter.saturating_add(1);
    }
    let name = |machine: &Machine| {
        let short = short(machine);
        let evidence = without_windows_own_folders(&machine.evidence);
        match (known.get(short), &machine.label) {
            (Some(0 | 1) | None, _) => short.to_owned(),
            (_, Some(label)) => format!("{label}: {evidence}"),
            (_, None) => evidence.to_owned(),
        }
    };
    fleet.machines.iter().map(name).collect()
}

fn short(machine: &Machine) -> &str {
    let name = machine.label.as_deref().or(machine.computer.as_deref()).filter(|name| !name.trim().is_empty());
    name.unwrap_or_else(|| without_windows_own_folders(&machine.evidence))
}
