//! Files that the user named one by one: which belong together, which are parts of others, and places in containers.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Survey, Work, is_compressed_file, nothing_at_this_place, tell_of_archives_around};
use crate::discovery::arguments::{self, Evidence, name_of};
use crate::discovery::closed::Closed;
use crate::discovery::content::{self, Content};
use crate::discovery::lenders;
use crate::discovery::part::{IfNothing, Part};
use crate::evidence::directory::{files_in, locator};
use crate::evidence::folder as folder_system;
use crate::evidence::format::is_named_like_one;
use crate::evidence::listed::Listed;
use crate::evidence::locator::Locator;

impl Survey<'_> {
    /// Removes each file that another named file needs: a segment of an image, an extent, a parent.
    fn without_parts(&mut self, named: Vec<Named>) -> Vec<Named> {
        if named.len() < 2 {
            return named;
        }
        let images: Vec<&Closed> =
            named.iter().filter_map(|(_, closed)| closed.as_ref()).filter(|closed| closed.kind.is_image()).collect();
        let wholes = self.wholes(&images);
        let mut left = Vec::with_capacity(named.len());
        for (number, (evidence, closed)) in named.into_iter().enumerate() {
            let real = fs::canonicalize(&evidence.path).ok();
            let whole = real.as_ref().and_then(|real| wholes.get(real));
            match (real, whole.filter(|whole| **whole != Locator::of(&evidence.path).to_string())) {
                (Some(real), Some(whole)) => {
                    self.known.insert(real);
                    // The first is no longer among the arguments.
                    if number > 0 {
                        self.grouped.insert(evidence.path.clone());
                    }
                    self.irrelevant(&evidence.path, "file", format!("a part or an older state of {whole}"));
                }
                _ => left.push((evidence, closed)),
            }
        }
        left
    }

    /// Prepares a file that the user named, with the other named files that may belong to it.
    pub(super) fn files(&mut self, first: &Evidence, others: Vec<Evidence>) {
        let mut files = Vec::new();
        let mut beside = Vec::new();
        let mut parts = Vec::new();
        let label = first.label.clone();
        let others = others.into_iter().filter(|other| other != first);
        let mut named: Vec<Named> = std::iter::once(first.clone()).chain(others).map(named).collect();
        give_names_beside(&mut named);
        for (evidence, closed) in self.without_parts(named) {
            if evidence != *first && !fs::canonicalize(&evidence.path).is_ok_and(|real| self.known.insert(real)) {
                continue;
            }
            if evidence != *first {
                self.grouped.insert(evidence.path.clone());
            }
            let Some(closed) = closed else {
                files.push(evidence);
                continue;
            };
            if is_compressed_file(&closed) {
                beside.push(closed);
            } else {
                let if_nothing = IfNothing::Files(vec![closed.at.to_string()]);
                let folder = arguments::folder_of(&evidence);
                let label = label.clone();
                parts.push(Part {
                    folder,
                    containers: vec![closed],
                    within: false,
                    if_nothing,
                    label,
                    around: Vec::new(),
                });
            }
        }
        if !files.is_empty() || !beside.is_empty() {
            let named = files.iter().map(|one| locator(&one.path)).chain(beside.iter().map(|one| one.at.to_string()));
            let if_nothing = IfNothing::Files(named.collect());
            let folder = arguments::named(&files, arguments::folder_of(first));
            let label = label.clone();
            parts.push(Part { folder, containers: beside, within: false, if_nothing, label, around: Vec::new() });
        }
        let elsewhere = self.around(first);
        tell_of_archives_around(&mut parts, elsewhere);
        parts.sort_by_cached_key(Part::locator);
        self.next.extend(parts.into_iter().map(Work::Part));
    }

    /// Returns the files that may be archives with logs of a file that the user named: those with its label; without a
    /// label, those beside it. None if they are many.
    fn around(&mut self, evidence: &Evidence) -> Vec<PathBuf> {
        if let Some(label) = &evidence.label {
            let few = self.by_label.get(label).filter(|all| all.len() <= lenders::MOST_AROUND);
            return few.into_iter().flatten().map(|one| one.path.clone()).collect();
        }
        if evidence.original_path.is_some() {
            return Vec::new();
        }
        let folder = evidence.path.parent().map(Path::to_owned).unwrap_or_default();
        let labelled = &self.labelled;
        let files = self.beside.entry(folder).or_insert_with_key(|folder| {
            let names = files_in(folder).unwrap_or_default();
            let archives = names.iter().filter(|name| is_named_like_one(&name.to_string_lossy()));
            let files = archives.map(|name| folder.join(name)).take(lenders::MOST_AROUND.saturating_add(1));
            let is_free = |path: &PathBuf| fs::canonicalize(path).is_ok_and(|real| !labelled.contains(&real));
            let files: Vec<PathBuf> = files.filter(is_free).collect();
            if files.len() > lenders::MOST_AROUND { Vec::new() } else { files }
        });
        files.clone()
    }

    /// Prepares a place in a container that the user named.
    pub(super) fn place(&mut self, evidence: &Evidence, at: Locator) {
        let head = folder_system::head_of(&at.base).ok().map(|head| content::of(&head, &name_of(&at.base)));
        let Some(Content::Container(kind)) = head else {
            let found = "a file that is neither an archive nor a disk image";
            return self.refused(&at.to_string(), "file", nothing_at_this_place(found));
        };
        let folder = arguments::folder_of(&Evidence::from(&at.base));
        let if_nothing = IfNothing::Place(at.to_string());
        let closed = Closed { wanted: at.steps, ..Closed::of(at.base.clone(), Locator::of(at.base), kind) };
        let elsewhere = self.around(&Evidence { path: closed.path.clone(), ..evidence.clone() });
        let (label, containers) = (evidence.label.clone(), vec![closed]);
        let mut part = Part { folder, containers, within: false, if_nothing, label, around: Vec::new() };
        tell_of_archives_around(std::slice::from_mut(&mut part), elsewhere);
        self.next.push_back(Work::Part(part));
    }
}

