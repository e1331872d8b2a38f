//! The central directory of a ZIP archive, compared with the local headers.
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, sections 4.3 and 4.5.

use std::io::{BufReader, Read};

use super::field::{le16, le32, le64};
use super::limits::Limits;
use super::source::Sequential;
use super::told::Told;
use super::zip_end::End;
use crate::evidence::block::{Blocks, Part};
use crate::evidence::file_system::EntryKind;
use crate::registry::FileTime;

/// How a member is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    None,
    /// PKWARE's traditional encryption; the byte that the right password gives.
    ZipCrypto(u8),
    /// WinZip's AES: the key's size in bytes, and whether the member has no CRC-32 (AE-2).
    Aes {
        key: usize,
        without_crc: bool,
    },
    /// PKWARE's strong encryption, or contradictory fields.
    Unknown,
}

/// A member, without its name.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) crc: u32,
    /// Bytes in the archive and of the file.
    pub(super) packed: u64,
    pub(super) size: u64,
    /// The local header, and the first byte behind it, in bytes from the file's start.
    pub(super) local: u64,
    pub(super) data: u64,
    pub(super) encryption: Encryption,
    /// Why its bytes are unreadable.
    pub(super) broken: Option<Box<str>>,
    /// Why its checksum does not count: the archive contradicts itself about it.
    pub(super) doubtful: Option<Box<str>>,
}

/// A member as the directory lists it.
pub(super) struct Listed {
    pub(super) name: Vec<u8>,
    pub(super) kind: EntryKind,
    pub(super) modified: Option<FileTime>,
    pub(super) member: Member,
}

/// Bytes of a directory entry before its name.
const ENTRY: usize = 46;
/// Bytes of a local header before its name.
const LOCAL: u64 = 30;

/// Reads the whole directory, and compares each local header with it.
pub(super) fn read(blocks: &Blocks, end: &End, limits: Limits, told: &mut Told) -> Vec<Listed> {
    let part = Part::new(Blocks::clone(blocks), end.directory, end.size);
    let mut input = BufReader::with_capacity(64 << 10, Sequential::new(std::sync::Arc::new(part), 0));
    let mut listed: Vec<Listed> = Vec::new();
    let (mut at, mut names) = (0_u64, 0_usize);
    while at < end.size {
        let place = end.directory.saturating_add(at);
        let mut entry = [0; ENTRY];
        let header = input.read_exact(&mut entry);
        // The specification allows a signature of the directory behind its entries; nobody writes one.
        if header.is_ok() && entry.starts_with(b"PK\x05\x05") {
            break;
        }
        if header.is_err() || !entry.starts_with(b"PK\x01\x02") {
            told.tell(format!("the directory is damaged at {place:#x}; members listed after that are not read"));
            break;
        }
        let sizes = [28, 30, 32].map(|field| usize::from(le16(&entry, field)));
        let mut variable = vec![0; sizes.iter().sum()];
        if input.read_exact(&mut variable).is_err() {
            told.tell(format!("the directory ends within the entry at {place:#x}"));
            break;
        }
        at = at.saturating_add(ENTRY as u64).saturating_add(variable.len() as u64);
        let [name, extra, _] = sizes;
        let (name, rest) = variable.split_at_checked(name).unwrap_or_default();
        names = names.saturating_add(name.len());
        if listed.len() >= limits.members || names > limits.names {
            let (most, bytes) = (limits.members, limits.names);
            told.tell(format!(
                "the archive has more than {most} members, or more than {bytes} bytes of names; the rest is not read"
            ));
            return checked(blocks, end, listed, told);
        }
        listed.push(entry_of(&entry, name, rest.get(..extra).unwrap_or_default(), end));
    }
    let counted = listed.len() as u64;
    if counted != end.members && !(end.is_16_bit && counted & 0xffff == end.members) {
        told.tell(format!("the archive says that it has {} members; its directory lists {counted}", end.members));
    }
    checked(blocks, end, listed, told)
}

