//! Numbers in metadata: `None` if the bytes end first.

use crate::evidence::disk::field::le64;

/// Returns `N` consecutive 64-bit numbers.
pub(super) fn le64s<const N: usize>(data: &[u8], at: usize) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for (place, number) in numbers.iter_mut().enumerate() {
        *number = le64(data, at.checked_add(place.checked_mul(8)?)?)?;
    }
    Some(numbers)
}

/// Returns the CRC-32 (IEEE) of `parts`, one after another.
pub(super) fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}