/// A file that the user named, and what it is if it is a container.
pub(super) type Named = (Evidence, Option<Closed>);

/// Reads the beginning of a file that the user named.
fn named(evidence: Evidence) -> Named {
    let name = name_of(evidence.original());
    let head = folder_system::head_of(&evidence.path).ok().map(|head| content::of(&head, &name));
    let Some(Content::Container(kind)) = head else { return (evidence, None) };
    let original_name = evidence.original_path.is_some().then_some(name);
    let closed = Closed::of(evidence.path.clone(), Locator::of(&evidence.path), kind);
    (evidence, Some(Closed { original_name, ..closed }))
}

/// Tells each image which files lay beside it on its machine: there a segment has another name than in a store.
fn give_names_beside(named: &mut [Named]) {
    let original = |(evidence, _): &Named| Some((name_of(evidence.original_path.as_ref()?), evidence.path.clone()));
    let needs_names = |(evidence, closed): &Named| {
        evidence.original_path.is_some() && closed.as_ref().is_some_and(|closed| closed.kind.is_image())
    };
    if !named.iter().any(needs_names) {
        return;
    }
    let listed = Listed::of(named.iter().filter_map(original));
    for one in named.iter_mut().filter(|one| needs_names(one)) {
        if let (_, Some(image)) = one {
            image.listed = listed.clone();
        }
    }
}

/// The group of a file that the user named: its label and its folder.
pub(super) type Belonging = (Option<String>, PathBuf);

/// Returns the group of a file. The folder of an original path is not a folder of this machine.
pub(super) fn belonging(evidence: &Evidence, real: &Path) -> Belonging {
    let folder = match &evidence.original_path {
        Some(original) => Path::new("original").join(original.parent().unwrap_or(Path::new(""))),
        None => real.parent().map(Path::to_owned).unwrap_or_default(),
    };
    (evidence.label.clone(), folder)
}
