//! Raw images in several parts: `disk.001`, `disk.002`, or `disk.aa`, `disk.ab`.

use std::io;

use super::beside::Beside;
use super::named::extension;
use crate::error::Problem;
use crate::evidence::block::{BlockRead, Blocks};

/// Parts laid end to end.
struct Joined {
    /// Each part, with its start in the whole.
    parts: Vec<(u64, Blocks)>,
    size: u64,
}

impl BlockRead for Joined {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let after = self.parts.partition_point(|(start, _)| *start <= offset);
        match after.checked_sub(1).and_then(|place| self.parts.get(place)) {
            Some((start, part)) => part.read_at(buffer, offset.saturating_sub(*start)),
            None => Ok(0),
        }
    }
}

/// Lays parts end to end; no part is empty.
pub(super) fn join(parts: impl IntoIterator<Item = Blocks>) -> impl BlockRead {
    let (mut placed, mut size) = (Vec::new(), 0_u64);
    for part in parts.into_iter().filter(|part| part.size() > 0) {
        let start = size;
        size = size.saturating_add(part.size());
        placed.push((start, part));
    }
    Joined { parts: placed, size }
}

/// Returns whether the name is that of a first part.
pub(super) fn is_first(name: &str) -> bool {
    let extension = extension(name);
    let numbered = extension.len() >= 3 && extension.bytes().all(|letter| letter.is_ascii_digit());
    let lettered = extension.len() >= 2 && extension.bytes().all(|letter| letter.eq_ignore_ascii_case(&b'a'));
    lettered || numbered && extension.parse::<u32>().is_ok_and(|number| number <= 1)
}

/// Returns the next part's extension: digits and letters each count on in their own range.
fn next(extension: &str) -> Option<String> {
    let mut letters = extension.as_bytes().to_vec();
    for letter in letters.iter_mut().rev() {
        match *letter {
            b'9' => *letter = b'0',
            b'z' => *letter = b'a',
            b'Z' => *letter = b'A',
            _ => {
                *letter = letter.saturating_add(1);
                return String::from_utf8(letters).ok();
            }
        }
    }
    None
}

/// Opens the parts after `first`.
pub(super) fn open(beside: &mut Beside, name: &str, first: Blocks) -> Result<impl BlockRead + use<>, Problem> {
    let mut current = extension(name).to_owned();
    let stem = name.strip_suffix(current.as_str()).unwrap_or_default().to_owned();
    let full = first.size();
    let mut parts = vec![first];
    let mut missing = None;
    while let Some(following) = next(&current) {
        let Some(part) = beside.segment(&format!("{stem}{following}"))? else {
            missing = Some(following);
            break;
        };
        current = following;
        parts.push(part);
    }
    if let Some(missing) = missing {
        // A later part proves that this part is missing.
        let like = |extension: &str| {
            extension.len() == missing.len()
                && extension.bytes().zip(missing.bytes()).all(|(one, other)| {
                    one.is_ascii_digit() == other.is_ascii_digit()
                        && one.is_ascii_uppercase() == other.is_ascii_uppercase()
                        && one.is_ascii_alphanumeric()
                })
        };
        let names = beside.names().map_err(|error| beside.unreadable(&error))?;
        let later = names.iter().filter_map(|name| name.strip_prefix(stem.as_str()));
        if let Some(later) = later.filter(|extension| like(extension) && **extension > *missing).min() {
            let problem =
                beside.problem(format!("all its parts: {stem}{missing}"), format!("only {stem}{later} and later"));
            return Err(problem.advise("put every part beside the first one"));
        }
    }
    let whole = parts.len();
    for (number, part) in parts.iter().enumerate() {
        let last = number.saturating_add(1) == whole;
        if part.size() > full || part.size() == 0 || (!last && part.size() != full) {
            let found = format!("part {} with {} bytes", number.saturating_add(1), part.size());
            let expected = format!("parts of {full} bytes each, the last one no larger");
            return Err(beside.problem(expected, found).advise("copy the parts again"));
        }
    }
    let whole = join(parts);
    if let Some(end) = told_end(&whole).filter(|end| *end > whole.size()) {
        let expected = format!("parts of {end} bytes together, as the disk's own tables say");
        let found = format!("{} bytes up to {stem}{current}", whole.size());
        let advice =
            "put the missing parts beside the first one; if the disk really ends there, join the parts with cat";
        return Err(beside.problem(expected, found).advise(advice));
    }
    Ok(whole)
}

