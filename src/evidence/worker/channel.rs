//! Messages over a socket: JSON, each preceded by its length. A message can have an open file with it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The most bytes of one message.
const LONGEST: u64 = 512 << 20;
/// The most bytes of all messages of one worker.
const MOST: u64 = 2 << 30;

/// The most bytes that are sent as they are at a time.
const MOST_BYTES: u64 = 64 << 20;

/// One end of a conversation.
pub struct Channel {
    reader: BufReader<Incoming>,
    writer: UnixStream,
    /// The bytes that may still be received; `None` if the other end is trusted.
    left: Option<u64>,
}

impl Channel {
    /// Returns the end of a process that trusts the other end, and accepts files from it.
    pub(in crate::evidence) fn trusting(stream: UnixStream) -> io::Result<Self> {
        Self::new(stream, true)
    }

    /// Returns the end of a process that does not trust the other end: it accepts no file and not more than [`MOST`]
    /// bytes.
    pub(in crate::evidence) fn wary(stream: UnixStream) -> io::Result<Self> {
        Self::new(stream, false)
    }

    fn new(stream: UnixStream, trusting: bool) -> io::Result<Self> {
        let incoming = Incoming { stream: stream.try_clone()?, files: trusting.then(VecDeque::new) };
        Ok(Self { reader: BufReader::new(incoming), writer: stream, left: (!trusting).then_some(MOST) })
    }

    /// Sets how long a call may wait for the other end.
    pub(in crate::evidence) fn wait_at_most(&self, time: Duration) -> io::Result<()> {
        let time = Some(time.max(Duration::from_millis(1)));
        self.writer.set_read_timeout(time)?;
        self.writer.set_write_timeout(time)
    }

    /// Closes the socket, so that the other end stops waiting.
    pub(in crate::evidence) fn close(&self) {
        let _ = self.writer.shutdown(Shutdown::Both);
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The other end has closed the socket, or needs too much time.
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        self.writer.write_all(&framed(message)?)
    }

    /// Sends a message with an open file.
    ///
    /// # Errors
    /// See [`Self::send`].
    pub(in crate::evidence) fn send_with(&mut self, message: &impl Serialize, file: impl AsFd) -> io::Result<()> {
        let bytes = framed(message)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = [file.as_fd()];
        if !control.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::Error::other("no room for a file"));
        }
        let sent = sendmsg(&self.writer, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
        self.writer.write_all(bytes.get(sent..).unwrap_or_default())
    }

    /// Receives a message.
    ///
    /// # Errors
    /// The other end has closed the socket or needs too much time, or the message is too long or invalid.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        let bytes = self.framed(self.left.map_or(u64::MAX, |left| left.min(LONGEST)))?;
        self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Receives so many bytes at most, preceded by their number.
    fn framed(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut length = [0; 8];
        self.reader.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > most {
            return Err(io::Error::other("its reader says more than it may; please report it"));
        }
        let mut bytes = Vec::new();
        (&mut self.reader).take(length).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }

    /// Sends bytes as they are.
    pub(in crate::evidence) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(&(bytes.len() as u64).to_le_bytes())?;
        self.writer.write_all(bytes)
    }

    /// Receives bytes as they are. They do not count: they are passed on, not kept.
    pub(in crate::evidence) fn receive_bytes(&mut self) -> io::Result<Vec<u8>> {
        self.framed(MOST_BYTES)
    }

    /// Returns the file that came with the last message.
    pub(in crate::evidence) fn file(&mut self) -> io::Result<File> {
        let file = self.reader.get_mut().files.as_mut().and_then(VecDeque::pop_front);
        // The system leaves a file out if this process may not have one more open.
        file.map(File::from).ok_or_else(|| rustix::io::Errno::MFILE.into())
    }
}

fn framed(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 8];
    serde_json::to_writer(&mut bytes, message)?;
    let length = (bytes.len() as u64).saturating_sub(8);
    if let Some(head) = bytes.first_chunk_mut() {
        *head = length.to_le_bytes();
    }
    Ok(bytes)
}

/// A socket, and the open files that came with its bytes.
struct Incoming {
    stream: UnixStream,
    /// `None` if files are not accepted: the system closes them.
    files: Option<VecDeque<OwnedFd>>,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(files) = &mut self.files else { return self.stream.read(buffer) };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let into = &mut [IoSliceMut::new(buffer)];
        let received = recvmsg(&self.stream, into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(came) = message {
                files.extend(came);
            }
        }
        Ok(received.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::*;

    #[test]
    fn a_file_comes_with_its_message_and_a_wary_end_takes_none() {
        let (one, other) = UnixStream::pair().unwrap();
        let (mut worker, mut parent) = (Channel::trusting(one).unwrap(), Channel::wary(other).unwrap());
        for text in ["first", "second"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            parent.send_with(&text, &file).unwrap();
        }
        parent.send(&"third").unwrap();
        for text in ["first", "second"] {
            assert_eq!(worker.receive::<String>().unwrap(), text);
            let mut read = String::new();
            worker.file().unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
        assert_eq!(worker.receive::<String>().unwrap(), "third");
        assert_eq!(worker.file().unwrap_err().raw_os_error(), Some(rustix::io::Errno::MFILE.raw_os_error()));
        worker.send_with(&"a file", tempfile::tempfile().unwrap()).unwrap();
        assert_eq!(parent.receive::<String>().unwrap(), "a file");
        assert!(parent.file().is_err());
    }

    #[test]
    fn a_message_that_is_too_long_or_cut_short_is_refused() {
        let (mut one, other) = UnixStream::pair().unwrap();
        let mut parent = Channel::wary(other).unwrap();
        one.write_all(&(LONGEST + 1).to_le_bytes()).unwrap();
        assert!(parent.receive::<String>().unwrap_err().to_string().contains("more than it may"));
        let (mut one, other) = UnixStream::pair().unwrap();
        let mut parent = Channel::wary(other).unwrap();
        one.write_all(&9_u64.to_le_bytes()).unwrap();
        one.write_all(b"\"cut").unwrap();
        drop(one);
        assert_eq!(parent.receive::<String>().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
