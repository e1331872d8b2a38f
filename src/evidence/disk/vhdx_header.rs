//! The structures before the blocks of a VHDX image: headers, regions, metadata; as MS-VHDX describes them.

use std::io;

use super::field::{bytes, le16, le32, le64};
use super::map::bad;
use super::pages::header;
use crate::evidence::block::Blocks;

const KIB: u64 = 1 << 10;
/// The regions of the image: the table of blocks, and the metadata.
const TABLE: &str = "2dc27766-f623-4200-9d64-115e9bfd4a08";
const METADATA: &str = "8b7ca206-4790-4b9a-b8fe-575f050f886e";
/// Items of the metadata.
const FILE_PARAMETERS: &str = "caa16737-fa36-4d43-b3b6-33f0aa44e76b";
const DISK_SIZE: &str = "2fa54224-cd1b-4876-b211-5dbed83bf4b8";
const LOGICAL_SECTOR: &str = "8141bf1d-a96f-4709-ba47-f233a8faab5f";
const PARENT_LOCATOR: &str = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c";
/// Items whose content is not needed: the page 83 data, the physical sector's size.
const OTHERS: [&str; 2] = ["beca12ab-b2e6-4523-93ef-c309e000c746", "cda348c7-445d-4471-9cc9-e9885251c556"];
/// The only type of parent locator.
const VHDX_PARENT: &str = "b04aefb7-d19e-4a81-b789-25b8e9445913";
const NO_GUID: &str = "00000000-0000-0000-0000-000000000000";
/// The most entries of the tables of regions and of metadata.
const MOST_ENTRIES: u16 = 2047;

/// The layout of an image.
pub(super) struct Layout {
    /// The identifier that its children store; it changes with every change of the disk.
    pub(super) id: String,
    /// Whether the log contains changes that are not in their places.
    pub(super) dirty: bool,
    /// The start of the table of blocks, and its size in bytes.
    pub(super) table: (u64, u64),
    pub(super) block: u64,
    pub(super) sector: u64,
    pub(super) size: u64,
    /// A differencing image's description of its parent, by key.
    pub(super) parent: Option<Vec<(String, String)>>,
}

impl Layout {
    pub(super) fn read(file: &Blocks) -> io::Result<Self> {
        // Of the two headers, the valid one that was written last.
        let heads = [64 * KIB, 128 * KIB].into_iter().filter_map(|at| header(file, at, 4096).ok());
        let heads = heads.filter(|head| head.starts_with(b"head") && summed(head));
        let head = heads.max_by_key(|head| le64(head, 8)).ok_or_else(|| bad("no header with a correct checksum"))?;
        let version = le16(&head, 66).unwrap_or_default();
        if version != 1 {
            return Err(bad(format!("version {version}, 1 expected")));
        }
        let (id, log) = (guid(&head, 32).unwrap_or_default(), guid(&head, 48).unwrap_or_default());
        let (table, metadata) = regions(file)?;
        let items = items(file, metadata)?;
        let item = |wanted: &str, least: usize| {
            let found = items.iter().find(|(id, _)| id == wanted).map(|(_, item)| item.as_slice());
            found.filter(|item| item.len() >= least).ok_or_else(|| bad(format!("no metadata item {wanted}")))
        };
        let parameters = item(FILE_PARAMETERS, 8)?;
        let block = u64::from(le32(parameters, 0).unwrap_or_default());
        let differencing = le32(parameters, 4).unwrap_or_default() & 2 != 0;
        let size = le64(item(DISK_SIZE, 8)?, 0).unwrap_or_default();
        let sector = u64::from(le32(item(LOGICAL_SECTOR, 4)?, 0).unwrap_or_default());
        let sound = block.is_power_of_two() && (1 << 20..=256 << 20).contains(&block) && matches!(sector, 512 | 4096);
        if !sound || size > 64 << 40 || size.checked_rem(sector) != Some(0) {
            return Err(bad(format!("a disk of {size} bytes in blocks of {block} bytes, sectors of {sector}")));
        }
        let parent = if differencing { Some(locator(item(PARENT_LOCATOR, 20)?)?) } else { None };
        Ok(Self { id, dirty: log != NO_GUID, table, block, sector, size, parent })
    }
}

