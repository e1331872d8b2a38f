//! The boot sector of NTFS, and its backup in the last sector of the volume
//! (<https://flatcap.github.io/linux-ntfs/ntfs/files/boot.html>).

use super::super::field::{byte, has, qword, word};
use super::super::reading::stands;
use crate::evidence::block::Blocks;

/// The fields of the boot sector.
pub(in super::super) struct Ntfs {
    /// Bytes of a sector.
    pub(in super::super) sector: u64,
    /// Bytes of a cluster.
    cluster: u64,
    /// Sectors before the backup's sector.
    sectors: u64,
    /// The start of the $MFT and of its mirror, in clusters.
    tables: [u64; 2],
}

impl Ntfs {
    /// Reads a sector with NTFS' beginning and plausible numbers; `None` for any other.
    pub(in super::super) fn parse(bytes: &[u8]) -> Option<Self> {
        let sector = u64::from(word(bytes, 11));
        let cluster = match byte(bytes, 13) {
            // Since Windows 10: the negated exponent.
            large @ 0xf4..=0xff => 1_u64.checked_shl(256_u32.saturating_sub(u32::from(large)))?,
            count if count.is_power_of_two() => u64::from(count),
            _ => return None,
        };
        let one = Self {
            sector,
            cluster: cluster.checked_mul(sector)?,
            sectors: qword(bytes, 40),
            tables: [qword(bytes, 48), qword(bytes, 56)],
        };
        let holds = has(bytes, 3, b"NTFS    ")
            && matches!(sector, 256 | 512 | 1024 | 2048 | 4096)
            && word(bytes, 14) == 0
            && one.sectors > 0
            && one.tables.iter().any(|table| *table > 0 && table.saturating_mul(one.cluster) < one.size());
        holds.then_some(one)
    }

    /// Returns the size of the volume in bytes, including the backup.
    pub(in super::super) fn size(&self) -> u64 {
        self.sectors.saturating_add(1).saturating_mul(self.sector)
    }

    /// Returns the place of the backup, in bytes from the start of the volume.
    pub(in super::super) fn backup(&self) -> u64 {
        self.sectors.saturating_mul(self.sector)
    }

    /// Returns whether the $MFT or its mirror is in its place on a volume that begins at `start`.
    pub(in super::super) fn stands_at(&self, disk: &Blocks, start: u64) -> bool {
        let place = |table: u64| table.checked_mul(self.cluster)?.checked_add(start);
        self.tables.iter().any(|table| *table > 0 && stands(disk, place(*table), b"FILE"))
    }
}
