//! A conversation with a worker: JSON messages over a socket, each preceded by its length. The worker is this program,
//! started again with limits; see [`super::worker`]. The callers define the messages.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::worker::{self, ended, limit, program, wait};

/// The name of the hidden command that makes this program a worker that converses.
pub const COMMAND: &str = "judge-in-a-worker";
/// The most bytes of one message.
const LONGEST: u64 = 512 << 20;
/// The most bytes of all messages of one worker.
const MOST: u64 = 2 << 30;
/// The time in which a worker that was killed, or that has closed its end, must end.
const LAST: Duration = Duration::from_secs(10);
/// The time in which an idle worker must end after its socket was closed.
const GRACE: Duration = Duration::from_secs(1);

/// One end of a conversation.
pub struct Channel {
    reader: BufReader<UnixStream>,
    writer: BufWriter<UnixStream>,
    /// The bytes that may still be received.
    left: u64,
}

impl Channel {
    fn new(stream: UnixStream) -> io::Result<Self> {
        Ok(Self { reader: BufReader::new(stream.try_clone()?), writer: BufWriter::new(stream), left: MOST })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The other end has closed the socket, or needs too much time.
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        self.writer.write_all(&(bytes.len() as u64).to_le_bytes())?;
        self.writer.write_all(&bytes)?;
        self.writer.flush()
    }

    /// Receives a message.
    ///
    /// # Errors
    /// The other end has closed the socket or needs too much time, or the message is too long or invalid.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        let mut length = [0; 8];
        self.reader.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST.min(self.left) {
            return Err(io::Error::other("its reader says more than it may; please report it"));
        }
        self.left = self.left.saturating_sub(length);
        let mut bytes = Vec::new();
        (&mut self.reader).take(length).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_slice(&bytes)?)
    }
}

/// A running worker. Dropping the conversation ends the worker, and kills one that is busy.
pub struct Conversation {
    child: Child,
    channel: Channel,
    /// The time that the worker has left, and all its time in seconds.
    left: Duration,
    seconds: u64,
}

impl Conversation {
    /// Starts a worker for this purpose, with so many seconds of time.
    ///
    /// # Errors
    /// The worker cannot be started.
    pub fn start(purpose: &str, seconds: u64) -> io::Result<Self> {
        let (own, other) = UnixStream::pair()?;
        let child = Command::new(program()?)
            .args([COMMAND, purpose])
            .env_clear()
            .stdin(OwnedFd::from(other))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut conversation = Self { child, channel: Channel::new(own)?, left: Duration::from_secs(seconds), seconds };
        conversation.send(&seconds)?;
        Ok(conversation)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The worker failed; the error states how.
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        self.within(|channel| channel.send(message))
    }

    /// Receives a message.
    ///
    /// # Errors
    /// The worker failed; the error states how.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        self.within(Channel::receive)
    }

    /// Sends or receives within the time that is left. Only that time counts: between its answers the worker waits.
    fn within<T>(&mut self, speak: impl FnOnce(&mut Channel) -> io::Result<T>) -> io::Result<T> {
        let begun = Instant::now();
        let left = Some(self.left.max(Duration::from_millis(1)));
        self.channel.reader.get_ref().set_read_timeout(left)?;
        self.channel.writer.get_ref().set_write_timeout(left)?;
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

impl Drop for Conversation {
    fn drop(&mut self) {
        // A worker that ends by itself can be measured: valgrind counts nothing of a process that is killed.
        let _ = self.channel.reader.get_ref().shutdown(Shutdown::Both);
        if wait(&mut self.child, GRACE).is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The worker's side: sets its limits, and converses over its stdin.
pub fn serve(converse: impl FnOnce(&mut Channel) -> io::Result<()>) -> ExitCode {
    let serve = || {
        let stream = UnixStream::from(rustix::io::dup(rustix::stdio::stdin())?);
        let mut channel = Channel::new(stream)?;
        limit(channel.receive()?)?;
        converse(&mut channel)
    };
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
