//! A separate process for the parsers of archives and images, which read hostile bytes with other people's code.
//!
//! The process is this program, started again, with limits on memory, time and writing. This module is only transport:
//! one side sends a request, the other returns an answer, and neither is known here. Extracted files are in a memory
//! file that both processes share, so that nothing is copied and nothing reaches a disk. If the process crashes, hangs
//! or needs too much memory, its container is a source that failed, and the others continue.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Bytes, map_privately};

/// The name of the hidden command that makes this program a worker.
pub const COMMAND: &str = "unpack-in-a-worker";
/// Bytes of address space: the most that may be extracted, the same again for work in progress, and the program.
const MEMORY: u64 = 9 << 30;
/// Bytes that the worker may write to one file: the most that may be extracted, and the answer.
const WRITTEN: u64 = 5 << 30;
/// Threads that decompress the pieces of an image in parallel.
const THREADS: usize = 4;
/// Files that the worker may have open: an image's segments are the most.
const FILES: u64 = 1_100;
/// Seconds of CPU time and of wall-clock time for any container.
const SECONDS: u64 = 60;
/// Bytes of a container that allow one more second: the slowest decoder (bzip2) reads three times as many.
const BYTES_A_SECOND: u64 = 4 << 20;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Opens containers in a worker from now on: in `program`, started with [`COMMAND`]. Before this call, and in programs
/// that use the library, this process opens them.
pub fn isolate(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// Returns whether another process opens containers.
pub fn is_isolated() -> bool {
    PROGRAM.get().is_some()
}

/// The request to a worker, beside the file.
#[derive(Serialize, Deserialize)]
struct Request<Q> {
    seconds: u64,
    question: Q,
}

/// Returns how many seconds a worker may take for a file of `bytes` bytes.
pub fn seconds_for(bytes: u64) -> u64 {
    SECONDS.saturating_add(bytes / BYTES_A_SECOND)
}

/// Sends a question about the file at `path` to a worker, which may take `seconds` seconds. Returns the answer and the
/// whole reply, which contains the extracted files.
///
/// # Errors
/// The operating system's error for the file, or the failure of the worker, in words.
pub fn ask<Q: Serialize, A: DeserializeOwned>(path: &Path, question: &Q, seconds: u64) -> io::Result<(A, Arc<Bytes>)> {
    let program = program()?;
    // A missing or unreadable file is the same error with and without a worker.
    File::open(path)?;
    let memory = File::from(memfd_create("hivemend", MemfdFlags::CLOEXEC)?);
    let mut child = Command::new(program)
        .arg(COMMAND)
        .arg(path)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(OwnedFd::from(memory.try_clone()?))
        .stderr(Stdio::null())
        .spawn()?;
    // The question contains a password, and every user of the system can see arguments.
    if let Some(stdin) = child.stdin.take() {
        serde_json::to_writer(stdin, &Request { seconds, question })?;
    }
    let status = wait(&mut child, Duration::from_secs(seconds))?;
    if !status.is_some_and(|status| status.success()) {
        return Err(io::Error::other(ended(status, seconds)));
    }
    received(&memory)
}

/// The description of a reader's failure of which nothing else is known.
pub const DEFECT: &str = "internal error in its reader; please report it";

/// Waits for a worker; kills it at the time limit and returns `None`.
pub(super) fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = pause.saturating_mul(2).min(Duration::from_millis(10));
    }
}

/// Describes how a worker ended that did not succeed.
pub(super) fn ended(status: Option<ExitStatus>, seconds: u64) -> String {
    const CPU: i32 = 24;
    const ABORT: i32 = 6;
    match status.map(|status| (status.code(), status.signal())) {
        None | Some((_, Some(CPU))) => format!("its reader needed more than {seconds} s and was stopped"),
        Some((_, Some(ABORT))) => {
            format!("its reader gave up: {} GiB of memory, or its stack, were not enough", MEMORY >> 30)
        }
        Some((_, Some(signal))) => format!("its reader crashed (signal {signal}); please report it"),
        Some((_, None)) => DEFECT.to_owned(),
    }
}

