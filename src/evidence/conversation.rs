//! A conversation with a worker: JSON messages over a socket. The worker is this program, started again with limits and
//! in a sandbox; see [`super::worker`]. The callers define the messages.
//!
//! While the worker works on a message, it may ask for files. The answer comes at once, from the [`Broker`].

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ExitCode, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::local::{self, Passed, Request};
use super::worker::{self, Broker, Channel, Sandbox, ended, limit, wait};
use crate::progress::{self, Observer, Task};

/// The name of the hidden command that makes this program a worker.
pub const COMMAND: &str = "judge-in-a-worker";
/// The time in which a worker that was killed, or that has closed its end, must end.
const LAST: Duration = Duration::from_secs(10);
/// The time in which an idle worker must end after its socket was closed.
const GRACE: Duration = Duration::from_secs(1);

/// The first message to a worker.
#[derive(Serialize, Deserialize)]
struct Start {
    seconds: u64,
    sandbox: bool,
    /// Whether to tell what is being done.
    progress: bool,
}

/// A message of a worker.
#[derive(Serialize, Deserialize)]
enum Message<T> {
    /// A request for a file, which is answered at once.
    Asks(Request),
    /// What was done since the last such message: the task, the last place, and the amount.
    Did(Vec<(Task, String, u64)>),
    /// A message of the conversation.
    Says(T),
}

/// The answer to a request for a file.
#[derive(Serialize, Deserialize)]
enum Reply {
    /// The file comes with this message.
    File,
    Names(Vec<String>),
    Failed(Failure),
}

/// An error of the operating system, or in words.
#[derive(Serialize, Deserialize)]
struct Failure {
    os: Option<i32>,
    text: String,
}

/// A running worker. Dropping the conversation ends the worker, and kills one that is busy.
pub struct Conversation<'b> {
    child: Child,
    channel: Channel,
    broker: Broker<'b>,
    /// What the worker may do.
    pub sandbox: Sandbox,
    /// The time that the worker has left, and all its time in seconds.
    left: Duration,
    seconds: u64,
}

impl<'b> Conversation<'b> {
    /// Starts a worker for this purpose, with so many seconds of time. The broker opens its files. This thread must
    /// outlive the conversation.
    ///
    /// # Errors
    /// The worker cannot be started. [`io::ErrorKind::Unsupported`]: this machine has no sandbox for it.
    pub fn start(purpose: &str, seconds: u64, broker: Broker<'b>) -> io::Result<Self> {
        let (own, other) = UnixStream::pair()?;
        let child = worker::command()?
            .args([COMMAND, purpose])
            .env_clear()
            .stdin(OwnedFd::from(other))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let (channel, left) = (Channel::wary(own)?, Duration::from_secs(seconds));
        let mut conversation = Self { child, channel, broker, sandbox: Sandbox::default(), left, seconds };
        conversation.send(&Start { seconds, sandbox: worker::is_sandboxed(), progress: progress::is_observed() })?;
        conversation.sandbox = conversation.receive::<Result<Sandbox, String>>()?.map_err(|it| worker::without(&it))?;
        Ok(conversation)
    }

    /// Returns the broker, to allow more files.
    pub fn broker(&mut self) -> &mut Broker<'b> {
        &mut self.broker
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The worker failed; the error states how.
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        self.within(|channel| channel.send(message))
    }

    /// Receives a message, and answers the requests that come before it.
    ///
    /// # Errors
    /// The worker failed; the error states how.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        loop {
            let request = match self.within(Channel::receive)? {
                Message::Says(message) => return Ok(message),
                Message::Did(steps) => {
                    for (task, at, amount) in steps {
                        progress::step(task, || at, amount);
                    }
                    continue;
                }
                Message::Asks(request) => request,
            };
            match self.broker.answer(&request) {
                Ok(Passed::File(file)) => self.within(|channel| channel.send_with(&Reply::File, &file))?,
                Ok(Passed::Names(names)) => self.send(&Reply::Names(names))?,
                Err(error) => {
                    let failure = Failure { os: error.raw_os_error(), text: error.to_string() };
                    self.send(&Reply::Failed(failure))?;
                }
            }
        }
    }

    /// Receives bytes that the worker sent as they are, after a message that announced them.
    ///
    /// # Errors
    /// The worker failed; the error states how.
    pub fn receive_bytes(&mut self) -> io::Result<Vec<u8>> {
        self.within(Channel::receive_bytes)
    }

    /// Sends or receives within the time that is left. Only that time counts: between its answers the worker waits.
    fn within<T>(&mut self, speak: impl FnOnce(&mut Channel) -> io::Result<T>) -> io::Result<T> {
        let begun = Instant::now();
        self.channel.wait_at_most(self.left)?;
        let spoken = speak(&mut self.channel);
        self.left = self.left.saturating_sub(begun.elapsed());
        spoken.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                let _ = self.child.kill();
                let _ = self.child.wait();
                io::Error::other(ended(None, self.seconds))
            }
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                match wait(&mut self.child, LAST) {
                    Ok(Some(status)) => io::Error::other(ended(Some(status), self.seconds)),
                    _ => io::Error::other(worker::DEFECT),
                }
            }
            _ => error,
        })
    }
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        // A worker that ends by itself can be measured: valgrind counts nothing of a process that is killed.
        self.channel.close();
        if wait(&mut self.child, GRACE).is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The process that started this worker.
