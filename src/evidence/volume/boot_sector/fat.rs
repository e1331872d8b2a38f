//! The boot sector of FAT12, FAT16 and FAT32, and FAT32's backup of it (Microsoft's FAT specification, version 1.03,
//! "Boot Sector and BPB").

use super::super::field::{byte, dword, has, word};
use super::super::reading::head;
use crate::evidence::block::Blocks;

/// The fields of the boot sector.
pub(in super::super) struct Fat {
    /// Bytes of a sector.
    pub(in super::super) sector: u64,
    /// Bytes of the volume.
    pub(in super::super) size: u64,
    /// The start of the first table, and of the next, in bytes from the volume's start.
    tables: [u64; 2],
    media: u8,
    /// The sector of the backup; 0 if there is no backup.
    backup: u64,
}

impl Fat {
    /// Reads a sector with numbers of a FAT volume; `None` for any other.
    pub(in super::super) fn parse(bytes: &[u8]) -> Option<Self> {
        let sector = u64::from(word(bytes, 11));
        let reserved = u64::from(word(bytes, 14));
        let (small_table, large_table) = (u64::from(word(bytes, 22)), u64::from(dword(bytes, 36)));
        let table = if small_table > 0 { small_table } else { large_table };
        let all = match word(bytes, 19) {
            0 => u64::from(dword(bytes, 32)),
            all => u64::from(all),
        };
        let behind = reserved.saturating_add(table.saturating_mul(u64::from(byte(bytes, 16))));
        let holds = looks_like(bytes) && table > 0 && all > behind;
        let first = reserved.saturating_mul(sector);
        holds.then(|| Self {
            sector,
            size: all.saturating_mul(sector),
            tables: [first, first.saturating_add(table.saturating_mul(sector))],
            media: byte(bytes, 21),
            backup: if small_table == 0 { u64::from(word(bytes, 50)) } else { 0 },
        })
    }

    /// Returns the place of the backup, in bytes from the start of the volume; `None` if there is no backup.
    pub(in super::super) fn backup(&self) -> Option<u64> {
        (self.backup > 0 && self.backup < 0xffff).then(|| self.backup.saturating_mul(self.sector))
    }

    /// Returns whether one of the tables is in its place on a volume that begins at `start`: its first entry repeats
    /// the media byte, and the other bits are set.
    pub(in super::super) fn stands_at(&self, disk: &Blocks, start: u64) -> bool {
        self.tables.iter().any(|table| {
            let first = head(disk, start.saturating_add(*table), 4);
            first.len() == 4 && first.first() == Some(&self.media) && has(&first, 1, &[0xff])
        })
    }
}

/// Returns whether the sector has the marks of FAT: a jump, its bytes in a sector, its reserved sectors and its tables.
/// The program reads such a volume, or refuses it, whatever its other numbers are.
pub(in super::super) fn looks_like(bytes: &[u8]) -> bool {
    matches!(byte(bytes, 0), 0xeb | 0xe9)
        && matches!(word(bytes, 11), 512 | 1024 | 2048 | 4096)
        && byte(bytes, 13).is_power_of_two()
        && word(bytes, 14) > 0
        && matches!(byte(bytes, 16), 1 | 2)
        && byte(bytes, 21) >= 0xf0
}
