//! A separate process for the parsers of archives and images, which read hostile bytes with other people's code.
//!
//! The process is this program, started again, with limits on memory, time and writing, and in a sandbox. It opens
//! nothing: the process that started it opens what belongs to the evidence, and passes descriptors ([`Broker`]). If the
//! process crashes, hangs or needs too much memory, its container is a source that failed, and the others continue.
//! [`super::conversation`] is what both sides say.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};

mod broker;
mod channel;
mod sandbox;

pub use broker::{Broker, Witness};
pub use channel::Channel;
pub use sandbox::{Landlock, Sandbox, enter};

/// Bytes of address space: the most that may be extracted, the same again for work in progress, and the program.
const MEMORY: u64 = 9 << 30;
/// Bytes that the worker may write to one file, which is in memory: the most that may be extracted, and some more.
const WRITTEN: u64 = 5 << 30;
/// Threads that decompress the pieces of an image in parallel.
const THREADS: usize = 4;
/// Files that the worker may have open: an image's segments are the most.
const FILES: u64 = 1_100;
/// Seconds of CPU time and of wall-clock time for any container.
const SECONDS: u64 = 60;
/// Bytes of a container that allow one more second: the slowest decoder (bzip2) reads three times as many.
const BYTES_A_SECOND: u64 = 4 << 20;

/// This program's file, held open: it may be replaced or deleted while it runs.
static PROGRAM: OnceLock<io::Result<File>> = OnceLock::new();
/// Whether the user does without the sandbox.
static FREE: AtomicBool = AtomicBool::new(false);

/// Opens containers in a worker from now on. The worker is this program, so the program must answer the command
/// [`super::conversation::COMMAND`]. Before this call, and in programs that use the library, this process opens them.
///
/// Descriptors that this process inherited are closed in the workers, so call this before any other thread runs.
pub fn isolate() {
    close_fds::set_fds_cloexec(3, &[]);
    let _ = PROGRAM.set(File::open("/proc/self/exe"));
}

/// Does without the sandbox from now on. If no worker can be started either, this process opens the containers.
pub fn do_without_sandbox() {
    FREE.store(true, Ordering::Relaxed);
}

/// Returns whether another process opens containers, or must.
pub fn is_isolated() -> bool {
    PROGRAM.get().is_some_and(|program| program.is_ok() || !FREE.load(Ordering::Relaxed))
}

/// Returns whether a worker must enter the sandbox.
pub(super) fn is_sandboxed() -> bool {
    !FREE.load(Ordering::Relaxed)
}

/// Returns how many seconds a worker may take for a file of `bytes` bytes.
pub fn seconds_for(bytes: u64) -> u64 {
    SECONDS.saturating_add(bytes / BYTES_A_SECOND)
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

/// Returns the command that starts this program again, whatever has become of its path.
///
/// # Errors
/// The program's file could not be opened.
pub(super) fn command() -> io::Result<Command> {
    let program = match PROGRAM.get() {
        Some(Ok(program)) => program,
        Some(Err(error)) => return Err(without(&format!("/proc/self/exe cannot be opened ({error})"))),
        None => return Err(io::Error::other("no worker was set up")),
    };
    let mut command = Command::new(PathBuf::from(format!("/proc/self/fd/{}", program.as_raw_fd())));
    command.arg0("hivemend");
    Ok(command)
}

/// Returns the error of a machine that has no sandbox for a worker.
pub(super) fn without(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("no sandbox for its reader: {reason}"))
}

/// Sets the limits of this process: memory, CPU time, and files. Ends it with the thread that started it.
pub(super) fn limit(seconds: u64) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let _ = rustix::thread::set_name(c"hivemend-reader");
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
    Ok(())
}

/// Returns how many threads a worker has. Each reserves address space for its allocations: on a machine with a hundred
/// cores more than the limit.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(THREADS)
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
}
