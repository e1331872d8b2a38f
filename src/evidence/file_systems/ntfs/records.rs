//! The records of the $MFT, by number, and the attributes in them.

use std::io;
use std::sync::Arc;

use super::boot::Geometry;
use super::compressed::{Compressed, MOST_IN_UNIT};
use super::parts::Parts;
use super::record::{Form, Reference, attributes, fix_up, header};
use super::{list, pairs};
use crate::evidence::block::{BlockRead, Blocks};
use crate::evidence::file_systems::runs::{Runs, Stored};
use crate::evidence::file_systems::wrong::bad;

/// Flags of an attribute.
const COMPRESSED: u16 = 0x00ff;
const ENCRYPTED: u16 = 0x4000;
/// Bytes of the $MFT to read for one record and its neighbours.
const WINDOW: usize = 64 << 10;

/// The records of a volume.
pub(super) struct Records {
    pub(super) volume: Blocks,
    pub(super) geometry: Geometry,
    /// The $MFT's own bytes.
    pub(super) mft: Stored,
    /// The number of records.
    pub(super) count: u64,
}

impl Records {
    /// Fills `bytes` with a record, without applying its fixups.
    pub(super) fn read_record(&self, number: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.mft.read_exact_at(bytes, number.saturating_mul(self.geometry.record as u64))
    }

    /// Returns a record with its fixups applied.
    pub(super) fn record(&self, number: u64) -> io::Result<Vec<u8>> {
        if number >= self.count {
            return Err(bad(format!("there is no file record {number}: the last is {}", self.count.saturating_sub(1))));
        }
        let mut bytes = vec![0; self.geometry.record];
        self.read_record(number, &mut bytes)?;
        fix_up(&mut bytes, *b"FILE").map_err(|why| bad(format!("file record {number}: {why}")))?;
        Ok(bytes)
    }

    /// Returns whether a reference is to an existing folder.
    pub(super) fn is_folder(&self, reference: Reference) -> bool {
        let found = self.record(reference.number).ok().and_then(|bytes| header(&bytes));
        found.is_some_and(|found| found.in_use && found.is_folder && reference.is_of(found.sequence))
    }

    /// Returns all records of a file, the base record first. `further` counts down the records that may be read for it.
    pub(super) fn load(&self, number: u64, further: &mut u64) -> io::Result<Vec<Vec<u8>>> {
        self.complete(number, self.record(number)?, further)
    }

    /// Returns a base record and the records that continue it.
    pub(super) fn complete(&self, number: u64, base: Vec<u8>, further: &mut u64) -> io::Result<Vec<Vec<u8>>> {
        let found = header(&base).filter(|found| found.in_use && found.base.is_none());
        let found = found.ok_or_else(|| bad(format!("file record {number} is not in use")))?;
        let mut numbers = list::read(&self.volume, self.geometry.cluster, &base)?;
        numbers.sort_unstable_by_key(|part| part.record.number);
        numbers.dedup_by_key(|part| part.record.number);
        let mut records = vec![base];
        for part in numbers.iter().filter(|part| part.record.number != number) {
            *further = further.checked_sub(1).ok_or_else(|| bad("more records extend others than the volume has"))?;
            let record = self.record(part.record.number)?;
            let belongs = header(&record).is_some_and(|header| {
                header.in_use
                    && part.record.is_of(header.sequence)
                    && header.base.is_some_and(|base| base.number == number && base.is_of(found.sequence))
            });
            if !belongs {
                return Err(bad(format!(
                    "file record {} should extend record {number}, but does not",
                    part.record.number
                )));
            }
            records.push(record);
        }
        Ok(records)
    }

    /// Returns the bytes of an attribute; `None` if the file has none of this type and name.
    pub(super) fn attribute(&self, records: &[Vec<u8>], kind: u32, name: &[u8]) -> io::Result<Option<Blocks>> {
        let mut clusters = Vec::new();
        for attribute in records.iter().flat_map(|record| attributes(record)) {
            let attribute = attribute.map_err(bad)?;
            if attribute.kind != kind || attribute.name != name {
                continue;
            }
            if attribute.flags & ENCRYPTED != 0 {
                return Err(io::Error::other("a file that EFS encrypts; only its owner's key opens it"));
            }
            match attribute.form {
                Form::Resident(bytes) => return Ok(Some(Arc::new(bytes.to_vec()))),
                Form::Clusters { first, last, size, valid, unit, pairs } => {
                    clusters.push((first, last, size, valid, unit, attribute.flags, pairs));
                }
            }
        }
        clusters.sort_by_key(|(first, ..)| *first);
        let Some((_, _, size, valid, unit, flags, _)) = clusters.first().copied() else { return Ok(None) };
        let mut runs = Runs::default();
        for (first, last, .., pairs) in clusters {
            pairs::add(&mut runs, first, last, pairs, self.geometry.cluster).map_err(bad)?;
        }
        if runs.end() < size.min(valid) {
            return Err(bad(format!("a size of {size} bytes, but clusters for {}", runs.end())));
        }
        let stored = Stored { volume: Arc::clone(&self.volume), runs, size, valid };
        if flags & COMPRESSED == 0 {
            return Ok(Some(Arc::new(stored)));
        }
        let unit = 1_u64.checked_shl(unit.into()).and_then(|clusters| clusters.checked_mul(self.geometry.cluster));
        match unit.filter(|unit| flags & COMPRESSED == 1 && *unit <= MOST_IN_UNIT) {
            Some(unit) => Ok(Some(Arc::new(Compressed::new(stored, unit)))),
            None => Err(bad("an unknown compression")),
        }
    }
}

/// Returns the facts in all records of a file.
///
/// # Errors
/// Which attribute is wrong.
pub(super) fn parts(records: &[Vec<u8>]) -> io::Result<Parts> {
    let is_folder = records.first().and_then(|base| header(base)).is_some_and(|header| header.is_folder);
    let mut parts = Parts::of(is_folder);
    records.iter().try_for_each(|record| parts.take(record)).map_err(bad)?;
    Ok(parts)
}

/// A part of the $MFT that is read for several of its records.
pub(super) struct Window<'s> {
    records: &'s Records,
    /// Its first record.
    first: u64,
    bytes: Vec<u8>,
}

impl<'s> Window<'s> {
    pub(super) fn new(records: &'s Records) -> Self {
        Self { records, first: 0, bytes: Vec::new() }
    }

    /// Returns a record with its fixups applied.
    pub(super) fn record(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let size = self.records.geometry.record;
        for _ in 0..2 {
            let at = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX).saturating_mul(size);
            if number >= self.first
                && let Some(bytes) = self.bytes.get(at..at.saturating_add(size))
            {
                let mut bytes = bytes.to_vec();
                fix_up(&mut bytes, *b"FILE").map_err(|why| bad(format!("file record {number}: {why}")))?;
                return Ok(bytes);
            }
            let start = number.saturating_mul(size as u64);
            let end = self.records.count.saturating_mul(size as u64);
            let length = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX).min(WINDOW.max(size));
            self.bytes.resize(length, 0);
            self.first = number;
            if self.records.mft.read_exact_at(&mut self.bytes, start).is_err() {
                self.bytes.clear();
                break;
            }
        }
        self.records.record(number)
    }
}
