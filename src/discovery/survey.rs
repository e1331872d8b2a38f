//! Divides the arguments into parts. Searches folders, and opens no hive and no archive.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arguments::{self, Argument, Evidence, name_of};
use super::content::{self, Content};
use super::finder::{self, Nested, Scope};
use super::found::FoundFolder;
use super::layout;
use super::lent;
use super::part::{Closed, IfNothing, Part, Reading};
use super::remote;
use crate::error::{Code, Problem};
use crate::evidence::archive;
use crate::evidence::directory::{self, locator};
use crate::evidence::file::File;
use crate::evidence::file_system::Vouched;
use crate::evidence::folder::{self as folder_system, FolderSystem};
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, Outcome};
use crate::evidence::listed::Listed;
use crate::evidence::locator::{Locator, Name};

/// A piece of work, in the order of the output.
#[derive(Serialize, Deserialize)]
pub(super) enum Work {
    /// An argument begins; the ledger has its sources before anything is opened. The parts that follow are in the first
    /// source of this ledger, if they are in any.
    Begin(Ledger),
    /// A part of the argument.
    Part(Part),
    /// The folder of the previous parts ends.
    End,
}

/// The arguments that are still to be examined.
pub(super) struct Survey<'u> {
    reading: Reading<'u>,
    arguments: VecDeque<Argument>,
    /// Files that the user named, by the group that they belong to.
    named: HashMap<Belonging, Vec<Evidence>>,
    /// The same by label.
    by_label: HashMap<String, Vec<Evidence>>,
    /// Files that were examined already, by their real path.
    known: BTreeSet<PathBuf>,
    /// The number of files of the run that [`Survey::know`] received.
    told: usize,
    /// Files that were examined with another file of their group, and that are still among the arguments.
    grouped: HashSet<PathBuf>,
    /// The next pieces of work.
    next: VecDeque<Work>,
}

impl<'u> Survey<'u> {
    /// Sorts the arguments. A file in a folder that the user named too is examined after that folder, because it may be
    /// a part of the folder.
    pub(super) fn new(evidence: &[Evidence], reading: Reading<'u>) -> Self {
        let arguments = arguments::sort(evidence);
        let mut named: HashMap<Belonging, Vec<Evidence>> = HashMap::new();
        let mut by_label: HashMap<String, Vec<Evidence>> = HashMap::new();
        for argument in &arguments {
            if let Argument::File { evidence, real, .. } = argument {
                if let Some(label) = &evidence.label {
                    by_label.entry(label.clone()).or_default().push(evidence.clone());
                }
                named.entry(belonging(evidence, real)).or_default().push(evidence.clone());
            }
        }
        Self {
            reading,
            arguments: behind_their_folders(arguments),
            named,
            by_label,
            known: BTreeSet::new(),
            told: 0,
            grouped: HashSet::new(),
            next: VecDeque::new(),
        }
    }

    /// Returns how many files of the run are known, if the next argument is a file in a named folder. Then
    /// [`Survey::know`] must receive the other files first.
    pub(super) fn must_know(&self) -> Option<usize> {
        let is_inside = |argument: &Argument| matches!(argument, Argument::File { within: true, .. });
        (self.next.is_empty() && self.arguments.front().is_some_and(is_inside)).then_some(self.told)
    }

    /// Records files that were examined since the last call.
    pub(super) fn know(&mut self, files: &[PathBuf]) {
        self.told = self.told.saturating_add(files.len());
        self.known.extend(files.iter().filter_map(|path| fs::canonicalize(path).ok()));
    }

    /// Returns the next piece of work.
    pub(super) fn next(&mut self) -> Option<Work> {
        while self.next.is_empty() {
            let argument = self.arguments.pop_front()?;
            self.expand(argument);
        }
        self.next.pop_front()
    }

    fn expand(&mut self, argument: Argument) {
        let label = argument.label().cloned();
        let first = self.next.len();
        self.prepare(argument);
        for work in self.next.iter_mut().skip(first) {
            if let Work::Begin(ledger) = work {
                ledger.label(0, label.as_ref());
            }
        }
    }

