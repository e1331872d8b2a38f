//! Decides which generations belong to one machine.

use std::collections::BTreeMap;

use super::columns::{Source, columns};
use super::rows::rows;
use super::{HiveHistory, MachineHistory};
use crate::registry::Role;
use crate::report::InstallationReport;

/// Folders that Windows keeps at the top of a volume. The path before such a folder is the volume.
const TOPS: [&str; 5] = ["windows", "winnt", "windows.old", "system volume information", "$windows.~bt"];

/// The installations of one machine.
pub(super) struct Group<'a> {
    computer_name: Option<String>,
    volumes: Vec<String>,
    installations: Vec<&'a InstallationReport>,
}

/// Groups installations that name the same computer. Installations without a computer name are grouped by volume.
pub(super) fn group(installations: &[InstallationReport]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let name = |installation: &InstallationReport| installation.machine.computer_name.clone();
    let (named, unnamed): (Vec<_>, Vec<_>) =
        installations.iter().filter(|one| one.judgement.is_some()).partition(|one| name(one).is_some());
    for installation in named {
        let computer = name(installation).map(|name| name.to_uppercase());
        let volume = volume(&installation.evidence);
        match groups.iter_mut().find(|group| group.computer_name.as_ref().map(|name| name.to_uppercase()) == computer) {
            Some(group) => group.add(installation, volume),
            None => groups.push(Group {
                computer_name: name(installation),
                volumes: vec![volume],
                installations: vec![installation],
            }),
        }
    }
    for installation in unnamed {
        let volume = volume(&installation.evidence);
        let mut same = groups.iter_mut().filter(|group| group.volumes.contains(&volume));
        match (same.next(), same.next()) {
            (Some(group), None) => group.add(installation, volume),
            _ => groups.push(Group { computer_name: None, volumes: vec![volume], installations: vec![installation] }),
        }
    }
    groups.sort_by_cached_key(|group| {
        (
            group.computer_name.is_none(),
            group.computer_name.as_ref().map(|name| name.to_uppercase()),
            group.volumes.clone(),
        )
    });
    groups
}

impl<'a> Group<'a> {
    fn add(&mut self, installation: &'a InstallationReport, volume: String) {
        self.installations.push(installation);
        if !self.volumes.contains(&volume) {
            self.volumes.push(volume);
        }
    }
}

/// Returns the volume of an installation, as far as its path shows it.
fn volume(evidence: &str) -> String {
    let mut path: Vec<&str> = Vec::new();
    for part in evidence.split('/') {
        if TOPS.contains(&part.to_lowercase().as_str()) {
            break;
        }
        path.push(part);
    }
    path.join("/")
}

/// Returns the columns and rows of one machine.
pub(super) fn trace(group: &Group<'_>, primary: &BTreeMap<String, InstallationReport>) -> MachineHistory {
    let hives = [Role::Software, Role::System].into_iter().filter_map(|role| {
        let sources = group.installations.iter().flat_map(|installation| {
            let lying = primary.get(&installation.id);
            Source::of(installation, lying, role)
        });
        let columns = columns(sources.collect());
        let values = rows(&columns, role);
        let columns: Vec<_> = columns.into_iter().map(|(column, _)| column).collect();
        (!columns.is_empty()).then_some(HiveHistory { role, columns, values })
    });
    MachineHistory { computer_name: group.computer_name.clone(), hives: hives.collect() }
}

#[cfg(test)]
mod tests {
    use super::volume;

    #[test]
    fn a_volume_is_what_its_folders_are_in() {
        assert_eq!(volume("img/Windows/System32/config"), "img");
        assert_eq!(volume("img/System Volume Information/_restore{1}/RP12/snapshot"), "img");
        assert_eq!(volume("img/Windows.old/WINDOWS/System32/config"), "img");
        assert_eq!(volume("copies/SYSTEM"), "copies/SYSTEM");
    }
}
