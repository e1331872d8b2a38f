//! The end of a run, if the user gave it seconds (`--max-seconds`). Nothing is searched, opened or examined after it.

use std::time::{Duration, Instant};

use crate::error::{Code, Problem};

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// The start of the run, or of this process' share in it.
    begun: Instant,
    /// The seconds of the run before that.
    before: u64,
    /// The seconds of the run; `None` if it may take any time.
    seconds: Option<u64>,
}

impl Deadline {
    /// Returns the end of a run that begins now, and that may take so many seconds.
    pub fn of(seconds: Option<u64>) -> Self {
        Self { begun: Instant::now(), before: 0, seconds }
    }

    /// Returns the end of a run in another process, which was started after so many seconds of the run.
    #[must_use]
    pub fn after(self, before: u64) -> Self {
        Self { before, ..self }
    }

    /// Returns the seconds of the run so far.
    pub fn spent(self) -> u64 {
        self.before.saturating_add(self.begun.elapsed().as_secs())
    }

    /// Returns how long a worker may take that needs at most so many seconds: no longer than the run, but one second.
    pub fn at_most(self, seconds: u64) -> u64 {
        let left = self.seconds.map(|limit| limit.saturating_sub(self.spent()).max(1));
        left.map_or(seconds, |left| left.min(seconds))
    }

    /// Returns whether the run is over.
    pub fn is_over(self) -> bool {
        let Some(seconds) = self.seconds else { return false };
        self.begun.elapsed() >= Duration::from_secs(seconds.saturating_sub(self.before))
    }

    /// Returns the problem of what was not read because the run was over.
    pub fn problem(self) -> Problem {
        let limit = self.seconds.unwrap_or_default();
        Problem::new(format!("at most {limit} seconds in one run"), "more, which were not read")
            .code(Code::Limit)
            .advise("raise the limit with --max-seconds, or examine the evidence in parts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_over_after_its_seconds_in_whatever_process() {
        assert!(!Deadline::of(None).is_over() && !Deadline::of(None).after(u64::MAX).is_over());
        assert!(Deadline::of(Some(0)).is_over());
        let run = Deadline::of(Some(600));
        assert!(!run.is_over() && !run.after(599).is_over());
        assert_eq!((run.after(200).at_most(1000), run.after(200).spent()), (400, 200));
        assert_eq!((run.after(200).at_most(7), run.after(700).at_most(7), Deadline::of(None).at_most(7)), (7, 1, 7));
        assert!(run.after(600).is_over() && run.after(601).is_over());
        assert_eq!(
            run.problem().to_string(),
            "expected at most 600 seconds in one run, found more, which were not read; \
             raise the limit with --max-seconds, or examine the evidence in parts"
        );
    }
}
