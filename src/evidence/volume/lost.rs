//! Volumes in no partition table, found by their boot sectors.
//!
//! A boot sector counts if it leads to the structures of such a volume: NTFS to its $MFT, FAT and exFAT to their table,
//! ext to its root folder, BitLocker to its metadata. The inside of a found volume is not searched: it may contain disk
//! images.

use std::ops::Range;

use super::boot_sector::{self, BEFORE_EXT, Found, SECTOR};
use super::field::has;
use super::kind::VolumeKind;
use super::reading::head;
use crate::evidence::block::Blocks;

/// The most bytes to search sector by sector; holes and blocks that an image does not store cost nothing.
const BYTES_SEARCHED: u64 = 4 << 30;
/// The same beside a valid table: the rest of the disk is free space.
const FREE_BYTES_SEARCHED: u64 = 512 << 20;
/// Places to check in the rest: Windows aligns partitions.
const PLACES_SEARCHED: u64 = 65_536;
/// The same beside a valid table.
const FREE_PLACES_SEARCHED: u64 = 16_384;
/// The alignment of these places, in bytes.
const ALIGNED: u64 = 1 << 20;
/// The most boot sectors to follow.
const BOOT_SECTORS_FOLLOWED: u64 = 65_536;
/// The most volumes to find.
const MOST_FOUND: usize = 128;
/// Bytes to read at once.
const PIECE: usize = 1 << 20;
/// Bytes to skip after an unreadable place.
const GIVEN_UP: u64 = 32 << 10;

/// A search through parts of a disk.
pub(super) struct Search<'d> {
    disk: &'d Blocks,
    bytes: u64,
    places: u64,
    boot_sectors: u64,
    /// The found volumes, in no order.
    pub(super) found: Vec<Found>,
    /// Regions that were not searched: beyond the limits, or unreadable.
    pub(super) unsearched: Vec<Range<u64>>,
}

impl<'d> Search<'d> {
    /// Begins a search with all limits unused; `free`: the disk has a valid table.
    pub(super) fn new(disk: &'d Blocks, free: bool) -> Self {
        Self {
            disk,
            bytes: if free { FREE_BYTES_SEARCHED } else { BYTES_SEARCHED },
            places: if free { FREE_PLACES_SEARCHED } else { PLACES_SEARCHED },
            boot_sectors: BOOT_SECTORS_FOLLOWED,
            found: Vec::new(),
            unsearched: Vec::new(),
        }
    }

    /// Searches a region of the disk, in bytes from its start.
    pub(super) fn region(&mut self, region: &Range<u64>) {
        // A volume with a lost beginning still has its end. If it is checked first, nothing inside counts as a volume.
        for sector in [512, 4096] {
            let last = region.end.checked_div(sector).unwrap_or_default().saturating_mul(sector).checked_sub(sector);
            if let Some(place) = last.filter(|place| *place >= region.start) {
                self.sector(place, &head(self.disk, place, SECTOR), region);
            }
        }
        let mut place = region.start.next_multiple_of(512);
        while place < region.end {
            if let Some(end) = self.end_of_what_covers(place) {
                place = end.checked_next_multiple_of(512).unwrap_or(u64::MAX);
                continue;
            }
            let zeros = self.disk.zeros(place) & !511;
            if zeros > 0 {
                place = place.saturating_add(zeros);
                continue;
            }
            if self.found.len() >= MOST_FOUND || self.boot_sectors == 0 {
                return self.unsearched.push(place..region.end);
            }
            place = if self.bytes > 0 {
                self.piece(place, region)
            } else if self.places > 0 {
                self.place(place, region)
            } else {
                return self.unsearched.push(place..region.end);
            };
        }
    }

    fn end_of_what_covers(&self, place: u64) -> Option<u64> {
        let covering = self.found.iter().filter(|one| one.start <= place).map(|one| one.start.saturating_add(one.size));
        covering.filter(|end| *end > place).max()
    }

