//! The budget of one run: bytes read from containers, sources, installations. The whole run has one budget and charges it
//! in the order of the output, so that the same evidence always reaches a limit at the same place.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Problem};

/// Bytes that are always allowed, plus this multiple of the evidence's size: hives compress to a twentieth.
const BYTES: u64 = 512 << 20;
const BYTES_FOR_ONE: u64 = 40;
/// Sources that are always allowed; this many bytes of evidence allow one more.
const SOURCES: u64 = 10_000;
const BYTES_A_SOURCE: u64 = 16 << 10;
/// Installations that are always allowed; this many bytes of evidence allow one more: no hive is smaller than 8 KiB.
const INSTALLATIONS: u64 = 2_000;
const BYTES_AN_INSTALLATION: u64 = 256 << 10;

/// Limits that the user gave. A limit that is not given grows with the evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// `--max-bytes`: bytes read from containers.
    pub bytes: Option<u64>,
    /// `--max-sources`.
    pub sources: Option<u64>,
    /// `--max-installations`.
    pub installations: Option<u64>,
    /// `--max-seconds`; see [`super::deadline`].
    pub seconds: Option<u64>,
}

/// The rest of a run's budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Which limits the user gave: these do not grow.
    given: [bool; 3],
    limits: [u64; 3],
    left: [u64; 3],
    /// Whether a limit stopped something.
    hit: bool,
}

/// What a budget limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Bytes read from containers.
    Bytes = 0,
    /// Sources, as entries of the ledger.
    Sources = 1,
    /// Installations.
    Installations = 2,
}

impl Cost {
    /// Returns the limit's option and the name of what the limit counts.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Bytes => ("--max-bytes", "bytes read from containers"),
            Self::Sources => ("--max-sources", "sources"),
            Self::Installations => ("--max-installations", "installations"),
        }
    }
}

impl Budget {
    /// Returns the budget of a run over evidence of `evidence` bytes.
    pub fn of(limits: Limits, evidence: u64) -> Self {
        let or = |given: Option<u64>, always: u64, more: u64| given.unwrap_or_else(|| always.saturating_add(more));
        let given = [limits.bytes, limits.sources, limits.installations].map(|limit| limit.is_some());
        let limits = [
            or(limits.bytes, BYTES, evidence.saturating_mul(BYTES_FOR_ONE)),
            or(limits.sources, SOURCES, evidence / BYTES_A_SOURCE),
            or(limits.installations, INSTALLATIONS, evidence / BYTES_AN_INSTALLATION),
        ];
        Self { given, limits, left: limits, hit: false }
    }

    /// Raises the limits that the user did not give, for `evidence` more bytes of evidence.
    pub fn grow(&mut self, evidence: u64) {
        let more =
            [evidence.saturating_mul(BYTES_FOR_ONE), evidence / BYTES_A_SOURCE, evidence / BYTES_AN_INSTALLATION];
        for ((limit, left), (more, given)) in
            self.limits.iter_mut().zip(self.left.iter_mut()).zip(more.into_iter().zip(self.given))
        {
            if !given {
                *limit = limit.saturating_add(more);
                *left = left.saturating_add(more);
            }
        }
    }

    /// Returns the rest of one limit.
    pub fn left(&self, cost: Cost) -> u64 {
        self.left.get(cost as usize).copied().unwrap_or_default()
    }

    /// Spends `amount`; if the rest is smaller, spends the rest.
    ///
    /// # Errors
    /// The rest is smaller than `amount`: which limit, and the option that raises it.
    pub fn spend(&mut self, cost: Cost, amount: u64) -> Result<(), Problem> {
        let left = self.left(cost);
        if let Some(place) = self.left.get_mut(cost as usize) {
            *place = left.saturating_sub(amount);
        }
        if amount <= left { Ok(()) } else { Err(self.exceeded(cost)) }
    }

    /// Charges what a part of the run grew and spent on its own: `begun` is the budget that the part began with, `ended`
    /// the rest that it left. Returns `false`, and charges nothing, if the part has to be repeated with this budget: it
    /// spent more than is left here, or a limit stopped it that may be another one here.
    #[must_use]
    pub fn charge(&mut self, begun: &Self, ended: &Self) -> bool {
        if self == begun {
            self.clone_from(ended);
            return true;
        }
        if ended.hit {
            return false;
        }
        let mut after = self.clone();
        let of_part = begun.limits.iter().zip(ended.limits.iter().zip(&ended.left));
        for ((limit, left), (before, (grown, rest))) in after.limits.iter_mut().zip(&mut after.left).zip(of_part) {
            let growth = grown.saturating_sub(*before);
            *limit = limit.saturating_add(growth);
            let Some(rest) = left.saturating_add(growth).checked_sub(grown.saturating_sub(*rest)) else { return false };
            *left = rest;
        }
        *self = after;
        true
    }

    /// Returns whether the user gave this limit.
    pub fn is_given(&self, cost: Cost) -> bool {
        self.given.get(cost as usize).copied().unwrap_or_default()
    }

    /// Returns the problem to report where a limit stops the work.
    pub fn exceeded(&mut self, cost: Cost) -> Problem {
        self.hit = true;
        let (option, what) = cost.words();
        let limit = self.limits.get(cost as usize).copied().unwrap_or_default();
        Problem::new(format!("at most {limit} {what} in one run"), "more, which were not read")
            .code(Code::Limit)
            .advise(format!("raise the limit with {option}, or examine the evidence in parts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_grows_with_the_evidence_and_names_the_option_that_raises_it() {
        let mut budget = Budget::of(Limits { bytes: Some(10), ..Limits::default() }, 1 << 30);
        assert_eq!((budget.left(Cost::Bytes), budget.left(Cost::Sources)), (10, 10_000 + (1 << 16)));
        assert!(budget.spend(Cost::Bytes, 7).is_ok());
        assert!(budget.is_given(Cost::Bytes) && !budget.is_given(Cost::Sources));
        let problem = budget.spend(Cost::Bytes, 4).unwrap_err();
        assert_eq!(budget.left(Cost::Bytes), 0);
        assert_eq!(
            problem.to_string(),
            "expected at most 10 bytes read from containers in one run, found more, which were not read; \
             raise the limit with --max-bytes, or examine the evidence in parts"
        );
    }

    #[test]
    fn parts_that_began_alike_are_charged_one_by_one_until_the_budget_is_too_small() {
        let limits = Limits { bytes: Some(10), ..Limits::default() };
        let begun = Budget::of(limits, 0);
        let part = |bytes, evidence| {
            let mut budget = begun.clone();
            budget.grow(evidence);
            let _ = budget.spend(Cost::Bytes, bytes);
            budget.spend(Cost::Sources, 1).unwrap();
            budget
        };
        let mut whole = begun.clone();
        assert!(whole.charge(&begun, &part(4, 1 << 20)));
        assert!(whole.charge(&begun, &part(4, 1 << 20)));
        assert_eq!((whole.left(Cost::Bytes), whole.left(Cost::Sources)), (2, SOURCES + 2 * 64 - 2));
        let before = whole.clone();
        assert!(!whole.charge(&begun, &part(4, 0)), "more than is left");
        assert!(!whole.charge(&begun, &part(11, 0)), "stopped by its own limit");
        assert_eq!(whole, before);
        // Repeated with the rest, a part is charged whatever stopped it.
        let mut again = whole.clone();
        assert!(again.spend(Cost::Bytes, 4).is_err());
        let begun = whole.clone();
        assert!(whole.charge(&begun, &again));
        assert_eq!(whole.left(Cost::Bytes), 0);
    }
}
