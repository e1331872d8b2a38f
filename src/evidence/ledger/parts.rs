//! Ledgers of parts of the evidence, which are examined side by side.

use super::{Ledger, Outcome, Source, SourceId};
use crate::evidence::file_system::Vouched;

impl Ledger {
    /// Returns the ledger of a part of the evidence that is in a source of another ledger. Entries of
    /// [`SourceId::OUTER`] become entries of that source in [`Ledger::absorb`].
    pub fn of_part() -> Self {
        let mut ledger = Self { sources: Vec::new(), part: true };
        let outer = ledger.begin("", "");
        ledger.end(outer, Outcome::Read, Vouched::Unprotected);
        ledger
    }

    /// Appends the sources of a part of the evidence; `of` is the source that the part is in.
    pub fn absorb(&mut self, part: Self, of: Option<SourceId>) {
        let mut sources = part.sources.into_iter();
        let outer = if part.part { sources.next() } else { None };
        for source in sources {
            match (source, of) {
                (Source { of_outer: true, kind, outcome: Outcome::Refused { problem, gap }, .. }, Some(of)) => {
                    self.refuse_member(of, &kind, problem, gap);
                }
                (source, _) => self.sources.push(source),
            }
        }
        let (Some(outer), Some(source)) = (outer, of.and_then(|of| self.sources.get_mut(of.0))) else { return };
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut source.members.seen, outer.members.seen);
        add(&mut source.members.read, outer.members.read);
        add(&mut source.members.irrelevant, outer.members.irrelevant);
        source.notes.extend(outer.notes);
        for (reason, count) in outer.passed {
            add(source.passed.entry(reason).or_default(), count);
        }
        for (code, (more, more_gap)) in outer.unlisted {
            add(&mut source.members.refused, more);
            let (count, gap) = source.unlisted.entry(code).or_default();
            add(count, more);
            *gap |= more_gap;
        }
    }
}