#[derive(Clone)]
pub struct Parent(Arc<Mutex<Channel>>);

impl Parent {
    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The other process has ended.
    pub fn send(&self, message: &impl Serialize) -> io::Result<()> {
        self.channel().send(&Message::Says(message))
    }

    /// Sends a message, and bytes as they are behind it.
    ///
    /// # Errors
    /// The other process has ended.
    pub fn send_bytes(&self, message: &impl Serialize, bytes: &[u8]) -> io::Result<()> {
        let mut channel = self.channel();
        channel.send(&Message::Says(message))?;
        channel.send_bytes(bytes)
    }

    /// Receives a message. No other thread can ask for a file meanwhile.
    ///
    /// # Errors
    /// The other process has ended.
    pub fn receive<T: DeserializeOwned>(&self) -> io::Result<T> {
        self.channel().receive()
    }

    /// Sends a message and receives the answer to it.
    ///
    /// # Errors
    /// The other process has ended.
    pub fn ask<T: DeserializeOwned>(&self, message: &impl Serialize) -> io::Result<T> {
        let mut channel = self.channel();
        channel.send(&Message::Says(message))?;
        channel.receive()
    }

    /// Asks for a file.
    fn request(&self, request: &Request) -> io::Result<Passed> {
        let mut channel = self.channel();
        channel.send(&Message::<()>::Asks(request.clone()))?;
        match channel.receive()? {
            Reply::File => channel.file().map(Passed::File),
            Reply::Names(names) => Ok(Passed::Names(names)),
            Reply::Failed(Failure { os: Some(code), .. }) => Err(io::Error::from_raw_os_error(code)),
            Reply::Failed(Failure { text, .. }) => Err(io::Error::other(text)),
        }
    }
}

/// The interval between two messages about what was done.
const A_WORD: Duration = Duration::from_millis(100);

/// Tells the process that started this worker what is being done.
struct Told {
    parent: Parent,
    state: Mutex<Untold>,
}

/// What was done since the last message, and when that was sent.
#[derive(Default)]
struct Untold {
    last: Option<Instant>,
    steps: Vec<(Task, String, u64)>,
}

impl Observer for Told {
    fn step(&self, task: Task, at: &str, amount: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Untold { last, steps } = &mut *state;
        match steps.iter_mut().find(|one| one.0 == task) {
            Some(one) => {
                at.clone_into(&mut one.1);
                one.2 = one.2.saturating_add(amount);
            }
            None => steps.push((task, at.to_owned(), amount)),
        }
        if last.is_some_and(|last| last.elapsed() < A_WORD) {
            return;
        }
        // Whoever speaks now must not wait for this.
        if let Ok(mut channel) = self.parent.0.try_lock() {
            *last = Some(Instant::now());
            let _ = channel.send(&Message::<()>::Did(std::mem::take(steps)));
        }
    }
}

/// The worker's side: sets its limits, enters the sandbox, and converses over its stdin.
pub fn serve(converse: impl FnOnce(&Parent) -> io::Result<()>) -> ExitCode {
    match begin().and_then(|parent| converse(&parent)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn begin() -> io::Result<Parent> {
    let stream = UnixStream::from(rustix::io::dup(rustix::stdio::stdin())?);
    let parent = Parent(Arc::new(Mutex::new(Channel::trusting(stream)?)));
    let Start { seconds, sandbox, progress } = parent.receive()?;
    limit(seconds)?;
    let threads = worker::threads();
    let entered = if sandbox { worker::enter() } else { Ok(Sandbox { process: true, ..Sandbox::default() }) };
    parent.send(&entered)?;
    if let Err(reason) = entered {
        return Err(worker::without(&reason));
    }
    let asks = parent.clone();
    local::through(move |request| asks.request(request));
    if progress {
        progress::observe(Box::new(Told { parent: parent.clone(), state: Mutex::default() }));
    }
    // Only threads that are made after it are in the sandbox.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(io::Error::other)?;
    Ok(parent)
}
