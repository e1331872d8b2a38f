//! The beginnings of the files of an archive that is one stream: kept from the pass that found them, as many as fit.

use crate::evidence::file_system::Head;

/// Bytes of beginnings that are kept of one archive; more are read again, in passes that keep as many.
const MOST_KEPT: usize = 64 << 20;

/// Beginnings of consecutive members.
#[derive(Default)]
pub(super) struct Heads {
    first: usize,
    heads: Vec<Option<Head>>,
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
        self.heads.is_empty()
    }

    /// Keeps the beginning of the member `number`, if there is room; numbers come in order. Whether there was room.
    pub(super) fn keep(&mut self, number: usize, head: Option<Head>) -> bool {
        let Some(place) = number.checked_sub(self.first).filter(|place| *place >= self.heads.len()) else {
            return !self.full;
        };
        let size = head.as_ref().map_or(0, |head| head.bytes.len().saturating_add(head.end.len()));
        self.bytes = self.bytes.saturating_add(size);
        // One must fit, or a pass would keep none.
        self.full |= self.bytes > MOST_KEPT && !self.heads.is_empty();
        if !self.full {
            self.heads.resize(place, None);
            self.heads.push(head);
        }
        !self.full
    }

    /// Returns what was kept of a member: `None` where the pass did not come so far.
    pub(super) fn get(&self, number: usize) -> Option<Option<&Head>> {
        self.heads.get(number.checked_sub(self.first)?).map(Option::as_ref)
    }
}
