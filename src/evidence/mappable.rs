//! Which files are mapped.
//!
//! A page of a mapped file that cannot be read ends the process (SIGBUS), and what was found so far is lost. This
//! happens where evidence is mounted: FUSE over an incomplete image, a network share that goes away, a volume on a bad
//! disk. There the file is read instead, and an unreadable sector is an error that costs its range only.

use std::fs::File;

/// File systems on which programs keep their own files. No Windows is installed on one.
///
/// The numbers are in `linux/magic.h`, or in the sources of file systems outside the kernel.
const OWN: [(u64, &str); 10] = [
    (0xef53, "ext2, ext3, ext4"),
    (0x5846_5342, "XFS"),
    (0x9123_683e, "Btrfs"),
    (0x2fc1_2fc1, "ZFS"),
    (0xf2f5_2010, "F2FS"),
    (0xca45_1a4e, "bcachefs"),
    (0x0102_1994, "tmpfs"),
    (0x8584_58f6, "ramfs"),
    (0x794c_7630, "overlayfs"),
    (0x7371_7368, "squashfs"),
];

/// Returns whether a file is on a file system of this machine's own. If that is unknown, it is not.
#[allow(clippy::useless_conversion, reason = "on some machines the number has 32 bits")]
pub(super) fn is_mappable(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|found| is_own(found.f_type.cast_unsigned().into()))
}

fn is_own(kind: u64) -> bool {
    OWN.iter().any(|(own, _)| *own == kind & u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_that_is_mounted_is_read() {
        for (kind, name) in [
            (0x6573_5546, "FUSE: ntfs-3g, ewfmount, sshfs"),
            (0x7366_746e, "NTFS, by ntfs3"),
            (0x4d44, "FAT"),
            (0x2011_bab0, "exFAT"),
            (0x6969, "NFS"),
            (0xfe53_4d42, "SMB"),
            (0xff53_4d42, "CIFS"),
            (0x0102_1997, "9p"),
            (0x9660, "ISO 9660"),
            (0x1501_3346, "UDF"),
        ] {
            assert!(!is_own(kind), "{name}");
        }
        assert!(is_own(0xef53));
        // Where the number is signed and has 32 bits, it may be negative.
        assert!(is_own(0xffff_ffff_9123_683e));
    }
}