    fn prepare(&mut self, argument: Argument) {
        match argument {
            Argument::Folder { evidence, real } => self.folder(&evidence, &real),
            Argument::Within { evidence, outer } if evidence.label == outer.label => {
                self.irrelevant(&evidence.path, "folder", format!("a part of {}", locator(&outer.path)));
            }
            Argument::Within { evidence, outer } => {
                let with = match outer.label {
                    None => "without a label".to_owned(),
                    Some(label) => format!("with the label {label}"),
                };
                let found = format!("the same evidence {with}: {}", locator(&outer.path));
                let problem = Problem::new("evidence that is listed with one label", found).code(Code::Unreadable);
                let advice = "list each folder once, or give both the same label";
                self.refused(&locator(&evidence.path), "folder", problem.advise(advice));
            }
            Argument::File { evidence, real, .. } => {
                if self.grouped.remove(&evidence.path) {
                    return;
                }
                if !self.known.insert(real.clone()) {
                    let told = "examined already, with another argument".to_owned();
                    return self.irrelevant(&evidence.path, "file", told);
                }
                let others = self.named.remove(&belonging(&evidence, &real)).unwrap_or_default();
                self.files(&evidence, others);
            }
            Argument::Other { evidence } => {
                let problem = Problem::new("a folder or a file", "a device, a pipe or a socket").code(Code::Unreadable);
                let advice = "mount the volume read-only and name its folder, or copy its output to a file";
                self.refused(&locator(&evidence.path), "device", problem.advise(directory::within_a_sentence(advice)));
            }
            Argument::Missing { evidence, error } => match Locator::parse(evidence.path.as_os_str()) {
                Some(at) if !at.steps.is_empty() => self.place(&evidence, at),
                // With its escapes resolved, the path exists.
                Some(at) => self.unescaped(&Evidence { path: at.base, ..evidence }),
                None => self.unreadable(&evidence.path, &error),
            },
        }
    }

    fn irrelevant(&mut self, path: &Path, kind: &str, told: String) {
        let mut ledger = Ledger::default();
        let source = ledger.begin(locator(path), kind);
        ledger.end(source, Outcome::Irrelevant(told), Vouched::Unprotected);
        self.next.push_back(Work::Begin(ledger));
    }

    fn refused(&mut self, at: &str, kind: &str, problem: Problem) {
        let mut ledger = Ledger::default();
        let source = ledger.begin(at, kind);
        ledger.refuse(source, problem, true);
        self.next.push_back(Work::Begin(ledger));
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let (told, advice) = directory::explain(error);
        let problem = Problem::new("evidence that can be read", told).code(Code::Unreadable);
        self.refused(&locator(path), "file", problem.advise(directory::within_a_sentence(advice)));
    }

    /// Prepares an argument whose name the user typed as reports print it.
    fn unescaped(&mut self, evidence: &Evidence) {
        match fs::canonicalize(&evidence.path) {
            Ok(real) if real.is_dir() => self.folder(evidence, &real),
            Ok(real) => {
                self.known.insert(real);
                self.files(evidence, Vec::new());
            }
            Err(error) => self.unreadable(&evidence.path, &error),
        }
    }

    /// Searches a folder of this machine, with everything below it.
    fn folder(&mut self, evidence: &Evidence, real: &Path) {
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

    /// Returns the files that these images need besides their first, each with the image that needs it.
    fn wholes(&self, images: &[&Closed]) -> BTreeMap<PathBuf, String> {
        let needed: Vec<(String, Vec<PathBuf>)> =
            images.par_iter().map(|closed| (closed.at.to_string(), remote::files_of(closed, self.reading))).collect();
        let mut wholes = BTreeMap::new();
        for (whole, files) in needed {
            let real = files.into_iter().filter_map(|file| fs::canonicalize(file).ok());
            wholes.extend(real.map(|file| (file, whole.clone())));
        }
        wholes
    }

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
    fn files(&mut self, first: &Evidence, others: Vec<Evidence>) {
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
        let elsewhere = label.as_ref().map(|label| self.archives_with(label)).unwrap_or_default();
        tell_of_archives_around(&mut parts, elsewhere);
        parts.sort_by_cached_key(Part::locator);
        self.next.extend(parts.into_iter().map(Work::Part));
    }

    /// Returns the archives with this label that the user named, if they are few.
    fn archives_with(&self, label: &str) -> Vec<Closed> {
        let named_with = self.by_label.get(label).filter(|all| all.len() <= lent::MOST_AROUND);
        named_with.into_iter().flatten().filter_map(|evidence| named(evidence.clone()).1).collect()
    }

    /// Prepares a place in a container that the user named.
    fn place(&mut self, evidence: &Evidence, at: Locator) {
        let head = folder_system::head_of(&at.base).ok().map(|head| content::of(&head, &name_of(&at.base)));
        let Some(Content::Container(kind)) = head else {
            let found = "a file that is neither an archive nor a disk image";
            return self.refused(&at.to_string(), "file", nothing_at_this_place(found));
        };
        let folder = arguments::folder_of(&Evidence::from(&at.base));
        let if_nothing = IfNothing::Place(at.to_string());
        let closed = Closed { wanted: at.steps, ..Closed::of(at.base.clone(), Locator::of(at.base), kind) };
        let label = evidence.label.clone();
        self.next.push_back(Work::Part(Part {
            folder,
            containers: vec![closed],
            within: false,
            if_nothing,
            label,
            around: Vec::new(),
        }));
    }
}

/// A file that the user named, and what it is if it is a container.
type Named = (Evidence, Option<Closed>);

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
    let files: Vec<(String, PathBuf)> = named.iter().filter_map(original).collect();
    let listed = Listed::of(files.iter().map(|(name, path)| (name.clone(), path.as_path())));
    for (evidence, closed) in named {
        if let Some(image) = closed.as_mut().filter(|closed| closed.kind.is_image() && evidence.original_path.is_some())
        {
            image.listed = listed.clone();
        }
    }
}

