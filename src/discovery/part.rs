//! A part of the evidence, which is opened, paired and judged as a whole, and then released.
//!
//! A part is the files of one folder, with the compressed files among them, or one container. Parts are independent, so
//! they can be opened in parallel; [`super::turns`] puts their results in order.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::closed::Closed;
use super::containers::{self, Job, Opened};
use super::found::{FoundFolder, FoundTree};
use super::reading::Reading;
use super::watch::{Failure, Watch};
use super::{Installation, folder, lent, opener};
use crate::error::{Code, Gap, Problem};
use crate::evidence::budget::{Budget, Cost};
use crate::evidence::directory;
use crate::evidence::file::{Origin, Snapshot};
use crate::evidence::ledger::{Ledger, SourceId};
use crate::evidence::local;
use crate::evidence::worker::{self, Broker, Sandbox};
use crate::progress::{self, Task};

/// A part of the evidence.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Part {
    /// The files, and the folder that the content of single compressed files belongs to.
    pub(super) folder: FoundFolder,
    /// The containers.
    pub(super) containers: Vec<Closed>,
    /// Whether the part is in a folder that the user named; otherwise the user named its files.
    pub(super) within: bool,
    /// What to report if the part contains no hive.
    pub(super) if_nothing: IfNothing,
    /// The user's name for the machine or the exhibit.
    pub(super) label: Option<String>,
    /// Other files that may be archives with the logs of its hives; see [`super::lenders`].
    #[serde(with = "crate::evidence::paths::many")]
    pub(super) around: Vec<PathBuf>,
}

/// The report about a part without a hive and without another problem.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum IfNothing {
    /// Nothing: the part is one of many in a folder.
    Silent,
    /// That these files contain no hive.
    Files(Vec<String>),
    /// That there is no hive, or nothing at all, at this place in a container.
    Place(String),
}

/// The result of opening a part.
#[derive(Serialize, Deserialize)]
pub(super) struct OpenPart {
    /// By evidence, then by generation. Their ids are still empty.
    pub(super) installations: Vec<Installation>,
    /// The outcome of each source; see [`Ledger::of_part`].
    pub(super) ledger: Ledger,
    /// The shadow copies that volumes list.
    pub(super) shadow_copies: Vec<Snapshot>,
    /// The files of this machine that were opened besides hives and logs.
    #[serde(with = "crate::evidence::paths::many")]
    pub(super) files: Vec<PathBuf>,
    /// Whether the wanted place exists; see [`Closed::wanted`].
    pub(super) there: bool,
    /// The rest of the budget.
    pub(super) budget: Budget,
    /// What the worker that opened the part could do, if it was one.
    pub(super) sandbox: Option<Sandbox>,
}

impl Part {
    /// Returns the part's place in the order of its argument.
    pub(super) fn locator(&self) -> String {
        match self.containers.as_slice() {
            [only] if self.folder.files.is_empty() => only.at.to_string(),
            _ => self.folder.locator.clone(),
        }
    }

