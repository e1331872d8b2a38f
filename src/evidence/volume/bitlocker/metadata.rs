//! A metadata block: its header, its entries, and its validation. A volume has three, and one valid block is enough.
//!
//! libbde's format document, "FVE metadata block". No document describes the bytes after a block (its CRC-32, and its
//! SHA-256 encrypted with the volume's master key); this is how dislocker and dissect.fve read them.

use super::super::guid::Guid;
use super::boot::{Boot, Places, SIGNATURE};
use super::bytes::{crc32, le64s};
use super::entries::{Entry, Protector, Sealed, entries, kind, open_key, role};
use crate::evidence::block::Blocks;
use crate::evidence::disk::field::{bytes, le16, le32, le64};

/// The most bytes of a block, including its validation.
const MOST_BYTES: usize = 0x1_0000;
/// Bytes of the header of a block, and of the header of its entries.
const HEADERS: usize = 64 + 48;
/// Bytes after a block to read for its validation.
const VALIDATION: usize = 256;
/// The most protectors to use.
const MOST_PROTECTORS: usize = 64;

/// A valid metadata block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// 1 for Vista, 2 for Windows 7 and later.
    pub(super) version: u16,
    /// The current state of the volume, and the next one.
    pub(super) state: u16,
    pub(super) next_state: u16,
    /// The end of the encrypted part, in bytes from the volume's start; 0 if not set.
    pub(super) encrypted: u64,
    /// Bytes from there on that a conversion was processing when the volume was last used.
    pub(super) converting: u32,
    /// Sectors at the volume's beginning that are stored elsewhere.
    pub(super) relocated_sectors: u32,
    /// The places of the three blocks.
    pub(super) places: [u64; 3],
    /// The place of the stored first sectors; for Vista, the cluster of the second copy of the $MFT.
    pub(super) relocated_to: u64,
    /// The place and size of these sectors in bytes, by an entry.
    pub(super) relocated: Option<(u64, u64)>,
    pub(super) id: Guid,
    /// The number of the encryption method.
    pub(super) method: u16,
    pub(super) description: Option<String>,
    pub(super) protectors: Vec<Protector>,
    /// The key of the sectors, encrypted with the master key.
    pub(super) volume_keys: Vec<Sealed>,
    /// The block itself, for its checksum.
    pub(super) bytes: Vec<u8>,
    pub(super) checksum: Option<Checksum>,
}

/// The SHA-256 of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    /// Encrypted with the master key.
    Sealed(Sealed),
    /// Unencrypted, on a volume without keys.
    Open([u8; 32]),
}

/// The blocks of a volume.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The valid blocks, in their order.
    pub(super) sound: Vec<Metadata>,
    /// The damaged blocks: place, expected, found.
    pub(super) damaged: Vec<(u64, &'static str, String)>,
}

/// Reads the metadata blocks of a volume.
pub(super) fn read(volume: &Blocks, boot: &Boot) -> Found {
    let (mut places, named) = match boot.places {
        Places::Vista(first) => (vec![first], None),
        Places::Blocks(places) | Places::Converting(places, _) => (places.to_vec(), Some(places)),
    };
    let (mut found, mut at) = (Found::default(), 0);
    while let Some(&place) = places.get(at) {
        at = at.saturating_add(1);
        let (block, others) = block(volume, place, named);
        match block {
            Ok(metadata) => found.sound.push(metadata),
            Err((expected, what)) => found.damaged.push((place, expected, what)),
        }
        // Vista's first block has the places of the others, which may be right even if the block is damaged.
        if named.is_none() && at == 1 {
            places.extend(others.into_iter().flatten().filter(|other| *other != place));
        }
    }
    found
}

