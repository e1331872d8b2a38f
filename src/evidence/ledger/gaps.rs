//! What a ledger says of completeness.

use super::{Ledger, Outcome};
use crate::error::{Code, Gap, Problem};
use crate::evidence::file_system::Vouched;

/// What to do about bytes that do not match their checksum.
const COPY_AGAIN: &str = "copy it again from the original";

impl Ledger {
    /// Returns everything in the ledger that makes a report incomplete. A report is complete if this list and the list
    /// of the hives' missing parts are empty.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for source in &self.sources {
            let mut gap = |code, reason: String, advice: Option<&str>| {
                gaps.push(Gap::new(code, &source.locator, reason).advise(advice.map(str::to_owned)));
            };
            match &source.outcome {
                Outcome::Pending => gap(Code::Unfinished, "the run ended before it was read".to_owned(), None),
                Outcome::Refused { problem, gap: true } => {
                    let code = problem.code.unwrap_or(Code::Unreadable);
                    gap(code, problem.found.clone(), problem.advice.as_deref());
                }
                Outcome::Read => {
                    if let Vouched::Unverified(why) = &source.vouched
                        && !source.aside
                    {
                        gap(Code::Unverified, why.clone(), Some(COPY_AGAIN));
                    }
                }
                Outcome::Refused { .. } | Outcome::Irrelevant(_) => {}
            }
            for (code, (count, any_gap)) in &source.unlisted {
                if *any_gap {
                    gap(*code, format!("{count} more of the listed kind"), None);
                }
            }
        }
        gaps
    }

    /// Returns the refusals as problems: where, expected, found, what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for source in &self.sources {
            let at = |problem: Problem| Problem { path: Some(source.locator.clone()), ..problem };
            match &source.outcome {
                Outcome::Refused { problem, gap: true } => problems.push(at(problem.clone())),
                Outcome::Read => {
                    if let Vouched::Unverified(why) = &source.vouched
                        && !source.aside
                    {
                        let problem = Problem::new("bytes whose checksum matches", why.clone()).code(Code::Unverified);
                        problems.push(at(problem.advise(COPY_AGAIN)));
                    }
                }
                _ => {}
            }
            for (code, (count, any_gap)) in &source.unlisted {
                if *any_gap {
                    problems.push(at(Problem::new(
                        "files that can be read",
                        format!("{count} more that cannot be read"),
                    )
                    .code(*code)));
                }
            }
        }
        problems
    }
}