/// Returns the answer and the whole reply. The answer is at the reply's end; the last eight bytes are its length.
fn received<A: DeserializeOwned>(memory: &File) -> io::Result<(A, Arc<Bytes>)> {
    let cut = || io::Error::other("the reply of its reader is truncated; please report it");
    let whole = Arc::new(Bytes::Mapped(map_privately(memory)?));
    let length =
        usize::try_from(u64::from_le_bytes(*whole.last_chunk::<8>().ok_or_else(cut)?)).map_err(io::Error::other)?;
    let end = whole.len().saturating_sub(8);
    let answer = end.checked_sub(length).and_then(|start| whole.get(start..end)).ok_or_else(cut)?;
    Ok((serde_json::from_slice(answer)?, Arc::clone(&whole)))
}

/// Runs the worker: sets its limits, reads the question from stdin, and writes the answer to stdout, behind the files
/// that `answer` wrote into the same file.
pub fn serve<Q: DeserializeOwned, A: Serialize>(path: &Path, answer: impl FnOnce(&Path, Q, File) -> A) -> ExitCode {
    match serve_one(path, answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve_one<Q: DeserializeOwned, A: Serialize>(
    path: &Path,
    answer: impl FnOnce(&Path, Q, File) -> A,
) -> io::Result<()> {
    let Request { seconds, question } = serde_json::from_reader(io::stdin().lock())?;
    limit(seconds)?;
    // Unlike a file, the library's stdout would search the bytes for line ends.
    let mut out = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    let answer = serde_json::to_vec(&answer(path, question, out.try_clone()?))?;
    out.seek(SeekFrom::End(0))?;
    out.write_all(&answer)?;
    out.write_all(&(answer.len() as u64).to_le_bytes())?;
    out.flush()
}

/// Sets the limits of this process: memory, CPU time, files, and threads.
pub(super) fn limit(seconds: u64) -> io::Result<()> {
    let cpu = seconds.saturating_add(1);
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, cpu),
        (Resource::Fsize, WRITTEN),
        (Resource::Nofile, FILES),
        (Resource::Core, 0),
    ] {
        // An inherited limit that is lower stays.
        let inherited = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let most = most.min(inherited);
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // Each thread reserves address space for its allocations: on a machine with a hundred cores more than the limit.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(io::Error::other)
}

/// Returns this program's file, from which workers are started.
pub(super) fn program() -> io::Result<&'static PathBuf> {
    PROGRAM.get().ok_or_else(|| io::Error::other("no worker was set up"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_takes_too_long_is_stopped_and_what_became_of_it_is_said() {
        let begun = Instant::now();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let status = wait(&mut child, Duration::from_millis(50)).unwrap();
        assert!(status.is_none() && begun.elapsed() < Duration::from_secs(30));
        assert!(child.try_wait().unwrap().is_some());
        assert_eq!(ended(status, 60), "its reader needed more than 60 s and was stopped");
        for (command, says) in [
            ("exit 1", "internal error in its reader"),
            ("kill -ABRT $$", "9 GiB of memory, or its stack, were not enough"),
            ("kill -SEGV $$", "its reader crashed (signal 11)"),
            ("kill -XCPU $$", "needed more than 60 s"),
        ] {
            let mut child = Command::new("sh").args(["-c", command]).spawn().unwrap();
            let status = wait(&mut child, Duration::from_mins(1)).unwrap();
            assert!(ended(status, 60).contains(says), "{command}: {}", ended(status, 60));
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_is_no_answer() {
        let file = tempfile::tempfile().unwrap();
        let answer = serde_json::to_vec(&["an answer"]).unwrap();
        let length = (answer.len() as u64).to_le_bytes();
        let bytes = [b"regf!".as_slice(), &answer, &length].concat();
        (&file).write_all(&bytes).unwrap();
        let (answer, whole) = received::<Vec<String>>(&file).unwrap();
        assert_eq!((answer, &whole[..5]), (vec!["an answer".to_owned()], &b"regf!"[..]));
        for length in [bytes.len() - 1, bytes.len() - 6, 9, 7, 1] {
            file.set_len(length as u64).unwrap();
            assert!(received::<Vec<String>>(&file).is_err(), "{length}");
        }
    }
}