/// Returns the end of the disk by its partition table, or of a volume by its boot sector: a lower bound, in bytes.
fn told_end(disk: &impl BlockRead) -> Option<u64> {
    let mut start = vec![0; 1024];
    disk.read_exact_at(&mut start, 0).ok()?;
    let number = |at: usize, length: usize| {
        let bytes = start.get(at..at.saturating_add(length))?;
        Some(bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    if number(510, 2)? != 0xaa55 {
        return None;
    }
    if start.get(3..11)? == b"NTFS    " {
        return number(0x28, 8)?.checked_mul(number(11, 2)?);
    }
    if start.get(512..520)? == b"EFI PART" {
        return number(512 + 32, 8)?.checked_add(1)?.checked_mul(512);
    }
    // Four entries of a partition table; the boot sector of a FAT volume has code or text there.
    let entries: Vec<(u64, u64, u64)> = (0..4_usize)
        .filter_map(|entry| {
            let at = entry.checked_mul(16)?.checked_add(446)?;
            Some((number(at, 1)?, number(at.checked_add(8)?, 4)?, number(at.checked_add(12)?, 4)?))
        })
        .collect();
    if entries.iter().any(|(state, ..)| !matches!(state, 0 | 0x80)) {
        return None;
    }
    entries.iter().map(|(_, first, count)| first.saturating_add(*count).saturating_mul(512)).max()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::evidence::listed::Listed;

    fn opened(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
        let (mut beside, first) = Beside::open(&folder.join(name), &Listed::default()).unwrap();
        let whole = open(&mut beside, name, first).map_err(|problem| problem.to_string())?;
        let mut bytes = vec![0; usize::try_from(whole.size()).unwrap()];
        whole.read_exact_at(&mut bytes, 0).map(|()| bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn parts_are_counted_on() {
        let names = ["001", "009", "099", "aa", "az", "AZ", "999", "zz"];
        let after = [Some("002"), Some("010"), Some("100"), Some("ab"), Some("ba"), Some("BA"), None, None];
        assert_eq!(names.map(next), after.map(|name| name.map(str::to_owned)));
        assert!(["d.001", "d.000", "d.aa", "d.AAA", "d.0001"].iter().all(|name| is_first(name)));
        assert!(!["d.002", "d.ab", "d.a", "d.raw", "d", "d.01", "aa"].iter().any(|name| is_first(name)));
    }

    #[test]
    fn parts_make_the_whole_and_a_missing_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        write("d.001", &[1; 700]);
        write("d.002", &[2; 700]);
        write("d.003", &[3; 10]);
        write("d.txt", b"notes");
        assert_eq!(opened(folder.path(), "d.001").unwrap(), [vec![1; 700], vec![2; 700], vec![3; 10]].concat());
        write("d.005", &[3; 10]);
        let problem = opened(folder.path(), "d.001").unwrap_err();
        assert!(problem.contains("expected all its parts: d.004, found only d.005 and later"), "{problem}");
        std::fs::remove_file(folder.path().join("d.005")).unwrap();
        write("d.002", &[2; 699]);
        assert!(opened(folder.path(), "d.001").unwrap_err().contains("found part 2 with 699 bytes"));
    }

    #[test]
    fn a_missing_last_part_is_known_by_the_partition_table() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = vec![0; 2048];
        (first[510], first[511], first[446 + 4]) = (0x55, 0xaa, 7);
        (first[446 + 8], first[446 + 12]) = (2, 4);
        std::fs::write(folder.path().join("d.001"), &first).unwrap();
        let problem = opened(folder.path(), "d.001").unwrap_err();
        assert!(problem.contains("expected parts of 3072 bytes together"), "{problem}");
        std::fs::write(folder.path().join("d.002"), vec![9; 1024]).unwrap();
        assert_eq!(opened(folder.path(), "d.001").unwrap().len(), 3072);
    }
}
