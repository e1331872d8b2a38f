//! Names that must not outlive a run: whatever ends it, they are removed, as far as a signal can be caught.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// How each such name begins.
const PREFIX: &str = ".hivemend-part-";
/// So many names are tried; only somebody who is in the way takes them all.
const TRIES: u32 = 10_000;

/// What would be left over were the run to end now.
static LEFT: Mutex<Vec<Arc<Left>>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Left {
    folder: Arc<OwnedFd>,
    name: OsString,
}

/// A name that is removed when this is dropped, or when a signal ends the run before; unless it is kept.
#[derive(Debug)]
pub(super) struct Leftover(Arc<Left>);

impl Leftover {
    /// Makes something under a name of its own in a folder. `make` must fail with `EXIST` where the name is taken.
    pub(super) fn make<T>(
        folder: &Arc<OwnedFd>,
        make: impl Fn(BorrowedFd<'_>, &OsStr) -> rustix::io::Result<T>,
    ) -> io::Result<(Self, T)> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        for _ in 0..TRIES {
            let name = OsString::from(format!("{PREFIX}{process}-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
            match Self::make_named(folder, &name, &make) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => return done,
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Makes something under a name that is given.
    pub(super) fn make_named<T>(
        folder: &Arc<OwnedFd>,
        name: &OsStr,
        make: impl FnOnce(BorrowedFd<'_>, &OsStr) -> rustix::io::Result<T>,
    ) -> io::Result<(Self, T)> {
        watch();
        // Who ends the run waits for this, and then finds the name.
        let mut left = left();
        let thing = make(folder.as_fd(), name)?;
        let leftover = Arc::new(Left { folder: Arc::clone(folder), name: name.to_owned() });
        left.push(Arc::clone(&leftover));
        Ok((Self(leftover), thing))
    }

    /// The folder that it is in.
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.0.folder.as_fd()
    }

    /// Its name there.
    pub(super) fn name(&self) -> &OsStr {
        &self.0.name
    }

    /// It is what it should be now, or is called otherwise: nothing is to be removed.
    pub(super) fn keep(self) {
        self.forget();
    }

    /// Takes it from the list; whether it was on it.
    fn forget(&self) -> bool {
        let mut left = left();
        let place = left.iter().position(|left| Arc::ptr_eq(left, &self.0));
        place.map(|place| left.swap_remove(place)).is_some()
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if self.forget() {
            self.0.remove();
        }
    }
}

impl Left {
    /// Nobody is left to tell where this fails.
    fn remove(&self) {
        if rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::empty()) != Err(Errno::ISDIR) {
            return;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // One of ours has files of ours alone. What is made for others keeps what they put there: it is not empty then.
        if self.name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && let Ok(folder) = rustix::fs::openat(&self.folder, &self.name, flags, Mode::empty())
            && let Ok(list) = Dir::read_from(&folder)
        {
            for entry in list.flatten() {
                let _ = rustix::fs::unlinkat(&folder, entry.file_name(), AtFlags::empty());
            }
        }
        let _ = rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::REMOVEDIR);
    }
}

fn left() -> MutexGuard<'static, Vec<Arc<Left>>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sees to it that a signal which ends the run removes what is left over first; it ends the run as it would have.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(mut signals) = Signals::new(heeded()) else { return };
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                // Held to the end: nothing is made any more.
                let mut left = left();
                while let Some(last) = left.pop() {
                    last.remove();
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
    });
}

/// The signals that end a run. What was ignored when the program was started, as `nohup` does, stays ignored.
fn heeded() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let Some(ignored) = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) else {
        return vec![SIGTERM];
    };
    // The first bit stands for signal 1.
    let is_ignored = |signal: i32| u32::try_from(signal).is_ok_and(|signal| (ignored << 1) >> signal & 1 == 1);
    [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal)).collect()
}
