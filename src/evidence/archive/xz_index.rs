//! The indexes of an xz file, read from its end: the expected sizes of its blocks. The decoder compares the number of
//! blocks; this code adds up their sizes. <https://tukaani.org/xz/xz-file-format.txt>, sections 2.1.2 and 4.

use std::io::{self, BufReader, Read};

use super::field::le32;
use super::source::Sequential;
use crate::evidence::block::Blocks;

/// Returns the number of decompressed bytes of all streams, by their indexes.
///
/// # Errors
/// The sizes contradict the places of headers and footers.
pub(super) fn size(blocks: &Blocks) -> io::Result<Result<u64, String>> {
    let (mut end, mut total) = (blocks.size(), 0_u64);
    let mut four = [0; 4];
    while end > 0 {
        // Padding is zeros.
        let padding = end.checked_sub(4);
        if let Some(at) = padding {
            blocks.read_exact_at(&mut four, at)?;
            if four == [0; 4] {
                end = at;
                continue;
            }
        }
        let mut footer = [0; 12];
        let Some(place) = end.checked_sub(12) else {
            return Ok(Err(format!("there is no xz stream that ends at {end:#x}")));
        };
        blocks.read_exact_at(&mut footer, place)?;
        let size = u64::from(le32(&footer, 4)).saturating_add(1).saturating_mul(4);
        let index = place.checked_sub(size).filter(|_| footer.ends_with(b"YZ"));
        let sums = match index {
            Some(index) => sums(blocks, index, size)?,
            None => None,
        };
        let start = index.zip(sums).and_then(|(index, (packed, _))| index.checked_sub(packed)?.checked_sub(12));
        let (Some(start), Some((_, unpacked))) = (start, sums) else {
            return Ok(Err(format!("the xz index before {place:#x} does not match its stream")));
        };
        let mut header = [0; 6];
        blocks.read_exact_at(&mut header, start)?;
        if header != *b"\xfd7zXZ\0" {
            return Ok(Err(format!(
                "the xz index before {place:#x} names a stream at {start:#x}, where there is none"
            )));
        }
        total = total.saturating_add(unpacked);
        end = start;
    }
    Ok(Ok(total))
}

/// Returns the sums of an index of `size` bytes: of the blocks with their padding, and of their decompressed sizes.
fn sums(blocks: &Blocks, index: u64, size: u64) -> io::Result<Option<(u64, u64)>> {
    let mut input = BufReader::new(Sequential::new(Blocks::clone(blocks), index).take(size));
    let mut number = || -> io::Result<Option<u64>> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let mut byte = [0];
            input.read_exact(&mut byte)?;
            let [byte] = byte;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(Some(value));
            }
        }
        Ok(None)
    };
    // The index begins with a zero, in the place of a block's size.
    if number()? != Some(0) {
        return Ok(None);
    }
    let Some(count) = number()? else { return Ok(None) };
    let (mut packed, mut unpacked) = (0_u64, 0_u64);
    for _ in 0..count {
        let (Some(block), Some(content)) = (number()?, number()?) else { return Ok(None) };
        let padded = block.checked_next_multiple_of(4).and_then(|padded| packed.checked_add(padded));
        let (Some(padded), Some(content)) = (padded, unpacked.checked_add(content)) else { return Ok(None) };
        (packed, unpacked) = (padded, content);
    }
    Ok(Some((packed, unpacked)))
}
