//! The GUID partition table: after the first sector, and its backup in the last (UEFI specification, section 5.3).

use super::entry::{Entry, MOST};
use super::field::{dword, has, qword};
use super::label;
use super::reading::head;
use crate::evidence::block::Blocks;

/// Bytes of an entry, which may also be a multiple.
const ENTRY: usize = 128;
/// Bytes of the header that are used.
const HEADER: usize = 92;

/// Whether a table is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The first table, with matching checksums.
    Sound,
    /// The backup, with matching checksums: the first table is damaged or missing.
    Backup,
    /// The first table, with wrong checksums and without a valid backup.
    Damaged,
}

/// A table of a disk.
pub(super) struct Gpt {
    pub(super) state: State,
    pub(super) entries: Vec<Entry>,
    /// Used entries that end before their start.
    pub(super) inverted: usize,
    /// Whether the table has more entries than are read.
    pub(super) cut: bool,
    /// The expected place of the first table's backup, in bytes; 0 without a first table.
    pub(super) alternate: u64,
}

/// Reads the table of a disk with sectors of `sector` bytes; `None` if the disk has no GPT.
pub(super) fn read(disk: &Blocks, sector: u64) -> Option<Gpt> {
    let first = at(disk, sector, sector);
    if let Some((table, true)) = first {
        return Some(table);
    }
    let last = disk.size().checked_div(sector).and_then(|count| count.checked_sub(1));
    // On a disk that was enlarged, the backup is in its old place.
    let alternate = first.as_ref().map(|(table, _)| table.alternate);
    let places = [last.map(|last| last.saturating_mul(sector)), alternate];
    let backup = places.into_iter().flatten().filter(|place| *place > sector).find_map(|place| {
        at(disk, sector, place).filter(|(_, sound)| *sound).map(|(table, _)| Gpt { state: State::Backup, ..table })
    });
    backup.or(first.map(|(table, _)| Gpt { state: State::Damaged, ..table }))
}

/// Returns the table whose header is at `start`, and whether its checksums match.
fn at(disk: &Blocks, sector: u64, start: u64) -> Option<(Gpt, bool)> {
    let header = head(disk, start, usize::try_from(sector).ok()?);
    if !has(&header, 0, b"EFI PART") || header.len() < HEADER {
        return None;
    }
    let size = usize::try_from(dword(&header, 12)).ok()?;
    let mut summed = header.get(..size).unwrap_or_default().to_vec();
    let header_sound = size >= HEADER && {
        summed.get_mut(16..20)?.fill(0);
        crc(&summed) == dword(&header, 16) && qword(&header, 24).checked_mul(sector) == Some(start)
    };
    let stated = usize::try_from(dword(&header, 80)).ok()?;
    let count = stated.min(MOST);
    let each = usize::try_from(dword(&header, 84)).ok()?;
    if each == 0 || !each.is_multiple_of(ENTRY) || each > 4096 {
        return None;
    }
    let all = stated.checked_mul(each).filter(|all| *all <= MOST.saturating_mul(4096));
    let bytes = head(disk, qword(&header, 72).checked_mul(sector)?, all.unwrap_or(count.checked_mul(each)?));
    let sound = header_sound && all == Some(bytes.len()) && crc(&bytes) == dword(&header, 88);
    let mut table = Gpt {
        state: State::Sound,
        entries: Vec::new(),
        inverted: 0,
        cut: stated > count,
        alternate: qword(&header, 32).saturating_mul(sector),
    };
    for entry in bytes.chunks_exact(each).take(count) {
        let (first, last) = (qword(entry, 32), qword(entry, 40));
        let Some(kind) = entry.get(..16).filter(|kind| kind.iter().any(|byte| *byte != 0)) else { continue };
        if last < first {
            table.inverted = table.inverted.saturating_add(1);
            continue;
        }
        let size = last.saturating_sub(first).saturating_add(1).saturating_mul(sector);
        table.entries.push(Entry { start: first.saturating_mul(sector), size, label: label::of_guid(kind) });
    }
    Some((table, sound))
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
