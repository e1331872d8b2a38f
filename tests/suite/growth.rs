//! The work grows with the evidence and no faster. Each test generates N and 2N of something, counts the instructions of
//! both runs under valgrind, and refuses a ratio above [`MOST`].
//!
//! Instructions are counted, and not seconds: they are the same on a busy machine. What every run needs, whatever its
//! evidence, is left out. N is as large as a debug build allows: a term that grows with the square must be a fifth of the
//! whole to be seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::command_line::Desk;
use crate::harness::lacks_program;

mod evidence;
mod fleet;
mod judged;
mod keys;
mod patches;

/// The highest ratio of the instructions for 2N to those for N, in hundredths. A linear program has 2.
const MOST: u64 = 230;

/// Options of every measured run, for programs that start workers: one core, so that no thread waits for another.
/// Valgrind needs system calls that the sandbox refuses.
const ALONE: [&str; 3] = ["--jobs", "1", "--no-sandbox"];

/// The most open files of a run. Under valgrind no process may lower its hard limit, as a worker does; if the limit is
/// already lower than the worker's own, the worker keeps it.
const FILES: u32 = 1000;

/// Whose instructions are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// The program's own. Its workers run without valgrind: each is started once for a container, and takes valgrind a
    /// second to start.
    Program,
    /// The program's and its workers'.
    WithWorkers,
}

/// Measures a command for one, `n` and `2n` of something. `prepare` writes the evidence for a number into the desk and
/// returns the arguments. Names in the evidence must be as long for one number as for the other.
fn grows_with(what: &str, n: usize, counted: Counted, prepare: impl Fn(&Desk, usize) -> Vec<String>) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return lacks_program("valgrind");
    }
    let [one, single, double] = [1, n, 2 * n].map(|count| {
        let desk = Desk::with(&[]);
        let arguments = prepare(&desk, count);
        instructions(&desk, &arguments, counted)
    });
    // From 1 to N there is one step less than from N to 2N.
    let steps = n as u64;
    let ratio = 100 + 100 * (double - single) * (steps - 1) / ((single - one) * steps);
    note!("{what}: {one} for 1, {single} for {n}, {double} for {}: {ratio} %", 2 * n);
    assert!(ratio <= MOST, "{what}: {single} instructions for {n}, {double} for {}: {ratio} %", 2 * n);
}

/// Counts the instructions of a run of the program.
fn instructions(desk: &Desk, arguments: &[String], counted: Counted) -> u64 {
    let logs = tempfile::tempdir().unwrap();
    let trace = if counted == Counted::WithWorkers { "yes" } else { "no" };
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -n {FILES} && exec \"$@\""), "sh", "valgrind"])
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(format!("--trace-children={trace}"))
        .arg(format!("--log-file={}/%p", logs.path().display()))
        .arg(stripped())
        .args(arguments)
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1 | 3)), "{arguments:?}: {code:?} {said}");
    assert!(!output.stdout.is_empty(), "{arguments:?}: {said}");
    let logs = fs::read_dir(logs.path()).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let counts: Vec<u64> = logs.filter_map(|log| count(&log)).collect();
    assert!(counts.len() > usize::from(counted == Counted::WithWorkers), "{arguments:?}: no count of a worker");
    counts.iter().sum()
}

/// Reads the count from the log of a process.
fn count(log: &str) -> Option<u64> {
    let (_, count) = log.lines().find_map(|line| line.split_once("I   refs:"))?;
    count.trim().replace(',', "").parse().ok()
}

/// Returns the program without its names, which valgrind would read for seconds.
fn stripped() -> &'static Path {
    static STRIPPED: OnceLock<PathBuf> = OnceLock::new();
    STRIPPED.get_or_init(|| {
        let program = Path::new(env!("CARGO_BIN_EXE_hivemend"));
        let ready = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hivemend");
        let fresh = ready.with_extension(std::process::id().to_string());
        let strip = Command::new("strip").arg("-o").arg(&fresh).arg(program).status();
        if strip.is_ok_and(|status| status.success()) {
            // Another run of the tests may execute the file at this moment.
            fs::rename(&fresh, &ready).unwrap();
            ready
        } else {
            program.to_owned()
        }
    })
}

/// Returns arguments with the options of every run behind them.
fn alone(arguments: &[&str]) -> Vec<String> {
    arguments.iter().chain(&ALONE).map(|argument| (*argument).to_owned()).collect()
}
