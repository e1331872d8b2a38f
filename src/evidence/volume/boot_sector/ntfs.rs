//! The boot sector of NTFS, and the backup of it in the last sector of the volume
//! (<https://flatcap.github.io/linux-ntfs/ntfs/files/boot.html>).

use super::super::field::{byte, has, qword, word};
use super::super::reading::stands;
use crate::evidence::block::Blocks;

/// What the boot sector states.
pub(in super::super) struct Ntfs {
    /// Bytes of a sector.
    pub(in super::super) sector: u64,
    /// Bytes of a cluster.
    cluster: u64,
    /// Sectors before the one that holds the backup.
    sectors: u64,
    /// Where the $MFT and its mirror begin, in clusters.
    tables: [u64; 2],
}

impl Ntfs {
    /// Reads a sector that begins as that of NTFS does and whose numbers can hold; `None` for any other.
    pub(in super::super) fn parse(bytes: &[u8]) -> Option<Self> {
        let sector = u64::from(word(bytes, 11));
        let cluster = match byte(bytes, 13) {
            // Since Windows 10: the exponent, negated.
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

    /// Returns the bytes of the volume, the backup included.
    pub(in super::super) fn size(&self) -> u64 {
        self.sectors.saturating_add(1).saturating_mul(self.sector)
    }

    /// Returns where the backup stands, in bytes from the start of the volume.
    pub(in super::super) fn backup(&self) -> u64 {
        self.sectors.saturating_mul(self.sector)
    }

    /// Whether the $MFT, or its mirror, is where a volume that begins at `start` has it.
    pub(in super::super) fn stands_at(&self, disk: &Blocks, start: u64) -> bool {
        let place = |table: u64| table.checked_mul(self.cluster)?.checked_add(start);
        self.tables.iter().any(|table| *table > 0 && stands(disk, place(*table), b"FILE"))
    }
}
