//! The entries of an access list.

use super::sid::Sid;

/// `INHERIT_ONLY_ACE`: the entry does not apply to the object itself.
const INHERIT_ONLY: u8 = 0x08;
/// `ACE_OBJECT_TYPE_PRESENT`.
const OBJECT_TYPE: u32 = 0x1;
/// `ACE_INHERITED_OBJECT_TYPE_PRESENT`.
const INHERITED_OBJECT_TYPE: u32 = 0x2;

/// An entry of an access list that applies to the object itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether the entry allows the rights. If not, it denies them.
    pub allows: bool,
    /// Whether the entry has a condition, which is not evaluated here (the callback forms).
    pub conditional: bool,
    /// The rights as stored. Generic rights are not mapped.
    pub mask: u32,
    /// The trustee.
    pub sid: Sid,
}

/// Returns the entries of an access list that apply to the object itself.
pub(super) fn entries(list: &[u8]) -> Result<Vec<Entry>, &'static str> {
    let (size, count) = short(list, 2).zip(short(list, 4)).ok_or("it ends in the access list")?;
    let mut rest = list.get(8..usize::from(size)).ok_or("it ends in the access list")?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let (kind, flags) = rest.first().zip(rest.get(1)).ok_or("it ends in an entry")?;
        let size = usize::from(short(rest, 2).ok_or("it ends in an entry")?);
        let body = rest.get(..size).and_then(|entry| entry.get(4..)).ok_or("it ends in an entry")?;
        if let Some(entry) = entry(*kind, body)?.filter(|_| flags & INHERIT_ONLY == 0) {
            entries.push(entry);
        }
        rest = rest.get(size..).unwrap_or_default();
    }
    Ok(entries)
}

/// Returns an entry from the bytes after its header. `None` if it grants and denies nothing: audit entries, labels, and
/// entries for a type of object, which keys do not have.
fn entry(kind: u8, body: &[u8]) -> Result<Option<Entry>, &'static str> {
    // Allowed and denied: plain, for objects, with a condition, for objects with a condition.
    let (allows, of_object, conditional) = match kind {
        0 | 1 => (kind == 0, false, false),
        5 | 6 => (kind == 5, true, false),
        9 | 10 => (kind == 9, false, true),
        11 | 12 => (kind == 11, true, true),
        _ => return Ok(None),
    };
    let mask = long(body, 0).ok_or("it ends in an entry")?;
    let mut at = 4_usize;
    if of_object {
        let types = long(body, 4).ok_or("it ends in an entry")?;
        if types & OBJECT_TYPE != 0 {
            return Ok(None);
        }
        at = if types & INHERITED_OBJECT_TYPE == 0 { 8 } else { 24 };
    }
    let sid = body.get(at..).and_then(Sid::decode).ok_or("it ends in a security identifier")?;
    Ok(Some(Entry { allows, conditional, mask, sid }))
}

pub(super) fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

pub(super) fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}
