//! Progress on stderr: a line on a terminal, or lines of JSON for programs. On a terminal, work of less than half a second
//! shows none.

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
    done: u64,
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
        if state.task != Some(task) {
            state.task = Some(task);
            state.done = 0;
        }
        state.done = state.done.saturating_add(amount);
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
    let told = json!({"task": task.as_str(), "at": state.at, "done": state.done, "unit": task.unit()});
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

/// Returns the text of the line: `hashing mnt/SOFTWARE, 12 MiB`.
fn message(state: &State) -> String {
    let at = escape(&state.at);
    match state.task {
        None => String::new(),
        Some(Task::Reading) => format!("reading {at}"),
        Some(Task::Searching) => format!("searching {at}, {} files", state.done),
        Some(Task::Hashing) => format!("hashing {at}, {} MiB", state.done >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_steers_no_terminal() {
        let state = State { task: Some(Task::Hashing), at: "a\u{1b}[2J".to_owned(), done: 3 << 20, ended: false };
        assert_eq!(message(&state), r"hashing a\u{1b}[2J, 3 MiB");
    }

    #[test]
    fn another_task_is_counted_anew() {
        let shared = Arc::new(Shared::default());
        let told = Told(Arc::clone(&shared));
        told.step(Task::Searching, "a", 1);
        told.step(Task::Searching, "b", 1);
        assert_eq!(shared.state.lock().unwrap().done, 2);
        told.step(Task::Hashing, "b", 5);
        assert_eq!(shared.state.lock().unwrap().done, 5);
    }
}
