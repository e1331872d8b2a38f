//! A whole command that a worker does: it finds the installations itself, and this process only passes it the parts of
//! the evidence and their files.
//!
//! A question about each installation ([`super::Ask`]) is answered where the installation is found. A command that
//! needs several at once, or that writes a text of any length, is an errand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::arguments::{Evidence, readable};
use super::closed::Closed;
use super::containers;
use super::lent::Place;
use super::part::{OpenPart, Part};
use super::reading::Reading;
use super::remote;
use super::survey::{Survey, Work};
use super::watch::{Failure, MOST_FAILURES};
use crate::error::Error;
use crate::evidence::archive::Unpacking;
use crate::evidence::budget::Budget;
use crate::evidence::conversation::{Conversation, Parent};
use crate::evidence::worker::{self, Broker};

/// A command that can be done in a worker.
pub trait Errand: Serialize + DeserializeOwned {
    /// The name with which the worker is started.
    const NAME: &str;

    /// What is known before the text.
    type Head: Serialize + DeserializeOwned;

    /// The result.
    type Answer: Serialize + DeserializeOwned;

    /// Returns the evidence that the errand reads, one list for each time that it looks for installations.
    fn evidence(&self) -> Vec<Vec<Evidence>>;

    /// Returns the options for containers.
    fn unpacking(&self) -> &Unpacking;

    /// Does it. Passes the head and the text to `say`.
    ///
    /// # Errors
    /// Why it cannot be done, or the error of `say`.
    fn run(&self, say: &mut Listener<'_, Self::Head>) -> Result<Self::Answer, Error>;
}

/// Receives what an errand says.
pub type Listener<'l, H> = dyn FnMut(News<'_, H>) -> Result<(), Error> + 'l;

/// What an errand says while it runs.
pub enum News<'n, H> {
    /// What is known before the text.
    Head(H),
    /// The next piece of the text.
    Text(&'n [u8]),
}

/// Collects the text of an errand into pieces.
pub struct Text<'s, H> {
    say: &'s mut Listener<'s, H>,
    piece: Vec<u8>,
    /// The error that ended the text.
    failed: Option<Error>,
}

/// The bytes of a piece of text.
const PIECE: usize = 64 << 10;

impl<'s, H> Text<'s, H> {
    /// Returns a text that is passed to `say`.
    pub fn new(say: &'s mut Listener<'s, H>) -> Self {
        Self { say, piece: Vec::new(), failed: None }
    }

    /// Writes a whole result: as a table in this style, or as JSON for people to read.
    ///
    /// # Errors
    /// The error of the receiver, or of the writing.
    pub fn of<V: Serialize, S>(
        say: &'s mut Listener<'s, H>,
        value: &V,
        table: Option<&S>,
        render: impl FnOnce(&V, &S, &mut Self) -> io::Result<()>,
    ) -> Result<(), Error> {
        let mut text = Self::new(say);
        let written = match table {
            Some(style) => render(value, style, &mut text),
            None => serde_json::to_writer_pretty(&mut text, value)
                .map_err(io::Error::from)
                .and_then(|()| text.write_all(b"\n")),
        };
        text.end(written)
    }

    /// Ends the text, and returns what came of writing it.
    ///
    /// # Errors
    /// The error of the receiver, or of the writing.
    pub fn end<T>(mut self, written: io::Result<T>) -> Result<T, Error> {
        let flushed = self.flush();
        if let Some(error) = self.failed {
            return Err(error);
        }
        let written = written.and_then(|written| flushed.map(|()| written));
        written.map_err(|source| Error::Write { path: "the result".to_owned(), source })
    }
}

impl<H> Write for Text<'_, H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let said = (self.say)(News::Text(&self.piece));
        self.piece.clear();
        said.map_err(|error| {
            self.failed = Some(error);
            io::Error::other("the text was ended")
        })
    }
}

/// A message of the worker.
#[derive(Serialize, Deserialize)]
enum Said<H, A> {
    /// It looks for installations in this evidence.
    Survey(Vec<Evidence>),
    /// It wants the next piece of work of the survey of this number, and has opened these files since it was asked.
    Next {
        survey: usize,
        asked: bool,
        #[serde(with = "crate::evidence::paths::many")]
        known: Vec<PathBuf>,
    },
    /// It reads the source at this place, or no more.
    Reads(Option<String>),
    Head(H),
    /// A text, whose bytes follow.
    Text,
    Done(Result<A, String>),
}

