//! The beginnings of files in an archive of one stream: kept from the pass that found them, as many as fit.

use crate::evidence::file_system::Head;

/// Bytes of beginnings to keep of one archive; the others are read again, in passes that keep as many.
const MOST_KEPT: usize = 64 << 20;

/// The beginning of a member, as far as it is known.
pub(super) enum Beginning<'h> {
    /// The pass has not reached the member.
    NotReached,
    /// The beginning is unreadable.
    Unreadable,
    /// The beginning.
    Found(&'h Head),
}

/// Beginnings of consecutive members.
#[derive(Default)]
pub(super) struct Heads {
    first: usize,
    kept: Vec<Option<Head>>,
    bytes: usize,
    full: bool,
}

impl Heads {
    /// Starts with the member of this number.
    pub(super) fn from(first: usize) -> Self {
        Self { first, ..Self::default() }
    }

    /// Returns whether nothing was kept.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Keeps the beginning of the member `number` if there is room, and returns whether there was; numbers ascend.
    pub(super) fn keep(&mut self, number: usize, head: Option<Head>) -> bool {
        let Some(place) = number.checked_sub(self.first).filter(|place| *place >= self.kept.len()) else {
            return !self.full;
        };
        let size = head.as_ref().map_or(0, |head| head.bytes.len().saturating_add(head.end.len()));
        self.bytes = self.bytes.saturating_add(size);
        // One beginning must always fit, or a pass would keep none.
        self.full |= self.bytes > MOST_KEPT && !self.kept.is_empty();
        if !self.full {
            self.kept.resize(place, None);
            self.kept.push(head);
        }
        !self.full
    }

    /// Returns the kept beginning of a member.
    pub(super) fn get(&self, number: usize) -> Beginning<'_> {
        match number.checked_sub(self.first).and_then(|place| self.kept.get(place)) {
            None => Beginning::NotReached,
            Some(None) => Beginning::Unreadable,
            Some(Some(head)) => Beginning::Found(head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept_and_the_first_always_fits() {
        let head = |size: usize| Some(Head { bytes: vec![7; size], ..Head::default() });
        let mut heads = Heads::from(5);
        assert!(heads.keep(5, head(MOST_KEPT - 10)) && heads.keep(7, head(10)) && heads.keep(8, None));
        assert!(!heads.keep(9, head(1)) && !heads.keep(10, None));
        for (number, expected) in
            [(4, None), (5, Some(true)), (6, Some(false)), (7, Some(true)), (8, Some(false)), (9, None)]
        {
            let found = match heads.get(number) {
                Beginning::NotReached => None,
                Beginning::Unreadable => Some(false),
                Beginning::Found(_) => Some(true),
            };
            assert_eq!(found, expected, "{number}");
        }
        let mut large = Heads::from(0);
        large.keep(0, head(MOST_KEPT + 1));
        assert!(matches!(large.get(0), Beginning::Found(_)));
    }
}
