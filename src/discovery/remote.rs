//! A part whose containers a worker opens, and whose installations the worker judges. The worker sends the list of
//! installations and the answers. No hive leaves the worker.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::closed::Closed;
use super::lent::Place;
use super::part::{OpenPart, Part};
use super::reading::Reading;
use super::watch::{Failure, MOST_FAILURES};
use super::{Installation, containers};
use crate::evidence::archive::Unpacking;
use crate::evidence::budget::Budget;
use crate::evidence::conversation::{Conversation, Parent};
use crate::evidence::deadline::Deadline;
use crate::evidence::local;
use crate::evidence::worker::{self, Broker};

/// A question about each installation, answered in this process or in the worker that opened the container.
pub trait Ask: Serialize + DeserializeOwned + Sync {
    /// The name of the question, with which the worker is started.
    const NAME: &str;

    /// The answer.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Answers. A panic in a worker costs this installation alone.
    fn answer(&self, installation: Installation) -> Self::Answer;

    /// Returns whether a worker may answer. If not, the worker that opens a container sends the hives back.
    fn may_leave(&self) -> bool {
        true
    }
}

/// The outcome for an installation.
pub(super) enum Asked<A> {
    /// The answer.
    Answer(A),
    /// The run's time was over. The evidence of the installation, which was not examined.
    Late(String),
}

/// The installations that a worker judges in parallel before it sends the answers.
const AT_ONCE: usize = 16;

/// The first message to the worker.
#[derive(Serialize)]
struct Request<'a, A> {
    part: &'a Part,
    map: bool,
    unpacking: &'a Unpacking,
    /// The seconds of the run so far.
    spent: u64,
    budget: &'a Budget,
    /// The sources whose reader failed before, and why.
    failed: &'a BTreeMap<String, Failure>,
    ask: &'a A,
}

/// The same, as the worker receives it.
#[derive(Deserialize)]
struct Received<A> {
    part: Part,
    map: bool,
    unpacking: Unpacking,
    spent: u64,
    budget: Budget,
    failed: BTreeMap<String, Failure>,
    ask: A,
}

/// A message of the worker while it opens the part.
#[derive(Serialize, Deserialize)]
enum Opening {
    /// The worker reads the source at this place next.
    Begins(String),
    /// Everything is open.
    Open(Box<OpenPart>),
}

/// Which installations to judge: the id of each, `None` for one that is not wanted.
#[derive(Serialize, Deserialize)]
struct Wanted {
    ids: Vec<Option<String>>,
    /// Whether to judge one at a time, so that it is known at which installation the worker fails.
    one_by_one: bool,
}

/// A part that a worker has opened.
pub(super) struct Remote<'r, A> {
    part: &'r Part,
    reading: Reading<'r>,
    budget: Budget,
    ask: &'r A,
    failed: BTreeMap<String, Failure>,
    conversation: Option<Conversation<'r>>,
}

impl<'r, A: Ask> Remote<'r, A> {
    /// Has a worker open a part within this budget. If the worker fails at a source, such as a partition, the source is
    /// refused, and another worker opens the others.
    pub(super) fn open(part: &'r Part, reading: Reading<'r>, budget: &Budget, ask: &'r A) -> (Self, OpenPart) {
        part.witness(reading);
        let failed = BTreeMap::new();
        let mut remote = Self { part, reading, budget: budget.clone(), ask, failed, conversation: None };
        let open = remote.reopen();
        (remote, open)
    }

