//! Names that must not outlive a run: they are removed at its end, also after a signal that can be caught.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// The beginning of each such name.
const PREFIX: &str = ".hivemend-part-";
/// Names to try; all of them exist only if somebody blocks them on purpose.
const TRIES: u32 = 10_000;

/// The names that would remain if the run ended now.
static LEFT: Mutex<Vec<Arc<Left>>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Left {
    folder: Arc<OwnedFd>,
    name: OsString,
}

/// A name that is removed on drop, or by a signal that ends the run first, unless it is kept.
#[derive(Debug)]
pub(super) struct Leftover(Arc<Left>);

impl Leftover {
    /// Creates something under a generated name in a folder. `make` must fail with `EXIST` if the name exists.
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

    /// Creates something under this name.
    pub(super) fn make_named<T>(
        folder: &Arc<OwnedFd>,
        name: &OsStr,
        make: impl FnOnce(BorrowedFd<'_>, &OsStr) -> rustix::io::Result<T>,
    ) -> io::Result<(Self, T)> {
        watch();
        // The signal thread waits for this lock, and then finds the name in the list.
        let mut left = left();
        let thing = make(folder.as_fd(), name)?;
        let leftover = Arc::new(Left { folder: Arc::clone(folder), name: name.to_owned() });
        left.push(Arc::clone(&leftover));
        Ok((Self(leftover), thing))
    }

    /// Returns the folder of the name.
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.0.folder.as_fd()
    }

    /// Returns the name in its folder.
    pub(super) fn name(&self) -> &OsStr {
        &self.0.name
    }

    /// Keeps the file: it is complete, or has another name now.
    pub(super) fn keep(self) {
        self.forget();
    }

    /// Takes the name off the list, and returns whether it was listed.
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
    /// Removes the file or folder. Nobody is left to report a failure to.
    fn remove(&self) {
        if rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::empty()) != Err(Errno::ISDIR) {
            return;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // A folder with our prefix contains only our files. Any other folder may hold the user's files, and then stays.
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

/// Installs the handler that removes leftovers on a signal and then ends the run as the signal would have.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(mut signals) = Signals::new(heeded()) else { return };
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                // Held to the end of the process, so that nothing new is created.
                let mut left = left();
                while let Some(last) = left.pop() {
                    last.remove();
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
    });
}

/// Returns the signals that end a run. A signal that was ignored at the program's start stays ignored (`nohup`).
fn heeded() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let Some(ignored) = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) else {
        return vec![SIGTERM];
    };
    // The lowest bit is signal 1.
    let is_ignored = |signal: i32| u32::try_from(signal).is_ok_and(|signal| (ignored << 1) >> signal & 1 == 1);
    [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal)).collect()
}