    /// Returns a broker for a worker that opens the part.
    pub(super) fn broker<'r>(&self, reading: Reading<'r>) -> Broker<'r> {
        let mut broker = Broker::new(reading.witness);
        self.allow(&mut broker);
        broker
    }

    /// Allows a broker to open the files of the part.
    pub(super) fn allow(&self, broker: &mut Broker<'_>) {
        self.around.iter().for_each(|path| broker.allow(path));
        for container in &self.containers {
            broker.allow(&container.path);
            if container.kind.is_image() {
                broker.allow_beside(&container.path);
                container.listed.paths().iter().for_each(|path| broker.allow(path));
            }
        }
        self.folder.files.values().for_each(|file| broker.allow(&file.file.path));
    }

    /// Returns how many seconds a worker may take to open and judge the part.
    pub(super) fn seconds(&self, reading: Reading<'_>) -> u64 {
        let sizes = self.containers.iter().map(|one| local::size(&one.path));
        sizes.map(|size| reading.seconds_for(size)).fold(0, u64::saturating_add)
    }

    /// Shows a witness the files that are about to be read.
    pub(super) fn witness(&self, reading: Reading<'_>) {
        self.containers.iter().for_each(|container| reading.witness(&container.path));
        self.folder.hives_and_logs().for_each(|path| reading.witness(path));
    }

    /// Opens the part in this process, within this budget. A defect of this program is a problem of this part alone.
    pub(super) fn open(&self, reading: Reading<'_>, budget: &Budget) -> OpenPart {
        let open = self.open_but(reading, budget, &BTreeMap::new(), &mut |_| {});
        let sandbox = (!self.containers.is_empty()).then(Sandbox::default);
        OpenPart { sandbox, ..open }
    }

    /// Opens the part without the sources in `failed`, which has the reason for each. Calls `begin` with the place of
    /// each source before reading it.
    pub(super) fn open_but(
        &self,
        reading: Reading<'_>,
        budget: &Budget,
        failed: &BTreeMap<String, Failure>,
        begin: &mut dyn FnMut(&str),
    ) -> OpenPart {
        catch_unwind(AssertUnwindSafe(|| self.open_all(reading, budget, failed, begin))).unwrap_or_else(|_| {
            let mut opening = Opening::new(self, reading, budget);
            let problem = Problem::of(self.locator(), "evidence that can be read", worker::DEFECT);
            opening.open.ledger.refuse_in(opening.of, "folder", problem.code(Code::ReaderFailed), true);
            opening.open
        })
    }

    fn open_all(
        &self,
        reading: Reading<'_>,
        budget: &Budget,
        failed: &BTreeMap<String, Failure>,
        begin: &mut dyn FnMut(&str),
    ) -> OpenPart {
        let mut opening = Opening::new(self, reading, budget);
        let mut folder = Cow::Borrowed(&self.folder);
        let (mut found_trees, mut lent) = (Vec::new(), Vec::new());
        self.witness(reading);
        for container in &self.containers {
            opening.open.files.push(container.path.clone());
            let Some(opened) = opening.container(container, Watch { failed, begin }) else { continue };
            let Opened { trees, singles, ledger, shadow_copies, files, touched, found, budget } = opened;
            files.iter().chain(&touched).for_each(|path| reading.witness(path));
            if container.for_logs {
                // Its own part has its sources.
                lent.extend(trees);
                opening.open.budget = budget;
                continue;
            }
            if let Some(of) = opening.of {
                opening.open.ledger.read(of);
            }
            let first = opening.open.ledger.append(ledger);
            opening.open.shadow_copies.extend(shadow_copies);
            opening.open.files.extend(files.into_iter().chain(touched));
            opening.open.there |= found;
            opening.open.budget = budget;
            found_trees.extend(trees.into_iter().map(|tree| (tree, first)));
            for (name, file) in singles {
                opener::insert_beside(&mut folder.to_mut().files, name, file);
            }
        }
        if !lent.is_empty() {
            let in_trees = found_trees.iter_mut().flat_map(|(tree, _)| tree.folders.values_mut());
            lent::put_beside(lent, in_trees.chain([folder.to_mut()]));
        }
        for (tree, first) in &found_trees {
            opening.tree(tree, *first);
        }
        opening.folder(&folder, None, opening.of, !self.containers.is_empty());
        let mut open = opening.open;
        let gaps = open.ledger.gaps();
        let mut by_place: HashMap<&str, Vec<&Gap>> = HashMap::new();
        for gap in &gaps {
            by_place.entry(&gap.at).or_default().push(gap);
        }
        for installation in &mut open.installations {
            installation.label.clone_from(&self.label);
            installation.source_gaps = gaps_of(installation, &by_place);
        }
        sort(&mut open.installations);
        open
    }
}

/// A part that is being opened.
struct Opening<'u> {
    reading: Reading<'u>,
    /// The source that the part is in.
    of: Option<SourceId>,
    open: OpenPart,
}

impl<'u> Opening<'u> {
    fn new(part: &Part, reading: Reading<'u>, budget: &Budget) -> Self {
        let ledger = if part.within { Ledger::of_part() } else { Ledger::default() };
        let open = OpenPart {
            installations: Vec::new(),
            ledger,
            shadow_copies: Vec::new(),
            files: Vec::new(),
            there: false,
            budget: budget.clone(),
            sandbox: None,
        };
        Self { reading, of: part.within.then_some(SourceId::OUTER), open }
    }

    /// Sorts the hives of a file system in a container into installations. The sources of that container begin at
    /// `first` in the ledger.
    fn tree(&mut self, tree: &FoundTree, first: usize) {
        let source = tree.source.map(|source| source.behind(first));
        for folder in tree.folders.values() {
            self.folder(folder, tree.origin.as_ref(), source, true);
        }
    }

