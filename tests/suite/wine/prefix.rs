//! A Wine for tests: in a folder of its own, without a display, shared by all tests.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::raw;
use crate::harness;
use crate::values::Values;

/// The longest that one call may last: the longest seen, making the prefix, is less than ten seconds.
const PATIENCE: Duration = Duration::from_mins(3);

/// Wine with a prefix of its own.
pub(crate) struct Wine {
    folder: PathBuf,
    /// Waits for the end of this process, however it comes, to remove the folder. Nobody drops what is static.
    _cleaner: Child,
}

/// The only Wine, for one test at a time; `None` where Wine is not installed, which the test then lacks.
pub(crate) fn wine() -> Option<MutexGuard<'static, Wine>> {
    static SHARED: OnceLock<Option<Mutex<Wine>>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| is_installed().then(|| Mutex::new(Wine::start())));
    if shared.is_none() {
        harness::lacks("wine", "Wine (wine) is not installed");
    }
    // A test that failed leaves keys behind that no other test looks at.
    shared.as_ref().map(|wine| wine.lock().unwrap_or_else(PoisonError::into_inner))
}

fn is_installed() -> bool {
    ["wine", "wineserver"].into_iter().all(|program| Command::new(program).arg("--version").output().is_ok())
}

impl Wine {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        fs::create_dir(folder.join("prefix")).unwrap();
        let clean_up = "cat >/dev/null; wineserver -k; wineserver -w; rm -rf \"$1\"";
        let cleaner = command("sh", &folder)
            .args(["-c", clean_up, "sh"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let wine = Self { _cleaner: cleaner.unwrap(), folder };
        wine.wine(&["wineboot", "--init"]);
        wine.stop();
        wine
    }

    /// Runs a program to its end: what it said, as an error where the end is not a good one.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        // Wine leaves processes behind that hold on to what they write to: a pipe would not end.
        let path = self.folder.join("said");
        let said = File::create(&path).unwrap();
        let mut child = command(program, &self.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
                _ = child.wait();
                panic!("{program} {arguments:?} did not end within {PATIENCE:?}, and was killed");
            }
            sleep(Duration::from_millis(10));
        };
        let said = || String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        if status.success() { Ok(said()) } else { Err(format!("{program} {arguments:?}: {status}: {}", said())) }
    }

    /// Runs a program in Wine, to a good end.
    ///
    /// Debian's Wine has no preloader that keeps addresses free: now and then, once in some hundred times, something lies
    /// where it must have a page of its own, and it gives up before it has begun. Then it is tried again.
    fn wine(&self, arguments: &[&str]) {
        if let Err(said) = self.try_wine(arguments) {
            panic!("{said}");
        }
    }

    /// The same, to whatever end.
    fn try_wine(&self, arguments: &[&str]) -> Result<String, String> {
        const UNLUCKY: &str = "failed to map the shared user data";
        let mut tries = 1..=5;
        while let Some(tried) = tries.next() {
            match self.run("wine", arguments) {
                Ok(said) => return Ok(said),
                Err(said) if said.contains(UNLUCKY) => assert!(!tries.is_empty(), "at try {tried}: {said}"),
                Err(said) => return Err(said),
            }
        }
        unreachable!("the last try ends the loop")
    }

    /// Ends Wine, which then writes its registry.
    fn stop(&self) {
        // There may be nothing to end.
        _ = command("wineserver", &self.folder).arg("-k").stderr(Stdio::null()).status();
        self.run("wineserver", &["-w"]).unwrap();
    }

    /// Runs a command line by Wine's cmd, in a folder, to a good end.
    pub(crate) fn run_in(&self, folder: &Path, line: &str) {
        self.wine(&["cmd", "/d", "/c", &format!("cd /d {} && {line}", as_windows_says(folder))]);
    }

    /// Runs a command line by Wine's cmd, to whatever end.
    pub(crate) fn line(&self, line: &str) -> Result<String, String> {
        self.try_wine(&["cmd", "/d", "/c", line])
    }

    /// Runs a script by Wine's cmd: what it said, as an error where it ends with another code than 0.
    pub(crate) fn script(&self, script: &Path, arguments: &[&str]) -> Result<String, String> {
        self.try_wine(&[&["cmd", "/d", "/c", &as_windows_says(script)], arguments].concat())
    }

    /// Makes a folder a drive, or takes the drive away.
    pub(crate) fn drive(&self, letter: char, folder: Option<&Path>) {
        let link = self.folder.join(format!("prefix/dosdevices/{letter}:"));
        _ = fs::remove_file(&link);
        if let Some(folder) = folder {
            std::os::unix::fs::symlink(folder, link).unwrap();
        }
    }

    /// Has regedit import a file. It tells nobody how that went.
    pub(super) fn import(&self, text: &[u8]) {
        let path = self.folder.join("import.reg");
        fs::write(&path, text).unwrap();
        self.wine(&["regedit", "/S", &as_windows_says(&path)]);
    }

    /// What regedit exports of a key and those below it.
    pub(super) fn export(&self, key: &str) -> Vec<u8> {
        let path = self.folder.join("export.reg");
        _ = fs::remove_file(&path);
        self.wine(&["regedit", "/E", &as_windows_says(&path), key]);
        fs::read(path).unwrap()
    }

    /// Every value that is stored at a key and below it.
    pub(super) fn stored_below(&self, key: &str) -> Values {
        let (key, below) = (key.to_uppercase(), format!("{}\\", key.to_uppercase()));
        let mut values = self.stored();
        values.retain(|(at, _), _| *at == key || at.starts_with(&below));
        values
    }

    /// Every value that is stored in HKEY_LOCAL_MACHINE.
    pub(super) fn stored(&self) -> Values {
        self.stop();
        raw::read(&fs::read_to_string(self.system()).unwrap())
    }

    /// Every key of HKEY_LOCAL_MACHINE that is stored, in upper case, those without values too.
    pub(super) fn stored_keys(&self) -> BTreeSet<String> {
        self.stop();
        raw::keys(&fs::read_to_string(self.system()).unwrap())
    }

    /// Every key that is stored at a key and below it, in upper case.
    pub(super) fn keys_below(&self, key: &str) -> BTreeSet<String> {
        self.stop();
        let below = format!("{}\\", key.to_uppercase());
        let mut keys = raw::keys(&fs::read_to_string(self.system()).unwrap());
        keys.retain(|at| format!("{at}\\").starts_with(&below));
        keys
    }

    /// Stores values without regedit.
    pub(super) fn put(&self, values: &Values) {
        self.stop();
        let mut file = File::options().append(true).open(self.system()).unwrap();
        file.write_all(raw::write(values).as_bytes()).unwrap();
    }

    fn system(&self) -> PathBuf {
        self.folder.join("prefix/system.reg")
    }
}

/// A program in a group of its own, with Wine's environment.
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("WINEPREFIX", folder.join("prefix"))
        .env("WINEARCH", "win64")
        // Errors are looked at: see [`Wine::wine`].
        .env("WINEDEBUG", "fixme-all")
        // Nothing asks to install them, or makes menus of a desktop.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=;winemenubuilder.exe=d")
        // Wine's code pages are those of the locale.
        .env("LC_ALL", "C.UTF-8")
        .env_remove("DISPLAY")
        .process_group(0);
    command
}

/// A path as programs for Windows name it.
pub(crate) fn as_windows_says(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', "\\"))
}
