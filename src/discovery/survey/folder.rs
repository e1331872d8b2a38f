//! A folder of this machine: what is in it and below, and its parts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Survey, Work, is_compressed_file, tell_of_archives_around};
use crate::discovery::arguments::{self, Evidence};
use crate::discovery::closed::Closed;
use crate::discovery::finder::{self, Nested, Scope};
use crate::discovery::found::FoundFolder;
use crate::discovery::layout;
use crate::discovery::part::{IfNothing, Part};
use crate::evidence::file::File;
use crate::evidence::file_system::Vouched;
use crate::evidence::folder::FolderSystem;
use crate::evidence::ledger::{Ledger, Outcome};
use crate::evidence::locator::{Locator, Name};

impl Survey<'_> {
    /// Searches a folder of this machine, with everything below it.
    pub(super) fn folder(&mut self, evidence: &Evidence, real: &Path) {
        let path = &evidence.path;
        let at = Locator::of(path);
        let mut ledger = Ledger::default();
        let source = ledger.begin(at.to_string(), "folder");
        let above: Vec<String> =
            real.components().map(|part| layout::part(&part.as_os_str().to_string_lossy())).collect();
        let system = FolderSystem::new(path);
        let scope = Scope {
            system: &system,
            at: &at,
            folder: true,
            above: &above,
            shadow_copy: false,
            places: self.reading.unpacking.places,
            logs: false,
            deadline: self.reading.deadline,
            source,
        };
        let mut search = finder::search(&scope, &mut ledger);
        if search.late {
            ledger.refuse(source, self.reading.deadline.problem(), true);
            return self.next.push_back(Work::Begin(ledger));
        }
        for wanted in &search.wanted {
            let folder = search.tree.folders.get_mut(&wanted.folder);
            if let Some(file) = folder.and_then(|folder| folder.files.get_mut(&wanted.name)) {
                file.file = File::on_disk(system.path(wanted.node));
            }
        }
        for (names, folder) in &mut search.tree.folders {
            // The root of the volume may be above the named folder.
            if folder.hibernation.is_none() {
                let mut config = real.to_owned();
                config.extend(names.iter().map(Name::as_os_str));
                folder.hibernation = arguments::hibernation_of(&config);
            }
        }
        ledger.end(source, Outcome::Read, Vouched::Unprotected);
        let containers: Vec<(Vec<Name>, Closed)> = search
            .nested
            .into_iter()
            .map(|Nested { folder, entry, kind, .. }| {
                let mut at = at.clone();
                at.base.extend(folder.iter().chain([&entry.name]).map(Name::as_os_str));
                (folder, Closed::of(system.path(entry.node), at, kind))
            })
            .collect();
        let containers = self.without_parents(containers, &mut ledger);
        let mut parts = parts(search.tree.folders, containers, evidence.label.as_ref());
        parts.sort_by_cached_key(Part::locator);
        self.next.push_back(Work::Begin(ledger));
        self.next.extend(parts.into_iter().map(Work::Part));
        self.next.push_back(Work::End);
    }

    /// Removes each image that another image needs, such as its parent: a parent is an older state of the machine.
    fn without_parents(&self, containers: Vec<(Vec<Name>, Closed)>, ledger: &mut Ledger) -> Vec<(Vec<Name>, Closed)> {
        let images: Vec<&Closed> =
            containers.iter().map(|(_, closed)| closed).filter(|closed| closed.kind.is_image()).collect();
        if images.len() < 2 {
            return containers;
        }
        let wholes = self.wholes(&images);
        let is_whole = |(_, closed): &(Vec<Name>, Closed)| {
            let whole = fs::canonicalize(&closed.path).ok().and_then(|real| wholes.get(&real));
            let Some(whole) = whole.filter(|whole| **whole != closed.at.to_string()) else { return true };
            let source = ledger.begin(closed.at.to_string(), closed.kind.to_string());
            let told = format!("a part or an older state of {whole}");
            ledger.end(source, Outcome::Irrelevant(told), Vouched::Unprotected);
            false
        };
        let mut containers = containers;
        containers.retain(is_whole);
        containers
    }
}

/// Returns the parts of a folder: each folder below it with the compressed files in it, and each other container.
fn parts(
    folders: BTreeMap<Vec<Name>, FoundFolder>,
    containers: Vec<(Vec<Name>, Closed)>,
    label: Option<&String>,
) -> Vec<Part> {
    let mut beside: BTreeMap<Vec<Name>, Vec<Closed>> = BTreeMap::new();
    let mut alone: BTreeMap<Vec<Name>, Vec<Closed>> = BTreeMap::new();
    for (names, closed) in containers {
        let kind = if is_compressed_file(&closed) { &mut beside } else { &mut alone };
        kind.entry(names).or_default().push(closed);
    }
    let mut parts = Vec::new();
    let part = |folder, containers| Part {
        folder,
        containers,
        within: true,
        if_nothing: IfNothing::Silent,
        label: label.cloned(),
        around: Vec::new(),
    };
    for (names, folder) in folders {
        let alone = alone.remove(&names).unwrap_or_default();
        let mut together: Vec<Part> =
            alone.into_iter().map(|closed| part(folder.without_files(), vec![closed])).collect();
        let beside = beside.remove(&names).unwrap_or_default();
        if !folder.files.is_empty() || !beside.is_empty() {
            together.push(part(folder, beside));
        }
        tell_of_archives_around(&mut together, Vec::new());
        parts.append(&mut together);
    }
    parts
}
