//! A record of the $MFT: its fixups, its attributes, and the file that they describe.
//!
//! After "NTFS documentation" of the Linux-NTFS project
//! (<https://flatcap.github.io/linux-ntfs/ntfs/concepts/file_record.html>), and of libfsntfs
//! (<https://github.com/libyal/libfsntfs/blob/main/documentation/New%20Technologies%20File%20System%20(NTFS).asciidoc>).

use std::iter;

use crate::evidence::disk::field::{le16, le32, le64};

/// Types of attributes.
pub(super) const STANDARD_INFORMATION: u32 = 0x10;
pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const DATA: u32 = 0x80;
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xa0;
pub(super) const BITMAP: u32 = 0xb0;
pub(super) const REPARSE_POINT: u32 = 0xc0;

/// Every 512 bytes of a record or block end with two bytes of its update sequence, for any sector size.
const STRIDE: usize = 512;

/// A record's number, and how often the record was used: a reference is valid only if both match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) number: u64,
    pub(super) sequence: u16,
}

impl Reference {
    /// Reads eight bytes.
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let value = le64(bytes, at)?;
        let sequence = u16::try_from(value >> 48).unwrap_or_default();
        Some(Self { number: value & 0xffff_ffff_ffff, sequence })
    }

    /// Returns whether the reference is to a record with this sequence number; 0 in a reference means any.
    pub(super) fn is_of(self, sequence: u16) -> bool {
        self.sequence == 0 || self.sequence == sequence
    }
}

/// Restores the bytes that the update sequence replaced, in a record (`FILE`) or a block (`INDX`).
///
/// # Errors
/// Another signature, or a record or block that was not written whole.
pub(super) fn fix_up(bytes: &mut [u8], signature: [u8; 4]) -> Result<(), &'static str> {
    match bytes.first_chunk::<4>() {
        Some(found) if *found == signature => {}
        Some(b"BAAD") => return Err("chkdsk marked it as damaged (BAAD)"),
        _ => return Err("it has the wrong signature"),
    }
    let at = le16(bytes, 4).map_or(0, usize::from);
    let count = le16(bytes, 6).map_or(0, usize::from);
    if count.checked_sub(1).and_then(|strides| strides.checked_mul(STRIDE)) != Some(bytes.len()) {
        return Err("its update sequence does not cover it");
    }
    // The sequence precedes the bytes that it protects.
    let sequence = bytes.get(at..at.saturating_add(count.saturating_mul(2))).map(<[u8]>::to_vec).unwrap_or_default();
    let mut pairs = sequence.as_chunks::<2>().0.iter();
    let number = pairs.next().ok_or("its update sequence lies outside of it")?;
    for (stride, kept) in bytes.chunks_mut(STRIDE).zip(pairs) {
        let Some(end) = stride.last_chunk_mut::<2>() else { break };
        if end != number {
            return Err("it was not written completely: its update sequence differs");
        }
        *end = *kept;
    }
    Ok(())
}

/// The beginning of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// How often the record was used.
    pub(super) sequence: u16,
    /// Whether the record is in use.
    pub(super) in_use: bool,
    /// Whether it is a folder's.
    pub(super) is_folder: bool,
    /// The record that this one continues; `None` for a base record.
    pub(super) base: Option<Reference>,
}

/// Reads the beginning, which has no fixups.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let flags = le16(bytes, 22)?;
    let base = Reference::read(bytes, 32)?;
    Some(Header {
        sequence: le16(bytes, 16)?,
        in_use: flags & 1 != 0,
        is_folder: flags & 2 != 0,
        base: (base.number != 0 || base.sequence != 0).then_some(base),
    })
}

/// An attribute of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'r> {
    /// Its type.
    pub(super) kind: u32,
    /// Its name in UTF-16; empty for the unnamed one.
    pub(super) name: &'r [u8],
    /// The flags: 1 compressed, 0x4000 encrypted, 0x8000 sparse.
    pub(super) flags: u16,
    /// The place of its bytes.
    pub(super) form: Form<'r>,
}