/// Reads one entry of the directory, section 4.3.12.
fn entry_of(entry: &[u8; ENTRY], name: &[u8], extra: &[u8], end: &End) -> Listed {
    let (made_by, flags, method) = (le16(entry, 4), le16(entry, 8), le16(entry, 10));
    let (time, crc, attributes) = (le16(entry, 12), le32(entry, 16), le32(entry, 38));
    let (mut packed, mut size) = (u64::from(le32(entry, 20)), u64::from(le32(entry, 24)));
    let mut local = u64::from(le32(entry, 42));
    let mut disk = u32::from(le16(entry, 34));
    let mut encryption = match flags & 0x41 {
        0 => Encryption::None,
        // With a data descriptor, the writer does not know the CRC when it writes the header.
        1 if flags & 8 != 0 => Encryption::ZipCrypto(time.to_le_bytes()[1]),
        1 => Encryption::ZipCrypto(crc.to_le_bytes()[3]),
        _ => Encryption::Unknown,
    };
    let mut modified = None;
    let mut actual = method;
    let mut broken = None;
    for (id, field) in fields(extra) {
        match id {
            // Only values that do not fit into the fields above are here, in this order.
            1 => {
                let mut at = 0;
                for value in [&mut size, &mut packed, &mut local] {
                    if *value == 0xffff_ffff {
                        match field.get(at..).and_then(<[u8]>::first_chunk) {
                            Some(bytes) => *value = u64::from_le_bytes(*bytes),
                            None => broken = Some("its sizes of 64 bits are missing"),
                        }
                        at = at.saturating_add(8);
                    }
                }
                if disk == 0xffff {
                    disk = le32(field, at);
                }
            }
            0x5455 if field.first().is_some_and(|flags| flags & 1 != 0) && field.len() >= 5 => {
                modified = Some(FileTime::from_unix_seconds(le32(field, 1)));
            }
            0x000a if field.len() >= 16 && le16(field, 4) == 1 => modified = Some(FileTime(le64(field, 8))),
            0x9901 if method == 99 => {
                encryption = match (field.len() >= 7 && field.get(2..4) == Some(b"AE"), field.get(4)) {
                    (true, Some(strength @ 1..=3)) => {
                        let key = 8_usize.saturating_add(usize::from(*strength).saturating_mul(8));
                        Encryption::Aes { key, without_crc: le16(field, 0) == 2 }
                    }
                    _ => Encryption::Unknown,
                };
                actual = le16(field, 5);
            }
            _ => {}
        }
    }
    if method == 99 && !matches!(encryption, Encryption::Aes { .. }) {
        encryption = Encryption::Unknown;
    }
    if disk != 0 {
        broken = Some("it is in another part of a split archive");
    }
    let kind = kind(name, made_by, attributes);
    let local = local.saturating_add(end.before);
    let broken = broken.map(Into::into);
    let member =
        Member { method: actual, flags, crc, packed, size, local, data: local, encryption, broken, doubtful: None };
    Listed { name: name.to_vec(), kind, modified, member }
}

/// Returns the kind of a member. A folder's name ends with a slash; the attribute has no checksum and does not count.
fn kind(name: &[u8], made_by: u16, attributes: u32) -> EntryKind {
    let separator = separator(name);
    if name.ends_with(&[separator]) {
        return EntryKind::Folder;
    }
    let mode = attributes >> 16 & 0o170_000;
    // Unix and macOS store a file's mode there.
    match (matches!(made_by >> 8, 3 | 19), mode) {
        (true, 0o120_000) => EntryKind::Link,
        (true, 0o020_000 | 0o060_000 | 0o010_000 | 0o140_000) => EntryKind::Other,
        _ => EntryKind::File,
    }
}

/// Returns the separator of a name's parts: some Windows programs write backslashes, against the specification.
pub(super) fn separator(name: &[u8]) -> u8 {
    if !name.contains(&b'/') && name.contains(&b'\\') { b'\\' } else { b'/' }
}

/// Iterates over the fields of an extra field, section 4.5.1.
fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = extra.split_at_checked(4)?;
        let (field, rest) = rest.split_at_checked(usize::from(le16(head, 2)))?;
        extra = rest;
        Some((le16(head, 0), field))
    })
}

