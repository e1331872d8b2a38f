//! The tables of an image, read in pages that are kept: the whole tables may not fit into memory.

use std::io;

use super::kept::Kept;
use crate::evidence::block::Blocks;

/// Bytes of one page.
const PAGE: u64 = 64 << 10;

/// A file with tables.
pub(super) struct Pages {
    file: Blocks,
    kept: Kept,
}

impl Pages {
    pub(super) fn new(file: Blocks) -> Self {
        Self { file, kept: Kept::default() }
    }

    /// Returns the file.
    pub(super) fn file(&self) -> Blocks {
        Blocks::clone(&self.file)
    }

    /// Returns `N` bytes from `at` on; `N` is at most 16.
    ///
    /// # Errors
    /// The file is unreadable, or ends first.
    pub(super) fn get<const N: usize>(&self, at: u64) -> io::Result<[u8; N]> {
        let start = at & !(PAGE - 1);
        let within = usize::try_from(at & (PAGE - 1)).map_err(io::Error::other)?;
        let page = self.kept.get(start, || {
            let length = self.file.size().saturating_sub(start).min(PAGE);
            let mut page = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            self.file.read_exact_at(&mut page, start).map(|()| page)
        })?;
        if let Some(bytes) = super::field::bytes(&page, within) {
            return Ok(bytes);
        }
        // The bytes are on two pages, or past the end.
        let mut bytes = [0; N];
        self.file.read_exact_at(&mut bytes, at).map(|()| bytes)
    }
}

/// Returns `length` bytes of a header from `at` on.
///
/// # Errors
/// The file is unreadable, or ends first.
pub(super) fn header(file: &Blocks, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn numbers_are_read_across_pages_and_not_past_the_end() {
        let bytes: Vec<u8> = (0..70_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let pages = Pages::new(Arc::new(bytes.clone()));
        for at in [0, 65_532, 65_534, 65_536, 69_996] {
            assert_eq!(pages.get::<4>(at as u64).unwrap(), bytes[at..at + 4]);
        }
        assert!(
            pages.get::<4>(69_997).is_err() && pages.get::<4>(1 << 40).is_err() && pages.get::<4>(u64::MAX).is_err()
        );
    }
}
