//! Recently read or decompressed pieces of an image.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of pieces of one kind that are kept for each image of a chain.
const MOST_KEPT: usize = 8 << 20;
/// Pieces that are kept even if they are large.
const FEWEST_KEPT: usize = 2;

/// The most recently used pieces, by number.
#[derive(Default)]
pub(in crate::evidence) struct Kept {
    pieces: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
}

impl Kept {
    /// Returns a piece; `load` reads it if it is not kept.
    ///
    /// # Errors
    /// The error of `load`.
    pub(in crate::evidence) fn get(
        &self,
        number: u64,
        load: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Arc<Vec<u8>>> {
        {
            let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
            let found = pieces.iter().position(|(kept, _)| *kept == number).and_then(|place| pieces.remove(place));
            if let Some((number, piece)) = found {
                let again = Arc::clone(&piece);
                pieces.push_front((number, piece));
                return Ok(again);
            }
        }
        // Not under the lock: other threads may load other pieces meanwhile.
        let piece = Arc::new(load()?);
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.push_front((number, Arc::clone(&piece)));
        let most = (MOST_KEPT.checked_div(piece.len()).unwrap_or(1)).clamp(FEWEST_KEPT, 256);
        pieces.truncate(most);
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_fetched_once_while_it_is_in_use_and_a_failure_is_not_kept() {
        let kept = Kept::default();
        let mut loads = 0;
        assert!(kept.get(1, || Err(io::Error::other("no"))).is_err());
        for number in [1, 2, 1, 3, 1, 4, 1, 2] {
            let piece = kept.get(number, || {
                loads += 1;
                Ok(vec![u8::try_from(number).unwrap(); MOST_KEPT / 2])
            });
            assert_eq!(u64::from(piece.unwrap()[0]), number);
        }
        // 3 replaced 2, which is loaded again; 1 was always among the last two.
        assert_eq!((loads, kept.pieces.lock().unwrap().len()), (5, 2));
    }
}
