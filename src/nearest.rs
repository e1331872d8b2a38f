//! Finds the known name nearest to a mistyped one.

use std::cmp::Reverse;

/// Returns the distance of a known name from the typed one: the number of wrong, missing, or extra letters. `None` if
/// they are too different to be confused. A name that contains the other is near.
pub fn distance(typed: &str, known: &str) -> Option<usize> {
    const LONGEST: usize = 64;
    let letters = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (typed, known) = (letters(typed), letters(known));
    if typed.len() > LONGEST || known.len() > LONGEST {
        return None;
    }
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (line, typed) in typed.iter().enumerate() {
        let mut diagonal = line;
        let mut left = line.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, known) in row.iter_mut().skip(1).zip(&known) {
            let replaced = diagonal.saturating_add(usize::from(typed != known));
            diagonal = *cell;
            left = replaced.min(cell.saturating_add(1)).min(left.saturating_add(1));
            *cell = left;
        }
    }
    let distance = row.last().copied()?;
    let within = |long: &[char], short: &[char]| short.len() > 2 && long.windows(short.len()).any(|part| part == short);
    let near = distance <= typed.len().div_ceil(3) || within(&known, &typed) || within(&typed, &known);
    near.then_some(distance)
}

/// Returns the known name that is nearest to the typed one, if any is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Of two equally near names, the one with the longer common start wins, because people make mistakes near the end.
    let alike = |known: &str| typed.chars().zip(known.chars()).take_while(|(typed, known)| typed == known).count();
    let near = known.into_iter().filter_map(|known| Some((distance(typed, known)?, Reverse(alike(known)), known)));
    near.min().map(|(.., known)| known)
}

/// Returns "; did you mean ...?" if a known name is near, otherwise an empty text.
pub fn suggestion<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_those_that_one_slips_to() {
        assert_eq!(distance("BIST", "BITS"), Some(2));
        assert_eq!(distance("bits", "BITS"), Some(0));
        assert_eq!(distance("Notify", "NotifyServices"), Some(8));
        assert_eq!(distance("Winlogn", "Winlogon"), Some(1));
        assert_eq!(distance("BITS", "Tcpip"), None);
        assert_eq!(distance("", ""), Some(0));
        assert_eq!(distance(&"x".repeat(65), &"x".repeat(65)), None);
    }

    #[test]
    fn the_nearest_is_suggested() {
        assert_eq!(suggestion("windos-7", ["windows-8", "windows-7"]), "; did you mean \"windows-7\"?");
        assert_eq!(suggestion("windows-81", ["windows-11", "windows-8.1"]), "; did you mean \"windows-8.1\"?");
        assert_eq!(suggestion("x", ["windows-8"]), "");
    }
}
