//! The boot sector of exFAT, and its backup twelve sectors later (Microsoft's exFAT specification, section 3.1).

use super::super::field::{byte, dword, has, qword};
use super::super::reading::stands;
use crate::evidence::block::Blocks;

/// Sectors of the boot region; the backup repeats them.
pub(in super::super) const REGION: u64 = 12;

/// The fields of the boot sector.
pub(in super::super) struct ExFat {
    /// Bytes of a sector.
    pub(in super::super) sector: u64,
    /// Bytes of the volume.
    pub(in super::super) size: u64,
    /// The start of the table of clusters, in bytes from the volume's start.
    table: u64,
}

impl ExFat {
    /// Reads a sector with exFAT's beginning and plausible numbers; `None` for any other.
    pub(in super::super) fn parse(bytes: &[u8]) -> Option<Self> {
        let shift = u32::from(byte(bytes, 108));
        let sector = 1_u64.checked_shl(shift)?;
        let (sectors, table, heap) = (qword(bytes, 72), u64::from(dword(bytes, 80)), u64::from(dword(bytes, 88)));
        let holds = has(bytes, 3, b"EXFAT   ")
            && bytes.get(11..64).is_some_and(|zeros| zeros.iter().all(|byte| *byte == 0))
            && (9..=12).contains(&shift)
            && table >= REGION.saturating_mul(2)
            && heap > table
            && sectors > heap;
        holds.then(|| Self { sector, size: sectors.saturating_mul(sector), table: table.saturating_mul(sector) })
    }

    /// Returns the place of the backup, in bytes from the start of the volume.
    pub(in super::super) fn backup(&self) -> u64 {
        REGION.saturating_mul(self.sector)
    }

    /// Returns whether the table of clusters is in its place on a volume that begins at `start`.
    pub(in super::super) fn stands_at(&self, disk: &Blocks, start: u64) -> bool {
        stands(disk, start.checked_add(self.table), &[0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    }
}