/// Compares each member with its local header, in the order of their places. Members that overlap are refused: overlaps
/// let a small archive expand beyond any disk.
fn checked(blocks: &Blocks, end: &End, mut listed: Vec<Listed>, told: &mut Told) -> Vec<Listed> {
    let mut order: Vec<usize> = (0..listed.len()).collect();
    order.sort_by_key(|at| listed.get(*at).map_or(0, |listed| listed.member.local));
    // Bytes before the first member belong to a program that extracts the archive.
    let (mut behind, mut last): (u64, Option<usize>) = (end.before, None);
    let mut overlapping = 0_usize;
    for at in order {
        let Some(one) = listed.get_mut(at) else { continue };
        let start = one.member.local;
        let end_of_it =
            start.saturating_add(LOCAL).saturating_add(one.name.len() as u64).saturating_add(one.member.packed);
        let overlaps = start < behind;
        if overlaps || end_of_it > end.directory {
            overlapping = overlapping.saturating_add(1);
            let why = if overlaps { "it overlaps another member" } else { "it overlaps the directory" };
            one.member.broken.get_or_insert(why.into());
            if let Some(other) = last.filter(|_| overlaps).and_then(|last| listed.get_mut(last)) {
                other.member.broken.get_or_insert("another member overlaps it".into());
            }
        } else {
            unlisted(blocks, behind, start, told);
            if let Some(one) = listed.get_mut(at) {
                compare(blocks, one, told);
            }
        }
        let reached =
            listed.get(at).map_or(end_of_it, |one| one.member.data.saturating_add(one.member.packed).max(end_of_it));
        if reached > behind {
            (behind, last) = (reached, Some(at));
        }
    }
    unlisted(blocks, behind, end.directory, told);
    if overlapping > 0 {
        told.tell(format!("{overlapping} members overlap others, as in a malicious archive; they are not read"));
    }
    listed
}

/// Reports a member between two others that the directory does not list.
fn unlisted(blocks: &Blocks, start: u64, end: u64, told: &mut Told) {
    if end.saturating_sub(start) < LOCAL {
        return;
    }
    // A data descriptor of up to 24 bytes may precede it.
    let mut bytes = [0; 28];
    if blocks.read_exact_at(&mut bytes, start).is_ok()
        && let Some(place) = bytes.windows(4).position(|four| four == b"PK\x03\x04")
    {
        let at = start.saturating_add(place as u64);
        told.tell(format!("the member at {at:#x} is not listed in the directory; it is not read"));
    }
}

/// Compares a member's local header, section 4.3.7.
fn compare(blocks: &Blocks, listed: &mut Listed, told: &mut Told) {
    let start = listed.member.local;
    let mut header = vec![0; usize::try_from(LOCAL).unwrap_or(0).saturating_add(listed.name.len())];
    let member = &mut listed.member;
    if blocks.read_exact_at(&mut header, start).is_err() || !header.starts_with(b"PK\x03\x04") {
        let why = format!("there is no local header at {start:#x}");
        told.tell(format!("{}: {why}", shown(&listed.name)));
        member.broken.get_or_insert(why.into());
        return;
    }
    let names = usize::from(le16(&header, 26));
    member.data = start.saturating_add(LOCAL).saturating_add(names as u64).saturating_add(le16(&header, 28).into());
    let name = header.get(30..).unwrap_or_default();
    let raw = if matches!(member.encryption, Encryption::Aes { .. }) { 99 } else { member.method };
    let later = (member.flags | le16(&header, 6)) & 8 != 0;
    // All zeros or all ones mean that the value is stored elsewhere.
    let agrees = |field: usize, value: u64| {
        let local = le32(&header, field);
        local == 0 || local == u32::MAX || u64::from(local) == value
    };
    let without_crc = matches!(member.encryption, Encryption::Aes { without_crc: true, .. });
    let why = if names != listed.name.len() || name != listed.name.as_slice() {
        "another name"
    } else if le16(&header, 8) != raw {
        "another method"
    } else if le16(&header, 6) & 1 != member.flags & 1 {
        "another encryption"
    } else if !later && !agrees(14, member.crc.into()) && !without_crc {
        "another CRC-32"
    } else if !later && (!agrees(18, member.packed) || !agrees(22, member.size)) {
        "another size"
    } else {
        return;
    };
    let why = format!("its local header at {start:#x} has {why} than the directory");
    told.tell(format!("{}: {why}", shown(&listed.name)));
    member.doubtful.get_or_insert(why.into());
}

/// Returns a name for a message.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}