type Damage = (&'static str, String);

/// Reads the block at `place`, and the places of all three blocks in it.
fn block(volume: &Blocks, place: u64, named: Option<[u64; 3]>) -> (Result<Metadata, Damage>, Option<[u64; 3]>) {
    let left = usize::try_from(volume.size().saturating_sub(place)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; left.min(MOST_BYTES)];
    if bytes.len() < HEADERS {
        return (Err(("a metadata block within the volume", "the end of the volume".to_owned())), None);
    }
    if let Err(error) = volume.read_exact_at(&mut bytes, place) {
        return (Err(("a metadata block that can be read", error.to_string())), None);
    }
    if !bytes.starts_with(&SIGNATURE) {
        return (Err(("a metadata block (\"-FVE-FS-\")", "other bytes".to_owned())), None);
    }
    let places = le64s(&bytes, 32);
    let block = parse(bytes).and_then(|metadata| {
        let right = metadata.places.contains(&place) && named.is_none_or(|named| named == metadata.places);
        let found = || format!("one that says that they are at {:#x?}", metadata.places);
        if right { Ok(metadata) } else { Err(("a metadata block that names its place", found())) }
    });
    (block, places)
}

fn parse(mut block: Vec<u8>) -> Result<Metadata, Damage> {
    let cut = || ("a metadata block", "one that ends early".to_owned());
    let version = le16(&block, 10).ok_or_else(cut)?;
    // Windows 7 counts in units of 16 bytes.
    let unit = match version {
        1 => 1,
        2 => 16,
        other => return Err(("version 1 or 2 of a metadata block", format!("{other}"))),
    };
    let size = usize::from(le16(&block, 8).ok_or_else(cut)?).saturating_mul(unit);
    if size < HEADERS {
        return Err(("the size of a metadata block", format!("{size}")));
    }
    let validation = block.get(size..).filter(|rest| rest.len() >= 8).ok_or_else(cut)?;
    let validation = validation.get(..VALIDATION.min(validation.len())).unwrap_or_default().to_vec();
    block.truncate(size);
    let (kept, sum) = (le32(&validation, 4).ok_or_else(cut)?, crc32(&[&block]));
    if kept != sum {
        return Err(("a metadata block that matches its CRC-32", format!("{sum:#010x} instead of {kept:#010x}")));
    }
    let checksum = checksum(&validation);
    if version == 2 && checksum.is_none() {
        return Err(("the SHA-256 of a metadata block", "none".to_owned()));
    }
    // The CRC-32 proves that the rest is as it was written.
    read_entries(block, version, checksum).ok_or_else(|| ("entries within the metadata block", "others".to_owned()))
}

fn checksum(validation: &[u8]) -> Option<Checksum> {
    // Vista's first version has only a CRC-32.
    (le16(validation, 2)? >= 2).then_some(())?;
    let size = usize::from(le16(validation, 8)?);
    let read = entries(validation.get(8..)?.get(..size)?)?;
    let entry = read.first()?;
    let open = || open_key(entry).and_then(|(_, key)| bytes(key, 0)).map(Checksum::Open);
    Sealed::of(entry).map(Checksum::Sealed).or_else(open)
}

fn read_entries(block: Vec<u8>, version: u16, checksum: Option<Checksum>) -> Option<Metadata> {
    let set = block.get(64..)?;
    let (start, end) = (usize::try_from(le32(set, 8)?).ok()?, usize::try_from(le32(set, 12)?).ok()?);
    (start >= 48 && le32(set, 4)? == 1).then_some(())?;
    let entries = entries(set.get(start..end)?)?;
    let of = |role: u16, kind: u16| move |entry: &&Entry<'_>| entry.role == role && entry.kind == kind;
    let text = |entry: &Entry<'_>| {
        let units: Vec<u16> = entry.data.chunks_exact(2).filter_map(|unit| le16(unit, 0)).collect();
        String::from_utf16_lossy(&units).trim_end_matches('\0').trim().to_owned()
    };
    let protectors = entries.iter().filter(of(role::PROTECTOR, kind::PROTECTOR)).take(MOST_PROTECTORS);
    let relocated = entries.iter().find(of(role::RELOCATED, kind::RELOCATED));
    Some(Metadata {
        version,
        state: le16(&block, 12)?,
        next_state: le16(&block, 14)?,
        encrypted: le64(&block, 16)?,
        converting: le32(&block, 24)?,
        relocated_sectors: le32(&block, 28)?,
        places: le64s(&block, 32)?,
        relocated_to: le64(&block, 56)?,
        relocated: relocated.and_then(|entry| Some((le64(entry.data, 0)?, le64(entry.data, 8)?))),
        id: Guid::at(set, 16)?,
        method: le16(set, 36)?,
        description: entries.iter().find(of(role::DESCRIPTION, kind::TEXT)).map(text),
        protectors: protectors.map(Protector::of).collect::<Option<_>>()?,
        volume_keys: entries.iter().filter(of(role::VOLUME_KEY, kind::SEALED)).filter_map(Sealed::of).collect(),
        checksum,
        bytes: block,
    })
}
