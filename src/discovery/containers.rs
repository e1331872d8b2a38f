//! Containers: the content of archives and disk images, and of containers in them, by a worklist without recursion.
//!
//! This code runs in a worker if the program has one. The finder searches each file system in place. Files that
//! are worth opening are extracted into memory, with the result of their checksum.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::closed::Closed;
use super::found::{FoundFile, FoundTree};
use super::lent::{self, Place};
use super::opener::{Item, Opener};
use super::store::Store;
use super::unreadable::code_of;
#[cfg(feature = "images")]
use super::volumes::Volumes;
use super::watch::Watch;
use crate::error::{Code, Problem};
use crate::evidence::archive::{self, Unpacking};
use crate::evidence::budget::{Budget, Cost};
use crate::evidence::deadline::Deadline;
#[cfg(feature = "images")]
use crate::evidence::disk;
use crate::evidence::file::{Origin, Snapshot};
use crate::evidence::file_system::Vouched;
use crate::evidence::kind::Kind;
use crate::evidence::ledger::{Ledger, SourceId};
use crate::evidence::listed::Listed;
use crate::evidence::locator::{Locator, Name, Step};

/// The most containers within containers: a collection, its data, a disk image in it, an archive on that disk.
const DEEPEST: usize = 6;
/// The request to open a container.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Where the container is.
    pub(super) at: Locator,
    /// The kind of container.
    pub(super) kind: Kind,
    /// The wanted part of the container; the whole container if there are no steps.
    pub(super) wanted: Vec<Step>,
    /// Whether the user named it.
    pub(super) named: bool,
    /// The name that it had on its machine, if the user states it: the content of a compressed file is named by it.
    pub(super) original_name: Option<String>,
    /// Files that lay beside it on its machine, and that the user listed.
    pub(super) listed: Listed,
    /// The user's options for containers.
    pub(super) unpacking: Unpacking,
    /// The budget of the job.
    pub(super) budget: Budget,
    /// The end of the run.
    pub(super) deadline: Deadline,
    /// Whether only logs without a hive are wanted.
    pub(super) for_logs: bool,
}

/// The result of opening a container.
#[derive(Debug)]
pub(super) struct Opened {
    /// A tree for each file system with relevant files.
    pub(super) trees: Vec<FoundTree>,
    /// Files that were compressed one by one: they belong into the folder of the container.
    pub(super) singles: Vec<(Name, Box<FoundFile>)>,
    /// The outcome of each source.
    pub(super) ledger: Ledger,
    /// The shadow copies that volumes list, read or not.
    pub(super) shadow_copies: Vec<Snapshot>,
    /// Files of this machine that belong to the container, beside the first: segments, extents, parents.
    pub(super) files: Vec<PathBuf>,
    /// Files of this machine that were opened for an unreadable image: they are evidence, but parts of no container.
    pub(super) touched: Vec<PathBuf>,
    /// Whether the wanted place exists.
    pub(super) found: bool,
    /// The rest of the budget.
    pub(super) budget: Budget,
}

/// Opens the container at `path` and the containers in it.
pub(super) fn open(path: &Path, job: Job, watch: Watch<'_>) -> Opened {
    let Job { at, kind, wanted, named, original_name, listed, unpacking, budget, deadline, for_logs } = job;
    let mut opener = Opener {
        watch,
        path: path.to_owned(),
        unpacking,
        deadline,
        for_logs,
        ledger: Ledger::default(),
        trees: Vec::new(),
        singles: Vec::new(),
        shadow_copies: Vec::new(),
        files: Vec::new(),
        touched: Vec::new(),
        found: wanted.is_empty(),
        pending: Vec::new(),
        original_name,
        listed,
        store: Store { budget },
    };
    opener.pending.push(Item {
        at,
        kind,
        bytes: None,
        depth: 0,
        wanted,
        vouched: Vouched::Unprotected,
        named,
        beside: None,
    });
    while let Some(item) = opener.pending.pop() {
        open_one(&mut opener, &item);
    }
    let Opener { ledger, mut trees, singles, shadow_copies, files, touched, found, store, .. } = opener;
    for tree in &mut trees {
        tree.folders.retain(|_, folder| !folder.files.is_empty());
    }
    trees.retain(|tree| !tree.folders.is_empty());
    if for_logs {
        lent::only_logs(&mut trees);
    }
    Opened { trees, singles, ledger, shadow_copies, files, touched, found, budget: store.budget }
}

