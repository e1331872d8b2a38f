//! The runs of clusters that contain a file's bytes, read as one: clusters that are consecutive on the volume are read
//! together.

use std::io;

use crate::evidence::block::{BlockRead, Blocks};

/// Consecutive bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Their start, in bytes from the file's start.
    pub(super) offset: u64,
    /// Their number.
    pub(super) length: u64,
    /// Their place, in bytes from the volume's start; `None` for zeros.
    pub(super) at: Option<u64>,
}

/// All runs of a file, in order and without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(Vec<Run>);

impl Runs {
    /// Returns the number of runs.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds a run, or lengthens the last one if the new run continues it.
    pub(super) fn push(&mut self, run: Run) {
        if let Some(last) = self.0.last_mut()
            && last.at.and_then(|at| at.checked_add(last.length)) == run.at
            && last.at.is_some() == run.at.is_some()
        {
            last.length = last.length.saturating_add(run.length);
        } else {
            self.0.push(run);
        }
    }

    /// Returns the end of the runs, in bytes from the file's start.
    pub(super) fn end(&self) -> u64 {
        self.0.last().map_or(0, |last| last.offset.saturating_add(last.length))
    }

    /// Returns how many bytes are stored on the volume.
    pub(super) fn stored(&self) -> u64 {
        self.0.iter().filter(|run| run.at.is_some()).fold(0, |sum, run| sum.saturating_add(run.length))
    }

    /// Returns the run from an offset on, up to its end.
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
    /// The place of the bytes on the volume, and why they are unreadable.
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

/// A file or an attribute in runs.
pub(super) struct Stored {
    pub(super) volume: Blocks,
    pub(super) runs: Runs,
    /// The size in bytes.
    pub(super) size: u64,
    /// Bytes that were written; the rest is zeros.
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
    fn runs_that_follow_each_other_are_one_and_holes_are_zeros() {
        let mut runs = Runs::default();
        for (offset, length, at) in
            [(0, 32, Some(64)), (32, 32, Some(96)), (64, 16, None), (80, 32, None), (112, 16, Some(16))]
        {
            runs.push(Run { offset, length, at });
        }
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
}
