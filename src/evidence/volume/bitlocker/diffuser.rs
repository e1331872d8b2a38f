//! The Elephant diffuser: every bit of a sector depends on every other. Vista and Windows 7 add it to AES-CBC.
//!
//! N. Ferguson, "AES-CBC + Elephant diffuser", 2006, section 4.5.

/// Sectors to process in parallel: the steps within one sector depend on each other.
pub(super) const LANES: usize = 8;

/// Undoes the diffuser in sectors of `size` bytes: 512, 1024, 2048 or 4096.
pub(super) fn decrypt(sectors: &mut [u8], size: usize) {
    match size {
        512 => each::<128>(sectors, size),
        1024 => each::<256>(sectors, size),
        2048 => each::<512>(sectors, size),
        4096 => each::<1024>(sectors, size),
        _ => {}
    }
}

fn each<const N: usize>(sectors: &mut [u8], size: usize) {
    let mut many = sectors.chunks_exact_mut(size.saturating_mul(LANES));
    for sectors in many.by_ref() {
        lanes::<N, LANES>(sectors, size);
    }
    for sector in many.into_remainder().chunks_exact_mut(size) {
        lanes::<N, 1>(sector, size);
    }
}

/// Undoes the diffuser in `L` sectors of `N` words of 32 bits.
fn lanes<const N: usize, const L: usize>(sectors: &mut [u8], size: usize) {
    let mut words = [[0; L]; N];
    for (lane, sector) in sectors.chunks_exact(size).enumerate() {
        for (words, bytes) in words.iter_mut().zip(sector.chunks_exact(4)) {
            if let Some(word) = words.get_mut(lane) {
                *word = bytes.try_into().map_or(0, u32::from_le_bytes);
            }
        }
    }
    let back = |count: usize| N.wrapping_sub(count);
    for _ in 0..3 {
        cycle::<N, L, 10, 25>(&mut words, 2, 5, 1);
    }
    for _ in 0..5 {
        cycle::<N, L, 9, 13>(&mut words, back(2), back(5), 0);
    }
    for (lane, sector) in sectors.chunks_exact_mut(size).enumerate() {
        for (words, bytes) in words.iter().zip(sector.chunks_exact_mut(4)) {
            bytes.copy_from_slice(&words.get(lane).copied().unwrap_or_default().to_le_bytes());
        }
    }
}

/// Processes all words once. Of each four, two are rotated, by `A` and `B`: the second and the fourth if `odd` is 1,
/// otherwise the first and the third.
fn cycle<const N: usize, const L: usize, const A: u32, const B: u32>(
    words: &mut [[u32; L]; N],
    near: usize,
    far: usize,
    odd: usize,
) {
    for four in (0..N).step_by(4) {
        let at = |on: usize| four.wrapping_add(on);
        if odd == 1 {
            step::<N, L, 0>(words, at(0), near, far);
            step::<N, L, A>(words, at(1), near, far);
            step::<N, L, 0>(words, at(2), near, far);
            step::<N, L, B>(words, at(3), near, far);
        } else {
            step::<N, L, A>(words, at(0), near, far);
            step::<N, L, 0>(words, at(1), near, far);
            step::<N, L, B>(words, at(2), near, far);
            step::<N, L, 0>(words, at(3), near, far);
        }
    }
}

/// Adds to a word the XOR of two others: the word `near` words on, and the word `far` words on, rotated by `R` bits.
/// Positions wrap around at the end.
#[inline]
fn step<const N: usize, const L: usize, const R: u32>(words: &mut [[u32; L]; N], at: usize, near: usize, far: usize) {
    let mask = N.wrapping_sub(1);
    let there = |on: usize| words.get(at.wrapping_add(on) & mask).copied().unwrap_or([0; L]);
    let (near, far) = (there(near), there(far));
    if let Some(here) = words.get_mut(at & mask) {
        for ((word, near), far) in here.iter_mut().zip(near).zip(far) {
            *word = word.wrapping_add(near ^ far.rotate_left(R));
        }
    }
}