/// Returns the files of this machine that an image needs besides its first. An image that cannot be opened needs none.
pub(super) fn files_of(closed: &Closed) -> Vec<PathBuf> {
    match closed.kind {
        #[cfg(feature = "images")]
        Kind::Image => {
            let disk = disk::open_listed(&closed.path, closed.original_name.as_deref(), &closed.listed);
            disk.map(|disk| disk.files.into_iter().skip(1).collect()).unwrap_or_default()
        }
        Kind::Archive(_) => Vec::new(),
    }
}

/// Returns the transaction logs without a hive in an archive. A defect of this program has none.
pub(super) fn logs_of(closed: &Closed, unpacking: &Unpacking, budget: &Budget, deadline: Deadline) -> BTreeSet<Place> {
    let Closed { path, at, kind, wanted, original_name, listed, for_logs } = closed.clone();
    let (unpacking, budget) = (unpacking.clone(), budget.clone());
    let job = Job { at, kind, wanted, named: false, original_name, listed, unpacking, budget, deadline, for_logs };
    let watch = Watch { failed: &BTreeMap::new(), begin: &mut |_| {} };
    catch_unwind(AssertUnwindSafe(|| lent::places(&open(&path, job, watch).trees))).unwrap_or_default()
}

/// Opens one container of the worklist.
fn open_one(opener: &mut Opener<'_>, item: &Item) {
    let at = item.at.to_string();
    let failed = opener.watch.begin(&at);
    let source = opener.ledger.begin(at, item.kind.to_string());
    if let Some(problem) = failed {
        return opener.ledger.refuse(source, problem, true);
    }
    if let Err(problem) = opener.store.budget.spend(Cost::Sources, 1) {
        return opener.ledger.refuse(source, problem, true);
    }
    if item.depth >= DEEPEST {
        let problem = Problem::new("a container", format!("containers nested {DEEPEST} deep"));
        return opener.ledger.refuse(source, problem.code(Code::Limit).advise("unpack it by hand"), true);
    }
    match item.kind {
        #[cfg(feature = "images")]
        Kind::Image => Volumes::open(opener, item, source),
        Kind::Archive(kind) => archive(opener, kind, item, source),
    }
}

/// Opens an archive, and extracts its relevant files.
fn archive(opener: &mut Opener<'_>, kind: archive::Kind, item: &Item, source: SourceId) {
    let original = opener.original_name.clone().filter(|_| item.bytes.is_none());
    let name = original.unwrap_or_else(|| match item.at.steps.last() {
        Some(Step::Path(names)) => names.last().map(Name::to_text).unwrap_or_default(),
        _ => item.at.base.file_name().map(|name| Name::from(name).to_text()).unwrap_or_default(),
    });
    let password = opener.unpacking.password.clone();
    let limits = archive::Limits { unpacked: opener.store.unpacked_limit(), ..archive::Limits::default() };
    let system = match opener.blocks(item) {
        Ok(blocks) => archive::open(kind, blocks, &name, password.as_deref(), limits),
        Err(error) => {
            let problem = Problem::new("a file that can be read", error.to_string()).code(Code::Unreadable);
            return opener.ledger.refuse(source, problem, true);
        }
    };
    let system = match system {
        Ok(system) => system,
        Err(refused) => {
            let problem = Problem::new(format!("a {kind} file that can be read"), refused.reason.clone());
            let problem = problem.code(code_of(&refused));
            let problem = if refused.advice.is_empty() { problem } else { problem.advise(refused.advice) };
            return opener.ledger.refuse(source, problem, true);
        }
    };
    let origin = Origin { format: kind.to_string(), ..Origin::default() };
    let single = system.is_single();
    opener.file_system(system.as_ref(), item, source, &origin, false, single);
}