    /// Sorts the hives of a folder into installations, until the budget ends. Plain files are the user's own: only a
    /// limit that the user gave counts them.
    fn folder(&mut self, folder: &FoundFolder, origin: Option<&Origin>, source: Option<SourceId>, extracted: bool) {
        if folder.files.is_empty() {
            return;
        }
        let OpenPart { budget, ledger, installations, .. } = &mut self.open;
        let deadline = self.reading.deadline;
        let late = |found: String| Problem { path: Some(folder.locator.clone()), found, ..deadline.problem() };
        if !extracted && deadline.is_over() {
            return ledger.refuse_in(source, "folder", late(deadline.problem().found), true);
        }
        if (extracted || budget.is_given(Cost::Sources))
            && let Err(problem) = budget.spend(Cost::Sources, folder.files.len() as u64)
        {
            let problem = Problem { path: Some(folder.locator.clone()), ..problem };
            return ledger.refuse_in(source, "folder", problem, true);
        }
        let (found, unread) = folder::examine(folder, origin, self.reading, source, ledger);
        installations.extend(found);
        if unread > 0 {
            let told = if unread == 1 { "1 more file".to_owned() } else { format!("{unread} more files") };
            ledger.refuse_in(source, "folder", late(format!("{told}, not read")), true);
        }
    }

    /// Opens a container.
    fn container(&mut self, closed: &Closed, mut watch: Watch<'_>) -> Option<Opened> {
        let Closed { path, at, kind, wanted, original_name, listed, for_logs } = closed;
        if let Some(problem) = watch.begin(&at.to_string()) {
            self.refused(closed, problem);
            return None;
        }
        let size = match local::open(path).and_then(|file| local::regular_size(&file)) {
            Ok(size) => size.unwrap_or_default(),
            // The system's own error, if the file does not exist or cannot be read.
            Err(error) => {
                self.unreadable(closed, &error);
                return None;
            }
        };
        self.open.budget.grow(size);
        let spent = self.open.budget.left(Cost::Sources) == 0;
        let stopped = if self.reading.deadline.is_over() {
            Some(self.reading.deadline.problem())
        } else {
            spent.then(|| self.open.budget.exceeded(Cost::Sources))
        };
        if let Some(problem) = stopped {
            self.refused(closed, problem);
            return None;
        }
        let job = Job {
            at: at.clone(),
            kind: *kind,
            wanted: wanted.clone(),
            // A container that was found in a folder is not named.
            named: self.of.is_none() && wanted.is_empty(),
            original_name: original_name.clone(),
            listed: listed.clone(),
            unpacking: self.reading.unpacking.clone(),
            budget: self.open.budget.clone(),
            deadline: self.reading.deadline,
            for_logs: *for_logs,
        };
        progress::step(Task::Reading, || at.to_string(), 1);
        let opened = catch_unwind(AssertUnwindSafe(|| containers::open(path, job, watch)));
        if opened.is_err() {
            self.refused(closed, Failure::Reader(worker::DEFECT.to_owned()).problem());
        }
        opened.ok()
    }

    /// Refuses a container whose file cannot be opened.
    fn unreadable(&mut self, closed: &Closed, error: &io::Error) {
        let (told, advice) = directory::explain(error);
        let problem = Problem::new("a container that can be read", told).code(Code::Unreadable);
        self.refused(closed, problem.advise(directory::within_a_sentence(advice)));
    }

    fn refused(&mut self, closed: &Closed, problem: Problem) {
        let problem = Problem { path: Some(closed.at.to_string()), ..problem };
        self.open.ledger.refuse_in(self.of, &closed.kind.to_string(), problem, true);
    }
}

/// Returns the gaps of the places of an installation, and of the containers that they are in.
fn gaps_of(installation: &Installation, by_place: &HashMap<&str, Vec<&Gap>>) -> Vec<Gap> {
    if by_place.is_empty() {
        return Vec::new();
    }
    let places = std::iter::once(&installation.evidence).chain(installation.hives.iter().map(|hive| &hive.locator));
    let outer = places.flat_map(|place| {
        place.match_indices('!').filter_map(|(at, _)| place.get(..at)).chain([place.as_str()]).collect::<Vec<_>>()
    });
    let mut gaps: Vec<Gap> =
        outer.filter_map(|place| by_place.get(place)).flatten().map(|gap| (*gap).clone()).collect();
    gaps.sort();
    gaps.dedup();
    gaps
}

/// Sorts by evidence, then by generation.
fn sort(installations: &mut [Installation]) {
    let first = |installation: &Installation| installation.hives.first().map(|hive| hive.locator.clone());
    installations.sort_by_cached_key(|one| (one.evidence.clone(), one.generation, first(one)));
}
