//! Boot sectors, and the proof that the volume of a boot sector exists.

mod bitlocker;
mod exfat;
mod ext;
mod fat;
mod ntfs;

use super::field::has;
use super::kind::VolumeKind;
use super::reading::head;
use crate::evidence::block::Blocks;
use exfat::{ExFat, REGION};
use ext::Ext;
use fat::Fat;
use ntfs::Ntfs;

pub(super) use bitlocker::looks_like as is_bitlocker;
pub(super) use fat::looks_like as is_fat;

/// Bytes at a sector's start that identify a boot sector or an ext superblock.
pub(super) const SECTOR: usize = 512;
/// Bytes between the start of an ext volume and its superblock.
pub(super) use ext::BEFORE as BEFORE_EXT;

/// A volume whose boot sector leads to the structures of such a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: VolumeKind,
    /// In bytes from the start of the disk.
    pub(super) start: u64,
    pub(super) size: u64,
    /// The backup that replaces lost first bytes: its place from the volume's start, and its size, in bytes.
    pub(super) backup: Option<(u64, u64)>,
}

/// Returns the volume that begins at `start`; `bytes` is its first sector.
pub(super) fn at(disk: &Blocks, start: u64, bytes: &[u8]) -> Option<Found> {
    let found = |kind, size| Some(Found { kind, start, size, backup: None });
    if is_bitlocker(bytes) {
        return found(VolumeKind::BitLocker, bitlocker::size_at(bytes, disk, start)?);
    }
    if let Some(one) = Ntfs::parse(bytes).filter(|one| one.stands_at(disk, start)) {
        return found(VolumeKind::Ntfs, one.size());
    }
    if let Some(one) = ExFat::parse(bytes).filter(|one| one.stands_at(disk, start)) {
        return found(VolumeKind::ExFat, one.size);
    }
    if let Some(one) = Fat::parse(bytes).filter(|one| one.stands_at(disk, start)) {
        return found(VolumeKind::Fat, one.size);
    }
    None
}

/// Returns the ext volume that begins at `start`.
pub(super) fn ext_at(disk: &Blocks, start: u64) -> Option<Found> {
    let superblock = head(disk, start.checked_add(ext::BEFORE)?, SECTOR);
    let one = Ext::parse(&superblock).filter(|one| one.stands_at(disk, start))?;
    Some(Found { kind: VolumeKind::Ext, start, size: one.size(), backup: None })
}

/// Returns whether a sector may be an ext superblock.
pub(super) fn is_ext(bytes: &[u8]) -> bool {
    Ext::parse(bytes).is_some()
}

/// Returns the volume whose boot sector has its backup in the sector at `place`.
pub(super) fn backup_at(disk: &Blocks, place: u64, bytes: &[u8]) -> Option<Found> {
    let found = |kind, backup: u64, length, size| {
        let start = place.checked_sub(backup)?;
        Some(Found { kind, start, size, backup: Some((backup, length)) })
    };
    if let Some(one) = Ntfs::parse(bytes) {
        let backup = found(VolumeKind::Ntfs, one.backup(), one.sector, one.size());
        return backup.filter(|found| one.stands_at(disk, found.start));
    }
    if let Some(one) = ExFat::parse(bytes) {
        let region = one.sector.saturating_mul(REGION);
        let backup = found(VolumeKind::ExFat, one.backup(), region, one.size);
        return backup.filter(|found| one.stands_at(disk, found.start));
    }
    let one = Fat::parse(bytes)?;
    let backup = found(VolumeKind::Fat, one.backup()?, one.sector, one.size);
    backup.filter(|found| one.stands_at(disk, found.start))
}

/// Returns the volume that begins at `start` in a partition of `size` bytes, by a backup of its boot sector: in the
/// last sector for NTFS, mostly in the seventh for FAT32, in the thirteenth for exFAT.
pub(super) fn backup_of(disk: &Blocks, start: u64, size: u64) -> Option<Found> {
    let places = [512, 4096].into_iter().flat_map(|sector: u64| {
        let last = size.checked_div(sector).and_then(|count| count.checked_sub(1));
        [last, Some(6), Some(REGION)].into_iter().flatten().map(move |place| place.saturating_mul(sector))
    });
    places.into_iter().find_map(|place| {
        let at = start.checked_add(place)?;
        backup_at(disk, at, &head(disk, at, SECTOR)).filter(|found| found.start == start)
    })
}

/// Returns the supported file system whose name or signature is in the sector, whatever follows.
pub(super) fn named(bytes: &[u8]) -> Option<VolumeKind> {
    if is_bitlocker(bytes) {
        Some(VolumeKind::BitLocker)
    } else if has(bytes, 3, b"NTFS    ") {
        Some(VolumeKind::Ntfs)
    } else if has(bytes, 3, b"EXFAT   ") {
        Some(VolumeKind::ExFat)
    } else {
        is_fat(bytes).then_some(VolumeKind::Fat)
    }
}
