//! The problems that a walk finds, with a limited number of each kind.

use crate::error::Problem;

/// The most problems of one kind that are listed. A damaged hive can have millions, and people read the first few.
const MAX_OF_A_KIND: u64 = 20;

/// The kinds of problems in a hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key, a list, a value or data that cannot be read.
    Unreadable,
    /// A hive bin or a cell with an impossible place or size.
    Bin,
    /// An offset into the middle of a cell.
    Misplaced,
    /// A key that is found a second time: a loop, or two lists that name it.
    Twice,
    /// A list, value, or datum that belongs to two keys.
    Shared,
    /// An invalid security descriptor or class name.
    Attribute,
    /// A stored parent that differs from the key whose list names this key.
    Parent,
    /// A list that is not in the order that Windows' search requires.
    Order,
    /// Two names that are the same to Windows.
    Duplicate,
    /// A hint or hash that does not match the key's name.
    Hint,
    /// A name that Windows' own programs cannot create or cannot show.
    Name,
    /// A list that is shorter or longer than its key's count.
    Count,
    /// A key or value that overlays that of another hive.
    Layer,
    /// A symbolic link: Windows reads another key in its place.
    Link,
    /// Data in one cell where Windows expects segments. This program reads them; Windows does not.
    Segments,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Unreadable,
        Self::Bin,
        Self::Misplaced,
        Self::Twice,
        Self::Shared,
        Self::Attribute,
        Self::Parent,
        Self::Order,
        Self::Duplicate,
        Self::Hint,
        Self::Name,
        Self::Count,
        Self::Layer,
        Self::Link,
        Self::Segments,
    ];

    /// Returns whether the kind is damage and not only an oddity: something of the hive is lost or cannot be assigned.
    fn is_damage(self) -> bool {
        matches!(self, Self::Unreadable | Self::Bin | Self::Misplaced | Self::Twice | Self::Attribute | Self::Segments)
    }

    /// Returns the expected state, for all problems of a kind.
    fn expected(self) -> &'static str {
        match self {
            Self::Unreadable => "keys, lists, values and data that can be read",
            Self::Bin => "hive bins and cells one after the other",
            Self::Misplaced => "offsets at which cells begin",
            Self::Twice => "keys that one list names",
            Self::Shared => "cells that one key uses",
            Self::Attribute => "security descriptors and class names that can be read",
            Self::Parent => "parents that are the key above",
            Self::Order => "lists in the order of their uppercase names",
            Self::Duplicate => "names that occur once",
            Self::Hint => "hints and hashes that match the keys' names",
            Self::Name => "names without NUL and backslash",
            Self::Count => "counts that match the lists",
            Self::Layer => "keys and values that stand by themselves",
            Self::Link => "keys that hold their own values and subkeys",
            Self::Segments => "data of more than 16,344 bytes in segments",
        }
    }
}

/// The problems found.
#[derive(Default)]
pub(super) struct Met {
    problems: Vec<Problem>,
    counts: [u64; Kind::ALL.len()],
}

impl Met {
    /// Counts a problem, and keeps it if it is one of the first of its kind.
    pub(super) fn meet(&mut self, kind: Kind, problem: impl FnOnce() -> Problem) {
        if let Some(count) = self.counts.get_mut(kind as usize) {
            *count = count.saturating_add(1);
            if *count <= MAX_OF_A_KIND {
                self.problems.push(problem());
            }
        }
    }

    /// Returns whether any problem is damage.
    pub(super) fn damage(&self) -> bool {
        Kind::ALL.iter().zip(self.counts).any(|(kind, count)| count > 0 && kind.is_damage())
    }

    /// Adds a problem that occurs only once in a hive.
    pub(super) fn note(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Returns the problems by place, and the number of others of each kind.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems;
        for (kind, count) in Kind::ALL.into_iter().zip(self.counts) {
            if let Some(more @ 1..) = count.checked_sub(MAX_OF_A_KIND) {
                let told = format!("{more} more that differ, besides the {MAX_OF_A_KIND} that are listed");
                problems.push(Problem::new(kind.expected(), told));
            }
        }
        problems.sort();
        problems.dedup();
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_kind_are_listed_and_the_rest_counted() {
        let mut met = Met::default();
        for offset in 0..25 {
            met.meet(Kind::Count, || Problem::at(offset, "2", "3"));
        }
        assert!(!met.damage());
        let problems = met.into_problems();
        assert_eq!(problems.len(), 21);
        insta::assert_snapshot!(problems[0], @"expected counts that match the lists, found 5 more that differ, besides the 20 that are listed");
    }

    #[test]
    fn every_kind_has_its_counter() {
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }
}