/// The answer to a request for work.
#[derive(Serialize, Deserialize)]
enum Given {
    Work(Option<Box<Work>>),
    /// First, the files that were opened after these are needed.
    Tell(usize),
}

/// Does an errand: in a worker if this program has one and the evidence contains a container, otherwise here.
///
/// # Errors
/// The error of the errand or of `say`, or the failure of the worker.
pub fn run<E: Errand>(errand: &E, say: &mut Listener<'_, E::Head>) -> Result<E::Answer, Error> {
    let seconds = if worker::is_isolated() { seconds(errand)? } else { None };
    match seconds {
        None => errand.run(say),
        Some(seconds) => in_a_worker(errand, seconds, say),
    }
}

/// Returns how many seconds a worker may take; `None` if no container needs one.
fn seconds<E: Errand>(errand: &E) -> Result<Option<u64>, Error> {
    let reading = Reading::new(true, errand.unpacking());
    let mut seconds = None;
    for evidence in errand.evidence() {
        readable(&evidence)?;
        let mut survey = Survey::new(&evidence, reading);
        while let Some(work) = survey.next() {
            if let Work::Part(part) = work
                && !part.containers.is_empty()
            {
                seconds = Some(part.seconds(reading).saturating_add(seconds.unwrap_or(0_u64)));
            }
        }
    }
    // It also writes what it finds, at any length.
    Ok(seconds.map(|seconds| seconds.saturating_mul(4)))
}

fn in_a_worker<E: Errand>(errand: &E, seconds: u64, say: &mut Listener<'_, E::Head>) -> Result<E::Answer, Error> {
    let mut failed = BTreeMap::new();
    loop {
        let mut attempt = Attempt { errand, lists: errand.evidence(), at: None, told: false };
        let error = match attempt.make(seconds, &failed, say) {
            Ok(done) => return done,
            Err(error) => error,
        };
        // The next worker leaves out the source whose reader failed.
        match attempt.at.take().filter(|_| !attempt.told && failed.len() < MOST_FAILURES) {
            Some(at) => _ = failed.insert(at, Failure::Reader(error.to_string())),
            None => return Err(attempt.refusal(&error)),
        }
    }
}

/// One attempt to do an errand in a worker.
struct Attempt<'e, E> {
    errand: &'e E,
    /// The evidence that the worker may look into.
    lists: Vec<Vec<Evidence>>,
    /// The source that the worker reads.
    at: Option<String>,
    /// Whether anything was said that cannot be taken back.
    told: bool,
}

impl<E: Errand> Attempt<'_, E> {
    /// Makes the attempt. The outer error is the worker's failure.
    fn make(
        &mut self,
        seconds: u64,
        failed: &BTreeMap<String, Failure>,
        say: &mut Listener<'_, E::Head>,
    ) -> io::Result<Result<E::Answer, Error>> {
        let reading = Reading::new(true, self.errand.unpacking());
        let mut conversation = Conversation::start(E::NAME, seconds, Broker::default())?;
        conversation.send(&(self.errand, failed))?;
        let mut surveys: Vec<Survey<'_>> = Vec::new();
        loop {
            let said = match conversation.receive()? {
                Said::Survey(evidence) => {
                    // Only the evidence of the errand, whatever the worker says.
                    let evidence = self.lists.iter().find(|list| **list == evidence).cloned().unwrap_or_default();
                    if let Err(error) = readable(&evidence) {
                        return Ok(Err(error));
                    }
                    surveys.push(Survey::new(&evidence, reading));
                    conversation.send(&surveys.len().saturating_sub(1))?;
                    continue;
                }
                Said::Next { survey, asked, known } => {
                    let given = surveys.get_mut(survey).map_or(Given::Work(None), |survey| give(survey, asked, &known));
                    if let Given::Work(Some(work)) = &given
                        && let Work::Part(part) = work.as_ref()
                    {
                        part.allow(conversation.broker());
                    }
                    conversation.send(&given)?;
                    continue;
                }
                Said::Reads(at) => {
                    self.at = at;
                    continue;
                }
                Said::Head(head) => say(News::Head(head)),
                Said::Text => say(News::Text(&conversation.receive_bytes()?)),
                Said::Done(done) => return Ok(done.map_err(Error::Told)),
            };
            self.told = true;
            if let Err(error) = said {
                return Ok(Err(error));
            }
        }
    }

    /// Returns the error of an errand whose worker failed.
    fn refusal(&self, error: &io::Error) -> Error {
        let advice = match error.kind() {
            io::ErrorKind::Unsupported => "Read it with --no-sandbox if you trust it, or unpack it and name the result",
            _ => "Unpack or mount it with another program, and name the result",
        };
        let named: Vec<String> = self.lists.iter().flatten().map(|one| one.path.display().to_string()).collect();
        let at = self.at.clone().unwrap_or_else(|| named.join(", "));
        Error::Refused { reason: format!("{at}: {error}"), advice: advice.to_owned() }
    }
}

