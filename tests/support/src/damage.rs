//! Reproducible damage.

/// Reproducible numbers.
pub struct Seeded(pub u64);

impl Seeded {
    /// Returns the next number.
    #[allow(clippy::should_implement_trait, reason = "numbers without an end are drawn, not walked")]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns the next number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// Returns the number of places for each kind of damage. `HIVEMEND_PLACES` sets another number for a longer run.
pub fn places() -> usize {
    std::env::var("HIVEMEND_PLACES").ok().and_then(|places| places.parse().ok()).unwrap_or(50)
}

/// Alternately flips a bit at `at`, removes up to `most` bytes from there, or repeats them. Returns what was done.
pub fn damage(bytes: &mut Vec<u8>, at: usize, most: usize, round: usize, random: &mut Seeded) -> String {
    let size = 1 + random.below((bytes.len() - at).min(most));
    match round % 3 {
        0 => {
            bytes[at] ^= 1 << random.below(8);
            format!("a bit of {at:#x} flipped")
        }
        1 => {
            bytes.drain(at..at + size);
            format!("{size} bytes at {at:#x} cut out")
        }
        _ => {
            let copy = bytes[at..at + size].to_vec();
            bytes.splice(at..at, copy);
            format!("{size} bytes at {at:#x} repeated")
        }
    }
}
