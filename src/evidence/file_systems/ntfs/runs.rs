//! The runs of clusters that an attribute's bytes lie in, read as one.
//!
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/data_runs.html>

use std::io;

use crate::evidence::block::{BlockRead, Blocks};

/// Bytes that lie one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where they begin, in bytes from the attribute's start.
    pub(super) offset: u64,
    /// How many.
    pub(super) length: u64,
    /// Where they lie, in bytes from the volume's start; `None` for zeros.
    pub(super) at: Option<u64>,
}

/// All runs of an attribute, in order and without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(Vec<Run>);

impl Runs {
    /// Adds the runs of one part of an attribute, which has to begin where the last one ended.
    ///
    /// # Errors
    /// What of them cannot be right.
    pub(super) fn add(&mut self, first: u64, last: u64, pairs: &[u8], cluster: u64) -> Result<(), &'static str> {
        let mut offset = self.end();
        if first.checked_mul(cluster) != Some(offset) {
            return Err("a part of its runs is missing");
        }
        let too_far = "a run that lies outside of any volume";
        let (mut rest, mut place) = (pairs, 0_i64);
        while let Some((sizes, after)) = rest.split_first().filter(|(sizes, _)| **sizes != 0) {
            let (of_length, of_place) = (usize::from(sizes & 15), usize::from(sizes >> 4));
            let cut = "runs that do not end";
            let (length, after) = after.split_at_checked(of_length).ok_or(cut)?;
            let (by, after) = after.split_at_checked(of_place).ok_or(cut)?;
            rest = after;
            let length = u64::try_from(number(length).ok_or(too_far)?).ok().filter(|length| *length > 0);
            let length = length.and_then(|length| length.checked_mul(cluster)).ok_or("a run of no length")?;
            let at = if by.is_empty() {
                None
            } else {
                place = place.checked_add(number(by).ok_or(too_far)?).ok_or(too_far)?;
                let at = u64::try_from(place).ok().and_then(|place| place.checked_mul(cluster)).ok_or(too_far)?;
                at.checked_add(length).ok_or(too_far)?;
                Some(at)
            };
            self.push(Run { offset, length, at });
            offset = offset.checked_add(length).ok_or(too_far)?;
        }
        // An attribute without clusters has 0xFFFFFFFFFFFFFFFF as its last.
        if last.wrapping_add(1).checked_mul(cluster) != Some(offset) {
            return Err("fewer or more clusters than it should have");
        }
        Ok(())
    }

    /// Adds a run, or lengthens the last one that it goes on from.
    fn push(&mut self, run: Run) {
        if let Some(last) = self.0.last_mut()
            && last.at.and_then(|at| at.checked_add(last.length)) == run.at
            && last.at.is_some() == run.at.is_some()
        {
            last.length = last.length.saturating_add(run.length);
        } else {
            self.0.push(run);
        }
    }

    /// Where the runs end, in bytes.
    pub(super) fn end(&self) -> u64 {
        self.0.last().map_or(0, |last| last.offset.saturating_add(last.length))
    }

    /// Bytes that are kept on the volume.
    pub(super) fn stored(&self) -> u64 {
        self.0.iter().filter(|run| run.at.is_some()).fold(0, |sum, run| sum.saturating_add(run.length))
    }

    /// What there is from an offset on, up to the end of its run.
    pub(super) fn from(&self, offset: u64) -> Option<Run> {
        let behind = self.0.partition_point(|run| run.offset <= offset);
        let run = self.0.get(behind.checked_sub(1)?)?;
        let within = offset.saturating_sub(run.offset);
        let length = run.length.checked_sub(within).filter(|length| *length > 0)?;
        Some(Run { offset, length, at: run.at.map(|at| at.saturating_add(within)) })
    }

    /// Fills the beginning of `buffer` from one run.
    ///
    /// # Errors
    /// Where on the volume the bytes should be, and why they cannot be had.
    pub(super) fn read(&self, volume: &Blocks, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let run = self.from(offset).ok_or_else(|| io::Error::other(format!("no cluster has the byte {offset:#x}")))?;
        let count = buffer.len().min(usize::try_from(run.length).unwrap_or(usize::MAX));
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        match run.at {
            None => buffer.fill(0),
            Some(at) => volume.read_exact_at(buffer, at).map_err(|error| {
                io::Error::new(error.kind(), format!("{count} bytes at {at:#x} of the volume cannot be read: {error}"))
            })?,
        }
        Ok(count)
    }
}

/// A number of up to eight bytes, with its sign.
fn number(bytes: &[u8]) -> Option<i64> {
    let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut eight = [fill; 8];
    eight.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(eight))
}

/// An attribute that is not compressed.
pub(super) struct Stored {
    pub(super) volume: Blocks,
    pub(super) runs: Runs,
    /// Bytes in all.
    pub(super) size: u64,
    /// Bytes that were written; zeros behind them.
    pub(super) valid: u64,
}

impl BlockRead for Stored {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let written = offset < self.valid.min(self.size);
        let end = if written { self.valid.min(self.size) } else { self.size };
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        if written && count > 0 {
            return self.runs.read(&self.volume, buffer, offset);
        }
        buffer.fill(0);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn runs_go_on_backwards_and_over_holes() {
        let mut runs = Runs::default();
        // Two clusters at 4, two at 6 (the same run), three of zeros, one at 1.
        runs.add(0, 7, &[0x11, 2, 4, 0x11, 2, 2, 0x01, 3, 0x11, 1, 0xfb, 0], 16).unwrap();
        let run = |offset, length, at| Run { offset, length, at };
        assert_eq!(runs.0, [run(0, 64, Some(64)), run(64, 48, None), run(112, 16, Some(16))]);
        assert_eq!((runs.end(), runs.stored()), (128, 80));
        assert_eq!(runs.from(70), Some(run(70, 42, None)));
        assert_eq!(runs.from(128), None);
        let stored = Stored { volume: Arc::new((0..200).collect::<Vec<u8>>()), runs, size: 120, valid: 118 };
        let mut bytes = [9; 120];
        stored.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!((bytes[0], bytes[63], bytes[64], bytes[111], bytes[112]), (64, 127, 0, 0, 16));
        assert_eq!((bytes[117], bytes[118], bytes[119]), (21, 0, 0));
        assert_eq!(stored.read_at(&mut bytes, 120).unwrap(), 0);
    }

    #[test]
    fn runs_that_cannot_be_are_refused() {
        for (first, last, pairs) in [
            (1, 1, &[0x11, 1, 4, 0][..]),
            (0, 1, &[0x11, 1, 4, 0]),
            (0, 0, &[0x11, 1]),
            (0, 0, &[0x11, 0, 4, 0]),
            (0, 0, &[0x11, 1, 0xff, 0]),
            (0, 0, &[0xf1, 1]),
            (0, 0, &[0x81, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]),
        ] {
            assert!(Runs::default().add(first, last, pairs, 4096).is_err(), "{pairs:x?}");
        }
        assert_eq!(Runs::default().add(0, u64::MAX, &[0], 4096), Ok(()));
    }
}