/// The place of an attribute's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'r> {
    /// In the record.
    Resident(&'r [u8]),
    /// In clusters.
    Clusters {
        /// The first cluster of this part, counted within the attribute.
        first: u64,
        /// The last cluster of this part, counted within the attribute.
        last: u64,
        /// Bytes of the attribute; valid only in the first part.
        size: u64,
        /// Bytes that were written; the rest is zeros.
        valid: u64,
        /// The clusters of a compression unit, as an exponent of two; 0 for no compression.
        unit: u16,
        /// The runs.
        pairs: &'r [u8],
    },
}

/// Iterates over the attributes of a record with applied fixups. An invalid attribute is an error, and the last item.
pub(super) fn attributes(bytes: &[u8]) -> impl Iterator<Item = Result<Attribute<'_>, &'static str>> {
    let used = le32(bytes, 24).and_then(|used| usize::try_from(used).ok()).unwrap_or_default();
    let bytes = bytes.get(..used.min(bytes.len())).unwrap_or_default();
    let mut at = le16(bytes, 20).map(usize::from);
    iter::from_fn(move || {
        let start = at?;
        at = None;
        let kind = match le32(bytes, start) {
            None => return Some(Err("its attributes do not end")),
            Some(u32::MAX) => return None,
            Some(kind) => kind,
        };
        let length = le32(bytes, start.saturating_add(4)).and_then(|length| usize::try_from(length).ok());
        let whole =
            length.filter(|length| *length >= 16).and_then(|length| bytes.get(start..start.checked_add(length)?));
        let Some(attribute) = whole.and_then(|whole| attribute(kind, whole)) else {
            return Some(Err("an attribute reaches past its end"));
        };
        at = start.checked_add(length.unwrap_or_default());
        Some(Ok(attribute))
    })
}

fn attribute(kind: u32, bytes: &[u8]) -> Option<Attribute<'_>> {
    let part = |at: usize, length: usize| bytes.get(at..at.checked_add(length)?);
    let name = part(usize::from(le16(bytes, 10)?), usize::from(*bytes.get(9)?).saturating_mul(2))?;
    let form = if *bytes.get(8)? == 0 {
        Form::Resident(part(usize::from(le16(bytes, 20)?), usize::try_from(le32(bytes, 16)?).ok()?)?)
    } else {
        Form::Clusters {
            first: le64(bytes, 16)?,
            last: le64(bytes, 24)?,
            size: le64(bytes, 48).unwrap_or_default(),
            valid: le64(bytes, 56).unwrap_or_default(),
            unit: le16(bytes, 34)?,
            pairs: bytes.get(usize::from(le16(bytes, 32)?)..)?,
        }
    };
    Some(Attribute { kind, name, flags: le16(bytes, 12)?, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_not_written_whole_is_known_by_its_update_sequence() {
        let mut sound = vec![0; 1024];
        sound[..4].copy_from_slice(b"FILE");
        (sound[4], sound[6]) = (48, 3);
        sound[48..54].copy_from_slice(&[7, 0, 1, 2, 3, 4]);
        (sound[510], sound[1022]) = (7, 7);
        let mut fixed = sound.clone();
        assert_eq!(fix_up(&mut fixed, *b"FILE"), Ok(()));
        assert_eq!((&fixed[510..512], &fixed[1022..]), (&[1, 2][..], &[3, 4][..]));
        for (at, byte, why) in [
            (1022, 8, "not written completely"),
            (6, 2, "does not cover"),
            (5, 0xff, "outside"),
            (0, b'G', "signature"),
        ] {
            let mut torn = sound.clone();
            torn[at] = byte;
            let error = fix_up(&mut torn, *b"FILE").unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        sound[..4].copy_from_slice(b"BAAD");
        assert!(fix_up(&mut sound, *b"FILE").unwrap_err().contains("BAAD"));
    }

    #[test]
    fn attributes_end_where_the_record_does() {
        let mut record = vec![0; 1024];
        (record[20], record[24]) = (56, 96);
        assert!(attributes(&record).next().unwrap().is_err());
        record[56] = 0x10;
        record[60] = 24;
        record[80] = 0xff;
        assert!(attributes(&record).next().unwrap().is_ok());
        assert_eq!(attributes(&record).count(), 2);
        record[60] = 0xff;
        assert_eq!(attributes(&record).flatten().count(), 0);
    }
}
