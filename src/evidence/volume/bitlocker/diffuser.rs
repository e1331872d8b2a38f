//! The Elephant diffuser, which makes every bit of a sector depend on every other; Vista and Windows 7 add it to AES-CBC.

/// Undoes the diffuser: of a sector of 512, 1024, 2048 or 4096 bytes.
pub(super) fn decrypt(sector: &mut [u8]) {
    match sector.len() {
        512 => words::<128>(sector),
        1024 => words::<256>(sector),
        2048 => words::<512>(sector),
        4096 => words::<1024>(sector),
        _ => {}
    }
}

fn words<const N: usize>(sector: &mut [u8]) {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(sector.chunks_exact(4)) {
        *word = bytes.try_into().map_or(0, u32::from_le_bytes);
    }
    for _ in 0..3 {
        cycle(&mut words, 2, 5, [0, 10, 0, 25]);
    }
    for _ in 0..5 {
        let back = N.wrapping_sub(2);
        cycle(&mut words, back, back.wrapping_sub(3), [9, 0, 13, 0]);
    }
    for (word, bytes) in words.iter().zip(sector.chunks_exact_mut(4)) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
}

/// Adds to each word that which is `near` words on, XORed with that which is `far` words on and rotated; around the end.
fn cycle<const N: usize>(words: &mut [u32; N], near: usize, far: usize, rotations: [u32; 4]) {
    let mask = N.wrapping_sub(1);
    let steps = (0..N).zip(rotations.into_iter().cycle());
    for (at, rotation) in steps {
        let word = |words: &[u32; N], on: usize| words.get(at.wrapping_add(on) & mask).copied().unwrap_or_default();
        let added = word(words, near) ^ word(words, far).rotate_left(rotation);
        if let Some(word) = words.get_mut(at & mask) {
            *word = word.wrapping_add(added);
        }
    }
}
