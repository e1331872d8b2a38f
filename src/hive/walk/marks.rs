//! The cells that a walk has visited, one bit for each 8 bytes of the hive.

use std::collections::BTreeSet;

/// A set of cell offsets. Cells begin at multiples of 8 bytes. Other offsets, from a damaged or hostile hive, are
/// stored separately, so that each offset stays distinct.
#[derive(Default)]
pub(super) struct Marks {
    words: Vec<u64>,
    odd: BTreeSet<u32>,
}

impl Marks {
    /// Returns an empty set for hive bins of `bytes` bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { words: vec![0; bytes.div_ceil(512)], odd: BTreeSet::new() }
    }

    /// Adds an offset, and returns whether it is new.
    pub(super) fn insert(&mut self, offset: u32) -> bool {
        let Some((word, bit)) = place(offset) else { return self.odd.insert(offset) };
        match self.words.get_mut(word) {
            Some(word) => {
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
            None => self.odd.insert(offset),
        }
    }

    /// Returns whether an offset is in the set.
    pub(super) fn contains(&self, offset: u32) -> bool {
        match place(offset) {
            Some((word, bit)) if word < self.words.len() => self.words.get(word).is_some_and(|word| word & bit != 0),
            _ => self.odd.contains(&offset),
        }
    }

    /// Returns the offsets that are not in `other`, in order.
    pub(super) fn without(&self, other: &Self) -> impl Iterator<Item = u32> {
        let words = self.words.iter().enumerate().filter_map(|(index, word)| {
            let rest = word & !other.words.get(index).copied().unwrap_or(0);
            (rest != 0).then(|| (u32::try_from(index).unwrap_or(u32::MAX).saturating_mul(512), rest))
        });
        let words = words.flat_map(|(first, rest)| {
            (0..64_u32)
                .filter(move |bit| rest >> bit & 1 != 0)
                .map(move |bit| first.saturating_add(bit.saturating_mul(8)))
        });
        words.chain(self.odd.iter().copied().filter(|offset| !other.odd.contains(offset)))
    }
}

/// Returns the word of an offset and its bit there; `None` if the offset is not a multiple of 8.
fn place(offset: u32) -> Option<(usize, u64)> {
    let bit = offset.is_multiple_of(8).then_some(offset / 8)?;
    Some((usize::try_from(bit / 64).ok()?, 1 << (bit % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_is_one_of_its_own() {
        let mut marks = Marks::new(1024);
        for offset in [0, 8, 504, 512, 1016, 1024, 4, 9, u32::MAX] {
            assert!(!marks.contains(offset));
            assert!(marks.insert(offset));
            assert!(!marks.insert(offset) && marks.contains(offset));
        }
        let mut others = Marks::new(1024);
        others.insert(8);
        others.insert(9);
        assert_eq!(marks.without(&others).collect::<Vec<_>>(), [0, 504, 512, 1016, 4, 1024, u32::MAX]);
    }
}