    fn reopen(&mut self) -> OpenPart {
        loop {
            let tops: Vec<String> = self.part.containers.iter().map(|one| one.at.to_string()).collect();
            if self.failed.len() >= MOST_FAILURES {
                let reason = "its reader failed too often; please report it";
                self.failed.extend(tops.iter().map(|at| (at.clone(), Failure::Reader(reason.to_owned()))));
            }
            // Without time, too: then each container is refused because of that.
            if tops.iter().all(|at| self.failed.contains_key(at)) || self.reading.deadline.is_over() {
                return self.part.open_but(self.reading, &self.budget, &self.failed, &mut |_| {});
            }
            let mut at = tops.into_iter().find(|at| !self.failed.contains_key(at)).unwrap_or_default();
            match self.try_open(&mut at) {
                Ok(open) => return open,
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return self.without_sandbox(&error),
                Err(_) if self.reading.deadline.is_over() => {}
                Err(error) => _ = self.failed.insert(at, Failure::Reader(error.to_string())),
            }
        }
    }

    /// Refuses every container, because no worker can be had.
    fn without_sandbox(&mut self, error: &io::Error) -> OpenPart {
        let failure = Failure::NoSandbox(error.to_string());
        let tops = self.part.containers.iter().map(|one| (one.at.to_string(), failure.clone()));
        self.failed.extend(tops);
        self.part.open_but(self.reading, &self.budget, &self.failed, &mut |_| {})
    }

    fn try_open(&mut self, at: &mut String) -> io::Result<OpenPart> {
        let spent = self.reading.deadline.spent();
        let seconds = self.reading.deadline.at_most(self.part.seconds(self.reading));
        let mut conversation = Conversation::start(A::NAME, seconds, self.part.broker(self.reading))?;
        conversation.send(&Request {
            part: self.part,
            map: self.reading.map(),
            unpacking: self.reading.unpacking,
            spent,
            budget: &self.budget,
            failed: &self.failed,
            ask: self.ask,
        })?;
        loop {
            match conversation.receive()? {
                Opening::Begins(next) => *at = next,
                Opening::Open(open) => {
                    let sandbox = Some(conversation.sandbox.clone());
                    self.conversation = Some(conversation);
                    return Ok(OpenPart { sandbox, ..*open });
                }
            }
        }
    }

    /// Passes on the answers for the installations, in their order; `None` is an installation that is not wanted. If
    /// the worker fails at an installation, this process answers for it, with hives that cannot be read. After the
    /// seconds that the user gave, the other installations are too late.
    pub(super) fn answers(
        mut self,
        mut installations: Vec<Option<(usize, Installation)>>,
        mut give: impl FnMut(usize, Asked<A::Answer>),
    ) {
        let (mut one_by_one, mut reason) = (false, String::new());
        while installations.iter().any(Option::is_some) {
            if self.reading.deadline.is_over() {
                let late = installations.into_iter().flatten();
                return late.for_each(|(number, late)| give(number, Asked::Late(late.evidence)));
            }
            let ids = installations.iter().map(|one| one.as_ref().map(|(_, one)| one.id.clone())).collect();
            let Some(mut conversation) = self.conversation.take() else {
                // No container can be opened. The other hives are files of this machine.
                for (number, mut installation) in installations.into_iter().flatten() {
                    installation.lose(&reason);
                    give(number, Asked::Answer(self.ask.answer(installation)));
                }
                return;
            };
            let mut said = conversation.send(&Wanted { ids, one_by_one });
            for place in &mut installations {
                let Some((number, _)) = place else { continue };
                match said.and_then(|()| conversation.receive()) {
                    Ok(answer) => {
                        give(*number, Asked::Answer(answer));
                        *place = None;
                        said = Ok(());
                    }
                    Err(error) => {
                        said = Err(error);
                        break;
                    }
                }
            }
            let Err(error) = said else { return };
            if self.reading.deadline.is_over() {
                continue;
            }
            reason = error.to_string();
            if one_by_one && let Some((number, mut installation)) = installations.iter_mut().find_map(Option::take) {
                installation.lose(&reason);
                give(number, Asked::Answer(self.ask.answer(installation)));
            }
            one_by_one = true;
            if installations.iter().any(Option::is_some) {
                self.reopen();
            }
        }
    }
}

