//! The runs of an attribute, as its record stores them.
//!
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/data_runs.html>

use crate::evidence::file_systems::runs::{Run, Runs};

/// Adds the runs of one part of an attribute, which must begin at the end of the previous part.
///
/// # Errors
/// Wrong values in the runs.
pub(super) fn add(runs: &mut Runs, first: u64, last: u64, pairs: &[u8], cluster: u64) -> Result<(), &'static str> {
    let mut offset = runs.end();
    if first.checked_mul(cluster) != Some(offset) {
        return Err("a part of its runs is missing");
    }
    let too_far = "a run that lies outside of any volume";
    let (mut rest, mut place) = (pairs, 0_i64);
    while let Some((sizes, after)) = rest.split_first().filter(|(sizes, _)| **sizes != 0) {
        let (of_length, of_place) = (usize::from(sizes & 15), usize::from(sizes >> 4));
        let cut = "runs that do not end";
        let (length, after) = after.split_at_checked(of_length).ok_or(cut)?;
        let (by, after) = after.split_at_checked(of_place).ok_or(cut)?;
        rest = after;
        let length = u64::try_from(number(length).ok_or(too_far)?).ok().filter(|length| *length > 0);
        let length = length.and_then(|length| length.checked_mul(cluster)).ok_or("a run of no length")?;
        let at = if by.is_empty() {
            None
        } else {
            place = place.checked_add(number(by).ok_or(too_far)?).ok_or(too_far)?;
            let at = u64::try_from(place).ok().and_then(|place| place.checked_mul(cluster)).ok_or(too_far)?;
            at.checked_add(length).ok_or(too_far)?;
            Some(at)
        };
        runs.push(Run { offset, length, at });
        offset = offset.checked_add(length).ok_or(too_far)?;
    }
    // An attribute without clusters has 0xFFFFFFFFFFFFFFFF as its last cluster.
    if last.wrapping_add(1).checked_mul(cluster) != Some(offset) {
        return Err("fewer or more clusters than it should have");
    }
    Ok(())
}

/// Returns a signed number of up to eight bytes.
fn number(bytes: &[u8]) -> Option<i64> {
    let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut eight = [fill; 8];
    eight.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_on_backwards_and_over_holes() {
        let mut runs = Runs::default();
        // Two clusters at 4, two at 6 (the same run), three of zeros, one at 1.
        add(&mut runs, 0, 7, &[0x11, 2, 4, 0x11, 2, 2, 0x01, 3, 0x11, 1, 0xfb, 0], 16).unwrap();
        let run = |offset, length, at| Some(Run { offset, length, at });
        assert_eq!((runs.count(), runs.from(0), runs.from(64)), (3, run(0, 64, Some(64)), run(64, 48, None)));
        assert_eq!((runs.from(112), runs.from(128)), (run(112, 16, Some(16)), None));
    }

    #[test]
    fn runs_that_cannot_be_are_refused() {
        for (first, last, pairs) in [
            (1, 1, &[0x11, 1, 4, 0][..]),
            (0, 1, &[0x11, 1, 4, 0]),
            (0, 0, &[0x11, 1]),
            (0, 0, &[0x11, 0, 4, 0]),
            (0, 0, &[0x11, 1, 0xff, 0]),
            (0, 0, &[0xf1, 1]),
            (0, 0, &[0x81, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]),
        ] {
            assert!(add(&mut Runs::default(), first, last, pairs, 4096).is_err(), "{pairs:x?}");
        }
        assert_eq!(add(&mut Runs::default(), 0, u64::MAX, &[0], 4096), Ok(()));
    }
}
