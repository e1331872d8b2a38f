//! An output that is written while the evidence is still being read. When all evidence is known, a file gets its name,
//! and held text is copied to its destination.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::{MemfdFlags, Mode, OFlags};
use sha2::{Digest, Sha256};

use super::part::Part;
use crate::registry::hex;

/// The most names that are tried for a file whose name is removed at once.
const TRIES: u32 = 100;

/// An unfinished output. If it is dropped, no file appears.
pub struct Writing {
    /// Until the end.
    out: Option<BufWriter<File>>,
    way: Way,
    /// The hash of the bytes so far, and their number.
    sum: Option<(Sha256, u64)>,
    /// Whether the reader of the stream has gone: then nothing more is written.
    gone: bool,
}

/// The way of an output to its destination.
pub(super) enum Way {
    /// The text goes directly into a stream.
    Stream,
    /// The text becomes a file.
    Part(Part),
    /// The text is held in a file without a name, and copied into this stream at the end.
    Held(File),
}

impl Writing {
    pub(super) fn new(file: File, way: Way, hashed: bool) -> Self {
        let sum = hashed.then(|| (Sha256::new(), 0));
        Self { out: Some(BufWriter::new(file)), way, sum, gone: false }
    }

    /// Returns whether the reader of the stream has gone, so that nothing more needs to be written.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Writes the rest of the buffer, and copies held text into its stream. Returns the way, and the size and hash if
    /// they were requested.
    pub(super) fn finish(mut self) -> io::Result<(Way, Option<Sum>)> {
        self.flush()?;
        let way = std::mem::replace(&mut self.way, Way::Stream);
        if let (Way::Held(stream), Some(out)) = (&way, self.out.take()) {
            let (mut held, _) = out.into_parts();
            held.rewind()?;
            match io::copy(&mut held, &mut &*stream) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.gone = true,
                copied => _ = copied?,
            }
        }
        let gone = self.gone;
        let sum = self.sum.take().map(|(sum, size)| (!gone).then(|| (size, hex(&sum.finalize()))));
        Ok((way, sum))
    }

    /// Notes that the reader of a stream has gone, which is no error.
    fn or_gone<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && matches!(self.way, Way::Stream) => {
                self.gone = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

/// Size and hash of an output; `None` inside if the reader of a stream left before the end.
pub(super) type Sum = Option<(u64, String)>;

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let Some(out) = &mut self.out else { return Ok(0) };
        let written = out.write(bytes);
        let count = self.or_gone(written, bytes.len())?;
        if let Some((sum, size)) = &mut self.sum {
            sum.update(bytes.get(..count).unwrap_or(bytes));
            *size = size.saturating_add(count as u64);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(out) = self.out.as_mut().filter(|_| !self.gone) {
            let flushed = out.flush();
            return self.or_gone(flushed, ());
        }
        Ok(())
    }
}

/// Returns a file without a name, in the folder for temporary files; in memory if no file can be made there.
///
/// # Errors
/// The operating system's error.
pub fn nameless() -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    if let Ok(file) = rustix::fs::open(std::env::temp_dir(), flags, Mode::RUSR | Mode::WUSR) {
        return Ok(file.into());
    }
    unlinked().or_else(|_| Ok(rustix::fs::memfd_create("hivemend", MemfdFlags::CLOEXEC)?.into()))
}

/// Returns a file whose name was removed, for a file system without files that never had one.
fn unlinked() -> io::Result<File> {
    let mut outcome = Err(io::ErrorKind::AlreadyExists.into());
    for attempt in 0..TRIES {
        let path = std::env::temp_dir().join(format!("hivemend-{}-{attempt}", std::process::id()));
        outcome = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        match &outcome {
            Ok(_) => {
                std::fs::remove_file(&path)?;
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => break,
        }
    }
    outcome
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Dropping a buffer would write its rest once more.
        if let Some(out) = self.out.take() {
            let _ = out.into_parts();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::evidence::sha256_of;

    #[test]
    fn what_is_hashed_is_what_was_written() {
        let mut file = tempfile::tempfile().unwrap();
        let mut writing = Writing::new(file.try_clone().unwrap(), Way::Stream, true);
        writing.write_all(b"seven bytes ").unwrap();
        writing.write_all(b"or more").unwrap();
        let (_, sum) = writing.finish().unwrap();
        assert_eq!(sum, Some(Some((19, sha256_of(b"seven bytes or more")))));
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "seven bytes or more");
    }

    #[test]
    fn a_file_without_a_name_can_be_made_without_the_system_knowing_such_files() {
        for mut file in [nameless().unwrap(), unlinked().unwrap()] {
            file.write_all(b"text").unwrap();
            file.rewind().unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), std::os::unix::fs::MetadataExt::nlink(&file.metadata().unwrap())), ("text", 0));
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error_and_leaves_no_hash() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let writer = File::from(std::os::fd::OwnedFd::from(writer));
        for way in [Way::Stream, Way::Held(writer.try_clone().unwrap())] {
            let held = matches!(way, Way::Held(_));
            let file = if held { nameless().unwrap() } else { writer.try_clone().unwrap() };
            let mut writing = Writing::new(file, way, true);
            writing.write_all(&vec![b'x'; 100_000]).unwrap();
            writing.flush().unwrap();
            writing.write_all(b"more").unwrap();
            assert_eq!(writing.finish().unwrap().1, Some(None));
        }
    }
}
