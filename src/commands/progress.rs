//! Progress on stderr: a line on a terminal, or lines of JSON for programs. On a terminal, work of less than half a second
//! shows none.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hivemend::cli::{MessageArgs, Progress};
use hivemend::progress::{Observer, Task, observe};
use hivemend::report::escape::escape;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

/// Shorter work shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);
/// The interval between two updates on a terminal.
const A_PICTURE: Duration = Duration::from_millis(120);

/// The current work, as far as it is known.
#[derive(Clone, Debug, Default)]
struct State {
    task: Option<Task>,
    at: String,
    /// The label or the place of the last installation.
    machine: Option<String>,
    /// How much of each task was done.
    done: BTreeMap<Task, u64>,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    end: Condvar,
}

struct Told(Arc<Shared>);

impl Observer for Told {
    fn step(&self, task: Task, at: &str, amount: u64) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let done = state.done.entry(task).or_default();
        *done = done.saturating_add(amount);
        if task == Task::Examining {
            state.machine = Some(at.to_owned());
        }
        state.task = Some(task);
        at.clone_into(&mut state.at);
    }
}

/// Shows progress until it is dropped.
pub(super) struct Shown {
    shared: Arc<Shared>,
    drawn: bool,
    thread: Option<JoinHandle<()>>,
}

/// Starts to show progress, if requested: a line if stderr is a terminal, JSON lines anywhere.
pub(super) fn show(args: &MessageArgs) -> Option<Shown> {
    let (wanted, quiet) = (args.progress, args.quiet);
    let as_json = wanted == Progress::Json;
    if wanted == Progress::Never || !as_json && (quiet || !io::stderr().is_terminal()) {
        return None;
    }
    let shared = Arc::new(Shared::default());
    observe(Box::new(Told(Arc::clone(&shared))));
    let of_thread = Arc::clone(&shared);
    let thread = std::thread::spawn(move || if as_json { write_lines(&of_thread) } else { draw(&of_thread) });
    Some(Shown { shared, drawn: !as_json, thread: Some(thread) })
}

impl Shown {
    /// Returns whether a line is drawn on a terminal, which must end before something else is written there.
    pub(super) fn is_drawn(&self) -> bool {
        self.drawn
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.shared.end.notify_all();
        if let Some(thread) = self.thread.take() {
            // A failed update of the display does not matter.
            let _ = thread.join();
        }
    }
}

/// Waits for `time`, and returns the state then; `None` if all work ended before.
fn after(shared: &Shared, time: Duration) -> Option<State> {
    let state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = shared.end.wait_timeout_while(state, time, |state| !state.ended);
    let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    (!state.ended).then(|| state.clone())
}

/// Writes the state twice a second, and the last one at the end: a program can rely on one line.
fn write_lines(shared: &Shared) {
    while let Some(state) = after(shared, PATIENCE) {
        write_line(&state);
    }
    let last = shared.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
    write_line(&last);
}

fn write_line(state: &State) {
    let Some(task) = state.task else { return };
    let told = json!({
        "task": task.as_str(), "at": state.at, "done": state.of(task), "unit": task.unit(),
        "machine": state.machine, "installations": state.of(Task::Examining), "bytes": state.bytes(),
    });
    let _ = writeln!(io::stderr(), "{}", json!({ "progress": told }));
}

fn draw(shared: &Shared) {
    let Some(mut state) = after(shared, PATIENCE) else { return };
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
        // ASCII, because the locale may not support other characters.
        bar.set_style(style.tick_chars("|/-\\ "));
    }
    loop {
        bar.set_message(message(&state));
        bar.tick();
        match after(shared, A_PICTURE) {
            Some(next) => state = next,
            None => break,
        }
    }
    bar.finish_and_clear();
}

impl State {
    /// Returns how much of a task was done.
    fn of(&self, task: Task) -> u64 {
        self.done.get(&task).copied().unwrap_or_default()
    }

    /// Returns the bytes that were hashed and compared.
    fn bytes(&self) -> u64 {
        self.of(Task::Hashing).saturating_add(self.of(Task::Verifying))
    }
}

/// Returns the text of the line: `hashing mnt/SOFTWARE, 12 MiB; PC 7, the 3rd installation`.
fn message(state: &State) -> String {
    let Some(task) = state.task else { return String::new() };
    let (at, done) = (escape(&state.at), state.of(task));
    let amount = match task {
        Task::Reading => String::new(),
        Task::Searching => format!(", {done} files"),
        Task::Examining => format!(", {done} installations"),
        Task::Hashing | Task::Verifying => format!(", {} MiB", done >> 20),
    };
    let machine = match &state.machine {
        Some(machine) if task != Task::Examining => {
            format!("; installation {}: {}", state.of(Task::Examining), escape(machine))
        }
        _ => String::new(),
    };
    format!("{} {at}{amount}{machine}", task.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_steers_no_terminal() {
        let state = State {
            task: Some(Task::Hashing),
            at: "a\u{1b}[2J".to_owned(),
            machine: Some("PC\u{7}".to_owned()),
            done: BTreeMap::from([(Task::Hashing, 3 << 20), (Task::Examining, 2)]),
            ended: false,
        };
        assert_eq!(message(&state), r"hashing a\u{1b}[2J, 3 MiB; installation 2: PC\u{7}");
    }

    #[test]
    fn each_task_is_counted_for_itself() {
        let shared = Arc::new(Shared::default());
        let told = Told(Arc::clone(&shared));
        told.step(Task::Searching, "a", 1);
        told.step(Task::Hashing, "b", 5);
        told.step(Task::Searching, "b", 1);
        told.step(Task::Verifying, "c", 7);
        told.step(Task::Examining, "PC", 1);
        let state = shared.state.lock().unwrap();
        assert_eq!((state.of(Task::Searching), state.bytes(), state.machine.as_deref()), (2, 12, Some("PC")));
    }
}
