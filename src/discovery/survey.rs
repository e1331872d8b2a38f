//! Divides the arguments into parts. Searches folders, and opens no hive and no archive.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arguments::{self, Argument, Evidence, name_of};
use super::closed::Closed;
use super::lenders;
use super::part::Part;
use super::reading::Reading;
use super::remote;
use crate::error::{Code, Problem};
use crate::evidence::archive;
use crate::evidence::directory::{self, locator};
use crate::evidence::file_system::Vouched;
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, Outcome};
use crate::evidence::locator::Locator;

mod folder;
mod named;

use named::{Belonging, belonging};

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
    /// The real paths of files with a label.
    labelled: HashSet<PathBuf>,
    /// The files beside those that the user named, by folder, that may be archives; none if they are many.
    beside: HashMap<PathBuf, Vec<PathBuf>>,
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
        let mut labelled = HashSet::new();
        for argument in &arguments {
            if let Argument::File { evidence, real, .. } = argument {
                if let Some(label) = &evidence.label {
                    labelled.insert(real.clone());
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
            labelled,
            beside: HashMap::new(),
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
}

/// Tells each of these parts, which lie together, of the archives among them and of files elsewhere that may have its logs.
/// An image has its own.
fn tell_of_archives_around(parts: &mut [Part], elsewhere: Vec<PathBuf>) {
    let is_archive = |closed: &&Closed| matches!(closed.kind, Kind::Archive(_)) && !is_compressed_file(closed);
    let here = parts.iter().flat_map(|part| &part.containers).filter(is_archive).map(|closed| closed.path.clone());
    let around: BTreeSet<PathBuf> = here.chain(elsewhere).collect();
    for part in parts.iter_mut().filter(|part| !part.containers.iter().any(|closed| closed.kind.is_image())) {
        let is_own = |path: &PathBuf| part.containers.iter().any(|closed| closed.path == *path);
        let others = around.iter().filter(|path| !is_own(path)).take(lenders::MOST_AROUND.saturating_add(1));
        let others: Vec<PathBuf> = others.cloned().collect();
        if others.len() <= lenders::MOST_AROUND {
            part.around = others;
        }
    }
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

/// Returns whether a container is a compressed file, which belongs to its folder as the other files there do. A
/// compressed tar archive is not.
fn is_compressed_file(closed: &Closed) -> bool {
    const TAR: [&str; 8] = ["tgz", "taz", "tbz", "tbz2", "txz", "tlz", "tzst", "tz2"];
    let name = closed.original_name.clone().unwrap_or_else(|| name_of(&closed.at.base)).to_lowercase();
    let is_tar = name.contains(".tar.") || TAR.iter().any(|end| name.rsplit('.').next() == Some(*end));
    matches!(closed.kind, Kind::Archive(archive::Kind::Stream(_))) && !is_tar
}
