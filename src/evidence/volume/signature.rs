//! File systems, and layers below them, that are recognised by a signature and refused.
//!
//! The places are those that `blkid` (libblkid, util-linux) and The Sleuth Kit check.

use super::field::{dword, has};
use super::kind::VolumeKind;
use super::reading::head;
use crate::evidence::block::Blocks;

/// The advice for a file system that Linux mounts.
const MOUNT: &str = "mount a copy of it read-only on Linux, and name the folder";
/// The advice for LVM.
const LVM: &str = "activate it on a copy (vgchange -ay), and name each logical volume's image";
/// The advice for RAID.
const RAID: &str = "assemble it from copies of all its disks (mdadm --assemble --readonly), and name the array's image";
/// The advice for Storage Spaces.
pub(super) const SPACES: &str = "attach copies of all disks of the pool to a Windows, and make an image of the space";
/// The advice for dynamic disks.
pub(super) const DYNAMIC: &str = "make the volume with ldmtool create all on Linux, and name its image";

const fn refused(what: &'static str, advice: &'static str) -> VolumeKind {
    VolumeKind::Refused { what, advice }
}

const SWAP: VolumeKind = VolumeKind::Irrelevant("Linux swap space");
const RAID_MEMBER: VolumeKind = refused("a member of a Linux RAID", RAID);
const LVM_VOLUME: VolumeKind = refused("a physical volume of LVM", LVM);
const VMFS: VolumeKind = refused("VMFS of VMware", "copy the virtual disks from it (vmfs-fuse or vmfs6-fuse)");
const BTRFS: VolumeKind = refused("Btrfs", MOUNT);
const REISER: VolumeKind = refused("ReiserFS", MOUNT);
const SPACE: VolumeKind = refused("a disk of a Storage Spaces pool", SPACES);
const UFS: VolumeKind = refused("UFS", "mount a copy of it read-only on a BSD, and name the folder");
const OPTICAL: VolumeKind = refused("an optical disc's file system (ISO 9660 or UDF)", MOUNT);

/// Signatures by their place, in bytes from the start of the volume.
const SIGNATURES: &[(usize, &[u8], VolumeKind)] = &[
    (3, b"ReFS\0\0\0\0", refused("ReFS", "mount a copy of it read-only on Windows, and name the folder")),
    (32, b"NXSB", refused("an APFS container", "mount a copy of it read-only (apfs-fuse), and name the folder")),
    (
        0,
        b"LUKS\xba\xbe",
        refused("a LUKS volume, which is encrypted", "open it (cryptsetup open --readonly), and name its image"),
    ),
    (0, b"XFSB", refused("XFS", MOUNT)),
    (0, b"hsqs", refused("SquashFS", "unpack it (unsquashfs), and name the folder")),
    (0, b"SPACEDB ", SPACE),
    (512, b"LABELONE", LVM_VOLUME),
    (0, b"LABELONE", LVM_VOLUME),
    (1024, b"LABELONE", LVM_VOLUME),
    (1536, b"LABELONE", LVM_VOLUME),
    (0, &[0xfc, 0x4e, 0x2b, 0xa9], RAID_MEMBER),
    (4096, &[0xfc, 0x4e, 0x2b, 0xa9], RAID_MEMBER),
    (1024, b"H+\0\x04", refused("HFS+", MOUNT)),
    (1024, b"HX\0\x05", refused("HFS+", MOUNT)),
    (1024, b"BD", refused("HFS", MOUNT)),
    (1024, &[0x10, 0x20, 0xf5, 0xf2], refused("F2FS", MOUNT)),
    (1024, &[0xe2, 0xe1, 0xf5, 0xe0], refused("EROFS", MOUNT)),
    (1024, b"\x02\0\0\0\0\0\x34\x34", refused("NILFS2", MOUNT)),
    (4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", refused("bcache or bcachefs", MOUNT)),
    (8192, &[0x49, 0xe8, 0x95, 0xf9], refused("HPFS", MOUNT)),
    (32768, b"JFS1", refused("JFS", MOUNT)),
    (32769, b"CD001", OPTICAL),
    (32769, b"BEA01", OPTICAL),
    (32769, b"NSR0", OPTICAL),
    (8192 + 52, b"ReIsErFs", REISER),
    (65536 + 52, b"ReIsEr", REISER),
    (65536, b"ReIsEr4", REISER),
    (65536 + 64, b"_BHRfS_M", BTRFS),
    (8192 + 1372, &[0x54, 0x19, 0x01, 0], UFS),
    (65536 + 1372, &[0x19, 0x01, 0x54, 0x19], UFS),
    (4086, b"SWAPSPACE2", SWAP),
    (4086, b"SWAP-SPACE", SWAP),
    (4086, b"S1SUSPEND", SWAP),
    (8182, b"SWAPSPACE2", SWAP),
    (16374, b"SWAPSPACE2", SWAP),
    (65526, b"SWAPSPACE2", SWAP),
];
/// The number of bytes that contain all places above.
pub(super) const HEAD: usize = 68 << 10;
/// The start of VMFS, and its signature.
const VMFS_AT: (u64, &[u8]) = (1 << 20, &[0x0d, 0xd0, 0x01, 0xc0]);
/// The second half of the first of ZFS' four labels, which contains its uberblocks.
const ZFS_AT: (u64, usize) = (128 << 10, 128 << 10);
const ZFS: u64 = 0x00ba_b10c;

/// Returns the kind of a volume with these first [`HEAD`] bytes.
pub(super) fn at_the_beginning(beginning: &[u8]) -> Option<VolumeKind> {
    SIGNATURES.iter().find(|(at, signature, _)| has(beginning, *at, signature)).map(|(_, _, kind)| *kind)
}

/// Returns the kind of a volume by a signature further in, or at its end.
pub(super) fn further_in(volume: &Blocks) -> Option<VolumeKind> {
    let (at, signature) = VMFS_AT;
    if head(volume, at, signature.len()) == signature {
        return Some(VMFS);
    }
    let (at, length) = ZFS_AT;
    let is_uberblock = |block: &[u8]| {
        let number: [u8; 8] = block.first_chunk().copied().unwrap_or_default();
        [u64::from_le_bytes(number), u64::from_be_bytes(number)].contains(&ZFS)
    };
    if head(volume, at, length).chunks(1024).any(is_uberblock) {
        return Some(refused(
            "a disk of a ZFS pool",
            "import the pool from copies (zpool import -o readonly=on), and name its folder",
        ));
    }
    // Versions 1.0 and 0.90 of a RAID's superblock are at the end.
    let size = volume.size();
    let ends = [size.saturating_sub(8192) & !4095, (size & !0xffff).saturating_sub(0x1_0000)];
    ends.into_iter().any(|at| dword(&head(volume, at, 4), 0) == 0xa92b_4efc).then_some(RAID_MEMBER)
}
