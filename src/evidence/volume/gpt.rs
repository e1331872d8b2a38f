//! The GUID partition table: the one behind the first sector, and its backup in the last (UEFI specification, section 5.3).

use super::{MOST, Partition, dword, qword};
use crate::evidence::block::Blocks;

/// An entry is of so many bytes, or of a multiple.
const ENTRY: usize = 128;

pub(super) enum Table {
    /// As its checksums say.
    Sound(Vec<Partition>),
    /// The same, of the backup: the first is damaged.
    Backup(Vec<Partition>),
    /// The first, with checksums that it does not have.
    Damaged(Vec<Partition>),
    None,
}

/// The table of a disk with sectors of so many bytes.
pub(super) fn read(disk: &Blocks, sector: u64) -> Table {
    let first = at(disk, sector, sector);
    if let Some((partitions, true)) = first {
        return Table::Sound(partitions);
    }
    let last = disk.size().checked_div(sector).and_then(|count| count.checked_sub(1));
    let backup = last.and_then(|last| at(disk, sector, last.saturating_mul(sector)));
    match (first, backup) {
        (_, Some((partitions, true))) => Table::Backup(partitions),
        (Some((partitions, false)), _) => Table::Damaged(partitions),
        _ => Table::None,
    }
}

/// The table whose header is at `start`, and whether its checksums are right.
fn at(disk: &Blocks, sector: u64, start: u64) -> Option<(Vec<Partition>, bool)> {
    let mut header = vec![0; usize::try_from(sector).ok()?];
    disk.read_exact_at(&mut header, start).ok()?;
    if !header.starts_with(b"EFI PART") {
        return None;
    }
    let size = usize::try_from(dword(&header, 12)).ok()?;
    let stored = dword(&header, 16);
    let mut summed = header.get(..size).unwrap_or_default().to_vec();
    let header_sound = size >= 92 && {
        summed.get_mut(16..20)?.fill(0);
        crc(&summed) == stored
    };
    let count = usize::try_from(dword(&header, 80)).ok()?.min(MOST);
    let each = usize::try_from(dword(&header, 84)).ok()?;
    if each == 0 || !each.is_multiple_of(ENTRY) || each > 4096 {
        return None;
    }
    let mut entries = vec![0; count.checked_mul(each)?];
    disk.read_exact_at(&mut entries, qword(&header, 72).checked_mul(sector)?).ok()?;
    let sound = header_sound && crc(&entries) == dword(&header, 88);
    let partitions = entries.chunks_exact(each).filter_map(|entry| {
        let (first, last) = (qword(entry, 32), qword(entry, 40));
        let used = entry.get(..16).is_some_and(|kind| kind.iter().any(|byte| *byte != 0)) && last >= first;
        let size = last.saturating_sub(first).saturating_add(1).saturating_mul(sector);
        used.then_some(Partition { start: first.saturating_mul(sector), size })
    });
    Some((partitions.collect(), sound))
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
