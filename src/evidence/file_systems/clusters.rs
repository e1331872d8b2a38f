//! The clusters of FAT and exFAT volumes, and the file allocation table, which gives each cluster its successor.

use std::io;
use std::sync::Arc;

use super::runs::{Run, Runs, Stored};
use super::wrong::bad;
use crate::evidence::block::{Blocks, Part};
use crate::evidence::disk::field::{le16, le32};
use crate::evidence::disk::kept::Kept;

/// The most pieces of a file or folder.
const MOST_RUNS: usize = 1 << 20;
/// Bytes of the table to read at a time.
const PAGE: u64 = 64 << 10;
/// The number of the first cluster.
const FIRST: u64 = 2;

/// The size of an entry of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// FAT12.
    Twelve,
    /// FAT16.
    Sixteen,
    /// FAT32, whose upper four bits are reserved.
    TwentyEight,
    /// exFAT.
    ThirtyTwo,
}

/// The successor of a cluster.
enum Next {
    Cluster(u64),
    End,
    /// Not a valid successor: free, bad or reserved.
    None(u64),
}

/// The clusters of a volume.
pub(super) struct Clusters {
    pub(super) volume: Blocks,
    /// The active table.
    table: Blocks,
    pages: Kept,
    width: Width,
    /// The number of clusters; the first is number 2.
    pub(super) count: u64,
    /// Bytes of a cluster.
    pub(super) size: u64,
    /// The start of the first cluster, in bytes from the volume's start.
    heap: u64,
}

impl Clusters {
    /// Returns the clusters. `table` is the table's start and length, `heap` the start of the clusters; all in bytes.
    pub(super) fn new(volume: &Blocks, table: (u64, u64), width: Width, count: u64, size: u64, heap: u64) -> Self {
        let (start, length) = table;
        let table = Arc::new(Part::new(Arc::clone(volume), start, length));
        Self { volume: Arc::clone(volume), table, pages: Kept::default(), width, count, size, heap }
    }