/// Tells each of these parts, which lie together, of the archives among them and elsewhere that may have its logs.
fn tell_of_archives_around(parts: &mut [Part], elsewhere: Vec<Closed>) {
    let is_archive = |closed: &&Closed| matches!(closed.kind, Kind::Archive(_)) && !is_compressed_file(closed);
    let here = parts.iter().flat_map(|part| &part.containers).filter(is_archive).cloned();
    let mut archives: BTreeMap<PathBuf, Closed> = here.map(|closed| (closed.path.clone(), closed)).collect();
    for closed in elsewhere.into_iter().filter(|closed| is_archive(&closed)) {
        archives.entry(closed.path.clone()).or_insert(closed);
    }
    if archives.len() > lent::MOST_AROUND {
        return;
    }
    for part in parts.iter_mut().filter(|part| !part.containers.iter().any(|closed| closed.kind.is_image())) {
        let is_own = |path: &PathBuf| part.containers.iter().any(|closed| closed.path == *path);
        part.around = archives.iter().filter(|(path, _)| !is_own(path)).map(|(_, closed)| closed.clone()).collect();
    }
}

/// The group of a file that the user named: its label and its folder.
type Belonging = (Option<String>, PathBuf);

/// Returns the group of a file. The folder of an original path is not a folder of this machine.
fn belonging(evidence: &Evidence, real: &Path) -> Belonging {
    let folder = match &evidence.original_path {
        Some(original) => Path::new("original").join(original.parent().unwrap_or(Path::new(""))),
        None => real.parent().map(Path::to_owned).unwrap_or_default(),
    };
    (evidence.label.clone(), folder)
}

/// Returns the problem of a place in a container that does not contain what the user named.
pub(super) fn nothing_at_this_place(found: &str) -> Problem {
    let problem = Problem::new("something at this place", found).code(Code::NothingFound);
    problem.advise("`hivemend find` lists what is there")
}

/// Moves each file in a named folder to the place after that folder.
fn behind_their_folders(arguments: Vec<Argument>) -> VecDeque<Argument> {
    let folders: HashSet<PathBuf> = arguments
        .iter()
        .filter_map(|argument| if let Argument::Folder { real, .. } = argument { Some(real.clone()) } else { None })
        .collect();
    let mut sorted = VecDeque::new();
    let mut inside: HashMap<PathBuf, Vec<Argument>> = HashMap::new();
    for argument in arguments {
        let folder = match &argument {
            Argument::File { real, within: true, .. } => real.ancestors().find(|folder| folders.contains(*folder)),
            _ => None,
        };
        match folder.map(Path::to_owned) {
            Some(folder) => inside.entry(folder).or_default().push(argument),
            None => sorted.push_back(argument),
        }
    }
    let with_files = |argument| {
        let files = if let Argument::Folder { real, .. } = &argument { inside.remove(real) } else { None };
        std::iter::once(argument).chain(files.unwrap_or_default())
    };
    sorted.into_iter().flat_map(with_files).collect()
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

/// Returns whether a container is a compressed file, which belongs to its folder as the other files there do. A
/// compressed tar archive is not.
fn is_compressed_file(closed: &Closed) -> bool {
    const TAR: [&str; 8] = ["tgz", "taz", "tbz", "tbz2", "txz", "tlz", "tzst", "tz2"];
    let name = closed.original_name.clone().unwrap_or_else(|| name_of(&closed.at.base)).to_lowercase();
    let is_tar = name.contains(".tar.") || TAR.iter().any(|end| name.rsplit('.').next() == Some(*end));
    matches!(closed.kind, Kind::Archive(archive::Kind::Stream(_))) && !is_tar
}
