//! Searches in text, many units at a time.

/// The units that are searched together. The compiler turns such a block into a few instructions.
const BLOCK: usize = 16;

/// Returns the place of the first wanted unit.
pub(crate) fn find<T: Copy>(text: &[T], is_wanted: impl Fn(T) -> bool) -> Option<usize> {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let passed = blocks.iter().take_while(|block| !block.iter().fold(false, |found, &unit| found | is_wanted(unit)));
    let passed = passed.count().saturating_mul(BLOCK);
    let rest = text.get(passed..).unwrap_or_default();
    rest.iter().position(|&unit| is_wanted(unit)).map(|place| place.saturating_add(passed))
}

/// Returns whether a text has only printable ASCII characters. Such a text has no oddities to look for.
pub(super) fn is_plain(text: &[u16]) -> bool {
    find(text, |unit| !matches!(unit, 0x20..=0x7e)).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found() {
        for length in 0..70 {
            let mut text = vec![u16::from(b'a'); length];
            assert!(is_plain(&text));
            for place in 0..length {
                text[place] = u16::from(b'\n');
                assert_eq!(find(&text, |unit| unit == u16::from(b'\n')), Some(place));
                assert!(!is_plain(&text));
                text[place] = u16::from(b'a');
            }
        }
    }
}