    /// Returns whether cluster numbers have more than sixteen bits.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self.width, Width::TwentyEight | Width::ThirtyTwo)
    }

    /// Returns the start of a cluster, in bytes from the volume's start.
    pub(super) fn place(&self, cluster: u64) -> Option<u64> {
        let number = cluster.checked_sub(FIRST).filter(|number| *number < self.count)?;
        number.checked_mul(self.size)?.checked_add(self.heap)
    }

    /// Returns the number of the cluster that contains a byte of the volume.
    pub(super) fn containing(&self, place: u64) -> Option<u64> {
        let number = place.checked_sub(self.heap)?.checked_div(self.size)?;
        (number < self.count).then(|| number.saturating_add(FIRST))
    }

    /// Returns four bytes of the table, or fewer at its end.
    fn bytes(&self, at: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(8);
        for place in at..at.saturating_add(4) {
            let number = place / PAGE;
            let page = self.pages.get(number, || {
                let start = number.saturating_mul(PAGE);
                let length = self.table.size().saturating_sub(start).min(PAGE);
                let mut page = vec![0; usize::try_from(length).unwrap_or_default()];
                self.table.read_exact_at(&mut page, start).map_err(|error| {
                    io::Error::new(error.kind(), format!("the file allocation table at {start:#x}: {error}"))
                })?;
                Ok(page)
            })?;
            // Most entries are within one page.
            let within = usize::try_from(place % PAGE).unwrap_or_default();
            let rest = page.get(within..).unwrap_or_default();
            if bytes.is_empty() && rest.len() >= 4 {
                return Ok(rest.get(..4).unwrap_or_default().to_vec());
            }
            let Some(byte) = rest.first() else { break };
            bytes.push(*byte);
        }
        Ok(bytes)
    }

    fn next(&self, cluster: u64) -> io::Result<Next> {
        let missing = || bad(format!("the file allocation table has no entry {cluster}"));
        let (value, end) = match self.width {
            Width::Twelve => {
                let bytes = self.bytes(cluster.saturating_add(cluster / 2))?;
                let pair = le16(&bytes, 0).ok_or_else(missing)?;
                (u64::from(if cluster.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 }), 0xff8)
            }
            Width::Sixteen => {
                let bytes = self.bytes(cluster.saturating_mul(2))?;
                (u64::from(le16(&bytes, 0).ok_or_else(missing)?), 0xfff8)
            }
            Width::TwentyEight => {
                let bytes = self.bytes(cluster.saturating_mul(4))?;
                (u64::from(le32(&bytes, 0).ok_or_else(missing)? & 0x0fff_ffff), 0x0fff_fff8)
            }
            Width::ThirtyTwo => {
                let bytes = self.bytes(cluster.saturating_mul(4))?;
                (u64::from(le32(&bytes, 0).ok_or_else(missing)?), 0xffff_fff8)
            }
        };
        Ok(match value {
            value if value >= end => Next::End,
            value if self.place(value).is_some() => Next::Cluster(value),
            value => Next::None(value),
        })
    }

    /// Returns the successor of a cluster in the table.
    pub(super) fn after(&self, cluster: u64) -> io::Result<u64> {
        match self.next(cluster)? {
            Next::Cluster(next) => Ok(next),
            Next::End | Next::None(_) => Err(bad(format!("no cluster follows {cluster}"))),
        }
    }

    /// Returns the clusters of a file of `wanted` bytes, from its first one on.
    ///
    /// # Errors
    /// The chain ends early, or has a loop.
    pub(super) fn of_file(&self, first: u64, wanted: u64) -> io::Result<Runs> {
        let runs = self.chain(first, wanted)?;
        if runs.end() < wanted {
            return Err(bad(format!("a size of {wanted} bytes, but clusters for {}", runs.end())));
        }
        Ok(runs)
    }

    /// Returns the clusters of a folder, up to the end of the chain.
    ///
    /// # Errors
    /// As [`Self::of_file`]; more than `most` bytes.
    pub(super) fn of_folder(&self, first: u64, most: u64) -> io::Result<Runs> {
        let runs = self.chain(first, most.saturating_add(1))?;
        if runs.end() > most {
            return Err(bad(format!("a folder of more than {most} bytes")));
        }
        Ok(runs)
    }

    /// Returns consecutive clusters without a chain.
    ///
    /// # Errors
    /// The volume has too few clusters.
    pub(super) fn contiguous(&self, first: u64, wanted: u64) -> io::Result<Runs> {
        let mut runs = Runs::default();
        let count = wanted.div_ceil(self.size);
        let last = first.saturating_add(count.saturating_sub(1));
        let at = self.place(first).filter(|_| self.place(last).is_some());
        let at =
            at.ok_or_else(|| bad(format!("{count} clusters from {first} on, where the volume has {}", self.count)))?;
        runs.push(Run { offset: 0, length: count.saturating_mul(self.size), at: Some(at) });
        Ok(runs)
    }

    fn chain(&self, first: u64, most: u64) -> io::Result<Runs> {
        let mut runs = Runs::default();
        let mut cluster = first;
        // One cluster is remembered, later and later in the chain; reaching it again proves a loop.
        let (mut remembered, mut since, mut until) = (0, 0_u64, 1_u64);
        while runs.end() < most {
            let at = self.place(cluster).ok_or_else(|| bad(format!("there is no cluster {cluster}")))?;
            runs.push(Run { offset: runs.end(), length: self.size, at: Some(at) });
            if runs.count() > MOST_RUNS {
                return Err(bad(format!("more than {MOST_RUNS} pieces")));
            }
            if since == until {
                (remembered, since, until) = (cluster, 0, until.saturating_mul(2));
            }
            if runs.end() >= most {
                break;
            }
            cluster = match self.next(cluster)? {
                Next::Cluster(next) => next,
                Next::End => break,
                Next::None(value) => {
                    let found = format!("the chain of clusters breaks off: {value:#x} comes after {cluster}");
                    return Err(bad(found));
                }
            };
            since = since.saturating_add(1);
            if cluster == remembered || cluster == first {
                return Err(bad(format!("the chain of clusters comes back to {cluster}")));
            }
        }
        Ok(runs)
    }

    /// Returns the bytes of the volume in these runs.
    pub(super) fn stored(&self, runs: Runs, size: u64, valid: u64) -> Stored {
        Stored { volume: Arc::clone(&self.volume), runs, size, valid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a volume with a table at 0, and clusters of 512 bytes from 4096 on.
    fn clusters(width: Width, table: &[u8]) -> Clusters {
        let mut volume = vec![0; 16384];
        volume[..table.len()].copy_from_slice(table);
        let volume: Blocks = Arc::new(volume);
        Clusters::new(&volume, (0, 4096), width, 20, 512, 4096)
    }

    #[test]
    fn chains_are_followed_in_each_width_and_join_what_lies_together() {
        // 2, 3, 5, the end.
        let tables: [(Width, Vec<u8>); 4] = [
            (Width::Twelve, vec![0xf8, 0xff, 0xff, 0x03, 0x50, 0x00, 0x00, 0xf0, 0xff]),
            (Width::Sixteen, [0xfff8_u16, 0xffff, 3, 5, 0, 0xffff].iter().flat_map(|one| one.to_le_bytes()).collect()),
            (
                Width::TwentyEight,
                [0_u32, 0, 0xf000_0003, 5, 0, 0x0fff_ffff].iter().flat_map(|one| one.to_le_bytes()).collect(),
            ),
            (Width::ThirtyTwo, [0_u32, 0, 3, 5, 0, u32::MAX].iter().flat_map(|one| one.to_le_bytes()).collect()),
        ];
        for (width, table) in tables {
            let clusters = clusters(width, &table);
            let runs = clusters.of_file(2, 1500).unwrap();
            assert_eq!((runs.count(), runs.end()), (2, 1536), "{width:?}");
            assert_eq!(runs.from(1024), Some(Run { offset: 1024, length: 512, at: Some(4096 + 3 * 512) }));
            assert_eq!(clusters.of_folder(2, 1 << 20).unwrap(), runs);
            let error = clusters.of_file(2, 1537).unwrap_err().to_string();
            assert_eq!(error, "a size of 1537 bytes, but clusters for 1536");
            assert!(clusters.of_file(4, 513).unwrap_err().to_string().contains("0x0 comes after 4"));
        }
    }

    #[test]
    fn chains_that_come_back_end() {
        let table: Vec<u8> = [0_u32, 0, 3, 4, 5, 6, 7, 4].iter().flat_map(|one| one.to_le_bytes()).collect();
        let clusters = clusters(Width::ThirtyTwo, &table);
        assert!(clusters.of_file(2, 1 << 30).unwrap_err().to_string().contains("comes back"));
        assert!(clusters.of_file(1, 1).unwrap_err().to_string().contains("no cluster 1"));
        assert!(clusters.contiguous(20, 1024).is_ok());
        assert!(clusters.contiguous(21, 1024).is_err());
    }
}
