//! Marvin32, the hash of log entries, with the seed of the Windows registry.
//!
//! Seed and use: M. Suhanov, "Windows registry file format specification", section "Log entries", notes 1 to 3. The
//! specification prints the seed's bytes, `82 EF 4D 88 7A 4E 55 C5`: the high half first.

/// The seed's low half.
const SEED_LOW: u32 = 0x7a4e_55c5;
/// The seed's high half.
const SEED_HIGH: u32 = 0x82ef_4d88;

/// Returns the hash of `bytes`.
pub(super) fn marvin32(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<4>();
    let mut state = (SEED_LOW, SEED_HIGH);
    for word in words {
        state = mix(state, u32::from_le_bytes(*word));
    }
    // The last, incomplete word: up to three bytes, a set bit, and zeros.
    let mut last = [0; 4];
    for (place, byte) in last.iter_mut().zip(tail.iter().chain(&[0x80])) {
        *place = *byte;
    }
    let (low, high) = mix(mix(state, u32::from_le_bytes(last)), 0);
    u64::from(high) << 32 | u64::from(low)
}

#[inline]
fn mix((low, high): (u32, u32), word: u32) -> (u32, u32) {
    let low = low.wrapping_add(word);
    let high = high ^ low;
    let low = low.rotate_left(20).wrapping_add(high);
    let high = high.rotate_left(9) ^ low;
    let low = low.rotate_left(27).wrapping_add(high);
    (low, high.rotate_left(19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_counts_even_where_only_zeros_are_added() {
        let hashes: std::collections::BTreeSet<u64> = (0..64).map(|length| marvin32(&vec![0; length])).collect();
        assert_eq!(hashes.len(), 64);
    }
}