    /// Searches each sector of the next bytes, and returns where to continue.
    fn piece(&mut self, place: u64, region: &Range<u64>) -> u64 {
        let most = usize::try_from(region.end.saturating_sub(place)).unwrap_or(PIECE).min(PIECE);
        let bytes = head(self.disk, place, most);
        self.bytes = self.bytes.saturating_sub(most as u64);
        let searched = place.saturating_add(bytes.len() as u64);
        let mut next = searched;
        if bytes.len() < most && searched < self.disk.size() {
            next = place.saturating_add(bytes.len() as u64).saturating_add(GIVEN_UP).min(region.end);
            self.unsearched.push(searched..next);
        }
        if bytes.iter().all(|byte| *byte == 0) {
            return next;
        }
        for (number, sector) in (0_u64..).zip(bytes.chunks(SECTOR)) {
            let at = place.saturating_add(number.saturating_mul(SECTOR as u64));
            if self.end_of_what_covers(at).is_none() {
                self.sector(at, sector, region);
            }
        }
        next
    }

    /// Checks the next aligned place, where a volume may begin or may have ended, and returns where to continue.
    fn place(&mut self, place: u64, region: &Range<u64>) -> u64 {
        self.places = self.places.saturating_sub(1);
        let aligned = place.checked_next_multiple_of(ALIGNED).unwrap_or(u64::MAX);
        let from = aligned.saturating_sub(4096).max(region.start);
        let bytes = head(self.disk, from, 8192);
        for (number, sector) in (0_u64..).zip(bytes.chunks(SECTOR)) {
            let at = from.saturating_add(number.saturating_mul(SECTOR as u64));
            if at < region.end && self.end_of_what_covers(at).is_none() {
                self.sector(at, sector, region);
            }
        }
        aligned.saturating_add(SECTOR as u64)
    }

    /// Keeps the volume that the sector at `place` leads to.
    fn sector(&mut self, place: u64, bytes: &[u8], region: &Range<u64>) {
        let found = if has(bytes, 510, &[0x55, 0xaa]) && boot_sector::named(bytes).is_some() {
            self.boot_sectors = self.boot_sectors.saturating_sub(1);
            let here = boot_sector::at(self.disk, place, bytes);
            here.or_else(|| self.by_backup(boot_sector::backup_at(self.disk, place, bytes)?))
        } else if has(bytes, 56, &[0x53, 0xef]) && boot_sector::is_ext(bytes) {
            self.boot_sectors = self.boot_sectors.saturating_sub(1);
            place.checked_sub(BEFORE_EXT).and_then(|start| boot_sector::ext_at(self.disk, start))
        } else {
            None
        };
        if let Some(found) = found.filter(|found| self.fits(found, region)) {
            self.take(found);
        }
    }

    /// Returns the volume of a backup. If its boot sector still exists, the boot sector counts; if another boot sector
    /// is in its place, the backup is from an earlier use of the disk.
    fn by_backup(&self, backup: Found) -> Option<Found> {
        match boot_sector::at(self.disk, backup.start, &head(self.disk, backup.start, SECTOR)) {
            Some(first) => (first.kind == backup.kind && first.size == backup.size).then_some(first),
            None => Some(backup),
        }
    }

    /// Returns whether a volume is inside the region; the end of a truncated image may cut the volume off.
    fn fits(&self, found: &Found, region: &Range<u64>) -> bool {
        let end = found.start.saturating_add(found.size);
        let cut = region.end >= self.disk.size() && matches!(found.kind, VolumeKind::Ntfs | VolumeKind::BitLocker);
        found.start >= region.start && (end <= region.end || cut)
    }

    /// Keeps a volume. A volume that was found by the backup at its end replaces volumes found inside it before.
    fn take(&mut self, found: Found) {
        let inside = |one: &Found, other: &Found| {
            one.start >= other.start && one.start.saturating_add(one.size) <= other.start.saturating_add(other.size)
        };
        if !self.found.iter().any(|one| inside(&found, one)) {
            self.found.retain(|one| !inside(one, &found));
            self.found.push(found);
        }
    }
}
