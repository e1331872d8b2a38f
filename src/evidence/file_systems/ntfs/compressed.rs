//! An attribute that NTFS compresses, in units of sixteen clusters (LZNT1).
//!
//! MS-XCA, section 2.5
//! (<https://learn.microsoft.com/openspecs/windows_protocols/ms-xca/5655f4a3-6ba4-489b-959f-e1f407c52f15>).

use std::io;
use std::sync::{Mutex, PoisonError};

use crate::evidence::block::BlockRead;
use crate::evidence::file_systems::runs::Stored;

/// Bytes of a decompressed chunk.
const CHUNK: usize = 4096;
/// The largest unit, in bytes: sixteen clusters of 4 KiB are the largest that Windows creates.
pub(super) const MOST_IN_UNIT: u64 = 1 << 20;

/// An attribute in units that are compressed, plain, or zeros.
pub(super) struct Compressed {
    stored: Stored,
    /// Bytes of a unit.
    unit: u64,
    /// The last decompressed unit, with its number.
    last: Mutex<Option<(u64, Vec<u8>)>>,
}

impl Compressed {
    /// Returns the attribute; `unit` is in bytes, above 0 and at most [`MOST_IN_UNIT`].
    pub(super) fn new(stored: Stored, unit: u64) -> Self {
        Self { stored, unit, last: Mutex::new(None) }
    }

    /// Returns all bytes of a unit, including those behind the attribute's end.
    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        let start = number.saturating_mul(self.unit);
        let end = start.saturating_add(self.unit);
        let length = usize::try_from(self.unit).unwrap_or_default();
        let (mut bytes, mut at, mut holes) = (Vec::new(), start, false);
        while at < end {
            // The last unit may have fewer clusters.
            let Some(run) = self.stored.runs.from(at) else { break };
            let count = run.length.min(end.saturating_sub(at));
            at = at.saturating_add(count);
            if run.at.is_none() {
                holes = true;
                continue;
            }
            let filled = bytes.len();
            bytes.resize(filled.saturating_add(usize::try_from(count).unwrap_or_default()), 0);
            let mut place = run.offset;
            let mut rest = bytes.get_mut(filled..).unwrap_or_default();
            while !rest.is_empty() {
                let read = self.stored.runs.read(&self.stored.volume, rest, place)?;
                place = place.saturating_add(read as u64);
                rest = rest.get_mut(read..).unwrap_or_default();
            }
        }
        if holes && !bytes.is_empty() {
            bytes = unpacked(&bytes, length).map_err(|why| {
                io::Error::new(io::ErrorKind::InvalidData, format!("the compressed bytes at {start:#x}: {why}"))
            })?;
        }
        bytes.resize(length, 0);
        Ok(bytes)
    }
}

impl BlockRead for Compressed {
    fn size(&self) -> u64 {
        self.stored.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.stored.valid.min(self.stored.size) {
            return self.stored.read_at(buffer, offset);
        }
        let number = offset.checked_div(self.unit).unwrap_or_default();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(kept, _)| *kept != number) {
            *last = None;
            *last = Some((number, self.unpack(number)?));
        }
        let bytes = last.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        let within = usize::try_from(offset.checked_rem(self.unit).unwrap_or_default()).unwrap_or_default();
        let left = usize::try_from(self.stored.valid.min(self.stored.size).saturating_sub(offset));
        let from = bytes.get(within..).unwrap_or_default();
        let count = buffer.len().min(from.len()).min(left.unwrap_or(usize::MAX));
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), from.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// Decompresses chunks until `most` bytes, the end of the data or a chunk header of zeros.
fn unpacked(packed: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::with_capacity(most);
    let mut rest = packed;
    while bytes.len() < most {
        let Some((header, after)) = rest.split_first_chunk::<2>() else { break };
        let header = u16::from_le_bytes(*header);
        if header == 0 {
            break;
        }
        let length = usize::from(header & 0xfff).saturating_add(1);
        let (chunk, after) = after.split_at_checked(length).ok_or("a chunk reaches past the unit's end")?;
        rest = after;
        let start = bytes.len();
        if header & 0x8000 == 0 {
            bytes.extend_from_slice(chunk);
        } else {
            unpack_chunk(chunk, &mut bytes)?;
        }
        // Every chunk except the last has 4,096 bytes; missing bytes are zeros.
        let end = start.saturating_add(CHUNK);
        if bytes.len() > end {
            return Err("a chunk of more than 4,096 bytes");
        }
        bytes.resize(end, 0);
    }
    bytes.truncate(most);
    Ok(bytes)
}

/// Decompresses one chunk, and appends its bytes.
fn unpack_chunk(mut chunk: &[u8], bytes: &mut Vec<u8>) -> Result<(), &'static str> {
    let start = bytes.len();
    while let Some((flags, after)) = chunk.split_first() {
        chunk = after;
        for bit in 0..8 {
            if flags >> bit & 1 == 0 {
                let Some((byte, after)) = chunk.split_first() else { return Ok(()) };
                bytes.push(*byte);
                chunk = after;
            } else {
                let Some((pair, after)) = chunk.split_first_chunk::<2>() else {
                    return if chunk.is_empty() { Ok(()) } else { Err("half a reference") };
                };
                chunk = after;
                let pair = usize::from(u16::from_le_bytes(*pair));
                // The more bytes are decompressed, the more bits the distance has: at least four.
                let done = bytes.len().saturating_sub(start);
                let for_distance = usize::BITS.saturating_sub(done.saturating_sub(1).leading_zeros()).clamp(4, 12);
                let for_length = 16_u32.saturating_sub(for_distance);
                let length = (pair & (1_usize << for_length).saturating_sub(1)).saturating_add(3);
                let distance = (pair >> for_length).saturating_add(1);
                if distance > done || done.saturating_add(length) > CHUNK {
                    return Err("a reference to missing bytes");
                }
                let from = bytes.len().saturating_sub(distance);
                for place in from..from.saturating_add(length) {
                    // A reference may include bytes that it writes itself.
                    bytes.push(bytes.get(place).copied().unwrap_or_default());
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_unpacked() {
        // MS-XCA, section 3.3.
        let packed = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47, 0x01, 0xa0, 0x45,
            0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4,
            0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00,
            0x04, 0x01, 0x18, 0x90, 0x00,
        ];
        let text = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# G \
                    F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        let bytes = unpacked(&packed, 16 * CHUNK).unwrap();
        assert_eq!(&bytes[..text.len()], text.as_bytes());
        assert!(bytes[text.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_cannot_be_unpacked_is_an_error() {
        for wrong in [&[0x02, 0xb0, 0x01, 0x00, 0x00][..], &[0x05, 0xb0, 0x00], &[0x02, 0xb0, 0x02, b'a', 0x05]] {
            assert!(unpacked(wrong, CHUNK).is_err(), "{wrong:x?}");
        }
    }
}