/// Returns the places of the table of blocks and of the metadata, and their lengths.
fn regions(file: &Blocks) -> io::Result<((u64, u64), (u64, u64))> {
    let tables = [192 * KIB, 256 * KIB].into_iter().filter_map(|at| header(file, at, 64 << 10).ok());
    let mut tables = tables.filter(|table| table.starts_with(b"regi") && summed(table));
    let table = tables.next().ok_or_else(|| bad("no region table with a correct checksum"))?;
    let count = usize::try_from(le32(&table, 8).unwrap_or_default()).unwrap_or(usize::MAX).min(MOST_ENTRIES.into());
    let (mut blocks, mut metadata) = (None, None);
    for entry in table.get(16..).unwrap_or_default().chunks_exact(32).take(count) {
        let place = (le64(entry, 16).unwrap_or_default(), u64::from(le32(entry, 24).unwrap_or_default()));
        match guid(entry, 0).unwrap_or_default().as_str() {
            TABLE => blocks = Some(place),
            METADATA => metadata = Some(place),
            other if le32(entry, 28).unwrap_or_default() & 1 != 0 => {
                return Err(bad(format!("an unknown required region, {other}")));
            }
            _ => {}
        }
    }
    blocks.zip(metadata).ok_or_else(|| bad("no table of blocks, or no metadata"))
}

/// Returns the items of the metadata.
fn items(file: &Blocks, region: (u64, u64)) -> io::Result<Vec<(String, Vec<u8>)>> {
    let table = header(file, region.0, 64 << 10)?;
    if !table.starts_with(b"metadata") {
        return Err(bad(format!("no metadata at {:#x}", region.0)));
    }
    let count = le16(&table, 10).unwrap_or_default().min(MOST_ENTRIES);
    let mut items = Vec::new();
    for entry in table.get(32..).unwrap_or_default().chunks_exact(32).take(count.into()) {
        let id = guid(entry, 0).unwrap_or_default();
        let (at, length) = (le32(entry, 16).unwrap_or_default(), le32(entry, 20).unwrap_or_default());
        let known = [FILE_PARAMETERS, DISK_SIZE, LOGICAL_SECTOR, PARENT_LOCATOR];
        if known.contains(&id.as_str()) {
            let length = usize::try_from(length.min(1 << 20)).unwrap_or_default();
            items.push((id, header(file, region.0.saturating_add(at.into()), length)?));
        } else if le32(entry, 24).unwrap_or_default() & 4 != 0 && !OTHERS.contains(&id.as_str()) {
            return Err(bad(format!("unknown required metadata, {id}")));
        }
    }
    Ok(items)
}

/// Returns the content of a parent locator, by key.
fn locator(item: &[u8]) -> io::Result<Vec<(String, String)>> {
    let kind = guid(item, 0).unwrap_or_default();
    if kind != VHDX_PARENT {
        return Err(bad(format!("a parent of an unknown kind, {kind}")));
    }
    let text = |at: u32, length: u16| {
        let (at, length) = (usize::try_from(at).unwrap_or(usize::MAX), usize::from(length));
        let units = item.get(at..at.saturating_add(length)).unwrap_or_default().chunks_exact(2);
        String::from_utf16_lossy(&units.filter_map(|unit| le16(unit, 0)).collect::<Vec<_>>())
    };
    let entries = item.get(20..).unwrap_or_default().chunks_exact(12).take(le16(item, 18).unwrap_or_default().into());
    let entry = |entry: &[u8]| Some((text(le32(entry, 0)?, le16(entry, 8)?), text(le32(entry, 4)?, le16(entry, 10)?)));
    Ok(entries.filter_map(entry).collect())
}

/// Returns a GUID as text, in lower case.
fn guid(data: &[u8], at: usize) -> Option<String> {
    let data = data.get(at..)?;
    let (first, second, third) = (le32(data, 0)?, le16(data, 4)?, le16(data, 6)?);
    let rest = crate::registry::hex(&bytes::<8>(data, 8)?);
    let (fourth, fifth) = rest.split_at_checked(4)?;
    Some(format!("{first:08x}-{second:04x}-{third:04x}-{fourth}-{fifth}"))
}

/// Returns whether the checksum at 4 matches the whole, with zeros in its own place.
fn summed(data: &[u8]) -> bool {
    let mut copy = data.to_vec();
    copy.get_mut(4..8).unwrap_or_default().fill(0);
    le32(data, 4) == Some(crc32c(&copy))
}

/// Returns the CRC-32C checksum (RFC 3720).
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ if sum & 1 == 0 { 0 } else { 0x82f6_3b78 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_guids_are_those_of_their_standards() {
        assert_eq!((crc32c(b"123456789"), crc32c(&[0; 32])), (0xe306_9283, 0x8a91_36aa));
        let bytes = [0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 8];
        assert_eq!((guid(&bytes, 0).as_deref(), guid(&bytes, 1)), (Some(TABLE), None));
    }
}
