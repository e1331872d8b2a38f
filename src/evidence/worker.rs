//! A process of its own for the parsers of archives and images, which meet hostile bytes with other people's code.
//!
//! It is this program, started again, with limits on memory, time and what it may write; what it unpacked lies in a file
//! in memory that both processes have, so that nothing is copied and nothing reaches a disk. If it crashes, hangs or eats,
//! its container is a source that failed, and the others go on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::archive::{self, Contents, Kind, Unpacking};
use super::tree::{Container, Member, Origin, Snapshot, Unpacked};
use super::{Bytes, map_privately};
use crate::error::Problem;

/// The name of the hidden command that makes this program a worker.
pub const COMMAND: &str = "unpack-in-a-worker";
/// Bytes of address space: what may be unpacked at most, once more for what is in the making, and the program.
const MEMORY: u64 = 9 << 30;
/// Bytes that it may write: what may be unpacked, and what tells of it.
const WRITTEN: u64 = 5 << 30;
/// Threads that unpack the pieces of an image side by side.
const THREADS: usize = 4;
/// Files that it may have open: the segments of an image are the most.
const FILES: u64 = 1_100;
/// Seconds of CPU and of the clock for any container,
const SECONDS: u64 = 60;
/// and one more for so many bytes of it: the slowest decoder (bzip2) does three times as many.
const BYTES_A_SECOND: u64 = 4 << 20;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// From now on containers are unpacked by this program, started with [`COMMAND`]; before, and in programs that use the
/// library, in this process.
pub fn isolate(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// What a worker is asked for, beside the file.
#[derive(Serialize, Deserialize)]
struct Request {
    locator: String,
    kind: Kind,
    wanted: Option<String>,
    unpacking: Unpacking,
    seconds: u64,
}

/// What it answers, behind the bytes of all files; how long it is stands at the end, in eight bytes.
#[derive(Serialize, Deserialize)]
struct Answer {
    containers: Vec<(String, bool, Vec<Packed>)>,
    singles: Vec<Packed>,
    shadow_copies: Vec<Snapshot>,
    problems: Vec<Problem>,
    looked: Vec<String>,
    members: usize,
    files: Vec<PathBuf>,
}

/// A file in it.
#[derive(Serialize, Deserialize)]
struct Packed {
    inside: PathBuf,
    locator: Option<String>,
    origin: Origin,
    /// Where its bytes are in what is sent.
    range: Range<usize>,
}

/// Unpacks a container as [`archive::unpack`] does, in a worker where this program has one.
///
/// # Errors
/// What the system says of the file, or what became of the worker, in words.
pub fn unpack(
    path: &Path,
    locator: String,
    kind: Kind,
    wanted: Option<&str>,
    unpacking: &Unpacking,
) -> io::Result<Contents> {
    let Some(program) = PROGRAM.get() else {
        return match std::panic::catch_unwind(|| archive::unpack(path, locator, kind, wanted, unpacking)) {
            Ok(contents) => contents,
            Err(_) => Err(io::Error::other(DEFECT)),
        };
    };
    // Whether it is there, and may be read, is the same for both.
    let size = File::open(path)?.metadata()?.len();
    let whole = if unpacking.verify_image { size } else { size.min(super::MOST_READ) };
    let seconds = SECONDS.saturating_add(whole / BYTES_A_SECOND);
    let request = Request { locator, kind, wanted: wanted.map(str::to_owned), unpacking: unpacking.clone(), seconds };
    let memory = File::from(memfd_create("hivemend", MemfdFlags::CLOEXEC)?);
    let mut child = Command::new(program)
        .arg(COMMAND)
        .arg(path)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(OwnedFd::from(memory.try_clone()?))
        .stderr(Stdio::null())
        .spawn()?;
    // Not by its arguments, which everybody on the system may see: there is a password in it.
    if let Some(stdin) = child.stdin.take() {
        serde_json::to_writer(stdin, &request)?;
    }
    let status = wait(&mut child, Duration::from_secs(seconds))?;
    if !status.is_some_and(|status| status.success()) {
        return Err(io::Error::other(ended(status, seconds)));
    }
    received(&memory, path)
}

const DEFECT: &str = "a defect that its reader does not know; please report it";

/// Waits for a worker; kills it where it takes longer than it may, `None`.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
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

/// What became of a worker that did not come to its end.
fn ended(status: Option<ExitStatus>, seconds: u64) -> String {
    const CPU: i32 = 24;
    const ABORT: i32 = 6;
    match status.map(|status| (status.code(), status.signal())) {
        None | Some((_, Some(CPU))) => format!("more work than {seconds} s are enough for; it was stopped"),
        Some((_, Some(ABORT))) => {
            format!("its reader gave up: {} GiB of memory, or its stack, were not enough", MEMORY >> 30)
        }
        Some((_, Some(signal))) => format!("its reader crashed (signal {signal}); please report it"),
        Some((_, None)) => DEFECT.to_owned(),
    }
}

/// What a worker left in memory.
fn received(memory: &File, path: &Path) -> io::Result<Contents> {
    let cut = || io::Error::other("an answer of its reader that is cut off; please report it");
    let whole = Arc::new(Bytes::Mapped(map_privately(memory)?));
    let length =
        usize::try_from(u64::from_le_bytes(*whole.last_chunk::<8>().ok_or_else(cut)?)).map_err(io::Error::other)?;
    let end = whole.len().saturating_sub(8);
    let answer = end.checked_sub(length).and_then(|start| whole.get(start..end)).ok_or_else(cut)?;
    let answer: Answer = serde_json::from_slice(answer)?;
    let file = |packed: Packed| {
        let bytes = Unpacked::part(&whole, packed.range)?;
        Some((packed.inside, Member { bytes, path: path.to_owned(), locator: packed.locator, origin: packed.origin }))
    };
    let Answer { containers, singles, shadow_copies, problems, looked, members, files } = answer;
    let mut contents = Contents { shadow_copies, problems, looked, members, files, ..Contents::default() };
    for (locator, shadow_copy, files) in containers {
        let files = files.into_iter().map(file).collect::<Option<BTreeMap<_, _>>>().ok_or_else(cut)?;
        contents.containers.push(Container { locator, shadow_copy, files });
    }
    for packed in singles {
        contents.singles.push(file(packed).ok_or_else(cut)?);
    }
    Ok(contents)
}

/// The worker: sets its limits, reads the request from stdin, and writes what is in the container at `path` to stdout.
pub fn serve(path: &Path) -> ExitCode {
    match answer(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(path: &Path) -> io::Result<()> {
    let request: Request = serde_json::from_reader(io::stdin().lock())?;
    let cpu = request.seconds.saturating_add(1);
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, cpu),
        (Resource::Fsize, WRITTEN),
        (Resource::Nofile, FILES),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // Each thread reserves room for what it allocates: on a machine with a hundred cores more than there is.
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(io::Error::other)?;
    let Request { locator, kind, wanted, unpacking, .. } = request;
    // Unlike a file, stdout of the library would be read for ends of lines.
    let mut out = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    let store = Some(out.try_clone()?);
    let contents = archive::unpack_to(path, locator.clone(), kind, wanted.as_deref(), &unpacking, store)
        .unwrap_or_else(|error| {
            let problem = Problem::of(locator, kind.expected(), error.to_string());
            Contents { problems: vec![problem], ..Contents::default() }
        });
    let packed = |inside: &PathBuf, member: &Member| Packed {
        inside: inside.clone(),
        locator: member.locator.clone(),
        origin: member.origin.clone(),
        range: member.bytes.range(),
    };
    let of = |container: &Container| {
        let files = container.files.iter().map(|(inside, member)| packed(inside, member)).collect();
        (container.locator.clone(), container.shadow_copy, files)
    };
    let answer = Answer {
        containers: contents.containers.iter().map(of).collect(),
        singles: contents.singles.iter().map(|(inside, member)| packed(inside, member)).collect(),
        shadow_copies: contents.shadow_copies,
        problems: contents.problems,
        looked: contents.looked,
        members: contents.members,
        files: contents.files,
    };
    let answer = serde_json::to_vec(&answer)?;
    out.seek(SeekFrom::End(0))?;
    out.write_all(&answer)?;
    out.write_all(&(answer.len() as u64).to_le_bytes())?;
    out.flush()
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
        assert_eq!(ended(status, 60), "more work than 60 s are enough for; it was stopped");
        for (command, says) in [
            ("exit 1", "a defect that its reader does not know"),
            ("kill -ABRT $$", "9 GiB of memory, or its stack, were not enough"),
            ("kill -SEGV $$", "its reader crashed (signal 11)"),
            ("kill -XCPU $$", "more work than 60 s"),
        ] {
            let mut child = Command::new("sh").args(["-c", command]).spawn().unwrap();
            let status = wait(&mut child, Duration::from_mins(1)).unwrap();
            assert!(ended(status, 60).contains(says), "{command}: {}", ended(status, 60));
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_is_no_answer() {
        let file = tempfile::tempfile().unwrap();
        let packed = Packed { inside: PathBuf::from("SAM"), locator: None, origin: Origin::default(), range: 0..5 };
        let containers = vec![("a.zip".to_owned(), false, vec![packed])];
        let answer = Answer {
            containers,
            singles: vec![],
            shadow_copies: vec![],
            problems: vec![],
            looked: vec![],
            members: 1,
            files: vec![],
        };
        let answer = serde_json::to_vec(&answer).unwrap();
        let length = (answer.len() as u64).to_le_bytes();
        let bytes = [b"regf!".as_slice(), &answer, &length].concat();
        (&file).write_all(&bytes).unwrap();
        let contents = received(&file, Path::new("a.zip")).unwrap();
        assert_eq!(contents.containers[0].files[Path::new("SAM")].bytes.as_ref(), b"regf!");
        for length in [bytes.len() - 1, bytes.len() - 6, 9, 7, 1] {
            file.set_len(length as u64).unwrap();
            assert!(received(&file, Path::new("a.zip")).is_err(), "{length}");
        }
    }
}