/// Returns the next piece of work of a survey. If it `asked` for files, `known` has them.
fn give(survey: &mut Survey<'_>, asked: bool, known: &[PathBuf]) -> Given {
    survey.know(known);
    match survey.must_know().filter(|_| !asked) {
        Some(told) => Given::Tell(told),
        None => Given::Work(survey.next().map(Box::new)),
    }
}

/// The process that gives this worker its work, and the sources whose readers failed before.
static GIVER: OnceLock<(Parent, BTreeMap<String, Failure>)> = OnceLock::new();

/// The worker's side.
pub(super) fn serve<E: Errand>(parent: &Parent) -> io::Result<()> {
    let (errand, failed): (E, BTreeMap<String, Failure>) = parent.receive()?;
    let _ = GIVER.set((parent.clone(), failed));
    let mut say = |news: News<'_, E::Head>| {
        let sent = match news {
            News::Head(head) => parent.send(&Said::<E::Head, E::Answer>::Head(head)),
            News::Text(text) => parent.send_bytes(&Said::<E::Head, E::Answer>::Text, text),
        };
        sent.map_err(|source| Error::Write { path: "the process that started this one".to_owned(), source })
    };
    let done = errand.run(&mut say).map_err(|error| error.to_string());
    parent.send(&Said::<E::Head, E::Answer>::Done(done))
}

/// Opens a part in this process.
pub(super) fn open(part: &Part, reading: Reading<'_>, budget: &Budget) -> OpenPart {
    let Some((parent, failed)) = GIVER.get() else { return part.open(reading, budget) };
    // A sender without a listener is killed, so a failure needs no handling here.
    let reads = |at: Option<String>| _ = parent.send(&Said::<(), ()>::Reads(at));
    let open = part.open_but(reading, budget, failed, &mut |at| reads(Some(at.to_owned())));
    reads(None);
    open
}

/// Returns the transaction logs without a hive in an archive.
pub(super) fn logs_of(closed: &Closed, reading: Reading<'_>, budget: &Budget) -> BTreeSet<Place> {
    match GIVER.get() {
        // This process is the worker.
        Some(_) => containers::logs_of(closed, reading.unpacking, budget, reading.deadline),
        None => remote::logs_of(closed, reading, budget),
    }
}

/// Returns whether another process gives this one its evidence.
pub(super) fn is_given() -> bool {
    GIVER.get().is_some()
}

/// The pieces of work of a run, from this process or from the one that started it.
pub(super) enum Source<'u> {
    Here(Box<Survey<'u>>),
    There(&'static Parent, usize),
}

impl<'u> Source<'u> {
    /// Surveys the evidence.
    ///
    /// # Errors
    /// The process that started this one has ended.
    pub(super) fn of(evidence: &[Evidence], reading: Reading<'u>) -> Result<Self, Error> {
        let Some((parent, _)) = GIVER.get() else { return Ok(Self::Here(Box::new(Survey::new(evidence, reading)))) };
        let number = parent.ask(&Said::<(), ()>::Survey(evidence.to_vec()));
        Ok(Self::There(parent, number.map_err(|error| Error::Told(error.to_string()))?))
    }

    /// Returns the next piece of work. `opened` returns the files of the run after so many.
    pub(super) fn next(&mut self, opened: impl Fn(usize) -> Vec<PathBuf>) -> Option<Work> {
        match self {
            Self::Here(survey) => {
                if let Some(told) = survey.must_know() {
                    survey.know(&opened(told));
                }
                survey.next()
            }
            Self::There(parent, number) => {
                let (mut asked, mut known) = (false, Vec::new());
                loop {
                    // Without the other process there is no more work.
                    match parent.ask(&Said::<(), ()>::Next { survey: *number, asked, known }).ok()? {
                        Given::Work(work) => return work.map(|work| *work),
                        Given::Tell(told) => (asked, known) = (true, opened(told)),
                    }
                }
            }
        }
    }
}
