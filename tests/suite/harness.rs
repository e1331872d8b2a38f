//! Runs the tests. With Rust's own harness, a test that finds at run time that it cannot run would pass. Here it is
//! counted as ignored, with the reason.
//!
//! A test calls [`lacks`] with the missing external program, folder, or permission, continues with what it can test,
//! and returns. It still fails if the rest is wrong. If `HIVEMEND_MAY_LACK` is set to the names of needs, separated by
//! blanks, a test that lacks another need fails. `.ci/run` uses this to require that every test ran.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// A test, as `#[test]` registers it.
pub(crate) struct Test {
    /// The path of the function, with the crate's name before it.
    pub(crate) name: &'static str,
    /// The function.
    pub(crate) run: fn(),
}

inventory::collect!(Test);

/// What a test that is running has come to.
#[derive(Default)]
struct Running {
    /// What it lacks: the name of the need, and why it is not met.
    lacks: Vec<(String, String)>,
    /// Where it panicked, and with which words.
    panics: Vec<String>,
}

thread_local! {
    /// The test that runs in this thread.
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// What a test needs and this machine may not give it, other than programs: rights, and folders that are not ours.
pub(crate) const MOUNTING: &str = "mounting";
/// To be somebody whom permissions stop.
pub(crate) const UNPRIVILEGED: &str = "unprivileged";

/// The test that runs lacks something, and is counted as ignored unless it fails.
#[track_caller]
pub(crate) fn lacks(need: &str, why: impl Into<String>) {
    RUNNING.with_borrow_mut(|running| {
        let running = running.as_mut().expect("a test says itself what it lacks, not a thread that it started");
        let lack = (need.to_owned(), why.into());
        if !running.lacks.contains(&lack) {
            running.lacks.push(lack);
        }
    });
}

/// The test lacks a program.
#[track_caller]
pub(crate) fn lacks_program(program: &str) {
    lacks(program, format!("{program} is not installed"));
}

/// The test lacks a program that a shell looked for, and says so on stderr.
#[track_caller]
pub(crate) fn lacks_some_program(command: &str, said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    let said = if said.trim().is_empty() { command } else { said.trim() };
    lacks("program", format!("a program is not installed: {said}"));
}

/// The folder that a variable names; the test lacks it where the variable is not set. The need is called as the variable
/// is: `corpus`, `images`.
#[track_caller]
pub(crate) fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        lacks(&variable.trim_start_matches("HIVEMEND_").to_lowercase(), format!("{variable} is not set"));
    }
    folder
}

/// Whether tests print what they measured: with `--nocapture`.
pub(crate) fn is_talkative() -> bool {
    static TALKATIVE: OnceLock<bool> = OnceLock::new();
    *TALKATIVE.get_or_init(|| {
        let asks = |argument: String| ["--nocapture", "--no-capture", "--show-output"].contains(&argument.as_str());
        std::env::args().any(asks)
    })
}

/// Prints a line on stderr, with `--nocapture`.
macro_rules! note {
    ($($words:tt)*) => {
        if $crate::harness::is_talkative() {
            eprintln!($($words)*);
        }
    };
}
/// What [`run`] says of needs.
struct Strictness(Option<Vec<String>>);

impl Strictness {
    /// As the environment has it.
    fn of_environment() -> Self {
        let names = std::env::var("HIVEMEND_MAY_LACK").ok();
        Self(names.map(|names| names.split_whitespace().map(str::to_owned).collect()))
    }

    /// What a test that did not panic comes to.
    fn judge(&self, lacks: &[(String, String)]) -> Result<Completion, Failed> {
        let reasons = |lacks: &[&(String, String)]| {
            lacks
                .iter()
                .map(|(_, why)| why.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
                .join("; ")
        };
        let forbidden: Vec<_> = match &self.0 {
            Some(allowed) => lacks.iter().filter(|(need, _)| !allowed.contains(need)).collect(),
            None => Vec::new(),
        };
        if !forbidden.is_empty() {
            return Err(format!("HIVEMEND_MAY_LACK does not allow for it: {}", reasons(&forbidden)).into());
        }
        let all: Vec<_> = lacks.iter().collect();
        Ok(if all.is_empty() { Completion::Completed } else { Completion::ignored_with(reasons(&all)) })
    }
}

/// Runs a test in this thread.
fn run(test: fn()) -> Result<Completion, Failed> {
    RUNNING.set(Some(Running::default()));
    let outcome = std::panic::catch_unwind(test);
    let running = RUNNING.take().unwrap_or_default();
    if let Err(payload) = outcome {
        let words = payload.downcast_ref::<String>().cloned();
        let words = words.or_else(|| payload.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        // Where a panic came from another thread, its place was printed there.
        let last = running.panics.last().cloned().or(words);
        return Err(last.unwrap_or_else(|| "the test panicked".to_owned()).into());
    }
    Strictness::of_environment().judge(&running.lacks)
}

/// Keeps what a test says when it panics for the end, and drops it where the test catches the panic.
fn keep_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let kept = RUNNING.with(|running| {
            let mut running = running.try_borrow_mut().ok()?;
            let backtrace = Backtrace::capture();
            let mut words = panic.to_string();
            if backtrace.status() == BacktraceStatus::Captured {
                words = format!("{words}\n{backtrace}");
            }
            running.as_mut()?.panics.push(words);
            Some(())
        });
        if kept.is_none() || is_talkative() {
            usual(panic);
        }
    }));
}

/// Runs the tests that the command line asks for.
pub(crate) fn main() -> ExitCode {
    let mut tests: Vec<&Test> = inventory::iter::<Test>.into_iter().collect();
    tests.sort_by_key(|test| test.name);
    let trials = tests.into_iter().map(|test| {
        let name = test.name.split_once("::").map_or(test.name, |(_, name)| name);
        Trial::ignorable_test(name, || run(test.run))
    });
    let arguments = Arguments::from_args();
    keep_panics();
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

#[test]
fn what_a_test_lacks_is_no_pass() {
    let lacks = |names: &[&str]| -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), format!("no {name}"))).collect()
    };
    let judged = |allowed: Option<&str>, names: &[&str]| {
        let allowed = allowed.map(|names| names.split(' ').map(str::to_owned).collect());
        match Strictness(allowed).judge(&lacks(names)) {
            Ok(Completion::Completed) => "passed".to_owned(),
            Ok(Completion::Ignored { reason }) => format!("ignored: {}", reason.unwrap()),
            Err(failed) => format!("failed: {}", failed.message().unwrap()),
        }
    };
    assert_eq!(judged(None, &[]), "passed");
    assert_eq!(judged(Some(""), &[]), "passed");
    assert_eq!(judged(None, &["wine", "7z"]), "ignored: no wine; no 7z");
    assert_eq!(judged(Some("mounting wine"), &["wine"]), "ignored: no wine");
    assert!(judged(Some("mounting"), &["mounting", "wine"]).starts_with("failed: "));
    assert!(judged(Some("mounting"), &["mounting", "wine"]).ends_with(": no wine"));
}

/// The attribute registers what it stands before: a test that it lost would be one that never fails.
#[test]
fn every_test_is_registered() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let mut written = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            written += text.lines().filter(|line| line.trim() == "#[test]").count();
        }
    }
    let registered = inventory::iter::<Test>.into_iter().count();
    // Some are for one system or one feature only.
    let all = cfg!(all(unix, feature = "images"));
    assert!(if all { registered == written } else { registered <= written }, "{registered} of {written}");
}