/// The worker's side.
pub(super) fn serve<A: Ask>(parent: &Parent) -> io::Result<()> {
    let Received { part, map, unpacking, spent, budget, failed, ask } = parent.receive::<Received<A>>()?;
    let reading = Reading::new(map, &unpacking).after(spent);
    // A sender without a listener is killed, so a failure needs no handling here.
    let mut begin = |at: &str| _ = parent.send(&Opening::Begins(at.to_owned()));
    let opening = Opening::Open(Box::new(part.open_but(reading, &budget, &failed, &mut begin)));
    parent.send(&opening)?;
    let Opening::Open(open) = opening else { return Ok(()) };
    loop {
        let Wanted { ids, one_by_one } = parent.receive()?;
        let wanted = open
            .installations
            .iter()
            .zip(ids)
            .filter_map(|(installation, id)| Some(Installation { id: id?, ..installation.clone() }));
        let wanted: Vec<Installation> = wanted.collect();
        for some in wanted.chunks(if one_by_one { 1 } else { AT_ONCE }) {
            let answers: Vec<A::Answer> = some.par_iter().map(|one| ask.answer(one.clone())).collect();
            answers.iter().try_for_each(|answer| parent.send(answer))?;
        }
    }
}

/// The name of the question which files an image needs.
pub(super) const FILES_OF: &str = "files-of";

/// Returns the files of this machine that an image needs besides its first. An image that cannot be opened needs none.
pub(super) fn files_of(closed: &Closed, reading: Reading<'_>) -> Vec<PathBuf> {
    if !worker::is_isolated() {
        return containers::files_of(closed);
    }
    let ask = || {
        let mut broker = Broker::new(None);
        broker.allow(&closed.path);
        broker.allow_beside(&closed.path);
        closed.listed.paths().iter().for_each(|path| broker.allow(path));
        let seconds = reading.seconds_for(local::size(&closed.path));
        let mut conversation = Conversation::start(FILES_OF, seconds, broker)?;
        conversation.send(closed)?;
        let files: Files = conversation.receive()?;
        io::Result::Ok(files.0)
    };
    ask().unwrap_or_default()
}

/// The name of the question which logs without a hive are in an archive.
pub(super) const LOGS_OF: &str = "logs-of";

/// Returns the transaction logs without a hive in an archive. An archive that cannot be read has none.
pub(super) fn logs_of(closed: &Closed, reading: Reading<'_>, budget: &Budget) -> BTreeSet<Place> {
    let deadline = reading.deadline;
    if !worker::is_isolated() {
        return containers::logs_of(closed, reading.unpacking, budget, deadline);
    }
    let ask = || {
        let mut broker = Broker::new(None);
        broker.allow(&closed.path);
        let seconds = deadline.at_most(reading.seconds_for(local::size(&closed.path)));
        let mut conversation = Conversation::start(LOGS_OF, seconds, broker)?;
        conversation.send(&(closed, reading.unpacking, budget, deadline.spent()))?;
        conversation.receive()
    };
    if deadline.is_over() { BTreeSet::new() } else { ask().unwrap_or_default() }
}

/// The worker's side of [`logs_of`].
pub(super) fn list_logs(parent: &Parent) -> io::Result<()> {
    let (closed, unpacking, budget, spent): (Closed, Unpacking, Budget, u64) = parent.receive()?;
    let deadline = Deadline::of(unpacking.limits.seconds).after(spent);
    parent.send(&containers::logs_of(&closed, &unpacking, &budget, deadline))
}

/// The answer to [`FILES_OF`].
#[derive(Serialize, Deserialize)]
struct Files(#[serde(with = "crate::evidence::paths::many")] Vec<PathBuf>);

/// The worker's side of [`files_of`].
pub(super) fn list_files(parent: &Parent) -> io::Result<()> {
    let closed: Closed = parent.receive()?;
    parent.send(&Files(containers::files_of(&closed)))
}
