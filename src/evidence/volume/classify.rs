//! Classifies a volume by its content.

use super::boot_sector::{self, BEFORE_EXT, SECTOR};
use super::field::has;
use super::kind::VolumeKind;
use super::reading::head;
use super::signature;
use crate::evidence::block::Blocks;

/// Bytes at a volume's beginning that are zeros if the volume is empty.
const EMPTY_FROM: u64 = 1 << 20;
/// Places all over a volume to check too.
const SAMPLES: u64 = 64;
/// Bytes at each of these places.
const SAMPLE: usize = 4096;

/// The content of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) kind: VolumeKind,
    /// Whether more than a name proves it: the boot sector's structures are in their places, or there is a signature.
    pub(super) sound: bool,
    /// The size in bytes that the file system states, if it does.
    pub(super) size: Option<u64>,
}

/// Returns the file system of a volume: of a partition, a shadow copy, or an image of one volume. Its structures need
/// not be valid: a reader may still refuse it. [`VolumeKind::Irrelevant`] for swap space or an empty volume.
pub fn file_system_of(blocks: &Blocks) -> VolumeKind {
    let kind = content(blocks).kind;
    if kind == VolumeKind::Unknown && is_empty(blocks) { EMPTY } else { kind }
}

/// A volume without any data.
pub(super) const EMPTY: VolumeKind = VolumeKind::Irrelevant("an empty volume");

/// Classifies a volume by its beginning, otherwise by its end.
pub(super) fn content(blocks: &Blocks) -> Content {
    let beginning = head(blocks, 0, signature::HEAD);
    let sector = beginning.get(..SECTOR).unwrap_or(&beginning);
    if let Some(found) = boot_sector::at(blocks, 0, sector) {
        return Content { kind: found.kind, sound: true, size: Some(found.size) };
    }
    let superblock = usize::try_from(BEFORE_EXT).ok().and_then(|at| beginning.get(at..)).unwrap_or_default();
    let is_ext = boot_sector::is_ext(superblock) || has(superblock, 56, &[0x53, 0xef]) && !boot_sector::is_fat(sector);
    let named = boot_sector::named(sector);
    let sound = |kind| Content { kind, sound: true, size: None };
    if named == Some(VolumeKind::BitLocker) {
        sound(VolumeKind::BitLocker)
    } else if let Some(kind) = signature::at_the_beginning(&beginning) {
        sound(kind)
    } else if is_ext {
        Content { size: boot_sector::ext_at(blocks, 0).map(|found| found.size), ..sound(VolumeKind::Ext) }
    } else if let Some(kind) = named {
        Content { kind, sound: false, size: None }
    } else if let Some(kind) = signature::further_in(blocks) {
        sound(kind)
    } else {
        Content { kind: VolumeKind::Unknown, sound: false, size: None }
    }
}

/// Returns whether a volume without a known file system has only zeros: at its beginning, at its end, and in between.
pub(super) fn is_empty(volume: &Blocks) -> bool {
    let size = volume.size();
    let is_zero = |at: u64, most: usize| {
        let there = usize::try_from(size.saturating_sub(at)).unwrap_or(usize::MAX).min(most);
        let bytes = head(volume, at, most);
        bytes.len() == there && bytes.iter().all(|byte| *byte == 0)
    };
    let pieces = 0..EMPTY_FROM.min(size).div_ceil(0x1_0000);
    let step = size.div_ceil(SAMPLES).max(SAMPLE as u64);
    pieces.into_iter().all(|piece| is_zero(piece.saturating_mul(0x1_0000), 0x1_0000))
        && (0..SAMPLES).all(|sample| is_zero(sample.saturating_mul(step), SAMPLE))
        && is_zero(size.saturating_sub(0x1_0000), 0x1_0000)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of(places: &[(usize, &[u8])]) -> VolumeKind {
        let mut bytes = vec![0; 2 << 20];
        for (at, text) in places {
            bytes[*at..at + text.len()].copy_from_slice(text);
        }
        file_system_of(&(Arc::new(bytes) as Blocks))
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (at, signature, expected) in [
            (3, &b"ReFS\0\0\0\0"[..], "ReFS"),
            (32, b"NXSB", "an APFS container"),
            (512, b"LABELONE", "a physical volume of LVM"),
            (4096, &[0xfc, 0x4e, 0x2b, 0xa9], "a member of a Linux RAID"),
            ((2 << 20) - 8192, &[0xfc, 0x4e, 0x2b, 0xa9], "a member of a Linux RAID"),
            ((2 << 20) - 65536, &[0xfc, 0x4e, 0x2b, 0xa9], "a member of a Linux RAID"),
            (0, b"SPACEDB ", "a disk of a Storage Spaces pool"),
            (1 << 20, &[0x0d, 0xd0, 1, 0xc0], "VMFS of VMware"),
            ((128 << 10) + 5 * 1024, &[0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0], "a disk of a ZFS pool"),
        ] {
            let kind = of(&[(at, signature)]);
            assert!(matches!(kind, VolumeKind::Refused { .. }), "{expected}: {kind:?}");
            assert_eq!(kind.words(), expected);
        }
        assert_eq!(of(&[(4086, b"SWAPSPACE2")]), VolumeKind::Irrelevant("Linux swap space"));
        assert_eq!(of(&[(3, b"-FVE-FS-")]), VolumeKind::BitLocker);
        assert_eq!(of(&[(3, b"NTFS    ")]), VolumeKind::Ntfs);
    }

    #[test]
    fn a_volume_is_empty_that_has_only_zeros() {
        assert_eq!(of(&[]), EMPTY);
        assert_eq!(of(&[(0, b"x")]), VolumeKind::Unknown);
        assert_eq!(of(&[((2 << 20) - 1, b"x")]), VolumeKind::Unknown);
        assert_eq!(of(&[(0xf_ffff, b"x")]), VolumeKind::Unknown);
    }

    #[test]
    fn bitlocker_to_go_is_no_fat() {
        let mut sector = vec![0; 512];
        sector[..11].copy_from_slice(b"\xeb\x58\x90MSWIN4.1");
        sector[11..17].copy_from_slice(&[0, 2, 8, 32, 0, 2]);
        sector[21] = 0xf8;
        assert_eq!(of(&[(0, &sector)]), VolumeKind::Fat);
        sector[0x1a8..0x1b8].copy_from_slice(b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01");
        assert_eq!(of(&[(0, &sector)]), VolumeKind::BitLocker);
    }
}
